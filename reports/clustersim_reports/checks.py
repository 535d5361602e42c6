"""The checks of a validation in words: one per published claim, grouped by what its kind can show."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from clustersim.validation import words
from clustersim.validation.verdict import UNDECIDED, passes
from clustersim_reports.exhibits import slug
from clustersim_reports.range_strip import Strip, drawn, strip
from clustersim_reports.sheet import unique
from clustersim_reports.tables import Cell

if TYPE_CHECKING:
    from clustersim.validation import Interval, Outcome, Validation

PASS, FAIL, OPEN = "pass", "fail", "open"
SIGNS = {PASS: "✓", FAIL: "✗", OPEN: "?"}
SHARE = "share"
ABBREVIATIONS = ("ettr", "mttf", "mtti")


class Kind(NamedTuple):
    """What a kind of claim is called, what its checks can show, and what is said of those that passed."""

    heading: str
    meaning: str
    said: str
    range: str = "Accepted"


KINDS: Mapping[str, Kind] = {
    "exact": Kind(
        "Exact",
        "The published inputs suffice for the figure, or a formula gives it exactly. The whole 95 % interval"
        " of the simulation must lie within the tolerance.",
        "figures reproduced within their tolerance",
    ),
    "band": Kind(
        "Band",
        "Published as an inequality, or some inputs are missing. The whole interval must lie in the range;"
        " that is weaker than an exact check, and what had to be assumed is listed with the case.",
        "ranges met",
    ),
    "control": Kind(
        "Control",
        "A figure that the model must not meet, because it leaves out what made it. A simulator that can be"
        " made to agree with everything would fail here.",
        "figures refuted that must be",
        "Must not be",
    ),
    "plumbing": Kind(
        "Plumbing",
        "The figure follows from what was put in, such as a count from its own rate. That shows that nothing"
        " is lost on the way; it is no evidence for the model.",
        "come out as they went in: no evidence, and not counted above",
    ),
}


class Try(NamedTuple):
    """One value of an input that was not published: the figure with it, and the verdict."""

    value: str
    simulated: Cell
    strip: Strip
    sign: str
    verdict: str
    tone: str


class Check(NamedTuple):
    """One claim in words; `tone` says whether it passed, failed or is open, and `sign` is its sign."""

    anchor: str
    name: str
    title: str
    kind: str
    says: str
    figure: str
    accepted: str
    simulated: Cell
    strip: Strip
    sign: str
    verdict: str
    tone: str
    notes: Sequence[str]
    unknown: str
    tries: Sequence[Try]

    @property
    def range(self) -> str:
        """What the range of the claim is called."""
        return KINDS[self.kind].range

    @property
    def short(self) -> str:
        """The name of the claim within its case."""
        return self.name.rpartition("/")[2]


class Group(NamedTuple):
    """All checks of one kind."""

    kind: Kind
    checks: Sequence[Check]

    @property
    def passed(self) -> int:
        """How many of them passed."""
        return sum(check.tone == PASS for check in self.checks)


def checks(validation: Validation) -> list[Check]:
    """Return every claim of *validation* in words, in its order."""
    anchors = unique([slug(case.name) for case in validation.cases])
    return [_check(case, f"check-{anchor}") for case, anchor in zip(validation.cases, anchors, strict=True)]


def groups(found: Sequence[Check]) -> list[Group]:
    """Return the checks by kind, those that show most first; kinds without checks are left out."""
    by_kind = [Group(kind, [check for check in found if check.kind == name]) for name, kind in KINDS.items()]
    return [group for group in by_kind if group.checks]


def _check(case: Outcome, anchor: str) -> Check:
    tone = _tone(case, case.verdict)
    return Check(
        anchor=anchor,
        name=case.name,
        title=case.title,
        kind=case.kind,
        says=case.says,
        figure=_figure(case),
        accepted=words.accepted_text(case),
        simulated=Cell(_said(case, case.simulated), f"{case.replications} replications"),
        strip=_strip(case, case.simulated),
        sign=SIGNS[tone],
        verdict=words.verdict_text(case),
        tone=tone,
        notes=list(_notes(case)),
        unknown=case.unknown or "",
        tries=[_try(case, number) for number in range(len(case.tried))],
    )


def _notes(case: Outcome) -> Iterator[str]:
    """Yield how the claim is read, and with which values it was simulated."""
    if case.reads:
        yield _sentence(case.reads)
    if case.difference:
        yield f"The gain of {_values(case.change)} over {_values(case.minus or {})}, pair by pair."
    elif case.change:
        yield f"Simulated with {_values(case.change)}."
    if case.unknown:
        yield _sentence(words.compatible(case))


def _values(changes: Mapping[str, Any]) -> str:
    """Return changed values in full, blocks as one would write them in a line."""
    return ", ".join(f"{path} = {_flow(value)}" for path, value in changes.items()) or "the scenario as it is"


def _flow(value: Any) -> str:
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{key}: {_flow(inner)}' for key, inner in value.items())}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_flow, value))}]"
    return words.setting(value)


def _sentence(text: str) -> str:
    """Return *text* as a sentence: with a capital letter, unless it begins with a path, and a full stop."""
    beginning = text[:1] if "." in text.split(" ", 1)[0] else text[:1].upper()
    return f"{beginning}{text[1:].rstrip('.')}."


def _figure(case: Outcome) -> str:
    """Return what is compared, in the words of the scenario language."""
    word = case.figure.upper() if case.figure in ABBREVIATIONS else case.figure.replace("_", " ")
    figure = f"{word} of {case.of}" if case.of else word
    return f"difference in {figure}" if case.difference else figure


def _said(case: Outcome, simulated: Interval) -> str:
    return words.simulated_text(replace(case, simulated=simulated))


def _try(case: Outcome, number: int) -> Try:
    one = case.tried[number]
    tone = _tone(case, one.verdict)
    return Try(
        one.value,
        Cell(_said(case, one.simulated)),
        _strip(case, one.simulated),
        SIGNS[tone],
        one.verdict,
        tone,
    )


def _tone(case: Outcome, verdict: str) -> str:
    return PASS if passes(case.kind, verdict) else OPEN if verdict == UNDECIDED else FAIL


def _strip(case: Outcome, simulated: Interval) -> Strip:
    most = 1.0 if case.unit == SHARE and not case.difference else None
    said = f"accepted {words.accepted_text(case)}, simulated {_said(case, simulated)}"
    return strip(
        drawn(case.low, case.high, most),
        case.value,
        (simulated.low, simulated.mean, simulated.high),
        said,
    )
