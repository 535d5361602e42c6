"""Waiting for nodes is charged to the failures whose nodes are away."""

from __future__ import annotations

from typing import Any

import pytest

from clustersim.engine.ledger import Entry
from clustersim.engine.replication import simulate
from clustersim.results import summarise
from clustersim.scenario.model import Scenario

REPLICATIONS = 8


def broken_nodes_and_a_bug(**changes: Any) -> Scenario:
    """Nodes break and take 20 h to repair; a bug strikes each hour, also while the job waits for nodes."""
    blocks: dict[str, Any] = {
        "name": "waiting-charged",
        "cluster": {"gpus": 64, "gpus_per_node": 8},
        "failures": {
            "node": {"per": "node", "mtbf": "8 d", "repair": "20 h"},
            "bug": {"per": "job", "mtbf": "1 h", "clock": "calendar"},
        },
        "checkpoint": {"interval": "10 min", "blocks": "0 s"},
        "recovery": {"stages": {"detect": "1 s", "nodes": "wait", "restart": "1 min"}},
        "simulation": {"horizon": "60 d"},
    }
    return Scenario.model_validate(blocks | changes)


def test_a_bug_is_charged_the_recoveries_that_it_begins_again_and_never_waiting() -> None:
    scenario = broken_nodes_and_a_bug()
    records = [simulate(scenario, number) for number in range(REPLICATIONS)]
    summary = summarise(scenario, records)
    waiting = summary["ledger"]["waiting"]
    assert waiting == pytest.approx(0.5537, abs=0.001)
    for one in records:
        node, bug = one.charges[:2, Entry.WAITING]
        assert bug == 0
        assert node == pytest.approx(one.ledger["waiting"], rel=1e-12)
        assert not one.incidents["waiting_s"][one.incidents["mode"] == 1].any()
    assert summary["waste_by_cause"]["node"] > waiting
    assert summary["waste_by_cause"]["bug"] < 0.05


@pytest.mark.parametrize("replicas", [1, 4])
def test_what_the_incidents_are_charged_adds_up_to_all_waiting(replicas: int) -> None:
    scenario = broken_nodes_and_a_bug(recovery={"stages": {"restart": "1 min"}, "replicas": replicas})
    one = simulate(scenario, 0)
    assert one.incidents["waiting_s"].sum() * 64 == pytest.approx(one.ledger["waiting"], rel=1e-12)
    assert one.incidents["waiting_s"].min() == 0
    assert one.ledger["waiting"] > 0
