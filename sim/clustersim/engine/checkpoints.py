"""Save schedules: what an unbroken segment of training has done and saved, by arithmetic instead of events.

The k-th block of a segment (k = 0, 1, ...) begins `first + k x cycle` after the segment began.  Every instant
is computed as start + offset, never by repeated addition, so that ties with failures come out the same.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from clustersim.arrays import Array

INSTANT_TOL = 1e-12
"""Instants that are closer, relative to them, are one: each is a sum of a few terms, rounded as often."""


class SaveSchedule(Protocol):
    """Pure functions of a segment that began at *start* and is looked at at *now* (both s, wall-clock)."""

    def useful(self, start: float, now: float) -> float:
        """Return the training done, in seconds, without the blocks."""

    def saved(self, start: float, now: float) -> float:
        """Return the training that the newest durable copy holds, in seconds since the start."""

    def useful_each(self, start: Array, now: Array) -> Array:
        """Return `useful` for many segments at once, to the last digit the same."""

    def saved_each(self, start: Array, now: Array) -> Array:
        """Return `saved` for many segments at once, to the last digit the same."""

    def saving_each(self, start: Array, now: Array) -> Array:
        """Return for each segment whether training stands still for a save."""

    def offset_of(self, useful: float) -> float:
        """Return how long after its start a segment has done *useful* seconds of training."""

    def final_save(self, start: float, now: float) -> float:
        """Return the seconds from *now* until all work is saved for certain, if training stops to save it.

        Nothing is saved twice: where nothing was trained since a save has ended, only its copy is awaited.
        """

    def runs(self, start: float, now: float, since: float = -math.inf) -> Iterator[tuple[float, float]]:
        """Yield begin and end of each piece of training between the blocks.

        Those that have ended by the instant *since* are left out, but for the last of them.
        """


@dataclass(frozen=True, slots=True)
class NoSaves:
    """A job without checkpoints: a failure throws the whole segment away."""

    def useful(self, start: float, now: float) -> float:
        """Return the length of the segment."""
        return now - start

    def saved(self, start: float, now: float) -> float:
        """Return nothing."""
        return 0.0

    def useful_each(self, start: Array, now: Array) -> Array:
        """Return the lengths of the segments."""
        return now - start

    def saved_each(self, start: Array, now: Array) -> Array:
        """Return nothing for each."""
        return np.zeros_like(start)

    def saving_each(self, start: Array, now: Array) -> Array:
        """Return never for each."""
        return np.zeros(len(start), dtype=np.bool_)

    def offset_of(self, useful: float) -> float:
        """Return the same: training is never blocked."""
        return useful

    def final_save(self, start: float, now: float) -> float:
        """Return no time: nothing is saved."""
        return 0.0

    def runs(self, start: float, now: float, since: float = -math.inf) -> Iterator[tuple[float, float]]:
        """Yield the segment as one piece."""
        yield start, now


@dataclass(frozen=True, slots=True)
class PeriodicSaves:
    """A save each time `gap` seconds of training have passed since the end of the last block.

    `first` is the training before the first block, `blocks` the time for which training stands still,
    `durable_after` the time from the end of a block until its copy can be loaded.  All in seconds.
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

    @property
    def cycle(self) -> float:
        """From the beginning of one block to that of the next."""
        return self.gap + self.blocks

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

    def offset_of(self, useful: float) -> float:
        """Return how long after its start a segment has done *useful* seconds of training."""
        if useful <= self.first:
            return useful
        return useful + math.ceil((useful - self.first) / self.gap) * self.blocks

    def final_save(self, start: float, now: float) -> float:
        """Return the seconds until all work is saved: none where nothing was trained since the start."""
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

    def useful_each(self, start: Array, now: Array) -> Array:
        """Return `useful` for many segments at once, to the last digit the same."""
        begun = self._passed_each(self.first, start, now)
        block = self.first + (begun - 1) * self.cycle
        since = np.maximum(now - (start + (block + self.blocks)), 0.0)
        return np.where(begun == 0, now - start, self.first + (begun - 1) * self.gap + since)

    def saved_each(self, start: Array, now: Array) -> Array:
        """Return `saved` for many segments at once, to the last digit the same."""
        durable = self._passed_each(self.first + self.blocks + self.durable_after, start, now)
        return np.where(durable == 0, 0.0, self.first + (durable - 1) * self.gap)

    def saving_each(self, start: Array, now: Array) -> Array:
        """Return for each segment whether a block has begun and not ended."""
        ended = self._passed_each(self.first + self.blocks, start, now)
        return np.asarray(self._passed_each(self.first, start, now) > ended)

    def _passed_each(self, offset: float, start: Array, now: Array) -> Array:
        """Return `_passed` for many segments; one step of correction is all that rounding can ask for."""
        count = np.maximum(np.floor((now - start - offset) / self.cycle) + 1, 0.0)
        count += start + (offset + count * self.cycle) <= now
        count -= (count > 0) & (start + (offset + (count - 1) * self.cycle) > now)
        return np.asarray(count)

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


def _whole_steps(time: float, step: float) -> float:
    """Return the least whole number of steps that lasts *time*, up to rounding."""
    return max(math.ceil(time / step - 1e-9), 1) * step
