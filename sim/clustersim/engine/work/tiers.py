"""Several tiers of checkpoints in one segment of training, by arithmetic instead of events.

Block k of tier i begins when `firsts[i] + k x gaps[i]` of training has passed since the segment began,
counted in steps where the job has steps, else in seconds.  Training stands still in a block, and blocks of
one position follow each other in the order of the tiers; so a block begins, on the wall clock, at its
position in the training plus all blocks that began before it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from operator import mul
from typing import NamedTuple

from clustersim.scenario.keys.tiers import Tier

NO_TIER = -1
REL_TOL = 1e-9
ALMOST = 1 - REL_TOL
A_FEW = 8
Firsts = tuple[float, ...]


class Position(NamedTuple):
    """Where a segment is: seconds of training `done`, blocks `ended` by tier, the tier that is `saving`."""

    done: float
    ended: Sequence[int]
    saving: int


class TierClocks:
    """When each of some tiers saves: pure functions of a segment's beginning and its `firsts`.

    A copy that is due while the one before it is not durable waits for it.  That wait is counted in training
    time, so the blocks of other tiers come on top of it.  `unit` is a step, or a second, in seconds;
    `spacings` is the training (s) between two saves of a tier in one segment.
    """

    def __init__(self, tiers: Sequence[Tier], step: float | None) -> None:
        self.step = step
        self.unit = step or 1.0
        self.blocks = tuple(tier.blocks for tier in tiers)
        self.durable_after = tuple(tier.durable_after for tier in tiers)
        self.intervals = tuple(tier.interval for tier in tiers)
        longest = (max(tier.interval, tier.durable_after) for tier in tiers)
        self.gaps = tuple(max(self.units(gap), 1.0 if step else 0.0) for gap in longest)
        self.spacings = tuple(gap * self.unit for gap in self.gaps)
        slopes = (block / (gap * self.unit) for block, gap in zip(self.blocks, self.gaps, strict=True))
        self._slope = 1 + math.fsum(slopes)
        self._none = (0,) * len(self.blocks)
        self._soon = A_FEW * min(self.gaps, default=0.0) * self.unit

    def units(self, seconds: float) -> float:
        """Return *seconds* in units of the training, whole steps where there are steps."""
        if self.step is not None:
            return float(max(math.ceil(seconds / self.step - REL_TOL), 0))
        return seconds if seconds > REL_TOL else 0.0

    def content(self, firsts: Firsts, tier: int, number: int) -> float:
        """Return the training (s) that a segment has done when block *number* (from 0) of *tier* begins."""
        return (firsts[tier] + number * self.gaps[tier]) * self.unit

    def position(self, firsts: Firsts, start: float, now: float) -> Position:
        """Return where a segment that began at *start* is at the instant *now*."""
        unit, blocks, gaps = self.unit, self.blocks, self.gaps
        due = min(firsts) if firsts else math.inf
        if start + due * unit > now:
            return Position(min(now - start, due * unit), self._none, NO_TIER)
        if now - start < self._soon:
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
                return Position(done, ended, tier)
            ended[tier] = count = ended[tier] + 1
            dues[tier] = firsts[tier] + count * gaps[tier]
            due, spent = min(dues), sum(map(mul, blocks, ended))
        done = now - (start + spent)
        return Position(done if done > 0.0 else 0.0, ended, NO_TIER)

    def block_end(self, firsts: Firsts, tier: int, number: int) -> float:
        """Return how long after the beginning of a segment block *number* (from 0) of *tier* ends (s)."""
        at = firsts[tier] + number * self.gaps[tier]
        spent = self.blocks[tier] * (number + 1)
        for other in range(len(firsts)):
            if other != tier:
                spent += self.blocks[other] * self._begun(firsts, other, at, including=other < tier)
        return at * self.unit + spent

    def offset_of(self, firsts: Firsts, done: float) -> float:
        """Return how long after its beginning a segment has done so much training (s)."""
        at = done / self.unit
        begun = (self._begun(firsts, tier, at, including=False) for tier in range(len(firsts)))
        return done + math.fsum(blocks * count for blocks, count in zip(self.blocks, begun, strict=True))

    def runs(
        self, firsts: Firsts, start: float, end: float, since: float = -math.inf
    ) -> Iterator[tuple[float, float]]:
        """Yield begin and end of each piece of training between the blocks, until *end*.

        Those that have ended by the instant *since* are left out, but for the last of them, and a few more.
        """
        if not firsts and start < end:
            yield start, end
            return
        # Blocks of one position follow each other: the last piece needed may begin so long before *since*.
        early = since - sum(self.blocks) - self._soon
        ended = self._surely_ended(firsts, early - start) if early > start else [0] * len(firsts)
        dues = [first + count * gap for first, count, gap in zip(firsts, ended, self.gaps, strict=True)]
        begin = start
        while begin < end:
            tier, spent = _first_of_equals(dues, min(dues)), sum(map(mul, self.blocks, ended))
            stop = start + (dues[tier] * self.unit + spent)
            # While it catches up, a block may seem to come before others that are counted already.
            if stop > begin and (stop > early or early <= start):
                yield begin, min(stop, end)
            ended[tier] += 1
            dues[tier] = firsts[tier] + ended[tier] * self.gaps[tier]
            begin = stop + self.blocks[tier]

    def _surely_ended(self, firsts: Firsts, elapsed: float) -> list[int]:
        """Return blocks by tier that have ended for certain, at most a few fewer than have.

        Until so much training as u, tier i has begun at most u / gap + max(1 - first / gap, 0) blocks: this
        bounds the training that fits into *elapsed* from below.
        """
        most = elapsed
        for first, gap, block in zip(firsts, self.gaps, self.blocks, strict=True):
            most -= block * max(1 - first / gap, 0.0)
        done = most / self._slope * ALMOST / self.unit
        return [max(int((done - first) / gap), 0) for first, gap in zip(firsts, self.gaps, strict=True)]

    def _begun(self, firsts: Firsts, tier: int, at: float, *, including: bool) -> int:
        """Return how many blocks of *tier* begin before *at* (in units), or up to it if *including*."""
        first, gap = firsts[tier], self.gaps[tier]
        limit = at * (1 + REL_TOL if including else ALMOST)
        count = max(int((limit - first) / gap), 0)
        while (position := first + count * gap) < limit or (including and position <= limit):
            count += 1
        return count


def _first_of_equals(dues: Sequence[float], least: float) -> int:
    """Return the tier that is due first; of several at one position, whatever the last digit, the first."""
    limit = least / ALMOST
    return next(tier for tier, due in enumerate(dues) if due <= limit)
