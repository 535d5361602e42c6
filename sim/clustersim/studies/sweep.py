"""Values in one or several places of a scenario: every metric at each point, and where each is best.

All points meet the same failures (common random numbers), so that the difference of each to the scenario as
it is, and to the best of all, is told replication by replication.  Three spares against five, for example:
every replication is simulated with both, and the mean of the differences is far more certain than either.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from clustersim import folders
from clustersim.advice import Advice
from clustersim.arrays import Floats
from clustersim.estimate import ConfidenceInterval
from clustersim.formatting import NOTHING, counted, duration, whole
from clustersim.metrics.metric import Metric
from clustersim.scenario.describe import replication_s
from clustersim.scenario.model import Scenario
from clustersim.settings import Output, ScenarioSource, Settings, merged
from clustersim.store import ChoiceError
from clustersim.studies.change import on_a_number, on_the_same
from clustersim.studies.figures import ScenarioFigures, gap_words, within_a_sentence, words
from clustersim.studies.grid import SIGNS, Grid, GridFigures, GridPlan
from clustersim.studies.study import ALIKE, Study, on_a_fixed_number, plain, simulations

if TYPE_CHECKING:
    import pandas as pd

REPLICATIONS = 16
"""So many at each point where nobody says how many: neighbours are paired, and a grid has many points."""
SAMPLED = 200
"""Points that are made to guess how long all of a grid will take."""
MOST_NAMED = 6
"""Points that a sentence names; of more it says how many."""
TOGETHER = "at 95 % over all points together"
"""The differences in the table hold at 95 % each, so that one may be distinguishable there and not here."""


@dataclass(frozen=True)
class SweepPlan:
    """What a sweep is going to simulate, and about how long that takes: what `--dry-run` prints."""

    grid: Grid
    replications: int
    retune: bool
    seconds: float
    workers: int

    def to_dict(self) -> dict[str, Any]:
        """Return what `--dry-run --json` prints."""
        axes = [axis.to_dict() for axis in self.grid.axes]
        counts = {"points": len(self.grid), "replications": self.replications, "workers": self.workers}
        return {"axes": axes, **counts, "retune": self.retune, "run_s": self.seconds}

    def __str__(self) -> str:
        each, cores = counted(self.replications, "replication"), counted(self.workers, "worker")
        return (
            f"{counted(len(self.grid), 'point')} of {each} each,"
            f" {whole(len(self.grid) * self.replications)} in all: about {duration(self.seconds)} on {cores}."
        )


@dataclass(frozen=True)
class Sweep(Study):
    """The answer of `sweep`: each metric at each point of a grid, with its difference to the scenario.

    `metrics` are all metrics by path, and `chosen` the paths of those that were asked about; what came of
    them, `found`, is read with `estimate`, `difference`, `alike`, `interval` and `frame`.
    """

    file = "sweep.json"
    points = "points"
    grid: Grid
    retune: bool
    metrics: Mapping[str, Metric]
    chosen: Sequence[str]
    found: GridFigures

    @classmethod
    def of(cls, plan: GridPlan, found: GridFigures, chosen: Sequence[str] = ("ettr",)) -> Sweep:
        """Return what was *found* of a grid, as the answer about the *chosen* metrics."""
        given = plan.grid.designs[0]
        count = given.simulation.replications
        return cls(given, given, count, plan.grid, plan.retune, plan.metrics, chosen, found)

    @cached_property
    def places(self) -> Mapping[str, int]:
        """In which row each metric stands."""
        return {path: place for place, path in enumerate(self.metrics)}

    @property
    def advice(self) -> list[Advice]:
        """Where each metric that was asked about is best, and what is indistinguishable from that."""
        return [*_advice(self), *self.caveats()]

    def estimate(self, path: str, index: int | None = None) -> ConfidenceInterval:
        """Return a metric at a point, or of the scenario as it is, with both ends of its interval."""
        figures = self.found.baseline if index is None else self.found.figures[index]
        return _known(figures[self.places[path]])

    def difference(self, path: str, index: int) -> ConfidenceInterval:
        """Return how a metric at a point differs from the scenario as it is, with both ends."""
        return _known(self.found.differences[index, self.places[path]])

    def interval(self, index: int) -> ConfidenceInterval:
        """Return the interval between saves at a point (s), and the ends of the range that is as good.

        The ends are known where each point has its best interval, and something fails there.
        """
        return _known(np.array([self.found.interval_s[index], *self.found.range_s[index]]))

    def interval_words(self, index: int) -> tuple[str, str]:
        """Return the best interval at a point, and the range that is as good; where there is none, why."""
        best, low, high = self.interval(index)
        if low is None:
            return NOTHING, "nothing fails"
        return duration(best), f"{duration(low)} to {duration(high)}"

    def label(self, path: str) -> str:
        """Return what a metric is called within a sentence."""
        return within_a_sentence(self.metrics[path])

    def words(self, path: str, index: int | None = None) -> str:
        """Return a metric at a point with its interval, in its unit."""
        return words(self.metrics[path], self.estimate(path, index), self.currency)

    def distinguishable(self, path: str, index: int) -> bool:
        """Return whether a metric at a point differs from the scenario as it is beyond chance, at 95 %."""
        return bool(self.found.told[index, self.places[path]])

    def difference_words(self, path: str, index: int) -> str:
        """Return the difference to the scenario as it is, or that there is none beyond chance."""
        difference = self.difference(path, index)
        mean, width = difference.mean, difference.half_width
        known = width is not None or self.metrics[path].averaged
        if mean is not None and known and not self.distinguishable(path, index):
            return ALIKE if mean or width else "the same"
        return gap_words(self.metrics[path], difference, self.currency)

    def falls_short(self, path: str) -> bool:
        """Return whether even the best point is worse by a metric than what there is now, beyond chance."""
        if path not in self.found.best:
            return False
        index = self.found.best[path].point
        difference = self.difference(path, index).mean
        is_worse = difference is not None and SIGNS[self.metrics[path].better] * difference < 0
        return is_worse and self.distinguishable(path, index)

    def best_point(self, path: str) -> str:
        """Return which point is the best by a metric that has one, and whether it beats what there is now."""
        best, label = self.grid.say(self.found.best[path].point), self.label(path)
        if self.falls_short(path):
            return f"None of the points beats the scenario as it is by {label}; the best of them: {best}"
        return f"Best by {label}: {best}"

    def alike(self, path: str) -> Sequence[int]:
        """Return the points that are indistinguishable from the best by a metric, the best among them."""
        return self.found.best[path].indistinguishable if path in self.found.best else ()

    def ranked(self, most: int) -> list[int]:
        """Return all points in their order, or the best ones by the first metric where there are too many."""
        everything = range(len(self.grid))
        if len(everything) <= most:
            return list(everything)
        path = self.chosen[0]
        means = self.found.figures[:, self.places[path], 0] * SIGNS.get(self.metrics[path].better, 1.0)
        order = np.argsort(np.where(np.isnan(means), math.inf, -means), kind="stable")
        return [int(index) for index in order[:most]]

    def body(self) -> Mapping[str, Any]:
        """Return the numbers as plain data; what is unknown is null."""
        return {**self._head(), "points": [self._point(index) for index in range(len(self.grid))]}

    def _head(self) -> dict[str, Any]:
        return {
            "study": "sweep",
            "axes": [axis.to_dict() for axis in self.grid.axes],
            "retune": self.retune,
            "metrics": list(self.metrics),
            "baseline": {path: plain(self.estimate(path)) for path in self.metrics},
            "best": {
                path: {"index": index, "indistinguishable": list(alike)}
                for path, (index, alike) in self.found.best.items()
            },
        }

    def _point(self, index: int) -> dict[str, Any]:
        interval, *ends = self.interval(index)
        differences = {path: self.difference(path, index) for path in self.metrics}
        return {
            "index": index,
            "at": {path: value._asdict() for path, value in self.grid.at(index).items()},
            "interval_s": interval,
            "range_s": None if None in ends else ends,
            "metrics": {path: plain(self.estimate(path, index)) for path in self.metrics},
            "differences": {
                path: plain(apart) | {"distinguishable": self.distinguishable(path, index)}
                for path, apart in differences.items()
            },
        }

    @property
    def frame(self) -> pd.DataFrame:
        """A pandas frame with a row for each point: axes, metrics with both ends, differences with both ends.

        Of an axis of quantities the frame has the numbers in SI units, else the texts.
        """
        import pandas as pd

        numbers = np.unravel_index(np.arange(len(self.grid)), self.grid.shape)
        columns: dict[str, Any] = {"index": np.arange(len(self.grid))}
        for axis, chosen in zip(self.grid.axes, numbers, strict=True):
            sizes = [value.si for value in axis.values]
            listed = [value.text for value in axis.values] if None in sizes else sizes
            columns[axis.path] = np.array(listed)[chosen]
        columns["interval_s"] = self.found.interval_s
        columns["range_s.low"], columns["range_s.high"] = self.found.range_s.T
        for path, place in self.places.items():
            for end, name in enumerate(("", ".low", ".high")):
                columns[f"{path}{name}"] = self.found.figures[:, place, end]
            for end, name in enumerate(("", ".low", ".high")):
                columns[f"{path}.difference{name}"] = self.found.differences[:, place, end]
        return pd.DataFrame(columns)

    def save(self, folder: str | PathLike[str]) -> Path:
        """Write the answer to *folder*: `sweep.json`, and its table as `sweep.csv` and `sweep.parquet`."""
        path = Path(folder) / self.file
        path.parent.mkdir(parents=True, exist_ok=True)
        with folders.replacing_file(path) as new, new.open("w", encoding="utf-8") as file:
            file.writelines(self._lines())
        table = self.frame
        with folders.replacing_file(path.with_suffix(".csv")) as new:
            table.to_csv(new, index=False, lineterminator="\n")
        with folders.replacing_file(path.with_suffix(".parquet")) as new:
            table.to_parquet(new, index=False)
        return path

    def _lines(self) -> Iterator[str]:
        """Yield what the file holds, a point to a line, so that they are never in memory all together."""
        untimed = {name: value for name, value in self.framed(self._head()).items() if name != "wall_s"}
        yield f'{_text(untimed)[:-1]}, "points": [\n'
        for index in range(len(self.grid)):
            yield f"{_text(self._point(index))}{',' if index + 1 < len(self.grid) else ''}\n"
        yield "]}\n"


def _text(value: Any) -> str:
    return json.dumps(value, allow_nan=False, ensure_ascii=False)


def _known(row: Floats) -> ConfidenceInterval:
    return ConfidenceInterval(*(None if math.isnan(value) else float(value) for value in row))


def sweep(
    scenario: ScenarioSource,
    output: Output = None,
    *,
    vary: Mapping[str, str | Sequence[str]],
    designs: Sequence[ScenarioSource] = (),
    metrics: Sequence[str] = (),
    retune: bool = False,
    settings: Settings | None = None,
    **keywords: Any,
) -> Sweep:
    """Simulate a scenario with all combinations of values in some places, paired, and return every metric.

    *vary* has a list of values by dotted path: {"cluster.spares": "0,10,20", "recovery.stages.restart":
    "1min..10min:5log"}, or a sequence of texts.  Other *designs* are swept in the same way, side by side.
    The sentences are about *metrics*, ETTR unless others are named.  With *retune* each point has its own
    best interval between saves.  With *output*, `sweep.json`, `sweep.csv` and `sweep.parquet` are written to
    that folder.

    16 replications at each point, unless the scenario or the settings say how many.  Keywords are fields of
    `Settings`.  Raises ScenarioError or ChoiceError, before anything is simulated, for what cannot be swept,
    and RunError where the run cannot go on.
    """
    how, grid = _prepared(scenario, designs, vary, settings, keywords)
    planned = GridPlan.of(grid, retune)
    chosen = _chosen(metrics, grid.designs[0], planned.metrics)
    question = {"grid": grid.key, "retune": str(retune)}
    with simulations(how, output, "sweep", question=question, condensed=True) as running:
        points = planned.simulated(running)
        running.end_of_part()
        return running.finished(Sweep.of(planned, points.found(chosen), chosen), output)


def plan(
    scenario: ScenarioSource,
    *,
    vary: Mapping[str, str | Sequence[str]],
    designs: Sequence[ScenarioSource] = (),
    retune: bool = False,
    settings: Settings | None = None,
    **keywords: Any,
) -> SweepPlan:
    """Return what the same call of `sweep` would simulate, and about how long it would take."""
    how, grid = _prepared(scenario, designs, vary, settings, keywords)
    count, some = grid.designs[0].simulation.replications, min(len(grid), SAMPLED)
    sample = [grid.scenario(int(index)) for index in np.linspace(0, len(grid) - 1, some)]
    each = sum(map(replication_s, sample)) / len(sample)
    seconds = len(grid) * count * each * (2 if retune else 1) / how.processes
    return SweepPlan(grid, count, retune, seconds, how.processes)


def _prepared(
    scenario: ScenarioSource,
    designs: Sequence[ScenarioSource],
    vary: Mapping[str, str | Sequence[str]],
    settings: Settings | None,
    keywords: Mapping[str, Any],
) -> tuple[Settings, Grid]:
    how = on_a_fixed_number(merged(settings, keywords))
    first = on_a_number(how.load(scenario), REPLICATIONS)
    loaded = [first, *(on_the_same(how.load(each), first) for each in designs)]
    names = [each.name for each in loaded]
    for name in names:
        if names.count(name) > 1:
            raise ChoiceError(f'two designs are named "{name}"; give one of them another name')
    return how, Grid.of(loaded, vary)


def _chosen(metrics: Sequence[str], scenario: Scenario, known: Mapping[str, Metric]) -> list[str]:
    """Return the metrics that were asked about; raises ChoiceError for one that no point has."""
    for path in metrics:
        if path.removesuffix(".mean") not in known:
            raise ChoiceError(f"{scenario.name}: {ScenarioFigures(scenario).why_not(path)}")
    return [path.removesuffix(".mean") for path in metrics] or ["ettr"]


def _advice(sweep: Sweep) -> Iterator[Advice]:
    for path in sweep.chosen:
        label = sweep.label(path)
        if path not in sweep.found.best:
            yield Advice(_why_no_best(sweep, path))
            continue
        index, alike = sweep.found.best[path]
        text = f"{sweep.best_point(path)}, {sweep.words(path, index)}"
        yield Advice(f"{text} ({_against(sweep, path, index)}).")
        others = [each for each in alike if each != index]
        if sweep.replications > 1 and len(sweep.grid) > 1:
            yield Advice(_alike(sweep, path, others))
        yield from _at_an_end(sweep, label, alike)
    for axis in sweep.grid.axes:
        if axis.rounded:
            listed = ", ".join(value.text for value in axis.values[:12])
            end = ", ..." if len(axis.values) > 12 else "."
            yield Advice(f"Values of {axis.path} are rounded: {listed}{end}")


def _against(sweep: Sweep, path: str, index: int) -> str:
    """Return how the best point compares with the scenario as it is."""
    difference, now = sweep.difference_words(path, index), sweep.words(path)
    if difference in (ALIKE, "the same"):
        return f"{difference}{' from' if difference == ALIKE else ' as'} the scenario as it is, {now}"
    return f"{difference} against the scenario as it is, {now}"


def _why_no_best(sweep: Sweep, path: str) -> str:
    """Return why no point is the best by a metric."""
    metric = sweep.metrics[path]
    if not metric.better:
        why = "has no better and worse"
    elif not metric.averaged:
        why = "is no mean over replications, so that points are not told from each other beyond chance"
    else:
        why = "is not known at any point"
    return f"{metric.label} {why}: see the table."


def _alike(sweep: Sweep, path: str, others: Sequence[int]) -> str:
    """Return which points are indistinguishable from the best."""
    if not others:
        unknown = int(np.isnan(sweep.found.figures[:, sweep.places[path], 0]).sum())
        if unknown == len(sweep.grid) - 1:
            return "At no other point is it known."
        where = " at which it is known" if unknown else ""
        return f"By {sweep.label(path)} every other point{where} is distinguishable from it {TOGETHER}."
    if len(others) <= MOST_NAMED:
        listed = "; ".join(map(sweep.grid.say, others))
        return f"Indistinguishable from it {TOGETHER}: {listed}."
    if len(others) == len(sweep.grid) - 1:
        return f"Every other point is indistinguishable from it {TOGETHER}."
    among = counted(len(sweep.grid) - 1, "point")
    return f"{len(others)} of the other {among} are indistinguishable from it {TOGETHER}."


def _at_an_end(sweep: Sweep, label: str, alike: Sequence[int]) -> Iterator[Advice]:
    """Say of which axes the best lies at an end, with nothing inside that is as good.

    Values may stand in any order; there is nothing below 0 to look at.
    """
    numbers = np.array(np.unravel_index(alike, sweep.grid.shape))
    at = []
    for axis, chosen in zip(sweep.grid.axes, numbers, strict=True):
        best, sizes = axis.values[chosen[0]], [value.si for value in axis.values if value.si is not None]
        alone = bool((chosen == chosen[0]).all())
        if alone and len(sizes) > 2 and best.si and best.si in (min(sizes), max(sizes)):
            at.append(f"{axis.path} ({best.text})")
    if at:
        yield Advice(
            f"By {label} the best lies at the end of {' and of '.join(at)}: look beyond it too.", True
        )
