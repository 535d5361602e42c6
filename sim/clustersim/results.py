"""Results: the summary and the tables of a run, in memory or in its folder.

The summary holds every metric of the catalogue, from the replications and the scenario, as plain data.  What
is infinite or unknown is `None`, with the reason under `reasons`; how far a figure may be off by chance (half
a 95 % interval) stands under `margins`, by the path of the figure.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from clustersim import folders
from clustersim.arrays import Floats
from clustersim.engine.ledger import TOLERANCE, LedgerError
from clustersim.estimate import ConfidenceInterval, grouped, inputs_alone, within_draws
from clustersim.formatting import plus_minus
from clustersim.metrics.catalogue import SCHEMA_VERSION, SECTIONS, figures_of
from clustersim.metrics.cells import at, margin
from clustersim.metrics.metric import MetricFigure, Note
from clustersim.metrics.plausible import wrong_with
from clustersim.metrics.replications import FLEET, Replications
from clustersim.records import Records
from clustersim.report_hook import notebook, write_page
from clustersim.scenario import Scenario, dump, load
from clustersim.scenario.facts import by_draw, facts_of
from clustersim.store import ChoiceError, RunError

if TYPE_CHECKING:
    import pandas as pd


Summary = dict[str, Any]
IDENTITY = ("scenario_hash", "version", "source")
"""What of their provenance two runs have in common that have the same figures."""


class SummaryFigure(NamedTuple):
    """A metric of a run: its value, the ends of its 95 % interval, its unit, and what it means.

    A value that is infinite or unknown is None, and so are ends where there is no interval.
    """

    path: str
    label: str
    value: float | None
    low: float | None
    high: float | None
    unit: str
    meaning: str

    @classmethod
    def of(cls, figure: MetricFigure, summary: Mapping[str, Any]) -> SummaryFigure:
        """Return the figure of a run with this *summary*."""
        metric, path, value = figure.metric, figure.path, at(summary, figure.path)
        width = margin(summary, metric.margin or path)
        known = value is not None and width is not None
        ends = ConfidenceInterval(None, value - width, value + width) if known else ConfidenceInterval()
        _, low, high = ends.within(0.0, metric.highest)
        return cls(path, metric.label, value, low, high, metric.unit, metric.meaning)


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
        provenance = folders.read_json(path / folders.PROVENANCE)
        for name in (folders.SCENARIO, folders.SUMMARY):
            folders.check_file(path, name, provenance)
        summary = folders.read_json(path / folders.SUMMARY)
        if summary.get("schema_version") != SCHEMA_VERSION:
            raise RunError(f"{path}: written by another version; run its {folders.SCENARIO} again")
        scenario = load(path / folders.SCENARIO)
        for why in wrong_with(summary, facts_of(scenario)):
            raise RunError(f"{path / folders.SUMMARY}: {why}; run the scenario again with --force")
        return cls(scenario, summary, provenance, folder=path)

    def __repr__(self) -> str:
        ettr = plus_minus(self.summary["ettr"]["mean"], self.summary["half_width"])
        return f"<Results {self.name!r}: ETTR {ettr}, {self.summary['replications']} replications>"

    def _repr_html_(self) -> str | None:
        """Return the first screen of the run, which a notebook shows."""
        return notebook("notebook_runs", [self])

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
        """One row per incident; None where the run leaves them out."""
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
    def ettr_by_replication(self) -> Floats:
        """ETTR of each replication, in order."""
        return self.values_of("ettr")

    @cached_property
    def figures(self) -> Mapping[str, SummaryFigure]:
        """Every metric of the summary by its path, typed, with its interval and its meaning.

        As a pandas frame: `pd.DataFrame(results.figures.values())`.
        """
        known = {figure.path: figure for figure in figures_of(facts_of(self.scenario)).values()}
        return {
            path: SummaryFigure.of(figure, self.summary)
            for path, figure in known.items()
            if path in self.summary["reasons"] or at(self.summary, path) is not None
        }

    def values_of(self, metric: str) -> Floats:
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
            replications = _replications(self.scenario, self._records)
        else:
            table = self.replications
            columns = {name: np.asarray(table[name]) for name in table.columns}
            replications = Replications(facts, columns | by_draw(self.scenario, len(table)))
        try:
            return np.asarray(figure.measure.values(figure.rows(replications)))
        except LookupError:
            why = f"does not hold {metric} by replication; simulate it again"
            raise RunError(f"{self.folder}: {why}") from None

    def report(self, path: str | PathLike[str] | None = None, command: str | None = None) -> Path:
        """Write the HTML report of this run, to its folder unless *path* says otherwise; return its path.

        *command* is shown as what made it.
        """
        target = self.folder / folders.REPORT if path is None and self.folder else path
        if target is None:
            raise RunError("this run is in no folder; say where the report goes")
        return write_page("write_report", [self], Path(target), None, command)

    def save(self, folder: str | PathLike[str], *, incidents: bool = True) -> Path | None:
        """Write the run folder, whole or not at all.

        Another run that is there, of another scenario or by another version, is kept under another name with
        its studies and its report, which is returned; on a mount point it is replaced.
        """
        target = Path(folder)
        folders.refuse_taken(target)
        kept, mine = None, self.provenance | {"scenario_hash": self.scenario.hash}
        if folders.is_run_folder(target) and not os.path.ismount(target):
            old = folders.read_json(target / folders.PROVENANCE)
            if not is_of_the_same(old, mine):
                kept = folders.set_aside(target, str(old.get("finished")))
        try:
            with folders.replacing(target) as new:
                self._write(new, incidents)
        except BaseException:
            if kept is not None:
                with suppress(OSError):  # where it stays, under its other name
                    os.rename(kept, kept.with_name(kept.name.rpartition("@")[0]))
            raise
        if not incidents:
            (target / "incidents.parquet").unlink(missing_ok=True)
        self.folder, self._records = target, ()
        return kept

    def check_files(self) -> None:
        """Raise RunError unless every file of the run folder is as it was written."""
        files = self.provenance.get("files")
        for name in files if isinstance(files, dict) else ():
            if self.folder is not None:
                folders.check_file(self.folder, name, self.provenance)

    def _write(self, folder: Path, incidents: bool) -> None:
        from clustersim import tables

        folders.write_text(folder / folders.SCENARIO, dump(self.scenario))
        if self._records:
            tables.write(self.scenario, self._records, folder, incidents)
        elif self.folder:
            tables.copy(self.folder, folder, incidents)
        folders.write_json(folder / folders.SUMMARY, self.summary)
        self.provenance |= {"scenario_hash": self.scenario.hash, "files": folders.checksums(folder)}
        folders.write_json(folder / folders.PROVENANCE, self.provenance)

    def _frame(self, table: str) -> pd.DataFrame:
        from clustersim import tables

        made: pd.DataFrame
        if self.folder:
            folders.check_file(self.folder, f"{table}.parquet", self.provenance)
            made = tables.read(self.folder, table, self.summary["replications"])
        else:
            made = tables.frame(self.scenario, self._records, table)
        return made


def is_of_the_same(made: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Return whether two runs with these provenances are of the same scenario, by the same program."""
    return all(made.get(name) == other.get(name) for name in IDENTITY)


def summarise(scenario: Scenario, records: Sequence[Records]) -> Summary:
    """Return the summary of *records*, the replications 0, 1, 2, ... of *scenario*.

    Raises LedgerError where the shares of a replication do not add up.
    """
    replications = _replications(scenario, records)
    _check(replications)
    has = replications.facts.has - (set() if all(each.fleet for each in records) else {FLEET})
    summary: Summary = {"margins": {}, "reasons": {}}
    for entry in (each for section in SECTIONS for each in section.entries):
        there = has.issuperset(entry.needs)
        if isinstance(entry, Note):
            if there:
                _set(summary, entry.path, entry.value(replications))
        elif entry.in_summary and (there or entry.else_null):
            if entry.path.endswith(">"):
                _set(summary, entry.path.rpartition(".")[0], {})
            for figure in entry.figures(replications.facts):
                _add(summary, figure, replications)
    if replications.per_draw:
        summary["half_width"] = summary["margins"]["ettr"]
    last = [name for name in ("margins", "inputs", "reasons") if name in summary]
    summary |= {name: summary.pop(name) for name in last}
    return summary if summary["random"] else _exact(summary)


def _replications(scenario: Scenario, records: Sequence[Records]) -> Replications:
    return Replications.of(facts_of(scenario), records, by_draw(scenario, len(records)))


def _exact(summary: Summary) -> Summary:
    """Return the *summary* of replications in which nothing was drawn: each says it all, one is enough."""
    ettr, goal = summary["ettr"], summary.get("precision")
    summary["margins"] = dict.fromkeys(summary["margins"], 0.0)
    summary["half_width"] = 0.0
    summary["ettr"] = ettr | {"low": ettr["mean"], "high": ettr["mean"]}
    for end in ("ettr.low", "ettr.high"):
        summary["reasons"].pop(end, None)
    if goal:
        summary["precision"] = goal | {"reached": 0.0, "met": True}
    return summary


def _set(summary: Summary, path: str, value: Any) -> None:
    *blocks, name = path.split(".")
    for block in blocks:
        summary = summary.setdefault(block, {})
    summary[name] = value


def _add(summary: Summary, figure: MetricFigure, replications: Replications) -> None:
    """Set *figure*, with its margin, or null with the reason."""
    metric, measure, path = figure.metric, figure.measure, figure.path
    rows, per_draw = figure.rows(replications), replications.per_draw
    estimate = measure.estimate(grouped(rows, per_draw) if per_draw and measure.averages else rows)
    _set(summary, path, None if estimate is None else estimate.mean)
    if estimate is None and metric.unknown:
        reason = metric.unknown if isinstance(metric.unknown, str) else metric.unknown(replications)
        summary["reasons"][path] = reason
    elif estimate is not None and measure.margin:
        name = metric.margin or path
        summary["margins"][name] = estimate.half_width
        if per_draw:
            summary["margins"][name] = within_draws(measure.values(rows), per_draw).half_width
            of_draws = measure.values(rows.reshape(-1, per_draw, rows.shape[1]))
            summary.setdefault("inputs", {})[name] = inputs_alone(of_draws)


def _check(replications: Replications) -> None:
    """Raise `LedgerError` unless entries sum to 1 and causes to what is not productive."""
    if np.abs(replications["ledger"].sum(axis=1) - 1).max() > TOLERANCE:
        raise LedgerError("the shares of the ledger do not sum to 1")
    if np.abs(replications["charges"].sum(axis=(1, 2)) - (1 - replications["ettr"])).max() > TOLERANCE:
        raise LedgerError("the causes do not sum to 1 - ETTR")
