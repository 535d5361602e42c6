"""The bad nodes of a failure mode: from the beginning, among replacements, and by what a repair changes.

A mode with `lemons: {share: 5 %, factor: 8}` has one uniform draw for each node; below 0.05 the node is a
lemon.  Where repeat offenders are retired and replaced, the k-th replacement has the k-th draw of a stream of
its own, so that neither the number of spares nor what else is drawn changes its nature.  With `healed: 60 %`
the repair of a lemon makes it good if one draw of its failure is below 0.6; with `turns_bad: 1 %` that of a
good node makes it a lemon if the same draw is below 0.01.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from clustersim.engine.failures.groups import GroupRates
from clustersim.engine.failures.sources import Varying
from clustersim.engine.failures.targeting import OnUnitFailure, Targeting
from clustersim.engine.origins import FailureDraws
from clustersim.failure import Failure
from clustersim.scenario.keys.failure import Lemons
from clustersim.streams import Draws, happens, uniform


class LemonNodes:
    """The lemons of one mode, by number: those of the job and those among the spares, in order.

    `nodes` are those that are bad now.  `later` are the ones among them that were not from the beginning: a
    repair turned them bad, or they took the place of a retired node and have not been replaced themselves.
    Each fails `factor` times as often as a good node; `changes` says whether repairs make some good or bad.
    Where nodes of some `groups` are struck more often or less, lemons among them are so too.
    """

    def __init__(self, target: Targeting, spec: Lemons, groups: GroupRates | None = None) -> None:
        context, cluster = target.context, target.context.scenario.cluster
        self._target = target
        self.groups = groups
        self._fleet = cluster.nodes + cluster.spare_nodes
        draws = context.streams[f"{target.name}/lemons"].random(self._fleet)
        first = [int(node) for node in np.flatnonzero(draws < spec.share)]
        self.of_job = [node for node in first if node < cluster.nodes]
        self.of_spares = first[len(self.of_job) :]
        self.nodes = set(first)
        self.later: list[int] = []
        self._from_start = frozenset(first)
        self.factor, self.turns_bad, self._healed = spec.factor, spec.turns_bad, spec.healed
        self.changes = spec.changes
        self._natures = FailureDraws(context.origins, "nature")
        self._share = spec.share_of_replacements
        self._draws = Draws(context.streams, f"{target.name}/lemons/replacement", uniform)
        self._source: Varying | None = None
        context.cluster.on_order.append(self._ordered)

    def __repr__(self) -> str:
        return f"LemonNodes({len(self.nodes)} nodes)"

    def strikes(self, process: str, nodes: Sequence[int]) -> OnUnitFailure:
        """Return what is called with each failure of *process* on a unit of the lemons *nodes*.

        One that is good by now does not fail by it, and an idle lemon only with the share of idle spares.
        """
        target, groups = self._target, self.groups
        origin, per_node = target.context.origins.of(target.mode, process), target.units_per_node
        at_fleet = target.at_fleet(process)

        def strike(index: int, unit: int) -> None:
            node = nodes[unit // per_node]
            if node not in self.nodes:
                return
            if groups is not None and not groups.strikes(origin, index, node, groups.highest):
                return
            at_fleet(index, node)

        return strike

    def follow(self, source: Varying) -> Varying:
        """Return *source*, whose units follow the number of those that became lemons later."""
        self._source = source
        return source

    def repaired(self, nodes: Sequence[int], failure: Failure, part: int) -> None:
        """Heal or spoil *nodes*, which come back from a repair after *failure* that ended with *part*.

        The nodes of one repair share its draw, as they share its time.
        """
        before = len(self.later)
        for node in nodes:
            if node not in self.nodes:
                if happens(self._natures, failure, self.turns_bad):
                    self._turn_bad(node)
            elif happens(self._natures, failure, self._healed[part]):
                self._turn_good(node)
        if len(self.later) != before:
            self._resize()

    def _turn_bad(self, node: int) -> None:
        self.nodes.add(node)
        if node not in self._from_start:
            self.later.append(node)

    def _turn_good(self, node: int) -> None:
        self.nodes.discard(node)
        if node in self.later:
            self.later.remove(node)

    def _resize(self) -> None:
        if self._source is not None:
            self._source.resize(len(self.later) * self._target.units_per_node)

    def _ordered(self, new: int, old: int) -> None:
        """Draw whether the node *new*, which replaces *old* for good, is a lemon."""
        self._turn_good(old)
        if self._draws[new - self._fleet] < self._share:
            self._turn_bad(new)
        self._resize()
