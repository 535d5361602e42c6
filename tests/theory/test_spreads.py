"""A failure that spreads to part of its domain takes so many of the other nodes as a binomial law says."""

from __future__ import annotations

import math

import numpy as np
import pytest

from clustersim.scenario.first_order import first_order
from clustersim.scenario.model import Scenario
from tests.theory.runs import Spec, replications, share, spec
from tests.theory.z import assert_z, mean_se

DAY = 86_400.0
RACK, PROBABILITY, SHARE = 8, 0.4, 0.3
SPARES = [4, 6]
SPREAD = {"to": "rack", "probability": "40 %", "share": "30 %"}


def document(repair: str, days: float, spares: int) -> Spec:
    """64 nodes in racks of 8, a failure each 15 hours or so."""
    mode = {"per": "node", "mtbf": "40 d", "spreads": SPREAD, "repair": repair}
    racks = {"nodes_per_rack": RACK, "spares": spares}
    saves = {"interval": "60 s", "blocks": "0 s"}
    return spec(512, {"any": mode}, days * DAY, 2, checkpoint=saves, cluster=racks)


def test_how_many_nodes_a_failure_takes() -> None:
    """Repairs of 1 s leave no gaps: a failure takes 1 node, or 1 + B with B binomial(7, 30 %)."""
    taken = np.concatenate(
        [records.incidents["nodes_lost"] for records in replications(document("1 s", 300, 8), 40)]
    )
    assert len(taken) > 10_000
    alone = 1 - PROBABILITY * (1 - (1 - SHARE) ** (RACK - 1))
    cases = [(1, alone)]
    cases += [
        (1 + k, PROBABILITY * math.comb(7, k) * SHARE**k * (1 - SHARE) ** (7 - k)) for k in range(1, RACK)
    ]
    assert math.fsum(chance for _, chance in cases) == pytest.approx(1)
    for nodes, chance in cases:
        se = math.sqrt(chance * (1 - chance) / len(taken))
        assert_z(float(np.mean(taken == nodes)), chance, se, len(cases))


@pytest.mark.parametrize("spares", SPARES)
def test_the_first_order_knows_how_many_nodes_are_away(spares: int) -> None:
    """Batches of binomial size that are away for a day each; the job waits while they exceed the spares."""
    scenario = document("1 d", 300, spares)
    waiting, se = mean_se(share(records, "waiting") for records in replications(scenario, 40))
    assert waiting > 0.05
    assert_z(waiting, first_order(Scenario.model_validate(scenario)).waiting, se, len(SPARES))
