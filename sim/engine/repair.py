"""Repair shops: what leaves the job comes back after a while, if a crew is free."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Sequence
from heapq import heappop, heappush

import simpy

from sim.engine.failures.clock import RETURN, After
from sim.engine.failures.origins import Origins, StrikeDraws
from sim.records import Strike
from sim.scenario.model import FailureMode
from sim.streams import Streams

Returned = Callable[[Sequence[int]], None]


class RepairShop:
    """Where the nodes that one failure mode breaks are repaired, first come first served.

    One repair per incident: all its nodes come back at the same instant.  *returned* takes them; *priority*
    orders the shops whose repairs end at one instant.  The shop keeps its repairs in an order of its own and
    puts only the next end into the simulation, whose events would all have to be sorted among them otherwise.
    """

    def __init__(
        self,
        env: simpy.Environment,
        mode: FailureMode,
        streams: Streams,
        origins: Origins,
        returned: Returned,
        priority: int = RETURN,
    ) -> None:
        assert mode.repair is not None
        self._env = env
        self._free = math.inf if mode.crews is None else mode.crews
        self._queue: deque[tuple[Sequence[int], float]] = deque()
        self._repairs: list[tuple[float, int, Sequence[int]]] = []
        self._begun = 0
        self._next: After | None = None
        self._returned = returned
        self._priority = priority
        self._times = StrikeDraws(streams, origins, "repair", mode.repair.sample)

    def __repr__(self) -> str:
        return f"RepairShop({len(self._repairs)} repairs, {len(self._queue)} waiting)"

    def bring(self, nodes: Sequence[int], strike: Strike) -> None:
        """Begin the repair of *nodes*, broken by *strike*, or queue it until a crew is free."""
        time = self._times.of(strike.origin)[strike.ordinal]
        if self._free:
            self._free -= 1
            self._begin(nodes, time)
        else:
            self._queue.append((nodes, time))

    def _begin(self, nodes: Sequence[int], time: float) -> None:
        self._begun += 1
        repair = (self._env.now + time, self._begun, nodes)
        heappush(self._repairs, repair)
        if self._repairs[0] is repair:
            self._await_next()

    def _await_next(self) -> None:
        delay = self._repairs[0][0] - self._env.now
        self._next = After(self._env, max(delay, 0.0), self._priority, self._end)

    def _end(self, event: simpy.Event) -> None:
        """Hand back the nodes whose repair ends now, and let their crew go on to the next in the queue."""
        if event is not self._next:
            return
        _, _, nodes = heappop(self._repairs)
        self._free += 1
        if self._queue:
            self._free -= 1
            self._begin(*self._queue.popleft())
        if self._repairs:
            self._await_next()
        self._returned(nodes)
