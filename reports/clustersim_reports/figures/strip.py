"""A few hours of one replication in lanes: one per activity of the job, one per replica that was down."""

from __future__ import annotations

import itertools
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

import plotly.graph_objects as go

from clustersim.units import format_duration
from clustersim_reports import theme
from clustersim_reports.figures import base
from clustersim_reports.figures.throughput import TimeUnit, time_unit

if TYPE_CHECKING:
    from pandas import DataFrame

    from clustersim.results import Results

MOST_SPANS = 900
MOST_REPLICAS = 10
LANE = 34
THICK = 0.44
JOB = -1
CHAIN = frozenset({"detection", "recovery", "waiting"})


class Span(NamedTuple):
    """One uninterrupted activity: its lane, its ledger entry, and when it began and ended (s).

    `replica` is the number of the replica that did it, -1 for the job or the replicas that train together.
    """

    lane: int
    entry: str
    detail: str
    start: float
    end: float
    replica: int = JOB


class StripData(NamedTuple):
    """The lanes from the top, the activities in them, and the instants of the failures with their causes.

    The last `replicas` lanes are those of replicas, `left_out` of which have none.
    """

    name: str
    unit: TimeUnit
    start: float
    end: float
    lanes: tuple[str, ...]
    spans: tuple[Span, ...]
    failures: tuple[tuple[float, str], ...]
    cut: bool
    replicas: int = 0
    left_out: int = 0

    @property
    def entries(self) -> tuple[str, ...]:
        """The ledger entries in the lanes of replicas, in the ledger's order."""
        used = {span.entry for span in self.spans if span.replica != JOB}
        return tuple(entry for entry in theme.STYLES if entry in used)


def strip_data(result: Results) -> StripData | None:
    """Return the window that the run recorded of replication 0, or None where it holds none."""
    strip = result.strip
    if strip is None or strip.empty:
        return None
    rows = sorted(_rows(strip), key=lambda span: span.start)
    kept = _until_full(rows)
    down = _down(kept)
    shown = sorted(sorted(down, key=lambda replica: (-down[replica], replica))[:MOST_REPLICAS])
    job = _lanes([span for span in kept if span.replica == JOB])
    places = {replica: len(job) + place for place, replica in enumerate(shown)}
    spans = tuple(
        span._replace(lane=job.index(_lane(span)) if span.replica == JOB else places[span.replica])
        for span in kept
        if span.replica in (JOB, *shown)
    )
    end = max(span.end for span in kept)
    return StripData(
        name=result.scenario.name,
        unit=time_unit(end - kept[0].start),
        start=kept[0].start,
        end=end,
        lanes=(*job, *(f"replica {replica}" for replica in shown)),
        spans=spans,
        failures=_failures(kept),
        cut=len(rows) > len(kept),
        replicas=len(shown),
        left_out=len(down) - len(shown),
    )


def _rows(strip: DataFrame) -> list[Span]:
    """Return the rows of the table as spans that have no lane yet."""
    columns = (
        strip["activity"].astype(str),
        strip["detail"].fillna("").astype(str),
        strip["start_s"].astype(float),
        strip["end_s"].astype(float),
        strip["lane"].astype(int),
    )
    return [Span(0, *row) for row in zip(*columns, strict=True)]


def _lane(span: Span) -> str:
    """Return the name of the lane of an activity of the job: recovery has one per stage."""
    return span.detail if span.entry == "recovery" and span.detail else span.entry


def _until_full(spans: list[Span]) -> list[Span]:
    """Return the first *spans*, as many as are drawn, none of which goes on beyond the first that is not."""
    if len(spans) <= MOST_SPANS:
        return spans
    end = spans[MOST_SPANS].start
    return [span._replace(end=min(span.end, end)) for span in spans[:MOST_SPANS]]


def _down(spans: list[Span]) -> Counter[int]:
    """Return how long each replica was down, in milliseconds."""
    down = Counter[int]()
    for span in spans:
        if span.replica != JOB:
            down[span.replica] += round(1000 * (span.end - span.start))
    return down


def _lanes(spans: list[Span]) -> tuple[str, ...]:
    """Return the job's lanes in use: in the ledger's order, stages in the order in which they occur."""
    order = {entry: place for place, entry in enumerate(theme.STYLES)}
    seen = {_lane(span): order[span.entry] for span in reversed(spans)}
    first = {_lane(span): place for place, span in reversed(list(enumerate(spans)))}
    return tuple(sorted(seen, key=lambda lane: (seen[lane], first[lane])))


def _failures(spans: list[Span]) -> tuple[tuple[float, str], ...]:
    """Return when a failure ended training, of the job or of a replica, and the mode that did it."""
    found: dict[float, str] = {}
    for replica in {span.replica for span in spans}:
        own = [span for span in spans if span.replica == replica]
        if replica != JOB and own[0].start > spans[0].start:
            own = [Span(0, "productive", "", 0.0, own[0].start, replica), *own]
        for before, now in itertools.pairwise(own):
            apart = replica != JOB and now.start > before.end
            if now.entry in CHAIN and (before.entry not in CHAIN or apart):
                cause = before.detail if before.entry not in CHAIN else ""
                found.setdefault(now.start, cause or (now.detail if now.entry != "recovery" else ""))
    return tuple(sorted(found.items()))


def strip_table(data: StripData) -> base.Table:
    """Return one row per activity; its replica is empty for the job."""
    rows = tuple(
        (
            data.name,
            round(span.start, 3),
            round(span.end, 3),
            span.entry,
            span.detail,
            None if span.replica == JOB else span.replica,
        )
        for span in data.spans
    )
    return base.Table(("scenario", "start_s", "end_s", "activity", "detail", "replica"), rows)


def strip_figure(data: StripData) -> go.Figure:
    """Return one lane per activity of the job and one per replica that was down; failures dotted.

    What a lane of the job shows is its name; bars in the lanes of replicas are hatched as in the ledger.
    """
    job = [span for span in data.spans if span.replica == JOB]
    others = [span for span in data.spans if span.replica != JOB]
    across = base.titled(f"{data.unit.name} since {_begin(data)}", showgrid=False)
    across["range"] = [0, (data.end - data.start) / data.unit.seconds]
    layout = {
        "annotations": [_lane_name(name, lane) for lane, name in enumerate(data.lanes)],
        "barmode": "overlay",
        "margin": {"b": 46, "l": 10, "r": 14, "t": 4},
        "shapes": [_line(data, when) for when, _ in data.failures],
        "xaxis": across,
        "yaxis": base.bare(range=[len(data.lanes) - 0.55, -0.72]),
    }
    bars = [_bars(data, spans, entry) for spans in (job, others) for entry in _used(spans)]
    return base.sheet(bars, 64 + LANE * len(data.lanes), layout)


def _used(spans: list[Span]) -> list[str]:
    return [entry for entry in theme.STYLES if any(span.entry == entry for span in spans)]


def _begin(data: StripData) -> str:
    return f"{format_duration(round(data.start), 3)} into the run" if data.start >= 1 else "the start"


def _bars(data: StripData, among: list[Span], entry: str) -> go.Bar:
    spans = [span for span in among if span.entry == entry]
    unit = data.unit.seconds
    plain = {"color": theme.STYLES[entry].colour.light}
    marker = plain if spans[0].replica == JOB else base.hatched(entry)
    return go.Bar(
        base=base.rounded([(span.start - data.start) / unit for span in spans], 7),
        customdata=[
            [base.text(span.detail), format_duration(max(span.end - span.start, 1e-3), 2)] for span in spans
        ],
        hovertemplate=entry + " %{customdata[0]}<br>%{customdata[1]}<extra></extra>",
        marker=marker | {"line": {"width": 0}},
        orientation="h",
        width=THICK,
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
    place = {"xref": "paper", "xanchor": "left", "yanchor": "bottom", "yshift": 9}
    return base.note(base.text(name, 30), 0, lane, font=font, bgcolor=theme.PAPER.light, **place)
