"""Nodes that fail again: soon after a repair, or because their fault was never removed."""

from __future__ import annotations

import math
from bisect import bisect, insort
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import islice
from typing import NamedTuple

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


class Fault(NamedTuple):
    """A fault of *mode* that stayed in a node, and shows *after* so much training (s); numbered by mode.

    It came to where it is at work as number `placed` of all, infinite as long as it has not come.
    """

    after: float
    mode: int
    number: int
    node: int
    placed: float


class Stretch:
    """Training without a stop, of the groups of slots that `trains` tells (None: all), in seconds.

    So many faults had been `placed` when it began: those that come later need another stretch to show.
    """

    def __init__(self, begin: float, trains: Trains | None, placed: int) -> None:
        self.begin = begin
        self.end = math.inf
        self.trains = trains
        self.placed = placed


class Faults:
    """Nodes that are faulty although they were not sent away, or came back from repair.

    A fault shows again when its node has been at work in a group that trains for so long without a stop.
    Those that can show are kept in order, so that a stretch costs one event however many there are.
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
        self._placed = 0
        self._of: dict[int, list[Fault]] = {}
        self._at_work: list[Fault] = []
        self._stretch: Stretch | None = None
        site.cluster.on_move.append(self.moved)
        site.cluster.on_failure.append(self.failed)

    def __repr__(self) -> str:
        return f"Faults({len(self._of)} nodes, {len(self._at_work)} faults at work)"

    def add(self, mode: int, node: int) -> None:
        """Let *node* be faulty in the way of *mode*."""
        number = self._count[mode]
        self._count[mode] += 1
        slot = self._places.slot_of(node)
        fault = Fault(self._after[mode][number], mode, number, node, math.inf)
        self._of.setdefault(node, []).append(fault)
        if slot is not None and self._site.cluster.is_at_work(slot):
            self._place(node)

    def clear(self, nodes: Sequence[int]) -> None:
        """Let *nodes* be faulty no longer: they are repaired."""
        for node in nodes:
            if node in self._of:
                self._rest(node)
                del self._of[node]

    def moved(self, node: int, slot: int | None, idle: bool) -> None:
        """Let the faults of *node* show where it is at work."""
        if node in self._of:
            self._rest(node)
            if slot is not None:
                self._place(node)

    def failed(self, node: int) -> None:
        """Let the faults of *node* rest."""
        if node in self._of:
            self._rest(node)

    def training_begins(self, trains: Callable[[], Trains] | None = None) -> None:
        """Let time run for the faults in the groups of slots that *trains* gives (None: in all)."""
        if self._at_work:
            tells = trains() if trains is not None else None
            self._stretch = Stretch(self._env.now, tells, self._placed)
            self._await_next(self._stretch)

    def training_ends(self) -> None:
        """Stop the time; only what is due at this very instant still shows."""
        if self._stretch is not None:
            self._stretch.end = self._env.now
            self._stretch = None

    def _place(self, node: int) -> None:
        """Let the faults of *node*, which is at work, show: those that have just come in the next stretch."""
        self._placed += 1
        self._rest(node)
        self._of[node] = [fault._replace(placed=min(fault.placed, self._placed)) for fault in self._of[node]]
        for fault in self._of[node]:
            insort(self._at_work, fault)

    def _rest(self, node: int) -> None:
        for fault in self._of[node]:
            if fault in self._at_work:
                self._at_work.remove(fault)

    def _await_next(self, stretch: Stretch, last: Fault | None = None) -> None:
        """Wait for the next fault that shows in the *stretch*, after the *last* one."""
        place = 0 if last is None else bisect(self._at_work, last)
        ahead = islice(self._at_work, place, None)
        fault = next((fault for fault in ahead if self._trains(fault, stretch)), None)
        if fault is not None:
            time = stretch.begin + fault.after
            if time <= self._site.scenario.end_s:
                priority = self._priorities[fault.mode] + fault.number
                At(self._env, time, priority, partial(self._show, fault, stretch))

    def _trains(self, fault: Fault, stretch: Stretch) -> bool:
        slot = self._places.slot_of(fault.node)
        if slot is None or fault.placed > stretch.placed:
            return False
        if stretch.trains is None:
            return True
        return bool(stretch.trains(self._site.cluster.group_of(slot)))

    def _show(self, fault: Fault, stretch: Stretch, event: object) -> None:
        if self._env.now > stretch.end:
            return
        self._await_next(stretch, fault)
        slot = self._places.slot_of(fault.node)
        if slot is not None and fault in self._at_work:
            self._at_work.remove(fault)
            self._of[fault.node].remove(fault)
            self._aims[fault.mode].at_slot(self._origins[fault.mode], fault.number, slot)
