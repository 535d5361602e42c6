"""What must hold in every scenario: no node is lost.  That no card-second is, the tests of the oracle see."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import clustersim.engine.replication
from clustersim.engine.cluster import Cluster
from clustersim.engine.replication import simulate
from clustersim.engine.spares import SparePool
from clustersim.records import Phase as JobPhase
from clustersim.records import Records
from clustersim.scenario.model import Scenario
from clustersim.version import build
from tests.oracle.author import picking, reproducible
from tests.oracle.random_scenarios import scenario

laws = reproducible(150)


watched = pytest.mark.skipif(
    build() == "compiled",
    reason="an interpreted class cannot inherit from a compiled one",
)


class Counted(Cluster):
    """A cluster that knows where each node ought to be."""

    def __init__(self, nodes: int, spares: int | SparePool, delay: float = 0.0, groups: int = 1) -> None:
        super().__init__(nodes, spares, delay, groups)
        self.all = set(range(nodes + self.idle))
        self.gone: set[int] = set()

    def check(self) -> None:
        empty = {slot for group in self._groups for slot in group.empty}
        held = [self.node(slot) for slot in range(self.nodes) if slot not in empty]
        spares = [self.spare(position) for position in range(self.idle)]
        assert len(held) == self.nodes - len(empty)
        assert sorted([*held, *spares, *self.gone]) == sorted(self.all)
        assert self.away == len(self.gone)

    def send_away(self, slots: Sequence[int]) -> list[int]:
        assert not any(self.is_at_work(slot) for slot in slots)
        nodes = super().send_away(slots)
        self.gone.update(nodes)
        self.check()
        return nodes

    def fill(self, now: float, group: int = 0) -> bool:
        whole = super().fill(now, group)
        self.check()
        return whole

    def restore(self, nodes: Sequence[int], waiting: Sequence[int] = ()) -> None:
        assert set(nodes) <= self.gone
        self.gone.difference_update(nodes)
        super().restore(nodes, waiting)
        self.check()

    def withdraw(self, node: int) -> None:
        super().withdraw(node)
        self.gone.add(node)
        self.check()

    def retire(self, node: int) -> None:
        super().retire(node)
        self.gone.remove(node)
        self.all.remove(node)
        self.check()

    def order(self, old: int) -> int:
        new = super().order(old)
        assert new not in self.all
        self.gone.add(new)
        self.all.add(new)
        return new


def counted(scenario: Scenario) -> Records:
    """Simulate *scenario* while every move of a node is checked."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clustersim.engine.replication, "Cluster", Counted)
        return simulate(scenario, 0)


@watched
@laws
@given(st.data(), st.booleans())
def test_no_node_is_lost_and_none_is_in_two_places(data: st.DataObject, ties: bool) -> None:
    families = ("replicas", "domains", "nodes", "trace")
    chosen = [family for family in families if data.draw(st.booleans())]
    records = counted(Scenario.model_validate(scenario(picking(data.draw), ties, *chosen)))
    assert records.fleet is not None
    assert records.fleet.away_s.sum() == pytest.approx(records.wall_s, rel=1e-9)


@watched
@pytest.mark.parametrize("choice", ["any", "fewest_failures"])
@pytest.mark.parametrize("absorb", ["restart", "absorb"])
def test_a_rack_its_spare_and_its_replica_fail_at_one_instant(choice: str, absorb: str) -> None:
    each = {"mtbf": "1000 s", "lifetime": "constant", "ages": "new"}
    cluster = {"gpus": 24, "gpus_per_node": 2, "nodes_per_rack": 4, "used_per_rack": 3}
    document = Scenario.model_validate(
        {
            "name": "at once",
            "cluster": cluster | {"spare_failures": "100 %", "spare_choice": choice},
            "failures": {
                "power": each | {"per": "rack", "repair": "70 s"},
                "host": each | {"per": "node", "repair": {"constant": "150 s", "crews": 1}},
                "network": each | {"per": "node", "takes_down": "replica", "repair": "40 s"},
            },
            "checkpoint": {"interval": "50 s", "blocks": "1 s"},
            "recovery": {
                "stages": {"detect": "10 s", "restart": "20 s"},
                "during_recovery": absorb,
                "replicas": 2,
                "missed": "20 %",
                "retire": {"after": 3, "within": "1 d", "replacement": "500 s"},
            },
            "simulation": {"horizon": "6000 s"},
        }
    )
    table = counted(document).incidents
    first = table["time_s"] == 1000.0
    assert table["nodes_lost"][first].sum() >= 12
    assert set(np.flatnonzero(first & (table["doing"] == JobPhase.IDLE))) != set()


def racks(spares: int, **blocks: object) -> Scenario:
    """Four racks of three nodes; their power fails every 1000 s, in all at once, and is repaired in 70 s."""
    mode = {"per": "rack", "mtbf": "1000 s", "lifetime": "constant", "ages": "new", "repair": "70 s"}
    return Scenario.model_validate(
        {
            "name": "racks",
            "cluster": {"gpus": 24, "gpus_per_node": 2, "nodes_per_rack": 3, "spares": spares},
            "failures": {"power": mode},
            "checkpoint": "none",
            "recovery": {"stages": {"detect": "30 s", "restart": "20 s"}},
            "simulation": {"horizon": "10000 s"},
            **blocks,
        }
    )


@pytest.mark.parametrize("spares", [0, 2, 12])
def test_racks_that_fail_at_one_instant_lose_no_node(spares: int) -> None:
    table = simulate(racks(spares), 0).incidents
    assert set(table["nodes_lost"].tolist()) == {3}
    instants, counts = np.unique(table["time_s"], return_counts=True)
    assert instants.tolist() == [1000.0 * n for n in range(1, 11)]
    assert counts.tolist() == [4] * 10
    # all nodes leave after detection; whoever is not replaced by a spare comes back from repair 70 s later
    waits = 70.0 if spares < 12 else 0.0
    assert table["waiting_s"].sum() == waits * 9
    assert table["detection_s"].sum() == 30.0 * 9
    assert table["stage_restart_s"].sum() == 20.0 * 9


def test_a_rack_takes_only_its_own_nodes() -> None:
    mode = {"per": "rack", "mtbf": "4000 s", "repair": "70 s"}
    document = racks(12, failures={"power": mode}, simulation={"horizon": "1000000 s"})
    table = simulate(document, 0).incidents
    full = table["nodes_lost"] == 3
    assert full.mean() > 0.9
    assert set(table["rack"].tolist()) == {0, 1, 2, 3}
    assert np.unique(table["rack"], return_counts=True)[1].min() > 0.8 * len(table["rack"]) / 4


@laws
@given(st.data(), st.booleans())
def test_where_nothing_is_drawn_every_replication_is_the_same(data: st.DataObject, ties: bool) -> None:
    document = Scenario.model_validate(scenario(picking(data.draw), ties))
    first, second = simulate(document, 0), simulate(document, 1)
    assert first.drawn == second.drawn
    if not first.drawn:
        assert first.ledger == second.ledger
        assert first.incidents.keys() == second.incidents.keys()
        for name in first.incidents.keys() - {"replication"}:
            assert np.array_equal(first.incidents[name], second.incidents[name], equal_nan=True)
