"""A replication along time: productive time by instant, and a few hours of it activity by activity."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from clustersim.engine.journal import NOBODY, Phases
from clustersim.engine.ledger import ENTRIES
from clustersim.engine.segments import Segments, Training
from clustersim.records import Phase, StripRow

Array = np.ndarray[Any, np.dtype[Any]]

POINTS = 400
STRIP_INTERRUPTIONS = 8
STRIP_ROWS = 1500
PLANNED = (Phase.SAVING, Phase.MAINTENANCE)


def curve(training: Training, end: float) -> Array:
    """Return the productive time kept, in seconds, by each of 401 equally spaced instants from 0 to *end*.

    Within a segment the work that a later failure throws away is the newest, so what is kept comes first.
    """
    segments, instants = training.segments, np.linspace(0.0, end, POINTS + 1)
    before = np.concatenate(([0.0], np.cumsum(segments.kept)))
    begun = np.searchsorted(segments.start, instants, side="right")
    values = before[begun]
    inside = np.flatnonzero(begun)
    inside = inside[instants[inside] < segments.end[begun[inside] - 1]]
    segment = begun[inside] - 1
    useful = training.useful_by(segment, instants[inside])
    values[inside] = before[segment] + np.minimum(useful, segments.kept[segment])
    return values


@dataclass(frozen=True)
class Strip:
    """A window of a replication, from `begin` to `end` (s), cut into what the job did.

    `stages` and `causes` are the names behind the numbers in the journal.
    """

    begin: float
    end: float
    stages: Sequence[str]
    causes: Sequence[str]

    @classmethod
    def of_interruptions(
        cls, end: float, interruptions: int, stages: Sequence[str], causes: Sequence[str]
    ) -> Strip:
        """Return a window that holds about eight interruptions, a third of the way through the run."""
        length = end * min(1.0, STRIP_INTERRUPTIONS / max(interruptions, 1))
        begin = (end - length) / 3
        return cls(begin, begin + length, stages, causes)

    def rows(self, phases: Phases, training: Training) -> tuple[StripRow, ...]:
        """Return what was done when, in order of time.

        Where saves are too many to draw, the window is a shorter one, around its first failure.
        """
        found = list(itertools.islice(self._rows(phases, training), STRIP_ROWS + 1))
        if len(found) > STRIP_ROWS:
            shorter = self._around_failure(phases, found[-1].start - self.begin)
            found = list(itertools.islice(shorter._rows(phases, training), STRIP_ROWS + 1))
        return tuple(_before(found[STRIP_ROWS].start, found) if len(found) > STRIP_ROWS else found)

    def _rows(self, phases: Phases, training: Training) -> Iterator[StripRow]:
        """Yield what the job did, or the replicas that train together, and those that are down."""
        together = phases.lane == NOBODY
        job = heapq.merge(self._phases(phases, together & (phases.share > 0)), self._segments(training))
        for row in heapq.merge(job, sorted(self._phases(phases, ~together))):
            if row.end > self.begin and row.start < self.end:
                yield row._replace(start=max(row.start, self.begin), end=min(row.end, self.end))

    def _around_failure(self, phases: Phases, length: float) -> Strip:
        """Return a window of about that *length* (s) with the first failure of this one in its first half."""
        planned = np.isin(phases.phase, PLANNED)
        starts = phases.start[(phases.start > self.begin) & ~planned]
        begin = max(float(starts.min()) - 0.3 * length, self.begin) if starts.size else self.begin
        return replace(self, begin=begin, end=min(begin + length, self.end))

    def _phases(self, phases: Phases, chosen: Array) -> Iterator[StripRow]:
        for line in self._seen(phases, chosen):
            phase, stage, cause = Phase(phases.phase[line]), phases.stage[line], phases.cause[line]
            detail = self.stages[stage - 1] if stage else "" if phase in PLANNED else self._name(cause)
            start, end, lane = (column[line].item() for column in (phases.start, phases.end, phases.lane))
            yield StripRow(start, end, ENTRIES[phase].label, detail, lane)

    def _segments(self, training: Training) -> Iterator[StripRow]:
        for place in self._seen(training.segments):
            for start, end, entry, cause in training.pieces(place, self.begin, self.end):
                yield StripRow(start, end, entry.label, self._name(cause))

    def _seen(self, lines: Phases | Segments, chosen: Array | None = None) -> list[int]:
        inside = (lines.end > self.begin) & (lines.start < self.end)
        if chosen is not None:
            inside &= chosen
        seen: list[int] = np.flatnonzero(inside).tolist()
        return seen

    def _name(self, cause: int) -> str:
        return "" if cause == NOBODY else self.causes[cause]


def _before(end: float, rows: Sequence[StripRow]) -> Iterator[StripRow]:
    """Yield what of *rows* lies before the instant *end* (s)."""
    for row in rows:
        if row.start < end:
            yield row._replace(end=min(row.end, end))
