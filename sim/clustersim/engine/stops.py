"""When the planned stops of a job fall due, and what of one is left when the job was down meanwhile.

Take a stop of 20 min that falls due 5 min after a failure, and a job that is ready again 15 min after it.
The stop is done in the shadow of the outage for 10 min; so it goes on for 10 min from when the job is ready
(`shorten`), or for all of its 20 min (`postpone`), or not at all (`skip`).
"""

from __future__ import annotations

import math

from clustersim.scenario.model import Maintenance


class Stops:
    """The planned stops of a job, numbered from 1: one each `every` seconds.

    One that falls due while a part of the job stands still waits until that trains, and each waits
    `merge_within` for a failure.  One that falls due during another stop is past.  Of several that fall due
    while the job is down the last one counts.
    """

    def __init__(self, plan: Maintenance | None) -> None:
        self._plan = plan
        self._every = math.inf if plan is None else plan.every
        self._number = 1
        self._down_since = 0.0

    def __repr__(self) -> str:
        return f"Stops({self._number} is next)"

    def next(self, now: float) -> float:
        """Return when the next stop begins unless something comes between: *now* at the earliest (s)."""
        if self._plan is None:
            return math.inf
        return max(self._number * self._every + self._plan.merge_within, now)

    def begun(self) -> None:
        """The stop that was due has begun."""
        self._number += 1

    def broken(self, now: float) -> None:
        """The stop that had begun does not take place: it is due still, unless it is to be skipped."""
        assert self._plan is not None
        if self._plan.if_down == "skip":
            self.past(now)
        else:
            self._number -= 1

    def past(self, now: float) -> None:
        """Stops that were due before *now* are past."""
        if self._plan is not None:
            self._number = max(self._number, int(now / self._every))
            while self._number * self._every < now:
                self._number += 1

    def down(self, now: float) -> None:
        """The job is down from *now* on."""
        self._down_since = now

    def ready(self, now: float) -> float:
        """The job could train again *now*; return until when a stop that was due keeps it from that (s)."""
        number = self._number
        self.past(now)
        if self._number == number:
            return now
        return self.left(max((self._number - 1) * self._every, self._down_since), now)

    def left(self, since: float, now: float) -> float:
        """Return until when a stop goes on that is due *since* then, while it was down until *now* (s)."""
        assert self._plan is not None
        if self._plan.if_down == "skip":
            return now
        return (now if self._plan.if_down == "postpone" else since) + self._plan.takes
