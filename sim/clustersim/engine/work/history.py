"""The line of work: segment upon segment of training, of which a failure may throw away the newest part.

A position in it is the training (s) done along the line that survives, from the beginning.  What is
thrown away is noted piece by piece with whom it is charged to, so that every second of training has one fate.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from struct import Struct
from typing import NamedTuple

import numpy as np

from clustersim.arrays import Array
from clustersim.engine.journal import FIELD
from clustersim.engine.work.tiers import Firsts


class Pace(NamedTuple):
    """From `done` seconds of a segment on, a step earns `factor` of its time, because of `incident`."""

    done: float
    factor: float
    cause: int
    incident: int


class TrainingSegment:
    """Training from `start` to `end` (s) without a stop, on a `share` of the job's cards.

    It stood at `position` of the line of work when it began.  A second of training earns `rate` seconds of
    progress, less where `paces` slow it down; `firsts` say when its tiers saved.  Its `end`, the `done`
    training (s), whether it ended `saving`, and by whom, are known when it has ended.
    """

    position: float
    firsts: Firsts
    end: float
    done: float
    saving: bool
    cause: int
    incident: int
    __slots__ = (
        "cause",
        "done",
        "end",
        "firsts",
        "incident",
        "paces",
        "position",
        "rate",
        "saving",
        "share",
        "start",
    )

    def __init__(self, start: float, share: float, rate: float, paces: Sequence[Pace]) -> None:
        self.start = start
        self.share = share
        self.rate = rate
        self.paces = paces

    def needs(self, progress: float) -> float:
        """Return the training after which it has earned so much *progress*, at the pace that it has now."""
        before = self.paces[-1] if self.paces else Pace(0.0, 1.0, -1, -1)
        left = progress - self.rate * at_full_pace(self.paces, before.done)
        return before.done + left / (self.rate * before.factor)


def at_full_pace(paces: Sequence[Pace], done: float) -> float:
    """Return for how long (s) to train at full pace to earn as much as *done* seconds at these *paces*."""
    total, since, factor = 0.0, 0.0, 1.0
    for pace in paces:
        if pace.done >= done:
            break
        total, since, factor = total + factor * (pace.done - since), pace.done, pace.factor
    return total + factor * (done - since)


class SegmentColumns(NamedTuple):
    """The segments that have ended, in columns: as in `TrainingSegment`, and the progress `before` each.

    `firsts` has a row for each, with a column for each tier.
    """

    start: Array
    end: Array
    position: Array
    done: Array
    saving: Array
    share: Array
    rate: Array
    cause: Array
    incident: Array
    before: Array
    firsts: Array


COLUMNS = len(SegmentColumns._fields) - 1
RATE, BEFORE = (FIELD.size * SegmentColumns._fields.index(name) for name in ("rate", "before"))
"""How many columns come before the `firsts`; which one is the position; where in the bytes two others are."""


class Loss(NamedTuple):
    """Training from `begin` to `end` (s, within segment number `segment`) that `incident` threw away."""

    segment: int
    begin: float
    end: float
    cause: int
    incident: int
    corrupted: bool


class ProgressHistory:
    """All segments of a run, what was lost of them, and the `position` (s) at which the job's work stands.

    `pace` is the progress that a second of training earns on all cards; `progress` is what survives so far,
    in seconds of the whole job at full pace.  The `count` of segments is that of those that have ended;
    `paces`, by their numbers, are of those that were slowed down.  A segment is kept packed, as there are
    many: *tiers* tells how many `firsts` it has.
    """

    def __init__(self, pace: float = 1.0, tiers: int = 0) -> None:
        self.pace = pace
        self.position = self.progress = 0.0
        self.count = 0
        self.losses: list[Loss] = []
        self.paces: dict[int, Sequence[Pace]] = {}
        self._segment = Struct(f"{COLUMNS + tiers}d")
        self._segments = bytearray()
        self._line: list[int] = []
        self._positions: list[float] = []

    def __repr__(self) -> str:
        return f"ProgressHistory({self.count} segments, at {self.position})"

    @property
    def segments(self) -> SegmentColumns:
        """The segments that have ended, in order."""
        width = self._segment.size // FIELD.size
        rows = np.frombuffer(bytes(self._segments)).reshape(-1, width)
        columns = SegmentColumns._make((*rows[:, :COLUMNS].T.copy(), rows[:, COLUMNS:]))
        return columns._replace(
            saving=columns.saving.astype(np.bool_),
            cause=columns.cause.astype(np.int64),
            incident=columns.incident.astype(np.int64),
        )

    def earned(self, number: int, done: float) -> float:
        """Return the progress of the first *done* seconds of segment *number* (s of the whole job)."""
        paces = self.paces.get(number)
        return self._field(number, RATE) * (at_full_pace(paces, done) if paces else done)

    def add(self, segment: TrainingSegment) -> None:
        """Go on along the line of work by a *segment* that has ended."""
        number, position, done, rate = self.count, segment.position, segment.done, segment.rate
        self._segments.extend(
            self._segment.pack(
                segment.start,
                segment.end,
                position,
                done,
                segment.saving,
                segment.share,
                rate,
                segment.cause,
                segment.incident,
                self.progress,
                *segment.firsts,
            )
        )
        self._line.append(number)
        self._positions.append(position)
        self.count = number + 1
        self.position = position + done
        if segment.paces:
            self.paces[number] = segment.paces
            self.progress += rate * at_full_pace(segment.paces, done)
        else:
            self.progress += rate * done

    def fall_back(self, position: float, cause: int, incident: int, corrupted: bool = False) -> None:
        """Throw away all work beyond *position*, because of *incident*."""
        if position >= self.position:
            return
        keep = max(bisect_right(self._positions, position), 1)
        for index in range(keep - 1, len(self._line)):
            number = self._line[index]
            begin = max(position - self._positions[index], 0.0)
            upper = self._positions[index + 1] if index + 1 < len(self._line) else self.position
            if (end := upper - self._positions[index]) > begin:
                self.losses.append(Loss(number, begin, end, cause, incident, corrupted))
        del self._line[keep:], self._positions[keep:]
        newest, self.position = self._line[-1], position
        self.progress = self._field(newest, BEFORE) + self.earned(newest, position - self._positions[-1])

    def _field(self, number: int, field: int) -> float:
        (value,) = FIELD.unpack_from(self._segments, self._segment.size * number + field)
        return float(value)
