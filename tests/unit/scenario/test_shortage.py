"""How often nodes or racks are missing, and how long a job waits for them, before anything is simulated."""

from __future__ import annotations

import pytest

from clustersim.scenario import load, loads
from clustersim.scenario.first_order import first_order
from clustersim.scenario.shortage import shortage
from tests.unit.scenario.test_first_order import DAY, TIERS, described


def test_a_pod_that_never_leaves_takes_no_spares() -> None:
    """A pod that is down for good takes the spares of several racks, one that is back at once takes none."""
    pods = {"cluster__racks_per_pod": "5", "cluster__spares": "20", "cluster__spares_within": "rack"}
    mode = "{per: pod, mtbf: 10000 h, TRANSIENT}"
    stays, leaves = (
        described(TIERS, failures__rack="null", failures__pod=mode.replace("TRANSIENT", keys), **pods)
        for keys in ("transient: 100 %", "repair: 1 h")
    )
    assert stays.ettr_withheld is None
    assert "failures.pod takes more than one rack at once" in (leaves.ettr_withheld or "")


def test_part_of_the_spares_of_a_rack_is_more_than_a_formula_knows() -> None:
    part = "failures.node takes part of the spares that serve one rack"
    for share, why in (("50 %", part), ("100 %", None)):
        spreads = f"{{to: rack, probability: 1 %, share: {share}}}"
        found = described(
            TIERS, failures__rack="null", failures__node__spreads=spreads, cluster__spares_within="rack"
        )
        assert found.ettr_withheld == why
    replicas = described(TIERS, failures__rack="null", cluster__spares_within="rack", recovery__replicas="2")
    assert replicas.ettr_withheld == "replicas share spares that serve one rack only"


def test_twice_the_demand_has_twice_as_many_nodes_away() -> None:
    """One of 100 nodes fails every 10 h, and is away for 24 h; there are spares for all of them."""
    nodes = loads(TIERS, overrides={"failures.rack": None})
    away = [shortage(nodes, 10 * DAY, 1.0, demand=demand).away for demand in (1, 2)]
    assert away == pytest.approx([2.4, 4.8])


def test_a_rack_that_leaves_takes_its_own_spares_along() -> None:
    """Each of ten racks, of ten nodes and ten spares, is up for 1000 h and away for 24 h."""
    found = described(TIERS, failures__node="null", cluster__spares="100", cluster__spares_within="rack")
    assert found.waiting_share == pytest.approx(1 - (1000 / 1024) ** 10)
    assert found.nodes_away == pytest.approx(10 * 20 * 24 / 1024)


@pytest.mark.parametrize(
    ("repair", "piles_up"),
    [
        ("constant: 1 s", False),
        ("constant: 2 s", True),
        ("automatic: 2 s, escalates: 50 %, manual: 1 s", False),
        ("automatic: 1 s, escalates: 50 %, manual: 4 s", True),
    ],
)
def test_repairs_pile_up_where_the_crew_is_slower_than_the_failures(repair: str, piles_up: bool) -> None:
    """One of 100 nodes fails every 2 s; no crew is needed for what is automatic."""
    every = {"failures__node__mtbf": "200 s", "failures__node__repair": f"{{{repair}, crews: 1}}"}
    why = described(TIERS, failures__rack="null", simulation__horizon="1 h", **every).ettr_withheld
    said = "repairs of failures.node pile up: 1 crew can hardly keep up with them, or not at all"
    assert (why == said) is piles_up


HOPELESS = """
    name: hopeless
    cluster: {gpus: 800, spares: 4}
    workload: {productive: 3 d}
    failures: {node: {per: node, mtbf: MTBF, repair: 30 d}}
    checkpoint: {interval: 1 h, blocks: 20 s}
    recovery: {stages: {restart: 4 min}}
    simulation: {horizon: 300 d}
"""


@pytest.mark.parametrize("mtbf", range(30, 130, 10))
def test_where_nodes_are_always_missing_the_ettr_is_zero_and_not_below(mtbf: int) -> None:
    found = first_order(loads(HOPELESS.replace("MTBF", f"{mtbf} h")))
    assert found.ettr is not None
    assert 0 <= found.ettr < 1e-9
    assert found.lasts_s == 300 * DAY
    assert "waits for nodes about 100 % of the time" in found.why_not


@pytest.mark.parametrize(("racks", "mtbf"), [(40, 1800), (200, 1650), (200, 3350)])
def test_racks_that_never_suffice_are_waited_for_at_all_times_and_not_longer(racks: int, mtbf: int) -> None:
    """Here the shares of all numbers of racks come to more than 1, by rounding."""
    in_racks = "nodes_per_rack: 18, used_per_rack: 16, spare_racks: 1"
    text = HOPELESS.replace("spares: 4", in_racks).replace("MTBF", f"{mtbf} h")
    found = first_order(loads(text, overrides={"cluster.gpus": 128 * racks, "workload": None}))
    assert 1 - 1e-12 < found.waiting <= 1


@pytest.mark.parametrize("nodes", [9_655, 12_149, 40])
def test_racks_that_can_always_serve_are_never_missing(nodes: int) -> None:
    """All but 16 nodes of a rack stand by: the chance that fewer are left is tiny, and was negative once."""
    found = first_order(load("nvl72-16-of-18", {"cluster.nodes_per_rack": nodes}))
    assert found.ettr is not None
    assert 0.8 < found.ettr < 1
