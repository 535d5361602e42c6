"""The naive simulator's nodes: who is in which slot, who is spare, who fails how often, who is faulty."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable

from clustersim.scenario.keys.failure import FailureMode
from clustersim.scenario.model import Scenario


class Fleet:
    """Every node by its number; spares stand in the order in which they became free."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.cluster = cluster = scenario.cluster
        self.slots: list[int | None] = list(range(cluster.nodes))
        self.failed: set[int] = set()
        self.ready = [0.0] * cluster.nodes
        self.empty: list[int] = []
        self.pools = self._full_pools()
        self.owner: dict[int, int] = {}
        for number, pool in enumerate(self.pools):
            if cluster.pools and cluster.pools[number].kind == "lent":
                self.owner |= dict.fromkeys(pool, number)
        self.given_back: list[int] = []
        self.lent_before: list[list[int]] = [[] for _ in range(scenario.recovery.replicas)]
        self.lent_now: list[list[int]] = [[] for _ in range(scenario.recovery.replicas)]
        self.taken_at: list[dict[int, float]] = [{} for _ in range(scenario.recovery.replicas)]
        self.count = cluster.nodes + cluster.spare_nodes
        self.fewest_idle = len(self.idle)
        self.failures: dict[int, list[float]] = defaultdict(list)
        self.faults: list[tuple[str, int, int]] = []
        self.left: dict[tuple[str, int, int], float] = {}
        self.rack_at = list(range(cluster.spare_domains))
        self.apart: list[int] = []
        self.domains = {node: self.domain_of_slot(node) for node in range(cluster.nodes)}
        for place, node in enumerate(self.idle):
            self.domains[node] = place % cluster.spare_domains
        self._add_racks()

    def _add_racks(self) -> None:
        """Number the racks beside the job's, which hold the last of the spares."""
        cluster, size = self.cluster, self.cluster.rack_nodes or 0
        for number in range(cluster.spare_racks):
            rack = cluster.spare_domains + number
            self.apart.append(rack)
            end = cluster.nodes + cluster.spare_nodes - size * (cluster.spare_racks - 1 - number)
            self.domains |= dict.fromkeys(range(end - size, end), rack)

    def _replace_racks(self, group: int, now: float) -> list[float]:
        """Let racks that can take the places whose own rack has too few nodes, all slots of each."""
        size, delayed = self.scenario.slots_per("rack"), []
        places = [slot // size for slot in self.empty if self.group_of(slot) == group]
        for place in dict.fromkeys(places):
            slots = [slot for slot in range(len(self.slots)) if slot // size == place]
            able = [rack for rack in self.apart if self._healthy(rack) >= len(slots)]
            if able and not any(slot in self.failed for slot in slots):
                back = self.leave([slot for slot in slots if slot not in self.empty])
                self.pools[0] += back
                self.given_back += back
                self.apart.remove(able[0])
                self.apart.append(self.rack_at[place])
                self.rack_at[place] = able[0]
                for slot in slots:
                    node = next(node for node in self.idle if self.domains[node] == able[0])
                    delayed += self._put(node, slot, now)
        return delayed

    def _healthy(self, rack: int) -> int:
        return sum(self.domains[node] == rack for node in self.idle)

    def _put(self, node: int, slot: int, now: float) -> list[float]:
        self.empty.remove(slot)
        self.slots[slot] = self.take_spare(node)
        if not self.cluster.delay:
            return []
        self.ready[slot] = now + self.cluster.delay
        return [self.ready[slot]]

    def _full_pools(self) -> list[list[int]]:
        """The spares of each pool by number, all in one where there are no pools."""
        number, pools = self.cluster.nodes, []
        for count in [pool.count for pool in self.cluster.pools] or [self.cluster.spare_nodes]:
            pools.append(list(range(number, number + count)))
            number += count
        return pools

    @property
    def idle(self) -> list[int]:
        """All idle spares, pool after pool, in each the one first that has been idle for longest."""
        return [node for pool in self.pools for node in pool]

    def domain_of_slot(self, slot: int) -> int:
        """The domain whose spares serve a slot; all are one where spares serve everywhere."""
        within = self.cluster.spares_within
        return self.rack_at[slot // self.scenario.slots_per(within)] if within else 0

    def group_of(self, slot: int) -> int:
        """The replica that a slot belongs to."""
        return slot // self.scenario.slots_per("replica")

    def at_work(self) -> dict[int, int]:
        """The nodes at work and the slot of each."""
        return {
            node: slot for slot, node in enumerate(self.slots) if node is not None and slot not in self.failed
        }

    def unit_slots(self, mode: FailureMode, unit: int) -> list[int]:
        """The slots at work of one unit of the job's topology."""
        if mode.per == "gpu":
            unit //= self.cluster.gpus_per_node
        size = self.scenario.slots_per("node" if mode.per == "gpu" else mode.per)
        return [slot for slot in sorted(self.at_work().values()) if slot // size == unit]

    def domain_slots(self, level: str, slots: list[int]) -> list[int]:
        """The slots at work of the domains in which these slots are."""
        size = self.scenario.slots_per(level)
        domains = {slot // size for slot in slots}
        return [slot for slot in sorted(self.at_work().values()) if slot // size in domains]

    def spares_inside(self, level: str, slots: list[int]) -> list[int]:
        """The idle spares bound to a domain inside the racks or pods of these slots."""
        within = self.cluster.spares_within
        if level not in ("rack", "pod") or not within or (within, level) == ("pod", "rack"):
            return []
        size = self.scenario.slots_per(level)
        struck = {slot // size for slot in slots}
        inner = self.scenario.slots_per(within)
        place = {domain: number for number, domain in enumerate(self.rack_at)}
        inside = [node for node in self.idle if self.domains[node] in place]
        return [node for node in inside if place[self.domains[node]] * inner // size in struck]

    def fill(self, group: int, now: float) -> list[float]:
        """Put spares into a replica's empty slots, and say when those that take time are ready."""
        if self.cluster.pools:
            return self._fill_from_pools(group, now)
        delayed = []
        for slot in [slot for slot in self.empty if self.group_of(slot) == group]:
            fitting = [node for node in self.idle if self.domains[node] == self.domain_of_slot(slot)]
            if not fitting:
                continue
            if self.cluster.spare_choice == "fewest_failures":
                fitting.sort(key=lambda node: len(self.failures[node]))
            delayed += self._put(fitting[0], slot, now)
        return delayed + (self._replace_racks(group, now) if self.cluster.spare_racks else [])

    def _fill_from_pools(self, group: int, now: float) -> list[float]:
        """The same where there are pools."""
        delayed, used = [], set()
        for slot in [slot for slot in self.empty if self.group_of(slot) == group]:
            filled = [number for number, pool in enumerate(self.pools) if pool]
            if filled:
                delayed += self._take_from(filled[0], slot, now)
                used.add(filled[0])
        self._fill_up(used)
        return delayed

    def give_back(self, group: int, now: float) -> None:
        """All are ready: ours that need no time replace what was lent before this stop."""
        used = set()
        for slot in list(self.lent_before[group]):
            node = self.slots[slot]
            free = [n for n in self._ours() if self.pools[n] and self._is_free(n, group, now)]
            if node in self.owner and slot not in self.failed and free:
                self.given_back += self.leave([slot])
                self.pools[self.owner[node]].append(node)
                self._take_from(free[0], slot, now)
                used.add(free[0])
        self._fill_up(used)

    def _ours(self) -> list[int]:
        return [number for number, pool in enumerate(self.cluster.pools) if pool.kind != "lent"]

    def _is_free(self, number: int, group: int, now: float) -> bool:
        takes = self.cluster.pools[number].takes
        return takes == 0 or self.taken_at[group].get(number, math.inf) + takes <= now

    def _take_from(self, number: int, slot: int, now: float) -> list[float]:
        """Take the node of a pool that has been idle for longest; all of one stop are ready together."""
        group, node = self.group_of(slot), self.pools[number][0]
        self.empty.remove(slot)
        self.slots[slot] = self.take_spare(node)
        for lent in (self.lent_before[group], self.lent_now[group]):
            if slot in lent:
                lent.remove(slot)
        if node in self.owner:
            self.lent_now[group].append(slot)
        ready = self.taken_at[group].setdefault(number, now) + self.cluster.pools[number].takes
        self.ready[slot] = ready
        return [ready] if ready > now else []

    def _fill_up(self, used: set[int]) -> None:
        """Fill each of our pools from the later ones that a stop has taken nodes from."""
        for number in sorted(used & set(self._ours())):
            for earlier in [other for other in self._ours() if other < number]:
                while self.pools[number] and len(self.pools[earlier]) < self.cluster.pools[earlier].count:
                    self.pools[earlier].append(self.pools[number].pop(0))

    def stop_ends(self, group: int) -> None:
        """A replica has recovered: what it takes next is paid anew, and what it has is lent before that."""
        self.taken_at[group] = {}
        self.lent_before[group] += self.lent_now[group]
        self.lent_now[group] = []

    def missing(self, group: int) -> bool:
        return any(self.group_of(slot) == group for slot in self.empty)

    def provisioning(self, group: int, now: float) -> bool:
        return any(ready > now for slot, ready in enumerate(self.ready) if self.group_of(slot) == group)

    def take_spare(self, node: int) -> int:
        """Take an idle spare, for the job or to its repair."""
        next(pool for pool in self.pools if node in pool).remove(node)
        self.fewest_idle = min(self.fewest_idle, len(self.idle))
        return node

    def fail(self, nodes: Iterable[int], now: float) -> None:
        """These nodes have failed, for good until their repair."""
        for node in nodes:
            self.failures[node].append(now)

    def leave(self, slots: list[int]) -> list[int]:
        """Take the nodes out of these slots."""
        nodes = [node for slot in slots if (node := self.slots[slot]) is not None]
        for slot in slots:
            self.slots[slot], self.ready[slot] = None, 0.0
            self.failed.discard(slot)
            self.empty.append(slot)
        return nodes

    def come_back(self, node: int, waiting: list[int]) -> None:
        """A node goes to the replica that has waited longest and can use it, else to the spares."""
        if node in self.owner:
            self.pools[self.owner[node]].append(node)
            return
        for group in waiting:
            for slot in self.empty:
                if self.group_of(slot) == group and self.domain_of_slot(slot) == self.domains[node]:
                    self.empty.remove(slot)
                    self.slots[slot] = node
                    return
        ours = [number for number in self._ours() if self._has_room(number)] or self._ours()[-1:] or [0]
        self.pools[ours[0]].append(node)

    def _has_room(self, number: int) -> bool:
        return len(self.pools[number]) < self.cluster.pools[number].count

    def buy(self, retired: int) -> int:
        """A new node takes a retired one's place in the world, for the same domain."""
        node, self.count = self.count, self.count + 1
        self.domains[node] = self.domains[retired]
        if retired in self.owner:
            self.owner[node] = self.owner[retired]
        return node
