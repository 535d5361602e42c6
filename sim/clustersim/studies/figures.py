"""All figures of a summary, from what is kept of each replication, so that a study needs no histories.

A replication contributes a row to each figure (see `metrics.metric`).  Here the rows of all figures stand one
behind the other in one array, with their lengths before them: a few kB, whatever has been simulated.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from clustersim.arrays import Array, Floats
from clustersim.estimate import ConfidenceInterval
from clustersim.formatting import MINUS, plus_minus, points
from clustersim.metrics.catalogue import figures_of
from clustersim.metrics.cells import worded
from clustersim.metrics.metric import Measure, Metric, MetricFigure
from clustersim.metrics.replications import Replications, stacked
from clustersim.records import Records
from clustersim.scenario.facts import facts_of
from clustersim.scenario.keys.blocks import unknown
from clustersim.scenario.model import Scenario
from clustersim.store import Kept, Measures
from clustersim.studies.study import Simulations

ROWS, UNKNOWN = "rows", ConfidenceInterval()
RESAMPLES, SEED = 400, 0
"""For the interval of a quantile: so many leave its ends uncertain by a tenth of it."""
COUNTED = ("cards", "nodes", "replicas")
"""The units of what a scenario has a whole number of."""
Rows = Mapping[str, Array]
"""For each figure, by its path, a row of each replication."""


class ScenarioFigures:
    """The figures that a scenario has, or *only* some of them, by path; how they come out of replications."""

    def __init__(self, scenario: Scenario, only: Collection[str] = ()) -> None:
        self._scenario, self._only = scenario, only
        self._facts = facts_of(scenario)
        self._known = figures_of(self._facts)
        self.figures: dict[str, MetricFigure] = {
            path: figure
            for path, figure in self._known.items()
            if (path in only if only else not path.endswith(".mean"))
            and not self._facts.missing(figure.metric.needs)
        }

    def why_not(self, path: str) -> str:
        """Return why there is no metric at a *path*: what it needs, or what may have been meant."""
        figure = self._known.get(path)
        lacks = "" if figure is None else self._facts.missing(figure.metric.needs)
        return f"{path} needs {lacks}" if lacks else unknown(path, self.figures, f'no metric "{path}"')

    def __reduce__(self) -> tuple[type[ScenarioFigures], tuple[Scenario, Collection[str]]]:
        """Travel as what it was made of: figures are functions, and far larger."""
        return ScenarioFigures, (self._scenario, self._only)

    @property
    def measures(self) -> Measures:
        """What is kept of a replication."""
        return {ROWS: self._packed}

    def _packed(self, records: Records) -> Floats:
        replications = Replications.of(self._facts, [records])
        rows = [figure.rows(replications)[0] for figure in self.figures.values()]
        return np.concatenate([[float(row.size) for row in rows], *rows])

    def rows(self, kept: Sequence[Kept]) -> Rows:
        """Return the rows of all replications of which these are *kept*, in their order."""
        count, unpacked = len(self.figures), []
        for row in (each[ROWS] for each in kept):
            ends = np.cumsum(row[: count - 1]).astype(int) + count
            unpacked.append(np.split(row[count:], ends - count))
        return {
            path: stacked(each) for path, each in zip(self.figures, zip(*unpacked, strict=True), strict=True)
        }

    def values(self, rows: Rows, paths: Iterable[str]) -> tuple[Floats, Floats]:
        """Return a number for each figure and replication, and its weight; NaN for what is not there."""
        missing = np.full(len(next(iter(rows.values()))), math.nan)
        known = [(self.figures[path].measure, rows[path]) if path in rows else None for path in paths]
        values = [missing if each is None else each[0].values(each[1]) for each in known]
        weights = [missing if each is None else each[0].weights(each[1]) for each in known]
        return np.array(values), np.array(weights)

    def ends(self, rows: Rows, paths: Iterable[str]) -> Floats:
        """Return each figure with both ends of its interval, a row each; NaN for what is not known."""
        known = (self.figures[path].ends(rows[path]) if path in rows else UNKNOWN for path in paths)
        return np.array([_numbers(each) for each in known])

    def differences(self, rows: Rows, base: Rows, paths: Iterable[str]) -> Floats:
        """Return the paired differences to the *base*, with both ends of their intervals, a row each.

        Of what is no mean, such as a quantile, the difference is that of the figures, and its ends are not
        known, unless it is the same in all replications: the bootstrap (`difference`) takes its time.
        """
        known = (
            _apart(self.figures[path].measure, rows[path], base[path])
            if path in rows and path in base
            else UNKNOWN
            for path in paths
        )
        return np.array([_numbers(each) for each in known])


def simulated(
    scenarios: Sequence[Scenario], count: int, running: Simulations, only: Collection[str] = ()
) -> list[tuple[ScenarioFigures, Rows]]:
    """Simulate the first *count* replications of all *scenarios*; return their figures with their rows."""
    figures = [ScenarioFigures(each, only) for each in scenarios]
    points = [
        running.point(scenario, each.measures, range(count))
        for scenario, each in zip(scenarios, figures, strict=True)
    ]
    running.run(points)
    return [(each, each.rows(point.store.first(count))) for each, point in zip(figures, points, strict=True)]


def difference(measure: Measure, rows: Array, others: Array) -> ConfidenceInterval:
    """Return the paired difference of a figure; of one that is no mean its interval is the bootstrap's."""
    if measure.margin:
        known = measure.difference(rows, others)
        return UNKNOWN if known is None else known.interval
    return ConfidenceInterval(*resampled(measure, rows, others))


def resampled(measure: Measure, rows: Array, others: Array | None) -> tuple[float, float, float]:
    """Return a figure, less that of *others*, with the ends of the bootstrap's 95 % interval.

    Resamples are the same for all, and infinite where a figure is; 0 where both are infinite.
    """

    def of(chosen: Any) -> float:
        known = [measure.estimate(part[chosen]) for part in (rows, others) if part is not None]
        numbers = [math.inf if each is None else each.mean for each in known]
        apart = numbers[0] - (numbers[1] if others is not None else 0.0)
        return 0.0 if math.isnan(apart) else apart

    resamples = np.random.default_rng(SEED).integers(0, len(rows), (RESAMPLES, len(rows)))
    low, high = np.sort([of(chosen) for chosen in resamples])[[RESAMPLES // 40, -RESAMPLES // 40 - 1]]
    return of(slice(None)), float(low), float(high)


def words(metric: Metric, estimate: ConfidenceInterval, currency: str) -> str:
    """Return a metric with its interval in its unit, `unknown` where it is not known."""
    mean, width = estimate.mean, estimate.half_width
    if mean is None:
        return "unknown"
    if metric.unit == "share":
        return plus_minus(mean, width)
    return worded(_whole(metric, mean), width, metric.unit, currency)


def gap_words(metric: Metric, estimate: ConfidenceInterval, currency: str) -> str:
    """Return a difference of a metric with its interval and its sign."""
    mean, width = estimate.mean, estimate.half_width
    if mean is None:
        return "unknown"
    if metric.unit == "share":
        return points(mean, width)
    sign = "+" if mean > 0 else MINUS if mean < 0 else ""
    return f"{sign}{worded(_whole(metric, abs(mean)), width, metric.unit, currency)}"


def _whole(metric: Metric, value: float) -> float:
    """Return the value of what the scenario says of cards, nodes and replicas as a whole number."""
    return int(value) if metric.measure is None and metric.unit in COUNTED else value


def within_a_sentence(metric: Metric) -> str:
    """Return what a metric is called there."""
    label = metric.label
    return f"{label[0].lower()}{label[1:]}" if label[1:2].islower() else label


def at_reference(values: Floats, weights: Floats, reference: Floats) -> Floats:
    """Return *values* of quotients as they are where the quotient is that of the *reference*; means stay.

    Whether a quotient differs from another is asked where both are alike.  Around its own value one whose
    denominators nearly vanish, such as a price of 700 USD for the few hours that were effective, may be
    anything; around 2 USD it is far too much with next to no doubt (Fieller, Biometrika 27, 1932).
    """
    means = values.mean(axis=-1, keepdims=True)
    with np.errstate(invalid="ignore"):
        return np.asarray(values + (means - reference.mean(axis=-1, keepdims=True)) * (weights - 1))


def _apart(measure: Measure, rows: Array, base: Array) -> ConfidenceInterval:
    if measure.margin or measure.ends is not None:
        known = measure.difference(rows, base)
        return UNKNOWN if known is None else known.interval
    each, other = measure.estimate(rows), measure.estimate(base)
    if each is None or other is None:
        return UNKNOWN
    gap = each.mean - other.mean
    is_exact = np.ptp(rows, axis=0).max() == 0 == np.ptp(base, axis=0).max()
    return ConfidenceInterval(gap, *((gap, gap) if is_exact else ()))


def _numbers(values: Iterable[float | None]) -> list[float]:
    return [math.nan if value is None else float(value) for value in values]
