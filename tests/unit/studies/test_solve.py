"""`solve`: against exact answers, out of reach, break-even, and what cannot be solved."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from scipy.optimize import brentq

from clustersim import theory
from clustersim.experiment import run
from clustersim.scenario import ScenarioError, dump
from clustersim.scenario.loading import variant
from clustersim.scenario.model import Scenario
from clustersim.settings import Settings
from clustersim.store import ChoiceError
from clustersim.studies.solve import Solution, solve
from clustersim.studies.study import Simulations
from tests.theory.test_queues import Fleet
from tests.unit.studies.clusters import HERE, HOUR, full, job

RESTART, BLOCKS, MTBF = "recovery.stages.start", "checkpoint.blocks", "failures.any.mtbf"


def solved(scenario: Any = None, path: str = RESTART, until: str = "ettr >= 0.85", **more: Any) -> Solution:
    """The answer for a job that saves every 20 minutes, in this process."""
    usual = job(interval="20 min", replications=8, lives=60) if scenario is None else scenario
    return solve(usual, path=path, until=until, settings=HERE, **more)


def efficiency(mtbf: float = HOUR, blocks: float = 30.0, restart: float = 300.0) -> float:
    return theory.efficiency(1200.0, mtbf, blocks, restart)


def test_counts_begin_at_todays_as_other_values_do() -> None:
    """The pages show them with a noun, `8 cards`, which is no unit."""
    small = job(cluster={"gpus": 1_000, "spares": 4}, lives=2, replications=2)
    for path, until, now in (
        ("cluster.gpus", "gpus <= 800", 1000),
        ("cluster.spares", "spare_nodes <= 3", 4),
    ):
        found = solved(small, path=path, until=until)
        assert found.now is not None
        assert found.now.value.si == now


@pytest.mark.parametrize(("between", "now"), [("0..64", 10), ("0%..9%", 0.01), (None, 0.01)])
def test_spares_written_as_a_share_are_a_number_of_nodes_too(between: str | None, now: float) -> None:
    shared = job(cluster={"gpus": 8_000, "spares": "1 %"}, lives=2, replications=2)
    found = solved(shared, path="cluster.spares", until="spare_nodes <= 60", between=between)
    assert found.now is not None
    assert found.now.value.si == now


@pytest.mark.parametrize(
    ("path", "function", "until", "ends", "direction"),
    [
        (RESTART, lambda x: efficiency(restart=x), 0.78, (1.0, HOUR), "at_most"),
        (BLOCKS, lambda x: efficiency(blocks=x), 0.70, (1.0, HOUR), "at_most"),
        (MTBF, lambda x: efficiency(mtbf=x), 0.85, (600.0, 90 * HOUR), "at_least"),
    ],
)
def test_daly_inverted(
    path: str, function: Callable[[float], float], until: float, ends: tuple[float, float], direction: str
) -> None:
    """A single draw of an interval that holds the truth in 95 of 100: the seed is one of those."""
    exact = brentq(lambda x: function(x) - until, *ends)
    found = solved(path=path, until=f"ettr >= {until}")
    low, high = (end.si if end and end.si else math.nan for end in (found.low, found.high))
    assert found.reachable
    assert low < exact < high
    assert found.direction == direction
    assert found.to_dict()["unit"] == "s"
    assert found.value is not None
    at = run(variant(found.given, {path: found.value.text}), settings=HERE).summary["ettr"]["mean"]
    assert at == pytest.approx(until, abs=0.001)


def test_the_middle_of_what_is_asked_is_not_called_todays_value() -> None:
    """Saves take 30 s; what is asked may lie elsewhere, and is then not said to be so now."""
    asked = solved(path=BLOCKS, until="ettr >= 0.1", between="1min..3min")
    assert asked.now is None
    assert not any("now" in str(sentence) for sentence in asked.advice)
    inside = solved(path=BLOCKS, until="ettr >= 0.1", between="10s..3min")
    assert inside.now is not None
    assert inside.now.value.si == 30
    beyond = solved(path=BLOCKS, until="ettr >= 0.95", between="1min..3min")
    assert "by checkpoint.blocks alone, between 60 s and 3 min: the best is" in str(beyond.advice[0])


def test_spares_of_the_machine_repairman() -> None:
    """So many spares that a node is missing in at most 5 % of the time, by the queue's exact solution."""
    fleet = Fleet(nodes=12, spares=0, crews=3, spare_failures=1.0, mtbf=100.0, repair=10.0)
    exact = next(n for n in range(99) if Fleet(12, n, 3, 1.0, 100.0, 10.0).waits <= 0.05)
    document = fleet.document()
    document["simulation"] |= {"horizon": "1500 h", "warm_up": "200 h", "replications": 8}
    document["cluster"].pop("spares")
    scenario = Scenario.model_validate(document)
    found = solved(scenario, "cluster.spares", "spares.waiting <= 0.05", between="0..12")
    low, high = found.low, found.high
    assert low is not None
    assert high is not None
    assert float(low.text) <= exact <= float(high.text)
    assert found.direction == "at_least"
    assert found.unit.whole
    assert "holds with cluster.spares of at least" in str(found.advice[0])


def test_out_of_reach_is_an_answer_with_what_helps_most_beside_it() -> None:
    found = solved(until="ettr >= 0.95")
    assert (found.reachable, found.value, found.direction) == (False, None, None)
    assert found.best.value.si == 0.0
    assert found.best.metrics["ettr"].mean == pytest.approx(efficiency(restart=0.0), abs=0.01)
    text = " ".join(map(str, found.advice))
    assert text.startswith(f"ettr >= 0.95 cannot be reached by {RESTART} alone, between 0 s and ")
    assert ": the best is 0.8" in text
    assert "Beside it these help most, each by itself: halve" in text
    assert MTBF in found.body()["levers"]
    assert RESTART not in found.body()["levers"]


def test_what_holds_everywhere_says_so() -> None:
    found = solved(until="ettr <= 0.999", between="1min..9min")
    assert found.reachable
    assert found.value is None
    assert "holds with every value" in str(found.advice[0])


def test_what_holds_today_says_how_far_it_may_go() -> None:
    found = solved(until="ettr >= 0.6")
    assert found.value is not None
    assert (found.value.si or 0.0) > 300.0
    assert str(found.advice[1]) == "It holds as it is: this is how far the value may go."


def test_values_that_differ_in_the_answer_are_told_apart_by_their_digits() -> None:
    """Of 4.726 s and 4.731 s, both 4.73 s in three digits, only the first suffices."""
    found = solved(until="ettr >= 0.78")
    met, unmet = (
        next(each for each in found.evaluations if each.is_met == is_met) for is_met in (True, False)
    )
    places = {4.71: met, 4.726: met, 4.731: unmet, 4.744: unmet, 75.14: unmet, 75.1443: met, 75.146: met}
    moved = [replace(each, value=found.unit.value(si, 9)) for si, each in places.items()]
    near = replace(found, evaluations=moved)
    assert [text for text, _ in near.tried] == [
        "4.71 s",
        "4.726 s",
        "4.731 s",
        "4.74 s",
        "75.14 s",
        "75.144 s",
        "75.15 s",
    ]
    assert [each for _, each in near.tried] == moved
    same = replace(near, evaluations=[moved[0], moved[0]])
    assert [text for text, _ in same.tried] == ["4.71 s"] * 2


def test_break_even_with_another_scenario(tmp_path: Path) -> None:
    """With saves of 5 s instead of 30 s: what restart gives the ETTR that 2 minutes give with those?"""
    other = tmp_path / "other.yaml"
    other.write_text(dump(job(interval="20 min", restart=120, replications=3, lives=5, name="other")))
    exact = brentq(lambda x: efficiency(blocks=5, restart=x) - efficiency(restart=120), 1.0, HOUR)
    scenario = job(interval="20 min", replications=16, lives=60, blocks=5)
    found = solved(scenario, until=f"ettr >= {other}")
    low, high, place = (
        end.si if end and end.si else math.nan for end in (found.low, found.high, found.value)
    )
    assert low < exact < high
    assert (high - low) / exact < 0.2  # paired: far narrower than the interval of either
    assert low <= place <= high
    assert found.direction == "at_most"
    with pytest.raises(ScenarioError, match="no such file"):
        solved(until="ettr >= nowhere.yaml")


def test_both_scenarios_may_have_the_value(tmp_path: Path) -> None:
    """Dear saves seldom against cheap saves often: the rarer the failures, the better the first."""
    other = tmp_path / "other.yaml"
    other.write_text(dump(job(interval="10 min", blocks=30, lives=5, name="other")))
    scenario = job(interval="40 min", blocks=30, replications=8, lives=40)

    def gain(mtbf: float) -> float:
        return theory.efficiency(2400, mtbf, 30, 300) - theory.efficiency(600, mtbf, 30, 300)

    exact = brentq(gain, HOUR, 90 * HOUR)
    found = solved(scenario, MTBF, f"ettr >= {other}", both=True, between="1h..30h")
    low, high = (end.si if end and end.si else math.nan for end in (found.low, found.high))
    assert low < exact < high
    assert found.direction == "at_least"


@pytest.mark.parametrize("metric", ["days_to_target.p90 <= 1.25", "ettr.p10 >= 0.75", "cost.total <= 5"])
def test_quantiles_targets_and_prices(metric: str) -> None:
    more = {"costs": {"gpu_hour": "0.0002 USD"}, "workload": {"productive": "20 h"}}
    scenario = job(interval="20 min", replications=8, **more)
    scenario = variant(scenario, {"simulation.horizon": "4 d"})
    found = solved(scenario, until=metric)
    assert found.reachable
    low, high, place = (end.si if end else math.nan for end in (found.low, found.high, found.value))
    assert not (low or 0.0) > (place or 0.0)
    assert not (high or math.inf) < (place or 0.0)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"until": "ettr"}, '"ettr" is no condition; write it like ettr >= 0.95'),
        ({"until": "ettr >= 95"}, "it is a share, between 0 and 1; write >= 95 %"),
        ({"until": "ettr >= 9x"}, "neither a number nor a scenario"),
        ({"until": "etr >= 0.9"}, 'did you mean "ettr"'),
        ({"until": "cost.total <= 4"}, "cost.total needs costs"),
        (
            {"path": "checkpoint.interval", "scenario": job()},
            "has no number now to begin with; say --between",
        ),
        ({"between": "1min"}, "is no range; write it like 10s..20min"),
        ({"between": "9min..1min"}, "the lower end comes first"),
        ({"between": "1GB..2GB"}, f"not in the unit of {RESTART}, s$"),
        ({"path": "cluster.gpus", "between": "1GB..2GB"}, r"not in the unit of cluster\.gpus, a count$"),
        ({"between": "2min..120s"}, "the lower end comes first, and below the upper one"),
        ({"between": "a..b"}, "is not a range"),
        ({"between": "1..2..3"}, 'is not a range: "2..3"'),
        ({"scenario": job(replications=1)}, "solve needs 2 or more"),
        ({"scenario": job(checkpoint="none"), "retune": True}, "no interval to tune"),
    ],
)
def test_what_cannot_be_solved_is_said_before_anything_is_simulated(
    more: dict[str, Any], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Simulations, "run", lambda *_: pytest.fail("simulated"))
    with pytest.raises(ChoiceError, match=said):
        solved(**more)


def test_a_retuned_answer_allows_dearer_saves() -> None:
    scenario = job(interval="20 min", replications=2, lives=20)
    kept, retuned = (
        solved(scenario, BLOCKS, "ettr >= 0.65", between="5s..9min", retune=retune)
        for retune in (False, True)
    )
    assert kept.value is not None
    assert retuned.value is not None
    assert (retuned.value.si or 0) > (kept.value.si or 0)


def test_the_same_answer_with_any_number_of_workers(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clustersim.workers.WORTH_A_POOL", 0.0)
    question: dict[str, Any] = {"path": RESTART, "until": "ettr >= 0.75"}
    for workers in (1, 2):
        solve(
            job(lives=10, replications=4),
            tmp_path / str(workers),
            **question,
            settings=Settings(workers=workers),
        )
    one, two = ((tmp_path / name / "solve.json").read_bytes() for name in ("1", "2"))
    assert one == two


@pytest.mark.parametrize(
    ("path", "now"),
    [
        ("cluster.spares.lent.takes", 900.0),
        ("cluster.groups.old.nodes", 4.0),
        ("failures.node.groups.old", 3.0),
        ("maintenance.1.takes", 1800.0),
    ],
)
def test_a_number_within_a_list_or_a_table_is_where_the_search_begins(path: str, now: float) -> None:
    changes = {
        "cluster.spares": "[{name: own, count: 2}, {name: lent, count: 4, takes: 15 min}]",
        "cluster.groups": "{old: {nodes: 4}}",
        "failures.node.groups": "{old: 3}",
        "maintenance": "[{every: 9 h, takes: 5 min}, {every: 1 d, takes: 30 min}]",
    }
    found = solved(variant(full(), changes), path, "ettr >= 0.01")
    assert found.from_today
    assert now in [each.value.si for each in found.evaluations]


def test_a_value_that_is_not_given_needs_a_range() -> None:
    found = solved(full(), "cluster.spares", "spares.waiting <= 0.05", between="0..8")
    assert found.reachable


def test_what_lies_outside_the_range_is_not_today() -> None:
    found = solved(path=BLOCKS, until="ettr >= 0.6", between="100s..300s")
    assert found.now is None
    assert not found.from_today
    assert not any("It is" in str(each) for each in found.advice)


def test_the_other_scenario_needs_the_metric_too() -> None:
    priced = job(costs={"gpu_hour": "2 USD"})
    with pytest.raises(ChoiceError, match=r"other: cost\.total needs costs"):
        solved(priced, until="cost.total <= other.yaml", other=job(name="other"))
