"""What a validation says in words and figures: the same on a terminal and on the page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from clustersim.formatting import NOTHING, duration, measured, plus_minus, points, significant, whole
from clustersim.scenario.keys.figures import SECONDS, SHARE
from clustersim.units import format_duration, parse_duration
from clustersim.units import shown as quoted
from clustersim.validation.results import ClaimResult, Validation
from clustersim.validation.verdict import AGREES, CONTROL, DIFFERS, UNDECIDED, ConfidenceInterval

MOST_NAMED = 5
LOPSIDED = 0.1
"""Share of its half-width by which an interval's middle is off, so that it is shown by its two ends."""
NEGLIGIBLE = 2.5e-5
"""Half-width, as a share of the figure, below which nobody wants to see it."""
READABLE = 100
"""By how much a duration may differ from another and still be read in the same unit."""
GIVEN_DIGITS = 5
DOES = {AGREES: "agrees", UNDECIDED: "is undecided", DIFFERS: "differs"}

KINDS = {
    "exact": ("figure reproduced", "figures reproduced"),
    "band": ("range met", "ranges met"),
    "control": ("control refuted", "controls refuted"),
    "plumbing": ("figure that went in came out", "figures that went in came out (plumbing)"),
}


def verdict_text(case: ClaimResult) -> str:
    """Return the verdict, and of a control that it is the one that is wanted, or not."""
    if case.kind == CONTROL and case.verdict != UNDECIDED:
        return "differs, as it must" if case.passed else "agrees, and must not"
    return case.verdict


def simulated_text(case: ClaimResult) -> str:
    """Return what was simulated for a claim, with its interval, in the unit in which it was published."""
    return interval_text(case.simulated, case.unit, case.difference, _published(case))


def _published(case: ClaimResult) -> float | None:
    """Return a figure of the size that was published."""
    return next((one for one in (case.value, case.low, case.high) if one), None)


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
    if unit not in (SHARE, SECONDS) and all(one.is_integer() for one in ends):
        texts = [whole(one) for one in ends]
    else:
        texts = [measured(one / scale, width / scale) for one in ends]
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
    return parse_duration(f"1 {name}"), f" {name}"


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


def setting(value: Any) -> str:
    """Return a value of a scenario as one would write it in one line."""
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{name}: {setting(one)}' for name, one in value.items())}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(setting, value))}]"
    return value if isinstance(value, str) else quoted(value)


def compatible(case: ClaimResult) -> str:
    """Return in a sentence which values of a missing input agree; empty where no input is missing."""
    if case.unknown is None:
        return ""
    values = {word: [one.value for one in case.tried if one.verdict == word] for word in DOES}
    said = [f"with {', '.join(values[word])} it {does}" for word, does in DOES.items() if values[word]]
    return f"{case.unknown} was not published: {'; '.join(said)}."


def conclusion(validation: Validation) -> str:
    """Return in a sentence what came of it."""
    cases = validation.cases
    failed = [case.name for case in cases if not case.passed]
    if not failed:
        return f"All {len(cases)} published claims are met: {', '.join(_counted(cases))}."
    which, more = ", ".join(failed[:MOST_NAMED]), len(failed) - MOST_NAMED
    which += f" and {more} more" if more > 0 else ""
    return f"{len(failed)} of {len(cases)} published claims are not met: {which}."


def _counted(cases: Sequence[ClaimResult]) -> Iterator[str]:
    """Yield how many claims there are of each kind, and what they do."""
    for kind, words in KINDS.items():
        if count := sum(case.kind == kind for case in cases):
            yield f"{whole(count)} {words[count > 1]}"


def advice(case: ClaimResult) -> str:
    """Return what to do about a claim that is not met."""
    said = f"{case.name}: simulated {simulated_text(case)}, accepted {accepted_text(case)}"
    if case.verdict == UNDECIDED:
        more = 4 * case.replications
        return f"{said}; undecided: more replications would tell (--replications {more})"
    return f"{said}; a control must not agree" if case.kind == CONTROL else said
