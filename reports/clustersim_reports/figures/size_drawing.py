"""Cards against effective cards, drawn: dots on log axes, the ideal beside them, the price of one below."""

from __future__ import annotations

import itertools
from typing import Any

import plotly.graph_objects as go

from clustersim.digits import percent, whole
from clustersim_reports import theme
from clustersim_reports.figures import base
from clustersim_reports.figures.scales import count_axis
from clustersim_reports.figures.size import Frame, SizeData
from clustersim_reports.figures.size_labels import labels, price_labels

COST_SHARE = 0.26


def size_figure(data: SizeData) -> go.Figure:
    """Return effective cards over cards on log axes, the ideal beside them, and the price of one below."""
    frame = data.frame
    traces = [_ideal(frame), *_falls(data), _line(data), _intervals(data), _stuck(data)]
    across = count_axis(frame.left, frame.right, anchor="y")
    named = across | {"title": base.titled("cards that are paid for")["title"]}
    bottom = COST_SHARE + 0.12 if data.priced else 0.0
    layout: dict[str, Any] = {
        "annotations": labels(data),
        "margin": {"b": 44, "l": 8, "r": 14, "t": 30},
        "xaxis": across if data.priced else named,
        "yaxis": count_axis(frame.floor, frame.top, domain=[bottom, 1]),
    }
    if not data.priced:
        return base.sheet(traces, 440, layout)
    prices = [point.price for point in data.points if point.price]
    layout["xaxis2"] = named | {"anchor": "y2"}
    layout["yaxis2"] = count_axis(min(prices) / 1.7, max(prices) * 2.6, domain=[0, COST_SHARE], anchor="x2")
    layout["annotations"] += price_labels(data, COST_SHARE)
    return base.sheet([*traces, _prices(data)], 580, layout)


def _ideal(frame: Frame) -> go.Scatter:
    ends = [max(frame.left, frame.floor), min(frame.right, frame.top)]
    line = {"color": theme.MUTED.light, "dash": "dash", "width": 1.2}
    return go.Scatter(x=ends, y=ends, mode="lines", line=line, hoverinfo="skip")


def _line(data: SizeData) -> go.Scatter:
    """The results as filled dots, joined where each has a size of its own."""
    points = [point for point in data.points if point.effective]
    colour = theme.STYLES["productive"].colour.light
    return go.Scatter(
        customdata=[
            [base.text(point.name), f"{point.said} of {whole(point.gpus)} cards", percent(point.ettr)]
            for point in points
        ],
        hovertemplate="%{customdata[0]}<br>%{customdata[1]}<br>ETTR %{customdata[2]}<extra></extra>",
        line={"color": colour, "width": 2.5},
        marker={"color": colour, "line": {"color": theme.PAPER.light, "width": 2}, "size": 13},
        mode="lines+markers" if data.one_each else "markers",
        x=[point.gpus for point in points],
        y=base.rounded([point.effective or 0.0 for point in points]),
    )


def _intervals(data: SizeData) -> go.Scatter:
    """The 95 % intervals as thin bars through the dots; mostly they hide inside them."""
    points = [p for p in data.points if p.effective and p.low is not None and p.high is not None]
    return go.Scatter(
        error_y={
            "array": [(point.high or 0) - (point.effective or 0) for point in points],
            "arrayminus": [(point.effective or 0) - (point.low or 0) for point in points],
            "color": theme.INK.light,
            "symmetric": False,
            "thickness": 1.5,
            "type": "data",
            "width": 5,
        },
        hoverinfo="skip",
        marker={"color": theme.INK.light, "size": 1},
        mode="markers",
        x=[point.gpus for point in points],
        y=[point.effective for point in points],
    )


def _stuck(data: SizeData) -> go.Scatter:
    """Jobs without progress, as crosses on the floor of a logarithmic axis that has no zero."""
    points = [point for point in data.points if point.effective is None]
    colour = theme.STYLES["lost"].colour.light
    return go.Scatter(
        customdata=[[base.text(point.name)] for point in points],
        hovertemplate="%{customdata[0]}<br>no progress<extra></extra>",
        marker={"color": colour, "line": {"color": colour, "width": 2.5}, "size": 13, "symbol": "x-thin"},
        mode="markers",
        x=[point.gpus for point in points],
        y=[data.height(point) for point in points],
    )


def _falls(data: SizeData) -> list[go.Scatter]:
    """The steps into or out of no progress, as dotted lines to the cross on the floor."""
    if not data.one_each:
        return []
    line = {"color": theme.STYLES["lost"].colour.light, "dash": "dot", "width": 1.5}
    return [
        go.Scatter(
            hoverinfo="skip",
            line=line,
            mode="lines",
            x=[one.gpus, two.gpus],
            y=[data.height(one), data.height(two)],
        )
        for one, two in itertools.pairwise(data.points)
        if one.effective is None or two.effective is None
    ]


def _prices(data: SizeData) -> go.Scatter:
    points = [point for point in data.points if point.price]
    colour = theme.STYLES["recovery"].colour.light
    return go.Scatter(
        hoverinfo="skip",
        line={"color": colour, "dash": "dot", "width": 2},
        marker={"color": colour, "size": 10, "symbol": "diamond"},
        mode="lines+markers" if data.one_each else "markers",
        x=[point.gpus for point in points],
        xaxis="x2",
        y=base.rounded([point.price or 0.0 for point in points]),
        yaxis="y2",
    )
