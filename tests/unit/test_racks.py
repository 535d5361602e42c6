"""Racks that are replaced whole: which one comes, what the nodes of the other do, and when it can serve."""

from __future__ import annotations

import pytest

from clustersim.engine.racks import RackCluster, RackSpares
from tests.unit.test_pools import lose


def cluster(delay: float = 0.0) -> RackCluster:
    """Two places of 3 slots; racks of 4 nodes, and one more: nodes 0 to 5 work, 6 and 7 are their others."""
    return RackCluster(6, RackSpares(6, used=3, others=2, rack_nodes=4, apart=1), delay)


def nodes(made: RackCluster) -> list[int]:
    return [made.node(slot) for slot in range(6)]


def test_a_rack_helps_itself_first() -> None:
    made = cluster()
    lose(made, 4)
    assert made.fill(0.0)
    assert nodes(made) == [0, 1, 2, 3, 7, 5]


def test_a_rack_with_too_few_nodes_leaves_whole_and_the_others_of_it_stand_idle() -> None:
    made = cluster()
    lose(made, 0, 1)
    assert made.fill(0.0)
    assert nodes(made) == [8, 9, 10, 3, 4, 5]
    assert (made.idle, made.away, made.fewest_spares) == (4, 2, 4)
    assert [made.spare(position) for position in range(5)] == [7, 11, 6, 2, None]


def test_it_takes_the_place_of_another_once_it_can_serve_again() -> None:
    made = cluster()
    lose(made, 0, 1)
    assert made.fill(0.0)
    lose(made, 3, 4)
    assert not made.fill(1.0)
    assert (made.missing(), nodes(made)[5]) == (1, 5)
    made.restore([0], [0])
    assert made.look_again(2.0, 0)
    assert nodes(made) == [8, 9, 10, 6, 2, 0]
    made.restore([3])
    assert made.missing() == 0


def test_it_stays_while_one_of_its_failed_nodes_has_not_left() -> None:
    made = cluster()
    lose(made, 0, 1)
    made.fail((2,))
    assert not made.fill(0.0)
    assert made.send_away((2,)) == [2]
    assert made.fill(1.0)
    assert nodes(made)[:3] == [8, 9, 10]


def test_a_rack_that_is_cold_takes_its_time() -> None:
    made = cluster(delay=60.0)
    lose(made, 0, 1)
    assert not made.fill(10.0)
    assert made.ready_at() == 70.0


def test_what_strikes_a_place_strikes_the_idle_nodes_of_the_rack_that_stands_there() -> None:
    made = cluster()
    assert made.bound_to(0, 3) == [6]
    lose(made, 0, 1)
    made.fill(0.0)
    assert made.bound_to(0, 3) == [11]
    assert made.bound_to(0, 6) == [7, 11]
    assert made.bound_to(0, 2) == []


@pytest.mark.parametrize(("node", "rack"), [(0, 0), (5, 1), (6, 0), (7, 1), (8, 2), (11, 2)])
def test_every_node_has_its_rack_and_a_new_one_that_of_the_old(node: int, rack: int) -> None:
    racks = RackSpares(6, used=3, others=2, rack_nodes=4, apart=1)
    racks.inherit(12, node)
    assert (racks.racks.of_node(node), racks.racks.of_node(12)) == (rack, rack)
