"""Faults that were not mended against branching theory: what else interrupts training makes no difference.

A node fails at the rate a while it is sound, and at a + 1/m while it is faulty; whatever it fails by, its
repair is in vain with the probability q.  So it is faulty with a probability p that obeys
dp/dt = q a (1 - p) - (1 - q) (a + 1/m) p in training time, from p = 0.
"""

from __future__ import annotations

import math
from typing import Any

import pytest

from clustersim.engine.replication import simulate
from clustersim.records import Records
from clustersim.scenario.model import Scenario
from tests.theory.runs import seconds, spec
from tests.theory.z import assert_z, mean_se

HOUR, DAY = 3600.0, 86_400.0
NODES, MTBF, MEAN, IN_VAIN, SPAN = 100, 100 * DAY, 5 * HOUR, 0.5, 20 * DAY
GAPS = [math.inf, 2 * HOUR, HOUR / 2, HOUR / 6]
REPLICATIONS = 20


def expected(trained: float) -> float:
    """Return the failures of all nodes in so many seconds of training."""
    rate, more, q = 1 / MTBF, 1 / MEAN, IN_VAIN
    pace = q * rate + (1 - q) * (rate + more)
    faulty = q * rate / pace * (trained + math.expm1(-pace * trained) / pace)
    return NODES * (rate * trained + more * faulty)


def scenario(gap: float, seed: int = 1) -> Scenario:
    """Nodes that come back to their slot, faulty or not; something else stops training every *gap*."""
    failures: dict[str, Any] = {
        "node": {
            "per": "node",
            "mtbf": seconds(MTBF),
            "clock": "training",
            "repair": {"constant": "1 h", "false_fix": f"{100 * IN_VAIN} %"},
        }
    }
    if gap < math.inf:
        failures["soft"] = {"per": "job", "mtbf": seconds(gap), "clock": "training"}
    stages = {"detect": "0 s", "nodes": "wait", "restart": "10 s"}
    return Scenario.model_validate(
        spec(
            8 * NODES,
            failures,
            10 * SPAN,
            seed,
            checkpoint={"interval": "1 s", "blocks": "0 s"},
            workload={"productive": seconds(SPAN)},
            recovery={"recurs_after": {"exponential": {"mean": seconds(MEAN)}}, "stages": stages},
        )
    )


def trained(records: Records) -> float:
    """Return the seconds of training, work that was lost included."""
    return (records.ledger["productive"] + records.ledger["lost"]) / (8 * NODES)


@pytest.mark.parametrize("gap", GAPS)
def test_faults_come_again_as_often_whatever_else_interrupts(gap: float) -> None:
    document = scenario(gap, seed=GAPS.index(gap))
    runs = [simulate(document, number) for number in range(REPLICATIONS)]
    assert all(run.interruptions > SPAN / gap / 2 for run in runs)
    found, se = mean_se(float(run.incidents_by_mode[0]) - expected(trained(run)) for run in runs)
    assert_z(found, 0.0, se, len(GAPS))


def test_of_the_same_draws_the_same_faults_show_at_the_same_training_time() -> None:
    """Half an hour of training between interruptions or ten days: all times of training are the same."""
    alone, often = (simulate(scenario(gap), 3) for gap in (math.inf, HOUR / 2))
    assert often.interruptions > 500 + alone.interruptions
    assert len(_trained_at(alone)) > 20
    assert _trained_at(often) == pytest.approx(_trained_at(alone), abs=0.01)


def _trained_at(run: Records) -> list[float]:
    """Return how long the job had trained when each failure of a node struck."""
    table = run.incidents
    away = table["detection_s"] + table["recovery_s"] + table["waiting_s"]
    stood = [float(away[:index].sum()) for index in range(len(away))]
    return [
        float(time) - before
        for time, before, mode in zip(table["time_s"], stood, table["mode"], strict=True)
        if mode == 0
    ]
