"""The copies that all tiers hold: what a stretch leaves, what a failure kills, what the job falls back to."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence

from clustersim.engine.work.lineage import Stretch
from clustersim.engine.work.shelf import BEGINNING, Shelf
from clustersim.engine.work.tiers import NEXT_TO_NOTHING, Firsts, Place, TierClocks
from clustersim.records import SCOPES
from clustersim.scenario.keys.tiers import Tier


class Copies:
    """The shelves of all tiers, in the order of the scenario.

    `mortal` are the tiers, by the scope of a failure, whose copies do not outlive it.
    """

    def __init__(self, tiers: Sequence[Tier], step: float | None) -> None:
        self.clocks = TierClocks(tiers, step)
        self.shelves = tuple(Shelf(tier) for tier in tiers)
        self.mortal = [
            [number for number, shelf in enumerate(self.shelves) if not shelf.survives(scope)]
            for scope in range(len(SCOPES))
        ]
        self._saves_again = False

    def __repr__(self) -> str:
        return f"Copies({', '.join(map(repr, self.shelves))})"

    def firsts(self, place: float, now: float) -> Firsts:
        """Return how much training each tier waits for before its first save in a stretch that begins *now*.

        The job stands at *place* in its work; the waits are in the units of the clocks.
        """
        waits = []
        for shelf in self.shelves:
            wait = shelf.interval - (place - shelf.counts_from)
            if shelf.in_flight is not None:
                wait = max(wait, shelf.in_flight.durable_at - now)
            waits.append(wait if wait > NEXT_TO_NOTHING else 0.0)
        return tuple(waits if self.clocks.step is None else map(self.clocks.units, waits))

    def settle(self, now: float) -> None:
        """Let copies in flight from an earlier stretch be held that are durable by *now*."""
        for shelf in self.shelves:
            shelf.settle(now)

    def take_in(self, stretch: Stretch, until: Place) -> None:
        """Hold what a *stretch* has saved, which has trained and saved so much *until* its end.

        A copy is durable for certain where more has been trained since than it takes.
        """
        clocks, firsts, now, done = self.clocks, stretch.firsts, stretch.end, until.done
        if not any(until.ended):
            return
        for tier, made in enumerate(until.ended):
            shelf = self.shelves[tier]
            size = made - shelf.dead
            if size > 0:
                if shelf.in_flight is not None:
                    shelf.settle(now)
                newest = clocks.content(firsts, tier, made - 1)
                if done - newest > shelf.durable_after + NEXT_TO_NOTHING * now and not shelf.outages:
                    oldest = newest if size == 1 else clocks.content(firsts, tier, shelf.dead)
                    shelf.hold((stretch.place + oldest, clocks.spacings[tier], size))
                else:
                    self._take_in(stretch, tier, made)
            shelf.dead = 0

    def _take_in(self, stretch: Stretch, tier: int, made: int) -> None:
        """Hold what *tier* has *made*, but for a newest that is not durable and those that never will be."""
        shelf, clocks, firsts = self.shelves[tier], self.clocks, stretch.firsts

        def place(number: int) -> float:
            return stretch.place + clocks.content(firsts, tier, number)

        def durable_at(number: int) -> float:
            return stretch.start + (clocks.block_end(firsts, tier, number) + shelf.durable_after)

        if durable_at(made - 1) > stretch.end:
            made -= 1
            shelf.send(place(made), durable_at(made))
        if made > shelf.dead and shelf.is_void(durable_at(made - 1)):
            shelf.spoil(place(made - 1))
        numbers = range(shelf.dead, made)
        for part in _without_void(numbers, shelf.outages_within(stretch.start, stretch.end), durable_at):
            shelf.hold((place(part[0]), clocks.spacings[tier], len(part)))

    def forget_unsaved(self) -> None:
        """Lose every copy that is not durable."""
        for shelf in self.shelves:
            shelf.forget_unsaved()

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

    def begin_final_save(self, place: float, now: float) -> float:
        """Begin to save the work up to *place* in the last tier; return when the copy is durable (s).

        Nothing is saved twice: a save of the same place will do, and a copy of it that is on its way is
        awaited.  Another one that is on its way is superseded.
        """
        self._saves_again = False
        if not self.shelves:
            return now
        last = self.shelves[-1]
        last.settle(now)
        if last.in_flight is not None and _is_one(last.in_flight.place, place):
            return last.in_flight.durable_at
        made = (BEGINNING if last.newest is None else last.newest, last.void)
        if any(one is not None and _is_one(one, place) for one in made):
            return now
        self._saves_again = True
        last.supersede()
        return now + (last.tier.blocks + last.durable_after)

    def end_final_save(self, place: float, now: float) -> None:
        """Hold the copy of the work up to *place* in the last tier, durable *now* unless that is closed."""
        if self.shelves:
            last = self.shelves[-1]
            if not self._saves_again:
                last.settle(now)
            elif last.is_void(now):
                last.spoil(place)
            else:
                last.hold((place, 1.0, 1))

    def close(self, tiers: Iterable[int], begin: float, until: float) -> None:
        """Make *tiers* unavailable from *begin* to *until* (s)."""
        for tier in tiers:
            self.shelves[tier].close(begin, until)


def _without_void(
    numbers: range, outages: Iterable[tuple[float, float]], durable_at: Callable[[int], float]
) -> list[range]:
    """Cut out of the *numbers* of a stretch's saves those that became durable in one of the *outages*."""
    kept = [numbers] if numbers else []
    for since, until in outages:
        parts = [
            (
                part[: bisect_right(part, since, key=durable_at)],
                part[bisect_left(part, until, key=durable_at) :],
            )
            for part in kept
        ]
        kept = [part for pair in parts for part in pair if part]
    return kept


def _is_one(place: float, other: float) -> bool:
    """Return whether two places of the work are one, whatever the last digit."""
    return abs(place - other) <= NEXT_TO_NOTHING * max(place, 1.0)
