"""Logarithmic axes with round ticks, for counts and for durations."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from clustersim.units import DAY, HOUR, MINUTE, YEAR, format_duration
from clustersim_reports.figures import base

MOST_TICKS = 8
SMALL = (1e-3, 1e-2, 0.1)
FINE = (
    *SMALL,
    *(1.0, 2.0, 5.0, 10.0, 20.0, 30.0),
    *(MINUTE * count for count in (1, 2, 5, 10, 20, 30)),
    *(HOUR * count for count in (1, 2, 4, 8)),
    *(DAY * count for count in (1, 2, 7, 30, 100)),
)
MIDDLE = (
    *SMALL,
    *(1.0, 3.0, 10.0, 30.0),
    *(MINUTE * count for count in (1, 3, 10, 30)),
    *(HOUR * count for count in (1, 3, 8)),
    *(DAY * count for count in (1, 3, 10, 30, 100)),
)
COARSE = (*SMALL, 1.0, 10.0, MINUTE, 10 * MINUTE, HOUR, 8 * HOUR, 2 * DAY, 14 * DAY, 100 * DAY, YEAR)


def log_axis(
    low: float, high: float, ticks: list[float], say: Callable[[float], str], **settings: Any
) -> dict[str, Any]:
    """Return the settings of a logarithmic axis from *low* to *high*, its *ticks* written as *say* does."""
    span = {"range": [math.log10(low), math.log10(high)], "type": "log"}
    return base.axis(tickvals=ticks, ticktext=[say(tick) for tick in ticks], tickangle=0, **span, **settings)


def count_axis(low: float, high: float, **settings: Any) -> dict[str, Any]:
    """Return the settings of a logarithmic axis of counts."""
    return log_axis(low, high, decades(low, high), compact, **settings)


def duration_axis(low: float, high: float, most: int = MOST_TICKS, **settings: Any) -> dict[str, Any]:
    """Return the settings of a logarithmic axis of durations (s) with about so many ticks at *most*."""
    return log_axis(low, high, durations(low, high, most), format_duration, **settings)


def durations(low: float, high: float, most: int = MOST_TICKS) -> list[float]:
    """Return round durations (s) between the ends of a log axis, fewer of them where it is long."""
    fine, middle, coarse = (
        [tick for tick in ticks if low <= tick <= high] for ticks in (FINE, MIDDLE, COARSE)
    )
    return next((ticks for ticks in (fine, middle) if len(ticks) <= most), coarse)


def share_of(value: float, low: float, high: float) -> float:
    """Return where *value* stands on a log axis, as a share of its length."""
    return math.log(value / low) / math.log(high / low)


def decades(low: float, high: float) -> list[float]:
    """Return the powers of ten between the ends of a log axis; 1, 2 and 5 of each where those are few."""
    ticks = [10.0**power for power in range(math.ceil(math.log10(low)), math.floor(math.log10(high)) + 1)]
    if len(ticks) > 1:
        return ticks
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    places = [digit * 10.0**power for power in powers for digit in (1, 2, 5)]
    return [place for place in places if low <= place <= high]


def compact(value: float) -> str:
    """Return a count in few characters, for an axis: `100k`, `1M`."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:.3g}{letter}"
    return f"{value:.3g}"
