"""The copies that all tiers hold: what a segment leaves, what a failure kills, what the job falls back to."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence

from clustersim.engine.work.history import TrainingSegment
from clustersim.engine.work.tier import BEGINNING, TierCheckpoints
from clustersim.engine.work.tiers import REL_TOL, Firsts, Position, TierClocks
from clustersim.records import SCOPES
from clustersim.scenario.keys.tiers import Tier


class CheckpointSet:
    """The tiers of all tiers, in the order of the scenario.

    `volatile` are the tiers, by the scope of a failure, whose copies do not outlive it.
    """

    def __init__(self, tiers: Sequence[Tier], step: float | None) -> None:
        self.clocks = TierClocks(tiers, step)
        self.tiers = tuple(TierCheckpoints(tier) for tier in tiers)
        self.volatile = [
            [number for number, checkpoints in enumerate(self.tiers) if not checkpoints.survives(scope)]
            for scope in range(len(SCOPES))
        ]
        self._saves_again = False

    def __repr__(self) -> str:
        return f"CheckpointSet({', '.join(map(repr, self.tiers))})"

    def firsts(self, position: float, now: float) -> Firsts:
        """Return how much training each tier waits for before its first save in a segment that begins *now*.

        The job stands at *position* in its work; the waits are in the units of the clocks.
        """
        waits = []
        for checkpoints in self.tiers:
            wait = checkpoints.interval - (position - checkpoints.counts_from)
            if checkpoints.in_flight is not None:
                wait = max(wait, checkpoints.in_flight.durable_at - now)
            waits.append(wait if wait > REL_TOL else 0.0)
        return tuple(waits if self.clocks.step is None else map(self.clocks.units, waits))

    def settle(self, now: float) -> None:
        """Let copies in flight from an earlier segment be held that are durable by *now*."""
        for checkpoints in self.tiers:
            checkpoints.settle(now)

    def take_in(self, segment: TrainingSegment, until: Position) -> None:
        """Hold what a *segment* has saved, which has trained and saved so much *until* its end.

        A copy is durable for certain where more has been trained since than it takes.
        """
        clocks, firsts, now, done = self.clocks, segment.firsts, segment.end, until.done
        if not any(until.ended):
            return
        for tier, made in enumerate(until.ended):
            checkpoints = self.tiers[tier]
            size = made - checkpoints.lost
            if size > 0:
                if checkpoints.in_flight is not None:
                    checkpoints.settle(now)
                newest = clocks.content(firsts, tier, made - 1)
                if done - newest > checkpoints.durable_after + REL_TOL * now and not checkpoints.outages:
                    oldest = newest if size == 1 else clocks.content(firsts, tier, checkpoints.lost)
                    checkpoints.hold((segment.position + oldest, clocks.spacings[tier], size))
                else:
                    self._take_in(segment, tier, made)
            checkpoints.lost = 0

    def _take_in(self, segment: TrainingSegment, tier: int, made: int) -> None:
        """Hold what *tier* has *made*, but for a newest that is not durable and those that never will be."""
        checkpoints, clocks, firsts = self.tiers[tier], self.clocks, segment.firsts

        def position(number: int) -> float:
            return segment.position + clocks.content(firsts, tier, number)

        def durable_at(number: int) -> float:
            return segment.start + (clocks.block_end(firsts, tier, number) + checkpoints.durable_after)

        if durable_at(made - 1) > segment.end:
            made -= 1
            checkpoints.send(position(made), durable_at(made))
        if made > checkpoints.lost and checkpoints.is_never_durable(durable_at(made - 1)):
            checkpoints.spoil(position(made - 1))
        numbers = range(checkpoints.lost, made)
        for part in _durable_runs(
            numbers, checkpoints.outages_within(segment.start, segment.end), durable_at
        ):
            checkpoints.hold((position(part[0]), clocks.spacings[tier], len(part)))

    def forget_unsaved(self) -> None:
        """Lose every copy that is not durable."""
        for checkpoints in self.tiers:
            checkpoints.forget_unsaved()

    def invalidate(self, tiers: Sequence[int], now_at: float, made: Sequence[int] | None) -> None:
        """Lose all copies of *tiers*.

        The work stands at *now_at*; *made* are the saves by tier that have ended in the segment under way.
        """
        for tier in tiers:
            self.tiers[tier].clear(now_at, made[tier] if made is not None else 0)

    def newest(self) -> tuple[float, int]:
        """Return position and tier of the newest copy, the first such tier; the last holds the beginning."""
        best, tier = BEGINNING, len(self.tiers) - 1
        for number in reversed(range(len(self.tiers))):
            position = self.tiers[number].newest
            if position is not None and position >= best * (1 - REL_TOL):
                best, tier = position, number
        return best, tier

    def discard_beyond(self, position: float) -> None:
        """Throw away all copies of work beyond *position*."""
        for checkpoints in self.tiers:
            checkpoints.discard_beyond(position)

    def begin_final_save(self, position: float, now: float) -> float:
        """Begin to save the work up to *position* in the last tier; return when the copy is durable (s).

        Nothing is saved twice: a save of the same position will do, and a copy of it that is on its way is
        awaited.  Another one that is on its way is superseded.
        """
        self._saves_again = False
        if not self.tiers:
            return now
        last = self.tiers[-1]
        last.settle(now)
        if last.in_flight is not None and _is_one(last.in_flight.position, position):
            return last.in_flight.durable_at
        made = (BEGINNING if last.newest is None else last.newest, last.never_durable)
        if any(one is not None and _is_one(one, position) for one in made):
            return now
        self._saves_again = True
        last.supersede()
        return now + (last.tier.blocks + last.durable_after)

    def end_final_save(self, position: float, now: float) -> None:
        """Hold the copy up to *position* in the last tier, durable *now* unless that tier is closed."""
        if self.tiers:
            last = self.tiers[-1]
            if not self._saves_again:
                last.settle(now)
            elif last.is_never_durable(now):
                last.spoil(position)
            else:
                last.hold((position, 1.0, 1))

    def close(self, tiers: Iterable[int], begin: float, until: float) -> None:
        """Make *tiers* unavailable from *begin* to *until* (s)."""
        for tier in tiers:
            self.tiers[tier].close(begin, until)


def _durable_runs(
    numbers: range, outages: Iterable[tuple[float, float]], durable_at: Callable[[int], float]
) -> list[range]:
    """Cut out of the *numbers* of a segment's saves those that became durable in one of the *outages*."""
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


def _is_one(position: float, other: float) -> bool:
    """Return whether two positions of the work are one, whatever the last digit."""
    return abs(position - other) <= REL_TOL * max(position, 1.0)
