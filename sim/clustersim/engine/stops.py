"""When the planned stops of a job fall due, and how much of one remains after an outage.

A stop of 20 min falls due 5 min after a failure, and the job is ready to train again 15 min after the
failure.  By then 10 min of maintenance have been done during the outage.  So the job stays down for the
remaining 10 min (`shorten`), or for all of the 20 min (`postpone`), or not at all (`skip`).
"""

from __future__ import annotations

from clustersim.scenario.model import Maintenance


class Stops:
    """The planned stops of a job, numbered from 1: one each `every` seconds.

    A stop begins `merge_within` seconds after it is due, in case a failure takes the job down anyway; one
    that is due while replicas stand still for another waits until they train.  One that falls due during
    another stop is skipped.  Of several that fall due while the job is down only the last one counts.
    """

    def __init__(self, plan: Maintenance) -> None:
        self._every = plan.every
        self._takes = plan.takes
        self._merge_within = plan.merge_within
        self._if_down = plan.if_down
        self._number = 1
        self._down_since = 0.0

    def __repr__(self) -> str:
        return f"Stops({self._number} is next)"

    def next(self, now: float) -> float:
        """Return when the next stop begins if no failure comes first (s): *now* at the earliest."""
        return max(self._number * self._every + self._merge_within, now)

    def begin(self) -> None:
        """Begin the stop that is due; the next one is that after it."""
        self._number += 1

    def cancel(self, now: float) -> None:
        """Cancel the stop that has begun: it is still due, unless stops are skipped when the job is down."""
        if self._if_down == "skip":
            self.skip_before(now)
        else:
            self._number -= 1

    def skip_before(self, now: float) -> None:
        """Skip the stops that were due before *now* (s)."""
        self._number = max(self._number, int(now / self._every))
        while self._number * self._every < now:
            self._number += 1

    def begin_outage(self, now: float) -> None:
        """Record that the job is down from *now* (s) on."""
        self._down_since = now

    def end_outage(self, now: float) -> float:
        """Return until when a stop that fell due during the outage keeps the job down (s).

        The job could train again *now*, which is returned where no stop fell due.
        """
        number = self._number
        self.skip_before(now)
        if self._number == number:
            return now
        return self.end_of(max((self._number - 1) * self._every, self._down_since), now)

    def end_of(self, since: float, now: float) -> float:
        """Return until when a stop goes on that fell due at *since*, in an outage that ends *now* (s)."""
        if self._if_down == "skip":
            return now
        return (now if self._if_down == "postpone" else since) + self._takes
