"""What a validation found: an outcome for each claim, and all of them together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clustersim.scenario.model import Scenario
from clustersim.validation.verdict import Interval

if TYPE_CHECKING:
    from clustersim.validation.estimator import Road


@dataclass(frozen=True, slots=True)
class Tried:
    """What was simulated with one of the values that a missing input may have had."""

    value: str
    simulated: Interval
    verdict: str


@dataclass(frozen=True, slots=True)
class Outcome:
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
    simulated: Interval
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
    tried: tuple[Tried, ...] = ()
    wall_s: float = 0.0


@dataclass(frozen=True)
class Validation:
    """Published claims against what is simulated: `cases` in the order of the files and of their claims.

    `scenarios` are those with the claims, by name; `made` is how it was done (version, command, workers,
    seconds, libraries), nothing of which changes a number.  `roads` are the first-order estimator and the
    simulation by size, where that was asked for.
    """

    cases: tuple[Outcome, ...]
    scenarios: Mapping[str, Scenario]
    made: Mapping[str, Any] = field(default_factory=dict)
    roads: tuple[Road, ...] = ()

    def __repr__(self) -> str:
        return f"<Validation: {sum(case.passed for case in self.cases)} of {len(self.cases)} cases passed>"

    @property
    def passed(self) -> bool:
        """Whether every claim is as it should be: controls differ, all others agree."""
        return all(case.passed for case in self.cases)

    def to_dict(self) -> dict[str, Any]:
        """Return what `validate --json` prints."""
        from clustersim.validation.output import validation_as_dict

        return validation_as_dict(self)

    def save(self, folder: str | PathLike[str]) -> None:
        """Write `validation.json` and `report.html` to *folder*, whole or not at all."""
        from clustersim.validation.output import save_validation

        save_validation(self, Path(folder))

    def report(self, path: str | PathLike[str]) -> Path:
        """Write the HTML report to *path*, and return it."""
        from clustersim.validation.output import report_of

        return report_of(self, Path(path))
