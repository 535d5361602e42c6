"""All figures of a summary, from what is kept of each replication, so that a study needs no histories.

A replication contributes a row to each figure (see `metrics.metric`).  Here the rows of all figures stand one
behind the other in one array, with their lengths before them: a few kB, whatever has been simulated.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from clustersim.arrays import Array, Floats
from clustersim.estimate import Estimate
from clustersim.metrics.catalogue import figures_of
from clustersim.metrics.metric import MetricFigure
from clustersim.metrics.replications import Replications, stacked
from clustersim.records import Records
from clustersim.scenario.facts import facts_of
from clustersim.scenario.keys.blocks import unknown
from clustersim.scenario.model import Scenario
from clustersim.store import Kept, Measures

ROWS = "rows"
Rows = Mapping[str, Array]
"""For each figure, by its path, a row of each replication."""


class ScenarioFigures:
    """The figures that a scenario has, by path, and how they come out of its replications."""

    def __init__(self, scenario: Scenario) -> None:
        self._facts = facts_of(scenario)
        self._known = figures_of(self._facts)
        self.figures: dict[str, MetricFigure] = {
            path: figure
            for path, figure in self._known.items()
            if not path.endswith(".mean") and not self._facts.missing(figure.metric.needs)
        }

    def why_not(self, path: str) -> str:
        """Return why there is no metric at a *path*: what it needs, or what may have been meant."""
        figure = self._known.get(path)
        lacks = "" if figure is None else self._facts.missing(figure.metric.needs)
        return f"{path} needs {lacks}" if lacks else unknown(path, self.figures, f'no metric "{path}"')

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
        known = (self.figures[path].ends(rows[path]) if path in rows else () for path in paths)
        return np.array([_numbers(each or (None,) * 3) for each in known])

    def differences(self, rows: Rows, base: Rows, paths: Iterable[str]) -> Floats:
        """Return the paired differences to the *base*, with both ends of their intervals, a row each."""
        return np.array(
            [
                _numbers(_interval(self.figures[path].measure.difference(rows[path], base[path])))
                if path in rows and path in base
                else _numbers((None,) * 3)
                for path in paths
            ]
        )


def at_reference(values: Floats, weights: Floats, reference: Floats) -> Floats:
    """Return *values* of quotients as they are where the quotient is that of the *reference*; means stay.

    Whether a quotient differs from another is asked where both are alike.  Around its own value one whose
    denominators nearly vanish, such as a price of 700 USD for the few hours that were effective, may be
    anything; around 2 USD it is far too much with next to no doubt (Fieller, Biometrika 27, 1932).
    """
    means = values.mean(axis=-1, keepdims=True)
    with np.errstate(invalid="ignore"):
        return np.asarray(values + (means - reference.mean(axis=-1, keepdims=True)) * (weights - 1))


def _interval(estimate: Estimate | None) -> Sequence[float | None]:
    return (None,) * 3 if estimate is None else estimate.interval


def _numbers(values: Iterable[float | None]) -> list[float]:
    return [math.nan if value is None else float(value) for value in values]
