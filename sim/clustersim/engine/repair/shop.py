"""The repair shop of a failure mode: how long its nodes take to repair, and in which phases.

A mode repairs automatically in 10 s, escalates in 30 % of the cases, and has one crew, which then works for
100 s.  Three failures at 0 s that all escalate leave the automatic phase at 10 s together; the crew finishes
them one by one at 110 s, 210 s and 310 s.
"""

from __future__ import annotations

from typing import Protocol

import simpy

from clustersim.engine.events import RETURN
from clustersim.engine.failures.origins import FailureDraws, Origins
from clustersim.engine.repair.station import RepairOrder, RepairStation
from clustersim.records import Failure
from clustersim.scenario.model import FailureMode
from clustersim.streams import Streams, happens

AUTOMATIC, MANUAL = 0, 1
"""The phases of a repair, as the shares of repairs in vain are listed in a plan."""


class EndOfRepair(Protocol):
    """What is called at the end of a repair."""

    def __call__(self, order: RepairOrder, phase: int = AUTOMATIC) -> None:
        """Take the nodes of *order* back, whose last *phase* was the automatic or the manual one."""


class RepairTimes(Protocol):
    """How long a repair takes (s), by the failure that made it necessary."""

    def __getitem__(self, failure: Failure) -> float: ...


class RecordedTimes:
    """Repair times (s) from a log, by the row of the failure.

    Failures that no row describes, such as relapses, have times that are *drawn*.
    """

    def __init__(self, mode: int, spec: FailureMode, drawn: RepairTimes) -> None:
        self._mode = mode
        self._rows = spec.recorded or ()
        self._drawn = drawn

    def __getitem__(self, failure: Failure) -> float:
        if failure.origin != self._mode:
            return self._drawn[failure]
        time = self._rows[failure.ordinal].repair_s
        assert time is not None
        return time


class RepairShop:
    """Where the nodes that one failure mode takes down are repaired, one order for the nodes of a failure.

    A repair has an automatic phase; with a plan of two phases a share of the repairs *escalates* to a manual
    one.  The crews work on the manual phase, or on the only one.
    """

    def __init__(
        self,
        env: simpy.Environment,
        streams: Streams,
        origins: Origins,
        mode: int,
        spec: FailureMode,
        finish: EndOfRepair,
    ) -> None:
        plan = spec.repair_plan
        assert plan is not None
        self._finish = finish
        self._times: RepairTimes = FailureDraws(streams, origins, "repair", plan.first.sample)
        if spec.recorded is not None:
            self._times = RecordedTimes(mode, spec, self._times)
        priority = RETURN + 2 * mode
        if plan.second is None:
            self._first = RepairStation(env, plan.crews, priority, finish)
            return
        self._first = RepairStation(env, None, priority, self._end_automatic)
        self._second = RepairStation(env, plan.crews, priority + 1, self._end_manual)
        self._escalates = plan.escalates
        self._chances = FailureDraws(streams, origins, "escalates")
        self._manual_times = FailureDraws(streams, origins, "manual", plan.second.sample)

    def __repr__(self) -> str:
        return f"RepairShop({self._first})"

    def enqueue(self, order: RepairOrder) -> None:
        """Begin the repair of *order*, at once or when a crew is free."""
        self._first.enqueue(order, self._times[order.failure])

    def _end_automatic(self, order: RepairOrder) -> None:
        if happens(self._chances, order.failure, self._escalates):
            self._second.enqueue(order, self._manual_times[order.failure])
        else:
            self._finish(order, AUTOMATIC)

    def _end_manual(self, order: RepairOrder) -> None:
        self._finish(order, MANUAL)
