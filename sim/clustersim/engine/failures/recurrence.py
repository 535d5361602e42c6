"""Nodes that fail again: soon after a repair (a relapse), or because their fault was never removed.

A relapse is drawn when a node comes back from repair.  A latent fault stays in a node that was not sent away
(missed, or another node was blamed) or whose repair was in vain; it shows again after so much training of
the node, `recurs_after`, however often that training is interrupted.

With `recurs_after: 10 h` a node keeps a latent fault.  Its group trains for 4 h and is interrupted by another
failure: 6 h are left.  It trains on for 6 h, and the fault shows: a failure of the same mode at this node.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from heapq import heapify, heappop

from clustersim.engine.events import FAILURE, At
from clustersim.engine.failures.targeting import FailureContext, Targeting
from clustersim.engine.origins import RECURRENCE, RELAPSE
from clustersim.scenario.keys.failure import Relapse
from clustersim.streams import Draws, uniform

Trains = Callable[[int], object]
"""Whether the group of slots of a number takes part in a segment of training."""


class Relapses:
    """Failures of one mode soon after its repairs, for a share of the nodes that come back."""

    def __init__(self, target: Targeting, spec: Relapse, priority: int) -> None:
        context = target.context
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
        """Draw whether *node*, which comes back from repair, fails again, and when."""
        number, self._count = self._count, self._count + 1
        chance = self._chances[number]
        time = self._env.now + self._within * chance / self._share
        if chance < self._share and time <= self._horizon:
            At(self._env, time, self._priority, partial(self._relapse, node, number))

    def _relapse(self, node: int, number: int, event: object) -> None:
        self._target.at_node(self._origin, number, node)


@dataclass(slots=True, eq=False)
class LatentFault:
    """A fault of *mode* that stayed in *node* and shows after `left` more seconds of training.

    They are numbered by mode.  A fault whose node is at work has its `slot`; the others rest.
    """

    mode: int
    number: int
    node: int
    left: float
    slot: int | None = None


class ExposedTraining:
    """A training segment in which `faults` may show: those of the nodes that trained when it began.

    `queue` has those that have not shown yet, in the order of the instant (s), the mode and the number.
    """

    def __init__(self, begin: float, faults: Sequence[LatentFault]) -> None:
        self.begin = begin
        self.end = math.inf
        self.faults = faults
        self.queue = [(begin + fault.left, fault.mode, fault.number, fault) for fault in faults]
        heapify(self.queue)


class LatentFaults:
    """The faults that stayed in nodes, and the time of training until each shows.

    Only faults whose node is at work in a group of slots that trains come closer to showing.  Each segment
    has one event in the simulation: the next of its faults that shows.
    """

    def __init__(
        self, context: FailureContext, targets: Mapping[int, Targeting], priorities: Mapping[int, int]
    ) -> None:
        law = context.scenario.recovery.recurs_after
        self._context = context
        self._env = context.env
        self._locations = context.cluster.track()
        self._targets = targets
        self._priorities = {mode: FAILURE + priority for mode, priority in priorities.items()}
        self._origins = {mode: context.origins.of(mode, RECURRENCE) for mode in targets}
        self._after = {
            mode: Draws(context.streams, f"{context.origins.names[origin]}/after", law.sample)
            for mode, origin in self._origins.items()
        }
        self._count = dict.fromkeys(targets, 0)
        self._of_node: dict[int, list[LatentFault]] = {}
        self._at_work: dict[LatentFault, None] = {}
        self._segment: ExposedTraining | None = None
        context.cluster.on_move.append(self.moved)
        context.cluster.on_node_failure.append(self.failed)

    def __repr__(self) -> str:
        return f"LatentFaults({len(self._of_node)} nodes, {len(self._at_work)} faults at work)"

    def add(self, mode: int, node: int) -> None:
        """Leave a fault of *mode* in *node*."""
        number = self._count[mode]
        self._count[mode] += 1
        self._of_node.setdefault(node, []).append(LatentFault(mode, number, node, self._after[mode][number]))
        slot = self._locations.slot_of(node)
        if slot is not None and self._context.cluster.is_at_work(slot):
            self._place(node, slot)

    def clear(self, nodes: Sequence[int]) -> None:
        """Remove all faults of *nodes*, which go to repair."""
        for node in nodes:
            if node in self._of_node:
                self._place(node, None)
                del self._of_node[node]

    def moved(self, node: int, slot: int | None, idle: bool) -> None:
        """Let the faults of *node* count on in *slot*, or rest where it is in none."""
        if node in self._of_node:
            self._place(node, slot)

    def failed(self, node: int) -> None:
        """Let the faults of *node* rest."""
        if node in self._of_node:
            self._place(node, None)

    def training_begins(self, trains: Callable[[], Trains] | None = None) -> None:
        """Begin a segment for the faults in the groups of slots that *trains* selects, or in all."""
        if self._at_work:
            faults = list(self._at_work)
            if trains is not None:
                tells, group_of = trains(), self._context.cluster.group_of
                faults = [fault for fault in faults if fault.slot is not None and tells(group_of(fault.slot))]
            self._segment = ExposedTraining(self._env.now, faults)
            self._await_next(self._segment)

    def training_ends(self) -> None:
        """End the segment; only a fault due at this very instant still shows."""
        if self._segment is not None:
            self._segment.end = self._env.now
            trained = self._env.now - self._segment.begin
            for fault in self._segment.faults:
                fault.left = max(fault.left - trained, 0.0)
            self._segment = None

    def _place(self, node: int, slot: int | None) -> None:
        """Let the faults of *node* be at work in *slot*, or rest; that counts from the next segment on."""
        for fault in self._of_node[node]:
            fault.slot = slot
            if slot is None:
                self._at_work.pop(fault, None)
            else:
                self._at_work[fault] = None

    def _await_next(self, segment: ExposedTraining) -> None:
        """Schedule the next fault that shows in the *segment*."""
        if segment.queue and segment.queue[0][0] <= self._context.scenario.end_s:
            time, mode, number, fault = heappop(segment.queue)
            At(self._env, time, self._priorities[mode] + number, partial(self._show, fault, segment))

    def _show(self, fault: LatentFault, segment: ExposedTraining, event: object) -> None:
        if self._env.now > segment.end:
            return
        self._await_next(segment)
        if (slot := fault.slot) is not None:
            self._of_node[fault.node].remove(fault)
            del self._at_work[fault]
            fault.slot = None
            self._targets[fault.mode].at_slot(self._origins[fault.mode], fault.number, slot)
