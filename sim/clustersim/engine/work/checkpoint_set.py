"""The checkpoints of all tiers: what a segment adds, what a failure takes, what the job falls back to.

Tier 0, node memory, saves each 100 s and does not survive the failure of a node; tier 1, storage, saves each
400 s and survives everything.  A node fails after 950 s of training.  `invalidate` empties tier 0, whose
newest copy held 900 s; `newest` is then the copy of tier 1 that holds 800 s, and 150 s of work are lost.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence

from clustersim.engine.work.history import TrainingSegment
from clustersim.engine.work.tier import BEGINNING, InFlight, TierCheckpoints
from clustersim.engine.work.tiers import NO_TIER, REL_TOL, Firsts, SegmentState, TierClocks
from clustersim.records import SCOPES
from clustersim.scenario.keys.tiers import Tier


class CheckpointSet:
    """The copies of each tier, in the order of the scenario.

    `volatile` lists, for each scope of a failure, the tiers whose copies do not survive it, and `serving` the
    first listed of the others, which is there for such failures.
    """

    def __init__(self, tiers: Sequence[Tier], step: float | None) -> None:
        self.clocks = TierClocks(tiers, step)
        self.tiers = tuple(TierCheckpoints(tier) for tier in tiers)
        self.volatile = [
            [number for number, checkpoints in enumerate(self.tiers) if not checkpoints.survives(scope)]
            for scope in range(len(SCOPES))
        ]
        self.serving = [
            next((number for number in range(len(self.tiers)) if number not in volatile), -1)
            for volatile in self.volatile
        ]
        self._saves_again = False
        self._rescue: tuple[int, InFlight] | None = None

    def __repr__(self) -> str:
        return f"CheckpointSet({', '.join(map(repr, self.tiers))})"

    def firsts(self, position: float, now: float, intervals: Sequence[float]) -> Firsts:
        """Return the training before the first save of each tier in a segment that begins *now* (s).

        The job is at *position* (s) in its work and saves at these *intervals* (s) from now on; the result is
        in the unit of the clocks, steps or seconds.
        """
        waits = []
        for checkpoints, interval in zip(self.tiers, intervals, strict=True):
            wait = interval - (position - checkpoints.counts_from)
            if checkpoints.in_flight is not None:
                wait = max(wait, checkpoints.in_flight.durable_at - now)
            waits.append(wait if wait > REL_TOL else 0.0)
        return tuple(waits if self.clocks.step is None else map(self.clocks.units, waits))

    def settle(self, now: float) -> None:
        """Hold the copies in flight from earlier segments that are durable by *now* (s)."""
        for checkpoints in self.tiers:
            checkpoints.settle(now)

    def take_in(self, segment: TrainingSegment, state: SegmentState) -> None:
        """Add the copies that a *segment* has made, given its *state* at its end.

        For speed: where more has been trained since the newest copy than it takes to become durable, all of
        them are durable, and one series is added without asking for the instant of each.
        """
        clocks, firsts, now, done = segment.clocks, segment.firsts, segment.end, state.done
        if not any(state.ended):
            return
        for tier, made in enumerate(state.ended):
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
        """Add the *made* copies of *tier* one by one: durable, in flight, or kept from it by an outage."""
        checkpoints, clocks, firsts = self.tiers[tier], segment.clocks, segment.firsts

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

        The work is at position *now_at*; *made* counts, by tier, the saves of the segment under way, if any.
        """
        for tier in tiers:
            self.tiers[tier].clear(now_at, made[tier] if made is not None else 0)

    def newest(self) -> tuple[float, int]:
        """Return position and tier of the newest copy; of tiers with equal copies the first is taken.

        Without any copy that is the beginning, which counts as one of the last tier.
        """
        best, tier = BEGINNING, len(self.tiers) - 1
        for number in reversed(range(len(self.tiers))):
            position = self.tiers[number].newest
            if position is not None and position >= best * (1 - REL_TOL):
                best, tier = position, number
        return best, tier

    def discard_beyond(self, position: float) -> None:
        """Delete all copies of work beyond *position*."""
        for checkpoints in self.tiers:
            checkpoints.discard_beyond(position)

    def begin_final_save(self, position: float, now: float) -> float:
        """Begin to save the work up to *position* in the last tier; return when the copy is durable (s).

        Nothing is saved twice: where a copy of *position* is held, or a save of it has failed, there is
        nothing to do; one in flight is waited for.  Another copy in flight is superseded.
        """
        self._saves_again = False
        if not self.tiers:
            return now
        last = self.tiers[-1]
        last.settle(now)
        if last.in_flight is not None and _are_equal(last.in_flight.position, position):
            return last.in_flight.durable_at
        saved = (BEGINNING if last.newest is None else last.newest, last.never_durable)
        if any(content is not None and _are_equal(content, position) for content in saved):
            return now
        self._saves_again = True
        last.supersede()
        return now + (last.tier.blocks + last.durable_after)

    def end_final_save(self, position: float, now: float) -> None:
        """Add the copy up to *position* to the last tier, durable *now* (s) unless an outage spoils it."""
        if self.tiers:
            last = self.tiers[-1]
            if not self._saves_again:
                last.settle(now)
            elif last.is_never_durable(now):
                last.spoil(position)
            else:
                last.hold((position, 1.0, 1))

    def rescuer(
        self, segment: TrainingSegment, state: SegmentState, now: float, until: float, scope: int
    ) -> tuple[int, bool]:
        """Return the tier that saves all work before nodes leave at the instant *until* (s), by *scope*.

        It is the last one that survives that and whose block fits in, NO_TIER where none does.  The second
        value is whether it need not save, as its newest copy, durable or not, holds all work by now.
        """
        self.settle(now)
        position = segment.position + state.done
        safe = [number for number in reversed(range(len(self.tiers))) if number not in self.volatile[scope]]
        for tier in safe:
            if self._holds(tier, position, segment, state):
                return tier, True
        for tier in safe:
            if now + self.tiers[tier].tier.blocks <= until:
                return tier, False
        return NO_TIER, False

    def _holds(self, tier: int, position: float, segment: TrainingSegment, state: SegmentState) -> bool:
        """Return whether the newest copy of *tier*, durable or in flight, is that of *position* (s)."""
        checkpoints, clocks, firsts = self.tiers[tier], segment.clocks, segment.firsts
        made = state.ended[tier]
        if made > checkpoints.lost:
            durable_at = segment.start + (
                clocks.block_end(firsts, tier, made - 1) + checkpoints.durable_after
            )
            content = segment.position + clocks.content(firsts, tier, made - 1)
            return _are_equal(content, position) and not checkpoints.is_never_durable(durable_at)
        if checkpoints.in_flight is not None:
            return _are_equal(checkpoints.in_flight.position, position)
        return _are_equal(BEGINNING if checkpoints.newest is None else checkpoints.newest, position)

    def begin_rescue(
        self, tier: int, position: float, now: float, until: float, *, holds: bool, useful: bool
    ) -> float:
        """Begin to save *position* in *tier*, unless it *holds* that; return when its block ends (s).

        The copy is durable at the instant *until* (s) at the latest if the save is *useful*.  Else a new one
        is never durable, and one in flight when it would have been anyway.
        """
        checkpoints = self.tiers[tier]
        self._rescue = None
        if holds:
            if useful:
                checkpoints.hasten(until)
            return now
        ends = now + checkpoints.tier.blocks
        at = min(ends + checkpoints.durable_after, until) if useful else math.inf
        self._rescue = tier, InFlight(position, at)
        return ends

    def end_rescue(self) -> None:
        """End the block of that save: its copy is in flight."""
        if self._rescue is not None:
            tier, copy = self._rescue
            self.tiers[tier].rescue, self._rescue = copy, None

    def close(self, tiers: Iterable[int], begin: float, until: float) -> None:
        """Make *tiers* unavailable from *begin* to *until* (s)."""
        for tier in tiers:
            self.tiers[tier].close(begin, until)


def _durable_runs(
    numbers: range, outages: Iterable[tuple[float, float]], durable_at: Callable[[int], float]
) -> list[range]:
    """Return the *numbers* of a segment's saves without those that became durable during *outages*.

    They come as ranges, since each outage takes consecutive ones out of the middle; for speed its ends are
    found by bisection instead of looking at each save.
    """
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


def _are_equal(position: float, other: float) -> bool:
    """Return whether two positions (s) are equal up to rounding."""
    return abs(position - other) <= REL_TOL * max(position, 1.0)
