"""Scoring an interval on outages that were simulated with another one is simulating it."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clustersim.engine.replication import simulate
from clustersim.experiment import Point
from clustersim.scenario import loads
from clustersim.scenario.model import Scenario
from clustersim.settings import Settings
from clustersim.store import Kept, Measurements
from clustersim.studies.change import tuned_tier
from clustersim.studies.search import (
    SEGMENTS,
    Outages,
    retuned,
    schedule_of,
    scores,
    searched,
    why_outages_depend,
)
from clustersim.studies.study import Simulations
from tests.oracle.author import picking
from tests.oracle.random_scenarios import scenario as random_scenario
from tests.unit.studies.clusters import TIERS, job

CLOSE = 1e-9
HERE = Simulations(Settings(workers=1))


def histories(scenario: Scenario, count: int) -> list[Kept]:
    """What a study keeps of the stretches of the first replications."""
    store = Measurements(SEGMENTS)
    for replication in range(count):
        store.put(simulate(scenario, replication))
    return store.first(count)


def with_interval(spec: dict[str, Any], seconds: float) -> Scenario:
    changed = copy.deepcopy(spec)
    changed["checkpoint"]["interval"] = f"{seconds!r} s"
    return Scenario.model_validate(changed)


@st.composite
def tunable(draw: Any) -> dict[str, Any]:
    """A random scenario of the oracle that saves and has no target: every mechanism but those two."""
    spec = random_scenario(picking(draw), ties=draw(st.booleans()))
    spec["workload"].pop("productive", None)
    if spec["checkpoint"] == "none":
        spec["checkpoint"] = {"interval": "1 min", "blocks": "3 s", "durable_after": "20 s"}
    return spec


@settings(max_examples=150, derandomize=True, database=None, deadline=None)
@given(tunable(), st.floats(1.0, 3000.0), st.floats(1.0, 3000.0))
def test_a_score_is_what_a_full_simulation_finds(spec: dict[str, Any], one: float, other: float) -> None:
    simulated_with, wanted = with_interval(spec, one), with_interval(spec, other)
    assert why_outages_depend(wanted) is None
    outages = Outages.of(histories(simulated_with, 2), wanted.simulation.warm_up)
    found = outages.ettr(schedule_of(simulated_with, other))
    assert found == pytest.approx([simulate(wanted, number).ettr for number in range(2)], abs=CLOSE)


BUSY = {
    "name": "busy",
    "cluster": {"gpus": 64, "nodes_per_rack": 2, "spares": 1, "spare_kind": "cold", "provision": "10 min"},
    "workload": {"step_time": "7 s"},
    "failures": {
        "node": {"per": "node", "mtbf": "2 d", "repair": "9 h", "transient": "30 %"},
        "rack": {"per": "rack", "mtbf": "8 d", "lifetime": {"weibull": {"shape": 0.7}}, "repair": "1 d"},
        "software": {"per": "job", "mtbf": "6 h", "clock": "training"},
        "hang": {"per": "job", "mtbf": "1 d", "effect": "hang", "detect": "10 min"},
    },
    "checkpoint": {"interval": "10 min", "blocks": "20 s", "durable_after": "3 min", "load": "1 min"},
    "recovery": {
        "stages": {"detect": "1 min", "start": {"constant": "4 min", "fails": "10 %"}, "load": "checkpoint"},
        "during_recovery": "absorb",
    },
    "maintenance": {"every": "13 h", "takes": "20 min"},
    "simulation": {"horizon": "10 d", "warm_up": "1 d", "replications": 3},
}


@pytest.mark.parametrize("abrupt", [False, True])
def test_both_ways_of_scoring_agree_on_a_scenario_that_uses_everything(abrupt: bool) -> None:
    scenario = Scenario.model_validate(BUSY | {"maintenance": BUSY["maintenance"] | {"abrupt": abrupt}})
    intervals = [1.0, 60.0, 179.9, 600.0, 5000.0, 1e6]
    for parts in ([range(2)], [range(1, 2), range(2, 3)]):
        by_outages, by_simulation = (
            scores(scenario, tuned_tier(scenario), parts, HERE, in_full=in_full) for in_full in (False, True)
        )
        for one, other in zip(by_outages, by_simulation, strict=True):
            for found, expected in zip(one(intervals), other(intervals), strict=True):
                assert found == pytest.approx(expected, abs=CLOSE)


def test_the_best_interval_within_a_larger_question_is_chosen_on_other_replications() -> None:
    """On the 3 after the first 3, be they scored on common outages, or simulated for one of two tiers."""
    plain, calm = job(lives=20, interval="1 h"), job(failures="none", interval="1 h")
    two = loads(TIERS, overrides={"simulation.horizon": "1 d"})
    for scenario, name, full in ((plain, None, False), (two, "peer", True)):
        first, second = retuned([calm, scenario], 3, HERE, name)
        assert (first.scenario, first.range_s) == (calm, None)
        tier = tuned_tier(scenario, name)
        (score,) = scores(scenario, tier, [range(3, 6)], HERE, in_full=full)
        expected = searched(scenario, tier, score, (tier.interval,), 12 if full else 40)
        assert second.range_s == expected.flat_range()
        assert tuned_tier(second.scenario, name).interval == expected.best != tier.interval


def test_what_is_scored_on_common_outages_is_simulated_for_all_scenarios_together() -> None:
    """Not those where nothing fails, or whose intervals are simulated in full."""

    class Stopping(Simulations):
        def run(self, points: Sequence[Point]) -> None:
            raise RuntimeError([(point.scenario.name, point.missing()) for point in points])

    one, other = job(name="one"), job(name="other")
    calm, two = job(failures="none", interval="1 h"), loads(TIERS)
    with pytest.raises(RuntimeError) as caught:
        retuned([one, calm, two, other], 3, Stopping(Settings(workers=1)))
    assert caught.value.args == ([("one", [3, 4, 5]), ("other", [3, 4, 5])],)


def test_outages_depend_on_the_interval_where_a_target_ends_the_run() -> None:
    with_target = Scenario.model_validate(BUSY | {"workload": {"productive": "3 d"}, "simulation": {}})
    assert "target" in str(why_outages_depend(with_target))


def test_a_replication_that_never_trains_scores_nothing() -> None:
    spec = {
        "name": "never",
        "cluster": {"gpus": 8},
        "failures": {"node": {"per": "node", "mtbf": "1 min"}},
        "checkpoint": {"interval": "1 min", "blocks": "1 s"},
        "recovery": {"stages": {"start": "2 d"}, "at_start": True},
        "simulation": {"horizon": "1 d"},
    }
    scenario = Scenario.model_validate(spec)
    outages = Outages.of(histories(scenario, 1), 0.0)
    assert outages.ettr(schedule_of(scenario, 60.0)).tolist() == [0.0]
