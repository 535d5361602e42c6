"""A replication along time: its productive time by instant, and a few hours of it phase by phase.

A job saves each hour and fails at 9,000 s, so its first segment keeps 7,200 s of 9,000 s.  If saves take no
time, the curve rises to 7,200 s in the first 7,200 s and stays there until the job trains again.  In the
strip this segment is productive to 7,200 s and lost from there on; detection and recovery follow it.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from clustersim.arrays import Array
from clustersim.engine.journal import NOBODY, Phases
from clustersim.engine.ledger import ENTRIES
from clustersim.engine.segments import Segments, Training
from clustersim.records import Phase, StripRow

POINTS = 400
"""Intervals of the curve: a figure is about 800 pixels wide, so more points could not be told apart."""
STRIP_INTERRUPTIONS = 8
"""Interruptions in a strip: enough to see that they differ, few enough for the stages of each to be seen."""
STRIP_ROWS = 1500
"""Most rows of a strip: with more, each would be narrower than a pixel, and every page would carry them."""
PLANNED = (Phase.SAVING, Phase.MAINTENANCE)


def curve_instants(end: float) -> Array:
    """Return the 401 equally spaced instants of a curve, from 0 to *end* (s)."""
    return np.linspace(0.0, end, POINTS + 1)


def curve(training: Training, end: float) -> Array:
    """Return the productive time (s) that was kept of the work done by each of the `curve_instants`.

    Within a segment the work that a later failure throws away is the newest, so what is kept comes first.
    """
    segments, instants = training.segments, curve_instants(end)
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
class TimelineWindow:
    """The part of a replication from `begin` to `end` (s), which the strip of a report shows.

    `stages` and `causes` are the names of what the journal knows by number.
    """

    begin: float
    end: float
    stages: Sequence[str]
    causes: Sequence[str]

    @classmethod
    def of_interruptions(
        cls, end: float, interruptions: int, stages: Sequence[str], causes: Sequence[str]
    ) -> TimelineWindow:
        """Return a window with about eight *interruptions* of a run that ends at *end* (s).

        It lies a third of the way into the run, well past its start.
        """
        length = end * min(1.0, STRIP_INTERRUPTIONS / max(interruptions, 1))
        begin = (end - length) / 3
        return cls(begin, begin + length, stages, causes)

    def rows(self, phases: Phases, training: Training) -> tuple[StripRow, ...]:
        """Return what the job did in the window, in order of time.

        Where saves are too many to draw, the window shrinks to a part of it around its first failure.
        """
        rows = list(itertools.islice(self._rows(phases, training), STRIP_ROWS + 1))
        if len(rows) > STRIP_ROWS:
            shorter = self._around_failure(phases, rows[-1].start - self.begin)
            rows = list(itertools.islice(shorter._rows(phases, training), STRIP_ROWS + 1))
        return tuple(_before(rows[STRIP_ROWS].start, rows) if len(rows) > STRIP_ROWS else rows)

    def _rows(self, phases: Phases, training: Training) -> Iterator[StripRow]:
        """Yield rows of the job, or of the replicas that train together, and of each replica that is down."""
        together = phases.lane == NOBODY
        job = heapq.merge(self._phases(phases, together & (phases.share > 0)), self._segments(training))
        for row in heapq.merge(job, sorted(self._phases(phases, ~together))):
            if row.end > self.begin and row.start < self.end:
                yield row._replace(start=max(row.start, self.begin), end=min(row.end, self.end))

    def _around_failure(self, phases: Phases, length: float) -> TimelineWindow:
        """Return a part of this window of *length* (s) that begins somewhat before a failure.

        That is the first failure in the window, so that the strip shows what it does.
        """
        planned = np.isin(phases.phase, PLANNED)
        starts = phases.start[(phases.start > self.begin) & ~planned]
        begin = max(float(starts.min()) - 0.3 * length, self.begin) if starts.size else self.begin
        return replace(self, begin=begin, end=min(begin + length, self.end))

    def _phases(self, phases: Phases, chosen: Array) -> Iterator[StripRow]:
        """Yield a row for each of the *chosen* phases in the window."""
        for line in self._lines(phases, chosen):
            phase, stage, cause = Phase(phases.phase[line]), phases.stage[line], phases.cause[line]
            detail = self.stages[stage - 1] if stage else "" if phase in PLANNED else self._name(cause)
            start, end, lane = (column[line].item() for column in (phases.start, phases.end, phases.lane))
            yield StripRow(start, end, ENTRIES[phase].label, detail, lane)

    def _segments(self, training: Training) -> Iterator[StripRow]:
        """Yield the rows of the segments in the window: training that was kept, that was lost, and saves."""
        for number in self._lines(training.segments):
            for start, end, entry, cause in training.pieces(number, self.begin, self.end):
                yield StripRow(start, end, entry.label, self._name(cause))

    def _lines(self, columns: Phases | Segments, chosen: Array | None = None) -> list[int]:
        """Return the numbers of the lines that overlap the window, of those that are *chosen*."""
        inside = (columns.end > self.begin) & (columns.start < self.end)
        if chosen is not None:
            inside &= chosen
        numbers: list[int] = np.flatnonzero(inside).tolist()
        return numbers

    def _name(self, cause: int) -> str:
        return "" if cause == NOBODY else self.causes[cause]


def _before(end: float, rows: Sequence[StripRow]) -> Iterator[StripRow]:
    """Yield *rows* up to the instant *end* (s), and cut off those that go on beyond it."""
    for row in rows:
        if row.start < end:
            yield row._replace(end=min(row.end, end))
