"""Nodes that differ by make: each group fails at its own rate, and is away as often as that says."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from clustersim.engine.replication import simulate
from clustersim.scenario.first_order import first_order
from clustersim.scenario.model import Scenario
from clustersim.streams import Streams
from tests.theory.runs import Spec, share, spec
from tests.theory.z import assert_z, mean_se

DAY = 86_400.0
NODES, OLD, NEW = 40, 6, 10
MTBF, DAYS, REPLICATIONS = 30.0, 300.0, 60
GROUPS = {"old": {"nodes": OLD}, "new": {"nodes": "25 %"}}
OFTEN = {"old": 5, "new": 0.25}
LIVES: dict[str, Any] = {
    "exponential": {},
    "weibull": {"lifetime": {"weibull": {"shape": 2}}},
    "lemons": {"lemons": {"share": "20 %", "factor": 4}},
}


def document(days: float = DAYS, spares: int = 0, **mode: Any) -> Spec:
    any_ = {"per": "node", "mtbf": f"{MTBF} d", "groups": OFTEN, **mode}
    cluster = {"spares": spares, "groups": GROUPS}
    saves = {"interval": "60 s", "blocks": "0 s"}
    return spec(8 * NODES, {"any": any_}, days * DAY, 3, checkpoint=saves, cluster=cluster)


def members(replication: int) -> tuple[set[int], set[int]]:
    """The nodes with the smallest draws are the first group, the next ones the second."""
    ranked = np.argsort(Streams(3, replication)["cluster/groups"].random(NODES)).tolist()
    return set(ranked[:OLD]), set(ranked[OLD : OLD + NEW])


@pytest.mark.parametrize("life", LIVES)
def test_each_group_fails_at_its_own_rate(life: str) -> None:
    """Nodes that are back at once fail at their rate at all times, in the steady state too."""
    scenario = Scenario.model_validate(document(**LIVES[life]))
    found: dict[str, list[float]] = {"old": [], "new": [], "others": []}
    for replication in range(REPLICATIONS):
        old, new = members(replication)
        nodes = simulate(scenario, replication).incidents["node"].tolist()
        found["old"].append(sum(node in old for node in nodes))
        found["new"].append(sum(node in new for node in nodes))
        found["others"].append(sum(node not in old | new for node in nodes))
    each = DAYS / MTBF * (1 + 0.2 * 3 if life == "lemons" else 1)
    counts = {"old": OLD * 5, "new": NEW * 0.25, "others": NODES - OLD - NEW}
    for name, count in counts.items():
        mean, se = mean_se(found[name])
        assert_z(mean, count * each, se, 3 * len(LIVES))


@pytest.mark.parametrize("repair", ["2 d", {"exponential": {"mean": "2 d"}}], ids=["constant", "exponential"])
def test_each_group_is_away_as_often_as_a_unit_that_is_repaired(repair: object) -> None:
    """Without spares each node alternates by itself, at work for MTBF / k and away for MTTR."""
    scenario = Scenario.model_validate(document(500, repair=repair) | {"workload": {}})
    away = []
    for replication in range(REPLICATIONS):
        fleet = simulate(scenario, replication).fleet
        assert fleet is not None
        away.append(float(fleet.away_s @ np.arange(len(fleet.away_s))) / float(fleet.away_s.sum()))
    mean, se = mean_se(away)
    rates = [(OLD, 5.0), (NEW, 0.25), (NODES - OLD - NEW, 1.0)]
    # The first days, in which shops fill, are short by half of a repair's time for each node away.
    expected = sum(count * 2 / (MTBF / often + 2) for count, often in rates) * (1 - 1 / 500)
    assert_z(mean, expected, se, 2)


def test_the_first_order_knows_that_nodes_which_fail_more_often_idle_more() -> None:
    changes: Spec = {"recovery": {"stages": {"restart": "1 h"}}}
    scenario = Scenario.model_validate(document(400, 8, repair="6 h") | changes)
    found = first_order(scenario)
    assert not found.why_not
    ettr, se = mean_se(share(simulate(scenario, number), "productive") for number in range(40))
    assert found.ettr is not None
    assert_z(ettr, found.ettr, se)
