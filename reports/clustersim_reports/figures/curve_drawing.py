"""ETTR against interval, drawn: the curve with its band, and a lane below it for each mark."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import plotly.graph_objects as go

from clustersim.digits import duration, plus_minus
from clustersim_reports import theme
from clustersim_reports.figures import base
from clustersim_reports.figures.curve import CurveData, CurvePoint, Mark
from clustersim_reports.figures.scales import duration_axis, share_of

PLOT, LANE, GAP, FOOT = 300, 30, 28, 62
RIGHTMOST, LEFTMOST, SIDE = 0.6, 0.4, 0.3
INSIDE = 1.001
BLUE, GREEN = theme.STYLES["productive"].colour.light, theme.STYLES["checkpoint"].colour.light
ORANGE, INK = theme.STYLES["recovery"].colour.light, theme.INK.light
SIGNS = {
    "recommended": ("circle", BLUE, 14),
    "now": ("diamond", ORANGE, 13),
    "young": ("triangle-up", INK, 13),
    "daly": ("square", INK, 10),
    "exact": ("cross", INK, 11),
}


class Frame(NamedTuple):
    """The ends of the interval axis (s) and of the ETTR axis, and the lanes below the curve."""

    left: float
    right: float
    floor: float
    top: float
    lanes: int

    @property
    def height(self) -> int:
        """Pixels from the foot of the last lane to the top of the curve's panel."""
        return PLOT + GAP + LANE * self.lanes

    @property
    def bottom(self) -> float:
        """Where the curve's panel begins, as a share of the height."""
        return (LANE * self.lanes + GAP) / self.height

    def lane(self, number: int) -> float:
        """Return the middle of a lane as a share of the height."""
        return LANE * (self.lanes - number - 0.5) / self.height

    def across(self, interval: float) -> float:
        """Return where *interval* (s) stands on its axis, as a share."""
        return share_of(interval, self.left, self.right)

    def up(self, ettr: float) -> float:
        """Return where *ettr* stands in the whole figure, as a share of its height."""
        return self.bottom + (1 - self.bottom) * (ettr - self.floor) / (self.top - self.floor)

    def held(self, interval: float) -> float:
        """Return *interval* (s), held a hair inside the ends of its axis: plotly hides what is outside."""
        return min(max(interval, self.left * INSIDE), self.right / INSIDE)


def curve_figure(data: CurveData) -> go.Figure:
    """Return the curve with its band above, and below it a lane for the flat range and for each mark."""
    frame = _frame(data)
    traces = [*_band(data.shown), _line(data.shown), *_flat_bar(data, frame), *_signs(data)]
    across = duration_axis(frame.left, frame.right, anchor="y2")
    layout: dict[str, Any] = {
        "annotations": [base.corner("ETTR", 1.0), *_flat_label(data, frame), *_names(data, frame)],
        "margin": {"b": FOOT - 12, "l": 8, "r": 12, "t": 28},
        "shapes": [*_flat_ground(data, frame), *_guides(data, frame)],
        "xaxis": across | {"title": base.titled("training between two saves")["title"]},
        "yaxis": base.axis(range=[frame.floor, frame.top], domain=[frame.bottom, 1], nticks=6),
        "yaxis2": base.bare(range=[frame.lanes - 0.5, -0.5], domain=[0, LANE * frame.lanes / frame.height]),
    }
    return base.sheet(traces, frame.height + FOOT + 16, layout)


def _lane(data: CurveData, order: int) -> int:
    """Return the lane of a mark; the flat range has the first."""
    return order + (data.flat is not None)


def _frame(data: CurveData) -> Frame:
    points = data.shown
    low = min(point.ettr if point.low is None else point.low for point in points)
    high = max(point.ettr if point.high is None else point.high for point in points)
    pad = 0.06 * (high - low)
    floor, top = (max(low - pad, 0.0), min(high + pad, 1.0)) if data.flat else (-0.03, 1.0)
    if top - floor < 1e-4:
        floor, top = max(floor - 0.05, 0.0), min(top + 0.05, 1.0)
    lanes = len(data.marks) + (data.flat is not None)
    return Frame(points[0].interval_s / 1.15, points[-1].interval_s * 1.15, floor, top, lanes)


def _band(points: tuple[CurvePoint, ...]) -> list[go.Scatter]:
    known = [point for point in points if point.low is not None and point.high is not None]
    if not known:
        return []
    there = [point.interval_s for point in known]
    edge = [point.high or 0.0 for point in known] + [point.low or 0.0 for point in reversed(known)]
    return [
        go.Scatter(
            fill="toself",
            fillcolor=theme.BAND.light,
            hoverinfo="skip",
            line={"width": 0},
            mode="lines",
            x=base.rounded([*there, *reversed(there)]),
            y=base.rounded(edge),
        )
    ]


def _line(points: tuple[CurvePoint, ...]) -> go.Scatter:
    said = [
        plus_minus(point.ettr, None if point.high is None else max(point.high - point.ettr, 1e-9))
        for point in points
    ]
    return go.Scatter(
        customdata=[[duration(point.interval_s), words] for point, words in zip(points, said, strict=True)],
        hovertemplate="%{customdata[0]}<br>ETTR %{customdata[1]}<extra></extra>",
        line={"color": BLUE, "width": 2.5},
        marker={"color": BLUE, "size": 4},
        mode="lines+markers",
        x=base.rounded([point.interval_s for point in points]),
        y=base.rounded([point.ettr for point in points]),
    )


def _signs(data: CurveData) -> list[go.Scatter]:
    """Each mark twice, on the curve and in its lane; the one that matters most on top."""
    return [
        sign for order in reversed(range(len(data.marks))) for sign in _sign(data.marks[order], data, order)
    ]


def _sign(mark: Mark, data: CurveData, order: int) -> list[go.Scatter]:
    symbol, colour, size = SIGNS[mark.name]
    common: dict[str, Any] = {
        "hovertemplate": f"{mark.label}: {duration(mark.interval_s, 0.0)}<extra></extra>",
        "marker": {
            "color": colour,
            "line": {"color": theme.PAPER.light, "width": 1.5},
            "size": size,
            "symbol": symbol,
        },
        "mode": "markers",
        "x": [mark.interval_s],
    }
    return [
        go.Scatter(y=base.rounded([mark.ettr]), **common),
        go.Scatter(y=[_lane(data, order)], yaxis="y2", **common),
    ]


def _flat_bar(data: CurveData, frame: Frame) -> list[go.Scatter]:
    """The flat range as a bar in the first lane, with an arrow where it goes on beyond the figure."""
    if data.flat is None:
        return []
    ends = [frame.held(end) for end in data.flat]
    beyond = [end != held for end, held in zip(data.flat, ends, strict=True)]
    symbols = ["triangle-left" if beyond[0] else "line-ns", "triangle-right" if beyond[1] else "line-ns"]
    marker = {"color": GREEN, "line": {"color": GREEN, "width": 3}, "size": 12, "symbol": symbols}
    return [
        go.Scatter(
            cliponaxis=False,
            hoverinfo="skip",
            line={"color": GREEN, "width": 7},
            marker=marker,
            mode="lines+markers",
            x=base.rounded(ends),
            y=[0, 0],
            yaxis="y2",
        )
    ]


def _flat_ground(data: CurveData, frame: Frame) -> list[dict[str, Any]]:
    if data.flat is None:
        return []
    low, high = (frame.held(end) for end in data.flat)
    edge = {"color": GREEN, "width": 1}
    box = {"fillcolor": theme.FLAT.light, "layer": "below", "line": edge, "type": "rect"}
    return [box | {"x0": low, "x1": high, "y0": frame.bottom, "y1": 1, "yref": "paper"}]


def _guides(data: CurveData, frame: Frame) -> list[dict[str, Any]]:
    """The dotted lines from the lanes up to the curve."""
    line = {"color": theme.MUTED.light, "dash": "dot", "width": 1}
    return [
        {"layer": "below", "line": line, "type": "line", "x0": mark.interval_s, "x1": mark.interval_s}
        | {"y0": frame.lane(_lane(data, order)), "y1": frame.up(mark.ettr), "yref": "paper"}
        for order, mark in enumerate(data.marks)
    ]


def _names(data: CurveData, frame: Frame) -> list[dict[str, Any]]:
    """Return the labels of the marks, all on one side of them where there is room for that."""
    shares = [frame.across(mark.interval_s) for mark in data.marks]
    if max(shares) < RIGHTMOST:
        shares = [0.0] * len(shares)
    elif min(shares) > LEFTMOST:
        shares = [1.0] * len(shares)
    return [
        _beside(
            shares[order],
            math.log10(mark.interval_s),
            _lane(data, order),
            _label(mark),
        )
        for order, mark in enumerate(data.marks)
    ]


def _label(mark: Mark) -> str:
    words = f"{mark.label} {duration(mark.interval_s, 0.0)}"
    return f"<b>{words}</b>" if mark.name == "recommended" else words


def _flat_label(data: CurveData, frame: Frame) -> list[dict[str, Any]]:
    if data.flat is None:
        return []
    low, high = data.flat
    middle = math.sqrt(frame.held(low) * frame.held(high))
    share = frame.across(middle)
    side = "left" if share < SIDE else "right" if share > 1 - SIDE else "center"
    words = f"flat from {duration(low)} to {duration(high)}"
    where = {"xanchor": side, "yanchor": "bottom", "yref": "y2", "yshift": 8}
    return [base.note(words, math.log10(middle), 0, bgcolor=theme.PAPER.light, borderpad=1, **where)]


def _beside(share: float, across: float, lane: int, words: str) -> dict[str, Any]:
    """Return words right of a place in a lane, or left of it where the place is far to the right."""
    right = share < 0.5
    return base.note(
        words,
        across,
        lane,
        bgcolor=theme.PAPER.light,
        borderpad=1,
        xanchor="left" if right else "right",
        xshift=12 if right else -12,
        yanchor="middle",
        yref="y2",
    )
