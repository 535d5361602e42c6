"""What becomes of nodes that failed: who is sent away, where they are repaired, and how they come back."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import simpy

from clustersim.engine.cluster import Cluster
from clustersim.engine.events import RETURN, At
from clustersim.engine.failures import Failures
from clustersim.engine.failures.origins import FailureDraws, Origins
from clustersim.engine.repair.diagnosis import Diagnosis
from clustersim.engine.repair.retirement import Retirement
from clustersim.engine.repair.shop import AUTOMATIC, RepairShop
from clustersim.engine.repair.station import RepairOrder
from clustersim.records import Failure
from clustersim.scenario.model import Scenario
from clustersim.streams import Streams, happens

Returned = Callable[[Sequence[int]], None]
AfterRepair = Callable[[Sequence[int], RepairOrder, int], Sequence[int]]
"""What happens to nodes at the end of a repair, given its last phase: returns those that come back."""


class Repairs:
    """The repair shops of all modes, and the one door to them.

    Those in `on_return` are told of the nodes that come back.  What may go wrong on the way costs nothing
    where the scenario does not ask for it: no diagnosis is made, and no step is taken at the end of a repair.
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
        self.on_return: list[Returned] = []
        self._env = env
        self._cluster = cluster
        self._relapses, self._latent_faults = failures.relapses, failures.latent_faults
        recovery = scenario.recovery
        self._diagnosis: Diagnosis | None = None
        if recovery.misdiagnosis or recovery.missed:
            self._diagnosis = Diagnosis(scenario, streams, origins)
        plans = [mode.repair_plan for mode in scenario.failures.values()]
        self._in_vain = [plan.false_fix if plan is not None else (0.0, 0.0) for plan in plans]
        self._fixes = FailureDraws(streams, origins, "false_fix")
        self._retirement: Retirement | None = None
        if recovery.retire is not None:
            self._retirement = Retirement(
                env, recovery.retire, len(scenario.failures), cluster, self._take_back
            )
        self._steps = self._steps_asked_for()
        self._repaired = self._after_steps if self._steps else self._return
        self._kept_until: dict[int, float] = {}
        self._late = RETURN + 2 * len(plans) + 1
        failures.on_away.append(self._keep_away)
        recorded = any(mode.recorded for mode in scenario.failures.values())
        repaired = self._unless_kept_away if recorded else self._repaired
        self._shops = {
            number: RepairShop(env, streams, origins, number, mode, repaired)
            for number, mode in enumerate(scenario.failures.values())
            if mode.repair_plan is not None and mode.takes_nodes
        }

    def __repr__(self) -> str:
        return f"Repairs({list(self._shops.values())})"

    def send(self, failure: Failure, slots: Sequence[int], line: int) -> int:
        """Let the nodes in *slots* leave that *failure* broke, as its detection ends; or whom it blames.

        They are away because of the incident in *line* of the journal.  Return how many leave.
        """
        if self._diagnosis is not None and len(failure.slots) == 1:
            slots = self._blamed(self._diagnosis, failure, slots)
        if slots:
            self._enqueue(RepairOrder(self._cluster.send_away(slots), failure, line))
        return len(slots)

    def send_spare(self, failure: Failure, node: int, line: int) -> None:
        """Let the idle spare *node* leave that *failure* broke, the incident in *line*."""
        self._cluster.withdraw(node)
        self._enqueue(RepairOrder((node,), failure, line))

    def _enqueue(self, repair: RepairOrder) -> None:
        if self._latent_faults is not None:
            self._latent_faults.clear(repair.nodes)
        self._cluster.note(self._env.now, repair.line, len(repair.nodes))
        self._shops[repair.failure.mode].enqueue(repair)

    def _blamed(self, diagnosis: Diagnosis, failure: Failure, slots: Sequence[int]) -> Sequence[int]:
        """Return the slots that are emptied: that of the culprit, of an innocent node, or none."""
        (culprit,) = slots
        blamed = diagnosis.blamed(failure, culprit)
        if blamed == culprit:
            return slots
        found = blamed is not None and self._cluster.is_at_work(blamed)
        self._cluster.revive(culprit)
        assert self._latent_faults is not None
        self._latent_faults.add(failure.mode, self._cluster.node(culprit))
        if blamed is None or not found:
            return ()
        self._cluster.suspect(blamed)
        return (blamed,)

    def _steps_asked_for(self) -> list[AfterRepair]:
        steps: list[AfterRepair] = []
        if self._retirement is not None:
            steps.append(self._retire)
        if any(any(shares) for shares in self._in_vain):
            steps.append(self._check)
        if self._relapses:
            steps.append(self._follow)
        return steps

    def _keep_away(self, node: int, until: float) -> None:
        """Let *node*, which is away, not come back before the instant *until* (s)."""
        self._kept_until[node] = max(until, self._kept_until.get(node, 0.0))

    def _unless_kept_away(self, repair: RepairOrder, phase: int = AUTOMATIC) -> None:
        """End the repair of the nodes that may be back by now; that of each other ends when it may."""
        now = self._env.now
        back = [node for node in repair.nodes if self._kept_until.get(node, now) <= now]
        for node in repair.nodes:
            if node not in back:
                self._postpone(repair._replace(nodes=(node,)), phase, self._kept_until[node])
        if back:
            self._repaired(repair._replace(nodes=back), phase)

    def _postpone(self, repair: RepairOrder, phase: int, until: float) -> None:
        At(self._env, until, self._late, lambda _: self._unless_kept_away(repair, phase))

    def _after_steps(self, repair: RepairOrder, phase: int = AUTOMATIC) -> None:
        nodes = repair.nodes
        for step in self._steps:
            nodes = step(nodes, repair, phase)
        self._take_back(nodes, repair.line)

    def _return(self, repair: RepairOrder, phase: int = AUTOMATIC) -> None:
        self._take_back(repair.nodes, repair.line)

    def _take_back(self, nodes: Sequence[int], line: int) -> None:
        """Hand *nodes* back that left because of the incident in *line*, or that replace such nodes."""
        for told in self.on_return:
            told(nodes)
        self._cluster.note(self._env.now, line, -len(nodes))

    def _retire(self, nodes: Sequence[int], repair: RepairOrder, phase: int) -> Sequence[int]:
        assert self._retirement is not None
        return self._retirement.left_of(nodes, repair.line)

    def _check(self, nodes: Sequence[int], repair: RepairOrder, phase: int) -> Sequence[int]:
        """Let the nodes be faulty still where their repair was in vain."""
        mode = repair.failure.mode
        if happens(self._fixes, repair.failure, self._in_vain[mode][phase]):
            assert self._latent_faults is not None
            for node in nodes:
                self._latent_faults.add(mode, node)
        return nodes

    def _follow(self, nodes: Sequence[int], repair: RepairOrder, phase: int) -> Sequence[int]:
        """Let some of the nodes fail again soon."""
        relapses = self._relapses.get(repair.failure.mode)
        if relapses is not None:
            for node in nodes:
                relapses.returned(node)
        return nodes
