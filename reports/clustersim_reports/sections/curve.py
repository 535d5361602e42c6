"""The checkpoint interval: ETTR against interval, where the formulas lie, and what the best one gains."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from clustersim.formatting import NOTHING, duration
from clustersim.units import format_duration
from clustersim_reports import drawing, study, theme
from clustersim_reports.blocks import Block, Cell, Data, Figure, Row, Section, Table, key
from clustersim_reports.drawing import BLUE, GREEN, INK, MUTED, ORANGE, PAPER, Json, Position
from clustersim_reports.run import estimate_text, share_ends

if TYPE_CHECKING:
    from clustersim.studies.tune import Candidate, Tuning

REACH = 40.0
"""How far the figure goes beyond the outermost marks, as a ratio of intervals."""
PLOT, LANE, GAP, FOOT = 300, 30, 28, 62
"""Pixels of the curve, of each lane below it, between them, and below the lowest lane."""
RIGHTMOST, LEFTMOST, SIDE = 0.6, 0.4, 0.3
"""Shares of the axis that decide on which side of a mark its label has room."""
INSIDE = 1.001
"""Ratio by which a range that goes on beyond the axis is held inside it: plotly hides what is outside."""
SIGNS = {
    "recommended": ("recommended", "circle", BLUE, 14, "a round value in the best range"),
    "now": ("today's", "diamond", ORANGE, 13, "as the scenario gives it"),
    "young": ("Young", "triangle-up", INK, 13, "√(2 × MTBF × time that a save stops training)"),
    "daly": ("Daly", "square", INK, 10, "Young's formula with terms of higher order"),
    "exact": ("exact optimum", "cross", INK, 11, "for random failures at a constant rate"),
}
"""What the marks are called, how they look and what they are, in the order in which they are shown."""


class Curve(NamedTuple):
    """The points that are shown, and the best range (s): what cannot be distinguished from the best interval.

    A job without progress has no best range.  `marks` are named intervals (s), each with the height of the
    curve there, and a lane of its own below the curve; the best range has the first lane.
    """

    points: Sequence[Candidate]
    marks: dict[str, Position]
    best: tuple[float, float] | None

    @property
    def span(self) -> Position:
        """The ends of the axis of intervals (s)."""
        return self.points[0].interval_s / 1.15, self.points[-1].interval_s * 1.15

    @property
    def lanes(self) -> dict[str, int]:
        """The lane of each mark."""
        return {name: lane for lane, name in enumerate(self.marks, self.best is not None)}


def section(tuning: Tuning) -> Section | None:
    """Return how the interval matters, or None where no interval was tried."""
    if not tuning.curve:
        return None
    blocks: list[Block] = [figure(tuning), _gains(tuning)]
    return Section("curve", "The curve", "ETTR by checkpoint interval", blocks[: 2 - tuning.no_progress])


def _gains(tuning: Tuning) -> Table:
    """Return what the recommended interval earns over each of the others."""
    scenario = tuning.scenario
    chosen = Cell(format_duration(tuning.recommended_s or 0.0, 3))
    empty = [Cell(NOTHING)] * len(study.columns(scenario))
    table = {"recommended": [chosen, *empty]}
    for gain in tuning.gains:
        cells = study.cells(gain.worth, gain.distinguishable)
        table[gain.over] = [Cell(duration(gain.interval_s, 0.0)), *cells]
    rows = [Row(Cell(name, about), table[over]) for over, (name, *_, about) in SIGNS.items() if over in table]
    columns = ["Interval", *study.columns(scenario)]
    return Table("Gain of the recommended interval over others", columns, rows, "Interval from", "measures")


def curve_of(tuning: Tuning) -> Curve:
    """Return what is drawn of *tuning*."""
    intervals = {name: getattr(tuning, f"{name}_s") for name in SIGNS}
    intervals["recommended"] = None if tuning.no_progress else tuning.recommended_s
    intervals = {name: interval for name, interval in intervals.items() if interval is not None}
    at, points = list(intervals.values()), tuning.curve
    means = [point.ettr.mean for point in points]
    heights = np.interp(np.log(at), np.log([point.interval_s for point in points]), means).tolist()
    marks = dict(zip(intervals, zip(at, heights, strict=True), strict=True))
    near = [point for point in points if min(at) / REACH <= point.interval_s <= max(at) * REACH]
    return Curve(near, marks, None if tuning.no_progress else tuning.range_s)


def label(name: str, interval: float) -> str:
    """Return what a mark is called, and its interval."""
    return f"{SIGNS[name][0]} {duration(interval, 0.0)}"


def figure(tuning: Tuning) -> Figure:
    """Return ETTR against the checkpoint interval, and a lane below it for the best range and each mark."""
    curve = curve_of(tuning)
    banded = tuning.curve[0].ettr.half_width is not None
    caption = "The job makes no progress at any interval; the vertical axis spans all card-time."
    spoken = [label(name, at) for name, (at, _) in curve.marks.items()]
    legend = [key("line", "mean ETTR"), *[key("band", "95 % interval of each mean")] * banded]
    if curve.best:
        caption = "Below the curve: the best range, the recommended interval, today's, and the formulas."
        paired = (
            " Intervals are compared on the same failures, in pairs: they may differ where bands overlap."
        )
        caption += paired if banded else ""
        spoken.insert(0, f"best range {duration(curve.best[0])} to {duration(curve.best[1])}")
        legend.append(key("flat", "best range: indistinguishable from the best at 95 %"))
    name = tuning.scenario.name
    rows = [(name, point.interval_s, *share_ends(point.ettr), point.told_apart) for point in tuning.curve]
    columns = ("scenario", "interval_s", "ettr", "low", "high", "distinguishable_from_best")
    title, data = "ETTR against the checkpoint interval", Data(columns, rows)
    return Figure("curve", title, caption, "; ".join(spoken), legend, _drawing(curve), data)


def _drawing(curve: Curve) -> Json:
    ends = [end for point in curve.points for end in share_ends(point.ettr) if end is not None]
    pad = max(0.06 * (max(ends) - min(ends)), 1e-4)
    span = [max(min(ends) - pad, 0.0), min(max(ends) + pad, 1.0)] if curve.best else [-0.03, 1.0]
    lanes = len(curve.marks) + (curve.best is not None)
    height = PLOT + GAP + LANE * lanes
    bar, ground, words = _best(curve)
    dotted = drawing.stroke(MUTED, 1, "dot")
    guides = [drawing.rule(dotted, (at, at), (0, 1), yref="paper") for at, _ in curve.marks.values()]
    return drawing.sheet(
        [*_curve(curve), *bar, *_signs(curve)],
        height + FOOT + 16,
        annotations=[drawing.corner("ETTR"), *words, *_names(curve)],
        margin={"b": FOOT - 12, "l": 8, "r": 12, "t": 28},
        shapes=[*ground, *guides],
        xaxis=drawing.duration_axis(*curve.span, anchor="y2", title="training between two saves"),
        yaxis=drawing.axis(range=span, domain=[(GAP + LANE * lanes) / height, 1], nticks=6),
        yaxis2=drawing.bare(range=[lanes - 0.5, -0.5], domain=[0, LANE * lanes / height]),
    )


def _curve(curve: Curve) -> list[Json]:
    """Return the curve, and below it the band of the intervals where they are known."""
    x = [point.interval_s for point in curve.points]
    means, lows, highs = zip(*(share_ends(point.ettr) for point in curve.points), strict=True)
    band = drawing.rounded([*x, *reversed(x)]), drawing.rounded([*highs, *reversed(lows)])
    look: Json = {"fill": "toself", "fillcolor": theme.BAND.light}
    return [
        *[drawing.line(*band, {"width": 0}, **look)] * (None not in lows),
        drawing.line(
            drawing.rounded(x),
            drawing.rounded(means),
            drawing.stroke(BLUE, 2.5),
            marker={"color": BLUE, "size": 4},
            hover="%{customdata[0]}<br>ETTR %{customdata[1]}",
            say=[(duration(point.interval_s), estimate_text(point.ettr)) for point in curve.points],
        ),
    ]


def _signs(curve: Curve) -> list[Json]:
    """Return each mark twice, on the curve and in its lane; the most important one on top."""
    traces = []
    for name, (at, ettr) in reversed(curve.marks.items()):
        _, symbol, colour, size, _ = SIGNS[name]
        look, hover = drawing.sign(colour, size, symbol, width=1.5), label(name, at)
        traces.append(drawing.dots([at], drawing.rounded([ettr]), look, hover=hover))
        traces.append(drawing.dots([at], [curve.lanes[name]], look, hover=hover, yaxis="y2"))
    return traces


def _best(curve: Curve) -> tuple[list[Json], list[Json], list[Json]]:
    """Return the best range as a bar in the first lane, as a ground behind the curve, and in words.

    The bar ends in an arrow where the range goes on beyond the figure.
    """
    if curve.best is None:
        return [], [], []
    left, right = curve.span
    low, high = (min(max(end, left * INSIDE), right / INSIDE) for end in curve.best)
    symbols = ["line-ns" if low == curve.best[0] else "triangle-left"]
    symbols += ["line-ns" if high == curve.best[1] else "triangle-right"]
    marker = {"color": GREEN, "line": {"color": GREEN, "width": 3}, "size": 12, "symbol": symbols}
    look: Json = {"marker": marker, "cliponaxis": False, "yaxis": "y2"}
    bar = drawing.line(drawing.rounded([low, high]), [0, 0], drawing.stroke(GREEN, 7), **look)
    area: Json = {"type": "rect", "fillcolor": theme.FLAT.light, "yref": "y domain"}
    ground = drawing.rule(drawing.stroke(GREEN, 1), (low, high), (0, 1), **area)
    side = drawing.anchor(drawing.share_of(math.sqrt(low * high), left, right), SIDE)
    words = f"best range {duration(curve.best[0])} to {duration(curve.best[1])}"
    return [bar], [ground], [_note(words, math.log10(low * high) / 2, 0, xanchor=side, yshift=8)]


def _names(curve: Curve) -> list[Json]:
    """Return the labels of the marks, all on one side of them where there is room for that."""
    shares = [drawing.share_of(at, *curve.span) for at, _ in curve.marks.values()]
    if max(shares) < RIGHTMOST or min(shares) > LEFTMOST:
        shares = [float(max(shares) >= RIGHTMOST)] * len(shares)
    notes = []
    for share, (name, (at, _)) in zip(shares, curve.marks.items(), strict=True):
        words = f"<b>{label(name, at)}</b>" if name == "recommended" else label(name, at)
        side = {"xanchor": "left", "xshift": 12} if share < 0.5 else {"xanchor": "right", "xshift": -12}
        notes.append(_note(words, math.log10(at), curve.lanes[name], yanchor="middle", **side))
    return notes


def _note(words: str, x: float, lane: int, **more: Any) -> Json:
    return drawing.note(words, x, lane, bgcolor=PAPER, borderpad=1, yref="y2", **more)
