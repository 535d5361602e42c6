"""The copies that all tiers hold: what a stretch leaves, what a failure kills, what the job falls back to."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence

from sim.engine.work.shelf import BEGINNING, Series, Shelf
from sim.engine.work.tiers import NEXT_TO_NOTHING, Firsts, Place, TierClocks
from sim.records import SCOPES
from sim.scenario.keys.tiers import Tier


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
        waits = []
        for shelf in self.shelves:
            wait = shelf.interval - (place - shelf.counts_from)
            flight = shelf.in_flight
            if flight is not None:
                wait = max(wait, flight.durable_at - now)
            waits.append(wait)
        return self.clocks.waits(waits)

    def settle(self, now: float) -> None:
        """Let copies in flight from an earlier stretch be held that are durable by *now*."""
        for shelf in self.shelves:
            shelf.settle(now)

    def take_in(self, firsts: Firsts, begin: float, now: float, place: float, until: Place) -> None:
        """Hold what a stretch has saved that began at *begin*, at *place* of the work, and ended *now*.

        It has trained and saved so much *until* then.  A copy is durable for certain where more has been
        trained since than it takes.
        """
        clocks, done = self.clocks, until.done
        for tier, made in enumerate(until.ended):
            shelf = self.shelves[tier]
            if shelf.in_flight is not None:
                shelf.settle(now)
            size = made - shelf.dead
            if size > 0:
                newest = clocks.content(firsts, tier, made - 1)
                if done - newest > shelf.durable_after + NEXT_TO_NOTHING * now and not shelf.outages:
                    oldest = newest if size == 1 else clocks.content(firsts, tier, shelf.dead)
                    shelf.hold(Series(place + oldest, clocks.spacings[tier], size))
                else:
                    self._take_in(tier, firsts, begin, now, place, made)
            shelf.dead = 0

    def _take_in(self, tier: int, firsts: Firsts, begin: float, now: float, place: float, made: int) -> None:
        """Hold what *tier* has *made*, but for a newest that is not durable and those that never will be."""
        shelf, clocks = self.shelves[tier], self.clocks
        newest = clocks.content(firsts, tier, made - 1)
        durable_at = begin + (clocks.block_end(firsts, tier, made - 1) + shelf.durable_after)
        if durable_at > now:
            shelf.send(place + newest, durable_at)
        elif shelf.is_void(durable_at):
            shelf.spoil(place + newest)
        numbers = range(shelf.dead, made - (durable_at > now))
        for part in self._without_void(numbers, shelf, firsts, tier, begin, now):
            first = place + clocks.content(firsts, tier, part[0])
            shelf.hold(Series(first, clocks.spacings[tier], len(part)))

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
            self.shelves[-1].supersede()

    def end_final_save(self, place: float, now: float) -> None:
        """Hold a copy of the work up to *place* in the last tier, durable *now* unless that is closed."""
        if self.shelves:
            last = self.shelves[-1]
            if last.is_void(now):
                last.spoil(place)
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
        kept = [numbers] if numbers else []

        def durable_at(number: int) -> float:
            return begin + (self.clocks.block_end(firsts, tier, number) + self.clocks.durable_after[tier])

        for since, until in shelf.outages_within(begin, now):
            parts = [
                (
                    part[: bisect_right(part, since, key=durable_at)],
                    part[bisect_left(part, until, key=durable_at) :],
                )
                for part in kept
            ]
            kept = [part for pair in parts for part in pair if part]
        return kept
