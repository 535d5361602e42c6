"""Segments of training: what each was worth, and what is charged for the rest.

A job saves each hour; a save stops it for 10 s and is durable at once.  It trains from 0 s until a failure at
9,000 s.  Two saves took 20 s, so the segment has 8,980 s of useful work; the second save holds 7,200 s, so
the failure throws away 1,780 s.  Its pieces are: productive to 3,600 s, saving to 3,610 s, productive to
7,210 s, saving to 7,220 s, lost to 9,000 s.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple, Protocol

import numpy as np

from clustersim.arrays import Array
from clustersim.engine.checkpoints import SavesOfMany
from clustersim.engine.journal import NOBODY, SegmentLines
from clustersim.engine.ledger import Causes, Entry

Piece = tuple[float, float, Entry, int]
"""Begin and end (s) of a part of a segment, the entry it is booked to, the cause it is charged to."""


class Segments(NamedTuple):
    """Training without a stop from `start` to `end` (s), in columns.

    `saving` says whether it ended in a save.  Of its `useful` work so much was `kept` (both s).  `cause` and
    `incident` are what threw the rest away, a failure or an abrupt planned stop; NOBODY where nothing did.
    """

    start: Array
    end: Array
    useful: Array
    kept: Array
    saving: Array
    cause: Array
    incident: Array


class Training(Protocol):
    """All training of a finished run, with what was kept and lost of it."""

    @property
    def loads(self) -> Mapping[int, int] | None:
        """The tier loaded after each incident, by its line; None where there is only one to load from."""

    @property
    def segments(self) -> Segments:
        """The segments, in order of time."""

    def book(self, charges: Array, causes: Causes, warm_up: float) -> float:
        """Add its costs after *warm_up* (s) to *charges* (cause x entry); return the seconds it kept."""

    def costs(self, incidents: int) -> dict[str, Array]:
        """Return the training lost to each of so many *incidents* (s), by column of their table."""

    def useful_by(self, numbers: Array, instants: Array) -> Array:
        """Return the work (s) that the segments *numbers* had done by *instants* (s), which lie in them."""

    def pieces(self, number: int, since: float, until: float) -> Iterator[Piece]:
        """Yield the pieces of segment *number*: training that was kept, training that was lost, and saves.

        Pieces that end before *since* (s) may be missing, and nothing is returned beyond *until* (s).
        """


class SinceLastSave:
    """Training of a job that falls back to the last save of the segment that a failure ended.

    Each segment begins with everything kept so far saved, so a *schedule* says all there is to know of it.
    """

    loads = None

    def __init__(self, lines: SegmentLines, saves: SavesOfMany) -> None:
        start, end, cause, incident = lines
        useful, broken = saves.useful(start, end), cause != NOBODY
        kept = np.where(broken, saves.saved(start, end), useful)
        self.segments = Segments(start, end, useful, kept, saves.saving(start, end), cause, incident)
        self._saves = saves

    def book(self, charges: Array, causes: Causes, warm_up: float) -> float:
        """Book lost training and saves after *warm_up* (s); return the seconds of training that were kept."""
        start, end, useful, kept, _, cause, _ = self.segments
        since = np.maximum(start, np.minimum(end, warm_up))
        before = self._saves.useful(start, since)
        productive = kept - np.minimum(before, kept)
        lost = useful - before - productive
        broken = lost > 0
        charges[:, Entry.LOST] += np.bincount(cause[broken], weights=lost[broken], minlength=len(charges))
        blocked = end - since - (useful - before)
        charges[causes.checkpoint, Entry.CHECKPOINT] += max(float(blocked.sum()), 0.0)
        return float(productive.sum())

    def costs(self, incidents: int) -> dict[str, Array]:
        """Return the training lost to each of so many *incidents* (s)."""
        broken = self.segments.incident != NOBODY
        lost = (self.segments.useful - self.segments.kept)[broken]
        return {"lost_s": sums(self.segments.incident[broken], lost, incidents)}

    def useful_by(self, numbers: Array, instants: Array) -> Array:
        """Return the work (s) that the segments *numbers* had done by *instants* (s), which lie in them."""
        return self._saves.at(numbers).useful(self.segments.start[numbers], instants)

    def pieces(self, number: int, since: float, until: float) -> Iterator[Piece]:
        """Yield the pieces of segment *number*, as `Training` describes."""
        start, end, _, kept, _, cause, _ = (column[number].item() for column in self.segments)
        end = min(end, until)
        schedule, saved_from = self._saves.of(number), start
        for begin, stop in schedule.runs(start, end, since):
            if begin > max(saved_from, since):
                yield saved_from, begin, Entry.CHECKPOINT, NOBODY
            turn = begin + max(kept - schedule.useful(start, begin), 0.0)
            if turn > begin:
                yield begin, min(turn, stop), Entry.PRODUCTIVE, NOBODY
            if turn < stop:
                yield max(turn, begin), stop, Entry.LOST, cause
            saved_from = stop
        if end > saved_from:
            yield saved_from, end, Entry.CHECKPOINT, NOBODY


def sums(numbers: Array, seconds: Array, count: int) -> Array:
    """Return the sum of *seconds* for each number below *count*; floats, also where *seconds* is empty."""
    return np.bincount(numbers, weights=seconds, minlength=count).astype(np.float64)
