"""When the planned stops of a job fall due, and how much of one remains after an outage.

A stop of 20 min falls due 5 min after a failure, and the job is ready to train again 15 min after the
failure.  By then 10 min of maintenance have been done during the outage.  So the job stays down for the
remaining 10 min (`shorten`), or for all of the 20 min (`postpone`), or not at all (`skip`).

The stops of one entry of the scenario's list are a series.  While the job stands still for one series it is
down for the others: if a stop of 6 h of another falls due 5 min into the 20 min, the job stands still until
6 h and 5 min after the first began.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from clustersim.scenario.keys.plan import Maintenance


class StopSeries:
    """The planned stops of one entry, numbered from 1.

    A stop begins `merge_within` seconds after it is due, in case a failure takes the job down anyway.  One
    that falls due during another one of its series is past.  Of several that are due only the last one
    counts.  `under_way` says whether the job stands still for one, or saves before it.
    """

    def __init__(self, plan: Maintenance) -> None:
        self._every = plan.every or 0.0
        self._at = list(plan.at)
        self._takes = plan.takes
        self._lengths = list(plan.lengths)
        self._merge_within = plan.merge_within
        self._if_down = plan.if_down
        self._number = 1
        self._has_waited = False
        self.skips = plan.if_down == "skip"
        self.is_abrupt = plan.abrupt
        self.under_way = False

    def __repr__(self) -> str:
        return f"StopSeries({self._number} is next)"

    def due(self) -> float:
        """Return when the next stop is due (s); infinite behind the last one."""
        return self._due(self._number)

    def _due(self, number: int) -> float:
        if self._every > 0:
            return number * self._every
        return self._at[number - 1] if number <= len(self._at) else math.inf

    def next(self, now: float) -> float:
        """Return when the next stop begins if no failure comes first (s): *now* at the earliest."""
        return now if self._has_waited else max(self.due() + self._merge_within, now)

    def begin(self, now: float) -> float:
        """Begin the stop that is due, and return how long it lasts (s); the next one is that after it."""
        self._number += 1
        while self.due() <= now:
            self._number += 1
        self._has_waited, self.under_way = False, True
        return self._length()

    def cancel(self, now: float) -> None:
        """Cancel the stop that has begun: it is still due, unless stops are skipped when the job is down."""
        if self.skips:
            self.skip_before(now)
        elif self.under_way:
            self._number -= 1
            self._has_waited = True
        self.under_way = False

    def skip_before(self, now: float) -> None:
        """Skip the stops that were due before *now* (s)."""
        if self._every > 0:
            self._number = max(self._number, int(now / self._every))
        while self.due() < now:
            self._number += 1
            self._has_waited = False

    def end_outage(self, down_since: float, now: float) -> float:
        """Return until when a stop that fell due in an outage *down_since* an instant keeps the job down (s).

        The job could train again *now*, which is returned where no stop fell due.
        """
        number = self._number
        self.skip_before(now)
        if self._number == number:
            return now
        return self.end_of(max(self._due(self._number - 1), down_since), now)

    def end_of(self, since: float, now: float) -> float:
        """Return until when the last stop goes on, due at *since*, in an outage that ends *now* (s)."""
        if self.skips:
            return now
        return (now if self._if_down == "postpone" else since) + self._length()

    def _length(self) -> float:
        """Return how long the stop before the next one lasts (s)."""
        return self._lengths[self._number - 2] if self._lengths else self._takes


class Stops:
    """The planned stops of a job, of all series; all that are due begin together.

    They last until the longest is over, and the job saves first unless all of them are abrupt.
    """

    def __init__(self, plans: Sequence[Maintenance]) -> None:
        self._series = [StopSeries(plan) for plan in plans]
        self._down_since = 0.0

    def __repr__(self) -> str:
        return f"Stops({self._series})"

    def next(self, now: float) -> float:
        """Return when the next stop begins if no failure comes first (s): *now* at the earliest."""
        first = math.inf
        for series in self._series:
            first = min(first, series.next(now))
        return first

    def begin(self, now: float) -> float:
        """Begin the stops that are due, and return how long they last (s)."""
        lasts = 0.0
        for series in self._series:
            if series.due() <= now:
                lasts = max(lasts, series.begin(now))
        return lasts

    @property
    def are_abrupt(self) -> bool:
        """Whether nothing is saved before the stops that have begun."""
        return all(series.is_abrupt for series in self._series if series.under_way)

    def cancel(self, now: float) -> None:
        """Cancel the stops that have begun: they are still due, unless they are skipped in an outage."""
        for series in self._series:
            series.cancel(now)

    def end(self, now: float) -> float:
        """Return until when stops of other series, due while the job stood still, keep it down (s).

        The stops under way are over *now*, which is returned where nothing of others is left.
        """
        until = now
        for series in self._series:
            if series.under_way:
                series.skip_before(now)
            else:
                end = series.end_outage(-math.inf, now)
                series.under_way = end > now
                until = max(until, end)
        if until <= now:
            for series in self._series:
                series.under_way = False
        return until

    def skip_before(self, now: float) -> None:
        """Skip the stops that were due before *now* (s)."""
        for series in self._series:
            series.skip_before(now)

    def begin_outage(self, now: float) -> None:
        """Record that the job is down from *now* (s) on."""
        self._down_since = now

    def end_outage(self, now: float) -> float:
        """Return until when stops that fell due during the outage keep the job down (s).

        The job could train again *now*, which is returned where no stop fell due.
        """
        until = now
        for series in self._series:
            end = series.end_outage(self._down_since, now)
            series.under_way = end > now
            until = max(until, end)
        return until

    def end_of(self, since: float, now: float) -> float:
        """Return until when the rolling stop goes on that fell due at *since*, in an outage to *now* (s).

        It is the only series.
        """
        return self._series[0].end_of(since, now)
