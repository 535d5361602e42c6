"""Where `solve` looks and what it says, of conditions that are met by exactly so much at each value."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from clustersim.estimate import ConfidenceInterval
from clustersim.scenario import ScenarioError
from clustersim.scenario.model import Scenario
from clustersim.studies.change import Change
from clustersim.studies.condition import Condition
from clustersim.studies.crossing import Slack
from clustersim.studies.figures import Rows
from clustersim.studies.solve import Evaluation, Question, Solution, solve
from clustersim.studies.study import Simulations, simulations
from clustersim.studies.values import TrialValue, Unit
from tests.unit.studies.clusters import HERE, full, job

RESTART = "recovery.stages.start"
SPARES = "cluster.spares"
BLOCKS = "checkpoint.blocks"
Function = Callable[[float], float]


@pytest.fixture
def exactly(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Solution]:
    """Solves for a value of which the slack is a function, known to within a *width*."""

    def solved(
        function: Function,
        path: str,
        scenario: Any = None,
        width: float = 0.1,
        until: str = "ettr >= 0.9",
        **more: Any,
    ) -> Solution:
        def ask(self: Question, given: Sequence[TrialValue]) -> list[Slack]:
            for value in given:
                self.with_value(value)
                mean = function(value.si or 0.0)
                slack = Slack(mean, mean - width, mean + width)
                ettr = {"ettr": ConfidenceInterval(0.5, 0.4, 0.6)}
                self.evaluations[value.si or 0.0] = Evaluation(value, ettr, slack)
            return [self.evaluations[value.si or 0.0].slack for value in given]

        monkeypatch.setattr(Question, "ask", ask)
        monkeypatch.setattr(Question, "helpful", lambda *_: {"halve x failures": ["failures.x.mtbf"]})
        given = scenario or job(interval="20 min")
        return solve(given, path=path, until=until, **{"settings": HERE} | more)

    return solved


def ends(found: Solution) -> list[float | None]:
    return [None if each is None else each.si for each in (found.low, found.value, found.high)]


def said(found: Solution) -> str:
    return " ".join(map(str, found.advice))


def test_a_value_may_rise_until_the_condition_ceases_to_hold(exactly: Any) -> None:
    """Met by 1 - x / 600 s: up to 600 s, and surely up to 540 s.  It is 300 s now, which suffices."""
    found = exactly(lambda x: 1 - x / 600, RESTART)
    assert ends(found) == pytest.approx([540, 600, 660], rel=0.01)
    assert (found.direction, found.reachable, found.from_today) == ("at_most", True, True)
    assert found.now is not None
    assert (found.now.value.si, found.now.is_met, found.now.slack.mean) == (300.0, True, 0.5)
    assert found.at_solution is not None
    assert found.at_solution.value == found.value
    assert found.best.value.si == min(each.value.si for each in found.evaluations)
    assert found.levers is None
    assert "holds with recovery.stages.start of at most 10 min" in said(found)
    assert "It is 300 s now" in said(found)
    assert "It holds as it is" in said(found)
    values = [each.value.si for each in found.evaluations]
    assert values == sorted(values)


def test_a_value_has_to_rise_until_the_condition_begins_to_hold(exactly: Any) -> None:
    found = exactly(lambda x: x / 600 - 1, RESTART)
    assert ends(found) == pytest.approx([540, 600, 660], rel=0.01)
    assert found.direction == "at_least"
    assert "holds with recovery.stages.start of at least 10 min" in said(found)
    assert "It holds as it is" not in said(found)


@pytest.mark.parametrize("end", [3.4, 10.0, 33.0, 103.0])
def test_values_are_tried_up_to_a_hundred_times_todays(exactly: Any, end: float) -> None:
    """Of 300 s: a place at 3, 10, 30 times it is found, one beyond 100 times it is not."""
    found = exactly(lambda x: x / 300 - end * 0.98, RESTART)
    assert found.reachable == (end < 103)
    assert found.between == (0.0, 30_000.0)
    if end < 103:
        assert ends(found)[1] == pytest.approx(0.98 * end * 300, rel=0.01)


def test_what_holds_with_nothing_only_is_tried_last(exactly: Any) -> None:
    found = exactly(lambda x: 0.5 - x, RESTART, width=0.1)
    assert ends(found) == pytest.approx([0.4, 0.5, 0.6], rel=0.03)


def test_spares_are_counted_from_none(exactly: Any) -> None:
    scenario = full(cluster={"gpus": 64, "nodes_per_rack": 2})
    found = exactly(lambda n: n - 10.5, SPARES, scenario, width=2.0)
    assert ends(found) == [9.0, 11.0, 13.0]
    assert found.interval == "9 to 13"
    assert found.now is not None
    assert found.now.value.text == "0"
    most = exactly(lambda n: n - 2047.5, SPARES, scenario, width=0.1)
    assert ends(most) == [2048.0, 2048.0, 2048.0]
    assert most.interval == "2048"
    assert not exactly(lambda n: n - 2048.5, SPARES, scenario, width=0.1).reachable
    none = exactly(lambda n: 0.5 - n, SPARES, scenario)
    assert ends(none) == [0.0, 0.0, 0.0]
    assert none.at_solution is not None
    assert none.at_solution.value.text == "0"


def test_todays_share_of_many_nodes_is_read_without_the_marks_of_thousands(exactly: Any) -> None:
    """1 % of 125,000 nodes, where a range of counts is asked about."""
    scenario = job(cluster={"gpus": 1_000_000, "spares": "1 %"})
    found = exactly(lambda n: n - 1500.5, SPARES, scenario, between="0..2000")
    assert found.now is not None
    assert found.now.value == TrialValue("1250", 1250.0)


def test_cards_are_whole_nodes(exactly: Any) -> None:
    found = exactly(lambda n: n - 1490.0, "cluster.gpus")
    assert ends(found)[1] == 1496.0
    assert all(each.value.si % 8 == 0 for each in found.evaluations)
    within = exactly(lambda n: n - 1500.0, "cluster.gpus", between="800..2000")
    assert ends(within)[1] == 1504.0
    assert within.between == (800.0, 2000.0)
    written = exactly(lambda n: n - 1500.0, "cluster.gpus", between="8e2..2000.0")
    assert (ends(written)[1], written.between) == (1504.0, (800.0, 2000.0))
    thirds = job(cluster={"gpus": 1_200}, recovery={"stages": {"start": "5 min"}, "replicas": 3})
    assert ends(exactly(lambda n: n - 1490.0, "cluster.gpus", thirds))[1] == 1512.0


@pytest.mark.parametrize(
    "path", ["failures.any.groups.old", "failures.any.lemons.factor", "recovery.stages.start.lognormal.sigma"]
)
def test_a_number_that_need_not_be_whole_is_tried_between_whole_ones(path: str, exactly: Any) -> None:
    """Also where today's is the smallest or the largest that it can be: a factor of 1, a sigma of 6."""
    mode = {"per": "node", "mtbf": "9 d", "groups": {"old": 3}, "lemons": {"share": "5 %", "factor": 1}}
    scenario = job(
        failures={"any": mode},
        cluster={"gpus": 1_000, "groups": {"old": {"nodes": 4}}},
        recovery={"stages": {"start": {"lognormal": {"median": "5 min", "sigma": 6}}}},
    )
    found = exactly(lambda x: x - 2.3, path, scenario, between="1.5..4.5")
    assert ends(found)[1] == pytest.approx(2.3, rel=0.01)


@pytest.mark.parametrize(
    ("today", "between", "value"), [("300 s", "2min..30min", "5 min"), ("5 min", "120s..1800s", "300 s")]
)
def test_a_range_is_in_its_own_unit_and_has_todays_value_in_it(
    today: str, between: str, value: str, exactly: Any
) -> None:
    """Today's 300 s are the 5 min from which the search begins."""
    given = job(interval="20 min", recovery={"stages": {"start": today}})
    found = exactly(lambda x: 1 - x / 600, RESTART, given, between=between)
    assert found.between == pytest.approx((120.0, 1800.0))
    assert found.from_today
    assert found.now is not None
    assert found.now.value == TrialValue(value, 300.0)
    assert ends(found) == pytest.approx([540, 600, 660], rel=0.01)
    tried = [each.value.si for each in found.evaluations]
    assert (min(tried), max(tried)) == pytest.approx((120.0, 1800.0))


@pytest.mark.parametrize(
    ("between", "tried"),
    [
        ("1s..256s", [2.0**n for n in range(9)]),
        ("100s..260s", range(100, 261, 20)),
        ("400s..1600s", range(400, 1601, 150)),
    ],
)
def test_a_range_is_tried_at_equal_ratios_only_where_it_is_long(
    between: str, tried: Sequence[float], exactly: Any
) -> None:
    """Above 4 times its lower end: nine places, of which all suffice."""
    found = exactly(lambda _: 1.0, RESTART, between=between)
    assert [each.value.si for each in found.evaluations] == pytest.approx(tried)


def test_where_nothing_can_be_tried_the_first_value_is_refused(exactly: Any) -> None:
    scenario = job(cluster={"gpus": 8_000, "spares": "1 %"})
    with pytest.raises(ScenarioError, match='"200 %" is more than the whole'):
        exactly(lambda _: 1.0, SPARES, scenario, between="200%..300%")


@pytest.mark.parametrize(
    ("between", "today"), [("300s..900s", True), ("301s..900s", False), ("100s..300s", True)]
)
def test_todays_value_may_be_an_end_of_the_range(exactly: Any, between: str, today: bool) -> None:
    found = exactly(lambda x: 1 - x / 450, RESTART, between=between)
    assert found.from_today == today
    assert (found.now is not None) == today
    assert str(found.advice[0]).endswith("with 0.50 ± 0.10." if today else "min).")


def test_of_two_places_the_one_nearest_to_todays_value_is_the_answer(exactly: Any) -> None:
    """A hill that is above the condition from 600 s to 6,000 s."""

    def hill(x: float) -> float:
        return min(x / 600 - 1, 1 - x / 6000)

    found = exactly(hill, RESTART)
    assert ends(found)[1] == pytest.approx(600, rel=0.01)
    assert found.direction == "at_least"
    near = exactly(hill, RESTART, between="100s..20000s")
    (other,) = near.others
    assert other.si == pytest.approx(6000, rel=1.0)
    (several,) = (str(each) for each in near.advice if each.warning)
    assert "This is the one nearest to today's value" in several
    middle = exactly(hill, RESTART, between="310s..20000s")
    assert ends(middle)[1] == pytest.approx(6000, rel=0.01)
    assert (middle.direction, middle.from_today) == ("at_most", False)
    assert "This is the one nearest to the middle of the range" in said(middle)


@pytest.mark.parametrize(("low", "high", "place"), [(1200, 1700, 1700), (1400, 1900, 1400)])
def test_without_todays_value_the_place_nearest_to_the_middle_is_the_answer(
    low: float, high: float, place: float, exactly: Any
) -> None:
    """A hill between both; 1,500 s are in the middle."""
    found = exactly(lambda x: min(x - low, high - x), RESTART, between="1000s..2000s")
    assert ends(found)[1] == pytest.approx(place, rel=0.01)
    assert not found.from_today


def test_what_is_tried_goes_on_until_both_ends_of_the_interval_are_known(exactly: Any) -> None:
    """From 240 s to 960 s: a third of today's 300 s and three times as much are not far enough."""
    found = exactly(lambda x: 1 - x / 600, RESTART, width=0.6)
    assert ends(found) == pytest.approx([240, 600, 960], rel=0.01)


def test_a_place_is_known_to_more_digits_than_are_shown(exactly: Any) -> None:
    found = exactly(lambda x: 1 - x / 612.3456, RESTART)
    assert ends(found) == pytest.approx([551.11104, 612.3456, 673.58016], rel=1e-6)
    assert "of at most 10.2 min (95 %: 9.19 to 11.2 min)" in said(found)


def test_values_of_any_unit_are_told_apart_by_their_digits(exactly: Any) -> None:
    unit = Unit("%", 0.01, name="share")
    found, slack = exactly(lambda x: 1 - x / 600, RESTART), Slack(-1.0, -1.0, -1.0)
    met = [replace(found.best, value=unit.value(number, 9)) for number in (4.726, 1.00000001)]
    unmet = [replace(found.best, value=unit.value(number, 9), slack=slack) for number in (4.731, 1.00000002)]
    near = replace(found, unit=unit, evaluations=[*met, *unmet])
    assert [text for text, _ in near.tried] == ["4.726 %", "1.00000001 %", "4.731 %", "1.00000002 %"]


def test_an_end_beyond_all_that_was_tried_is_not_known(exactly: Any) -> None:
    """Met by 1 - x / 600 s within 0.5: known to lie between 300 s and 900 s."""
    up = exactly(lambda x: 1 - x / 600, RESTART, width=0.5, between="200s..800s")
    assert up.interval == "at least 5 min"
    down = exactly(lambda x: 1 - x / 600, RESTART, width=0.5, between="400s..1200s")
    assert down.interval == "at most 15 min"
    both = exactly(lambda x: 1 - x / 600, RESTART, width=0.5, between="400s..800s")
    assert both.interval == "not known"


@pytest.mark.parametrize(("width", "doubt"), [(0.5, True), (0.4, False)])
def test_what_is_out_of_reach_may_be_so_by_chance(exactly: Any, width: float, doubt: bool) -> None:
    found = exactly(lambda x: -0.5 - x / 1e4, RESTART, width=width)
    assert (found.reachable, found.value, found.at_solution) == (False, None, None)
    assert found.best.value.si == 0.0
    assert ("cannot be shown to be reached" in said(found)) == doubt
    assert ("More replications would tell" in said(found)) == doubt
    assert "each by itself: halve x failures." in said(found)
    body = found.body()
    assert (body["levers"], body["text"], body["reachable"]) == (["failures.x.mtbf"], None, False)


def test_the_ends_of_what_was_tried_are_said_as_other_values_are(exactly: Any) -> None:
    found = exactly(lambda x: -1 - x, RESTART, between="101.4min..5h")
    assert "cannot be reached by recovery.stages.start alone, between 1.69 h and 5 h:" in said(found)
    assert "helps" not in said(found)
    nothing = replace(found, levers={})
    assert str(nothing.advice[1]) == "No other single change helps beyond chance."


@pytest.mark.parametrize("retune", [True, False])
def test_the_answer_says_what_was_asked(exactly: Any, retune: bool) -> None:
    found = exactly(lambda x: 1 - x / 600, RESTART, between="2min..30min", retune=retune)
    body = found.body()
    asked = {"study": "solve", "for": RESTART, "until": "ettr >= 0.9", "metric": "ettr", "retune": retune}
    assert body | asked | {"reachable": True} == body
    assert (body["unit"], body["between"]) == ("s", pytest.approx([120.0, 1800.0]))
    assert [body[end] for end in ("low", "value", "high")] == pytest.approx([540, 600, 660], rel=0.01)
    assert (body["text"], body["other_values"], body["levers"]) == ("9 to 11 min", [], [])
    assert body["evaluations"] == [each.to_dict() for each in found.evaluations]
    assert body["best"] == body["evaluations"][0]
    assert (body["direction"], body["at_solution"]["value"]) == ("at_most", body["value"])


def test_the_other_scenario_has_the_same_failures_over_the_same_time(
    exactly: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Question] = []
    answered = Question.__post_init__
    monkeypatch.setattr(Question, "__post_init__", lambda self: (answered(self), asked.append(self)))
    given, other = job(lives=20, replications=6), job(name="other", lives=5, replications=3, restart=60)
    how = replace(HERE, replications=5)
    for until in ("ettr >= other.yaml", "ettr >= 0.9"):
        exactly(lambda x: 1 - x / 600, RESTART, given, until=until, other=other, settings=how, seed=7)
    assert [(each.both, each.count) for each in asked] == [(False, 5)] * 2
    against, alone = (each.other for each in asked)
    assert alone is None
    assert against is not None
    assert (against.name, against.end_s, against.simulation.seed) == ("other", given.end_s, 7)
    assert against.simulation.replications == 5
    assert against.document["recovery"] == other.document["recovery"]
    given = job(workload={"productive": "2 h"}, simulation={"replications": 6})
    exactly(lambda x: 1 - x / 600, RESTART, given, until="ettr >= other.yaml", other=other)
    assert asked[-1].other is not None
    assert asked[-1].other.end_s == other.end_s


def test_what_is_kept_is_of_one_question_only(
    exactly: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[Any, ...]] = []

    def spied(*given: Any, question: Any) -> Any:
        seen.append((*given[1:3], given[3].name, str(question)))
        return simulations(*given, question=question)

    monkeypatch.setattr("clustersim.studies.solve.simulations", spied)
    other = {"until": "ettr >= other.yaml", "other": job(name="other")}
    for question in (
        {},
        {"path": "checkpoint.blocks"},
        {"until": "ettr >= 0.8"},
        {"between": "2min..30min"},
        {"retune": True},
        {"both": True},
        {"replications": 9},
        other,
        other | {"other": job(name="other", restart=60)},
    ):
        exactly(lambda x: 1 - x / 600, **{"path": RESTART} | question, output=tmp_path)
    assert {each[:3] for each in seen} == {(tmp_path, "solve", "job")}
    assert len(set(seen)) == len(seen)
    assert [path.name for path in tmp_path.iterdir() if "@" not in path.name] == ["solve.json"]


@pytest.mark.parametrize("both", [True, False])
def test_the_other_scenario_has_the_value_too_where_both_shall(
    both: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[list[tuple[str, str]]] = []

    def simulated(self: Question, scenarios: Sequence[Scenario]) -> list[Rows]:
        seen.append([(each.name, each.document["recovery"]["stages"]["start"]) for each in scenarios])
        return [{"ettr": ettr[each.name]} for each in scenarios]

    monkeypatch.setattr(Question, "_simulated", simulated)
    ettr = {"job": np.array([[0.9], [0.7]]), "other": np.array([[0.6], [0.4]])}
    condition, other = Condition.parse("ettr >= other.yaml"), job(name="other", restart=60)
    question = Question(job(), RESTART, condition, Simulations(HERE), other, False, both)
    slacks = question.ask([TrialValue("9 min", 540.0), TrialValue("8 min", 480.0)])
    values = ["9 min", "8 min"]
    against = values if both else ["60 s", "60 s"]
    assert seen == [[("other", value) for value in against], [("job", value) for value in values]]
    assert slacks == [pytest.approx((0.3, 0.3, 0.3))] * 2


@pytest.mark.parametrize(
    ("until", "names"), [("ettr >= 0.9", ["most", "more", "some"]), ("ettr <= 0.1", ["harm", "bit"])]
)
def test_three_changes_that_help_beyond_chance_are_named_the_most_helpful_first(
    until: str, names: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each change is told by how long its saves take; those of the value itself, or faulty, are left out."""
    gains = {"bit": -0.01, "some": 0.02, "most": 0.05, "harm": -0.02, "little": 0.01, "more": 0.03}
    rows = {f"{n} s": np.array([[0.5], [0.6]]) + gain for n, gain in enumerate(gains.values(), 1)}
    rows |= {"30 s": np.array([[0.5], [0.6]]), "7 s": np.array([[0.9], [0.4]])}
    changes = [
        *(Change(name, {BLOCKS: f"{n} s"}, "") for n, name in enumerate([*gains, "chance"], 1)),
        Change("itself", {RESTART: "1 s", BLOCKS: "3 s"}, ""),
        Change("faulty", {BLOCKS: "never"}, ""),
    ]

    def simulated(self: Question, scenarios: Sequence[Scenario]) -> list[Rows]:
        assert {each.document["recovery"]["stages"]["start"] for each in scenarios} == {"9 min"}
        return [{"ettr": rows[each.document["checkpoint"]["blocks"]]} for each in scenarios]

    monkeypatch.setattr(Question, "_simulated", simulated)
    monkeypatch.setattr("clustersim.studies.solve.offers", lambda _: changes)
    given = job(checkpoint={"interval": "20 min", "blocks": "30 s"})
    question = Question(given, RESTART, Condition.parse(until), Simulations(HERE), None, False, False)
    found = question.helpful(TrialValue("9 min", 540.0))
    assert list(found.items()) == [(name, [BLOCKS]) for name in names]
