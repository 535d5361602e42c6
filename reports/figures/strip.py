"""A few hours of one replication in lanes: productive, lost, checkpoint, detection, recovery, waiting."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, NamedTuple

import plotly.graph_objects as go

from reports import theme
from reports.figures import base
from reports.figures.throughput import TimeUnit, time_unit
from sim.units import format_duration

if TYPE_CHECKING:
    from sim.results import Results

MOST_SPANS = 900
LANE = 34


class Span(NamedTuple):
    """One uninterrupted activity: its lane, its ledger entry, and when it began and ended (s)."""

    lane: int
    entry: str
    detail: str
    start: float
    end: float


class StripData(NamedTuple):
    """The lanes from the top, the activities in them, and the instants of the failures with their causes."""

    name: str
    unit: TimeUnit
    start: float
    end: float
    lanes: tuple[str, ...]
    spans: tuple[Span, ...]
    failures: tuple[tuple[float, str], ...]
    cut: bool


def strip_data(result: Results) -> StripData | None:
    """Return the window that the run recorded of replication 0, or None where it holds none."""
    strip = result.strip
    if strip is None or strip.empty:
        return None
    rows = list(
        zip(
            strip["start_s"].astype(float),
            strip["end_s"].astype(float),
            strip["activity"].astype(str),
            strip["detail"].fillna("").astype(str),
            strict=True,
        )
    )
    kept = rows[:MOST_SPANS]
    lanes = _lanes(kept)
    spans = tuple(
        Span(lanes.index(_lane(entry, detail)), entry, detail, start, end)
        for start, end, entry, detail in kept
    )
    return StripData(
        name=result.scenario.name,
        unit=time_unit(kept[-1][1] - kept[0][0]),
        start=kept[0][0],
        end=kept[-1][1],
        lanes=lanes,
        spans=spans,
        failures=_failures(spans),
        cut=len(rows) > len(kept),
    )


def _lane(entry: str, detail: str) -> str:
    """Return the name of the lane of an activity: recovery has one per stage."""
    return detail if entry == "recovery" and detail else entry


def _lanes(rows: list[tuple[float, float, str, str]]) -> tuple[str, ...]:
    """Return the lanes in use: in the ledger's order, stages in the order in which they occur."""
    order = {entry: place for place, entry in enumerate(theme.STYLES)}
    seen = {_lane(entry, detail): order[entry] for _, _, entry, detail in reversed(rows)}
    first = {_lane(entry, detail): place for place, (_, _, entry, detail) in reversed(list(enumerate(rows)))}
    return tuple(sorted(seen, key=lambda lane: (seen[lane], first[lane])))


def _failures(spans: tuple[Span, ...]) -> tuple[tuple[float, str], ...]:
    """Return when a stretch of training ended in a failure, and the mode that ended it."""
    chain = {"detection", "recovery", "waiting"}
    pairs = itertools.pairwise(spans)
    return tuple(
        (now.start, before.detail or (now.detail if now.entry != "recovery" else ""))
        for before, now in pairs
        if now.entry in chain and before.entry not in chain
    )


def strip_table(data: StripData) -> base.Table:
    """Return one row per activity."""
    rows = tuple(
        (data.name, round(span.start, 3), round(span.end, 3), span.entry, span.detail) for span in data.spans
    )
    return base.Table(("scenario", "start_s", "end_s", "activity", "detail"), rows)


def strip_figure(data: StripData) -> go.Figure:
    """Return one lane per activity with its name above it, so that bars need no hatching; failures dotted."""
    entries = [entry for entry in theme.STYLES if any(span.entry == entry for span in data.spans)]
    across = base.titled(f"{data.unit.name} since {_begin(data)}", showgrid=False)
    across["range"] = [0, (data.end - data.start) / data.unit.seconds]
    layout = {
        "annotations": [_lane_name(name, lane) for lane, name in enumerate(data.lanes)],
        "bargap": 0.56,
        "barmode": "overlay",
        "margin": {"b": 46, "l": 10, "r": 14, "t": 4},
        "shapes": [_line(data, when) for when, _ in data.failures],
        "xaxis": across,
        "yaxis": base.bare(range=[len(data.lanes) - 0.55, -0.72]),
    }
    return base.sheet([_bars(data, entry) for entry in entries], 64 + LANE * len(data.lanes), layout)


def _begin(data: StripData) -> str:
    return f"{format_duration(round(data.start), 3)} into the run" if data.start >= 1 else "the start"


def _bars(data: StripData, entry: str) -> go.Bar:
    spans = [span for span in data.spans if span.entry == entry]
    unit = data.unit.seconds
    return go.Bar(
        base=base.rounded([(span.start - data.start) / unit for span in spans], 7),
        customdata=[
            [base.text(span.detail), format_duration(max(span.end - span.start, 1e-3), 2)] for span in spans
        ],
        hovertemplate=entry + " %{customdata[0]}<br>%{customdata[1]}<extra></extra>",
        marker={"color": theme.STYLES[entry].colour.light, "line": {"width": 0}},
        orientation="h",
        x=base.rounded([(span.end - span.start) / unit for span in spans], 6),
        y=[span.lane for span in spans],
    )


def _line(data: StripData, when: float) -> dict[str, object]:
    place = (when - data.start) / data.unit.seconds
    line = {"color": theme.MUTED.light, "dash": "dot", "width": 1}
    ends = {"x0": place, "x1": place, "y0": 0, "y1": 1}
    return {"layer": "below", "line": line, "type": "line", "yref": "paper", **ends}


def _lane_name(name: str, lane: int) -> dict[str, object]:
    font = {"color": theme.MUTED.light, "size": 11}
    place = {"xref": "paper", "xanchor": "left", "yanchor": "bottom", "yshift": 7}
    return base.note(base.text(name, 30), 0, lane, font=font, bgcolor=theme.PAPER.light, **place)
