"""What a validation says in words and figures: the same on a terminal and on the page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sim.digits import NOTHING, duration, measured, plus_minus, points, whole
from sim.scenario.figures import SECONDS, SHARE
from sim.units import format_duration, parse_duration
from sim.units import shown as quoted
from sim.validation.results import Outcome, Validation
from sim.validation.verdict import AGREES, CONTROL, DIFFERS, UNDECIDED, Interval

MOST_NAMED = 5
LOPSIDED = 0.1
"""Share of its half-width by which an interval's middle is off, so that it is shown by its two ends."""
VERDICTS = {AGREES: "agrees", DIFFERS: "differs", UNDECIDED: "undecided"}

KINDS = {
    "exact": ("figure reproduced", "figures reproduced"),
    "band": ("range met", "ranges met"),
    "control": ("control refuted", "controls refuted"),
    "plumbing": ("figure that went in came out", "figures that went in came out (plumbing)"),
}


def verdict_text(case: Outcome) -> str:
    """Return the verdict, and of a control that it is the one that is wanted, or not."""
    if case.kind == CONTROL and case.verdict != UNDECIDED:
        return "differs, as it must" if case.passed else "agrees, and must not"
    return VERDICTS[case.verdict]


def simulated_text(case: Outcome) -> str:
    """Return what was simulated for a claim, with its interval."""
    return interval_text(case.simulated, case.unit, case.difference)


def interval_text(interval: Interval, unit: str, difference: bool = False) -> str:
    """Return `0.719 ± 0.004`, `1.80 ± 0.02 h`, or `3 (2 to 3)`, with no more digits than are supported."""
    mean, low, high, width = interval.mean, interval.low, interval.high, interval.half_width
    if mean is None or low is None or high is None or width is None:
        return shown(mean, None, unit, difference)
    if abs(low + high - 2 * mean) <= LOPSIDED * width:
        return shown(mean, width, unit, difference)
    scale, name = _scale(mean or high, unit, difference)
    texts = [measured(one / scale, width / scale) for one in (mean, low, high)]
    return f"{texts[0]} ({texts[1]} to {texts[2]}){name}"


def shown(value: float | None, half_width: float | None, unit: str, difference: bool = False) -> str:
    """Return a value with how far it may be off, in the figure's unit."""
    if value is None:
        return NOTHING
    if difference and unit == SHARE:
        return points(value, half_width)
    if unit == SECONDS and (not half_width or not value):
        return duration(value, half_width)
    scale, name = _scale(value, unit, difference)
    width = None if half_width is None else half_width / scale
    return f"{plus_minus(value / scale, width)}{name}"


def _scale(value: float, unit: str, difference: bool) -> tuple[float, str]:
    """Return the size of the unit in which *value* is written, and its name: `(3600, " h")`."""
    if unit == SECONDS:
        name = format_duration(abs(value), 3).split()[-1]
        return parse_duration(f"1 {name}"), f" {name}"
    return (0.01, " pp") if difference and unit == SHARE else (1.0, "")


def accepted_text(case: Outcome) -> str:
    """Return the range in which a figure has to lie, a control's must not: `419 ± 21`, `at least 0.9`."""
    low, high, value = case.low, case.high, case.value
    if low is None or high is None:
        end = _bound(case, high if low is None else low)
        return f"at most {end}" if low is None else f"at least {end}"
    if value is not None and abs(low + high - 2 * value) <= 1e-9 * abs(high):
        return shown(value, (high - low) / 2, case.unit, case.difference)
    return f"{_bound(case, low)} to {_bound(case, high)}"


def _bound(case: Outcome, value: float | None) -> str:
    if value is None:
        return NOTHING
    if case.unit == SECONDS:
        return duration(value, 0.0)
    if case.difference and case.unit == SHARE:
        return f"{value * 100:.4g} pp".replace("-", "\u2212")
    return whole(value) if abs(value) >= 1000 else f"{value:.4g}".replace("-", "\u2212")


def changes_text(changes: Mapping[str, Any]) -> str:
    """Return changed values as `checkpoint.blocks = 5 s, recovery.replicas = 12`."""
    return ", ".join(f"{path} = {setting(value)}" for path, value in changes.items())


def setting(value: Any) -> str:
    """Return a value of a scenario as one would write it; a block or a list by what it is."""
    return value if isinstance(value, str) else quoted(value)


def compatible(case: Outcome) -> str:
    """Return in a sentence which values of a missing input agree; empty where no input is missing."""
    if case.unknown is None:
        return ""
    values = {word: [one.value for one in case.tried if one.verdict == word] for word in VERDICTS}
    said = [f"{', '.join(values[word])} {VERDICTS[word]}" for word in VERDICTS if values[word]]
    return f"{case.unknown} was not published: {'; '.join(said)}."


def conclusion(validation: Validation) -> str:
    """Return in a sentence what came of it."""
    cases = validation.cases
    failed = [case.name for case in cases if not case.passed]
    if not failed:
        return f"All {len(cases)} published claims are met: {', '.join(_counted(cases))}."
    which = ", ".join(failed[:MOST_NAMED]) + (", ..." if len(failed) > MOST_NAMED else "")
    return f"{len(failed)} of {len(cases)} published claims are not met: {which}."


def _counted(cases: Sequence[Outcome]) -> Iterator[str]:
    """Yield how many claims there are of each kind, and what they do."""
    for kind, words in KINDS.items():
        if count := sum(case.kind == kind for case in cases):
            yield f"{whole(count)} {words[count > 1]}"


def advice(case: Outcome) -> str:
    """Return what to do about a claim that is not met."""
    said = f"{case.name}: simulated {simulated_text(case)}, accepted {accepted_text(case)}"
    if case.verdict == UNDECIDED:
        more = 4 * case.replications
        return f"{said}; undecided: more replications would tell (--replications {more})"
    return f"{said}; a control must not agree" if case.kind == CONTROL else said
