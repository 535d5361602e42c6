"""The checkpoint interval: ETTR against interval, and where the formulas and today's value lie on it."""

from __future__ import annotations

import math
from bisect import bisect
from typing import TYPE_CHECKING, NamedTuple

from clustersim_reports.figures import base

if TYPE_CHECKING:
    from clustersim.tuning import Tuning

REACH = 40.0
LABELS = {
    "recommended": "recommended",
    "now": "today's",
    "young": "Young",
    "daly": "Daly",
    "exact": "exact optimum",
}
"""What the marks are called, in the order in which they are shown."""


class CurvePoint(NamedTuple):
    """An interval (s), its ETTR with its 95 % interval, and whether it can be told from the best."""

    interval_s: float
    ettr: float
    low: float | None
    high: float | None
    told_apart: bool


class Mark(NamedTuple):
    """An interval (s) with a name, and the height of the curve there."""

    name: str
    interval_s: float
    ettr: float

    @property
    def label(self) -> str:
        """What the mark is called in the figure."""
        return LABELS[self.name]


class CurveData(NamedTuple):
    """The curve with its marks; `flat` holds the ends of the range that cannot be told from the best (s).

    A job without progress has no flat range and nothing recommended.
    """

    name: str
    points: tuple[CurvePoint, ...]
    marks: tuple[Mark, ...]
    flat: tuple[float, float] | None

    @property
    def shown(self) -> tuple[CurvePoint, ...]:
        """The points that the figure has room for: those within reach of the marks."""
        low = min(mark.interval_s for mark in self.marks) / REACH
        high = max(mark.interval_s for mark in self.marks) * REACH
        return tuple(point for point in self.points if low <= point.interval_s <= high)


def curve_data(tuning: Tuning) -> CurveData | None:
    """Return the curve of *tuning*, or None where no interval was tried."""
    if not tuning.curve:
        return None
    points = tuple(
        CurvePoint(one.interval_s, one.ettr.mean, *one.ettr.clipped(0.0, 1.0), one.told_apart)
        for one in tuning.curve
    )
    named = {
        "recommended": None if tuning.no_progress else tuning.recommended_s,
        "now": tuning.now_s,
        "young": tuning.young_s,
        "daly": tuning.daly_s,
        "exact": tuning.exact_s,
    }
    marks = tuple(Mark(name, at, _height(points, at)) for name, at in named.items() if at is not None)
    return CurveData(tuning.scenario.name, points, marks, None if tuning.no_progress else tuning.range_s)


def _height(points: tuple[CurvePoint, ...], interval: float) -> float:
    """Return the ETTR at *interval* (s), interpolated along the logarithmic axis."""
    after = min(max(bisect([point.interval_s for point in points], interval), 1), len(points) - 1)
    left, right = points[after - 1], points[after]
    share = math.log(interval / left.interval_s) / math.log(right.interval_s / left.interval_s)
    return left.ettr + min(max(share, 0.0), 1.0) * (right.ettr - left.ettr)


def curve_table(data: CurveData) -> base.Table:
    """Return one row per interval that was tried."""
    columns = ("scenario", "interval_s", "ettr", "low", "high", "told_from_best")
    return base.Table(columns, tuple((data.name, *point) for point in data.points))
