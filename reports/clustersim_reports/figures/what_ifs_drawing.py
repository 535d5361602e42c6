"""What else moves the best interval, drawn: the ETTR above, the best interval with its flat range below."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import plotly.graph_objects as go

from clustersim.digits import duration, measured
from clustersim_reports import theme
from clustersim_reports.figures import base
from clustersim_reports.figures.scales import count_axis, duration_axis, share_of
from clustersim_reports.figures.size_labels import with_room
from clustersim_reports.figures.what_ifs import WhatIfData, WhatIfPoint

HEIGHT, LOWER, UPPER = 500, 0.40, 0.54
WIDTH, NARROW_WIDTH = 0.075, 0.2
SPREAD, ROOM = 1.7, 2.6
BLUE, GREEN = theme.STYLES["productive"].colour.light, theme.STYLES["checkpoint"].colour.light
RED = theme.STYLES["lost"].colour.light


class Frame(NamedTuple):
    """The ends of the axis across, and of that of the intervals (s)."""

    left: float
    right: float
    shortest: float
    longest: float


def what_if_figure(data: WhatIfData, title: str) -> go.Figure:
    """Return both panels over one axis, which is called *title*."""
    frame = _frame(data)
    across = _across(data, frame, title)
    layout: dict[str, Any] = {
        "annotations": [
            base.corner("ETTR at the best interval", 1.0),
            base.corner("best interval, with its flat range", LOWER),
            *_labels(data, frame),
            *_now_label(data, frame),
        ],
        "margin": {"b": 52, "l": 8, "r": 14, "t": 30},
        "shapes": _now(data),
        "xaxis": across | {"anchor": "y2"},
        "yaxis": base.axis(
            range=[-0.04 * _highest(data), 1.22 * _highest(data)], domain=[UPPER, 1], nticks=6
        ),
        "yaxis2": duration_axis(frame.shortest, frame.longest, 5, domain=[0, LOWER]),
    }
    return base.sheet([_ettr(data), *_stuck(data), *_ranges(data), _best(data)], HEIGHT, layout)


def _places(data: WhatIfData) -> list[float]:
    """Return where each value stands across: at its number, or one after the other."""
    if data.measured:
        return [point.number or 0.0 for point in data.points]
    return [10.0**order for order in range(len(data.points))]


def _frame(data: WhatIfData) -> Frame:
    places = _places(data)
    if data.measured and data.now:
        places.append(data.now)
    ends = [end for point in _moving(data) for end in (point.best_s, point.low_s, point.high_s) if end]
    margin = max(SPREAD, (max(places) / min(places)) ** 0.12)
    low, high = min(ends, default=1.0), max(ends, default=60.0)
    return Frame(min(places) / margin, max(places) * margin, low / ROOM, high * ROOM)


def _moving(data: WhatIfData) -> list[WhatIfPoint]:
    """Return the points that have a best interval: those that make progress."""
    return [point for point in data.points if point.best_s is not None and not point.stuck]


def _highest(data: WhatIfData) -> float:
    return max((point.high or point.ettr or 0.0 for point in data.points), default=0.0) or 1.0


def _across(data: WhatIfData, frame: Frame, title: str) -> dict[str, Any]:
    named = {"title": base.titled(title)["title"]}
    if not data.measured:
        ends = [math.log10(frame.left), math.log10(frame.right)]
        words = [base.text(point.value, 16) for point in data.points]
        return base.axis(range=ends, type="log", tickvals=_places(data), ticktext=words) | named
    if data.lasts:
        return duration_axis(frame.left, frame.right, 6) | named
    return count_axis(frame.left, frame.right) | named


def _place_of(data: WhatIfData, point: WhatIfPoint) -> float:
    return _places(data)[data.points.index(point)]


def _ettr(data: WhatIfData) -> go.Scatter:
    points = [point for point in data.points if point.ettr is not None]
    ends = [point.high is not None and point.low is not None for point in points]
    return go.Scatter(
        customdata=[[base.text(point.value), _said(point)] for point in points],
        error_y={
            "array": [
                (point.high or 0) - (point.ettr or 0) if known else 0
                for point, known in zip(points, ends, strict=True)
            ],
            "arrayminus": [
                (point.ettr or 0) - (point.low or 0) if known else 0
                for point, known in zip(points, ends, strict=True)
            ],
            "color": theme.INK.light,
            "symmetric": False,
            "thickness": 1.5,
            "type": "data",
            "width": 5,
        },
        hovertemplate="%{customdata[0]}<br>ETTR %{customdata[1]}<extra></extra>",
        line={"color": BLUE, "width": 2.5},
        marker={
            "color": BLUE,
            "line": {"color": theme.PAPER.light, "width": 2},
            "opacity": 1,
            "size": [0 if point.stuck else 12 for point in points],
        },
        mode="lines+markers" if data.measured else "markers",
        x=[_place_of(data, point) for point in points],
        y=base.rounded([point.ettr or 0.0 for point in points]),
    )


def _said(point: WhatIfPoint) -> str:
    width = None if point.high is None or point.ettr is None else max(point.high - point.ettr, 1e-9)
    return "no progress" if point.stuck else measured(point.ettr, width)


def _stuck(data: WhatIfData) -> list[go.Scatter]:
    """Values at which the job makes no progress, as crosses."""
    points = [point for point in data.points if point.stuck]
    marker = {"color": RED, "line": {"color": RED, "width": 2.5}, "size": 13, "symbol": "x-thin"}
    there = [_place_of(data, point) for point in points]
    drawn = {"hoverinfo": "skip", "marker": marker, "mode": "markers", "x": there}
    return [go.Scatter(y=[point.ettr for point in points], **drawn)] if points else []


def _ranges(data: WhatIfData) -> list[go.Scatter]:
    line = {"color": GREEN, "width": 7}
    return [
        go.Scatter(
            hoverinfo="skip",
            line=line,
            mode="lines",
            x=[_place_of(data, point)] * 2,
            y=base.rounded([point.low_s, point.high_s]),
            yaxis="y2",
        )
        for point in _moving(data)
        if point.low_s is not None and point.high_s is not None
    ]


def _best(data: WhatIfData) -> go.Scatter:
    points = _moving(data)
    return go.Scatter(
        customdata=[[base.text(point.value), duration(point.best_s)] for point in points],
        hovertemplate="%{customdata[0]}<br>best: %{customdata[1]}<extra></extra>",
        line={"color": BLUE, "dash": "dot", "width": 1.5},
        marker={"color": BLUE, "line": {"color": theme.PAPER.light, "width": 1.5}, "size": 11},
        mode="lines+markers" if data.measured else "markers",
        x=[_place_of(data, point) for point in points],
        y=base.rounded([point.best_s or 0.0 for point in points]),
        yaxis="y2",
    )


def _labels(data: WhatIfData, frame: Frame) -> list[dict[str, Any]]:
    """Return the numbers at the dots: all that have room, on a narrow page fewer."""
    places = [(share_of(place, frame.left, frame.right), 0.0) for place in _places(data)]
    wide, narrow = with_room(places, WIDTH), with_room(places, NARROW_WIDTH)
    return [
        label | ({} if narrow[order] else {"name": base.WIDE})
        for order, point in enumerate(data.points)
        if wide[order]
        for label in _numbers(data, point)
    ]


def _numbers(data: WhatIfData, point: WhatIfPoint) -> list[dict[str, Any]]:
    if point.ettr is None:
        return []
    across = math.log10(_place_of(data, point))
    above = base.note(_said(point), across, point.ettr, yanchor="bottom", yshift=11)
    if point.stuck or point.best_s is None:
        return [above]
    top = math.log10(point.high_s or point.best_s)
    return [above, base.note(duration(point.best_s), across, top, yanchor="bottom", yref="y2", yshift=6)]


def _now(data: WhatIfData) -> list[dict[str, Any]]:
    """Return the line at the scenario's own value."""
    if not data.measured or not data.now:
        return []
    line = {"color": theme.MUTED.light, "dash": "dot", "width": 1}
    ends = {"x0": data.now, "x1": data.now, "y0": 0, "y1": 1, "yref": "paper"}
    return [{"layer": "below", "line": line, "type": "line"} | ends]


def _now_label(data: WhatIfData, frame: Frame) -> list[dict[str, Any]]:
    if not data.measured or not data.now:
        return []
    left = share_of(data.now, frame.left, frame.right) > 0.7
    font = {"color": theme.MUTED.light, "size": 12}
    where = {"xanchor": "right" if left else "left", "xshift": -5 if left else 5, "yref": "paper"}
    return [base.note("as it is", math.log10(data.now), 0, font=font, yanchor="bottom", **where)]
