"""A replication along time: productive time by instant, and a few hours of it activity by activity."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from sim.books import ENTRIES
from sim.checkpoints import SaveSchedule
from sim.ledger import Entry
from sim.records import Activity, Doing, Stretches

Array = np.ndarray[Any, np.dtype[np.float64]]
StripRow = tuple[float, float, str, str]

POINTS = 400
STRIP_INTERRUPTIONS = 8
STRIP_ROWS = 1500


def curve(stretches: Stretches, schedule: SaveSchedule, end: float) -> Array:
    """Return the productive time kept, in seconds, by each of 401 equally spaced instants from 0 to *end*.

    Within a stretch the work that a later failure throws away is the newest, so what is kept comes first.
    """
    starts, ends, kept = (np.asarray(column) for column in (stretches.start, stretches.end, stretches.kept))
    instants = np.linspace(0.0, end, POINTS + 1)
    if not len(starts):
        return np.zeros(POINTS + 1)
    before = np.concatenate(([0.0], np.cumsum(kept)))
    begun = np.searchsorted(starts, instants, side="right")
    values = before[begun]
    for index in np.flatnonzero((begun > 0) & (instants < ends[begun - 1])).tolist():
        stretch = begun[index] - 1
        useful = schedule.useful(float(starts[stretch]), float(instants[index]))
        values[index] = before[stretch] + min(useful, float(kept[stretch]))
    return values


def strip(
    activities: Sequence[Activity],
    schedule: SaveSchedule,
    stages: Sequence[str],
    causes: Sequence[str],
    end: float,
    interruptions: int,
) -> tuple[StripRow, ...]:
    """Return (start, end, activity, detail) of a window that holds about eight interruptions.

    The window begins a third of the way through the run, and is cut short where saves are too many to draw.
    """
    length = end * min(1.0, STRIP_INTERRUPTIONS / max(interruptions, 1))
    begin = (end - length) / 3
    rows: list[StripRow] = []
    for activity in activities:
        if activity.end > begin and activity.start < begin + length:
            for row in _rows(activity, schedule, stages, causes, begin, begin + length):
                rows.append(row)
                if len(rows) == STRIP_ROWS:
                    return tuple(rows)
    return tuple(rows)


def _rows(
    activity: Activity,
    schedule: SaveSchedule,
    stages: Sequence[str],
    causes: Sequence[str],
    begin: float,
    end: float,
) -> Iterator[StripRow]:
    """Return the parts of *activity* between *begin* and *end*."""
    if activity.doing is not Doing.TRAINING:
        entry = ENTRIES[activity.doing]
        detail = stages[activity.stage - 1] if entry is Entry.RECOVERY else causes[activity.cause]
        parts: Iterator[StripRow] = iter([(activity.start, activity.end, entry.label, detail)])
    else:
        parts = _parts_of_stretch(activity, schedule, causes, end)
    for start, stop, label, detail in parts:
        if stop > begin and start < end:
            yield max(start, begin), min(stop, end), label, detail


def _parts_of_stretch(
    stretch: Activity, schedule: SaveSchedule, causes: Sequence[str], limit: float
) -> Iterator[StripRow]:
    """Cut a stretch into training that was kept, training that was lost, and saves."""
    cause = causes[stretch.cause] if stretch.cause >= 0 else ""
    start = stretch.start
    for kept_from, kept_to in schedule.runs(stretch.start, min(stretch.end, limit)):
        if kept_from > start:
            yield start, kept_from, Entry.CHECKPOINT.label, ""
        turn = kept_from + max(stretch.kept - schedule.useful(stretch.start, kept_from), 0.0)
        if turn > kept_from:
            yield kept_from, min(turn, kept_to), Entry.PRODUCTIVE.label, ""
        if turn < kept_to:
            yield max(turn, kept_from), kept_to, Entry.LOST.label, cause
        start = kept_to
    if min(stretch.end, limit) > start:
        yield start, min(stretch.end, limit), Entry.CHECKPOINT.label, ""
