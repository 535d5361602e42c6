"""The repair shop of a failure mode: what leaves the job comes back after a while, if a crew is free."""

from __future__ import annotations

from typing import Protocol

import simpy

from clustersim.engine.events import RETURN
from clustersim.engine.failures.origins import Origins, StrikeDraws
from clustersim.engine.repair.bench import Bench, Repair
from clustersim.records import Strike
from clustersim.scenario.model import FailureMode
from clustersim.streams import Streams, happens

AUTOMATIC, MANUAL = 0, 1


class Repaired(Protocol):
    """Takes the nodes of a *repair* back, and is told which part of it was the last."""

    def __call__(self, repair: Repair, part: int = AUTOMATIC) -> None:
        """Take them."""


class Times(Protocol):
    """How long a repair takes, in seconds, by the strike that made it necessary."""

    def __getitem__(self, strike: Strike) -> float: ...


class RecordedTimes:
    """Repair times from a log, by the row of the strike; those that no row says are drawn."""

    def __init__(self, mode: int, spec: FailureMode, drawn: Times) -> None:
        self._mode = mode
        self._rows = spec.recorded or ()
        self._drawn = drawn

    def __getitem__(self, strike: Strike) -> float:
        if strike.origin != self._mode:
            return self._drawn[strike]
        time = self._rows[strike.ordinal].repair_s
        assert time is not None
        return time


class RepairShop:
    """Where the nodes that one failure mode breaks are repaired, one repair for the nodes of a failure.

    A repair has an automatic part, and some go on to a manual one.  The crews work on the manual part, or on
    all of it where there is but one.
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
        self._times: Times = StrikeDraws(streams, origins, "repair", plan.first.sample)
        if spec.recorded is not None:
            self._times = RecordedTimes(mode, spec, self._times)
        priority = RETURN + 2 * mode
        if plan.second is None:
            self._first = Bench(env, plan.crews, priority, repaired)
            return
        self._first = Bench(env, None, priority, self._automatic_done)
        self._second = Bench(env, plan.crews, priority + 1, self._manual_done)
        self._escalates = plan.escalates
        self._chances = StrikeDraws(streams, origins, "escalates")
        self._manual_times = StrikeDraws(streams, origins, "manual", plan.second.sample)

    def __repr__(self) -> str:
        return f"RepairShop({self._first})"

    def bring(self, repair: Repair) -> None:
        """Begin a *repair*, or queue it until a crew is free."""
        self._first.bring(repair, self._times[repair.strike])

    def _automatic_done(self, repair: Repair) -> None:
        if happens(self._chances, repair.strike, self._escalates):
            self._second.bring(repair, self._manual_times[repair.strike])
        else:
            self._repaired(repair, AUTOMATIC)

    def _manual_done(self, repair: Repair) -> None:
        self._repaired(repair, MANUAL)
