"""The history of a job's work: its segments of training, and what failures have thrown away of them.

A *position* is the training (s) that has survived so far, from the beginning.  A job trains for 1,000 s and
then, after a failure that costs nothing, for 500 s more: its position is 1,500 s.  The next failure makes it
fall back to 800 s.  That throws away the last 200 s of the first segment and all 500 s of the second: two
losses, both charged to that failure.  Each second of training is thus either kept or in exactly one loss.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from struct import Struct
from typing import NamedTuple

import numpy as np

from clustersim.arrays import Array
from clustersim.engine.journal import FIELD
from clustersim.engine.work.tiers import NO_TIER, Firsts, SegmentState, TierClocks


class Pace(NamedTuple):
    """The speed of training from `done` seconds into a segment on: a `factor` of the full speed.

    The `incident` that slows it down, and its mode, the `cause`, are charged for the difference.
    """

    done: float
    factor: float
    cause: int
    incident: int


class TrainingSegment:
    """Training from `start` to `end` (s) without a stop, on a `share` of the job's cards.

    The work was at `position` (s) when it began.  A second of training earns `rate` seconds of progress, less
    where `paces` slow it down; `firsts` is the training before the first save of each tier, and `clocks` say
    when the others follow.  Its `end`, the `done` training (s), whether it ended `saving`, and what ended it
    are set when it ends.
    """

    def __init__(
        self,
        start: float,
        position: float,
        share: float,
        rate: float,
        paces: Sequence[Pace],
        clocks: TierClocks,
        firsts: Firsts,
    ) -> None:
        self.start = start
        self.position = position
        self.share = share
        self.rate = rate
        self.paces = paces
        self.clocks = clocks
        self.firsts = firsts

    def finish(self, now: float, state: SegmentState, cause: int, incident: int) -> None:
        """End the segment *now* (s), where it has come to *state*, because of *cause* and *incident*."""
        self.end, self.cause, self.incident = now, cause, incident
        self.done, self.saving = state.done, state.saving != NO_TIER

    def needs(self, progress: float) -> float:
        """Return the training (s) after which it has earned so much *progress* (s), at its present pace."""
        before = self.paces[-1] if self.paces else Pace(0.0, 1.0, -1, -1)
        left = progress - self.rate * at_full_pace(self.paces, before.done)
        return before.done + left / (self.rate * before.factor)


def at_full_pace(paces: Sequence[Pace], done: float) -> float:
    """Return how many seconds at full pace earn as much as the first *done* seconds at these *paces*."""
    total, since, factor = 0.0, 0.0, 1.0
    for pace in paces:
        if pace.done >= done:
            break
        total, since, factor = total + factor * (pace.done - since), pace.done, pace.factor
    return total + factor * (done - since)


class SegmentColumns(NamedTuple):
    """The segments that have ended, in columns as in `TrainingSegment`, and the progress `before` each (s).

    `firsts` has a row for each segment and a column for each tier; so has `intervals` where they follow the
    failures, and it has no columns otherwise.
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
    intervals: Array


COLUMNS = len(SegmentColumns._fields) - 2
"""Columns before the `firsts`."""
RATE, BEFORE = (FIELD.size * SegmentColumns._fields.index(name) for name in ("rate", "before"))
"""Offsets of two fields in the bytes of a packed segment, which are read one at a time."""


class Loss(NamedTuple):
    """Training that was thrown away: seconds `begin` to `end` of the training of segment number `segment`.

    It is charged to the failure mode `cause` and to `incident`; `corrupted` says that the work was wrong.
    """

    segment: int
    begin: float
    end: float
    cause: int
    incident: int
    corrupted: bool


class ProgressHistory:
    """All segments of a run, its `losses`, and the `position` (s) that the work is at.

    `pace` is the progress that a second of training earns on all cards; `progress` is what has survived so
    far, in seconds of the whole job at full pace.  `count` is the number of segments that have ended; `paces`
    holds those of slowed segments, by number.  To save memory an ended segment is packed into 8 bytes a
    field, with a field of `firsts` for each of *tiers* tiers, and one of its interval where that *adapts*.
    """

    def __init__(self, pace: float = 1.0, tiers: int = 0, adapts: bool = False) -> None:
        self.pace = pace
        self.position = self.progress = 0.0
        self.count = 0
        self.losses: list[Loss] = []
        self.paces: dict[int, Sequence[Pace]] = {}
        self._adapts = adapts
        self._tiers = tiers
        self._segment = Struct(f"{COLUMNS + tiers * (1 + adapts)}d")
        self._segments = bytearray()
        self._surviving: list[int] = []
        self._positions: list[float] = []

    def __repr__(self) -> str:
        return f"ProgressHistory({self.count} segments, at {self.position})"

    @property
    def segments(self) -> SegmentColumns:
        """The segments that have ended, in order."""
        width = self._segment.size // FIELD.size
        rows = np.frombuffer(bytes(self._segments)).reshape(-1, width)
        end = COLUMNS + self._tiers
        columns = SegmentColumns._make((*rows[:, :COLUMNS].T.copy(), rows[:, COLUMNS:end], rows[:, end:]))
        return columns._replace(
            saving=columns.saving.astype(np.bool_),
            cause=columns.cause.astype(np.int64),
            incident=columns.incident.astype(np.int64),
        )

    def earned(self, number: int, done: float) -> float:
        """Return the progress (s) that the first *done* seconds of training of segment *number* earned."""
        paces = self.paces.get(number)
        return self._field(number, RATE) * (at_full_pace(paces, done) if paces else done)

    def add(self, segment: TrainingSegment) -> None:
        """Add a *segment* that has ended, which moves position and progress forward."""
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
                *(segment.clocks.intervals if self._adapts else ()),
            )
        )
        self._surviving.append(number)
        self._positions.append(position)
        self.count = number + 1
        self.position = position + done
        if segment.paces:
            self.paces[number] = segment.paces
            self.progress += rate * at_full_pace(segment.paces, done)
        else:
            self.progress += rate * done

    def fall_back(self, position: float, cause: int, incident: int, corrupted: bool = False) -> None:
        """Throw away all work beyond *position* (s), because of *incident*: one loss for each segment cut."""
        if position >= self.position:
            return
        keep = max(bisect_right(self._positions, position), 1)
        for index in range(keep - 1, len(self._surviving)):
            number = self._surviving[index]
            begin = max(position - self._positions[index], 0.0)
            upper = self._positions[index + 1] if index + 1 < len(self._surviving) else self.position
            if (end := upper - self._positions[index]) > begin:
                self.losses.append(Loss(number, begin, end, cause, incident, corrupted))
        del self._surviving[keep:], self._positions[keep:]
        newest, self.position = self._surviving[-1], position
        self.progress = self._field(newest, BEFORE) + self.earned(newest, position - self._positions[-1])

    def _field(self, number: int, field: int) -> float:
        """Return the field at the offset *field* of segment *number*."""
        (value,) = FIELD.unpack_from(self._segments, self._segment.size * number + field)
        return float(value)
