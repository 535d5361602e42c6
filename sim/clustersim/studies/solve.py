"""How far one value has to change until a condition is met: where it begins to hold, with its interval.

The condition is about any metric: `ettr >= 0.95`, or `cost.total <= other.yaml`, the same metric of another
scenario.  All values meet the same failures, so that the metric moves with the value as smoothly as in truth.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from clustersim.advice import Advice
from clustersim.estimate import ConfidenceInterval
from clustersim.metrics.metric import Metric
from clustersim.scenario import ScenarioError
from clustersim.scenario.checks import why_impossible
from clustersim.scenario.loading import variant
from clustersim.scenario.model import Scenario
from clustersim.scenario.text.document import at, find
from clustersim.scenario.values import values
from clustersim.settings import Output, ScenarioSource, Settings, merged
from clustersim.store import ChoiceError
from clustersim.studies.change import Change, ended_by_the_clock, on_a_number, on_the_same, tuned_tier
from clustersim.studies.condition import Condition
from clustersim.studies.crossing import Crossing, Ends, Slack
from clustersim.studies.figures import Rows, ScenarioFigures, simulated, words
from clustersim.studies.grid import CARDS
from clustersim.studies.offers import offers
from clustersim.studies.search import retuned
from clustersim.studies.study import Simulations, Study, named, on_a_fixed_number, simulations
from clustersim.studies.values import DIGITS, TrialValue, Unit, measured_in, span
from clustersim.units import format_duration

REPLICATIONS = 32
"""So many where nobody says how many: the place is then known to some per cent, as its metric is."""
WITHIN = 9
"""Places between the ends of `between` that are looked at first."""
RINGS = (1 / 3, 1.0, 3.0), (0.1, 10.0), (1 / 30, 30.0), (0.01, 100.0)
"""Ratios to today's value that are tried, one group after the other until the condition changes."""
COUNTS = (0.0, 1.0, 2.0), (4.0, 8.0), (16.0, 32.0), (64.0, 128.0), (256.0, 512.0), (1024.0, 2048.0)
"""The same for what is counted from nothing."""
COUNT = re.compile(r"^.*?([\d,]+) (?:cards?|nodes?|racks?)$")
"""A count as the pages show it: `16,384 cards`, `3 % = 62 nodes`."""
MOST_LEVERS = 3
BY_RATIO, ALL_DIGITS = 4, 9
"""Above this ratio of its ends a range is tried at equal ratios; digits of a value that is simulated."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What was simulated with one value (`si`): the figures that were asked for, and whether it suffices."""

    value: TrialValue
    metrics: Mapping[str, ConfidenceInterval]
    slack: Slack

    @property
    def is_met(self) -> bool:
        """Whether the condition holds with it."""
        return self.slack.mean >= 0

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        metrics = {path: interval._asdict() for path, interval in self.metrics.items()}
        return {"value": self.value.si, "text": self.value.text, **metrics}


@dataclass(frozen=True)
class Solution(Study):
    """The answer of `solve`: `value` is where the condition begins to hold, `low` and `high` its interval.

    They are None for what is not known: an interval that goes on beyond all that was tried, or a condition
    that is not `reachable`.  The search begins at today's value (`from_today`), or in the middle of the
    range.  `direction` says whether it holds at most, or at least, up to the value; `best`
    is the evaluation with the most to spare, and `levers` the changes that help most beside it, by path.
    """

    file = "solve.json"
    points = "evaluations"
    path: str
    until: str
    metric: str
    shown: Metric
    between: tuple[float, float]
    retune: bool
    reachable: bool
    unit: Unit
    now: Evaluation | None
    value: TrialValue | None
    low: TrialValue | None
    high: TrialValue | None
    direction: str | None
    at_solution: Evaluation | None
    best: Evaluation
    evaluations: Sequence[Evaluation]
    others: Sequence[TrialValue] = ()
    levers: Mapping[str, Sequence[str]] | None = None
    from_today: bool = True

    @property
    def advice(self) -> list[Advice]:
        """The answer in sentences."""
        return [*_advice(self), *self.caveats()]

    def words(self, evaluation: Evaluation) -> str:
        """Return the metric at a value with its interval."""
        return words(self.shown, evaluation.metrics[self.metric], self.currency)

    @property
    def interval(self) -> str:
        """The interval of the value in words: `2.1 to 2.4 min`."""
        low, high = (None if end is None else self.say(end) for end in (self.low, self.high))
        if low is not None and high is not None:
            unit = high.partition(" ")[2]
            return low if low == high else f"{low.removesuffix(f' {unit}')} to {high}"
        return f"at least {low}" if low else f"at most {high}" if high else "not known"

    def say(self, value: TrialValue, digits: int = DIGITS) -> str:
        """Return a value with so many *digits*, or as a whole number."""
        if value.si is None:
            return value.text
        if self.unit.name == "s":
            return format_duration(value.si, digits)
        return self.unit.value(value.si / self.unit.si, digits).text

    @property
    def tried(self) -> list[tuple[str, Evaluation]]:
        """The evaluations, each with its value in words, which no value with the other answer shares."""
        return [(self._apart(each), each) for each in self.evaluations]

    def _apart(self, one: Evaluation) -> str:
        """Return a value with more digits where 4.726 s suffices and 4.734 s does not: both are 4.73 s."""
        others = [each.value for each in self.evaluations if each.is_met != one.is_met]
        for digits in range(DIGITS, ALL_DIGITS):
            text = self.say(one.value, digits)
            if text not in {self.say(other, digits) for other in others}:
                return text
        return self.say(one.value, ALL_DIGITS)

    def body(self) -> Mapping[str, Any]:
        """Return the numbers as plain data; what is unknown is null."""
        places = {"value": self.value, "low": self.low, "high": self.high}
        return {
            "study": "solve",
            "for": self.path,
            **named(self, "until", "metric", "between", "retune", "reachable"),
            "unit": self.unit.name,
            **{name: None if at is None else at.si for name, at in places.items()},
            "text": self.interval if self.value else None,
            **named(self, "direction", "at_solution", "best", "evaluations"),
            "other_values": [each.si for each in self.others],
            "levers": [path for paths in (self.levers or {}).values() for path in paths],
        }


def _advice(found: Solution) -> Iterator[Advice]:
    condition, path, best = found.until, found.path, found.best
    now = "" if found.now is None else f" It is {found.now.value.text} now, with {found.words(found.now)}."
    if found.value is not None and found.direction is not None:
        bound = "at most" if found.direction == "at_most" else "at least"
        reached = f"{bound} {found.say(found.value)} (95 %: {found.interval})"
        yield Advice(f"{condition} holds with {path} of {reached}.{now}")
        if found.now is not None and found.now.is_met:
            yield Advice("It holds as it is: this is how far the value may go.")
        start = "today's value" if found.from_today else "the middle of the range"
        for other in found.others:
            yield Advice(
                f"It is not the only place where that changes: there is another near {found.say(other)}."
                f" This is the one nearest to {start}; --between chooses.",
                True,
            )
    elif found.reachable:
        yield Advice(f"{condition} holds with every value of {path} that was tried.{now}")
    else:
        doubt = best.slack.high >= 0
        what = "cannot be shown to be reached" if doubt else "cannot be reached"
        low, high = (found.say(found.unit.value(end / found.unit.si, ALL_DIGITS)) for end in found.between)
        yield Advice(
            f"{condition} {what} by {path} alone, between {low} and {high}:"
            f" the best is {found.words(best)} at {found.say(best.value)}."
        )
        if doubt:
            yield Advice("More replications would tell: its interval holds the threshold.")
        names = list(found.levers or ())
        if names:
            yield Advice(f"Beside it these help most, each by itself: {'; '.join(names)}.")
        else:
            yield Advice("No other single change helps beyond chance.")


@dataclass
class Question:
    """What has to be simulated with a value, and how much of the condition is met then."""

    scenario: Scenario
    path: str
    condition: Condition
    running: Simulations
    other: Scenario | None
    retune: bool
    both: bool
    evaluations: dict[float, Evaluation] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.figures = ScenarioFigures(self.scenario).figures
        self.count = self.scenario.simulation.replications

    def evaluation(self, value: TrialValue) -> Evaluation:
        """Return what came of a value, after simulating it if it has not been."""
        self.ask([value])
        return self.evaluations[value.si or 0.0]

    def with_value(self, value: TrialValue, scenario: Scenario | None = None) -> Scenario:
        """Return the scenario with a value in its place; raises ScenarioError where it is faulty."""
        return variant(scenario or self.scenario, {self.path: value.text})

    def ask(self, given: Sequence[TrialValue]) -> list[Slack]:
        """Simulate with each of the values, and return how much of the condition is met."""
        scenarios = [self.with_value(value) for value in given]
        others: list[Rows | None] = [None] * len(given)
        if self.other is not None:
            base = [self.with_value(value, self.other) if self.both else self.other for value in given]
            others = list(self._simulated(base))
        rows = self._simulated(scenarios)
        for value, each, other in zip(given, rows, others, strict=True):
            self.evaluations[value.si or 0.0] = self._evaluation(value, each, other)
        return [self.evaluations[value.si or 0.0].slack for value in given]

    def _simulated(self, scenarios: Sequence[Scenario]) -> list[Rows]:
        """Simulate the scenarios, each with its best interval if that is wanted, and return their rows."""
        if self.retune:
            scenarios = [each.scenario for each in retuned(scenarios, self.count, self.running)]
        return [rows for _, rows in simulated(scenarios, self.count, self.running)]

    def _evaluation(self, value: TrialValue, rows: Rows, others: Rows | None) -> Evaluation:
        metric = self.condition.metric
        shown = dict.fromkeys((metric, "ettr"))
        ends = {path: self.figures[path].ends(rows[path]) for path in shown}
        against = None if others is None else others[metric]
        slack = self.condition.slack(self.figures[metric].measure, rows[metric], against)
        return Evaluation(value, ends, slack)

    def helpful(self, best: TrialValue) -> dict[str, list[str]]:
        """Return the changes that would help beyond chance, the most helpful first, with their paths."""
        at_best = self.with_value(best)
        offered = offers(ended_by_the_clock(at_best, self.count))
        tried = [(change, _variant(at_best, change.values)) for change in offered]
        able = [
            (change, made) for change, made in tried if made is not None and self.path not in change.values
        ]
        if not able:
            return {}
        base, *others = self._simulated([at_best, *(made for _, made in able)])
        metric, gains = self.condition.metric, list[tuple[float, Change]]()
        measure = self.figures[metric].measure
        for (change, _), rows in zip(able, others, strict=True):
            gain = measure.difference(rows[metric], base[metric])
            if gain is not None and gain.distinguishable and self.condition.sign * gain.mean > 0:
                gains.append((abs(gain.mean), change))
        gains.sort(key=lambda pair: -pair[0])
        return {change.name: list(change.values) for _, change in gains[:MOST_LEVERS]}


def _variant(scenario: Scenario, values: Mapping[str, Any]) -> Scenario | None:
    """Return the variant with these *values*, None where they make none of this scenario."""
    try:
        return variant(scenario, values)
    except ScenarioError:
        return None


def solve(
    scenario: ScenarioSource,
    output: Output = None,
    *,
    path: str,
    until: str,
    between: str | None = None,
    retune: bool = False,
    both: bool = False,
    other: ScenarioSource | None = None,
    settings: Settings | None = None,
    **keywords: Any,
) -> Solution:
    """Find the smallest change of the value at *path* with which the condition *until* is met.

    The condition compares a metric of the summary with a number, `ettr >= 0.95`, or with the same metric of
    another scenario, `cost.total <= other.yaml` (*other* in its place, if given), in which *both* sets the
    value too.  Values are sought around today's, or *between* two: "10s..20min".  With *retune* each has its
    own best interval between saves.  With *output*, `solve.json` is written to that folder.

    32 replications for each value, unless the scenario or the settings say how many.  Keywords are fields of
    `Settings`.  Raises ScenarioError or ChoiceError, before anything is simulated, for what cannot be solved,
    and RunError where the run cannot go on.
    """
    how = on_a_fixed_number(merged(settings, keywords))
    given, condition = on_a_number(how.load(scenario), REPLICATIONS), Condition.parse(until)
    if given.simulation.replications < 2:
        raise ChoiceError("one replication tells nothing about chance; solve needs 2 or more")
    _refuse_metric(given, condition)
    if retune:
        tuned_tier(given)
    against = _other(how.load(other or condition.other), given) if condition.other else None
    if against is not None:
        _refuse_metric(against, condition)
    sought = _sought(given, path, between)
    asked = path, until, between, retune, both, given.simulation.replications, against and against.hash
    with simulations(how, output, "solve", given, question={"asked": str(asked)}) as running:
        answer = _answered(Question(given, path, condition, running, against, retune, both), sought)
        return running.finished(answer, output)


def _other(scenario: Scenario, given: Scenario) -> Scenario:
    """Return the *scenario* of a condition, with the seed, replications and horizon of the *given* one."""
    horizon = (given.document.get("simulation") or {}).get("horizon")
    other = on_the_same(scenario, given)
    return variant(other, {"simulation.horizon": horizon}) if horizon else other


def _refuse_metric(scenario: Scenario, condition: Condition) -> None:
    """Raise ChoiceError for a metric that the scenario does not have, or a threshold that it cannot have."""
    figures, path = ScenarioFigures(scenario), condition.metric
    if path not in figures.figures:
        raise ChoiceError(f"{scenario.name}: {figures.why_not(path)}")
    metric = figures.figures[path].metric
    text = re.sub(r"^[^<>=]*", "", condition.text).strip()
    if not condition.other and (why := why_impossible(text, metric.highest)):
        raise ChoiceError(f'"{text}" cannot be expected of {path}: {why}')


class Sought(NamedTuple):
    """Where to look: the place to start from, its unit, and groups of places to try in turn.

    Places are numbers of that unit; of what counts, numbers of steps.  It starts from today's value
    (`is_today`), or from the middle of the range where there is none, or where it lies outside.
    """

    start: float
    unit: Unit
    rings: list[list[float]]
    is_today: bool

    def value(self, place: float) -> TrialValue:
        """Return the value at a place."""
        return self.unit.value(place * self.unit.step, ALL_DIGITS)

    @property
    def between(self) -> tuple[float, float]:
        """The lowest and the highest value, in SI units."""
        places = [place for ring in self.rings for place in ring]
        step = self.unit.step * self.unit.si
        return min(places) * step, max(places) * step


def _sought(scenario: Scenario, path: str, between: str | None) -> Sought:
    """Return where to look for the value at *path*.

    Raises ChoiceError where there is no number at the path, or nothing to try.
    """
    ends, is_today = None if between is None else _ends(path, between), True
    start, unit = _today(scenario, path, None if ends is None else ends[2])
    if ends is not None:
        low, high, asked = ends
        if unit is not None and unit.name != asked.name:
            raise ChoiceError(f"--between {between}: not in the unit of {path}, {unit.suffix or 'a count'}")
        if unit is not None and start is not None:
            # Ends such as 1e3 are counts too, where today's number is whole and no half beside it can be.
            halves = (_variant(scenario, {path: str(start + half)}) for half in (0.5, -0.5))
            whole = asked.whole or (unit.whole and not any(halves))
            start, asked = start * unit.si / asked.si, asked._replace(step=unit.step, whole=whole)
        unit = asked
        spread = np.geomspace if low > 0 and high / low > BY_RATIO else np.linspace
        groups = [spread(low, high, WITHIN).tolist()]
        if start is None or not low <= start <= high:
            start, is_today = (low + high) / 2, False
        elif start not in groups[0]:
            groups[0] = sorted([*groups[0], start])
    elif start is None or unit is None:
        raise ChoiceError(f"{path} has no number now to begin with; say --between 10s..20min, or 0..100")
    else:
        around = [[start * ratio for ratio in ring] for ring in RINGS]
        groups = [*around, [0.0]] if start else [list(ring) for ring in COUNTS]
    places = [[number / unit.step for number in group] for group in groups]
    sought = Sought(start / unit.step, unit, places, is_today)
    valid = [
        [place for place in ring if _variant(scenario, {path: sought.value(place).text})] for ring in places
    ]
    if not any(valid):
        variant(scenario, {path: sought.value(places[0][0]).text})
    return sought._replace(rings=[ring for ring in valid if ring])


def _ends(path: str, between: str) -> tuple[float, float, Unit]:
    first, dots, last = between.partition("..")
    if not dots:
        raise ChoiceError(f"--between {between} is no range; write it like 10s..20min, or 0..100")
    try:
        low, high, unit = span(first, last)
    except ValueError as error:
        raise ChoiceError(f"--between {between} is not a range: {error}") from None
    if not low < high:
        raise ChoiceError(f"--between {between}: the lower end comes first, and below the upper one")
    return low, high, unit


def _today(scenario: Scenario, path: str, asked: Unit | None) -> tuple[float | None, Unit | None]:
    """Return the number that stands at a path, or holds by default, and its unit; None where it is none.

    Spares that are written as a share are a number of nodes too: of both it is the one in the unit *asked*
    about, or else as it is written.
    """
    keys, found = find(scenario.document, path), list[tuple[float, Unit]]()
    shown = next((each.text for each in values(scenario) if each.path == path), "")
    written = "" if keys is None else str(at(scenario.document, keys))
    for text in (written, COUNT.sub(r"\1", shown)):
        with suppress(ValueError):
            found.append(measured_in(text.replace(",", "")))
    alike = [each for each in found if asked is not None and each[1].name == asked.name]
    if not found:
        return None, None
    number, unit = (alike or found)[0]
    if path == CARDS:
        unit = unit._replace(step=scenario.cluster.gpus_per_node * scenario.recovery.replicas)
    return number, unit


def _answered(question: Question, sought: Sought) -> Solution:
    """Return the answer: values are tried group by group until the condition changes."""

    def evaluate(places: Sequence[float]) -> list[Slack]:
        return question.ask([sought.value(place) for place in places])

    search = Crossing(evaluate, sought.start, whole=sought.unit.whole)
    ends = _searched(search, sought.rings)
    place, low, high = (None if end is None else sought.value(end) for end in ends)
    at_solution = None if place is None else question.evaluation(place)
    listed = [question.evaluations[si] for si in sorted(question.evaluations)]
    best = max(listed, key=lambda each: each.slack.mean)
    reachable = best.is_met
    given, condition = question.scenario, question.condition
    now = sought.value(sought.start) if sought.is_today else None
    return Solution(
        *(given, given, question.count),
        path=question.path,
        until=condition.text,
        metric=condition.metric,
        shown=question.figures[condition.metric].metric,
        between=sought.between,
        retune=question.retune,
        reachable=reachable,
        unit=sought.unit,
        now=next((each for each in listed if each.value == now), None),
        value=place,
        low=low,
        high=high,
        direction=None if place is None else "at_least" if search.rises else "at_most",
        at_solution=at_solution,
        best=best,
        evaluations=listed,
        others=[sought.value(at) for at in search.elsewhere(ends[0])] if ends[0] is not None else (),
        levers=None if reachable else question.helpful(best.value),
        from_today=sought.is_today,
    )


def _searched(search: Crossing, rings: Sequence[Sequence[float]]) -> Ends:
    """Return the place and its interval, as far as they lie among the *rings*."""
    ends: Ends = (None, None, None)
    for ring in rings:
        search.look_at(ring)
        if search.brackets():
            ends = search.solve()
            if None not in ends:
                break
    return ends
