"""An entry of the catalogue, how its figure comes out of replications, and a figure: an entry of one name.

Each replication contributes a *row*, a few numbers that can be kept in its place, and everything else is
computed from rows.  So a study keeps rows instead of histories, and all that read a metric (the summary, a
claim, a paired difference) read one computation.  The mean time between interruptions of two replications of
100 h, one with 4 interruptions and one with 6: rows (100, 4) and (100, 6), figure 200 / 10 = 20 h.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from clustersim.arrays import Array
from clustersim.estimate import ConfidenceInterval, Estimate, mean_of
from clustersim.estimate import ratio as ratio_of
from clustersim.formatting import NOTHING
from clustersim.metrics.cells import MetricCell, Summary, in_unit
from clustersim.metrics.replications import PER_DRAW, Column, Replications, ScenarioFacts

Row = tuple[float, ...]
NEARLY_ALWAYS = 0.99
"""Share of the time for which spares suffice: who plans for all of it pays for what hardly ever happens."""
FAMILIES = {
    "entry": "an entry of the ledger",
    "cause": "a cause of waste",
    "mode": "a mode of failure",
    "stage": "a stage of the recovery",
    "tier": "a tier of checkpoints",
}
"""Of what a metric may be asked one by one, and how a sentence calls it."""


@dataclass(frozen=True)
class Measure:
    """The columns that make up a row, and what rows come to.

    `estimate` returns the figure of all rows, None where it is infinite or unknown; `values` a number for
    each row, between which paired differences are taken; of several tables of rows, the numbers of each.
    `weights` says how much of the figure's denominator each row has, 1 on average.
    `margin` says whether the figure has a symmetric interval, `ends` how else its interval is found, and
    `averages` whether rows may be averaged first, which leaves the figure as it is.
    """

    columns: tuple[Column, ...]
    estimate: Callable[[Array], Estimate | None]
    values: Callable[[Array], Array] = lambda rows: rows[..., 0]
    weights: Callable[[Array], Array] = lambda rows: np.ones(rows.shape[:-1])
    margin: bool = False
    averages: bool = False
    ends: Callable[[Array], ConfidenceInterval] | None = None

    def difference(self, rows: Array, others: Array) -> Estimate | None:
        """Return the figure of *rows* minus that of *others*, paired replication by replication."""
        each, other = self.estimate(rows), self.estimate(others)
        if each is None or other is None:
            return None
        apart = mean_of(self.values(rows) - self.values(others))
        return Estimate(each.mean - other.mean, apart.half_width, apart.count) if self.margin else apart


def mean(column: Column) -> Measure:
    """Return the mean over replications with Student's interval; unknown where one of them is infinite."""

    def estimate(rows: Array) -> Estimate | None:
        return mean_of(rows[:, 0]) if np.isfinite(rows).all() else None

    return Measure((column,), estimate, margin=True, averages=True)


def ratio(above: Column, below: Column) -> Measure:
    """Return the quotient of two sums over replications; unknown where what is below the line is 0.

    The value of a replication is the quotient plus what this one pulls it up or down: the mean of the values
    is the quotient, and Student's interval of that mean is the delta method's.
    """

    def values(rows: Array) -> Array:
        over, under = rows[..., 0], rows[..., 1]
        total = under.sum(axis=-1, keepdims=True)
        quotient = over.sum(axis=-1, keepdims=True) / np.where(total, total, math.nan)
        mean = under.mean(axis=-1, keepdims=True)
        return np.asarray(quotient + (over - quotient * under) / np.where(total, mean, math.nan))

    def weights(rows: Array) -> Array:
        mean = rows[..., 1].mean(axis=-1, keepdims=True)
        return np.asarray(rows[..., 1] / np.where(mean, mean, math.nan))

    return Measure((above, below), lambda rows: ratio_of(*rows.T), values, weights, True, True)


def scaled(measure: Measure, factor: Column) -> Measure:
    """Return a multiple of *measure*, by a *factor* that the scenario gives; unknown where it gives none.

    Where the factor is uncertain it is the mean of products.
    """

    def estimate(rows: Array) -> Estimate | None:
        unscaled, factors = measure.estimate(rows[:, :-1]), rows[:, -1]
        if unscaled is None or np.isnan(factors[0]):
            return None
        return unscaled.scaled(float(factors[0])) if np.ptp(factors) == 0 else mean_of(values(rows))

    def values(rows: Array) -> Array:
        return np.asarray(rows[..., -1] * measure.values(rows[..., :-1]))

    def weights(rows: Array) -> Array:
        return measure.weights(rows[..., :-1])

    return Measure((*measure.columns, factor), estimate, values, weights, True, True)


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

    return Measure(measure.columns, estimate, measure.values, averages=True)


def by_draw(column: Column, take: Callable[[Array, int], float | None]) -> Measure:
    """Return what *take* makes of a column and of how many replications there are with each draw."""

    def estimate(rows: Array) -> Estimate | None:
        return _number(take(rows[:, 0], int(rows[0, 1])), rows)

    return Measure((column, PER_DRAW), estimate)


def held(column: Column, share: float, known_to: Column | None = None) -> Measure:
    """Return how many nodes were away, or fewer, for a *share* of the time of all replications together.

    The column has the seconds in which 0, 1, 2, ... nodes were away.  The interval is Woodruff's (1952): of
    each number of nodes the share of time with no more away has Student's interval, and all numbers belong to
    it whose interval reaches the share.  Differences are those of what held in each replication on its own.
    Numbers above *known_to*, a figure of the scenario and the first of a row, are not known.
    """
    first = 0 if known_to is None else 1

    def estimate(rows: Array) -> Estimate | None:
        pooled = rows[:, first:].sum(axis=0)
        number = held_for(pooled, share) if pooled.sum() else math.inf
        return _number(number if number <= rows[:, :first].min(initial=math.inf) else math.inf, rows)

    def values(rows: Array) -> Array:
        return np.array([held_for(row, share) for row in rows[:, first:]], dtype=np.float64)

    def ends(rows: Array) -> ConfidenceInterval:
        known = estimate(rows)
        least = None if known is None else float(known.mean)
        if least is None or len(rows) < 2:
            return ConfidenceInterval(least)
        within = np.cumsum(rows[:, first:], axis=1)
        reach = [each for column in within.T if (each := ratio_of(column, within[:, -1]))]
        low = [each.mean + (each.half_width or 0.0) >= share for each in reach].index(True)
        high = [each.mean - (each.half_width or 0.0) >= share for each in reach].index(True)
        return ConfidenceInterval(least, min(float(low), least), max(float(high), least))

    columns = (column,) if known_to is None else (known_to, column)
    return Measure(columns, estimate, values, ends=ends)


def held_for(away_s: Array, share: float) -> int:
    """Return the smallest number of nodes that were away, or fewer, for *share* of the time."""
    sums = np.cumsum(away_s)
    return int(np.searchsorted(sums, share * sums[-1] * (1 - 1e-12)))


def _number(value: Any, rows: Array) -> Estimate | None:
    """Return *value* as an estimate without interval: counts stay whole numbers."""
    value = value.item() if isinstance(value, np.generic) else value
    return None if value is None or not math.isfinite(value) else Estimate(value, None, len(rows))


@dataclass(frozen=True)
class Metric:
    """A figure of the summary, or of claims alone.

    `path` is where it stands in the summary; a metric `of` a family stands there once for each name, in place
    of the placeholder (`ledger.<entry>`).  Without a `measure` it is what the scenario gives.  `needs` are
    the parts of a scenario without which it does not exist (or is null, if `else_null`), and `unknown` says
    why it is null where it is.  `expect` and studies may name what is `in_summary`, by its path; a claim may
    be about all that have an interval, by path or by the older `word`.

    Tables show it in its unit, with the remark that `show` makes of a summary, or as the cell that it makes,
    in a row that is called `heading`: its label if that is empty, no row if it is None.  Where no scenario
    has the metric there is a row only if it is `always` shown.  `margin` is the path of its half-width among
    the margins, if not its own.  `better` says whether a `high` or a `low` figure is preferred, where one is.
    """

    path: str
    label: str
    unit: str
    meaning: str
    measure: Measure | None = None
    of: str = ""
    needs: tuple[str, ...] = ()
    unknown: str | Callable[[Replications], str] = ""
    show: Callable[[Summary], MetricCell | str] | None = None
    heading: str | None = ""
    always: bool = False
    else_null: bool = False
    in_summary: bool = True
    word: str = ""
    margin: str = ""
    better: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """What a claim calls it: its word, and its path without placeholder and without the word mean."""
        bare = re.sub(r"\.<.*?>", "", self.path).removesuffix(".mean")
        return (self.word, bare) if self.word else (bare,)

    @property
    def highest(self) -> float:
        """The most that it can be; the least is 0."""
        return 1.0 if self.unit == "share" else math.inf

    @property
    def by_name(self) -> bool:
        """Whether it must be asked of one of its family: there is no figure of all together."""
        return "<" in self.path

    @property
    def in_tables(self) -> bool:
        """Whether it has a row in the tables of metrics."""
        return self.in_summary and self.heading is not None and (not self.by_name or self.show is not None)

    @property
    def claimable(self) -> bool:
        """Whether a claim may be about it: whether it has an interval."""
        return self.measure is not None and (self.measure.margin or self.measure.ends is not None)

    @property
    def averaged(self) -> bool:
        """Whether it is a mean, or a quotient of means, over replications."""
        return self.measure is not None and self.measure.margin

    def figures(self, facts: ScenarioFacts) -> Iterator[MetricFigure]:
        """Yield the figures that it has: one, or one for each name of its family."""
        return (MetricFigure(self, name) for name in (facts.names[self.of] if self.by_name else ("",)))

    def cell(self, summary: Summary) -> MetricCell:
        """Return what a table shows of it."""
        plain = in_unit(summary, self.path, self.unit, given=self.measure is None)
        shown = self.show(summary) if self.show and (plain.text != NOTHING or self.by_name) else ""
        return MetricCell(plain.text, shown or plain.small) if isinstance(shown, str) else shown


class MetricFigure(NamedTuple):
    """A metric, and the name of which it is asked where it is one of a family; without a name of all."""

    metric: Metric
    name: str = ""

    @property
    def path(self) -> str:
        """Where it stands in the summary."""
        return self.metric.path.replace(f"<{self.metric.of}>", self.name)

    @property
    def measure(self) -> Measure:
        """How it is computed; what the scenario gives is the same in each replication."""
        return self.metric.measure or over(lambda r: r.facts.given[self.path], lambda values: values[0])

    def rows(self, replications: Replications) -> Array:
        """Return what each replication contributes.

        Raises LookupError where the replications come from a run folder, which does not hold it.
        """
        columns = [self._own(replications, replications[column]) for column in self.measure.columns]
        return np.column_stack(columns)

    def row(self, replication: Replications) -> Row:
        """Return what a single replication contributes, as numbers that can be kept in its place."""
        return tuple(map(float, self.rows(replication)[0]))

    def _own(self, replications: Replications, values: Any) -> Array:
        """Return its own column of a family's; what a scenario does not have never happened."""
        if not isinstance(values, np.ndarray):
            return np.full(len(replications), math.nan if values is None else values)
        if not self.metric.of or values.ndim == 1:
            return values
        if not self.name:
            return np.asarray(values.sum(axis=1))
        names = list(replications.facts.names[self.metric.of])
        return values[:, names.index(self.name)] if self.name in names else np.zeros(len(values))

    def ends(self, rows: Array) -> ConfidenceInterval:
        """Return the figure with both ends of its interval, held within what it can be."""
        if self.measure.ends is not None:
            return self.measure.ends(rows)
        estimate = self.measure.estimate(rows)
        if estimate is None:
            return ConfidenceInterval()
        return estimate.interval.within(0.0, self.metric.highest)


class Note(NamedTuple):
    """An entry of the summary that is no metric: where it stands, what it means, what it needs.

    It is what `make` makes of the replications, or what the scenario gives under its path.
    """

    path: str
    meaning: str
    make: Callable[[Replications], Any] | None = None
    needs: tuple[str, ...] = ()

    def value(self, replications: Replications) -> Any:
        """Return what the summary says."""
        return self.make(replications) if self.make else replications.facts.given[self.path]
