"""The naive simulator's nodes: who is in which slot, who is spare, who fails how often, who is faulty."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from clustersim.scenario.model import FailureMode, Scenario


class Fleet:
    """Every node by its number; spares stand in the order in which they became free."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.cluster = cluster = scenario.cluster
        self.slots: list[int | None] = list(range(cluster.nodes))
        self.failed: set[int] = set()
        self.ready = [0.0] * cluster.nodes
        self.empty: list[int] = []
        self.idle = list(range(cluster.nodes, cluster.nodes + cluster.spare_nodes))
        self.count = cluster.nodes + cluster.spare_nodes
        self.fewest_idle = len(self.idle)
        self.failures: dict[int, list[float]] = defaultdict(list)
        self.faults: list[tuple[str, int, int]] = []
        self.left: dict[tuple[str, int, int], float] = {}
        self.domains = {node: self.domain_of_slot(node) for node in range(cluster.nodes)}
        for place, node in enumerate(self.idle):
            self.domains[node] = place % cluster.spare_domains

    def domain_of_slot(self, slot: int) -> int:
        """The domain whose spares serve a slot; all are one where spares serve everywhere."""
        within = self.cluster.spares_within
        return slot // self.scenario.slots_per(within) if within else 0

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
        return [node for node in self.idle if self.domains[node] * inner // size in struck]

    def fill(self, group: int, now: float) -> list[float]:
        """Put spares into a replica's empty slots, and say when those that take time are ready."""
        delayed = []
        for slot in [slot for slot in self.empty if self.group_of(slot) == group]:
            fitting = [node for node in self.idle if self.domains[node] == self.domain_of_slot(slot)]
            if not fitting:
                continue
            if self.cluster.spare_choice == "fewest_failures":
                fitting.sort(key=lambda node: len(self.failures[node]))
            self.empty.remove(slot)
            self.slots[slot] = self.take_spare(fitting[0])
            if self.cluster.delay:
                self.ready[slot] = now + self.cluster.delay
                delayed.append(self.ready[slot])
        return delayed

    def missing(self, group: int) -> bool:
        return any(self.group_of(slot) == group for slot in self.empty)

    def provisioning(self, group: int, now: float) -> bool:
        return any(ready > now for slot, ready in enumerate(self.ready) if self.group_of(slot) == group)

    def take_spare(self, node: int) -> int:
        """Take an idle spare, for the job or to its repair."""
        self.idle.remove(node)
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
        for group in waiting:
            for slot in self.empty:
                if self.group_of(slot) == group and self.domain_of_slot(slot) == self.domains[node]:
                    self.empty.remove(slot)
                    self.slots[slot] = node
                    return
        self.idle.append(node)

    def buy(self, retired: int) -> int:
        """A new node takes a retired one's place in the world, for the same domain."""
        node, self.count = self.count, self.count + 1
        self.domains[node] = self.domains[retired]
        return node
