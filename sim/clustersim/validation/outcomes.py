"""What came of published claims: their verdicts, all of them together, and what they say in words."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import Any

from clustersim import folders
from clustersim.advice import Advice
from clustersim.estimate import ConfidenceInterval
from clustersim.formatting import NOTHING, duration, measured, plus_minus, points, significant, whole
from clustersim.report_hook import write_page
from clustersim.scenario.keys.remarks import SECONDS, SHARE
from clustersim.scenario.model import Scenario
from clustersim.studies.change import setting
from clustersim.studies.study import Answer, named
from clustersim.units import DURATION, format_duration
from clustersim.validation.estimator import EstimatorCurve, curves_as_list

SCHEMA_VERSION = 2
AGREES, DIFFERS, UNDECIDED = "agrees", "differs", "undecided"
CONTROL = "control"
FITTED = "fitted"
ROUNDING = 1e-9
"""Relative error of the arithmetic: a figure that meets a bound but for this much meets it."""
MOST_NAMED = 5
"""More names make no sentence."""
LOPSIDED = 0.1
"""Share of its half-width by which an interval's middle is off, so that it is shown by its two ends."""
NEGLIGIBLE = 2.5e-5
"""Half-width, as a share of the figure, below which nobody wants to see it."""
READABLE = 100
"""By how much a duration may differ from another and still be read in the same unit."""
GIVEN_DIGITS = 5
"""Published figures have no more."""
DOES = {AGREES: "agrees", UNDECIDED: "is undecided", DIFFERS: "differs"}

KINDS = {
    "exact": ("published figure reproduced", "published figures reproduced"),
    "band": ("published range met", "published ranges met"),
    "control": ("control refuted", "controls refuted"),
    "formula": ("answer of a formula met", "answers of formulas met"),
    "plumbing": ("figure that went in came out", "figures that went in came out (plumbing)"),
    FITTED: ("claim met with a fitted input", "claims met with a fitted input"),
}
APART = ("plumbing", FITTED)
"""Kinds that are no evidence where they are met."""


def verdict(simulated: ConfidenceInterval, low: float | None, high: float | None) -> str:
    """Return whether *simulated* agrees with the accepted range; an end of it that is None is open.

    It agrees where the whole interval lies within the range, differs where the whole interval lies outside,
    and is undecided where it straddles an end, or is not known: more replications would tell.
    """
    if simulated.low is None or simulated.high is None:
        return UNDECIDED
    lowest = -math.inf if low is None else low - ROUNDING * abs(low)
    highest = math.inf if high is None else high + ROUNDING * abs(high)
    if lowest <= simulated.low and simulated.high <= highest:
        return AGREES
    return DIFFERS if simulated.high < lowest or simulated.low > highest else UNDECIDED


def passes(kind: str, verdict: str) -> bool:
    """Return whether a claim of that kind is as it should be: a control differs, all others agree."""
    return verdict == (DIFFERS if kind == CONTROL else AGREES)


@dataclass(frozen=True, slots=True)
class Trial:
    """What was simulated for a claim, with a *value* that a missing input may have had, and the verdict.

    `taken` are the seconds that one core simulated for it.
    """

    value: str
    simulated: ConfidenceInterval
    verdict: str
    replications: int = 0
    taken: float = 0.0

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        return named(self, "value", "simulated", "verdict")


@dataclass(frozen=True, slots=True)
class ClaimResult:
    """One published claim: what was said, which range is accepted, what was simulated, and the verdict.

    `figure` is the word of what is compared, `of` which mode, entry or stage of it, `meaning` the sentence
    about it; `unit` is `share`, `s`, `nodes` and so on.  Where an input is `unknown` (its path), `tried`
    holds what came of each value of it, and `simulated` is unknown; the verdict is the best of theirs.
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
    replications: int
    of: str | None = None
    reads: str = ""
    assumes: tuple[str, ...] = ()
    change: Mapping[str, Any] = field(default_factory=dict)
    minus: Mapping[str, Any] | None = None
    unknown: str | None = None
    tried: tuple[Trial, ...] = ()
    fitted: str | None = None
    wall_s: float = 0.0

    @property
    def counted_as(self) -> str:
        """Its kind, or `fitted` where it rests on an input that was fitted: such claims are counted apart."""
        return FITTED if self.fitted else self.kind

    @property
    def passed(self) -> bool:
        """Whether it is as it should be."""
        return passes(self.kind, self.verdict)

    @property
    def difference(self) -> bool:
        """Whether it is about the paired difference of the scenario with `change` and with `minus`."""
        return self.minus is not None

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data; what is unknown is null."""
        return {
            **named(self, "name", "kind", "title", "source"),
            "published": named(self, "says", "value", "low", "high", "unit"),
            **named(self, "simulated", "verdict", "passed"),
            "figure": self.figure if self.of is None else {self.figure: self.of},
            **named(self, "difference", "reads", "assumes", "change", "minus", "unknown", "tried", "fitted"),
            "replications": self.replications,
            "wall_s": round(self.wall_s, 3),
        }


@dataclass(frozen=True)
class Validation(Answer):
    """Published claims against what is simulated: `cases` in the order of the files and of their claims.

    `scenarios` are those with the claims, by name; `made` is how it was done (version, command, workers,
    seconds, libraries), nothing of which changes a number.  `curves` are the first-order estimator and the
    simulation by size, where that was asked for.
    """

    file = "validation.json"
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

    @property
    def advice(self) -> list[Advice]:
        """What came of it, what to do about each claim that is not met, and which missing inputs fit."""
        missed = [f"{remedy(case)}." for case in self.cases if not case.passed]
        tried = [f"{case.name}: {compatible(case)}" for case in self.cases if case.unknown]
        return [
            Advice(conclusion(self)),
            *(Advice(text, warning=True) for text in missed),
            *(Advice(text) for text in tried),
        ]

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

    def save(self, folder: str | PathLike[str]) -> Path:
        """Write `validation.json` and `report.html` to *folder*, whole or not at all.

        They take the place of the validation that was there.
        """
        refuse_taken(Path(folder))
        with folders.replacing(Path(folder)) as new:
            super().save(new)
            self.report(new / folders.REPORT)
        return Path(folder) / self.file

    def report(self, path: str | PathLike[str], command: str | None = None) -> Path:
        """Write the HTML report to *path*, and return it; *command* is shown, or what made the validation."""
        return write_page("write_validation", self, Path(path), command or self.made.get("command"))


def refuse_taken(folder: Path) -> None:
    """Raise `RunError` where *folder* is a file, or a folder with something else than a validation in it."""
    folders.refuse_taken(folder, "validation", lambda there: (there / Validation.file).is_file())


def verdict_text(case: ClaimResult) -> str:
    """Return the verdict, and of a control that it is the one that is wanted, or not.

    Where an input is missing it says with how many of the values that were tried it is as it should be.
    """
    if case.tried:
        met = sum(passes(case.kind, trial.verdict) for trial in case.tried)
        does = "differs" if case.kind == CONTROL else "agrees"
        return f"{does} with {met} of {len(case.tried)}"
    if case.kind == CONTROL and case.verdict != UNDECIDED:
        return "differs, as it must" if case.passed else "agrees, and must not"
    return case.verdict


def simulated_text(case: ClaimResult) -> str:
    """Return what was simulated for a claim, with its interval, in the unit in which it was published.

    Where an input is missing it is the range of what came of the values that were tried.
    """
    if case.tried:
        means = sorted(trial.simulated.mean for trial in case.tried if trial.simulated.mean is not None)
        ends = [shown(mean, None, case.unit, case.difference) for mean in (*means[:1], *means[1:][-1:])]
        return " to ".join(ends) or NOTHING
    return interval_text(case.simulated, case.unit, case.difference, _published(case))


def _published(case: ClaimResult) -> float | None:
    """Return a figure of the size that was published."""
    return next((each for each in (case.value, case.low, case.high) if each), None)


def interval_text(
    interval: ConfidenceInterval, unit: str, difference: bool = False, like: float | None = None
) -> str:
    """Return `0.719 ± 0.004`, `1.80 ± 0.02 h`, or `3 (2 to 3)`, with no more digits than are supported.

    The unit of a duration is the one that suits *like*, where the figure can be read in it.
    """
    mean, low, high, width = interval.mean, interval.low, interval.high, interval.half_width
    if mean is None or low is None or high is None or width is None:
        return shown(mean, None, unit, difference)
    if abs(low + high - 2 * mean) <= LOPSIDED * width:
        return shown(mean, width, unit, difference, like)
    scale, name = _scale(mean or high, unit, difference, like)
    ends = (mean, low, high)
    if unit not in (SHARE, SECONDS) and all(each.is_integer() for each in ends):
        texts = [whole(each) for each in ends]
    else:
        texts = [measured(each / scale, width / scale) for each in ends]
    return f"{texts[0]} ({texts[1]} to {texts[2]}){name}"


def shown(
    value: float | None,
    half_width: float | None,
    unit: str,
    difference: bool = False,
    like: float | None = None,
) -> str:
    """Return a value with how far it may be off, in the figure's unit."""
    if value is None:
        return NOTHING
    if half_width is not None and half_width < NEGLIGIBLE * abs(value):
        half_width = 0.0
    if difference and unit == SHARE:
        return points(value, half_width)
    if half_width == 0 and unit not in (SHARE, SECONDS) and value.is_integer():
        return whole(value)
    if unit == SECONDS and not (value and half_width and half_width < abs(value)):
        return duration(value, half_width)
    scale, name = _scale(value, unit, difference, like)
    width = None if half_width is None else half_width / scale
    return f"{plus_minus(value / scale, width)}{name}"


def _scale(value: float, unit: str, difference: bool, like: float | None = None) -> tuple[float, str]:
    """Return the size of the unit in which *value* is written, and its name: `(3600, " h")`."""
    if unit != SECONDS:
        return (0.01, " pp") if difference and unit == SHARE else (1.0, "")
    near = like is not None and abs(like) / READABLE < abs(value) < abs(like) * READABLE
    name = format_duration(abs(like if near and like else value), 3).split()[-1]
    return DURATION.parse(f"1 {name}"), f" {name}"


def accepted_text(case: ClaimResult) -> str:
    """Return the range in which a figure has to lie, a control's must not: `419 ± 41`, `at least 0.9`.

    What was published keeps all of its digits: it is given, not measured.
    """
    low, high, value = case.low, case.high, case.value
    if low is None or high is None:
        end = _given(case, high if low is None else low)
        return f"at most {end}" if low is None else f"at least {end}"
    if value is None or abs(low + high - 2 * value) > 1e-9 * abs(high):
        return f"{_given(case, low)} to {_given(case, high)}"
    scale, name = _scale(value, case.unit, case.difference)
    off = (high - low) / 2
    if off <= abs(value) * 1e-5:
        return f"exactly {_digits(value / scale, GIVEN_DIGITS)}{name}"
    return f"{_digits(value / scale, GIVEN_DIGITS)} ± {_digits(off / scale, 2)}{name}"


def _given(case: ClaimResult, value: float | None) -> str:
    if value is None:
        return NOTHING
    scale, name = _scale(value, case.unit, case.difference) if value else (1.0, "")
    return f"{_digits(value / scale, GIVEN_DIGITS)}{name}"


def _digits(value: float, digits: int) -> str:
    """Return *value* with at most so many significant digits, without zeros that say nothing."""
    text = significant(value, digits)
    return text.rstrip("0").rstrip(".") if "." in text else text


def changes_text(changes: Mapping[str, Any]) -> str:
    """Return changed values as `checkpoint.blocks = 5 s, recovery.replicas = 12`."""
    return ", ".join(f"{path} = {setting(value)}" for path, value in changes.items())


def compatible(case: ClaimResult) -> str:
    """Return in a sentence which values of a missing input agree; empty where no input is missing."""
    if case.unknown is None:
        return ""
    values = {word: [each.value for each in case.tried if each.verdict == word] for word in DOES}
    parts = [f"with {', '.join(values[word])} it {does}" for word, does in DOES.items() if values[word]]
    return f"{case.unknown} was not published: {'; '.join(parts)}."


def evidence(cases: Sequence[ClaimResult]) -> list[ClaimResult]:
    """Return the checks that count: those of plumbing and with fitted inputs only where they fail.

    Where there are no others these are all of them.
    """
    counted = [case for case in cases if case.counted_as not in APART or not case.passed]
    return counted or list(cases)


def conclusion(validation: Validation) -> str:
    """Return in a sentence what came of it."""
    cases = evidence(validation.cases)
    apart = [case for case in validation.cases if case not in cases]
    failed = [case.name for case in cases if not case.passed]
    if not failed:
        begin = f"All {len(cases)} checks pass" if len(cases) > 1 else "The check passes"
        end = f"; counted apart: {', '.join(_counted(apart))}" if apart else ""
        return f"{begin}: {', '.join(_counted(cases))}{end}."
    which, more = ", ".join(failed[:MOST_NAMED]), len(failed) - MOST_NAMED
    which += f" and {more} more" if more > 0 else ""
    return f"{len(failed)} of {len(cases)} checks do not pass: {which}."


def _counted(cases: Sequence[ClaimResult]) -> Iterator[str]:
    """Yield how many claims there are of each kind, and what they do."""
    tried = [case for case in cases if case.tried and case.counted_as not in APART]
    for kind, words in KINDS.items():
        if count := sum(case.counted_as == kind and case not in tried for case in cases):
            yield f"{whole(count)} {words[count > 1]}"
    if tried:
        count = len(tried)
        yield f"{whole(count)} met with some of the values tried for an input that was not published"


def remedy(case: ClaimResult) -> str:
    """Return what to do about a claim that is not met."""
    found = compatible(case).rstrip(".") or f"simulated {simulated_text(case)}"
    text = f"{case.name}: {found}, accepted {accepted_text(case)}"
    if case.verdict == UNDECIDED:
        more = 4 * case.replications
        return f"{text}; undecided: more replications would tell (--replications {more})"
    return f"{text}; a control must not agree" if case.kind == CONTROL else text
