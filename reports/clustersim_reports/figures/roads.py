"""Where the first-order estimator leaves the road: ETTR against cards, by three ways to know it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import plotly.graph_objects as go

from clustersim.digits import NOTHING, whole
from clustersim.validation.words import interval_text
from clustersim_reports import theme
from clustersim_reports.figures import base
from clustersim_reports.figures.scales import compact, count_axis

if TYPE_CHECKING:
    from clustersim.validation.estimator import Mark, Road

FLOOR, TOP, HEIGHT = -0.25, 1.0, 420
LEAST = 0.001
LOOKS = (("productive", "circle", "solid"), ("recovery", "diamond", "solid"))
"""Colour, sign and line of the first cluster and of the second."""


class RoadsData(NamedTuple):
    """One way to save, and a road for each cluster's rate of failure."""

    policy: str
    roads: tuple[Road, ...]


def roads_data(roads: Sequence[Road]) -> list[RoadsData]:
    """Return the roads by the way to save."""
    policies = dict.fromkeys(road.policy for road in roads)
    return [RoadsData(policy, tuple(road for road in roads if road.policy == policy)) for policy in policies]


def roads_table(data: RoadsData) -> base.Table:
    """Return one row per size that was simulated."""
    columns = ("cluster", "failures_per_1000_node_days", "cards", "mtbf_s", "interval_s")
    rows = tuple(
        (road.cluster, road.rate, int(mark.gpus), mark.mtbf_s, mark.interval_s, mark.estimator, mark.exact)
        + ((None,) * 3 if mark.simulated is None else _interval(mark))
        for road in data.roads
        for mark in road.marks
    )
    return base.Table((*columns, "estimator", "exact", "simulated", "low", "high"), rows)


def _interval(mark: Mark) -> tuple[float | None, float | None, float | None]:
    assert mark.simulated is not None
    return mark.simulated.mean, mark.simulated.low, mark.simulated.high


def roads_figure(data: RoadsData) -> go.Figure:
    """Return estimator (dashed), exact formula (line) and simulation (points) over the cards."""
    sizes = [mark.gpus for road in data.roads for mark in road.line]
    traces = [trace for order, road in enumerate(data.roads) for trace in _traces(road, order)]
    layout: dict[str, Any] = {
        "annotations": [
            base.corner("ETTR", 1.0),
            *_below(data, min(sizes)),
        ],
        "margin": {"b": 50, "l": 8, "r": 16, "t": 28},
        "shapes": [_ground(min(sizes), max(sizes))],
        "xaxis": count_axis(min(sizes) / 1.15, max(sizes) * 1.15) | {"title": base.titled("cards")["title"]},
        "yaxis": base.axis(range=[FLOOR, TOP], tickvals=[0, 0.2, 0.4, 0.6, 0.8, 1.0]),
    }
    return base.sheet(traces, HEIGHT, layout)


def _ground(left: float, right: float) -> dict[str, Any]:
    """Return the ground below zero, where no ETTR can be."""
    box = {"fillcolor": theme.GAP.light, "layer": "below", "line": {"width": 0}, "type": "rect"}
    return box | {"x0": left / 1.15, "x1": right * 1.15, "y0": FLOOR, "y1": 0}


def _traces(road: Road, order: int) -> list[go.Scatter]:
    entry, symbol, dash = LOOKS[order % len(LOOKS)]
    colour = theme.STYLES[entry].colour.light
    sizes = [mark.gpus for mark in road.line]
    common: dict[str, Any] = {"hoverinfo": "skip", "mode": "lines", "x": base.rounded(sizes)}
    return [
        go.Scatter(
            line={"color": colour, "dash": "dash", "width": 2}, y=_above(road.line, "estimator"), **common
        ),
        go.Scatter(line={"color": colour, "dash": dash, "width": 2}, y=_above(road.line, "exact"), **common),
        _simulated(road, colour, symbol),
    ]


def _above(line: Sequence[Mark], name: str) -> list[float | None]:
    """Return a curve, cut a little below the floor of the figure."""
    values = [getattr(mark, name) for mark in line]
    return [value if value > 2 * FLOOR else None for value in base.rounded(values) if value is not None]


def _simulated(road: Road, colour: str, symbol: str) -> go.Scatter:
    marks = [mark for mark in road.marks if mark.simulated is not None and mark.simulated.mean is not None]
    means = [mark.simulated.mean for mark in marks if mark.simulated is not None]
    return go.Scatter(
        customdata=[
            [f"{whole(mark.gpus)} cards", said(mark), f"{mark.exact:.3f}", f"{mark.estimator:.2f}"]
            for mark in marks
        ],
        error_y=_whiskers(marks),
        hovertemplate=f"{road.cluster}, %{{customdata[0]}}<br>simulated %{{customdata[1]}}"
        "<br>exact %{customdata[2]}<br>estimator %{customdata[3]}<extra></extra>",
        marker={
            "color": colour,
            "line": {"color": theme.PAPER.light, "width": 1.5},
            "size": 11,
            "symbol": symbol,
        },
        mode="markers",
        x=[mark.gpus for mark in marks],
        y=base.rounded([mean or 0.0 for mean in means]),
    )


def _whiskers(marks: Sequence[Mark]) -> dict[str, Any]:
    ends = [_interval(mark) for mark in marks]
    return {
        "array": [(high or 0) - (mean or 0) if high is not None else 0 for mean, _, high in ends],
        "arrayminus": [(mean or 0) - (low or 0) if low is not None else 0 for mean, low, _ in ends],
        "color": theme.INK.light,
        "symmetric": False,
        "thickness": 1.4,
        "type": "data",
        "width": 5,
    }


def said(mark: Mark) -> str:
    """Return the simulated ETTR of a mark with its interval."""
    simulated = mark.simulated
    if simulated is None:
        return NOTHING
    if simulated.high is not None and simulated.high < LEAST:
        return f"below {LEAST:g}"
    return interval_text(simulated, "share")


def _below(data: RoadsData, left: float) -> list[dict[str, Any]]:
    """Return where the estimators fall below zero, written on the ground there."""
    found = [(road.cluster, place) for road in data.roads if (place := crossing(road))]
    if not found:
        return []
    words = ", ".join(f"{compact(float(f'{place:.2g}'))} ({cluster})" for cluster, place in found)
    note = base.note(f"estimator below 0 from {words} cards on", math.log10(left), FLOOR / 2)
    return [note | {"name": base.WIDE, "xanchor": "left", "yanchor": "middle"}]


def crossing(road: Road) -> float | None:
    """Return the cards from which on the estimator is below zero, None where it never is."""
    return next((mark.gpus for mark in road.line if mark.estimator < 0), None)
