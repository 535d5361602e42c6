"""How sure the ETTR is: one dot per replication, and the 95 % interval of their mean."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import plotly.graph_objects as go

from clustersim.digits import plus_minus
from clustersim_reports import theme
from clustersim_reports.figures import base

if TYPE_CHECKING:
    from clustersim.results import Results

MOST_DOTS = 250
BINS = 44
DOT, TALLEST, FOOT = 14, 12, 40


class SpreadData(NamedTuple):
    """The ETTR of every replication, in order, and the mean with its interval (None from one replication)."""

    name: str
    values: tuple[float, ...]
    mean: float
    low: float | None
    high: float | None


def spread_data(result: Results) -> SpreadData:
    """Return the ETTRs of the replications of *result*."""
    ettr = result.summary["ettr"]
    values = tuple(float(value) for value in result.replications["ettr"])
    return SpreadData(result.scenario.name, values, ettr["mean"], ettr.get("low"), ettr.get("high"))


def spread_table(data: SpreadData) -> base.Table:
    """Return one row per replication."""
    rows = tuple((data.name, number, value) for number, value in enumerate(data.values))
    return base.Table(("scenario", "replication", "ettr"), rows)


def spread_figure(data: SpreadData) -> go.Figure:
    """Return the replications as stacked dots, bars where they are many, above the interval of the mean."""
    low, high = _range(data)
    counts, edges = np.histogram(data.values, bins=BINS, range=(low, high))
    tall = int(counts.max())
    rise = DOT if tall <= TALLEST else DOT * TALLEST / tall
    floor = FOOT / rise
    across = base.titled("ETTR", range=[low, high], showgrid=False, nticks=6)
    layout = {
        "annotations": [_label(data, floor)],
        "bargap": 0.1,
        "margin": {"b": 46, "l": 14, "r": 14, "t": 4},
        "xaxis": across,
        "yaxis": base.bare(range=[-floor, tall + 0.3]),
    }
    height = round((tall + 0.3) * rise + FOOT) + 50
    marks = _dots(data, edges) if len(data.values) <= MOST_DOTS else _bars(counts, edges)
    return base.sheet([marks, *_interval(data, floor)], height, layout)


def _range(data: SpreadData) -> tuple[float, float]:
    """Return the ends of the axis: around all replications, and wide enough that equal ones look equal."""
    low, high = min(data.values), max(data.values)
    pad = max((high - low) * 0.12, abs(data.mean) * 0.002, 1e-6)
    return low - pad, high + pad


def _dots(data: SpreadData, edges: np.ndarray[tuple[int], np.dtype[np.float64]]) -> go.Scatter:
    heights: dict[int, int] = {}
    places = []
    for value in data.values:
        column = min(max(int(np.searchsorted(edges, value, side="right")) - 1, 0), BINS - 1)
        heights[column] = heights.get(column, 0) + 1
        places.append((value, heights[column] - 0.5))
    return go.Scatter(
        customdata=[[number, f"{value:.4f}"] for number, value in enumerate(data.values)],
        hovertemplate="replication %{customdata[0]}<br>ETTR %{customdata[1]}<extra></extra>",
        marker={"color": theme.STYLES["productive"].colour.light, "size": 8 if len(places) <= 80 else 5},
        mode="markers",
        x=base.rounded([x for x, _ in places], 7),
        y=[y for _, y in places],
    )


def _bars(
    counts: np.ndarray[tuple[int], np.dtype[np.int_]], edges: np.ndarray[tuple[int], np.dtype[np.float64]]
) -> go.Bar:
    return go.Bar(
        hovertemplate="%{y} replications<extra></extra>",
        marker={"color": theme.STYLES["productive"].colour.light},
        x=base.rounded((edges[:-1] + edges[1:]) / 2, 7),
        y=[int(count) for count in counts],
    )


def _interval(data: SpreadData, floor: float) -> list[go.Scatter]:
    """The mean as a diamond and its 95 % interval as a thick line, below the dots."""
    y = -0.34 * floor
    diamond = {"color": theme.INK.light, "size": 10, "symbol": "diamond"}
    mean = go.Scatter(x=[data.mean], y=[y], mode="markers", marker=diamond, hoverinfo="skip")
    if data.low is None or data.high is None:
        return []
    line = {"color": theme.INK.light, "width": 4}
    ends = base.rounded([data.low, data.high], 7)
    return [go.Scatter(x=ends, y=[y, y], mode="lines", line=line, hoverinfo="skip"), mean]


def _label(data: SpreadData, floor: float) -> dict[str, object]:
    low, high = _range(data)
    width = None if data.low is None or data.high is None else (data.high - data.low) / 2
    side = (
        "right"
        if data.mean > low + 0.65 * (high - low)
        else "left"
        if data.mean < low + 0.35 * (high - low)
        else "center"
    )
    words = f"{'' if width is None else 'mean '}{plus_minus(data.mean, width)}"
    return base.note(words, data.mean, -0.5 * floor, xanchor=side, yanchor="top")
