"""A metric of a scenario as a function of its uncertain inputs, and what lies between both ends of each.

The scenario has certain values, each of which is set to a quantile of its law; all points meet the same
failures.  Of a restart between 2 and 30 min the function at 0.05 is ETTR, say, with a restart of 2 min.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from clustersim.arrays import Array, Floats
from clustersim.estimate import ConfidenceInterval
from clustersim.metrics.metric import Metric, MetricFigure
from clustersim.scenario.drawing import with_values
from clustersim.scenario.keys.uncertain import HIGH, LOW, UncertainInput
from clustersim.scenario.model import Scenario
from clustersim.store import RunError
from clustersim.studies.figures import Rows, ScenarioFigures, difference, simulated
from clustersim.studies.study import Simulations, Worth, named

TOGETHER = 16
"""Replications of which a quantile, or another figure that is no mean, is taken."""


@dataclass(frozen=True, slots=True)
class Swing:
    """The metric at the 5 % and the 95 % point of an input, the others as stated, and what is between.

    `worth` is what is between in ETTR, cards and money, whatever the metric.
    """

    path: str
    at_low: ConfidenceInterval
    at_high: ConfidenceInterval
    difference: ConfidenceInterval
    worth: Worth

    @property
    def distinguishable(self) -> bool:
        """Whether the metric differs between both ends beyond chance, at 95 %."""
        _, low, high = self.difference
        return (low is not None and low > 0) or (high is not None and high < 0)

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        own = named(self, "path", "at_low", "at_high", "difference", "distinguishable")
        return own | named(self.worth, "effective_gpus", "money")


def replications_of(metric: Metric) -> int:
    """Return of how many replications a value of a metric is taken."""
    return 1 if metric.averaged else TOGETHER


class InputModel:
    """A metric of a scenario as a function of the quantiles of its inputs, a row for each point."""

    def __init__(
        self,
        scenario: Scenario,
        inputs: Mapping[str, UncertainInput],
        running: Simulations,
        per_point: int,
        metric: str,
    ) -> None:
        self._scenario = scenario
        self._inputs = inputs
        self._running, self._screening = running, True
        self._per_point = per_point
        self._metric = metric
        self._together = replications_of(ScenarioFigures(scenario, [metric]).figures[metric].metric)

    def __call__(self, shares: Floats) -> Floats:
        """Return the metric at each row of quantiles, of each replication; the same ones at all points.

        Of one that is no mean it is the figure of each group of replications.  Raises RunError where it is
        not known at a point.
        """
        made, count = [self._at(row) for row in shares.tolist()], self._per_point * self._together
        # What the screening keeps is known to every shard; what is asked next is most of the work.
        running = self._running.in_every_shard if self._screening else self._running
        self._screening = False
        found = simulated(made, count, running, only=[self._metric])
        values = np.array([self._values(figures, rows) for figures, rows in found])
        for row in shares[~np.isfinite(values).all(axis=1)].tolist():
            raise self._unknown(dict(zip(self._inputs, row, strict=True)))
        return values

    def _values(self, figures: ScenarioFigures, rows: Rows) -> Floats:
        """Return a value for each replication at a point, or for each group; NaN where it is unknown."""
        name, unknown = self._metric, np.full(self._per_point, math.nan)
        if name not in rows:
            return unknown
        measure = figures.figures[name].measure
        if self._together == 1:
            return measure.values(rows[name])
        found = (measure.estimate(each) for each in np.split(rows[name], self._per_point))
        return np.array([math.nan if each is None else each.mean for each in found])

    def _unknown(self, shares: Mapping[str, float]) -> RunError:
        at = ", ".join(f"{path} = {self._inputs[path].value(share)}" for path, share in shares.items())
        remedy = "give a longer horizon, narrower ranges, or another metric"
        return RunError(f"{self._metric} is not known with {at}, for one; {remedy}")

    def _at(self, row: Sequence[float]) -> Scenario:
        return self._with(dict(zip(self._inputs, row, strict=True)))

    def _with(self, shares: Mapping[str, float]) -> Scenario:
        values: dict[str, Any] = {}
        for path, share in shares.items():
            values |= self._inputs[path].changes(path, share)
        return with_values(self._scenario, values, "a point")

    def swings(self, names: Sequence[str], count: int) -> list[Swing]:
        """Return the metric at both ends of each input over *count* replications, the widest apart first."""
        places = [{path: end} for path in names for end in (LOW, HIGH)]
        ends = [self._with(place) for place in places]
        found = simulated(ends, count, self._running, only=["ettr", self._metric])
        points = [
            _End(scenario, figures.figures[self._metric], rows)
            for scenario, (figures, rows) in zip(ends, found, strict=True)
        ]
        for place, point in zip(places, points, strict=True):
            if point.interval.mean is None:
                raise self._unknown(place)
        pairs = zip(names, points[::2], points[1::2], strict=True)
        made = [point.to(path, other) for path, point, other in pairs]
        return sorted(made, key=lambda swing: -abs(swing.difference.mean or 0.0))


class _End(NamedTuple):
    """The scenario at one end of an input, the figure in question, and the rows of its replications."""

    scenario: Scenario
    figure: MetricFigure
    rows: Rows

    @property
    def interval(self) -> ConfidenceInterval:
        """The figure with its interval."""
        return self.figure.ends(self._own)

    @property
    def _own(self) -> Array:
        return self.rows[self.figure.path.removesuffix(".mean")]

    def to(self, path: str, other: _End) -> Swing:
        """Return what lies between this end of the input at *path* and its *other* one."""
        apart = difference(self.figure.measure, other._own, self._own)
        low, high = (each.rows["ettr"][:, 0] for each in (self, other))
        worth = Worth.of(self.scenario, low, other.scenario, high)
        return Swing(path, self.interval, other.interval, apart, worth)
