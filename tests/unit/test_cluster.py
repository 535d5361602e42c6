"""Slots, spares and the watchers of both."""

import numpy as np

from clustersim.engine.cluster import Cluster
from clustersim.engine.fleet import curves, seconds_away
from clustersim.engine.spares import ChosenSpares, Domains


class Ages:
    """A watcher that remembers where nodes went."""

    def __init__(self) -> None:
        self.moves: list[tuple[int, int | None, bool]] = []
        self.failures: list[int] = []

    def moved(self, node: int, slot: int | None, idle: bool) -> None:
        self.moves.append((node, slot, idle))

    def failed(self, node: int) -> None:
        self.failures.append(node)


def test_a_failed_node_stays_in_its_slot_until_it_is_sent_away() -> None:
    cluster = Cluster(nodes=4, spares=1)
    cluster.fail((2,))
    assert (cluster.missing(), cluster.is_at_work(2), cluster.at_work(range(4))) == (0, False, [0, 1, 3])
    assert cluster.send_away((2,)) == [2]
    assert (cluster.missing(), cluster.idle) == (1, 1)


def test_spares_fill_the_slot_that_was_emptied_first() -> None:
    cluster = Cluster(nodes=4, spares=1)
    for slot in (3, 1):
        cluster.fail((slot,))
        cluster.send_away((slot,))
    cluster.fill(now=0.0)
    assert (cluster.node(3), cluster.is_at_work(3), cluster.is_at_work(1), cluster.missing()) == (
        4,
        True,
        False,
        1,
    )


def test_a_repaired_node_goes_where_it_is_wanted_and_else_to_the_spares() -> None:
    cluster = Cluster(nodes=2, spares=0)
    cluster.fail((0, 1))
    away = cluster.send_away((0, 1))
    cluster.restore(away[:1])
    assert (cluster.missing(), cluster.idle) == (2, 1)
    cluster.restore(away[1:], (0,))
    assert (cluster.missing(), cluster.idle, cluster.node(0)) == (1, 1, 1)


def test_a_cold_spare_is_ready_when_it_is_provisioned() -> None:
    cluster = Cluster(nodes=2, spares=1, delay=60.0)
    cluster.fail((0,))
    cluster.send_away((0,))
    assert [cluster.fill(now) for now in (100.0, 159.0, 160.0)] == [False, False, True]
    assert cluster.missing() == 0


def test_the_fewest_idle_spares_are_remembered() -> None:
    cluster = Cluster(nodes=3, spares=2)
    cluster.fail((0,))
    away = cluster.send_away((0,))
    cluster.fill(0.0)
    cluster.restore(away)
    assert (cluster.idle, cluster.fewest_spares) == (2, 1)


def test_a_spare_that_fails_leaves_the_spares() -> None:
    cluster = Cluster(nodes=2, spares=2)
    assert [cluster.spare(place) for place in range(3)] == [2, 3, None]
    cluster.withdraw(2)
    assert (cluster.spare(0), cluster.idle, cluster.fewest_spares) == (3, 1, 1)


def test_watchers_learn_of_every_move() -> None:
    cluster, ages = Cluster(nodes=2, spares=1), Ages()
    cluster.on_move.append(ages.moved)
    cluster.on_node_failure.append(ages.failed)
    cluster.fail((1,))
    away = cluster.send_away((1,))
    cluster.fill(0.0)
    cluster.restore(away)
    cluster.withdraw(1)
    assert ages.moves == [(1, None, False), (2, 1, False), (1, None, True), (1, None, False)]
    assert ages.failures == [1, 1]


def emptied(cluster: Cluster, *slots: int) -> list[int]:
    """Empty *slots* in this order and return the nodes that held them."""
    cluster.fail(slots)
    return cluster.send_away(slots)


def test_each_group_fills_its_own_slots() -> None:
    cluster = Cluster(nodes=6, spares=1, groups=3)
    emptied(cluster, 5, 2)
    assert [cluster.group_of(slot) for slot in range(6)] == [0, 0, 1, 1, 2, 2]
    assert [cluster.missing(group) for group in range(3)] == [0, 1, 1]
    assert [cluster.fill(0.0, group) for group in range(3)] == [True, True, False]
    assert (cluster.node(2), cluster.is_at_work(5), cluster.idle) == (6, False, 0)


def test_repaired_nodes_go_to_the_groups_in_the_order_in_which_they_wait() -> None:
    cluster = Cluster(nodes=6, spares=0, groups=3)
    emptied(cluster, 1, 2, 5, 0)
    cluster.restore((5, 1, 2), waiting=(2, 0))
    assert [cluster.holds(slot, node) for slot, node in ((5, 5), (1, 1), (0, 2), (2, 2))] == [True] * 3 + [
        False
    ]
    assert [cluster.missing(group) for group in range(3)] == [0, 1, 0]


def test_each_group_waits_for_its_own_spares() -> None:
    cluster = Cluster(nodes=4, spares=2, delay=60.0, groups=2)
    emptied(cluster, 0, 3)
    assert (cluster.fill(10.0, 0), cluster.ready_at(0), cluster.ready_at(1)) == (False, 70.0, 0.0)
    assert (cluster.fill(50.0, 1), cluster.fill(70.0, 0), cluster.fill(70.0, 1)) == (False, True, False)


def test_a_revived_node_is_at_work_again_in_its_slot() -> None:
    cluster, ages = Cluster(nodes=3, spares=0), Ages()
    cluster.on_move.append(ages.moved)
    cluster.on_node_failure.append(ages.failed)
    cluster.fail((1,))
    cluster.revive(1)
    assert (cluster.is_at_work(1), ages.moves) == (True, [(1, 1, False)])


def test_where_a_node_is() -> None:
    cluster = Cluster(nodes=2, spares=2)
    places = cluster.track()
    emptied(cluster, 0)
    cluster.fill(0.0)
    assert [places.slot_of(node) for node in range(4)] == [None, 1, 0, None]
    assert [places.is_idle(node) for node in range(4)] == [False, False, False, True]
    assert (cluster.away, cluster.track()) == (1, places)


def test_a_new_node_comes_in_place_of_one_that_has_retired() -> None:
    cluster = Cluster(nodes=2, spares=1)
    places = cluster.track()
    emptied(cluster, 0)
    cluster.retire(0)
    assert (cluster.away, places.is_idle(0)) == (0, False)
    new = cluster.order(0)
    assert (new, cluster.away) == (3, 1)
    cluster.restore((new,))
    assert (cluster.away, cluster.idle, places.is_idle(new)) == (0, 2, True)


def bound(nodes: int, spares: int, size: int) -> Cluster:
    """Return a cluster whose spares serve only their own domain of *size* slots."""
    domains = Domains(nodes, size, nodes // size)
    return Cluster(nodes, ChosenSpares(range(nodes, nodes + spares), domains))


def test_a_spare_serves_only_its_own_domain() -> None:
    cluster = bound(nodes=6, spares=3, size=2)
    emptied(cluster, 0, 1, 4)
    assert not cluster.fill(0.0)
    assert (cluster.node(0), cluster.is_at_work(1), cluster.node(4)) == (6, False, 8)
    assert (cluster.missing(), cluster.idle, cluster.spare(0)) == (1, 1, 7)


def test_among_spares_alike_the_one_idle_for_longest_is_taken_and_one_that_failed_passed_over() -> None:
    cluster = Cluster(4, ChosenSpares(range(4, 8), Domains(4, 4, 1)))
    cluster.withdraw(4)
    cluster.withdraw(5)
    cluster.restore((4,))
    emptied(cluster, 0, 1, 2)
    cluster.fill(0.0)
    assert [cluster.node(slot) for slot in range(4)] == [6, 7, 4, 3]


def test_a_spare_that_failed_more_often_than_another_is_taken_after_it() -> None:
    spares = ChosenSpares(range(4, 7), Domains(4, 4, 1), fewest_failures=True)
    cluster = Cluster(4, spares)
    cluster.on_node_failure.append(spares.failed)
    for node in (4, 5):
        cluster.withdraw(node)
        cluster.restore((node,))
    emptied(cluster, 0, 1)
    cluster.fill(0.0)
    assert (cluster.node(0), cluster.node(1)) == (6, 4)


def test_a_repaired_node_waits_for_a_slot_of_its_own_domain() -> None:
    cluster = bound(nodes=4, spares=0, size=2)
    emptied(cluster, 0, 2)
    cluster.restore((2,), waiting=(0,))
    assert (cluster.node(2), cluster.is_at_work(2), cluster.is_at_work(0)) == (2, True, False)
    cluster.restore((0,))
    assert (cluster.idle, cluster.fill(0.0), cluster.node(0)) == (1, True, 0)


def test_a_new_node_serves_the_domain_of_the_one_that_has_retired() -> None:
    cluster = bound(nodes=4, spares=0, size=2)
    emptied(cluster, 2)
    cluster.retire(2)
    cluster.restore((cluster.order(2),), waiting=(0,))
    assert cluster.node(2) == 4


def test_spares_that_serve_only_a_domain_are_bound_to_what_holds_it() -> None:
    cluster = bound(nodes=6, spares=6, size=2)
    found = [cluster.bound_to(first, count) for first, count in ((2, 2), (2, 1), (0, 4), (0, 6))]
    assert found == [[7, 10], [], [6, 7, 9, 10], [6, 7, 8, 9, 10, 11]]
    assert Cluster(nodes=6, spares=6).bound_to(0, 6) == []


def test_nodes_away_and_idle_over_time() -> None:
    cluster = Cluster(nodes=4, spares=2)
    away = emptied(cluster, 0, 1, 2)
    cluster.note(10.0)
    cluster.fill(10.0)
    cluster.restore(away, waiting=(0,))
    cluster.note(40.0)
    assert seconds_away(cluster.log, warm_up=20.0, end=100.0).tolist() == [60.0, 0.0, 0.0, 20.0]
    away_then, idle_then = curves(cluster.log, np.array([0.0, 5.0, 10.0, 40.0, 100.0]))
    assert (away_then.tolist(), idle_then.tolist()) == ([0, 0, 3, 0, 0], [2, 2, 0, 2, 2])
