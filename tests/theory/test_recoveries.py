"""A million cards under the three named recoveries: the findings of the guide, and what they rest on."""

from __future__ import annotations

import math
from collections.abc import Mapping

import pytest

from clustersim import theory
from clustersim.engine.replication import simulate
from clustersim.scenario import Scenario, load
from tests.theory.z import assert_z, mean_se

LARGE, SMALL = 1_000_000, 100_000
EXTRA = LARGE - SMALL


def cluster(recovery: str, gpus: int, more: Mapping[str, str] | None = None) -> Scenario:
    changes = {"cluster.gpus": gpus, "simulation.horizon": "2 d", "workload.target": None}
    return load(f"chen-1m-{recovery}", changes | dict(more or {}))


def effective(scenario: Scenario, count: int = 3) -> tuple[float, float]:
    """Effective cards, and their standard error."""
    mean, se = mean_se(simulate(scenario, number).ettr for number in range(count))
    cards = scenario.cluster.gpus * scenario.workload.efficiency(scenario.cluster.gpus)
    return cards * mean, cards * se


def marginal(recovery: str, stall: str | None = None) -> float:
    """Effective cards that each of the last 900,000 cards adds."""
    more = {"recovery.stall": stall} if stall else {}
    large, small = (effective(cluster(recovery, gpus, more))[0] for gpus in (LARGE, SMALL))
    return (large - small) / EXTRA


@pytest.mark.parametrize(
    ("recovery", "published"), [("cold", -0.0175), ("hot-spare", -0.0336), ("replicas", -0.0146)]
)
def test_the_last_900_000_cards_cost_effective_cards_whatever_the_recovery(
    recovery: str, published: float
) -> None:
    assert marginal(recovery) == pytest.approx(published, abs=0.005)


@pytest.mark.parametrize(("stall", "documented"), [("1 min", 0.214), ("10 s", 0.55)])
def test_a_short_stall_makes_them_worth_something(stall: str, documented: float) -> None:
    assert marginal("replicas", stall) == pytest.approx(documented, abs=0.02)


def test_without_a_stall_as_many_replicas_train_as_are_up() -> None:
    """Each fails at rate L and takes R to recover, begun again by failures: up for exp(-L R) of time."""
    scenario = cluster("replicas", LARGE, {"recovery.stall": "0 s", "simulation.warm_up": "2 h"})
    load_s = scenario.recovery.peer_load
    assert load_s is not None
    chain = load_s + sum(stage.duration.mean for stage in scenario.recovery.stages if stage.kind != "load")
    mean, se = mean_se(simulate(scenario, number).ettr for number in range(6))
    per_replica = scenario.slots_per("replica") / scenario.failures["any"].mtbf
    assert_z(mean, math.exp(-per_replica * chain), se)


def test_whole_job_recovery_by_hot_spares_is_that_of_the_formula() -> None:
    """Daly's efficiency at a failure each minute: what a quicker restart of the whole job could bring."""
    scenario = cluster("hot-spare", LARGE)
    assert scenario.mtbf == pytest.approx(60.0)
    memory = scenario.tiers[0]
    detect, *stages = (stage.duration.mean for stage in scenario.recovery.stages if stage.kind != "load")
    restart = memory.load + sum(stages)
    found = effective(scenario)[0] / (LARGE * scenario.workload.efficiency(LARGE))
    # what strikes in the detection is found with it and does not prolong it
    formula = theory.efficiency(memory.interval, 60.0, memory.blocks, restart) / (1 + detect / 60.0)
    # a copy can be loaded 5 s after its block only, and the formula knows of none that are not durable
    assert 0.8 * formula < found < formula
