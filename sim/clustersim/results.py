"""Results: what a run found, in memory or in its folder; and comparisons of several."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from clustersim import folders
from clustersim.estimate import Estimate, paired
from clustersim.formatting import plus_minus
from clustersim.metrics.catalogue import SCHEMA_VERSION, figures_of
from clustersim.metrics.replications import Replications
from clustersim.records import Records
from clustersim.report_hook import write_page
from clustersim.scenario import Scenario, dump, load
from clustersim.scenario.facts import facts_of
from clustersim.store import ChoiceError, RunError
from clustersim.summary import summarise

if TYPE_CHECKING:
    import pandas as pd

Array = np.ndarray[Any, np.dtype[np.float64]]


class Results:
    """One run of a scenario: its summary, its tables as pandas frames, and how it was made.

    The frames are read, or made, when they are first asked for.
    """

    def __init__(
        self,
        scenario: Scenario,
        summary: Mapping[str, Any],
        provenance: Mapping[str, Any],
        *,
        records: Sequence[Records] = (),
        folder: Path | None = None,
    ) -> None:
        self.scenario = scenario
        self.summary = dict(summary)
        self.provenance = dict(provenance)
        self.folder = folder
        self._records = records

    @classmethod
    def of(cls, scenario: Scenario, records: Sequence[Records], provenance: Mapping[str, Any]) -> Results:
        """Return the results of the replications 0, 1, 2, ... of *scenario*."""
        return cls(scenario, summarise(scenario, records), provenance, records=records)

    @classmethod
    def load(cls, folder: str | PathLike[str]) -> Results:
        """Return the run in *folder*; raise `RunError` where there is none."""
        path = Path(folder)
        if not path.exists():
            raise RunError(f"{path}: no such run folder")
        if not folders.is_run_folder(path):
            raise RunError(f"{path}: not the folder of a finished run; `clustersim run` makes one")
        summary = folders.read_json(path / folders.SUMMARY)
        if summary.get("schema_version") != SCHEMA_VERSION:
            raise RunError(f"{path}: written by another version; run its {folders.SCENARIO} again")
        provenance = folders.read_json(path / folders.PROVENANCE)
        return cls(load(path / folders.SCENARIO), summary, provenance, folder=path)

    def __repr__(self) -> str:
        ettr = plus_minus(self.summary["ettr"]["mean"], self.summary["half_width"])
        return f"<Results {self.name!r}: ETTR {ettr}, {self.summary['replications']} replications>"

    @property
    def name(self) -> str:
        """The scenario's name."""
        return self.scenario.name

    @cached_property
    def replications(self) -> pd.DataFrame:
        """One row per replication."""
        return self._frame("replications")

    @cached_property
    def incidents(self) -> pd.DataFrame | None:
        """One row per incident; None where the run was told to leave them out."""
        if self.folder and not (self.folder / "incidents.parquet").is_file():
            return None
        return self._frame("incidents")

    @cached_property
    def timeline(self) -> pd.DataFrame:
        """Productive share of card-time in equal bins of the run."""
        return self._frame("timeline")

    @cached_property
    def strip(self) -> pd.DataFrame:
        """A window of replication 0, activity by activity."""
        return self._frame("strip")

    @property
    def is_random(self) -> bool:
        """Whether anything was drawn at random; where nothing was, every replication is the same."""
        return bool(self.summary.get("random", True))

    @property
    def ettr_by_replication(self) -> Array:
        """ETTR of each replication, in order."""
        return self.values_of("ettr")

    def values_of(self, metric: str) -> Array:
        """Return a number for each replication of the *metric* at a path of the summary, in order.

        Of a mean or a quotient over replications they have the figure as their mean, and its interval as that
        of their mean: subtract those of another run, pair by pair, for the difference with its interval.  Of
        other metrics they are what the figure was taken from.  Raises ChoiceError where the scenario has no
        such metric, and RunError where the run folder does not hold it by replication.
        """
        facts = facts_of(self.scenario)
        figure = figures_of(facts).get(metric)
        if figure is None or facts.missing(figure.metric.needs):
            raise ChoiceError(f'{self.name}: there is no metric "{metric}" in it; see its summary')
        if self._records:
            replications = Replications.of(facts, self._records)
        else:
            table = self.replications
            replications = Replications(facts, {name: np.asarray(table[name]) for name in table.columns})
        try:
            return np.asarray(figure.measure.values(figure.rows(replications)))
        except LookupError:
            why = f"does not hold {metric} by replication; simulate it again"
            raise RunError(f"{self.folder}: {why}") from None

    def report(self, path: str | PathLike[str] | None = None) -> Path:
        """Write the HTML report of this run, to its folder unless *path* says otherwise; return its path."""
        return write_report([self], _report_path(path, self.folder))

    def save(self, folder: str | PathLike[str], *, incidents: bool = True) -> None:
        """Write the run folder, whole or not at all; it takes the place of the run that was there."""
        target = Path(folder)
        folders.refuse_taken(target)
        new = folders.empty_beside(target)
        try:
            self._write(new, incidents)
            folders.take_place(new, target)
        except BaseException:
            shutil.rmtree(new, ignore_errors=True)
            raise
        self.folder, self._records = target, ()

    def _write(self, folder: Path, incidents: bool) -> None:
        from clustersim import tables

        folders.write_text(folder / folders.SCENARIO, dump(self.scenario))
        if self._records:
            tables.write(self.scenario, self._records, folder, incidents)
        elif self.folder:
            tables.copy(self.folder, folder, incidents)
        folders.write_json(folder / folders.PROVENANCE, self.provenance)
        folders.write_json(folder / folders.SUMMARY, self.summary)

    def _frame(self, table: str) -> pd.DataFrame:
        from clustersim import tables

        made: pd.DataFrame
        if self.folder:
            made = tables.read(self.folder, table)
        else:
            made = tables.frame(self.scenario, self._records, table)
        return made


@dataclass(frozen=True)
class Difference:
    """How a scenario's ETTR differs from the baseline's, paired replication by replication."""

    name: str
    baseline: str
    ettr: Estimate
    effective_gpus: Estimate

    def to_dict(self) -> dict[str, Any]:
        """Return the difference as `compare --json` prints it."""
        return {
            "name": self.name,
            "baseline": self.baseline,
            "ettr_difference": _interval(self.ettr),
            "effective_gpus_difference": _interval(self.effective_gpus),
            "distinguishable": self.ettr.distinguishable,
        }


@dataclass(frozen=True)
class SizeStep:
    """What the cards between two sizes return: extra effective cards, all together and per extra card."""

    smaller: str
    larger: str
    extra_gpus: int
    extra_effective_gpus: Estimate

    @property
    def marginal_return(self) -> Estimate:
        """Extra effective cards per extra card; below 0 where the extra cards cost effective ones."""
        return self.extra_effective_gpus.scaled(1 / self.extra_gpus)

    def to_dict(self) -> dict[str, Any]:
        """Return the step as `compare --json` prints it."""
        return {
            "smaller": self.smaller,
            "larger": self.larger,
            "extra_gpus": self.extra_gpus,
            "extra_effective_gpus": _interval(self.extra_effective_gpus),
            "marginal_return": _interval(self.marginal_return),
        }


def _interval(estimate: Estimate) -> dict[str, float | None]:
    return {"mean": estimate.mean, "low": estimate.low, "high": estimate.high}


class Comparison:
    """Several runs side by side: differences to a baseline, and what each step in size returns."""

    def __init__(self, results: Sequence[Results], baseline: str | None = None) -> None:
        self.results = tuple(results)
        names = [one.name for one in self.results]
        self.baseline = names[0] if baseline is None else baseline
        if self.baseline not in names:
            raise ChoiceError(f'no scenario is named "{self.baseline}"; baselines: {", ".join(names)}')

    def __repr__(self) -> str:
        return f"<Comparison of {', '.join(one.name for one in self.results)} to {self.baseline}>"

    @cached_property
    def differences(self) -> tuple[Difference, ...]:
        """The paired differences of all others to the baseline, in the order given."""
        base = next(one for one in self.results if one.name == self.baseline)
        return tuple(_difference(one, base) for one in self.results if one is not base)

    @cached_property
    def steps(self) -> tuple[SizeStep, ...]:
        """The steps from each size to the next larger one; of several runs of one size the first counts."""
        sizes: dict[int, Results] = {}
        for one in self.results:
            sizes.setdefault(one.scenario.cluster.gpus, one)
        ordered = [sizes[size] for size in sorted(sizes)]
        return tuple(_step(smaller, larger) for smaller, larger in pairwise(ordered))

    def to_dict(self) -> dict[str, Any]:
        """Return what `compare --json` prints."""
        return {
            "scenarios": [one.summary for one in self.results],
            "baseline": self.baseline,
            "differences": [one.to_dict() for one in self.differences],
            "steps": [one.to_dict() for one in self.steps],
        }

    def report(self, path: str | PathLike[str]) -> Path:
        """Write one HTML report of all runs; return its path."""
        return write_report(self.results, Path(path), self)

    def save(self, folder: str | PathLike[str]) -> None:
        """Write `comparison.json` to *folder*, which holds the run folders."""
        runs = [one.folder.name if one.folder else None for one in self.results]
        folders.write_json(Path(folder) / folders.COMPARISON, {"runs": runs} | self.to_dict())


def _paired(metric: str, one: Results, base: Results) -> Estimate:
    """Return how much more of a *metric* one run has than its base, over the replications that both have.

    Where nothing is random one replication stands for any number; where nothing is in either run, two that
    are alike show that there is no doubt.
    """
    runs = [(run.is_random, run.values_of(metric)) for run in (one, base)]
    count = min((len(values) for random, values in runs if random), default=2)
    return paired(*(values[:count] if random else np.full(count, values[0]) for random, values in runs))


def _difference(one: Results, base: Results) -> Difference:
    return Difference(one.name, base.name, _paired("ettr", one, base), _paired("effective_gpus", one, base))


def _step(smaller: Results, larger: Results) -> SizeStep:
    extra = larger.scenario.cluster.gpus - smaller.scenario.cluster.gpus
    return SizeStep(smaller.name, larger.name, extra, _paired("effective_gpus", larger, smaller))


def write_report(
    results: Sequence[Results], path: Path, comparison: Comparison | None = None, command: str | None = None
) -> Path:
    """Write the HTML report of *results* to *path*, whole or not at all; return the path."""
    return write_page("write_report", results, path, comparison, command)


def _report_path(path: str | PathLike[str] | None, folder: Path | None) -> Path:
    if path is not None:
        return Path(path)
    if folder is None:
        raise RunError("this run is in no folder; say where the report goes")
    return folder / folders.REPORT
