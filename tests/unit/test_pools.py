"""Pools of spares: which is used, what that takes, who goes where when it comes back, and who goes home."""

from __future__ import annotations

import pytest

from clustersim.engine.pools import PooledCluster, PooledSpares
from clustersim.scenario.keys.machine import SparePoolSpec

STANDBY, OWN = SparePoolSpec("standby", 2, "hot", 0.0), SparePoolSpec("own", 3, "cold", 180.0)
LENT = SparePoolSpec("lent", 4, "lent", 1200.0)


def cluster(*pools: SparePoolSpec, groups: int = 1) -> PooledCluster:
    """Return one with the slots 0 to 9; spares begin at node 10."""
    made = PooledCluster(10, PooledSpares(10, pools), groups)
    for group in range(groups):
        made.begin_stop(group)
    return made


def lose(made: PooledCluster, *slots: int) -> list[int]:
    made.fail(slots)
    return made.send_away(slots)


def test_the_first_pool_that_has_a_node_is_used_and_filled_again_at_no_further_cost() -> None:
    made = cluster(STANDBY, OWN)
    lose(made, 0, 1)
    assert made.fill(50.0)
    assert [made.node(slot) for slot in (0, 1)] == [10, 11]
    lose(made, 2)
    assert not made.fill(100.0)
    assert (made.node(2), made.ready_at(), made.idle) == (12, 280.0, 2)
    lose(made, 3)
    assert not made.fill(150.0)
    assert (made.node(3), made.ready_at()) == (13, 280.0)


def test_what_a_pool_takes_is_spent_once_for_each_stop() -> None:
    made = cluster(OWN)
    lose(made, 0)
    assert not made.fill(100.0)
    lose(made, 1)
    assert not made.fill(200.0)
    assert made.ready_at() == 280.0
    assert made.fill(280.0)
    lose(made, 2)
    assert made.fill(300.0)
    made.begin_stop(0)
    made.restore([0])
    lose(made, 3)
    assert not made.fill(400.0)
    assert made.ready_at() == 580.0


def test_each_replica_has_stops_of_its_own() -> None:
    made = cluster(OWN, groups=2)
    lose(made, 0, 5)
    assert not made.fill(100.0, 0)
    assert not made.fill(150.0, 1)
    assert (made.ready_at(0), made.ready_at(1)) == (280.0, 330.0)


def test_a_repaired_node_of_ours_goes_to_the_first_pool_of_ours_that_is_not_full() -> None:
    made = cluster(STANDBY, OWN, LENT)
    lose(made, *range(6))
    assert not made.fill(0.0)
    assert [made.node(slot) for slot in range(6)] == [10, 11, 12, 13, 14, 15]
    made.restore([0, 1, 2, 3, 4, 5])
    assert [made.spare(position) for position in range(9)] == [0, 1, 2, 3, 4, 5, 16, 17, 18]
    assert made.idle == 9


def test_a_lent_node_goes_home_at_the_next_stop_once_one_of_ours_stands_by() -> None:
    made = cluster(STANDBY, LENT)
    lose(made, 0, 1, 2)
    assert not made.fill(0.0)
    made.restore([0])
    assert made.fill(1200.0)
    assert made.node(2) == 12
    made.begin_stop(0)
    assert made.fill(5000.0)
    assert (made.node(2), made.idle) == (0, 4)
    assert [made.spare(position) for position in range(4)] == [13, 14, 15, 12]


def test_nobody_waits_for_a_node_of_ours_to_let_a_lent_one_go_home() -> None:
    made = cluster(OWN, LENT)
    lose(made, 0, 1, 2, 3)
    assert not made.fill(0.0)
    assert made.fill(1200.0)
    made.restore([0])
    made.begin_stop(0)
    assert made.fill(5000.0)
    assert made.node(3) == 13


def test_a_lent_node_goes_from_its_repair_to_its_owner_and_may_be_taken_from_there() -> None:
    made = cluster(SparePoolSpec("own", 0, "hot", 0.0), SparePoolSpec("lent", 1, "lent", 60.0))
    lose(made, 0)
    assert not made.fill(0.0)
    made.begin_stop(0)
    assert lose(made, 0) == [10]
    assert not made.fill(100.0)
    made.restore([10], [0])
    assert (made.missing(), made.idle) == (1, 1)
    assert made.look_again(200.0, 0)
    assert (made.node(0), made.ready_at()) == (10, 260.0)


def test_a_new_node_belongs_to_the_owner_of_the_one_it_replaces() -> None:
    made = cluster(STANDBY, LENT)
    lose(made, 0, 1, 2)
    made.fill(0.0)
    lose(made, 2)
    made.retire(12)
    made.restore([made.order(12)])
    assert [made.spare(position) for position in range(4)] == [13, 14, 15, 16]


@pytest.mark.parametrize("node", [10, 13, 17])
def test_an_idle_spare_of_any_pool_may_fail(node: int) -> None:
    made = cluster(STANDBY, OWN, LENT)
    made.withdraw(node)
    assert (made.idle, made.away) == (8, 1)
    assert node not in [made.spare(position) for position in range(9)]
    made.restore([node])
    assert made.idle == 9
