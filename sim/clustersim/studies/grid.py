"""Grids: values in one or several places of a scenario, and all points of them, simulated and condensed.

A point is a combination of one value for each place.  All meet the same failures (common random numbers), so
that the difference of each to the scenario as it is, and to the best of all, is told replication by
replication.  What remains of a point is a few kB, kept in a file as soon as its part of the grid is finished.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from clustersim.arrays import Array, Floats
from clustersim.estimate import ahead, differ
from clustersim.formatting import counted
from clustersim.metrics.metric import Metric
from clustersim.scenario import ScenarioError
from clustersim.scenario.describe import replication_s
from clustersim.scenario.loading import variant
from clustersim.scenario.model import Scenario
from clustersim.settings import Part
from clustersim.store import COUNT, ChoiceError, Kept
from clustersim.studies.change import ended_by_the_clock, tuned_tier
from clustersim.studies.figures import Rows, ScenarioFigures, at_reference, difference, simulated
from clustersim.studies.search import FEW_CANDIDATES, Retuned, retuned, why_outages_depend
from clustersim.studies.study import Simulations
from clustersim.studies.values import EXAMPLE, TrialValue, listed, value_of

MOST_POINTS = 100_000
"""A larger grid would take days, and nobody could read it."""
PART_S, MOST_IN_PART, FEW_WORKERS = 20.0, 250, 32
"""Expected seconds, for each worker, of what is simulated before it is condensed, and its points at most, for
each so many workers: long enough that workers seldom wait, short enough that little rests in memory."""
SCENARIO = "scenario"
"""The axis of designs: scenarios side by side."""
CARDS = "cluster.gpus"
SIGNS = {"high": 1.0, "low": -1.0}
"""By which metrics are multiplied so that more is better."""


@dataclass(frozen=True, slots=True)
class Axis:
    """One place of the scenario, by its dotted path, and the values that are tried there."""

    path: str
    values: tuple[TrialValue, ...]
    rounded: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {"path": self.path, "values": [value._asdict() for value in self.values]}


@dataclass(frozen=True)
class Grid:
    """All combinations of the values of some axes, the last one running fastest, for one design or several.

    With several designs the first axis is that of the scenarios.
    """

    designs: Sequence[Scenario]
    axes: Sequence[Axis]

    @classmethod
    def of(cls, designs: Sequence[Scenario], vary: Mapping[str, str | Sequence[str]]) -> Grid:
        """Return the grid of the lists in *vary*, by path; raises ChoiceError for none or too many points."""
        if not vary and len(designs) < 2:
            raise ChoiceError(f"a sweep needs values to try: --vary {EXAMPLE}")
        axes = [_axis(designs, path, values) for path, values in vary.items()]
        if len(designs) > 1:
            axes.insert(0, Axis(SCENARIO, tuple(TrialValue(each.name, None) for each in designs)))
        grid = cls(designs, axes)
        if len(grid) > MOST_POINTS:
            product = " x ".join(str(len(axis.values)) for axis in axes)
            raise ChoiceError(
                f"{product} values are {len(grid):,} points, and a sweep has at most {MOST_POINTS:,}: try"
                " fewer values, or sweep one part after the other"
            )
        return grid

    def __len__(self) -> int:
        return math.prod(self.shape)

    @property
    def shape(self) -> tuple[int, ...]:
        """How many values each axis has."""
        return tuple(len(axis.values) for axis in self.axes)

    def at(self, index: int) -> dict[str, TrialValue]:
        """Return the value of each axis at a point, by path."""
        numbers = np.unravel_index(index, self.shape)
        return {axis.path: axis.values[int(n)] for axis, n in zip(self.axes, numbers, strict=True)}

    def scenario(self, index: int) -> Scenario:
        """Return the scenario at a point; raises ScenarioError where it is faulty."""
        values = {path: value.text for path, value in self.at(index).items()}
        name = values.pop(SCENARIO, None)
        design = next(each for each in self.designs if name in (None, each.name))
        return variant(design, values)

    def say(self, index: int) -> str:
        """Return a point in words: `cluster.spares = 20, recovery.stages.restart = 2 min`."""
        return ", ".join(f"{path} = {value.text}" for path, value in self.at(index).items())

    @property
    def key(self) -> str:
        """What the grid is, as text."""
        return json.dumps([[axis.to_dict() for axis in self.axes], [each.hash for each in self.designs]])


def _intervals_tried(scenario: Scenario) -> int:
    """Return about how often a scenario is simulated to find its best interval."""
    by_clock = ended_by_the_clock(scenario, scenario.simulation.replications)
    return 1 if why_outages_depend(by_clock) is None else FEW_CANDIDATES


def _axis(designs: Sequence[Scenario], path: str, values: str | Sequence[str]) -> Axis:
    """Return the axis of a list of values; sizes within a range are whole nodes, and whole replicas."""
    if path in ("", SCENARIO):
        raise ChoiceError(f"a list of values begins with its path; write it like {EXAMPLE}")
    if not isinstance(values, str):
        return Axis(path, tuple(value_of(str(value)) for value in values))
    nodes = [each.cluster.gpus_per_node * each.recovery.replicas for each in designs]
    try:
        chosen, rounded = listed(values, math.lcm(*nodes) if path == CARDS else 1)
    except ChoiceError as error:
        raise ChoiceError(f"{path}: {error}") from None
    return Axis(path, tuple(chosen), rounded)


class BestPoint(NamedTuple):
    """The best point by a metric, and all points that are indistinguishable from it, itself among them."""

    point: int
    indistinguishable: list[int]


class GridFigures(NamedTuple):
    """What came of a grid: by point and metric a mean with both ends of its interval; NaN is unknown.

    The `baseline` is the first design as it is, to which the `differences` are paired; `told` says which of
    them are more than chance.  `interval_s` are the intervals between saves, `range_s` the ends of those that
    are indistinguishable from them where each point has its best one, `best` the best points.
    """

    baseline: Floats
    figures: Floats
    differences: Floats
    told: Array
    interval_s: Floats
    range_s: Floats
    best: Mapping[str, BestPoint]


@dataclass(frozen=True)
class GridPlan:
    """A grid of which all points can be simulated, with the best interval of a *tier* at each to `retune`.

    `metrics` are those of all points, by path; `seconds` says about how long a replication of each takes.
    """

    grid: Grid
    retune: bool
    tier: str | None
    metrics: Mapping[str, Metric]
    seconds: Floats

    @classmethod
    def of(cls, grid: Grid, retune: bool, tier: str | None = None) -> GridPlan:
        """Return the plan of a *grid*.

        Raises ChoiceError where points are no valid scenarios, or have no interval to *retune*.
        """
        metrics: dict[str, Metric] = {}
        seconds, faulty = np.zeros(len(grid)), list[tuple[int, ScenarioError]]()
        for index in range(len(grid)):
            try:
                scenario = grid.scenario(index)
            except ScenarioError as error:
                faulty.append((index, error))
                continue
            if retune:
                tuned_tier(scenario, tier)
            seconds[index] = replication_s(scenario)
            found = ScenarioFigures(scenario).figures
            metrics |= {path: figure.metric for path, figure in found.items() if path not in metrics}
        if faulty:
            first, why = faulty[0]
            raise ChoiceError(
                f"{len(faulty)} of {counted(len(grid), 'point')} cannot be simulated; the first is"
                f" {grid.say(first)}: {why.problems[0].message}"
            )
        return cls(grid, retune, tier, metrics, seconds)

    def simulated(self, running: Simulations, first: int = 0) -> GridPoints:
        """Simulate all points, or those of the part that is to be simulated, and return them.

        Results are numbered from *first* on, where they share a file with those of other grids.
        """
        points = GridPoints(self, running.in_every_shard, first)
        points.simulate(running.part)
        return points


class GridPoints:
    """The points of a grid: simulated in parts, each point kept as a result as soon as its part is finished.

    A result has the `figures` of the point, their `differences` to the first design as it is, the `values` of
    each replication, and the interval between saves.
    """

    def __init__(self, plan: GridPlan, running: Simulations, first: int) -> None:
        self._plan = plan
        self._grid = plan.grid
        self._metrics = plan.metrics
        self._running = running
        self._first = first
        self._base = plan.grid.designs[0]
        self._count = self._base.simulation.replications
        self._base_figures = ScenarioFigures(self._base)
        self._base_rows: Rows = {}

    def simulate(self, shard: Part | None) -> None:
        """Simulate what is missing, of a *shard* or of all, in parts."""
        workers = self._running.processes
        part_s, most = PART_S * workers, MOST_IN_PART * math.ceil(workers / FEW_WORKERS)
        done, first = self._running.results, self._first
        every = [index for index in range(len(self._grid)) if shard is None or shard.takes(first + index)]
        todo = [index for index in every if first + index not in done]
        tried = _intervals_tried(self._base) if self._plan.retune else 0
        wanted = (1 + len(every) * (1 + tried)) * self._count
        running = self._running.towards((len(every) - len(todo)) * (1 + tried) * self._count, wanted)
        ((_, self._base_rows),) = simulated([self._base], self._count, running)
        seconds = self._plan.seconds * self._count
        while todo:
            fits = int(np.searchsorted(np.cumsum(seconds[todo]), part_s)) + 1
            part, todo = todo[: min(fits, most)], todo[min(fits, most) :]
            points = [Retuned(self._grid.scenario(index)) for index in part]
            if self._plan.retune:
                scenarios = [each.scenario for each in points]
                points = retuned(scenarios, self._count, running, self._plan.tier)
            rows = simulated([each.scenario for each in points], self._count, running)
            found = [self._result(point, *each) for point, each in zip(points, rows, strict=True)]
            numbers = (self._first + index for index in part)
            self._running.condense(dict(zip(numbers, found, strict=True)), self._base)
        self._running.wall_s += running.wall_s

    def _result(self, point: Retuned, figures: ScenarioFigures, rows: Rows) -> Kept:
        has_tiers = bool(point.scenario.tiers)
        interval = tuned_tier(point.scenario, self._plan.tier).interval if has_tiers else math.nan
        values, weights = figures.values(rows, self._metrics)
        differences = figures.differences(rows, self._base_rows, self._metrics)
        base, _ = self._base_figures.values(self._base_rows, self._metrics)
        apart = at_reference(values, weights, base)
        averaged = np.array([metric.averaged for metric in self._metrics.values()])
        by_interval = (differences[:, 1] > 0) | (differences[:, 2] < 0)
        return {
            COUNT: np.array(self._count),
            "values": values,
            "weights": weights,
            "told": np.where(averaged, differ(apart, base), by_interval),
            "figures": figures.ends(rows, self._metrics),
            "differences": differences,
            "interval_s": np.array(interval),
            "range_s": np.array(point.range_s or (math.nan, math.nan)),
        }

    def found(self, chosen: Sequence[str] = ()) -> GridFigures:
        """Return what came of all points; differences of *chosen* quantiles with their intervals."""
        results = self._running.results
        ordered = [results[self._first + index] for index in range(len(self._grid))]
        figures, differences, told, intervals, ranges = (
            np.array([result[name] for result in ordered])
            for name in ("figures", "differences", "told", "interval_s", "range_s")
        )
        baseline = self._base_figures.ends(self._base_rows, self._metrics)
        for path in chosen:
            self._resample(path, ordered, figures, differences, told)
        best = self._best(ordered, figures[:, :, 0])
        return GridFigures(baseline, figures, differences, told, intervals, ranges, best)

    def _resample(
        self, path: str, results: Sequence[Kept], figures: Floats, differences: Floats, told: Array
    ) -> None:
        """Set the differences of a metric that is no mean, if one number of each replication makes it up."""
        row, figure = list(self._metrics).index(path), self._base_figures.figures.get(path)
        if figure is None or figure.metric.averaged or figure.measure.ends or len(figure.measure.columns) > 1:
            return
        for index in np.flatnonzero(~np.isnan(figures[:, row, 0])).tolist():
            rows = results[index]["values"][row][:, None]
            apart = difference(figure.measure, rows, self._base_rows[path])
            differences[index, row] = apart
            told[index, row] = (apart.low or 0.0) > 0 or (apart.high or 0.0) < 0

    def _best(self, results: Sequence[Kept], means: Floats) -> dict[str, BestPoint]:
        """Return the best point by each metric of which more or less is better, where it has an interval."""
        listed, best = list(self._metrics.items()), dict[str, BestPoint]()
        for row, (path, metric) in enumerate(listed):
            if metric.better and metric.averaged and not np.isnan(means[:, row]).all():
                best[path] = BestPoint(int(np.nanargmax(SIGNS[metric.better] * means[:, row])), [])
        rows = [row for row, (path, _) in enumerate(listed) if path in best]
        signs = np.array([SIGNS[listed[row][1].better] for row in rows])[:, None]
        pairs = zip(best.values(), rows, strict=True)
        highest = np.array([results[index]["values"][row] for (index, _), row in pairs])
        for index, result in enumerate(results):
            values = at_reference(result["values"][rows], result["weights"][rows], highest)
            behind = ahead(signs * highest, signs * values, len(results))
            for (_, alike), differs in zip(best.values(), behind | np.isnan(means[index, rows]), strict=True):
                alike += [] if differs else [index]
        return best
