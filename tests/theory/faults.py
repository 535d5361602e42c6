"""Which nodes were down when: seen in the engine by a watcher of its cluster, and what comes of it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from itertools import pairwise
from typing import NamedTuple

import pytest
import simpy

from clustersim.engine import replication
from clustersim.engine.failures import Failures
from clustersim.engine.world import World
from clustersim.scenario.model import Scenario

DAY = 86_400.0


class Fault(NamedTuple):
    """A node that is down from *begin* to *end*, in days; the end may be that of the run."""

    node: int
    begin: float
    end: float


class Watch:
    """Notes when each node fails and when it is back."""

    def __init__(self, env: simpy.Environment) -> None:
        self._env = env
        self._down: dict[int, float] = {}
        self.faults: list[Fault] = []

    def failed(self, node: int) -> None:
        self._down.setdefault(node, self._env.now)

    def moved(self, node: int, slot: int | None, idle: bool) -> None:
        if slot is None and not idle:
            self.failed(node)
        elif node in self._down:
            self.faults.append(Fault(node, self._down.pop(node) / DAY, self._env.now / DAY))

    def finish(self) -> None:
        for node in list(self._down):
            self.moved(node, None, True)


def faults_of(scenario: Scenario, number: int, monkeypatch: pytest.MonkeyPatch) -> list[Fault]:
    """Simulate one replication and return its faults, those that last beyond its end cut there."""
    watches = []

    def watched(world: World) -> Failures:
        watches.append(Watch(world.env))
        world.cluster.on_move.append(watches[0].moved)
        world.cluster.on_node_failure.append(watches[0].failed)
        return Failures(world)

    with monkeypatch.context() as patched:
        patched.setattr(replication, "Failures", watched)
        replication.simulate(scenario, number)
    watches[0].finish()
    return watches[0].faults


def busiest_tenth(faults: Iterable[Fault], nodes: int) -> float:
    """Return the share of all faults that the 10 % of nodes with the most faults have."""
    counts = sorted(Counter(fault.node for fault in faults).values(), reverse=True)
    return sum(counts[: nodes // 10]) / sum(counts)


def relapses(faults: Iterable[Fault], within: float) -> float:
    """Return after which share of all faults the node fails again within so many days of its return."""
    by_node = defaultdict(list)
    for fault in faults:
        by_node[fault.node].append(fault)
    again = total = 0
    for own in by_node.values():
        own.sort(key=lambda fault: fault.begin)
        total += len(own)
        again += sum(later.begin - earlier.end <= within for earlier, later in pairwise(own))
    return again / total
