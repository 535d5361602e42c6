"""A job that is told before its node leaves, against renewal theory.

The settings that make it exact: one node, memoryless notices on the training clock, synchronous saves, blocks
shorter than the notice, a hot spare whose repair is over before the next notice, and no other failures.  A
second notice within the first is of the same node, which has left when that one is over.
"""

from __future__ import annotations

import math

import pytest

from clustersim.scenario.first_order import first_order
from clustersim.scenario.model import Scenario
from tests.theory.runs import Spec, replications, share, spec
from tests.theory.z import assert_z, mean_se

MTBF, BLOCKS, NOTICE, RESTART = 2000.0, 20.0, 60.0, 90.0
CASES = [(interval, saves) for interval in (100.0, 600.0) for saves in (0.0, 0.6, 1.0)]


def document(interval: float, saves: float, mtbf: float = MTBF, durable_after: float = 0.0) -> Spec:
    spot = {
        "per": "node",
        "mtbf": f"{mtbf} s",
        "clock": "training",
        "notice": f"{NOTICE} s",
        "saves": f"{100 * saves} %",
        "repair": "10 s",
    }
    return spec(
        8,
        {"spot": spot},
        2000 * mtbf,
        4,
        cluster={"spares": 1},
        checkpoint={
            "interval": f"{interval} s",
            "blocks": f"{BLOCKS} s",
            "durable_after": f"{durable_after} s",
        },
        recovery={"stages": {"detect": "1 h", "restart": f"{RESTART} s"}},
    )


def expected(interval: float, saves: float) -> float:
    """Training is kept as a whole where the save works, else as far as saves have begun before the notice."""
    cycle = -math.expm1(-(interval + BLOCKS) / MTBF)
    trained = MTBF * -math.expm1(-interval / MTBF) / cycle
    saved = interval * math.exp(-interval / MTBF) / cycle
    return (saves * trained + (1 - saves) * saved) / (MTBF + NOTICE + RESTART)


@pytest.mark.parametrize(("interval", "saves"), CASES)
def test_what_the_save_in_a_notice_keeps_is_weighted_by_how_often_it_works(
    interval: float, saves: float
) -> None:
    runs = list(replications(document(interval, saves), 24))
    found, se = mean_se(records.ettr for records in runs)
    assert se < 0.0015
    assert_z(found, expected(interval, saves), se, 2 * len(CASES))
    found, se = mean_se(share(records, "waiting") for records in runs)
    assert_z(found, waiting(interval) / (MTBF + NOTICE + RESTART), se, 2 * len(CASES))


def waiting(interval: float) -> float:
    """After the block the job waits; told y into the block of a save it waits for y longer than that."""
    cycle = -math.expm1(-(interval + BLOCKS) / MTBF)
    longer = MTBF * -math.expm1(-BLOCKS / MTBF) - BLOCKS * math.exp(-BLOCKS / MTBF)
    return NOTICE - BLOCKS + math.exp(-interval / MTBF) / cycle * longer


@pytest.mark.parametrize("durable_after", [0.0, 30.0])
@pytest.mark.parametrize("saves", [0.0, 0.6, 1.0])
def test_the_first_order_counts_the_wait_and_what_is_saved(saves: float, durable_after: float) -> None:
    scenario = Scenario.model_validate(document(600.0, saves, 50 * MTBF, durable_after))
    found, se = mean_se(records.ettr for records in replications(scenario.document, 8))
    assert_z(found, first_order(scenario).ettr or 0.0, math.hypot(se, 2e-5), 6)
