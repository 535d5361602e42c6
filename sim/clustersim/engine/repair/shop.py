"""The repair shop of a failure mode: the phases in which its nodes are repaired, their times, the crews.

A mode repairs automatically in 10 s, escalates in 30 % of the cases, and has one crew, which then works for
100 s.  Three failures at 0 s that all escalate leave the automatic phase at 10 s together; the crew finishes
them one by one at 110 s, 210 s and 310 s.  Without a number of crews all three would be finished at 110 s.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Sequence
from heapq import heappop, heappush
from typing import Final

import simpy

from clustersim.engine.events import RETURN, At
from clustersim.engine.origins import FailureDraws, Origins
from clustersim.failure import Failure
from clustersim.scenario.keys.logs import Recorded
from clustersim.scenario.keys.repair import RepairPlan
from clustersim.streams import happens

AUTOMATIC: Final = 0
MANUAL: Final = 1
"""The phases of a repair, in the order in which a plan lists the chances that they are in vain."""


class RepairOrder:
    """The *nodes* to repair together after a *failure*, which is the incident in *line* of the journal.

    A plain class, for compiled code to read.
    """

    __slots__ = ("failure", "line", "nodes")

    def __init__(self, nodes: Sequence[int], failure: Failure, line: int) -> None:
        self.nodes = nodes
        self.failure = failure
        self.line = line


EndOfRepair = Callable[[RepairOrder, int], None]
"""Called at the end of a repair with its order, and the phase that was its last."""


class RepairStation:
    """*crews* that each work on one order at a time, first come first served; None stands for any number.

    All nodes of an order are finished at the same instant, when *finish* is called with it and the station's
    *phase*, which also orders the stations of mode number *mode* that finish at one instant.  For speed the
    station keeps its orders in a heap of its own, and only the next end of work is an event of the
    simulation, whose queue thus stays short.
    """

    def __init__(
        self, env: simpy.Environment, crews: int | None, mode: int, phase: int, finish: EndOfRepair
    ) -> None:
        self._env = env
        self._free = math.inf if crews is None else crews
        self._queue: deque[tuple[RepairOrder, float]] = deque()
        self._under_way: list[tuple[float, int, RepairOrder]] = []
        self._started = 0
        self._next: At | None = None
        self._priority = RETURN + 2 * mode + phase
        self._phase = phase
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
        self._finish(order, self._phase)


class RepairShop:
    """Where the nodes that one failure mode takes down are repaired, one order for the nodes of a failure.

    A repair has an automatic phase; with a plan of two phases a share of the repairs *escalates* to a manual
    one.  The crews work on the manual phase, or on the only one.  The log's *rows* say how long those of its
    failures take.
    """

    def __init__(
        self,
        env: simpy.Environment,
        origins: Origins,
        mode: int,
        plan: RepairPlan,
        rows: Sequence[Recorded] | None,
        finish: EndOfRepair,
    ) -> None:
        self._finish = finish
        self._mode = mode
        self._rows = rows
        self._times = FailureDraws(origins, "repair", plan.first.sample)
        if plan.second is None:
            self._first = RepairStation(env, plan.crews, mode, AUTOMATIC, finish)
            return
        self._first = RepairStation(env, None, mode, AUTOMATIC, self._end_automatic)
        self._second = RepairStation(env, plan.crews, mode, MANUAL, finish)
        self._escalates = plan.escalates
        self._chances = FailureDraws(origins, "escalates")
        self._manual_times = FailureDraws(origins, "manual", plan.second.sample)

    def __repr__(self) -> str:
        return f"RepairShop({self._first})"

    def enqueue(self, order: RepairOrder) -> None:
        """Begin the repair of *order*, at once or when a crew is free."""
        self._first.enqueue(order, self._time(order.failure))

    def _time(self, failure: Failure) -> float:
        """Return the time (s) of the first phase: from a log, or drawn where no row of it is the failure."""
        if self._rows is None or failure.origin != self._mode:
            return self._times[failure]
        return self._rows[failure.ordinal].repair_s or 0.0

    def _end_automatic(self, order: RepairOrder, phase: int) -> None:
        if happens(self._chances, order.failure, self._escalates):
            self._second.enqueue(order, self._manual_times[order.failure])
        else:
            self._finish(order, phase)
