"""Repeat offenders: when a node that was repaired once more does not come back.

Node 7 fails for good at 2, 9 and 20 days, under the rule of three failures within 30 days.  At the end of
its third repair it retires: its slot is filled by a spare like that of any other node, and a new node takes
its place among the spares when the replacement is delivered, if the scenario orders one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from clustersim.engine.events import RETURN, At
from clustersim.engine.world import World
from clustersim.scenario.kinds.retirement import Retire


class Retirement:
    """Keeps in mind when each node failed for good, and sends those home that did so too often.

    A new node is *delivered* some time later, where *spec* says so, as that of the same incident: at its
    instant after the repairs of all modes.
    """

    def __init__(self, world: World, spec: Retire, delivered: Callable[[Sequence[int], int], None]) -> None:
        self._env, self._cluster = world.env, world.cluster
        self._delivered = delivered
        self._retires = spec.rule
        self._replacement = spec.replacement
        self._priority = RETURN + 2 * len(world.scenario.failures)
        self._failures: dict[int, list[float]] = {}
        self._cluster.on_node_failure.append(self.failed)

    def failed(self, node: int) -> None:
        """Count a failure of *node*."""
        self._failures.setdefault(node, []).append(self._env.now)

    def left_of(self, nodes: Sequence[int], line: int) -> Sequence[int]:
        """Return those of *nodes*, gone for the incident in *line*, that come back; the others retire."""
        back = []
        for node in nodes:
            if self._retires(self._failures.get(node, ()), self._env.now):
                self._retire(node, line)
            else:
                back.append(node)
        return back

    def _retire(self, node: int, line: int) -> None:
        self._cluster.retire(node)
        del self._failures[node]
        if self._replacement is not None:
            new = self._cluster.order(node)
            delivery = self._env.now + self._replacement
            At(self._env, delivery, self._priority, lambda _: self._delivered((new,), line))
