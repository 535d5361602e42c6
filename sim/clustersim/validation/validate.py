"""Running a validation: each variant that a claim needs once, all on one pool; and the verdicts."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import Any, NamedTuple

from clustersim.arrays import Array
from clustersim.estimate import ConfidenceInterval
from clustersim.experiment import Point, made
from clustersim.metrics.metric import MetricFigure, Row
from clustersim.metrics.replications import Replications, stacked
from clustersim.records import Records
from clustersim.scenario.facts import facts_of
from clustersim.scenario.keys.remarks import Claim
from clustersim.scenario.loading import variant
from clustersim.scenario.model import Scenario
from clustersim.scenario.trials import Changes
from clustersim.settings import Output, ScenarioSource, Settings, merged
from clustersim.store import ChoiceError
from clustersim.studies.change import setting
from clustersim.studies.study import Simulations, simulations
from clustersim.validation.cases import Case, find
from clustersim.validation.estimator import Survey
from clustersim.validation.outcomes import (
    AGREES,
    UNDECIDED,
    ClaimResult,
    Trial,
    Validation,
    refuse_taken,
    verdict,
)

SIMULATION = "simulation."
SAID_BY_THE_CLAIM = ("kind", "says", "figure", "of", "unit", "value", "low", "high", "fitted")


def validate(
    cases: ScenarioSource | Iterable[ScenarioSource] = (),
    output: Output = None,
    *,
    settings: Settings | None = None,
    **keywords: Any,
) -> Validation:
    """Simulate published cases, compare each claim with what was published, and return the outcomes.

    A case is the name of a shipped one, or a file or scenario of one's own with a `published` block; without
    one all that are shipped are simulated.  With *output*, `validation.json` and the page are written to that
    folder.  Keywords are fields of `Settings`; seed, replications, precision and horizon hold for every
    claim.  Raises ScenarioError for a faulty scenario and RunError where the run cannot go on, or nothing is
    said to be published.
    """
    how = merged(settings, keywords)
    if output is not None:
        refuse_taken(Path(output))
    sources = [cases] if isinstance(cases, Scenario | str | PathLike) else list(cases)
    return validated(find(sources, how.changes), how, output, estimator=not sources)


def validated(
    cases: Sequence[Case], settings: Settings, output: Output = None, *, estimator: bool = False
) -> Validation:
    """Return what comes of the claims of *cases*; with *estimator* also how far a first-order formula goes.

    Of the changes of the *settings*, those of the simulation (seed, replications, horizon) hold for every
    claim, whatever it changes.  What is finished when the run breaks off is kept beside *output*, if that is
    given.  Raises Interrupted on Ctrl-C, ChoiceError where two cases share a name, and RunError where a
    worker process dies.
    """
    for name, count in Counter(case.name for case in cases).items():
        if count > 1:
            raise ChoiceError(f'two cases are called "{name}"; give one of them another name')
    forced = {path: value for path, value in settings.changes.items() if path.startswith(SIMULATION)}
    plan, survey = Plan(forced), Survey(_common_seed(cases)) if estimator else None
    for case, name in claims_of(cases):
        plan.add(case, case.published.claims[name])
    with simulations(settings, output, "validation") as running:
        others = [running.point(scenario, {}) for scenario in survey.scenarios] if survey else []
        running.run([*plan.points(running), *others])
        outcomes = tuple(plan.outcome(case, name) for case, name in claims_of(cases))
        how = made(settings, running.wall_s) | {"seed": _common_seed(cases)}
        scenarios = {case.name: case.scenario for case in cases}
        ettrs = [point.store.ettr(point.wanted) for point in others]
        validation = Validation(outcomes, scenarios, how, survey.curves(ettrs) if survey else ())
        if output is not None:
            validation.save(output)
    return validation


def claims_of(cases: Sequence[Case]) -> Iterator[tuple[Case, str]]:
    """Yield the name of each claim with its case."""
    for case in cases:
        yield from ((case, name) for name in case.published.claims)


def _common_seed(cases: Sequence[Case]) -> int:
    """Return the seed that most cases have."""
    seeds = Counter(case.scenario.simulation.seed for case in cases)
    return max(seeds, key=seeds.__getitem__)


class Side(NamedTuple):
    """What is simulated for a claim: the scenario with `change`, and with `minus` if it is a difference.

    `tried` is the value that a missing input has here.
    """

    change: Changes
    minus: Changes | None = None
    tried: Any = None


def sides(claim: Claim) -> list[Side]:
    """Return what is simulated for *claim*: one side, or one for each value of an unknown input."""
    if claim.unknown is None:
        return [Side(claim.change, claim.minus)]
    path, values = claim.unknown
    return [
        Side(_with(claim.change, path, value), _with(claim.minus, path, value), value) for value in values
    ]


def _with(changes: Changes | None, path: str, value: Any) -> Any:
    return None if changes is None else {**changes, path: value}


@dataclass
class Variant:
    """A case with some values changed: what is measured of it, and how many claims need it."""

    scenario: Scenario
    measures: dict[str, Callable[[Records], Row]] = field(default_factory=dict)
    users: int = 0
    point: Point = field(init=False)

    def want(self, figure: MetricFigure) -> None:
        """Measure this figure for one more claim."""
        facts = facts_of(self.scenario)
        self.measures[_name(figure)] = lambda records: figure.row(Replications.of(facts, [records]))
        self.users += 1

    def rows(self, figure: MetricFigure) -> Array:
        """Return what the replications contribute to the *figure*, once they are simulated."""
        name = _name(figure)
        return stacked([kept[name] for kept in self.point.store.first(self.point.wanted)])

    @property
    def taken(self) -> float:
        """Seconds that one core simulated it for each of the claims that need it."""
        return self.point.taken / self.users


class Plan:
    """All that has to be simulated, each variant of a case once, however many checks need it."""

    def __init__(self, forced: Changes) -> None:
        self._forced = forced
        self._variants: dict[str, Variant] = {}
        self._by_changes: dict[str, Variant] = {}

    def __repr__(self) -> str:
        return f"Plan({len(self._variants)} variants)"

    def add(self, case: Case, claim: Claim) -> None:
        """Plan what *claim* needs."""
        for side in sides(claim):
            for changes in (side.change, side.minus):
                if changes is not None:
                    self._variant(case, changes).want(claim.compared)

    def _variant(self, case: Case, changes: Changes) -> Variant:
        """Return the variant of *case* with these *changes*: one for all that come to the same scenario."""
        key = json.dumps([case.name, sorted(changes.items())])
        if key not in self._by_changes:
            scenario = variant(case.scenario, {**changes, **self._forced})
            self._by_changes[key] = self._variants.setdefault(scenario.hash, Variant(scenario))
        return self._by_changes[key]

    def points(self, running: Simulations) -> list[Point]:
        """Return what is to be simulated: every variant as a point."""
        for planned in self._variants.values():
            planned.point = running.point(planned.scenario, planned.measures)
        return [planned.point for planned in self._variants.values()]

    def outcome(self, case: Case, name: str) -> ClaimResult:
        """Return the outcome of the claim called *name*, once everything is simulated.

        Of several values that a missing input may have, the first that agrees speaks for it, else the first
        that is undecided, else the first.
        """
        claim = case.published.claims[name]
        trials = [self._tried(case, claim, side) for side in sides(claim)]
        telling = [trial for word in (AGREES, UNDECIDED) for trial in trials if trial.verdict == word]
        chosen = (telling or trials)[0]
        return ClaimResult(
            **{shared: getattr(claim, shared) for shared in SAID_BY_THE_CLAIM},
            name=case.name_of(name),
            scenario=case.name,
            claim=name,
            title=case.scenario.title or case.name,
            source=case.published.source,
            meaning=claim.compared.metric.meaning,
            simulated=ConfidenceInterval() if claim.unknown else chosen.simulated,
            verdict=chosen.verdict,
            replications=min(trial.replications for trial in trials),
            reads=claim.reads or "",
            assumes=case.published.assumes,
            change=dict(claim.change),
            minus=None if claim.minus is None else dict(claim.minus),
            unknown=claim.unknown[0] if claim.unknown else None,
            tried=tuple(trials) if claim.unknown else (),
            wall_s=sum(trial.taken for trial in trials),
        )

    def _tried(self, case: Case, claim: Claim, side: Side) -> Trial:
        """Return what was simulated of one side of *claim*, and the verdict on it."""
        figure, changed = claim.compared, self._variant(case, side.change)
        rows, taken = changed.rows(figure), changed.taken
        if side.minus is None:
            simulated = figure.ends(rows)
        else:
            other = self._variant(case, side.minus)
            others = other.rows(figure)
            count = min(len(rows), len(others))
            rows, taken = rows[:count], taken + other.taken
            gap = figure.measure.difference(rows, others[:count])
            simulated = gap.interval if gap else ConfidenceInterval()
        outcome = verdict(simulated, claim.low, claim.high)
        return Trial(setting(side.tried), simulated, outcome, len(rows), taken)


def _name(figure: MetricFigure) -> str:
    """Return the name under which the rows of *figure* are kept."""
    return f"claim:{figure.metric.path}:{figure.name}"
