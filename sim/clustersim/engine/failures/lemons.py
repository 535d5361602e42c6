"""The bad nodes of a failure mode: who they are from the beginning, and which replacements are bad too.

A mode with `lemons: {share: 5 %, factor: 8}` has one uniform draw for each node; below 0.05 the node is a
lemon.  Where repeat offenders are retired and replaced, the k-th replacement has the k-th draw of a stream of
its own, so that neither the number of spares nor what else is drawn changes its nature.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from clustersim.engine.failures.origins import FailureDraws
from clustersim.engine.failures.sources import Varying
from clustersim.engine.failures.targeting import OnUnitFailure, Targeting
from clustersim.scenario.keys.failure import Lemons
from clustersim.streams import Draws, uniform


class LemonNodes:
    """The lemons of one mode, by number: those of the job and those among the spares, in order.

    `nodes` are all that have ever been lemons; `replacements` those that took the place of a retired node and
    have not been retired themselves.
    """

    def __init__(self, target: Targeting, spec: Lemons) -> None:
        context, cluster = target.context, target.context.scenario.cluster
        self._target = target
        self._fleet = cluster.nodes + cluster.spare_nodes
        draws = context.streams[f"{target.name}/lemons"].random(self._fleet)
        first = [int(node) for node in np.flatnonzero(draws < spec.share)]
        self.of_job = [node for node in first if node < cluster.nodes]
        self.of_spares = first[len(self.of_job) :]
        self.nodes = set(first)
        self.replacements: list[int] = []
        self._share = spec.share_of_replacements
        self._draws = Draws(context.streams, f"{target.name}/lemons/replacement", uniform)
        self._source: Varying | None = None
        context.cluster.on_order.append(self._ordered)

    def __repr__(self) -> str:
        return f"LemonNodes({len(self.nodes)} nodes)"

    def strikes(self, process: str, nodes: Sequence[int]) -> OnUnitFailure:
        """Return what is called with each failure of *process* on a unit of the lemons *nodes*.

        An idle lemon fails only with the share at which idle spares fail.
        """
        context, per_node = self._target.context, self._target.units_per_node
        origin = context.origins.of(self._target.mode, process)
        locations, idle_share = context.cluster.track(), context.scenario.cluster.spare_failures
        chances = FailureDraws(context.streams, context.origins, "idle").of(origin)

        def strike(index: int, unit: int) -> None:
            node = nodes[unit // per_node]
            if not locations.is_idle(node) or chances[index] < idle_share:
                self._target.at_node(origin, index, node)

        return strike

    def follow(self, source: Varying) -> Varying:
        """Return *source*, whose units follow the number of replacements from now on."""
        self._source = source
        return source

    def _ordered(self, new: int, old: int) -> None:
        """Draw whether the node *new*, which replaces *old* for good, is a lemon."""
        if old in self.replacements:
            self.replacements.remove(old)
        if self._draws[new - self._fleet] < self._share:
            self.nodes.add(new)
            self.replacements.append(new)
        if self._source is not None:
            self._source.resize(len(self.replacements) * self._target.units_per_node)
