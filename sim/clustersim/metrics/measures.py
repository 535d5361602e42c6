"""How a metric comes out of replications: what each contributes, the figure over all, and how sure it is.

Each replication contributes a *row*, a few numbers that can be kept in its place, and everything else is
computed from rows.  So a study keeps rows instead of histories, and all that read a metric (the summary, a
claim, a paired difference) read one computation.  The mean time between interruptions of two replications of
100 h, one with 4 interruptions and one with 6: rows (100, 4) and (100, 6), figure 200 / 10 = 20 h.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from clustersim.arrays import Array
from clustersim.estimate import ConfidenceInterval, Estimate, mean_of
from clustersim.estimate import ratio as ratio_of
from clustersim.metrics.replications import Column

Row = tuple[float, ...]
NEARLY_ALWAYS = 0.99


@dataclass(frozen=True)
class Measure:
    """The columns that make up a row, and what rows come to.

    `estimate` returns the figure of all rows, None where it is infinite or unknown; `values` a number for
    each row, between which paired differences are taken.  `margin` says whether the figure has a symmetric
    interval, `ends` how else its interval is found.
    """

    columns: tuple[Column, ...]
    estimate: Callable[[Array], Estimate | None]
    values: Callable[[Array], Array] = lambda rows: rows[:, 0]
    margin: bool = False
    ends: Callable[[Array], ConfidenceInterval] | None = None

    def difference(self, rows: Array, others: Array) -> Estimate | None:
        """Return the figure of *rows* minus that of *others*, paired replication by replication."""
        one, other = self.estimate(rows), self.estimate(others)
        if one is None or other is None:
            return None
        apart = mean_of(self.values(rows) - self.values(others))
        return Estimate(one.mean - other.mean, apart.half_width, apart.count) if self.margin else apart


def mean(column: Column) -> Measure:
    """Return the mean over replications with Student's interval; unknown where one of them is infinite."""

    def estimate(rows: Array) -> Estimate | None:
        return mean_of(rows[:, 0]) if np.isfinite(rows).all() else None

    return Measure((column,), estimate, margin=True)


def ratio(above: Column, below: Column) -> Measure:
    """Return the quotient of two sums over replications; unknown where what is below the line is 0.

    The value of a replication is the quotient plus what this one pulls it up or down: the mean of the values
    is the quotient, and Student's interval of that mean is the delta method's.
    """

    def values(rows: Array) -> Array:
        if not rows[:, 1].sum():
            return np.full(len(rows), math.nan)
        quotient = rows[:, 0].sum() / rows[:, 1].sum()
        return np.asarray(quotient + (rows[:, 0] - quotient * rows[:, 1]) / rows[:, 1].mean())

    return Measure((above, below), lambda rows: ratio_of(*rows.T), values, margin=True)


def scaled(measure: Measure, factor: Column) -> Measure:
    """Return a multiple of *measure*, by a *factor* that the scenario gives; unknown where it gives none."""

    def estimate(rows: Array) -> Estimate | None:
        unscaled = measure.estimate(rows[:, :-1])
        return None if unscaled is None or np.isnan(rows[0, -1]) else unscaled.scaled(float(rows[0, -1]))

    def values(rows: Array) -> Array:
        return np.asarray(rows[:, -1] * measure.values(rows[:, :-1]))

    return Measure((*measure.columns, factor), estimate, values, margin=True)


def over(column: Column, statistic: Callable[[Array], Any]) -> Measure:
    """Return another number of all replications together: a sum, the most, a percentile.

    Unknown where it lies beyond what was observed.
    """
    return Measure((column,), lambda rows: _number(statistic(rows[:, 0]), rows))


def about(measure: Measure, take: Callable[[Estimate], float | None]) -> Measure:
    """Return what *take* makes of the estimate of another measure: an end of its interval, its half-width."""

    def estimate(rows: Array) -> Estimate | None:
        known = measure.estimate(rows)
        return None if known is None else _number(take(known), rows)

    return Measure(measure.columns, estimate, measure.values)


def held(column: Column, share: float) -> Measure:
    """Return how many nodes were away, or fewer, for a *share* of the time of all replications together.

    The column has the seconds in which 0, 1, 2, ... nodes were away.  The interval is Woodruff's (1952): of
    each number of nodes the share of time with no more away has Student's interval, and all numbers belong to
    it whose interval reaches the share.  Differences are those of what held in each replication on its own.
    """

    def estimate(rows: Array) -> Estimate | None:
        pooled = rows.sum(axis=0)
        return _number(held_for(pooled, share), rows) if pooled.sum() else None

    def values(rows: Array) -> Array:
        return np.array([held_for(row, share) for row in rows], dtype=np.float64)

    def ends(rows: Array) -> ConfidenceInterval:
        known = estimate(rows)
        least = None if known is None else float(known.mean)
        if least is None or len(rows) < 2:
            return ConfidenceInterval(least)
        within = np.cumsum(rows, axis=1)
        reach = [one for column in within.T if (one := ratio_of(column, within[:, -1]))]
        low = _first([one.mean + (one.half_width or 0.0) >= share for one in reach])
        high = _first([one.mean - (one.half_width or 0.0) >= share for one in reach])
        return ConfidenceInterval(least, min(low, least), max(high, least))

    return Measure((column,), estimate, values, ends=ends)


def held_for(away_s: Array, share: float) -> int:
    """Return the smallest number of nodes that were away, or fewer, for *share* of the time."""
    sums = np.cumsum(away_s)
    return int(np.searchsorted(sums, share * sums[-1] * (1 - 1e-12)))


def _number(value: Any, rows: Array) -> Estimate | None:
    """Return *value* as an estimate without interval: counts stay whole numbers."""
    value = value.item() if isinstance(value, np.generic) else value
    return None if value is None or not math.isfinite(value) else Estimate(value, None, len(rows))


def _first(flags: Sequence[bool]) -> float:
    """Return the place of the first that is true; the last one always is, but for rounding."""
    return float(flags.index(True) if True in flags else len(flags) - 1)
