"""A repair station: nodes are worked on for a given time, at once or as soon as a crew is free.

A station has one crew.  Orders of 100 s arrive at 0 s and at 30 s.  The first ends at 100 s; the second waits
for the crew until then and ends at 200 s.  Without a number of crews both begin at once and end at 100 s and
130 s.
"""

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
    """The *nodes* to repair together after a *failure*, which is the incident in *line* of the journal."""

    nodes: Sequence[int]
    failure: Failure
    line: int


class RepairStation:
    """*crews* that each work on one order at a time, first come first served; None stands for any number.

    All nodes of an order are finished at the same instant, when *finish* is called with it; *priority* orders
    the stations that finish at one instant.  For speed the station keeps its orders in a heap of its own, and
    only the next end of work is an event of the simulation, whose queue thus stays short.
    """

    def __init__(
        self, env: simpy.Environment, crews: int | None, priority: int, finish: Callable[[RepairOrder], None]
    ) -> None:
        self._env = env
        self._free = math.inf if crews is None else crews
        self._queue: deque[tuple[RepairOrder, float]] = deque()
        self._under_way: list[tuple[float, int, RepairOrder]] = []
        self._started = 0
        self._next: At | None = None
        self._priority = priority
        self._finish = finish

    def __repr__(self) -> str:
        return f"RepairStation({len(self._under_way)} under way, {len(self._queue)} waiting)"

    def enqueue(self, order: RepairOrder, time: float) -> None:
        """Work on *order* for *time* seconds, at once or when a crew is free."""
        if self._free:
            self._free -= 1
            self._begin(order, time)
        else:
            self._queue.append((order, time))

    def _begin(self, order: RepairOrder, time: float) -> None:
        self._started += 1
        number = self._started
        heappush(self._under_way, (self._env.now + time, number, order))
        if self._under_way[0][1] == number:
            self._await_next()

    def _await_next(self) -> None:
        self._next = At(self._env, self._under_way[0][0], self._priority, self._end)

    def _end(self, event: At) -> None:
        """Finish the order that is due now; its crew goes on with the next in the queue.

        An event that an order with an earlier end has replaced does nothing.
        """
        if event is not self._next:
            return
        _, _, order = heappop(self._under_way)
        self._free += 1
        if self._queue:
            self._free -= 1
            self._begin(*self._queue.popleft())
        if self._under_way:
            self._await_next()
        self._finish(order)
