"""Spares in several pools, of which the next is used when those before it have no node.

A job has 2 nodes that stand by, 5 more of its own behind a host selection of 3 min, and 20 lent ones at 20
min each.  Three nodes fail: two are replaced from the first pool at once; the third comes from the second,
and is ready after 3 min.  Then two more of the second pool stand by in the first, at no further cost.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence

from clustersim.engine.cluster import Cluster, SlotGroup
from clustersim.engine.spares import NOWHERE, SharedSpares, SparePool
from clustersim.scenario.keys.machine import SparePoolSpec


class PooledSpares(SparePool):
    """The idle spares of all *pools*, from the node number *first* on; each may serve every slot.

    A node of ours goes to the first of our pools that is not full, or the last of them; a lent one to the
    pool that it came from.
    """

    def __init__(self, first: int, pools: Sequence[SparePoolSpec]) -> None:
        self.takes = [pool.takes for pool in pools]
        self.is_lent = [pool.kind == "lent" for pool in pools]
        self._room = [pool.count for pool in pools]
        self._starts: list[int] = []
        self._pools: list[SharedSpares] = []
        for pool in pools:
            self._starts.append(first)
            self._pools.append(SharedSpares(range(first, first + pool.count)))
            first += pool.count
        self._end = first
        self._ours = [number for number, lent in enumerate(self.is_lent) if not lent]
        self._lender: dict[int, int] = {}
        self._place: dict[int, int] = {}

    def __repr__(self) -> str:
        return f"PooledSpares({[len(pool) for pool in self._pools]})"

    def __len__(self) -> int:
        return sum(len(pool) for pool in self._pools)

    def lender(self, node: int) -> int:
        """Return the number of the pool that lends *node*, or -1 where it is ours."""
        if node < self._starts[0]:
            return -1
        if node >= self._end:
            return self._lender.get(node, -1)
        pool = self._pool_at_first(node)
        return pool if self.is_lent[pool] else -1

    def add(self, node: int) -> None:
        """Add *node* as the last one of its pool."""
        pool = self.lender(node)
        if pool < 0:
            pool = next((n for n in self._ours if len(self._pools[n]) < self._room[n]), self._ours[-1])
        self._add_to(pool, node)

    def remove(self, node: int) -> None:
        """Remove *node*."""
        pool = self._place.pop(node) if node in self._place else self._pool_at_first(node)
        self._pools[pool].remove(node)

    def take(self, slot: int) -> int | None:
        """Remove and return the next node of the first pool that has one; None where none has."""
        pool = self.first()
        return None if pool < 0 else self.take_from(pool)

    def first(self) -> int:
        """Return the number of the first pool that has a node, or -1."""
        return next((number for number, pool in enumerate(self._pools) if len(pool)), -1)

    def free_of_ours(self, now: float, ready: dict[int, float]) -> int:
        """Return the first of our pools with a node that is *ready* by *now* (s), or takes nothing; or -1."""
        for pool in self._ours:
            if len(self._pools[pool]) and (not self.takes[pool] or ready.get(pool, math.inf) <= now):
                return pool
        return -1

    def take_from(self, pool: int) -> int:
        """Remove and return the node of *pool* that has been idle for longest."""
        node = self._pools[pool].take(0)
        assert node is not None
        self._place.pop(node, None)
        return node

    def fill_up_from(self, pool: int) -> None:
        """Fill our pools before *pool*, which is ours, with its nodes."""
        for earlier in self._ours:
            if earlier == pool:
                return
            while len(self._pools[pool]) and len(self._pools[earlier]) < self._room[earlier]:
                self._add_to(earlier, self.take_from(pool))

    def at(self, position: int) -> int | None:
        """Return the node at *position*, from 0, pool after pool; None where there are fewer nodes."""
        for pool in self._pools:
            if position < len(pool):
                return pool.at(position)
            position -= len(pool)
        return None

    def home_of(self, node: int) -> int:
        """Return the place of all slots; a lent node goes back to its lender instead."""
        return 0 if self.lender(node) < 0 else NOWHERE

    def inherit(self, new: int, old: int) -> None:
        """Let the node *new* belong to whoever *old* belonged to."""
        if (lender := self.lender(old)) >= 0:
            self._lender[new] = lender

    def _add_to(self, pool: int, node: int) -> None:
        self._pools[pool].add(node)
        self._place[node] = pool

    def _pool_at_first(self, node: int) -> int:
        return bisect_right(self._starts, node) - 1


class Stop:
    """What a group of slots has taken in the stop under way.

    `ready` says by pool when the nodes taken from it are ready (s); `borrowed` are the slots that got a lent
    node in this stop, `lent` those that had one before it.
    """

    def __init__(self) -> None:
        self.ready: dict[int, float] = {}
        self.borrowed: dict[int, None] = {}
        self.lent: dict[int, None] = {}


class PooledCluster(Cluster):
    """A cluster whose spares are in pools: what taking a node costs is spent once per stop and pool.

    A stop of a group begins when it goes down, and lasts until it has recovered.
    """

    def __init__(self, nodes: int, pools: PooledSpares, groups: int = 1) -> None:
        super().__init__(nodes, pools, 0.0, groups)
        self.refills = True
        self._pools = pools
        self._stops = [Stop() for _ in range(groups)]

    def fill(self, now: float, group: int = 0) -> bool:
        """Move spares into the empty slots of *group*; once all are ready, give lent nodes back."""
        ready = super().fill(now, group)
        if ready and self._stops[group].lent:
            self._give_back(now, self._stops[group], self._groups[group])
        return ready

    def begin_stop(self, group: int) -> None:
        """Begin anew with what taking a node costs; all that *group* was lent was lent before this stop."""
        stop = self._stops[group]
        stop.ready.clear()
        stop.lent.update(stop.borrowed)
        stop.borrowed.clear()

    def _take_spares(self, now: float, group: SlotGroup) -> None:
        used: dict[int, None] = {}
        for slot in list(group.empty):
            pool = self._pools.first()
            if pool < 0:
                break
            self._take(now, pool, slot, group)
            used[pool] = None
        self._fill_up_from(used)
        if self.idle < self.fewest_spares:
            self.fewest_spares = self.idle
        self.note(now)

    def _take(self, now: float, pool: int, slot: int, group: SlotGroup) -> None:
        """Put the next node of *pool* into the empty *slot*; it is ready with the first of this stop."""
        stop = self._stops[self.group_of(slot)]
        self._put(self._pools.take_from(pool), slot, group)
        self.idle -= 1
        stop.lent.pop(slot, None)
        stop.borrowed.pop(slot, None)
        if self._pools.is_lent[pool]:
            stop.borrowed[slot] = None
        if self._pools.takes[pool]:
            ready = stop.ready.setdefault(pool, now + self._pools.takes[pool])
            if ready > now:
                group.ready[slot] = ready

    def _give_back(self, now: float, stop: Stop, group: SlotGroup) -> None:
        """Replace nodes that were lent before this stop by ours that are ready at once."""
        used: dict[int, None] = {}
        for slot in list(stop.lent):
            if self._pools.lender(self.node(slot)) < 0:
                del stop.lent[slot]
            elif self.is_at_work(slot):
                pool = self._pools.free_of_ours(now, stop.ready)
                if pool < 0:
                    break
                self.release(slot, group)
                self._take(now, pool, slot, group)
                used[pool] = None
        self._fill_up_from(used)

    def _fill_up_from(self, used: dict[int, None]) -> None:
        for pool in used:
            if not self._pools.is_lent[pool]:
                self._pools.fill_up_from(pool)
