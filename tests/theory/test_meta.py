"""Meta at 98,304 cards, as they read their failures: one each 18 min, a recovery of 10 min, nothing lost."""

from __future__ import annotations

import math

import pytest

from clustersim import theory
from clustersim.engine.replication import simulate
from clustersim.scenario.model import Scenario
from tests.theory.runs import Spec, replications, seconds, spec
from tests.theory.z import assert_z, mean_se

MINUTE = 60.0
GAP, RECOVERY, STALL = 18 * MINUTE, 10 * MINUTE, 3 * MINUTE
COUNT, NODES, REPLICAS = 1000, 12_288, 12
WHOLE: Spec = {"stages": {"restart": "10 min"}}
BY_REPLICA: Spec = WHOLE | {"replicas": REPLICAS, "stall": "3 min"}
ROWS = [
    {"time": seconds(number * GAP), "node": number % REPLICAS * (NODES // REPLICAS)}
    for number in range(1, COUNT + 1)
]
RECORDED: Spec = {"recorded": {"replay": ROWS}}
RANDOM: Spec = {"node": {"per": "node", "mtbf": seconds(NODES * GAP), "transient": "100 %"}}


def metas(failures: Spec, recovery: Spec, horizon: float, seed: int = 1) -> Spec:
    """Their cluster from the first failure on; saves are free and made each second: nothing is lost."""
    return spec(
        gpus=8 * NODES,
        failures=failures,
        horizon=horizon,
        seed=seed,
        checkpoint={"interval": "1 s", "blocks": "0 s"},
        recovery=recovery,
        simulation={"warm_up": seconds(GAP)},
    )


def job(clock: str, lifetime: str) -> Spec:
    mode = {"per": "cluster", "mtbf": "18 min", "clock": clock, "lifetime": lifetime, "ages": "new"}
    return {"any": mode}


@pytest.mark.parametrize(
    "failures", [RECORDED, job("calendar", "constant")], ids=["recorded", "constant lifetime"]
)
def test_with_constant_gaps_the_whole_job_trains_8_of_18_minutes(failures: Spec) -> None:
    (records,) = replications(metas(failures, WHOLE, COUNT * GAP), 1)
    assert records.ettr == pytest.approx(8 / 18, rel=1e-12)
    assert abs(records.ettr - 0.444) < 0.005


def test_with_constant_gaps_and_replicas_all_stall_and_one_is_away_for_7_minutes_more() -> None:
    (records,) = replications(metas(RECORDED, BY_REPLICA, COUNT * GAP), 1)
    assert records.ettr == pytest.approx((7 * 11 / 12 + 8) / 18, rel=1e-12)
    assert abs(records.ettr - 0.801) < 0.005
    # the replica's recovery begins with the stall: after it, it would be this
    assert round((10 * 11 / 12 + 5) / 18, 3) == 0.787


def test_on_the_training_clock_the_whole_job_trains_18_of_28_minutes() -> None:
    end = GAP + COUNT * (GAP + RECOVERY)
    (records,) = replications(metas(job("training", "constant"), WHOLE, end), 1)
    assert records.ettr == pytest.approx(18 / 28, rel=1e-12)
    assert abs(records.ettr - 0.643) < 0.005


def test_with_random_gaps_many_recoveries_of_the_whole_job_begin_again() -> None:
    document = metas(job("calendar", "exponential"), WHOLE, COUNT * GAP, seed=3)
    mean, se = mean_se(records.ettr for records in replications(document, 30))
    expected = theory.efficiency(1.0, GAP, 0.0, RECOVERY)
    assert_z(mean, expected, se)
    assert abs(mean - 0.574) < 0.005
    assert expected == pytest.approx(math.exp(-RECOVERY / GAP), abs=5e-4)


def test_with_random_gaps_stalls_and_recoveries_of_replicas_overlap() -> None:
    document = metas(RANDOM, BY_REPLICA, COUNT * GAP, seed=3)
    scenario = Scenario.model_validate(document)
    mean, se = mean_se(simulate(scenario, number).ettr for number in range(24))
    assert se < 0.001
    # A replica is up where none of its failures is younger than its recovery; the others stand still where
    # one of them was up and failed within the time of a stall.
    rate = 1 / (REPLICAS * GAP)
    up = math.exp(-rate * RECOVERY)
    assert_z(mean, up * (1 - rate * STALL * up) ** (REPLICAS - 1), se)
