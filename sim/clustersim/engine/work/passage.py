"""Many stretches that just follow each other, worked out at once.

Where nothing is lost between them, the blocks of all tiers come at fixed places of the work, whatever stops
and goes.  So they are laid out once, on a clock that runs only in stretches; the stretches are found among
them by arithmetic on columns, to the same results as one by one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from clustersim.engine.work.copies import Copies
from clustersim.engine.work.lineage import Lineage, Stretch
from clustersim.engine.work.tiers import NEXT_TO_NOTHING

Array = np.ndarray[Any, np.dtype[Any]]

FEW, MANY = 32, 256
"""Fewer stretches are quicker one by one; more are worked out in parts."""
BLOCKS = 8
"""With more blocks than so many in each stretch it is quicker to jump over them one by one."""


def follow(stretches: Sequence[Stretch], line: Lineage, copies: Copies) -> int:
    """Go on along the *line* by the first of the *stretches*; return how many, 0 where it is of no use."""
    some = stretches[:MANY]
    if len(some) < FEW or not copies.are_regular or any(one.paces for one in some):
        return 0
    told = np.array([(one.start, one.end, one.share, one.rate, one.cause, one.incident) for one in some])
    start, end, share, rate, cause, incident = told.T
    length = float((end - start).sum())
    if length > BLOCKS * len(some) * min(copies.clocks.gaps):
        return 0
    ahead = Ahead.of(copies, line.place, start[0].item(), length)
    passed = ahead.passed(end - start)
    _save(copies, ahead, line.place, passed, start, end[-1].item())
    begun, trained = ahead.trained_by(passed.since), ahead.trained_by(passed.until)
    place, done, saving = line.place + begun, trained - begun, passed.saving
    firsts = np.maximum(ahead.next_dues(passed.since) - begun[:, None], 0.0)
    progress = line.progress + np.cumsum(rate * done)
    before = np.concatenate(([line.progress], progress[:-1]))
    columns = start, end, place, done, saving, share, rate, cause, incident, before
    line.add_many(np.column_stack((*columns, firsts)), line.place + trained[-1].item(), progress[-1].item())
    return len(some)


class Passed(NamedTuple):
    """When each stretch begins and ends on the clock of the stretches (s), and whether it ends in a block."""

    since: Array
    until: Array
    saving: Array


class Ahead(NamedTuple):
    """The blocks ahead, in order, on the clock of the stretches (s).

    Each has a `begin`, an `end` and a `tier`; `spent` is the length of the first so many together, `counts`
    tells how many of them are of each tier.  A tier's first is due after so much training as `dues` says.
    """

    begin: Array
    end: Array
    tier: Array
    spent: Array
    counts: Array
    dues: Array
    gaps: Array

    @classmethod
    def of(cls, copies: Copies, place: float, now: float, length: float) -> Ahead:
        """Return the blocks that begin within *length* seconds where the job goes on *now*, at *place*."""
        dues, gaps = np.array(copies.firsts(place, now)), np.array(copies.clocks.gaps)
        sizes = np.maximum(np.floor((length - dues) / gaps) + 2, 0).astype(np.int64)
        tier = np.repeat(np.arange(len(dues)), sizes)
        at = dues[tier] + np.concatenate([np.arange(size) for size in sizes]) * gaps[tier]
        order = np.argsort(at, kind="stable")
        at, tier = at[order], tier[order]
        _by_tier(at, tier)
        blocks = np.array(copies.clocks.blocks)[tier]
        spent = np.concatenate(([0.0], np.cumsum(blocks)))
        begin = at + spent[:-1]
        counts = np.zeros((len(at) + 1, len(dues)), dtype=np.int64)
        np.cumsum(tier[:, None] == np.arange(len(dues)), axis=0, out=counts[1:])
        return cls(begin, begin + blocks, tier, spent, counts, dues, gaps)

    def passed(self, lengths: Array) -> Passed:
        """Return what the clock says of stretches of such *lengths* (s).

        A block that is broken off begins again: the clock goes back to where it began.
        """
        until, saving, number = np.cumsum(lengths), np.zeros(len(lengths), dtype=np.bool_), 0
        while number < len(lengths):
            rest = until[number:]
            block = np.searchsorted(self.begin, rest, side="right") - 1
            inside = (block >= 0) & (rest < self.end[block])
            if not inside.any():
                break
            first = int(np.argmax(inside))
            back = self.begin[block[first]]
            rest[first + 1 :] -= rest[first] - back
            rest[first], saving[number + first] = back, True
            number += first + 1
        return Passed(np.concatenate(([0.0], until[:-1])), until, saving)

    def trained_by(self, clock: Array) -> Array:
        """Return how long (s) the job has trained by such readings of the *clock*."""
        return np.asarray(clock - self.spent[self._ended_by(clock)])

    def next_dues(self, clock: Array) -> Array:
        """Return by tier after how much training (s) the next block is due by readings of the *clock*."""
        return np.asarray(self.dues + self.counts[self._ended_by(clock)] * self.gaps)

    def made(self, clock: float) -> list[int]:
        """Return how many blocks of each tier have ended by a reading of the *clock*."""
        made: list[int] = self.counts[self._ended_by(np.array(clock))].tolist()
        return made

    def _ended_by(self, clock: Array) -> Array:
        return np.asarray(np.searchsorted(self.end, clock, side="right"))


def _by_tier(at: Array, tier: Array) -> None:
    """Put blocks of one place into the order of their tiers, whatever the last digit of *at* says."""
    equal = np.diff(at) <= NEXT_TO_NOTHING * at[1:]
    while (wrong := np.flatnonzero(equal & (np.diff(tier) < 0))).size:
        wrong = wrong[np.diff(wrong, prepend=-2) > 1]
        tier[wrong], tier[wrong + 1] = tier[wrong + 1], tier[wrong]


def _save(copies: Copies, ahead: Ahead, place: float, passed: Passed, start: Array, now: float) -> None:
    """Let the tiers hold what was saved *ahead* of a *place* until *now*, in stretches that *start* then."""
    for tier, made in enumerate(ahead.made(passed.until[-1])):
        if made:
            end = ahead.end[np.flatnonzero(ahead.tier == tier)[made - 1]]
            number = np.searchsorted(passed.until, end)
            ended = start[number] + (end - passed.since[number])
            copies.take_in_many(tier, place + ahead.dues[tier].item(), made, ended.item(), now)
