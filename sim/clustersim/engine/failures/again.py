"""Nodes that fail again: soon after a repair, or because their fault was never removed."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from heapq import heapify, heappop

from clustersim.engine.events import FAILURE, At
from clustersim.engine.failures.aim import Aim, Site
from clustersim.engine.failures.origins import RECURRENCE, RELAPSE
from clustersim.streams import Draws, uniform

Trains = Callable[[int], object]
"""Tells whether the group of slots of that number takes part in a stretch of training."""


class Relapses:
    """Failures of one mode that follow its repairs: a share of the nodes that come back fails again soon."""

    def __init__(self, aim: Aim, priority: int) -> None:
        spec, site = aim.spec.relapse, aim.site
        assert spec is not None
        self._aim = aim
        self._env = site.env
        self._horizon = site.scenario.end_s
        self._origin = site.origins.of(aim.mode, RELAPSE)
        self._chances = Draws(site.streams, site.origins.names[self._origin], uniform)
        self._share, self._within = spec.probability, spec.within
        self._priority = FAILURE + priority
        self._count = 0
        site.cluster.track()

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
        self._aim.at_node(self._origin, number, node)


@dataclass(slots=True, eq=False)
class Fault:
    """A fault of *mode* that stayed in *node* and shows after `left` more seconds of training.

    Faults are numbered by mode.  One whose node is at work has its `slot`; the others rest.
    """

    mode: int
    number: int
    node: int
    left: float
    slot: int | None = None


class Stretch:
    """Training without a stop in which *faults* may show: those at work, when it began, in what trains.

    The `queue` holds those that have not shown yet, each after its instant, its mode and its number.
    """

    def __init__(self, begin: float, faults: Sequence[Fault]) -> None:
        self.begin = begin
        self.end = math.inf
        self.faults = faults
        self.queue = [(begin + fault.left, fault.mode, fault.number, fault) for fault in faults]
        heapify(self.queue)


class Faults:
    """Nodes that are faulty although they were not sent away, or came back from repair.

    A fault shows again once its node has been at work for so long in a group of slots that trains, however
    often something else stopped the training in between.  A fault with 5 h to go that takes part in 4 h of
    training has 1 h left for the next stretch.  Each stretch waits for one fault at a time.
    """

    def __init__(self, site: Site, aims: Mapping[int, Aim], priorities: Mapping[int, int]) -> None:
        law = site.scenario.recovery.recurs_after
        self._site = site
        self._env = site.env
        self._places = site.cluster.track()
        self._aims = aims
        self._priorities = {mode: FAILURE + priority for mode, priority in priorities.items()}
        self._origins = {mode: site.origins.of(mode, RECURRENCE) for mode in aims}
        self._after = {
            mode: Draws(site.streams, f"{site.origins.names[origin]}/after", law.sample)
            for mode, origin in self._origins.items()
        }
        self._count = dict.fromkeys(aims, 0)
        self._of: dict[int, list[Fault]] = {}
        self._at_work: dict[Fault, None] = {}
        self._stretch: Stretch | None = None
        site.cluster.on_move.append(self.moved)
        site.cluster.on_failure.append(self.failed)

    def __repr__(self) -> str:
        return f"Faults({len(self._of)} nodes, {len(self._at_work)} faults at work)"

    def add(self, mode: int, node: int) -> None:
        """Let *node* be faulty in the way of *mode*."""
        number = self._count[mode]
        self._count[mode] += 1
        self._of.setdefault(node, []).append(Fault(mode, number, node, self._after[mode][number]))
        slot = self._places.slot_of(node)
        if slot is not None and self._site.cluster.is_at_work(slot):
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
                tells, group_of = trains(), self._site.cluster.group_of
                faults = [fault for fault in faults if fault.slot is not None and tells(group_of(fault.slot))]
            self._stretch = Stretch(self._env.now, faults)
            self._await_next(self._stretch)

    def training_ends(self) -> None:
        """Stop the time; only what is due at this very instant still shows."""
        if self._stretch is not None:
            self._stretch.end = self._env.now
            trained = self._env.now - self._stretch.begin
            for fault in self._stretch.faults:
                fault.left = max(fault.left - trained, 0.0)
            self._stretch = None

    def _place(self, node: int, slot: int | None) -> None:
        """Let the faults of *node* be at work in *slot*, or rest; they can show in the stretches to come."""
        for fault in self._of[node]:
            fault.slot = slot
            if slot is None:
                self._at_work.pop(fault, None)
            else:
                self._at_work[fault] = None

    def _await_next(self, stretch: Stretch) -> None:
        """Wait for the next fault that shows in the *stretch*."""
        if stretch.queue and stretch.queue[0][0] <= self._site.scenario.end_s:
            time, mode, number, fault = heappop(stretch.queue)
            At(self._env, time, self._priorities[mode] + number, partial(self._show, fault, stretch))

    def _show(self, fault: Fault, stretch: Stretch, event: object) -> None:
        if self._env.now > stretch.end:
            return
        self._await_next(stretch)
        if (slot := fault.slot) is not None:
            self._of[fault.node].remove(fault)
            del self._at_work[fault]
            fault.slot = None
            self._aims[fault.mode].at_slot(self._origins[fault.mode], fault.number, slot)
