"""A replication along time: productive time by instant, and a few hours of it activity by activity."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sim.engine.checkpoints import SaveSchedule
from sim.engine.journal import NOBODY, Phases, Stretches
from sim.engine.ledger import ENTRIES, Entry
from sim.records import Doing

Array = np.ndarray[Any, np.dtype[np.float64]]
StripRow = tuple[float, float, str, str]

POINTS = 400
STRIP_INTERRUPTIONS = 8
STRIP_ROWS = 1500


def curve(stretches: Stretches, schedule: SaveSchedule, end: float) -> Array:
    """Return the productive time kept, in seconds, by each of 401 equally spaced instants from 0 to *end*.

    Within a stretch the work that a later failure throws away is the newest, so what is kept comes first.
    """
    instants = np.linspace(0.0, end, POINTS + 1)
    before = np.concatenate(([0.0], np.cumsum(stretches.kept)))
    begun = np.searchsorted(stretches.start, instants, side="right")
    values = before[begun]
    inside = np.flatnonzero(begun)
    inside = inside[instants[inside] < stretches.end[begun[inside] - 1]]
    stretch = begun[inside] - 1
    useful = schedule.useful_each(stretches.start[stretch], instants[inside])
    values[inside] = before[stretch] + np.minimum(useful, stretches.kept[stretch])
    return values


@dataclass(frozen=True)
class Strip:
    """A window of a replication, from `begin` to `end` (s), cut into what the job did.

    `stages` and `causes` are the names behind the numbers in the journal.
    """

    begin: float
    end: float
    schedule: SaveSchedule
    stages: Sequence[str]
    causes: Sequence[str]

    @classmethod
    def of_interruptions(
        cls,
        end: float,
        interruptions: int,
        schedule: SaveSchedule,
        stages: Sequence[str],
        causes: Sequence[str],
    ) -> Strip:
        """Return a window that holds about eight interruptions, a third of the way through the run."""
        length = end * min(1.0, STRIP_INTERRUPTIONS / max(interruptions, 1))
        begin = (end - length) / 3
        return cls(begin, begin + length, schedule, stages, causes)

    def rows(self, phases: Phases, stretches: Stretches) -> tuple[StripRow, ...]:
        """Return (start, end, activity, detail) in order; cut short where saves are too many to draw."""
        parts = heapq.merge(self._phases(phases), self._stretches(stretches))
        inside = (part for part in parts if part[1] > self.begin and part[0] < self.end)
        return tuple(
            (max(start, self.begin), min(end, self.end), activity, detail)
            for start, end, activity, detail in itertools.islice(inside, STRIP_ROWS)
        )

    def _phases(self, phases: Phases) -> Iterator[StripRow]:
        for line in self._seen(phases):
            entry, stage, cause = ENTRIES[Doing(phases.doing[line])], phases.stage[line], phases.cause[line]
            detail = self.stages[stage - 1] if stage else self._name(cause)
            yield float(phases.start[line]), float(phases.end[line]), entry.label, detail

    def _stretches(self, stretches: Stretches) -> Iterator[StripRow]:
        for line in self._seen(stretches):
            start, end, _, kept, _, cause, _ = (column[line].item() for column in stretches)
            yield from self._parts(start, min(end, self.end), kept, self._name(cause))

    def _parts(self, start: float, end: float, kept: float, cause: str) -> Iterator[StripRow]:
        """Cut a stretch into training that was kept, training that was lost, and saves."""
        saved_from = start
        for begin, stop in self.schedule.runs(start, end):
            if begin > saved_from:
                yield saved_from, begin, Entry.CHECKPOINT.label, ""
            turn = begin + max(kept - self.schedule.useful(start, begin), 0.0)
            if turn > begin:
                yield begin, min(turn, stop), Entry.PRODUCTIVE.label, ""
            if turn < stop:
                yield max(turn, begin), stop, Entry.LOST.label, cause
            saved_from = stop
        if end > saved_from:
            yield saved_from, end, Entry.CHECKPOINT.label, ""

    def _seen(self, lines: Phases | Stretches) -> list[int]:
        seen: list[int] = np.flatnonzero((lines.end > self.begin) & (lines.start < self.end)).tolist()
        return seen

    def _name(self, cause: int) -> str:
        return "" if cause == NOBODY else self.causes[cause]
