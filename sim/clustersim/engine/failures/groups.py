"""The groups of the cluster's nodes, dealt once, and how often a failure mode strikes the nodes of each.

Each node, spares too, has one uniform draw.  With `groups: {old: {nodes: 32}, new: {nodes: 16}}` the nodes
with the 32 smallest draws are the group `old`, those with the next 16 `new`.  So the deal does not depend on
the modes, and a few more spares change it little.

A mode with `groups: {old: 5, new: 0.5}` has one Poisson source for all nodes at their common rate, of which
each failure of a node of `new` happens with a probability of 0.5; and a second one for the nodes of `old`, at
the other 4 parts of their rate.
"""

from __future__ import annotations

import numpy as np

from clustersim.arrays import Floats
from clustersim.engine.failures.targeting import FailureContext, OnUnitFailure, Targeting
from clustersim.engine.origins import FailureDraws
from clustersim.streams import happens


class NodeGroups:
    """Which nodes belong to which group of the cluster, by number from 1; 0 are the nodes of none.

    A node that replaces a retired one belongs to the group of that one.
    """

    def __init__(self, context: FailureContext) -> None:
        cluster = context.scenario.cluster
        self.fleet = cluster.nodes + cluster.spare_nodes
        counts = [group.nodes for group in cluster.groups]
        draws, several = context.streams["cluster/groups"].random(self.fleet), sum(counts)
        chosen = np.argpartition(draws, several)[:several] if several < self.fleet else np.arange(several)
        ranked = chosen[np.argsort(draws[chosen], kind="stable")]
        of = np.zeros(self.fleet, dtype=np.uint8)
        of[ranked] = np.repeat(np.arange(1, len(counts) + 1), counts)
        self._of = of.tobytes()
        self._of_new: dict[int, int] = {}
        self._replaced_by: dict[int, int] = {}
        context.cluster.on_order.append(self._ordered)

    def __repr__(self) -> str:
        return f"NodeGroups({self.fleet} nodes, {len(self._of_new)} new)"

    def of(self, node: int) -> int:
        """Return the number of the group of *node*."""
        return self._of[node] if node < self.fleet else self._of_new.get(node, 0)

    def of_all(self) -> np.ndarray:
        """Return the numbers of the groups of all nodes of the beginning."""
        return np.frombuffer(self._of, dtype=np.uint8)

    def successor(self, node: int) -> int:
        """Return the node that is there in place of *node*: itself, unless it has been replaced."""
        while node in self._replaced_by:
            node = self._replaced_by[node]
        return node

    def _ordered(self, new: int, old: int) -> None:
        self._of_new[new] = self.of(old)
        self._replaced_by[old] = new


class GroupRates:
    """How often the failures of one mode strike the nodes of each group, times the mode's own rate.

    `highest` is that of the group that is struck most often, 1 if that is the nodes of no group.
    """

    def __init__(self, target: Targeting, groups: NodeGroups) -> None:
        context, by_name = target.context, dict(target.spec.groups)
        self._target = target
        self._groups = groups
        self._factors = [1.0, *(by_name.get(group.name, 1.0) for group in context.scenario.cluster.groups)]
        self.highest = max(self._factors)
        self.thins = min(self._factors) < 1
        self._chances = FailureDraws(context.origins, "group")

    def __repr__(self) -> str:
        return f"GroupRates({self._factors})"

    def factor(self, node: int) -> float:
        """Return how often *node* is struck, times the mode's rate."""
        return self._factors[self._groups.of(node)]

    def factors(self, nodes: np.ndarray) -> Floats:
        """Return the same of many *nodes* of the beginning, by number."""
        by_node: Floats = np.array(self._factors)[self._groups.of_all()][nodes]
        return by_node

    def strikes(self, origin: int, ordinal: int, node: int, most: float) -> bool:
        """Return whether a failure at *most* times the mode's rate happens on *node*, by its own rate."""
        return happens(self._chances.of(origin), ordinal, self.factor(node) / most)

    def extra(self, process: str, spares: bool) -> tuple[list[tuple[int, float]], OnUnitFailure]:
        """Return the nodes that are struck more often than by the mode's rate, of the job or the *spares*.

        First come how many such nodes there are in each group, each with its part beyond the mode's rate,
        then what is called with each failure of *process* on one of them, in this order.  An idle one fails
        only with the share of idle spares.
        """
        job = self._target.context.scenario.cluster.nodes
        numbers = self._groups.of_all()
        numbers = numbers[job:] if spares else numbers[:job]
        often = [number for number, factor in enumerate(self._factors) if factor > 1]
        members = [np.flatnonzero(numbers == number) + job * spares for number in often]
        nodes = np.concatenate([np.zeros(0, dtype=np.int64), *members])
        kinds = [(len(of), self._factors[number] - 1) for number, of in zip(often, members, strict=True)]
        at_fleet = self._target.at_fleet(process)

        def strike(index: int, place: int) -> None:
            at_fleet(index, self._groups.successor(int(nodes[place])))

        return kinds, strike
