"""The checkpoints that one tier holds: which are durable, which is in flight, and which are lost.

A copy is identified by the *position* of its content: the seconds of training that it holds.  Copies that a
segment has made at equal distances are stored as one series, however many they are.  A segment that saved at
100 s, 200 s and 300 s leaves the series (100, 100, 3).  If the job falls back to 250 s, `discard_beyond`
cuts it to (100, 100, 2), and the newest copy is that of 200 s.
"""

from __future__ import annotations

import math
from typing import Final, NamedTuple

from clustersim.engine.work.tiers import REL_TOL
from clustersim.records import SCOPES
from clustersim.scenario.keys.tiers import Tier

BEGINNING: Final = 0.0
"""The position of untrained work, which needs no copy."""
Series = tuple[float, float, int]
"""Copies of one tier: the position of the first (s), the distance to the next (s), and how many."""


def newest_of(series: Series) -> float:
    """Return the position of the last copy of a *series*."""
    first, gap, size = series
    return first + (size - 1) * gap


class InFlight(NamedTuple):
    """A copy that is not durable yet: the position of its content, and when it will be durable (both s)."""

    position: float
    durable_at: float


class TierCheckpoints:
    """The copies of one tier, in the order of their positions (s).

    `newest` is the position of the newest durable copy, None without one; `in_flight` is not durable yet.
    The interval to the next save `counts_from` the position of the last copy made, or from `mark` while the
    tier holds nothing.  `never_durable` is the position of a save since the last restart that an outage kept
    from becoming durable.  `rescue` is a copy, not durable yet, that was made before nodes leave, beside the
    one in flight.  The first `lost` saves of the segment under way were lost in a failure that did not end
    it.  During its `outages`, from begin to end (s), the tier is unavailable.
    """

    def __init__(self, tier: Tier) -> None:
        self.tier = tier
        self.durable_after = tier.durable_after
        self.newest: float | None = None
        self.counts_from = self.mark = BEGINNING
        self.in_flight: InFlight | None = None
        self.rescue: InFlight | None = None
        self.never_durable: float | None = None
        self.lost = 0
        self._most = tier.keep
        self._read: list[float] = []
        self._series: list[Series] = []
        self.outages: list[tuple[float, float]] = []

    def __repr__(self) -> str:
        return f"TierCheckpoints({self.tier.name}, newest {self.newest})"

    def survives(self, scope: int) -> bool:
        """Return whether its copies survive a failure of *scope*, a number in `SCOPES`."""
        return self.tier.survives is None or SCOPES[scope] in self.tier.survives

    def hold(self, series: Series) -> None:
        """Add a *series* of durable copies; delete the oldest where the tier keeps only so many."""
        if series[-1] > 0:
            self._series.append(series)
        if self._most is not None:
            self._keep(self._most)
        self._recount()

    def send(self, position: float, durable_at: float) -> None:
        """Add a copy in flight, which will be durable at the instant *durable_at* (s)."""
        self.in_flight = InFlight(position, durable_at)
        self.counts_from = position

    def settle(self, now: float) -> None:
        """Hold the copy in flight if it is durable by *now* (s); an outage at that instant spoils it.

        So it is with the `rescue`, after the copy in flight, which is older.
        """
        flight = self.in_flight
        if flight is not None and flight.durable_at <= now:
            self.in_flight = None
            if self.is_never_durable(flight.durable_at):
                self.spoil(flight.position)
            else:
                self.hold((flight.position, 1.0, 1))
        if self.rescue is not None and self.rescue.durable_at <= now:
            self.in_flight, self.rescue = self.rescue, None
            self.settle(now)

    def hasten(self, latest: float) -> None:
        """Let the copy in flight, if any, be durable at the instant *latest* (s) at the latest."""
        if self.in_flight is not None and self.in_flight.durable_at > latest:
            self.in_flight = InFlight(self.in_flight.position, latest)

    def spoil(self, position: float) -> None:
        """Record that the save at *position* never becomes durable."""
        self.never_durable = position
        self._recount()

    def supersede(self) -> None:
        """Drop the copy in flight, for a newer one."""
        self.in_flight = None
        self._recount()

    def clear(self, now_at: float, made: int) -> None:
        """Lose all copies, also the *made* saves of the segment under way.

        The work is at position *now_at*, from which the interval counts if there was anything to lose.
        """
        lost = self._series or self.in_flight is not None or self.rescue is not None
        if lost or self.never_durable is not None or made > self.lost:
            self.mark = now_at
        self._series.clear()
        self._read.clear()
        self.in_flight, self.rescue, self.never_durable, self.lost = None, None, None, made
        self._recount()

    def verify(self) -> None:
        """Record that the newest copy can be read."""
        if self.newest is not None:
            self._read.append(self.newest)

    @property
    def is_verified(self) -> bool:
        """Whether the newest copy has been read before, or is the beginning of the work."""
        position = self.newest
        return position is None or any(math.isclose(position, read, rel_tol=REL_TOL) for read in self._read)

    def discard_newest(self, now_at: float) -> None:
        """Delete the newest copy; the work is at position *now_at*."""
        first, gap, size = self._series.pop()
        if size > 1:
            self._series.append((first, gap, size - 1))
        elif not self._series:
            self.mark = now_at
        self._recount()

    def discard_beyond(self, position: float) -> None:
        """Delete copies beyond *position*, whose content has been thrown away.

        A copy at *position* itself is kept, whichever way its position was rounded.
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
            self._read = [read for read in self._read if read <= limit]
        self._recount()

    def forget_unsaved(self) -> None:
        """Lose what is not durable; a tier with nothing else then waits for a whole interval again."""
        unsaved = self.in_flight is not None or self.rescue is not None
        if (unsaved or self.never_durable is not None) and not self._series:
            self.mark = math.inf
        self.in_flight = self.rescue = self.never_durable = None
        self._recount()

    def close(self, begin: float, until: float) -> None:
        """Make the tier unavailable from *begin* to *until* (s): nothing becomes durable or is loaded."""
        self.outages.append((begin, until))

    def opens_at(self, now: float) -> float:
        """Return when copies can be loaded (s): *now*, or when the outages under way have ended."""
        instant = now
        for begin, until in self.outages:
            if begin <= instant < until:
                instant = until
        return instant

    def is_never_durable(self, durable_at: float) -> bool:
        """Return whether an outage at *durable_at* (s) keeps a copy from becoming durable then."""
        return bool(self.outages) and any(begin < durable_at < until for begin, until in self.outages)

    def outages_within(self, begin: float, end: float) -> list[tuple[float, float]]:
        """Return the outages that overlap the time from *begin* to *end* (s)."""
        return [outage for outage in self.outages if outage[0] <= end and outage[1] > begin]

    def _keep(self, most: int) -> None:
        """Delete the oldest copies beyond the *most* that the tier keeps."""
        excess = sum(size for _, _, size in self._series) - most
        while excess > 0:
            first, gap, size = self._series[0]
            cut = min(excess, size)
            excess -= cut
            self._series[:1] = [(first + cut * gap, gap, size - cut)] if size > cut else []

    def _recount(self) -> None:
        """Set `newest` and `counts_from` after the copies have changed."""
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
