"""The checks of a validation: one row per claim, by what its kind can show, and case by case."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from clustersim.scenario import Scenario
from clustersim.validation import ClaimResult, Validation, outcomes
from clustersim.validation.outcomes import FITTED, UNDECIDED, passes
from clustersim_reports import inputs
from clustersim_reports.blocks import Block, Cell, Group, Items, Picture, Row, Section, Table, Text, key, row
from clustersim_reports.blocks import anchors as anchors_of

SIGNS = {"pass": "✓", "fail": "✗", "open": "?"}
ABBREVIATIONS = ("ettr", "mttf", "mtti")
WIDTH, LEFT, RIGHT, EDGE = 240.0, 60.0, 180.0, 7.0
"""Ends of the picture and of the accepted range in it, and the margin in which a figure becomes an arrow."""
LEGEND = (
    key("flat", "accepted range"),
    key("published", "stated figure"),
    key("interval", "simulated, with its 95 % interval"),
    key("", "an arrow: the simulated figure is outside the picture"),
)
CHECKS = (
    "The accepted range has the same length in every picture, whatever its unit. A check agrees where"
    " the whole 95 % interval lies in the range, differs where all of it lies outside, and is undecided"
    " where it straddles an end: then more replications are needed."
)
CASES = (
    "Where each figure was published, how it is read, what had to be assumed, and every input with its"
    " source. Inputs that are not listed have the default of the scenario language. Each scenario can be"
    " saved as a file and run again."
)


class CheckKind(NamedTuple):
    """What a kind of claim is called, what its checks can show, and what is said of those that passed."""

    heading: str
    meaning: str
    passed: str
    range: str = "Accepted"


KINDS: Mapping[str, CheckKind] = {
    "exact": CheckKind(
        "Exact",
        "The published inputs are sufficient for the figure. The whole 95 % interval of the simulation must"
        " lie within the tolerance.",
        "published figures reproduced within their tolerance",
    ),
    "band": CheckKind(
        "Band",
        "The figure was published as an inequality, or some inputs are missing. The whole interval must"
        " lie in the range. That is weaker than an exact check; what had to be assumed is listed with the"
        " case.",
        "published ranges met",
    ),
    "control": CheckKind(
        "Control",
        "A figure that the model must not reproduce, because it leaves out what caused it. A simulator"
        " that can be made to agree with everything would fail here.",
        "figures refuted, as they must be",
        "Must not be",
    ),
    "formula": CheckKind(
        "Formula",
        "Nobody published the figure of a cluster: theory or arithmetic gives it exactly. The whole interval"
        " must lie within the tolerance. That shows that the mechanism is right, not that clusters are so.",
        "answers of formulas met",
    ),
    "plumbing": CheckKind(
        "Plumbing",
        "The figure follows from the inputs, such as a count from its own rate. That shows that nothing"
        " is lost on the way; it is no evidence for the model.",
        "figures that come out as they went in: no evidence, and not counted above",
    ),
    FITTED: CheckKind(
        "Fitted",
        "The claim rests on an input that nobody published and that was fitted to a figure, often of the same"
        " paper. It shows that one value makes the figures agree, not that it was this value.",
        "claims met with an input that was fitted, and not counted above",
    ),
}


def groups(validation: Validation) -> list[tuple[CheckKind, list[ClaimResult], int]]:
    """Return the checks of each kind, those that show most first, and how many of them passed."""
    by_kind: dict[str, list[ClaimResult]] = {name: [] for name in KINDS}
    for case in validation.cases:
        by_kind[case.counted_as].append(case)
    return [
        (KINDS[name], cases, sum(case.passed for case in cases)) for name, cases in by_kind.items() if cases
    ]


def section(validation: Validation) -> Section:
    """Return all checks by kind, each with a link to its case."""
    blocks: list[Block] = [Text(CHECKS), Items(LEGEND, "legend")]
    links = _anchors(validation)
    for kind, cases, passed in groups(validation):
        rows = [_row(case, Cell(case.name, case.says, link=links[case.name])) for case in cases]
        table = _table(f"{kind.heading}: stated and simulated figures", kind.range, rows)
        heading = Cell(f"{kind.heading}: {passed} of {len(cases)} pass")
        blocks.append(Group([Text(kind.meaning, "meaning"), table], heading, look="kind"))
    return Section("checks", "The checks", blocks)


def cases(validation: Validation) -> Section:
    """Return each scenario with where it was published, its checks, what is assumed, and its inputs."""
    links, groups = _anchors(validation), []
    for anchor, (name, scenario) in zip(
        anchors_of(validation.scenarios), validation.scenarios.items(), strict=True
    ):
        own = [case for case in validation.cases if case.scenario == name]
        title = scenario.title or name
        heading, blocks = Cell(title, name if title != name else ""), _case(scenario, anchor, own, links)
        groups.append(Group([*blocks], heading, f"case-{anchor}", "case"))
    return Section("cases", "The cases, one by one", [Text(CASES), *groups], "The cases")


def _anchors(validation: Validation) -> dict[str, str]:
    """Return the anchor of the row of each check, by its name."""
    names = [case.name for case in validation.cases]
    return {name: f"check-{anchor}" for name, anchor in zip(names, anchors_of(names), strict=True)}


def _case(
    scenario: Scenario, anchor: str, own: Sequence[ClaimResult], links: Mapping[str, str]
) -> Iterator[Block]:
    rows, notes, published = [], [], scenario.published
    for case in own:
        short, note = case.name.rpartition("/")[2], " ".join(_notes(case))
        rows.append(_row(case, Cell(short, case.says), anchor=links[case.name]))
        for trial in case.tried:
            tried = replace(case, simulated=trial.simulated, verdict=trial.verdict, tried=())
            head = Cell(f"{case.unknown} = {trial.value}", "not published; tried")
            rows.append(_row(tried, head, look="part "))
        notes += [Cell(f"{short}: {note}" if len(own) > 1 else note)] if note else []
    notes += [Cell(text, chip="assumed") for text in (published.assumes if published else ())]
    yield Text(published.source if published else "", "place")
    if scenario.about:
        yield Text(scenario.about)
    yield _table(f"Checks of {scenario.name}", "Accepted", rows)
    if notes:
        yield Items(notes)
    values, source = inputs.values_table(scenario), inputs.source(scenario, anchor, shown=False)
    yield Group([values, source], Cell("Inputs with their sources"), folded=True)


def _table(caption: str, accepted: str, rows: Sequence[Row]) -> Table:
    columns = (accepted, "Simulated", "Range and interval", "Verdict")
    return Table(caption, columns, rows, "Stated", "checks")


def _row(case: ClaimResult, head: Cell, anchor: str = "", look: str = "") -> Row:
    """Return a claim as a row, with more details in the case itself, where the row has its *anchor*.

    What was tried in place of an input is a `part` of the claim above it.
    """
    word, range_name = case.figure.replace("_", " "), KINDS[case.kind].range.lower()
    figure = f"{word.upper() if word in ABBREVIATIONS else word}{f' of {case.of}' if case.of else ''}"
    before = f"{range_name} " if anchor and range_name != "accepted" else ""
    return row(
        head,
        Cell(
            f"{before}{outcomes.accepted_text(case)}",
            "" if look else f"difference in {figure}" if case.difference else figure,
        ),
        Cell(outcomes.simulated_text(case), f"{case.replications} replications" if anchor else ""),
        Cell("", look="picture", picture=picture(case)),
        Cell(f"{SIGNS[tone(case)]} {case.verdict if look else outcomes.verdict_text(case)}", look="verdict"),
        look=f"{look}{tone(case)}",
        anchor=anchor,
    )


def tone(case: ClaimResult) -> str:
    """Return whether a claim passes, fails, or is open."""
    return "pass" if passes(case.kind, case.verdict) else "open" if case.verdict == UNDECIDED else "fail"


def range_of(case: ClaimResult) -> tuple[float, float, bool]:
    """Return the ends of the accepted range as it is drawn, and whether it goes on beyond the upper one.

    A share is 1 at most, a difference has no such bound, and no other figure is less than 0.
    """
    low = min(0.0, case.high or 0.0) if case.low is None else case.low
    most = 1.0 if case.unit == "share" and not case.difference else None
    end = case.high if case.high is not None else most if most is not None else low + (abs(low) or 1.0)
    if end - low <= 1e-9 * max(abs(low), abs(end)):
        room = 0.01 * abs(low) or 1.0
        return low - room, end + room, False
    return low, end, case.high is None and most is None


def picture(case: ClaimResult) -> Picture:
    """Return the accepted range, always of one length, with the published and the simulated figure.

    So one look tells which intervals lie inside and which do not; the numbers stand beside the picture.
    """
    low, high, goes_on = range_of(case)
    scale = (RIGHT - LEFT) / (high - low)
    simulated = case.simulated

    def at(value: float) -> float:
        return round(min(max(LEFT + scale * (value - low), EDGE), WIDTH - EDGE), 1)

    far = "" if goes_on else f"M{RIGHT:g} 3v24"
    paths = [("axis", "M0 15h240"), ("range", f"M{LEFT:g} 5H{WIDTH if goes_on else RIGHT:g}V25H{LEFT:g}z")]
    paths += [("ends", f"M{LEFT:g} 3v24{far}")]
    if case.value is not None:
        paths.append(("published", f"M{at(case.value):g} 7l8 8l-8 8l-8-8z"))
    if simulated.mean is not None and at(simulated.mean) in (EDGE, WIDTH - EDGE):
        out = EDGE if at(simulated.mean) > EDGE else -EDGE
        paths.append(("arrow", f"M{at(simulated.mean) + out / 2:g} 15l{-2 * out:g}-7v14z"))
    elif simulated.mean is not None:
        if simulated.low is not None and simulated.high is not None:
            paths.append(("interval", f"M{at(simulated.low):g} 15H{at(simulated.high):g}"))
        paths.append(("mean", f"M{at(simulated.mean) - 4.5:g} 15a4.5 4.5 0 1 0 9 0a4.5 4.5 0 1 0-9 0z"))
    spoken = f"accepted {outcomes.accepted_text(case)}, simulated {outcomes.simulated_text(case)}"
    return Picture(paths, spoken, "strip", 240, 30)


def _notes(case: ClaimResult) -> Iterator[str]:
    """Yield how the claim is read, and with which values it was simulated."""
    as_it_is = "the scenario as it is"
    change, base = (outcomes.changes_text(values or {}) or as_it_is for values in (case.change, case.minus))
    if case.reads:
        yield _sentence(case.reads)
    if case.difference:
        yield f"The gain of {change} over {base}, in pairs."
    elif case.change:
        yield f"Simulated with {change}."
    if case.unknown:
        yield _sentence(outcomes.compatible(case))
    if case.fitted:
        yield _sentence(f"fitted: {case.fitted}")


def _sentence(text: str) -> str:
    """Return *text* as a sentence: with a capital letter, unless it begins with a path, and a full stop."""
    beginning = text[:1] if "." in text.split(" ", 1)[0] else text[:1].upper()
    return f"{beginning}{text[1:].rstrip('.')}."
