"""Slots, spares and the watchers of both."""

from sim.engine.cluster import Cluster


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
    assert (cluster.missing, cluster.is_at_work(2), cluster.at_work(range(4))) == (0, False, [0, 1, 3])
    assert cluster.send_away((2,)) == [2]
    assert (cluster.missing, cluster.idle) == (1, 1)


def test_spares_fill_the_slot_that_was_emptied_first() -> None:
    cluster = Cluster(nodes=4, spares=1)
    for slot in (3, 1):
        cluster.fail((slot,))
        cluster.send_away((slot,))
    cluster.fill(now=0.0)
    assert (cluster.node(3), cluster.is_at_work(3), cluster.is_at_work(1), cluster.missing) == (
        4,
        True,
        False,
        1,
    )


def test_a_repaired_node_goes_where_it_is_wanted_and_else_to_the_spares() -> None:
    cluster = Cluster(nodes=2, spares=0)
    cluster.fail((0, 1))
    away = cluster.send_away((0, 1))
    cluster.restore(away[:1], wanted=False)
    assert (cluster.missing, cluster.idle) == (2, 1)
    cluster.restore(away[1:], wanted=True)
    assert (cluster.missing, cluster.idle, cluster.node(0)) == (1, 1, 1)


def test_a_cold_spare_is_ready_when_it_is_provisioned() -> None:
    cluster = Cluster(nodes=2, spares=1, provision=60.0)
    cluster.fail((0,))
    cluster.send_away((0,))
    assert [cluster.fill(now) for now in (100.0, 159.0, 160.0)] == [False, False, True]
    assert cluster.missing == 0


def test_the_fewest_idle_spares_are_remembered() -> None:
    cluster = Cluster(nodes=3, spares=2)
    cluster.fail((0,))
    away = cluster.send_away((0,))
    cluster.fill(0.0)
    cluster.restore(away, wanted=False)
    assert (cluster.idle, cluster.fewest_spares) == (2, 1)


def test_a_spare_that_fails_leaves_the_spares() -> None:
    cluster = Cluster(nodes=2, spares=2)
    assert [cluster.spare(place) for place in range(3)] == [2, 3, None]
    cluster.withdraw(2)
    assert (cluster.spare(0), cluster.idle, cluster.fewest_spares) == (3, 1, 1)


def test_watchers_learn_of_every_move() -> None:
    cluster, ages = Cluster(nodes=2, spares=1), Ages()
    cluster.watchers.append(ages)
    cluster.fail((1,))
    away = cluster.send_away((1,))
    cluster.fill(0.0)
    cluster.restore(away, wanted=False)
    cluster.withdraw(1)
    assert ages.moves == [(1, None, False), (2, 1, False), (1, None, True), (1, None, False)]
    assert ages.failures == [1]
