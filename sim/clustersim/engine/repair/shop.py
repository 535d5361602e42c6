"""The repair shop of a failure mode: what leaves the job comes back after a while, if a crew is free."""

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


class Repaired(Protocol):
    """Takes the nodes of a *repair* back, and is told which phase of it was the last."""

    def __call__(self, repair: RepairOrder, phase: int = AUTOMATIC) -> None:
        """Take them."""


class RepairTimes(Protocol):
    """How long a repair takes, in seconds, by the failure that made it necessary."""

    def __getitem__(self, failure: Failure) -> float: ...


class RecordedTimes:
    """RepairOrder times from a log, by the row of the failure; those that no row says are drawn."""

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
    """Where the nodes that one failure mode breaks are repaired, one repair for the nodes of a failure.

    A repair has an automatic phase, and some go on to a manual one.  The crews work on the manual phase,
    or on all of it where there is but one.
    """

    def __init__(
        self,
        env: simpy.Environment,
        streams: Streams,
        origins: Origins,
        mode: int,
        spec: FailureMode,
        repaired: Repaired,
    ) -> None:
        plan = spec.repair_plan
        assert plan is not None
        self._repaired = repaired
        self._times: RepairTimes = FailureDraws(streams, origins, "repair", plan.first.sample)
        if spec.recorded is not None:
            self._times = RecordedTimes(mode, spec, self._times)
        priority = RETURN + 2 * mode
        if plan.second is None:
            self._first = RepairStation(env, plan.crews, priority, repaired)
            return
        self._first = RepairStation(env, None, priority, self._automatic_done)
        self._second = RepairStation(env, plan.crews, priority + 1, self._manual_done)
        self._escalates = plan.escalates
        self._chances = FailureDraws(streams, origins, "escalates")
        self._manual_times = FailureDraws(streams, origins, "manual", plan.second.sample)

    def __repr__(self) -> str:
        return f"RepairShop({self._first})"

    def enqueue(self, repair: RepairOrder) -> None:
        """Begin a *repair*, or queue it until a crew is free."""
        self._first.enqueue(repair, self._times[repair.failure])

    def _automatic_done(self, repair: RepairOrder) -> None:
        if happens(self._chances, repair.failure, self._escalates):
            self._second.enqueue(repair, self._manual_times[repair.failure])
        else:
            self._repaired(repair, AUTOMATIC)

    def _manual_done(self, repair: RepairOrder) -> None:
        self._repaired(repair, MANUAL)
