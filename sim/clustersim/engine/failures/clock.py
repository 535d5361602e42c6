"""The time in which a failure mode counts: the calendar's or the training's, at a tempo that may change.

A source draws the gaps between failures in its mode's own time; the clock converts that to instants of the
simulation.  With `clock: training` own time stands still while the job does not train; with `over_time` it
runs faster or slower along the calendar.

A mode with `over_time: {0 d: 3, 14 d: 1}` and its next failure 48 days of own time ahead: the first 14 days
count as 42, the other 6 days pass at pace 1, so the failure is due on day 20.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import simpy


class Tempo:
    """How fast a mode's own time passes along the calendar: piecewise constant factors (`over_time`)."""

    def __init__(self, factors: Sequence[tuple[float, float]]) -> None:
        begins = [begin for begin, _ in factors]
        self._pace = [factor for _, factor in factors]
        self._begin = begins
        self._passed = [0.0]
        for index in range(1, len(begins)):
            length = begins[index] - begins[index - 1]
            self._passed.append(self._passed[-1] + self._pace[index - 1] * length)

    def passed(self, calendar: float) -> float:
        """Return the own time that has passed by the instant *calendar*."""
        index = max(i for i, begin in enumerate(self._begin) if begin <= calendar)
        return self._passed[index] + self._pace[index] * (calendar - self._begin[index])

    def when(self, passed: float) -> float:
        """Return the instant at which the own time *passed* has passed; infinite where it never does."""
        for index in reversed(range(len(self._begin))):
            if passed > self._passed[index] or index == 0:
                break
        if self._pace[index] == 0:
            return math.inf
        return self._begin[index] + (passed - self._passed[index]) / self._pace[index]


class ModeClock:
    """A mode's own time: it passes with the calendar, or only while the job trains, at the mode's tempo.

    `is_calendar`: it is the calendar itself, never stopped and without a tempo, which needs no conversion.
    """

    def __init__(self, env: simpy.Environment, tempo: Tempo | None, running: bool) -> None:
        self._env = env
        self._tempo = tempo
        self._offset = 0.0
        self.running = running
        self.is_calendar = running and tempo is None

    def __repr__(self) -> str:
        return f"ModeClock({self.read()}, {'running' if self.running else 'stopped'})"

    def read(self) -> float:
        """Return the own time that has passed until now."""
        return self._calendar() + self._offset if self.running else self._offset

    def when(self, reading: float) -> float:
        """Return the instant at which the running clock shows *reading*."""
        calendar = reading - self._offset
        return calendar if self._tempo is None else self._tempo.when(calendar)

    def start(self) -> None:
        """Start own time."""
        self._offset -= self._calendar()
        self.running = True

    def stop(self) -> None:
        """Stop own time."""
        self._offset += self._calendar()
        self.running = self.is_calendar = False

    def _calendar(self) -> float:
        now: float = self._env.now
        return now if self._tempo is None else self._tempo.passed(now)
