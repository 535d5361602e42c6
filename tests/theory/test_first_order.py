"""Where failures are rare, the simulation against sums of first order: tiers, replicas, effects, events."""

from __future__ import annotations

import math
from typing import Any

import pytest

from clustersim.engine.replication import simulate
from clustersim.scenario.describe import describe
from clustersim.scenario.model import Scenario
from tests.theory.runs import Spec, seconds, spec
from tests.theory.z import assert_z, mean_se

HOUR, DAY = 3600.0, 86_400.0
MTBF = 1e6
COUNT, LIVES = 8, 400
TWO = {
    "any": {"per": "job", "mtbf": seconds(MTBF)},
    "rack": {"per": "rack", "mtbf": seconds(4 * MTBF), "repair": "1 ms"},
}
PEER, STORAGE = 2.0, 40.0
THREE: dict[str, tuple[float, float, Any]] = {
    "peer": (PEER, MTBF, ["job"]),
    "rack": (8.0, 4 * MTBF, ["job", "rack"]),
    "storage": (32.0, 16 * MTBF, "all"),
}
"""By tier: seconds of a block, MTBF (s) of the failures that it is there for, and what it survives.

Each best interval is four times the one before, so that a rare save comes together with the frequent ones:
the formula leaves out that a copy of a slower tier may be the newest by chance.
"""
THREE_COUNT = 24
REPLICAS = {"replicas": 12, "stall": "3 min", "rejoin_stall": "20 s", "stages": {"restart": "10 min"}}
NODES: dict[str, Any] = {"gpus": 96, "failures": {"node": {"per": "node", "mtbf": seconds(12 * MTBF)}}}
JOB = {"all": {"per": "job", "mtbf": seconds(MTBF)}}
SAVES = {"interval": "1 h", "blocks": "1 s"}


def tiers(factor: float) -> Spec:
    """Two tiers for failures of two kinds, at *factor* times the intervals that are best to first order."""
    peer, storage = (math.sqrt(2 * block * mtbf) for block, mtbf in ((PEER, MTBF), (STORAGE, 4 * MTBF)))
    return {
        "tiers": {
            "peer": {"interval": seconds(factor * peer), "blocks": seconds(PEER), "survives": ["job"]},
            "storage": {"interval": seconds(factor * storage), "blocks": seconds(STORAGE)},
        }
    }


def measured(document: Spec) -> tuple[float, float, float]:
    """Mean ETTR, its standard error, and what `check` says."""
    scenario = Scenario.model_validate(document)
    mean, se = mean_se(simulate(scenario, number).ettr for number in range(COUNT))
    expected = describe(scenario).ettr
    assert expected is not None
    return mean, se, expected


@pytest.mark.parametrize("factor", [0.5, 1.0, 2.0])
def test_two_tiers_that_serve_different_failures(factor: float) -> None:
    document = spec(
        failures=TWO, cluster={"nodes_per_rack": 1}, checkpoint=tiers(factor), horizon=LIVES * MTBF, seed=3
    )
    mean, se, expected = measured(document)
    assert_z(mean, expected, se, cases=3)
    best = math.sqrt(2 * PEER / MTBF) + math.sqrt(2 * STORAGE / (4 * MTBF))
    assert 1 - mean == pytest.approx(best * (factor + 1 / factor) / 2, rel=0.04)


@pytest.mark.parametrize("factor", [0.5, 1.0, 2.0])
def test_three_tiers_that_serve_different_failures(factor: float) -> None:
    best = [math.sqrt(2 * block * mtbf) for block, mtbf, _ in THREE.values()]
    saves = {
        name: {"interval": seconds(factor * interval), "blocks": seconds(block), "survives": survives}
        for interval, (name, (block, _, survives)) in zip(best, THREE.items(), strict=True)
    }
    failures = TWO | {"all": {"per": "cluster", "mtbf": seconds(16 * MTBF)}}
    document = spec(
        failures=failures,
        cluster={"nodes_per_rack": 1},
        checkpoint={"tiers": saves},
        horizon=LIVES * MTBF,
        seed=4,
    )
    scenario = Scenario.model_validate(document)
    mean, se = mean_se(1 - simulate(scenario, number).ettr for number in range(THREE_COUNT))
    overhead = sum(math.sqrt(2 * block / mtbf) for block, mtbf, _ in THREE.values())
    overhead *= (factor + 1 / factor) / 2
    assert se < 0.02 * overhead
    assert_z(mean, overhead, se, cases=3)


@pytest.mark.parametrize(
    "blocks",
    [
        {"recovery": REPLICAS},
        {"recovery": REPLICAS | {"minimum": 12}},
        {"recovery": REPLICAS | {"overhead": "1 %"}, "workload": {"step_time": "1 min"}},
        {"failures": NODES["failures"] | JOB, "recovery": REPLICAS},
    ],
    ids=["stall", "minimum", "overhead and steps", "all of them"],
)
def test_replicas_that_fail_one_by_one(blocks: Spec) -> None:
    document = spec(**NODES | {"checkpoint": SAVES, "horizon": LIVES * MTBF, "seed": 5} | blocks)
    mean, se, expected = measured(document)
    # The overhead divides the seconds of a save too, of which the formula knows nothing.
    assert_z(mean, expected, math.hypot(se, 2e-5), cases=4)


@pytest.mark.parametrize(
    "keys",
    [
        {"effect": {"slow": {"factor": 0.6}}, "detect": "2 h"},
        {"effect": {"corrupt": {"noticed_after": {"exponential": {"mean": "2 h"}}}}},
        {"effect": {"flap": {"stall": {"exponential": {"mean": "1 h"}}}}},
    ],
    ids=["slow", "corrupt", "flap"],
)
def test_effects(keys: Spec) -> None:
    node = {"per": "node", "mtbf": seconds(MTBF)} | keys
    document = spec(
        failures={"node": node},
        checkpoint=SAVES,
        horizon=LIVES * MTBF,
        recovery={"stages": {"restart": "10 min"}},
        seed=7,
    )
    mean, se, expected = measured(document)
    assert_z(mean, expected, math.hypot(se, 1e-4), cases=3)


@pytest.mark.parametrize(
    ("keys", "recovery", "spares"),
    [
        ({"lemons": {"share": "20 %", "factor": 6}}, {}, 5),
        ({"relapse": {"probability": "30 %", "within": "1 d"}}, {}, 0),
        ({"relapse": {"probability": "30 %", "within": "1 d"}}, {}, 9),
        ({"repair": {"constant": "1 h", "false_fix": "30 %"}}, {}, 5),
        ({}, {"misdiagnosis": "20 %", "missed": "10 %", "recurs_after": "1 h"}, 5),
    ],
    ids=["lemons", "relapse at work", "relapse of spares", "false fix", "diagnosis"],
)
def test_failures_that_come_again_are_as_many_as_check_says(keys: Spec, recovery: Spec, spares: int) -> None:
    node = {"per": "node", "mtbf": "100 d", "repair": "1 h"} | keys
    document = spec(
        gpus=1600,
        failures={"node": node},
        cluster={"spares": spares},
        recovery=recovery | {"stages": {"restart": "1 min"}},
        horizon=200 * DAY,
    )
    scenario = Scenario.model_validate(document)
    count, se = mean_se(simulate(scenario, number).incident_count for number in range(COUNT))
    assert_z(count, describe(scenario).events, se, cases=5)


HANG = {"per": "cluster", "mtbf": "1 h", "effect": "hang", "detect": "40 min"}
CRASH = {"per": "cluster", "mtbf": "30 min", "detect": "10 s"}
NOTICED = {
    "a hang alone": {"hang": HANG},
    "a crash that ends its detection": {"hang": HANG, "crash": CRASH},
    "nothing strikes while nothing runs": {
        "hang": HANG | {"clock": "training"},
        "crash": CRASH | {"clock": "training"},
    },
    "three of them": {"hang": HANG, "crash": CRASH, "slower": CRASH | {"detect": "10 min"}},
}


@pytest.mark.parametrize("name", NOTICED)
def test_what_strikes_in_a_detection_delays_nothing(name: str) -> None:
    document = spec(
        failures=NOTICED[name],
        checkpoint={"interval": "2 min", "blocks": "1 s"},
        horizon=20_000 * HOUR,
        recovery={"stages": {"detect": "0 s", "restart": "5 min"}},
        seed=8,
    )
    mean, se, expected = measured(document)
    assert se < 0.001
    assert_z(mean, expected, se, cases=len(NOTICED))
