"""Segments of training: what each was worth, and who is charged for the rest."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, Protocol

import numpy as np

from clustersim.engine.checkpoints import SaveSchedule
from clustersim.engine.journal import NOBODY, SegmentLines
from clustersim.engine.ledger import Causes, Entry

Array = np.ndarray[Any, np.dtype[Any]]
Piece = tuple[float, float, Entry, int]
"""Begin and end (s) of a part of a segment, the entry that it is booked to, and whom it is charged to."""


class Segments(NamedTuple):
    """Unbroken training from `start` to `end` (s), with its `useful` work and what of that was `kept` (s).

    `cause` is what threw the rest away, as a failure or an abrupt stop does; none where nothing did.
    `saving` says whether it ended in a save.
    """

    start: Array
    end: Array
    useful: Array
    kept: Array
    saving: Array
    cause: Array
    incident: Array


class Training(Protocol):
    """All training of a run, whose fate is known."""

    @property
    def loads(self) -> Mapping[int, int] | None:
        """Tiers by the line of the incident after which they were loaded, where there is a choice."""

    @property
    def segments(self) -> Segments:
        """The segments, in order of time."""

    def book(self, charges: Array, causes: Causes, warm_up: float) -> float:
        """Add to *charges* (cause x entry) what it cost after the *warm_up*; return what it kept (s)."""

    def costs(self, incidents: int) -> dict[str, Array]:
        """Return what training was lost to each of so many incidents (s), by column of their table."""

    def useful_by(self, numbers: Array, instants: Array) -> Array:
        """Return the work that the segments at *numbers* had done by *instants* within them (s)."""

    def pieces(self, number: int, since: float, until: float) -> Iterator[Piece]:
        """Cut the segment at *number* into training that was kept, that was lost, and saves.

        Pieces that end before *since* may be left out, and what lies behind *until* is.
        """


class SinceLastSave:
    """Training of a job that falls back to the last save of the segment that was broken: plain arithmetic."""

    loads = None

    def __init__(self, lines: SegmentLines, schedule: SaveSchedule) -> None:
        start, end, cause, incident = lines
        useful, broken = schedule.useful_each(start, end), cause != NOBODY
        kept = np.where(broken, schedule.saved_each(start, end), useful)
        self.segments = Segments(start, end, useful, kept, schedule.saving_each(start, end), cause, incident)
        self._schedule = schedule

    def book(self, charges: Array, causes: Causes, warm_up: float) -> float:
        """Book what the segments lost and stood still for, and return what they kept, in seconds."""
        start, end, useful, kept, _, cause, _ = self.segments
        since = np.maximum(start, np.minimum(end, warm_up))
        before = self._schedule.useful_each(start, since)
        productive = kept - np.minimum(before, kept)
        lost = useful - before - productive
        broken = lost > 0
        charges[:, Entry.LOST] += np.bincount(cause[broken], weights=lost[broken], minlength=len(charges))
        blocked = end - since - (useful - before)
        charges[causes.checkpoint, Entry.CHECKPOINT] += max(float(blocked.sum()), 0.0)
        return float(productive.sum())

    def costs(self, incidents: int) -> dict[str, Array]:
        """Return the work (s) that each of so many incidents threw away."""
        struck = self.segments.incident != NOBODY
        lost = (self.segments.useful - self.segments.kept)[struck]
        return {"lost_s": sums(self.segments.incident[struck], lost, incidents)}

    def useful_by(self, numbers: Array, instants: Array) -> Array:
        """Return the work that the segments at *numbers* had done by *instants* within them (s)."""
        return self._schedule.useful_each(self.segments.start[numbers], instants)

    def pieces(self, number: int, since: float, until: float) -> Iterator[Piece]:
        """Cut the segment at *number* into training that was kept, that was lost, and saves.

        Pieces that end before *since* may be left out, and what lies behind *until* is.
        """
        start, end, _, kept, _, cause, _ = (column[number].item() for column in self.segments)
        end = min(end, until)
        saved_from = start
        for begin, stop in self._schedule.runs(start, end, since):
            if begin > max(saved_from, since):
                yield saved_from, begin, Entry.CHECKPOINT, NOBODY
            turn = begin + max(kept - self._schedule.useful(start, begin), 0.0)
            if turn > begin:
                yield begin, min(turn, stop), Entry.PRODUCTIVE, NOBODY
            if turn < stop:
                yield max(turn, begin), stop, Entry.LOST, cause
            saved_from = stop
        if end > saved_from:
            yield saved_from, end, Entry.CHECKPOINT, NOBODY


def sums(numbers: Array, seconds: Array, count: int) -> Array:
    """Return the sum of *seconds* by number, as floats: bincount returns integers where there are none."""
    return np.bincount(numbers, weights=seconds, minlength=count).astype(np.float64)
