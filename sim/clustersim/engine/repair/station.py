"""Where nodes are worked on for a time: at once, or as soon as a crew is free."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Sequence
from heapq import heappop, heappush
from typing import NamedTuple

import simpy

from clustersim.engine.events import At
from clustersim.records import Failure


class RepairOrder(NamedTuple):
    """The *nodes* that left together because of *failure*, the incident in *line* of the journal."""

    nodes: Sequence[int]
    failure: Failure
    line: int


Done = Callable[[RepairOrder], None]


class RepairStation:
    """Where *crews* work, each on the nodes of one failure at a time, first come first served.

    All nodes of a failure are done at the same instant.  *done* takes them; *priority* orders the stations
    whose work ends at one instant.  The station keeps its work in an order of its own and puts only the next
    end into the simulation, whose events would all have to be sorted among them otherwise.
    """

    def __init__(self, env: simpy.Environment, crews: int | None, priority: int, done: Done) -> None:
        self._env = env
        self._free = math.inf if crews is None else crews
        self._queue: deque[tuple[RepairOrder, float]] = deque()
        self._works: list[tuple[float, int, RepairOrder]] = []
        self._begun = 0
        self._next: At | None = None
        self._priority = priority
        self._done = done

    def __repr__(self) -> str:
        return f"RepairStation({len(self._works)} under way, {len(self._queue)} waiting)"

    def enqueue(self, repair: RepairOrder, time: float) -> None:
        """Work on a *repair* for so long (s), at once or when a crew is free."""
        if self._free:
            self._free -= 1
            self._begin(repair, time)
        else:
            self._queue.append((repair, time))

    def _begin(self, repair: RepairOrder, time: float) -> None:
        self._begun += 1
        number = self._begun
        heappush(self._works, (self._env.now + time, number, repair))
        if self._works[0][1] == number:
            self._await_next()

    def _await_next(self) -> None:
        self._next = At(self._env, self._works[0][0], self._priority, self._end)

    def _end(self, event: At) -> None:
        """Hand back the nodes that are done now, and let their crew go on to the next in the queue."""
        if event is not self._next:
            return
        _, _, repair = heappop(self._works)
        self._free += 1
        if self._queue:
            self._free -= 1
            self._begin(*self._queue.popleft())
        if self._works:
            self._await_next()
        self._done(repair)
