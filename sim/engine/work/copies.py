"""The copies that each tier holds: what is durable, what dies with a failure, what the job falls back to.

A copy is known by the place of its content in the job's work: seconds of training along the line of work
that survives.  The copies of a stretch are kept as one series, however many they are.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from sim.engine.work.tiers import NEXT_TO_NOTHING, Firsts, TierClocks
from sim.records import SCOPES
from sim.scenario.tiers import Tier

BEGINNING = 0.0


class Series(NamedTuple):
    """Copies of one tier at `first`, `first + gap`, ...: `size` of them, each a place in the work (s)."""

    first: float
    gap: float
    size: int

    @property
    def newest(self) -> float:
        """The place of the last one."""
        return self.first + (self.size - 1) * self.gap


class InFlight(NamedTuple):
    """A copy that is not durable yet: its place in the work, and the instant at which it will be (s)."""

    place: float
    durable_at: float


class Shelf:
    """The copies of one tier, in the order of their places.

    `mark` is where the interval to the next save counts from while the tier holds nothing.  `void` is the
    place of a save since the last restart that never became durable.  The first `dead` saves of the stretch
    under way were lost while it went on.
    """

    def __init__(self, tier: Tier) -> None:
        self.tier = tier
        self.mark = BEGINNING
        self.in_flight: InFlight | None = None
        self.void: float | None = None
        self.dead = 0
        self._series: list[Series] = []
        self._outages: list[tuple[float, float]] = []

    def __repr__(self) -> str:
        return f"Shelf({self.tier.name}, newest {self.newest})"

    @property
    def newest(self) -> float | None:
        """The place of the newest copy, if there is one."""
        return self._series[-1].newest if self._series else None

    def survives(self, scope: int) -> bool:
        """Return whether its copies outlive a failure of that *scope*."""
        return self.tier.survives is None or SCOPES[scope] in self.tier.survives

    def hold(self, series: Series) -> None:
        """Take copies in, and let go of the oldest beyond those that the tier keeps."""
        if series.size > 0:
            self._series.append(series)
        if self.tier.keep is not None:
            self._keep(self.tier.keep)

    def clear(self, now_at: float, made: int) -> None:
        """Lose all copies, with those *made* in the stretch under way; the interval counts from *now_at*."""
        if self._series or self.in_flight is not None or self.void is not None or made > self.dead:
            self.mark = now_at
        self._series.clear()
        self.in_flight, self.void, self.dead = None, None, made

    def discard_newest(self, now_at: float) -> None:
        """Throw the newest copy away."""
        last = self._series.pop()
        if last.size > 1:
            self._series.append(last._replace(size=last.size - 1))
        elif not self._series:
            self.mark = now_at

    def discard_beyond(self, place: float) -> None:
        """Throw away what lies beyond *place*: copies of work that is no longer there.

        Copies of one place may differ in the last digit.
        """
        held = bool(self._series)
        limit = place + NEXT_TO_NOTHING * max(place, 1.0)
        while self._series and self._series[-1].newest > limit:
            last = self._series.pop()
            if last.first <= limit:
                size = int((limit - last.first) / last.gap) + 1
                while last.first + size * last.gap <= limit:
                    size += 1
                while size and last.first + (size - 1) * last.gap > limit:
                    size -= 1
                self._series.append(last._replace(size=size))
        if not self._series:
            self.mark = place if held else min(self.mark, place)

    def counts_from(self) -> float:
        """Return the place from which the interval to the next save counts."""
        if self.in_flight is not None:
            return self.in_flight.place
        newest = self._series[-1].newest if self._series else self.mark
        return newest if self.void is None else max(self.void, newest)

    def forget_unsaved(self) -> None:
        """Lose what is not durable; a tier that holds nothing else waits for a whole interval again."""
        if (self.in_flight is not None or self.void is not None) and not self._series:
            self.mark = math.inf
        self.in_flight = self.void = None

    def close(self, begin: float, until: float) -> None:
        """Let no copy become durable and nothing be loaded from *begin* to *until* (s)."""
        self._outages.append((begin, until))

    def opens_at(self, now: float) -> float:
        """Return when copies can be loaded: now, or when the outages that go on have ended."""
        instant = now
        for begin, until in self._outages:
            if begin <= instant < until:
                instant = until
        return instant

    def is_void(self, durable_at: float) -> bool:
        """Return whether a copy that becomes durable then falls into an outage."""
        return bool(self._outages) and any(begin <= durable_at < until for begin, until in self._outages)

    def outages(self, begin: float, end: float) -> list[tuple[float, float]]:
        """Return the outages that touch the time from *begin* to *end*."""
        if not self._outages:
            return self._outages
        return [one for one in self._outages if one[0] <= end and one[1] > begin]

    def _keep(self, most: int) -> None:
        excess = sum(series.size for series in self._series) - most
        while excess > 0:
            oldest = self._series[0]
            gone = min(excess, oldest.size)
            excess -= gone
            left = Series(oldest.first + gone * oldest.gap, oldest.gap, oldest.size - gone)
            self._series[:1] = [left] if left.size else []


class Copies:
    """The shelves of all tiers, in the order of the scenario."""

    def __init__(self, tiers: Sequence[Tier], step: float | None) -> None:
        self.clocks = TierClocks(tiers, step)
        self.shelves = tuple(Shelf(tier) for tier in tiers)
        self._mortal = [
            [number for number, shelf in enumerate(self.shelves) if not shelf.survives(scope)]
            for scope in range(len(SCOPES))
        ]

    def __repr__(self) -> str:
        return f"Copies({', '.join(map(repr, self.shelves))})"

    def firsts(self, place: float, now: float) -> Firsts:
        """Return how much training each tier waits for before its first save in a stretch that begins *now*.

        The job stands at *place* in its work; the waits are in the units of the clocks.
        """
        clocks, found = self.clocks, []
        for shelf, interval in zip(self.shelves, clocks.intervals, strict=True):
            wait = interval - (place - shelf.counts_from())
            if shelf.in_flight is not None:
                wait = max(wait, shelf.in_flight.durable_at - now)
            found.append(clocks.units(wait))
        return tuple(found)

    def settle(self, now: float) -> None:
        """Let copies in flight from an earlier stretch be held that are durable by *now*."""
        for shelf in self.shelves:
            flight = shelf.in_flight
            if flight is not None and flight.durable_at <= now:
                shelf.in_flight = None
                if shelf.is_void(flight.durable_at):
                    shelf.void = flight.place
                else:
                    shelf.hold(Series(flight.place, 1.0, 1))

    def take_in(self, firsts: Firsts, begin: float, now: float, place: float, ended: Sequence[int]) -> None:
        """Hold what a stretch has saved that began at *begin*, at *place* of the work, and ended *now*."""
        self.settle(now)
        for tier, (shelf, count) in enumerate(zip(self.shelves, ended, strict=True)):
            if count > shelf.dead:
                self._take_in(tier, firsts, begin, now, place, count)
            shelf.dead = 0

    def _take_in(self, tier: int, firsts: Firsts, begin: float, now: float, place: float, count: int) -> None:
        """Hold the first *count* saves of *tier*: the newest may not be durable, or never become so."""
        shelf, clocks = self.shelves[tier], self.clocks
        durable_at = begin + (clocks.block_end(firsts, tier, count - 1) + clocks.durable_after[tier])
        if durable_at > now:
            shelf.in_flight = InFlight(place + clocks.content(firsts, tier, count - 1), durable_at)
        elif shelf.is_void(durable_at):
            shelf.void = place + clocks.content(firsts, tier, count - 1)
        numbers = range(shelf.dead, count - (durable_at > now))
        for part in self._without_void(numbers, shelf, firsts, tier, begin, now):
            first = place + clocks.content(firsts, tier, part[0])
            shelf.hold(Series(first, clocks.gaps[tier] * clocks.unit, len(part)))

    def forget_unsaved(self) -> None:
        """Lose every copy that is not durable."""
        for shelf in self.shelves:
            shelf.forget_unsaved()

    def mortal(self, scope: int) -> Sequence[int]:
        """Return the tiers whose copies do not outlive a failure of that *scope*."""
        return self._mortal[scope]

    def kill(self, tiers: Sequence[int], now_at: float, made: Sequence[int] | None) -> None:
        """Lose all copies of *tiers*.

        The work stands at *now_at*; *made* are the saves by tier that have ended in the stretch under way.
        """
        for tier in tiers:
            self.shelves[tier].clear(now_at, made[tier] if made is not None else 0)

    def newest(self) -> tuple[float, int]:
        """Return place and tier of the newest copy, in the first such tier; the last holds the beginning."""
        best, tier = BEGINNING, len(self.shelves) - 1
        for number in reversed(range(len(self.shelves))):
            place = self.shelves[number].newest
            if place is not None and place >= best * (1 - NEXT_TO_NOTHING):
                best, tier = place, number
        return best, tier

    def discard_beyond(self, place: float) -> None:
        """Throw away all copies of work beyond *place*."""
        for shelf in self.shelves:
            shelf.discard_beyond(place)

    def begin_final_save(self) -> None:
        """Let the save before a planned stop supersede one that is in flight in the last tier."""
        if self.shelves:
            self.shelves[-1].in_flight = None

    def end_final_save(self, place: float, now: float) -> None:
        """Hold a copy of the work up to *place* in the last tier, durable *now* unless that is closed."""
        if self.shelves:
            last = self.shelves[-1]
            if last.is_void(now):
                last.void = place
            else:
                last.hold(Series(place, 1.0, 1))

    def close(self, tiers: Iterable[int], begin: float, until: float) -> None:
        """Make *tiers* unavailable from *begin* to *until* (s)."""
        for tier in tiers:
            self.shelves[tier].close(begin, until)

    def _without_void(
        self, numbers: range, shelf: Shelf, firsts: Firsts, tier: int, begin: float, now: float
    ) -> list[range]:
        """Cut out of the *numbers* of a stretch's saves those that became durable in an outage."""
        outages = shelf.outages(begin, now)
        if not outages:
            return [numbers] if numbers else []

        def durable_at(number: int) -> float:
            return begin + (self.clocks.block_end(firsts, tier, number) + self.clocks.durable_after[tier])

        kept = [numbers]
        for since, until in outages:
            parts = [
                (
                    part[: bisect_left(part, since, key=durable_at)],
                    part[bisect_left(part, until, key=durable_at) :],
                )
                for part in kept
            ]
            kept = [part for pair in parts for part in pair if part]
        return kept
