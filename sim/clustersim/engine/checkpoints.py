"""Save schedules: what an unbroken segment of training has done and saved, by arithmetic instead of events.

The k-th block of a segment (k = 0, 1, ...) begins `first + k x cycle` after the segment began.  Every instant
is computed as start + offset, never by repeated addition, so that ties with failures come out the same.

A job saves each 100 s of training, a save stops it for 10 s, and its copy is durable 30 s later.  Its blocks
begin at 100 s, 210 s and 320 s.  A failure at 245 s strikes after 225 s of training, the two saves having
taken 20 s.  The copy made at 210 s would be durable at 250 s, so the job goes back to the 100 s that the
first copy holds, and has lost 125 s.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from clustersim.arrays import Array

INSTANT_TOL = 1e-12
"""Instants that are closer, relative to them, are one: each is a sum of a few terms, rounded as often."""


@dataclass(frozen=True, slots=True)
class PeriodicSaves:
    """A save each time `gap` seconds of training have passed since the end of the last block.

    `first` is the training before the first block, `blocks` the time for which training stands still,
    `durable_after` the time from the end of a block until its copy can be loaded.  All in seconds.  Its
    methods are pure functions of a segment that began at *start* and is looked at at *now* (s, wall-clock).
    """

    first: float
    gap: float
    blocks: float
    durable_after: float

    @classmethod
    def every(
        cls, interval: float, blocks: float, durable_after: float = 0.0, step: float | None = None
    ) -> PeriodicSaves:
        """Return the schedule of one tier: one save in flight, saves at the ends of whole steps.

        A save that is due while the copy before it is not yet durable waits for it, and training goes on.
        """
        first, gap = interval, max(interval, durable_after)
        if step is not None:
            first, gap = _whole_steps(first, step), _whole_steps(gap, step)
        return cls(first, gap, blocks, durable_after)

    @classmethod
    def never(cls) -> PeriodicSaves:
        """Return the schedule of a job without checkpoints: its first save never comes."""
        return cls(math.inf, 1.0, 0.0, 0.0)

    @property
    def cycle(self) -> float:
        """From the beginning of one block to that of the next."""
        return self.gap + self.blocks

    @property
    def each(self) -> SavesOfMany:
        """The same schedule for any number of segments."""
        return SavesOfMany(np.array(self.first), np.array(self.gap), self.blocks, self.durable_after)

    def useful(self, start: float, now: float) -> float:
        """Return the training done, in seconds, without the blocks."""
        begun = self._passed(self.first, start, now)
        if begun == 0:
            return now - start
        block = self.first + (begun - 1) * self.cycle
        since = now - (start + (block + self.blocks))
        return self.first + (begun - 1) * self.gap + max(since, 0.0)

    def saved(self, start: float, now: float) -> float:
        """Return the training at the beginning of the newest block whose copy is durable."""
        durable = self._passed(self.first + self.blocks + self.durable_after, start, now)
        return self.first + (durable - 1) * self.gap if durable else 0.0

    def is_saving(self, start: float, now: float) -> bool:
        """Return whether a block has begun and not ended."""
        begun = self._passed(self.first, start, now)
        return begun > 0 and start + (self.first + (begun - 1) * self.cycle + self.blocks) > now

    def offset_of(self, useful: float) -> float:
        """Return how long after its start a segment has done *useful* seconds of training."""
        if useful <= self.first:
            return useful
        return useful + math.ceil((useful - self.first) / self.gap) * self.blocks

    def final_save(self, start: float, now: float) -> float:
        """Return the seconds from *now* until all work is saved for certain, if training stops to save it.

        Nothing is saved twice: where nothing was trained since a save has ended, only its copy is awaited,
        and nothing at all where nothing was trained since the start.
        """
        begun = self._passed(self.first, start, now)
        trained_from = start + (self.first + (begun - 1) * self.cycle + self.blocks) if begun else start
        if 0.0 <= now - trained_from <= INSTANT_TOL * now:
            return self.durable_after if begun else 0.0
        return self.blocks + self.durable_after

    def runs(self, start: float, now: float, since: float = -math.inf) -> Iterator[tuple[float, float]]:
        """Yield begin and end of each piece of training between the blocks.

        Those that have ended by the instant *since* are left out, but for the last of them.
        """
        number = max(self._passed(self.first, start, since) - 1, 0)
        begin = start + (self.first + (number - 1) * self.cycle + self.blocks) if number else start
        while begin < now:
            yield begin, min(start + (self.first + number * self.cycle), now)
            begin = start + (self.first + number * self.cycle + self.blocks)
            number += 1

    def _passed(self, offset: float, start: float, now: float) -> int:
        """Return how many of the instants start + (offset + k x cycle) are not after *now*."""
        if start + offset > now:
            return 0
        count = int((now - start - offset) / self.cycle) + 1
        while start + (offset + count * self.cycle) <= now:
            count += 1
        while start + (offset + (count - 1) * self.cycle) > now:
            count -= 1
        return count


class SavesOfMany:
    """The schedules of many segments, in columns: the results of `PeriodicSaves` to the last digit.

    `first` and `gap` have a value for each segment, or one for all.
    """

    def __init__(self, first: Array, gap: Array, blocks: float, durable_after: float) -> None:
        self.first = first
        self.gap = gap
        self.cycle = gap + blocks
        self.blocks = blocks
        self.durable_after = durable_after

    def at(self, places: Array) -> SavesOfMany:
        """Return the schedules of the segments at *places*."""
        if self.first.ndim == 0:
            return self
        return SavesOfMany(self.first[places], self.gap[places], self.blocks, self.durable_after)

    def of(self, place: int) -> PeriodicSaves:
        """Return the schedule of the segment at *place*."""
        first, gap = (column if column.ndim == 0 else column[place] for column in (self.first, self.gap))
        return PeriodicSaves(float(first), float(gap), self.blocks, self.durable_after)

    def useful(self, start: Array, now: Array) -> Array:
        """Return the training done, in seconds, without the blocks."""
        begun = self._passed(self.first, start, now)
        block = self.first + (begun - 1) * self.cycle
        since = np.maximum(now - (start + (block + self.blocks)), 0.0)
        return np.where(begun == 0, now - start, self.first + (begun - 1) * self.gap + since)

    def saved(self, start: Array, now: Array) -> Array:
        """Return the training at the beginning of the newest block whose copy is durable."""
        durable = self._passed(self.first + self.blocks + self.durable_after, start, now)
        return np.where(durable == 0, 0.0, self.first + (durable - 1) * self.gap)

    def saving(self, start: Array, now: Array) -> Array:
        """Return for each segment whether a block has begun and not ended."""
        ended = self._passed(self.first + self.blocks, start, now)
        return np.asarray(self._passed(self.first, start, now) > ended)

    def _passed(self, offset: Array, start: Array, now: Array) -> Array:
        """Return `PeriodicSaves._passed`; one step of correction is all that rounding can ask for."""
        count = np.maximum(np.floor((now - start - offset) / self.cycle) + 1, 0.0)
        count += start + (offset + count * self.cycle) <= now
        count -= (count > 0) & (start + (offset + (count - 1) * self.cycle) > now)
        return np.asarray(count)


def _whole_steps(time: float, step: float) -> float:
    """Return the least whole number of steps that lasts *time*, up to rounding."""
    return max(math.ceil(time / step - 1e-9), 1) * step
