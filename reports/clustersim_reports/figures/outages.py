"""How long an outage lasts: from the failure that stops training until the job trains again."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import plotly.graph_objects as go

from clustersim.digits import duration
from clustersim.units import format_duration
from clustersim_reports import theme
from clustersim_reports.figures import base

if TYPE_CHECKING:
    from clustersim.results import Results

BINS_PER_DECADE = 12
TICKS = tuple(
    number * unit
    for unit, numbers in (
        (1e-3, (1, 2, 5, 10, 20, 50, 100, 200, 500)),
        (1.0, (1, 2, 5, 10, 20, 30)),
        (60.0, (1, 2, 5, 10, 20, 30)),
        (3600.0, (1, 2, 5, 10)),
        (86_400.0, (1, 2, 5, 10, 20, 50, 100, 200)),
    )
    for number in numbers
)
MOST_TICKS = 6
CUT_SHORT = 0.003
"""Share of the outages that may lie below the axis, in its first bin: the end of a run cuts one short."""


class OutagesData(NamedTuple):
    """The outages of all replications: the edges of their bins (s), counts, and their percentiles (s).

    They are those of single `replicas`, or of the whole job.
    """

    name: str
    edges: tuple[float, ...]
    counts: tuple[int, ...]
    total: int
    p10: float
    p50: float
    p90: float
    replicas: bool = False


def outages_data(result: Results) -> OutagesData | None:
    """Return the outages of *result*, or None where there was none (or the run holds no incidents).

    An outage is the time down of an interruption and of the incidents that begin its chain again before the
    next interruption, of the job or of the same replica.
    """
    incidents = result.incidents
    if incidents is None or incidents.empty or "down_s" not in incidents:
        return None
    job = incidents[incidents["doing"] != "idle"].sort_values(["replication", "time_s"], kind="stable")
    stops = job["interruption"].astype(bool)
    whose = [job["replication"], job["replica"]]
    chains = job["down_s"].groupby([*whose, stops.groupby(whose).cumsum()]).sum()
    lengths = chains[chains.index.get_level_values(2) > 0].to_numpy(float)
    lengths = lengths[lengths > 0]
    if not len(lengths):
        return None
    edges = _edges(float(np.quantile(lengths, CUT_SHORT)), float(lengths.max()))
    counts, _ = np.histogram(np.clip(lengths, edges[0], edges[-1]), bins=np.array(edges))
    p10, p50, p90 = (float(value) for value in np.percentile(lengths, [10, 50, 90]))
    found = tuple(int(count) for count in counts)
    several = "replicas" in result.summary
    return OutagesData(result.scenario.name, edges, found, len(lengths), p10, p50, p90, several)


def _edges(least: float, most: float) -> tuple[float, ...]:
    """Return the edges of equal bins on a log axis around *least* to *most* (s), half a decade or more."""
    low = math.floor(math.log10(least) * BINS_PER_DECADE - 1e-9)
    high = math.ceil(math.log10(most) * BINS_PER_DECADE + 1e-9)
    pad = max(0, BINS_PER_DECADE // 2 - (high - low)) // 2 + 1
    return tuple(10.0 ** (place / BINS_PER_DECADE) for place in range(low - pad, high + pad + 1))


def outages_table(data: OutagesData) -> base.Table:
    """Return one row per bin."""
    rows = zip(base.rounded(data.edges[:-1]), base.rounded(data.edges[1:]), data.counts, strict=True)
    return base.Table(("scenario", "from_s", "to_s", "outages"), tuple((data.name, *row) for row in rows))


def outages_figure(data: OutagesData) -> go.Figure:
    """Return the histogram on a log axis of time, with the median marked."""
    low, high = math.log10(data.edges[0]), math.log10(data.edges[-1])
    ticks = _ticks(low, high)
    shares = [100 * count / data.total for count in data.counts]
    across = base.titled(
        "from the failure until it can train again"
        if data.replicas
        else "from the failure to training again",
        range=[low, high],
        showgrid=False,
    )
    layout = {
        "annotations": [_median(data, (low + high) / 2)],
        "bargap": 0,
        "margin": {"b": 46, "l": 8, "r": 14, "t": 26},
        "shapes": [_line(math.log10(data.p50))],
        "xaxis": across | {"tickvals": ticks, "ticktext": [format_duration(10**tick, 1) for tick in ticks]},
        "yaxis": base.axis(rangemode="tozero", ticksuffix=" %", nticks=5),
    }
    return base.sheet([_bars(data, shares)], 270, layout)


def _bars(data: OutagesData, shares: list[float]) -> go.Bar:
    edges = [math.log10(edge) for edge in data.edges]
    spans = [
        [duration(low), duration(high), count]
        for low, high, count in zip(data.edges, data.edges[1:], data.counts, strict=False)
    ]
    return go.Bar(
        customdata=spans,
        hovertemplate="%{customdata[0]} to %{customdata[1]}<br>%{customdata[2]} outages<extra></extra>",
        marker={
            "color": theme.STYLES["recovery"].colour.light,
            "line": {"color": theme.PAPER.light, "width": 1},
        },
        width=[high - low for low, high in itertools.pairwise(edges)],
        x=base.rounded([(low + high) / 2 for low, high in itertools.pairwise(edges)], 7),
        y=base.rounded(shares),
    )


def _line(place: float) -> dict[str, object]:
    line = {"color": theme.INK.light, "dash": "dot", "width": 1.5}
    return {"type": "line", "x0": place, "x1": place, "y0": 0, "y1": 1, "yref": "paper", "line": line}


def _ticks(low: float, high: float) -> list[float]:
    """Return the round durations between the two ends of a log axis, as many as have room."""
    ticks: list[float] = []
    for place in map(math.log10, TICKS):
        if low <= place <= high and (not ticks or place - ticks[-1] > (high - low) / MOST_TICKS):
            ticks.append(place)
    return ticks


def _median(data: OutagesData, middle: float) -> dict[str, object]:
    place = math.log10(data.p50)
    side = "right" if place > middle else "left"
    return base.note(f"median {duration(data.p50)}", place, 1, yref="paper", yanchor="bottom", xanchor=side)
