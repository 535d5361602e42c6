"""Nodes that fail again: soon after a repair, or because their fault was never removed."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from heapq import heapify, heappop

from clustersim.engine.events import FAILURE, At
from clustersim.engine.failures.origins import RECURRENCE, RELAPSE
from clustersim.engine.failures.targeting import FailureContext, Targeting
from clustersim.streams import Draws, uniform

Trains = Callable[[int], object]
"""Tells whether the group of slots of that number takes part in a segment of training."""


class Relapses:
    """Failures of one mode that follow its repairs: a share of the nodes that come back fails again soon."""

    def __init__(self, target: Targeting, priority: int) -> None:
        spec, context = target.spec.relapse, target.context
        assert spec is not None
        self._target = target
        self._env = context.env
        self._horizon = context.scenario.end_s
        self._origin = context.origins.of(target.mode, RELAPSE)
        self._chances = Draws(context.streams, context.origins.names[self._origin], uniform)
        self._share, self._within = spec.probability, spec.within
        self._priority = FAILURE + priority
        self._count = 0
        context.cluster.track()

    def __repr__(self) -> str:
        return f"Relapses({self._count} nodes came back)"

    def returned(self, node: int) -> None:
        """Take note that *node* comes back from a repair."""
        number, self._count = self._count, self._count + 1
        chance = self._chances[number]
        time = self._env.now + self._within * chance / self._share
        if chance < self._share and time <= self._horizon:
            At(self._env, time, self._priority, partial(self._strike, node, number))

    def _strike(self, node: int, number: int, event: object) -> None:
        self._target.at_node(self._origin, number, node)


@dataclass(slots=True, eq=False)
class LatentFault:
    """A fault of *mode* that stayed in *node* and shows after `left` more seconds of training.

    LatentFaults are numbered by mode.  One whose node is at work has its `slot`; the others rest.
    """

    mode: int
    number: int
    node: int
    left: float
    slot: int | None = None


class ExposedTraining:
    """Training without a stop in which *faults* may show: those at work, when it began, in what trains.

    The `queue` holds those that have not shown yet, each after its instant, its mode and its number.
    """

    def __init__(self, begin: float, faults: Sequence[LatentFault]) -> None:
        self.begin = begin
        self.end = math.inf
        self.latent_faults = faults
        self.queue = [(begin + fault.left, fault.mode, fault.number, fault) for fault in faults]
        heapify(self.queue)


class LatentFaults:
    """Nodes that are faulty although they were not sent away, or came back from repair.

    A fault shows again once its node has been at work for so long in a group of slots that trains, however
    often something else stopped the training in between.  A fault with 5 h to go that takes part in 4 h of
    training has 1 h left for the next segment.  Each segment waits for one fault at a time.
    """

    def __init__(
        self, context: FailureContext, targets: Mapping[int, Targeting], priorities: Mapping[int, int]
    ) -> None:
        law = context.scenario.recovery.recurs_after
        self._context = context
        self._env = context.env
        self._locations = context.cluster.track()
        self._aims = targets
        self._priorities = {mode: FAILURE + priority for mode, priority in priorities.items()}
        self._origins = {mode: context.origins.of(mode, RECURRENCE) for mode in targets}
        self._after = {
            mode: Draws(context.streams, f"{context.origins.names[origin]}/after", law.sample)
            for mode, origin in self._origins.items()
        }
        self._count = dict.fromkeys(targets, 0)
        self._of: dict[int, list[LatentFault]] = {}
        self._at_work: dict[LatentFault, None] = {}
        self._segment: ExposedTraining | None = None
        context.cluster.on_move.append(self.moved)
        context.cluster.on_node_failure.append(self.failed)

    def __repr__(self) -> str:
        return f"LatentFaults({len(self._of)} nodes, {len(self._at_work)} faults at work)"

    def add(self, mode: int, node: int) -> None:
        """Let *node* be faulty in the way of *mode*."""
        number = self._count[mode]
        self._count[mode] += 1
        self._of.setdefault(node, []).append(LatentFault(mode, number, node, self._after[mode][number]))
        slot = self._locations.slot_of(node)
        if slot is not None and self._context.cluster.is_at_work(slot):
            self._place(node, slot)

    def clear(self, nodes: Sequence[int]) -> None:
        """Let *nodes* be faulty no longer: they are repaired."""
        for node in nodes:
            if node in self._of:
                self._place(node, None)
                del self._of[node]

    def moved(self, node: int, slot: int | None, idle: bool) -> None:
        """Let the faults of *node* show where it is at work."""
        if node in self._of:
            self._place(node, slot)

    def failed(self, node: int) -> None:
        """Let the faults of *node* rest."""
        if node in self._of:
            self._place(node, None)

    def training_begins(self, trains: Callable[[], Trains] | None = None) -> None:
        """Let time run for the faults in the groups of slots that *trains* gives (None: in all)."""
        if self._at_work:
            faults = list(self._at_work)
            if trains is not None:
                tells, group_of = trains(), self._context.cluster.group_of
                faults = [fault for fault in faults if fault.slot is not None and tells(group_of(fault.slot))]
            self._segment = ExposedTraining(self._env.now, faults)
            self._await_next(self._segment)

    def training_ends(self) -> None:
        """Stop the time; only what is due at this very instant still shows."""
        if self._segment is not None:
            self._segment.end = self._env.now
            trained = self._env.now - self._segment.begin
            for fault in self._segment.latent_faults:
                fault.left = max(fault.left - trained, 0.0)
            self._segment = None

    def _place(self, node: int, slot: int | None) -> None:
        """Let the faults of *node* be at work in *slot*, or rest; they can show in the segments to come."""
        for fault in self._of[node]:
            fault.slot = slot
            if slot is None:
                self._at_work.pop(fault, None)
            else:
                self._at_work[fault] = None

    def _await_next(self, segment: ExposedTraining) -> None:
        """Wait for the next fault that shows in the *segment*."""
        if segment.queue and segment.queue[0][0] <= self._context.scenario.end_s:
            time, mode, number, fault = heappop(segment.queue)
            At(self._env, time, self._priorities[mode] + number, partial(self._show, fault, segment))

    def _show(self, fault: LatentFault, segment: ExposedTraining, event: object) -> None:
        if self._env.now > segment.end:
            return
        self._await_next(segment)
        if (slot := fault.slot) is not None:
            self._of[fault.node].remove(fault)
            del self._at_work[fault]
            fault.slot = None
            self._aims[fault.mode].at_slot(self._origins[fault.mode], fault.number, slot)
