"""What happens to failed nodes: which of them leave, where they are repaired, and how they come back.

Node 7 fails at 1,000 s, and its failure is detected at 1,060 s: `send` empties its slot and hands the node to
the repair shop of the failure's mode.  The repair takes a day.  At 87,460 s the node is handed to those in
`on_return`, which put it into an empty slot or among the spares.  On the way the diagnosis may have blamed
another node, and at the end the node may retire, still be faulty, or be due for a relapse.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from clustersim.engine.events import RETURN, At
from clustersim.engine.failures import Failures
from clustersim.engine.origins import FailureDraws
from clustersim.engine.repair.diagnosis import Diagnosis
from clustersim.engine.repair.retirement import Retirement
from clustersim.engine.repair.shop import RepairOrder, RepairShop
from clustersim.engine.world import World
from clustersim.failure import Failure
from clustersim.streams import happens


class Repairs:
    """The repair shops of all modes, and the only way into and out of them.

    Handlers in `on_return` are called with the nodes that come back.  A scenario pays only for what it asks
    for: without wrong diagnoses none is made, and a repair ends with the steps that its mode needs.
    """

    def __init__(self, world: World, failures: Failures) -> None:
        scenario, recovery = world.scenario, world.scenario.recovery
        self.on_return: list[Callable[[Sequence[int]], None]] = []
        self._env, self._cluster = world.env, world.cluster
        self._relapses, self._latent_faults = failures.relapses, failures.latent_faults
        self._lemons = {mode: lemons for mode, lemons in failures.lemons.items() if lemons.changes}
        self._diagnosis: Diagnosis | None = None
        if recovery.misdiagnosis or recovery.missed:
            self._diagnosis = Diagnosis(world, self._latent_faults)
        modes = enumerate(scenario.failures.values())
        self._announced = {number for number, mode in modes if mode.effect.is_announced}
        plans = [mode.repair_plan for mode in scenario.failures.values()]
        self._false_fixes = {
            number: plan.false_fix
            for number, plan in enumerate(plans)
            if plan is not None and any(plan.false_fix)
        }
        self._chances = FailureDraws(world.origins, "false_fix")
        self._retirement: Retirement | None = None
        if recovery.retire is not None:
            self._retirement = Retirement(world, recovery.retire, self._take_back)
        self._kept_until: dict[int, float] = {}
        self._late = RETURN + 2 * len(plans) + 1  # after all repairs and deliveries of the instant
        failures.on_away.append(self._keep_away)
        recorded = any(mode.recorded for mode in scenario.failures.values())
        finish = self._finish_unless_kept if recorded else self._finish
        self._shops = {
            number: RepairShop(world.env, world.origins, number, mode.repair_plan, mode.recorded, finish)
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

    def _keep_away(self, node: int, until: float) -> None:
        """Let *node*, which is away, not come back before the instant *until* (s)."""
        self._kept_until[node] = max(until, self._kept_until.get(node, 0.0))

    def _finish_unless_kept(self, order: RepairOrder, phase: int) -> None:
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

    def _finish(self, order: RepairOrder, phase: int) -> None:
        """End a repair, of which *phase* was the last: nodes that retire have no further steps to take."""
        nodes, failure, mode = order.nodes, order.failure, order.failure.mode
        if self._retirement is not None:
            nodes = self._retirement.left_of(nodes, order.line)
        if mode in self._lemons:
            self._lemons[mode].repaired(nodes, failure, phase)
        if mode in self._false_fixes and happens(self._chances, failure, self._false_fixes[mode][phase]):
            assert self._latent_faults is not None
            for node in nodes:
                self._latent_faults.add(mode, node)
        if mode in self._relapses:
            for node in nodes:
                self._relapses[mode].returned(node)
        self._take_back(nodes, order.line)

    def _take_back(self, nodes: Sequence[int], line: int) -> None:
        """Return *nodes* that left because of the incident in *line*, or that replace such nodes."""
        for handler in self.on_return:
            handler(nodes)
        self._cluster.note(self._env.now, line, -len(nodes))
