"""The copies of one tier: what is durable, what is on its way, what dies or is thrown away.

A copy is known by the position of its content in the job's work: seconds of training along the line of work
that survives.  The copies of a segment are kept as one series, however many they are.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from clustersim.engine.work.tiers import REL_TOL
from clustersim.records import SCOPES
from clustersim.scenario.keys.tiers import Tier

BEGINNING = 0.0


Series = tuple[float, float, int]
"""Copies of one tier: the position of the first (s), the distance from one to the next (s), how many."""


def newest_of(series: Series) -> float:
    """Return the position of the last copy of a *series*."""
    first, gap, size = series
    return first + (size - 1) * gap


class InFlight(NamedTuple):
    """A copy that is not durable yet: its position in the work, and the instant at which it will be (s)."""

    position: float
    durable_at: float


class TierCheckpoints:
    """The copies of one tier, in the order of their positions.

    `newest` is the position of the newest, if there is one.  The interval to the next save `counts_from` the
    last copy made, and from `mark` while the tier holds nothing.  `never_durable` is the position of a save
    since the last restart that never became durable.  The first `lost` saves of the segment under way were
    lost while it went on.  In its `outages`, from begin to end (s), it was or will be unavailable.
    """

    def __init__(self, tier: Tier) -> None:
        self.tier = tier
        self.interval = tier.interval
        self.durable_after = tier.durable_after
        self.newest: float | None = None
        self.counts_from = self.mark = BEGINNING
        self.in_flight: InFlight | None = None
        self.never_durable: float | None = None
        self.lost = 0
        self._most = tier.keep
        self._read: list[float] = []
        self._series: list[Series] = []
        self.outages: list[tuple[float, float]] = []

    def __repr__(self) -> str:
        return f"TierCheckpoints({self.tier.name}, newest {self.newest})"

    def survives(self, scope: int) -> bool:
        """Return whether its copies outlive a failure of that *scope*."""
        return self.tier.survives is None or SCOPES[scope] in self.tier.survives

    def hold(self, series: Series) -> None:
        """Take copies in, and let go of the oldest beyond those that the tier keeps."""
        if series[-1] > 0:
            self._series.append(series)
        if self._most is not None:
            self._keep(self._most)
        self._recount()

    def send(self, position: float, durable_at: float) -> None:
        """Let a copy be on its way that will be durable at that instant (s)."""
        self.in_flight = InFlight(position, durable_at)
        self.counts_from = position

    def settle(self, now: float) -> None:
        """Hold the copy on its way where it is durable by *now*, unless the tier was closed then."""
        flight = self.in_flight
        if flight is not None and flight.durable_at <= now:
            self.in_flight = None
            if self.is_never_durable(flight.durable_at):
                self.spoil(flight.position)
            else:
                self.hold((flight.position, 1.0, 1))

    def spoil(self, position: float) -> None:
        """Take note of a save at *position* that never becomes durable."""
        self.never_durable = position
        self._recount()

    def supersede(self) -> None:
        """Drop the copy on its way, for a newer one."""
        self.in_flight = None
        self._recount()

    def clear(self, now_at: float, made: int) -> None:
        """Lose all copies, with those *made* in the segment under way; the interval counts from *now_at*."""
        if self._series or self.in_flight is not None or self.never_durable is not None or made > self.lost:
            self.mark = now_at
        self._series.clear()
        self._read.clear()
        self.in_flight, self.never_durable, self.lost = None, None, made
        self._recount()

    def verify(self) -> None:
        """Take note that the newest copy can be read."""
        if self.newest is not None:
            self._read.append(self.newest)

    @property
    def is_verified(self) -> bool:
        """Whether the newest copy has been read before, or is the beginning."""
        position = self.newest
        return position is None or any(math.isclose(position, one, rel_tol=REL_TOL) for one in self._read)

    def discard_newest(self, now_at: float) -> None:
        """Throw the newest copy away."""
        first, gap, size = self._series.pop()
        if size > 1:
            self._series.append((first, gap, size - 1))
        elif not self._series:
            self.mark = now_at
        self._recount()

    def discard_beyond(self, position: float) -> None:
        """Throw away what lies beyond *position*: copies of work that is no longer there.

        CheckpointSet of one position may differ in the last digit.
        """
        held = bool(self._series)
        limit = position + REL_TOL * max(position, 1.0)
        while self._series and newest_of(self._series[-1]) > limit:
            first, gap, _ = self._series.pop()
            if first <= limit:
                size = int((limit - first) / gap) + 1
                while first + size * gap <= limit:
                    size += 1
                while size and first + (size - 1) * gap > limit:
                    size -= 1
                self._series.append((first, gap, size))
        if not self._series:
            self.mark = position if held else min(self.mark, position)
        if self._read:
            self._read = [one for one in self._read if one <= limit]
        self._recount()

    def forget_unsaved(self) -> None:
        """Lose what is not durable; a tier that holds nothing else waits for a whole interval again."""
        if (self.in_flight is not None or self.never_durable is not None) and not self._series:
            self.mark = math.inf
        self.in_flight = self.never_durable = None
        self._recount()

    def close(self, begin: float, until: float) -> None:
        """Let no copy become durable and nothing be loaded from *begin* to *until* (s)."""
        self.outages.append((begin, until))

    def opens_at(self, now: float) -> float:
        """Return when copies can be loaded: now, or when the outages that go on have ended."""
        instant = now
        for begin, until in self.outages:
            if begin <= instant < until:
                instant = until
        return instant

    def is_never_durable(self, durable_at: float) -> bool:
        """Return whether a copy that becomes durable then falls into an outage."""
        return bool(self.outages) and any(begin < durable_at < until for begin, until in self.outages)

    def outages_within(self, begin: float, end: float) -> list[tuple[float, float]]:
        """Return the outages that touch the time from *begin* to *end*."""
        return [one for one in self.outages if one[0] <= end and one[1] > begin]

    def _keep(self, most: int) -> None:
        excess = sum(size for _, _, size in self._series) - most
        while excess > 0:
            first, gap, size = self._series[0]
            gone = min(excess, size)
            excess -= gone
            self._series[:1] = [(first + gone * gap, gap, size - gone)] if size > gone else []

    def _recount(self) -> None:
        """See which copy is the newest, and from which the interval counts."""
        position = self.mark
        if self._series:
            self.newest = position = newest_of(self._series[-1])
        else:
            self.newest = None
        if self.in_flight is not None:
            position = self.in_flight.position
        elif self.never_durable is not None:
            position = max(self.never_durable, position)
        self.counts_from = position
