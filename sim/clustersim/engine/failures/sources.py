"""Random processes and logs that cause failures: each has one event in the simulation, its next failure.

The superposition of n exponential units is one Poisson process of n times the rate with a uniform choice of
the unit, so a million cards cost no more than one.  Gaps are drawn in the mode's own time (see `clock`), and
the event is scheduled anew when that time starts, stops or changes.

For 4 units with an MTBF of 100 h the gaps have a mean of 25 h.  Gaps of 30 h and 10 h, and uniform numbers
0.6 and 0.1, mean a failure of unit 2 at 30 h and one of unit 0 at 40 h.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import simpy

from clustersim.distributions import Exponential
from clustersim.engine.events import FAILURE, At
from clustersim.engine.failures.clock import ModeClock
from clustersim.engine.failures.targeting import OnUnitFailure
from clustersim.scenario.keys.logs import Recorded
from clustersim.streams import Draws, Streams, uniform


class Process(NamedTuple):
    """What every source is made of: the simulation and the clock of its mode, when it ends and who it is.

    Nothing is due after the *horizon* (s); *priority* orders the failures of one instant, and *name* is that
    of its draws in the *streams*.
    """

    env: simpy.Environment
    clock: ModeClock
    priority: int
    horizon: float
    streams: Streams
    name: str


class FailureSource:
    """One stream of failures; subclasses keep `due`, the own time of the next, and its `unit`."""

    def __init__(self, process: Process) -> None:
        self.clock = process.clock
        self.due = math.inf
        self.unit = 0
        self._env = process.env
        self._priority = FAILURE + process.priority
        self._horizon = process.horizon
        self._pending: At | None = None
        self._struck = -math.inf

    def schedule(self) -> None:
        """Schedule the next failure anew.

        While own time stands still, only a failure due at the very instant at which it stopped still happens.
        """
        now = self._env.now
        if self.clock.is_calendar:
            time = max(self.due, now)
        elif self.clock.running:
            time = max(self.clock.when(self.due), now)
        else:
            time = now if self.due <= self._own_time() else math.inf
        self._pending = None
        if time <= self._horizon:
            self._pending = At(self._env, time, self._priority + self.unit, self._strike)

    def training_begins(self, trains: object = None) -> None:
        """Start own time, whichever replicas train."""
        self.clock.start()
        self.schedule()

    def training_ends(self) -> None:
        """Stop own time: the next failure waits, unless it is due now."""
        self.clock.stop()
        self.schedule()

    def _hit(self) -> None:
        """Let the next failure happen, and find the one after it."""
        raise NotImplementedError

    def _strike(self, event: At) -> None:
        if event is self._pending:
            self._struck = self.due
            self._hit()
            self.schedule()

    def _own_time(self) -> float:
        """Return the own time that has passed; at the instant of a failure exactly the time it was due."""
        return max(self.clock.read(), self._struck)


class Memoryless(FailureSource):
    """Failures of many exponential units: a Poisson process, and a uniform choice of the unit."""

    def __init__(self, process: Process, *, mtbf: float, units: int, on_failure: OnUnitFailure) -> None:
        super().__init__(process)
        self._gaps = iter(Draws(process.streams, f"{process.name}/gap", Exponential(mtbf / units).sample))
        self._choices = iter(Draws(process.streams, f"{process.name}/unit", uniform))
        self._units = units
        self._on_failure = on_failure
        self._index = -1
        self.due = next(self._gaps)

    def _hit(self) -> None:
        self._index = index = self._index + 1
        self.due += next(self._gaps)
        self._on_failure(index, int(next(self._choices) * self._units))


class OfKinds(Memoryless):
    """A Poisson process of units of several *kinds*: how many, and how often each fails, times the rate.

    Units are numbered through all kinds in their order; *mtbf* is that of one that fails at the rate itself.
    """

    def __init__(
        self, process: Process, *, mtbf: float, kinds: Sequence[tuple[int, float]], on_failure: OnUnitFailure
    ) -> None:
        self._kinds = kinds
        self._total = math.fsum([count * often for count, often in kinds])
        super().__init__(process, mtbf=mtbf / self._total, units=1, on_failure=on_failure)

    def _hit(self) -> None:
        self._index = index = self._index + 1
        self.due += next(self._gaps)
        place, first, unit = next(self._choices) * self._total, 0, 0
        for count, often in self._kinds:
            if count:
                unit = first + min(int(place / often), count - 1)
            if place < count * often:
                break
            place -= count * often
            first += count
        self._on_failure(index, unit)


class Varying(Memoryless):
    """A Poisson process whose number of units changes; all units present have the same rate.

    Gaps are drawn in unit-seconds (*mtbf* is that of one unit), so that a change of the number keeps what is
    left of the gap; without units nothing is due.
    """

    def __init__(self, process: Process, *, mtbf: float, on_failure: OnUnitFailure) -> None:
        super().__init__(process, mtbf=mtbf, units=1, on_failure=on_failure)
        self._units = 0
        self._left, self.due = self.due, math.inf

    def resize(self, units: int) -> None:
        """Have so many *units* from now on; a failure that is due at this very instant stays due."""
        now = self._own_time()
        if self.due > now:
            if self._units:
                self._left = (self.due - now) * self._units
            self.due = now + self._left / units if units else math.inf
        self._units = units
        self.schedule()

    def _hit(self) -> None:
        self._index += 1
        self._left, choice = next(self._gaps), next(self._choices)
        self.due = self.due + self._left / self._units if self._units else math.inf
        if self._units:
            self._on_failure(self._index, int(choice * self._units))


class ReplayedFailures(FailureSource):
    """Failures from a log, in order of time; a row names the node that it hits."""

    def __init__(self, process: Process, *, rows: Sequence[Recorded], on_failure: OnUnitFailure) -> None:
        super().__init__(process)
        self._rows = rows
        self._on_failure = on_failure
        self._index = 0
        self.due = rows[0].time_s if rows else math.inf

    def _hit(self) -> None:
        index = self._index
        self._index += 1
        self.due = self._rows[self._index].time_s if self._index < len(self._rows) else math.inf
        self._on_failure(index, self._rows[index].node)
