"""The naive simulator's nodes: who is in which slot, who is spare, who is in repair."""

from __future__ import annotations

import math

from sim.scenario.model import FailureMode, Scenario
from tests.oracle.clocks import Source

Repair = tuple[list[int], float]


class Fleet:
    """Every node by its number; spares stand in the order in which they became free."""

    def __init__(self, scenario: Scenario) -> None:
        self.cluster = cluster = scenario.cluster
        self.slots: list[int | None] = list(range(cluster.nodes))
        self.failed: set[int] = set()
        self.ready = [0.0] * cluster.nodes
        self.empty: list[int] = []
        self.idle = list(range(cluster.nodes, cluster.nodes + cluster.spare_nodes))
        self.fewest_idle = len(self.idle)
        self.shops: dict[str, list[Repair]] = {name: [] for name in scenario.failures}
        self.busy = dict.fromkeys(scenario.failures, 0)

    def at_work(self) -> dict[int, int]:
        """The nodes at work and the slot of each."""
        return {
            node: slot for slot, node in enumerate(self.slots) if node is not None and slot not in self.failed
        }

    def slots_of(self, mode: FailureMode, unit: int) -> list[int]:
        """The slots at work of one unit of the job's topology."""
        cluster, size = self.cluster, 1
        if mode.per in ("cluster", "job"):
            return []
        if mode.per == "gpu":
            unit //= cluster.gpus_per_node
        if mode.per in ("rack", "pod"):
            assert cluster.nodes_per_rack is not None
            size = cluster.nodes_per_rack
        if mode.per == "pod":
            assert cluster.racks_per_pod is not None
            size *= cluster.racks_per_pod
        return [slot for slot in sorted(self.at_work().values()) if slot // size == unit]

    def fill(self, now: float) -> list[float]:
        """Put spares into empty slots, and say when those that must be provisioned are ready."""
        provisioned = []
        while self.empty and self.idle:
            slot = self.empty.pop(0)
            self.slots[slot] = self.take_spare(self.idle[0])
            if self.cluster.spare_kind == "cold":
                self.ready[slot] = now + self.cluster.provision
                provisioned.append(self.ready[slot])
        return provisioned

    def take_spare(self, node: int) -> int:
        """Take an idle spare, for the job or to its repair."""
        self.idle.remove(node)
        self.fewest_idle = min(self.fewest_idle, len(self.idle))
        return node

    def provisioning(self, now: float) -> bool:
        return max(self.ready) > now

    def leave(self, slots: list[int]) -> list[int]:
        """Take the failed nodes out of these slots."""
        nodes = [node for slot in slots if (node := self.slots[slot]) is not None]
        for slot in slots:
            self.slots[slot], self.ready[slot] = None, 0.0
            self.failed.discard(slot)
            self.empty.append(slot)
        return nodes

    def come_back(self, nodes: list[int], wanted: bool) -> None:
        """Repaired nodes go into empty slots if the job waits for them, else to the spares."""
        for node in nodes:
            if wanted and self.empty:
                self.slots[self.empty.pop(0)] = node
            else:
                self.idle.append(node)

    def begin_repairs(self, source: Source) -> list[Repair]:
        """Let idle crews take up the work that has waited longest."""
        begun: list[Repair] = []
        waiting, crews = self.shops[source.name], source.mode.crews or math.inf
        while waiting and self.busy[source.name] < crews:
            begun.append(waiting.pop(0))
            self.busy[source.name] += 1
        return begun
