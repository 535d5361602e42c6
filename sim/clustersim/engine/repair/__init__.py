"""What happens to failed nodes: which of them leave, where they are repaired, and how they come back.

Node 7 fails at 1,000 s, and its failure is detected at 1,060 s: `send` empties its slot and hands the node to
the repair shop of the failure's mode.  The repair takes a day.  At 87,460 s the node is handed to those in
`on_return`, which put it into an empty slot or among the spares.  On the way the diagnosis may have blamed
another node, and at the end the node may retire, still be faulty, or be due for a relapse.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import simpy

from clustersim.engine.cluster import Cluster
from clustersim.engine.events import RETURN, At
from clustersim.engine.failures import Failures
from clustersim.engine.failures.origins import FailureDraws, Origins
from clustersim.engine.repair.diagnosis import Diagnosis
from clustersim.engine.repair.retirement import Retirement
from clustersim.engine.repair.shop import AUTOMATIC, RepairOrder, RepairShop
from clustersim.failure import Failure
from clustersim.scenario.model import Scenario
from clustersim.streams import Streams, happens

AfterRepair = Callable[[Sequence[int], RepairOrder, int], Sequence[int]]
"""A step at the end of a repair: from nodes, their order and its last phase to the nodes that go on."""


class Repairs:
    """The repair shops of all modes, and the only way into and out of them.

    Handlers in `on_return` are called with the nodes that come back.  A scenario pays only for what it asks
    for: without wrong diagnoses none is made, and the steps at the end of a repair are only those needed.
    """

    def __init__(
        self,
        env: simpy.Environment,
        scenario: Scenario,
        streams: Streams,
        origins: Origins,
        cluster: Cluster,
        failures: Failures,
    ) -> None:
        self.on_return: list[Callable[[Sequence[int]], None]] = []
        self._env = env
        self._cluster = cluster
        self._relapses, self._latent_faults = failures.relapses, failures.latent_faults
        self._lemons = {mode: lemons for mode, lemons in failures.lemons.items() if lemons.changes}
        recovery = scenario.recovery
        self._diagnosis: Diagnosis | None = None
        if recovery.misdiagnosis or recovery.missed:
            self._diagnosis = Diagnosis(scenario, streams, origins, cluster, self._latent_faults)
        modes = enumerate(scenario.failures.values())
        self._announced = {number for number, mode in modes if mode.effect.is_announced}
        plans = [mode.repair_plan for mode in scenario.failures.values()]
        self._false_fixes = [plan.false_fix if plan is not None else (0.0, 0.0) for plan in plans]
        self._chances = FailureDraws(streams, origins, "false_fix")
        self._retirement: Retirement | None = None
        if recovery.retire is not None:
            self._retirement = Retirement(
                env, recovery.retire, len(scenario.failures), cluster, self._take_back
            )
        self._steps = self._needed_steps()
        self._finish = self._finish_by_steps if self._steps else self._finish_at_once
        self._kept_until: dict[int, float] = {}
        self._late = RETURN + 2 * len(plans) + 1  # after all repairs and deliveries of the instant
        failures.on_away.append(self._keep_away)
        recorded = any(mode.recorded for mode in scenario.failures.values())
        finish = self._finish_unless_kept if recorded else self._finish
        self._shops = {
            number: RepairShop(env, streams, origins, number, mode.repair_plan, mode.recorded, finish)
            for number, mode in enumerate(scenario.failures.values())
            if mode.repair_plan is not None and mode.takes_nodes
        }

    def __repr__(self) -> str:
        return f"Repairs({list(self._shops.values())})"

    def send(self, failure: Failure, slots: Sequence[int], line: int) -> int:
        """Send the nodes in *slots* to repair when their *failure* is detected, or those that are blamed.

        They are away because of the incident in *line* of the journal.  Return how many leave.
        """
        if self._diagnosis is not None and len(failure.slots) == 1 and failure.mode not in self._announced:
            slots = self._diagnosis.slots_to_empty(failure, slots[0])
        if slots:
            self._enqueue(RepairOrder(self._cluster.send_away(slots), failure, line))
        return len(slots)

    def send_spare(self, failure: Failure, node: int, line: int) -> None:
        """Send the idle spare *node* to repair after a *failure*, the incident in *line*."""
        self._cluster.withdraw(node)
        self._enqueue(RepairOrder((node,), failure, line))

    def _enqueue(self, order: RepairOrder) -> None:
        if self._latent_faults is not None:
            self._latent_faults.clear(order.nodes)
        self._cluster.note(self._env.now, order.line, len(order.nodes))
        self._shops[order.failure.mode].enqueue(order)

    def _needed_steps(self) -> list[AfterRepair]:
        """Return the steps at the end of a repair, in order: nodes that retire have no further ones."""
        steps: list[AfterRepair] = []
        if self._retirement is not None:
            steps.append(self._retire)
        if self._lemons:
            steps.append(self._change)
        if any(any(shares) for shares in self._false_fixes):
            steps.append(self._fix_falsely)
        if self._relapses:
            steps.append(self._relapse)
        return steps

    def _keep_away(self, node: int, until: float) -> None:
        """Let *node*, which is away, not come back before the instant *until* (s)."""
        self._kept_until[node] = max(until, self._kept_until.get(node, 0.0))

    def _finish_unless_kept(self, order: RepairOrder, phase: int = AUTOMATIC) -> None:
        """Finish the repair of the nodes that may be back by now, and postpone it for each other one."""
        now = self._env.now
        back = [node for node in order.nodes if self._kept_until.get(node, now) <= now]
        for node in order.nodes:
            if node not in back:
                self._postpone(RepairOrder((node,), order.failure, order.line), phase, self._kept_until[node])
        if back:
            self._finish(RepairOrder(back, order.failure, order.line), phase)

    def _postpone(self, order: RepairOrder, phase: int, until: float) -> None:
        At(self._env, until, self._late, lambda _: self._finish_unless_kept(order, phase))

    def _finish_by_steps(self, order: RepairOrder, phase: int = AUTOMATIC) -> None:
        nodes = order.nodes
        for step in self._steps:
            nodes = step(nodes, order, phase)
        self._take_back(nodes, order.line)

    def _finish_at_once(self, order: RepairOrder, phase: int = AUTOMATIC) -> None:
        self._take_back(order.nodes, order.line)

    def _take_back(self, nodes: Sequence[int], line: int) -> None:
        """Return *nodes* that left because of the incident in *line*, or that replace such nodes."""
        for handler in self.on_return:
            handler(nodes)
        self._cluster.note(self._env.now, line, -len(nodes))

    def _retire(self, nodes: Sequence[int], order: RepairOrder, phase: int) -> Sequence[int]:
        """Return those of *nodes* that do not retire."""
        assert self._retirement is not None
        return self._retirement.left_of(nodes, order.line)

    def _change(self, nodes: Sequence[int], order: RepairOrder, phase: int) -> Sequence[int]:
        """Let lemons become good nodes and good ones lemons, where repairs of the failure's mode do that."""
        lemons = self._lemons.get(order.failure.mode)
        if lemons is not None:
            lemons.repaired(nodes, order.failure, phase)
        return nodes

    def _fix_falsely(self, nodes: Sequence[int], order: RepairOrder, phase: int) -> Sequence[int]:
        """Leave the fault in the nodes of a repair that was in vain, with the chance of its last phase."""
        mode = order.failure.mode
        if happens(self._chances, order.failure, self._false_fixes[mode][phase]):
            assert self._latent_faults is not None
            for node in nodes:
                self._latent_faults.add(mode, node)
        return nodes

    def _relapse(self, nodes: Sequence[int], order: RepairOrder, phase: int) -> Sequence[int]:
        """Let a share of the nodes fail again soon, where the failure's mode has relapses."""
        relapses = self._relapses.get(order.failure.mode)
        if relapses is not None:
            for node in nodes:
                relapses.returned(node)
        return nodes
