"""What a validation found: an outcome for each claim, and all of them together."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import Any

from clustersim import folders
from clustersim.report_hook import write_page
from clustersim.scenario.model import Scenario
from clustersim.store import RunError
from clustersim.validation.estimator import EstimatorCurve, curves_as_list
from clustersim.validation.verdict import ConfidenceInterval

SCHEMA_VERSION = 1
VALIDATION = "validation.json"


@dataclass(frozen=True, slots=True)
class Trial:
    """What was simulated with one of the values that a missing input may have had."""

    value: str
    simulated: ConfidenceInterval
    verdict: str

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {"value": self.value, "simulated": self.simulated.to_dict(), "verdict": self.verdict}


@dataclass(frozen=True, slots=True)
class ClaimResult:
    """One published claim: what was said, which range is accepted, what was simulated, and the verdict.

    `figure` is the word of what is compared, `of` which mode, entry or stage of it, `meaning` the sentence
    about it; `unit` is `share`, `s`, `nodes` and so on.  `difference` says that it is the paired difference
    of the scenario with `change` and with `minus`.  Where an input is `unknown` (its path), `tried` holds the
    values of it, and `simulated` is that with the first of them that agrees, else the first undecided, else
    the first.
    `wall_s` are the seconds that one core simulated for it.
    """

    name: str
    scenario: str
    claim: str
    title: str
    kind: str
    source: str
    says: str
    figure: str
    meaning: str
    unit: str
    value: float | None
    low: float | None
    high: float | None
    simulated: ConfidenceInterval
    verdict: str
    passed: bool
    replications: int
    of: str | None = None
    reads: str = ""
    assumes: tuple[str, ...] = ()
    difference: bool = False
    change: Mapping[str, Any] = field(default_factory=dict)
    minus: Mapping[str, Any] | None = None
    unknown: str | None = None
    tried: tuple[Trial, ...] = ()
    wall_s: float = 0.0

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data; what is unknown is null."""
        published = {name: getattr(self, name) for name in ("says", "value", "low", "high", "unit")}
        return {
            "name": self.name,
            "kind": self.kind,
            "title": self.title,
            "source": self.source,
            "published": published,
            "simulated": self.simulated.to_dict(),
            "verdict": self.verdict,
            "passed": self.passed,
            "figure": self.figure if self.of is None else {self.figure: self.of},
            "difference": self.difference,
            "reads": self.reads,
            "assumes": list(self.assumes),
            "change": dict(self.change),
            "minus": None if self.minus is None else dict(self.minus),
            "unknown": self.unknown,
            "tried": [one.to_dict() for one in self.tried],
            "replications": self.replications,
            "wall_s": round(self.wall_s, 3),
        }


@dataclass(frozen=True)
class Validation:
    """Published claims against what is simulated: `cases` in the order of the files and of their claims.

    `scenarios` are those with the claims, by name; `made` is how it was done (version, command, workers,
    seconds, libraries), nothing of which changes a number.  `curves` are the first-order estimator and the
    simulation by size, where that was asked for.
    """

    cases: tuple[ClaimResult, ...]
    scenarios: Mapping[str, Scenario]
    made: Mapping[str, Any] = field(default_factory=dict)
    curves: tuple[EstimatorCurve, ...] = ()

    def __repr__(self) -> str:
        return f"<Validation: {sum(case.passed for case in self.cases)} of {len(self.cases)} cases passed>"

    @property
    def passed(self) -> bool:
        """Whether every claim is as it should be: controls differ, all others agree."""
        return all(case.passed for case in self.cases)

    def to_dict(self) -> dict[str, Any]:
        """Return what `validate --json` prints."""
        return {
            "schema_version": SCHEMA_VERSION,
            "passed": self.passed,
            "cases": [case.to_dict() for case in self.cases],
            "version": self.made.get("version"),
            "estimator": curves_as_list(self.curves),
            "wall_s": self.made.get("wall_s"),
        }

    def save(self, folder: str | PathLike[str]) -> None:
        """Write `validation.json` and `report.html` to *folder*, whole or not at all.

        They take the place of the validation that was there.  The same claims and seed give the same JSON:
        how long it took is left out.
        """
        refuse_taken(Path(folder))
        new = folders.empty_beside(Path(folder))
        try:
            folders.write_json(new / VALIDATION, _without_times(self.to_dict()))
            self.report(new / folders.REPORT)
            folders.take_place(new, Path(folder))
        except BaseException:
            shutil.rmtree(new, ignore_errors=True)
            raise

    def report(self, path: str | PathLike[str]) -> Path:
        """Write the HTML report to *path*, and return it."""
        return write_page("write_validation", self, Path(path), self.made.get("command"))


def refuse_taken(folder: Path) -> None:
    """Raise `RunError` where *folder* is a file, or a folder with something else than a validation in it."""
    if folder.exists() and not folder.is_dir():
        raise RunError(f"{folder}: is a file, not a folder; give another -o")
    if folder.is_dir() and any(folder.iterdir()) and not (folder / VALIDATION).is_file():
        raise RunError(
            f"{folder}: holds something else than a validation, and is left alone; give another -o"
        )


def _without_times(values: dict[str, Any]) -> dict[str, Any]:
    cases = [{name: value for name, value in case.items() if name != "wall_s"} for case in values["cases"]]
    return {name: value for name, value in (values | {"cases": cases}).items() if name != "wall_s"}
