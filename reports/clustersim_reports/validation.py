"""The page of a validation, for a sceptic: what was published, what is simulated, and how the two compare."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from clustersim.advice import Advice
from clustersim.advice.words import Kind
from clustersim.digits import MINUS, NOTHING, duration, points, whole
from clustersim.validation import words
from clustersim_reports import checks, inputs, making, validation_exhibits
from clustersim_reports.checks import Check, Group
from clustersim_reports.figures.roads import LEAST, said
from clustersim_reports.finding import Fact
from clustersim_reports.inputs import Input
from clustersim_reports.sheet import Sheet, filled
from clustersim_reports.tables import Cell, Row

if TYPE_CHECKING:
    from clustersim.scenario import Scenario
    from clustersim.validation import Validation
    from clustersim.validation.estimator import Mark, Road

TEMPLATE = "validation.html.j2"
PLUMBING = "plumbing"
TOLD = (16_384, 100_000, 1_000_000)
"""The sizes at which the page says in numbers how far the estimator is off."""


class CaseCard(NamedTuple):
    """One scenario with something published about it: where, what is assumed, its checks and its inputs."""

    anchor: str
    name: str
    title: str
    about: str
    source: str
    assumes: Sequence[str]
    checks: Sequence[Check]
    inputs: Sequence[Input]


def render(validation: Validation, command: str | None = None) -> str:
    """Return the page of *validation* as HTML, the same for the same validation and command."""
    found = checks.checks(validation)
    groups = checks.groups(found)
    scenarios = list(validation.scenarios.values())
    agreement, roads = validation_exhibits.agreement(validation), validation_exhibits.roads(validation)
    sheet = Sheet(
        template=TEMPLATE,
        given=scenarios,
        answer=list(_answer(validation, groups)),
        making=[Row(label, "", (Cell(text),)) for label, text in making.told(_made(validation))],
        shown=[*agreement, *roads],
        command=command,
        folded=True,
    )
    content = {
        "agreement": agreement,
        "cards": _cards(validation, found, sheet.anchors),
        "facts": [_fact(group) for group in groups],
        "groups": groups,
        "headline": headline(found),
        "keys": validation_exhibits.agreement_keys(validation),
        "off": [off_rows(validation.roads, policy) for policy in _policies(validation)],
        "off_names": ["ETTR simulated", "Daly's formula", "Estimator", "Estimator is off by"],
        "roads": roads,
    }
    return filled(sheet, content)


def headline(found: Sequence[Check]) -> str:
    """Return how many checks came out as they should; plumbing counts only where it leaks."""
    counted = [check for check in found if check.kind != PLUMBING or check.tone != checks.PASS] or found
    passed = sum(check.tone == checks.PASS for check in counted)
    if passed < len(counted):
        return f"{whole(passed)} of {whole(len(counted))} checks come out as they should."
    return f"All {whole(passed)} checks come out as they should." if passed > 1 else "The check holds."


def _policies(validation: Validation) -> list[str]:
    return list(dict.fromkeys(road.policy for road in validation.roads))


def _fact(group: Group) -> Fact:
    kind = group.kind
    return Fact(kind.heading, f"{whole(group.passed)} of {whole(len(group.checks))}", kind.said)


def _answer(validation: Validation, groups: Sequence[Group]) -> Iterator[Advice]:
    """Yield what came of it, what did not pass, which missing inputs fit, and where the estimator is off."""
    yield Advice(Kind.VERDICT, words.conclusion(validation))
    for case in validation.cases:
        if not case.passed:
            yield Advice(Kind.VERDICT, f"{words.advice(case)}.", warning=True)
    for case in validation.cases:
        if case.unknown:
            yield Advice(Kind.VERDICT, f"{case.name}: {words.compatible(case)}")
    if validation.roads:
        yield Advice(Kind.VERDICT, estimator_told(validation.roads))


def estimator_told(roads: Sequence[Road]) -> str:
    """Return in a sentence what the first-order estimator says on the first road, beside the simulation."""
    road = roads[0]
    parts = [
        f"{_estimated(mark)} at {whole(mark.gpus)} cards, where {said(mark)} is simulated"
        for mark in road.marks
        if mark.gpus in TOLD
    ]
    return (
        f"Meta's first-order estimator of ETTR, with {road.policy} at {road.cluster}'s rate of failure,"
        f" says {'; '.join(parts)}."
    )


def _estimated(mark: Mark) -> str:
    return f"{mark.estimator:.2f}".replace("-", MINUS)


def _exact(mark: Mark) -> str:
    return f"{mark.exact:.3f}" if mark.exact >= LEAST else f"below {LEAST:g}"


def _difference(mark: Mark) -> str:
    """Return by how much the estimator differs from the simulation, in percentage points."""
    simulated = mark.simulated
    if simulated is None or simulated.mean is None:
        return NOTHING
    off = mark.estimator - simulated.mean
    if abs(off) >= 1:
        return f"{whole(100 * off).replace('-', MINUS)} pp"
    return points(off, simulated.half_width)


def off_rows(roads: Sequence[Road], policy: str) -> list[Row]:
    """Return, by cluster and size, what the simulation, the exact formula and the estimator say."""
    return [
        Row(
            f"{road.cluster}, {whole(mark.gpus)} cards",
            f"a failure every {duration(mark.mtbf_s)}, a save every {duration(mark.interval_s)}",
            (Cell(said(mark)), Cell(_exact(mark)), Cell(_estimated(mark)), Cell(_difference(mark))),
        )
        for road in roads
        for mark in road.marks
        if mark.gpus in TOLD and road.policy == policy
    ]


def _made(validation: Validation) -> Mapping[str, object]:
    """Return how the checks were made; the command stands above."""
    made = {name: value for name, value in validation.made.items() if name != "command"}
    seed = made.get("seed")
    return {"seeds": f"{seed} for all" if seed is not None else "those of the scenarios"} | made


def _cards(validation: Validation, found: Sequence[Check], anchors: Sequence[str]) -> list[CaseCard]:
    """Return each scenario with its checks, in the order of *validation*."""
    by_scenario: dict[str, list[Check]] = {}
    for case, check in zip(validation.cases, found, strict=True):
        by_scenario.setdefault(case.scenario, []).append(check)
    return [
        _card(anchor, name, scenario, by_scenario.get(name, []))
        for anchor, (name, scenario) in zip(anchors, validation.scenarios.items(), strict=True)
    ]


def _card(anchor: str, name: str, scenario: Scenario, found: Sequence[Check]) -> CaseCard:
    published = scenario.published
    return CaseCard(
        anchor=anchor,
        name=name,
        title=scenario.title or name,
        about=scenario.about or "",
        source=published.source if published else "",
        assumes=published.assumes if published else (),
        checks=found,
        inputs=[one for one in inputs.inputs(scenario) if one.kind is not inputs.Kind.DEFAULT],
    )
