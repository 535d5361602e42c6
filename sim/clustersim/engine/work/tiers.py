"""When several tiers of checkpoints save within one segment of training, by arithmetic instead of events.

A save stops training for a *block*.  Block k of tier i begins when `firsts[i] + k x gaps[i]` of training has
been done since the segment began, counted in steps where the job has steps, else in seconds.  Blocks that are
due at the same training follow each other in the order of the tiers.  So a block begins, on the wall clock,
at its training plus the lengths of all blocks before it.

Tier 0 saves each 100 s for 1 s, tier 1 each 200 s for 5 s.  Tier 0 saves at 100 s; at 201 s, after 200 s of
training, tier 0 saves until 202 s and tier 1 until 207 s.  At 250 s the segment has done 243 s of training,
two blocks of tier 0 and one of tier 1 have ended, and no tier is saving.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from operator import mul
from typing import Final, NamedTuple

from clustersim.scenario.keys.tiers import Tier

NO_TIER: Final = -1
REL_TOL: Final = 1e-9
"""Positions closer than this, relative to them, are equal: a position is a sum over many segments, each of
which rounds by 1e-16 of it, and saves are never this close to each other."""
FEW_BLOCKS: Final = 8
"""Blocks that are counted one by one; counting more of them at once by `_surely_ended` costs less."""
Firsts = tuple[float, ...]
"""The training before the first block of each tier in a segment, in steps or seconds."""


class SegmentState(NamedTuple):
    """How far a segment is: seconds of training `done`, blocks `ended` by tier, the tier that is `saving`.

    `saving` is NO_TIER while the segment trains.
    """

    done: float
    ended: Sequence[int]
    saving: int


class TierClocks:
    """When each tier saves: pure functions of the beginning of a segment and of its `firsts`.

    A save that is due while the copy before it is not durable waits for that.  The wait is counted in
    training, so blocks of other tiers come on top of it.  `unit` is the length (s) of a step, or 1 s;
    `spacings` is the training (s) between two saves of a tier in one segment.  Where intervals follow the
    failures, each segment has clocks of its own, at *intervals* (s) other than those of the tiers.
    """

    def __init__(
        self, tiers: Sequence[Tier], step: float | None, intervals: Sequence[float] | None = None
    ) -> None:
        self._tiers = tiers
        self.step = step
        self.unit = step or 1.0
        self.blocks = tuple(tier.blocks for tier in tiers)
        self.durable_after = tuple(tier.durable_after for tier in tiers)
        self.intervals = [tier.interval for tier in tiers] if intervals is None else intervals
        longest = map(max, self.intervals, self.durable_after)
        self.gaps = tuple(max(self.units(gap), 1.0 if step else 0.0) for gap in longest)
        self.spacings = tuple(gap * self.unit for gap in self.gaps)
        slopes = (block / (gap * self.unit) for block, gap in zip(self.blocks, self.gaps, strict=True))
        self._slope = 1 + math.fsum(slopes)
        self._none = (0,) * len(self.blocks)
        self._few_blocks_s = FEW_BLOCKS * min(self.gaps, default=0.0) * self.unit

    def at(self, intervals: Sequence[float]) -> TierClocks:
        """Return the clocks of the same tiers at other *intervals* (s)."""
        return TierClocks(self._tiers, self.step, intervals)

    def units(self, seconds: float) -> float:
        """Return *seconds* in steps, rounded up to whole ones; in seconds where the job has no steps."""
        if self.step is not None:
            return float(max(math.ceil(seconds / self.step - REL_TOL), 0))
        return seconds if seconds > REL_TOL else 0.0

    def content(self, firsts: Firsts, tier: int, number: int) -> float:
        """Return the training (s) that the copy of block *number* (from 0) of *tier* holds of its segment."""
        return (firsts[tier] + number * self.gaps[tier]) * self.unit

    def state(self, firsts: Firsts, start: float, now: float) -> SegmentState:
        """Return how far a segment that began at *start* (s) is at the instant *now* (s)."""
        unit, blocks, gaps = self.unit, self.blocks, self.gaps
        due = min(firsts) if firsts else math.inf
        if start + due * unit > now:
            return SegmentState(min(now - start, due * unit), self._none, NO_TIER)
        if now - start < self._few_blocks_s:
            ended, dues, spent = list(self._none), list(firsts), 0.0
        else:
            ended = self._surely_ended(firsts, now - start)
            dues = [first + count * gap for first, count, gap in zip(firsts, ended, gaps, strict=True)]
            due, spent = min(dues), sum(map(mul, blocks, ended))
        while start + (due * unit + spent) <= now:
            tier = dues.index(due)
            if tier:
                tier = _first_of_equals(dues, due)
            done = dues[tier] * unit
            if start + (done + spent + blocks[tier]) > now:
                return SegmentState(done, ended, tier)
            ended[tier] = count = ended[tier] + 1
            dues[tier] = firsts[tier] + count * gaps[tier]
            due, spent = min(dues), sum(map(mul, blocks, ended))
        done = now - (start + spent)
        return SegmentState(done if done > 0.0 else 0.0, ended, NO_TIER)

    def saving_until(self, start: float, state: SegmentState) -> float:
        """Return when the block under way ends in a segment that began at *start* (s), to the last digit."""
        spent: float = sum(map(mul, self.blocks, state.ended))
        return start + (state.done + spent + self.blocks[state.saving])

    def block_end(self, firsts: Firsts, tier: int, number: int) -> float:
        """Return how long after the beginning of a segment block *number* (from 0) of *tier* ends (s)."""
        at = firsts[tier] + number * self.gaps[tier]
        spent = self.blocks[tier] * (number + 1)
        for other in range(len(firsts)):
            if other != tier:
                spent += self.blocks[other] * self._begun(firsts, other, at, including=other < tier)
        return at * self.unit + spent

    def offset_of(self, firsts: Firsts, done: float) -> float:
        """Return how long after its beginning a segment has *done* so much training (s)."""
        at = done / self.unit
        begun = (self._begun(firsts, tier, at, including=False) for tier in range(len(firsts)))
        return done + math.fsum(blocks * count for blocks, count in zip(self.blocks, begun, strict=True))

    def runs(
        self, firsts: Firsts, start: float, end: float, since: float = -math.inf
    ) -> Iterator[tuple[float, float]]:
        """Yield begin and end (s) of each piece of training between the blocks, until *end*.

        Pieces that ended before *since* are skipped, except for the last of them and possibly a few more.
        """
        if not firsts and start < end:
            yield start, end
            return
        # Blocks due at the same training follow each other, so the last piece may end so long before *since*.
        early = since - sum(self.blocks) - self._few_blocks_s
        ended = self._surely_ended(firsts, early - start) if early > start else [0] * len(firsts)
        dues = [first + count * gap for first, count, gap in zip(firsts, ended, self.gaps, strict=True)]
        begin = start
        while begin < end:
            tier, spent = _first_of_equals(dues, min(dues)), sum(map(mul, self.blocks, ended))
            stop = start + (dues[tier] * self.unit + spent)
            # Until the counts have caught up they may include blocks later than this one: no piece then.
            if stop > begin and (stop > early or early <= start):
                yield begin, min(stop, end)
            ended[tier] += 1
            dues[tier] = firsts[tier] + ended[tier] * self.gaps[tier]
            begin = stop + self.blocks[tier]

    def _surely_ended(self, firsts: Firsts, elapsed: float) -> list[int]:
        """Return blocks by tier that have certainly ended after *elapsed* seconds, at most a few too few.

        Until it has done u of training, a segment begins at most u / gap + max(1 - first / gap, 0) blocks of
        a tier.  This bounds the time in blocks from above, and so the training done from below.
        """
        most = elapsed
        for first, gap, block in zip(firsts, self.gaps, self.blocks, strict=True):
            most -= block * max(1 - first / gap, 0.0)
        done = most / self._slope * (1 - REL_TOL) / self.unit
        return [max(int((done - first) / gap), 0) for first, gap in zip(firsts, self.gaps, strict=True)]

    def _begun(self, firsts: Firsts, tier: int, at: float, *, including: bool) -> int:
        """Return how many blocks of *tier* begin before *at* (in units), or also at it if *including*."""
        first, gap = firsts[tier], self.gaps[tier]
        limit = at * (1 + REL_TOL if including else 1 - REL_TOL)
        count = max(int((limit - first) / gap), 0)
        while (position := first + count * gap) < limit or (including and position <= limit):
            count += 1
        return count


def _first_of_equals(dues: Sequence[float], least: float) -> int:
    """Return the first tier that is due at *least*, the smallest of *dues*, up to rounding."""
    limit = least / (1 - REL_TOL)
    return next(tier for tier, due in enumerate(dues) if due <= limit)
