"""How often to save: ETTR by checkpoint interval, what the best one gains, and what else moves it."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence

import numpy as np

from clustersim.estimate import in_words
from clustersim.formatting import NOTHING, duration
from clustersim.studies.tune import Candidate, Tuning
from clustersim.units import format_duration
from clustersim_reports import blocks, drawing, theme
from clustersim_reports.blocks import Cell, Data, Figure, Section, Table, key, row
from clustersim_reports.drawing import BLUE, GREEN, INK, ORANGE, PAPER, Plot, Position
from clustersim_reports.run import interval
from clustersim_reports.sections.sweep import values_changed

REACH = 40.0
"""How far the figure goes beyond the outermost marks, as a ratio of intervals."""
PLOT, LANE, GAP, FOOT = 300, 30, 28, 62
"""Pixels of the curve, of each lane below it, between them, and below the lowest lane."""
RIGHTMOST, LEFTMOST, SIDE = 0.6, 0.4, 0.3
"""Shares of the axis that decide on which side of a mark its label has room."""
BELOW = "Below the curve: the best range, the recommended interval, today's, and the formulas."
PAIRED = "All intervals meet the same failures: two may be distinguishable although their bands overlap."
STUCK = "The job makes no progress at any interval; the vertical axis spans all card-time."
NOTE = {"bgcolor": PAPER, "borderpad": 1, "yref": "y2"}
INSIDE = 1.001
"""Ratio by which a range that goes on beyond the axis is held inside it: plotly hides what is outside."""
MARKS = {
    "recommended": ("recommended", "circle", BLUE, 14, "a round value in the best range"),
    "now": ("today's", "diamond", ORANGE, 13, "as the scenario gives it"),
    "young": ("Young", "triangle-up", INK, 13, "√(2 × MTBF × time that a save stops training)"),
    "daly": ("Daly", "square", INK, 10, "Young's formula with terms of higher order"),
    "exact": ("exact optimum", "cross", INK, 11, "for random failures at a constant rate"),
}
"""What the marks are called, how they look and what they are, in the order in which they are shown."""


def curve(tuning: Tuning) -> Section:
    """Return how the interval matters; nothing where no interval was tried."""
    table = _gains(tuning) if tuning.gains and not tuning.no_progress else None
    parts = [curve_figure(tuning), table] if tuning.curve else []
    return Section("curve", "ETTR by checkpoint interval", parts, "The curve")


def _gains(tuning: Tuning) -> Table:
    """Return what the recommended interval earns over each of the others."""
    headings = list(tuning.gains[0].worth.row(True))
    cells: dict[str, list[blocks.Content]] = {
        gain.over: [duration(gain.interval_s, 0.0)] for gain in tuning.gains
    }
    for gain in tuning.gains:
        cells[gain.over] += gain.worth.row(gain.distinguishable).values()
    cells["recommended"] = [format_duration(tuning.recommended_s or 0.0, 3), *[NOTHING] * len(headings)]
    rows = [
        row(Cell(name, about), *cells[over]) for over, (name, *_, about) in MARKS.items() if over in cells
    ]
    columns = ["Interval", *headings]
    return Table("Gain of the recommended interval over others", columns, rows, "Interval from", "measures")


def marks_of(tuning: Tuning) -> dict[str, Position]:
    """Return the named intervals (s), each with the height of the curve there."""
    intervals = {name: getattr(tuning, f"{name}_s") for name in MARKS}
    intervals["recommended"] = None if tuning.no_progress else tuning.recommended_s
    known = {name: at for name, at in intervals.items() if at is not None}
    lengths, means = zip(*((point.interval_s, point.ettr.mean) for point in tuning.curve), strict=True)
    heights = np.interp(np.log([*known.values()]), np.log(lengths), means).tolist()
    return dict(zip(known, zip(known.values(), heights, strict=True), strict=True))


def mark_label(name: str, at: float) -> str:
    """Return what a mark is called, and its interval."""
    return f"{MARKS[name][0]} {duration(at, 0.0)}"


def curve_figure(tuning: Tuning) -> Figure:
    """Return ETTR against the checkpoint interval, and a lane below it for the best range and each mark.

    One replication tells no best range; nor does a job without progress, whose axis spans all card-time.
    """
    known = tuning.ettr_at_best is not None and tuning.ettr_at_best.half_width is not None
    best = tuning.range_s if known and not tuning.no_progress else None
    marks = marks_of(tuning)
    intervals, data = [at for at, _ in marks.values()], []
    for point in tuning.curve:
        values = {"scenario": tuning.scenario.name, "interval_s": point.interval_s}
        values |= interval("ettr", point.ettr.share)
        data.append(values | {"distinguishable_from_best": point.distinguishable})
    near = [c for c in tuning.curve if min(intervals) / REACH <= c.interval_s <= max(intervals) * REACH]
    heights = [end for point in near for end in point.ettr.share if end is not None]
    pad = max(0.06 * (max(heights) - min(heights)), 1e-4)
    span = [max(min(heights) - pad, 0.0), min(max(heights) + pad, 1.0)]
    span = [-0.03, 1.0] if tuning.no_progress else span
    lanes = len(marks) + (best is not None)
    height, look = PLOT + GAP + LANE * lanes, {"anchor": "y2", "title": "training between two saves"}
    plot = Plot(
        Data(data),
        height + FOOT + 16,
        x=drawing.duration_axis(near[0].interval_s / 1.15, near[-1].interval_s * 1.15, **look),
        y=drawing.axis(range=span, domain=[(GAP + LANE * lanes) / height, 1], nticks=6),
        yaxis2=drawing.bare(range=[lanes - 0.5, -0.5], domain=[0, LANE * lanes / height]),
        margin={"b": FOOT - 12, "l": 8, "r": 12, "t": 28},
    )
    plot.corner("ETTR")
    _curve(plot, near)
    caption = STUCK if tuning.no_progress else BELOW
    spoken = [mark_label(name, at) for name, (at, _) in marks.items()]
    if best:
        caption = f"{BELOW} {PAIRED}"
        spoken.insert(0, f"best range {duration(best[0])} to {duration(best[1])}")
        _best(plot, *best, spoken[0])
    _marks(plot, marks, lanes - len(marks))
    return plot.figure("curve", "ETTR against the checkpoint interval", caption, spoken)


def _curve(plot: Plot, points: Sequence[Candidate]) -> None:
    """Draw the curve, and below it the band of the intervals where they are known."""
    x = [point.interval_s for point in points]
    means, lows, highs = ([*column] for column in zip(*(point.ettr.share for point in points), strict=True))
    plot.legend.append(key("line", "mean ETTR"))
    if None not in lows:
        plot.legend.append(key("band", "95 % interval of each mean"))
        plot.band(x, lows, highs)
    lines = [(duration(point.interval_s), f"ETTR {in_words(point.ettr)}") for point in points]
    plot.line(x, means, BLUE, 2.5, marker={"color": BLUE, "size": 4}, hover=lines)


def _best(plot: Plot, first: float, last: float, words: str) -> None:
    """Draw the best range as a bar in the first lane, as a ground behind the curve, and its name.

    The bar ends in an arrow where the range goes on beyond the figure.
    """
    left, right = plot.ends()
    low, high = (min(max(end, left * INSIDE), right / INSIDE) for end in (first, last))
    left_sign = "line-ns" if low == first else "triangle-left"
    right_sign = "line-ns" if high == last else "triangle-right"
    marker = drawing.sign(GREEN, 12, [left_sign, right_sign], GREEN, 3)
    sign = key("flat", "best range: indistinguishable from the best at 95 %")
    plot.line([low, high], [0, 0], GREEN, 7, marker=marker, cliponaxis=False, yaxis="y2", sign=sign)
    area = {"type": "rect", "fillcolor": theme.FLAT.light, "yref": "y domain"}
    plot.rule(drawing.stroke(GREEN, 1), (low, high), (0, 1), **area)
    middle = math.sqrt(low * high)
    plot.note(words, middle, 0, xanchor=plot.side(middle, SIDE), yshift=8, **NOTE)


def _marks(plot: Plot, marks: Mapping[str, Position], lane: int) -> None:
    """Draw each mark on the curve and in a lane of its own from *lane* on, the most important one on top.

    Their names are all on one side of them where there is room for that.
    """
    shares = [plot.share(at) for at, _ in marks.values()]
    if max(shares) < RIGHTMOST or min(shares) > LEFTMOST:
        shares = [float(max(shares) >= RIGHTMOST)] * len(shares)
    named = [*zip(shares, itertools.count(lane), marks.items())]
    for share, place, (name, (at, ettr)) in reversed(named):
        _, symbol, colour, size, _ = MARKS[name]
        look, words = drawing.sign(colour, size, symbol, width=1.5), mark_label(name, at)
        plot.upright(at)
        plot.dots([at], [ettr], look, hover=[[words]])
        plot.dots([at], [place], look, hover=[[words]], yaxis="y2")
        side = {"xanchor": "left", "xshift": 12} if share < 0.5 else {"xanchor": "right", "xshift": -12}
        plot.note(
            f"<b>{words}</b>" if name == "recommended" else words, at, place, yanchor="middle", **side, **NOTE
        )


def other_values(tuning: Tuning) -> Section:
    """Return the sweep of each place at which other values were tried, with the best interval at each."""
    parts = [part for sweep in tuning.sweeps for part in values_changed(sweep)]
    return Section("what-ifs", "What else moves the best interval", parts, "What else matters")
