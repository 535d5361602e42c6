"""The line of work: stretch upon stretch of training, of which a failure may throw away the newest part.

A place in it is the training (s) done along the line that survives, from the beginning.  What is thrown away
is noted piece by piece with whom it is charged to, so that every second of training has one fate.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from struct import Struct
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from clustersim.engine.journal import FIELD
from clustersim.engine.work.tiers import Firsts

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]


class Pace(NamedTuple):
    """From `done` seconds of a stretch on, a step earns `factor` of its time, because of `incident`."""

    done: float
    factor: float
    cause: int
    incident: int


class Stretch:
    """Training from `start` to `end` (s) without a stop, on a `share` of the job's cards.

    It stood at `place` of the line of work when it began.  A second of training earns `rate` seconds of
    progress, less where `paces` slow it down; `firsts` say when its tiers saved.  Its `end`, the `done`
    training (s), whether it ended `saving`, and by whom, are known when it has ended.
    """

    place: float
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
        "place",
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


class Trained(NamedTuple):
    """The stretches that have ended, in columns: as in `Stretch`, and the progress `before` each.

    `firsts` has a row for each, with a column for each tier.
    """

    start: Array
    end: Array
    place: Array
    done: Array
    saving: Array
    share: Array
    rate: Array
    cause: Array
    incident: Array
    before: Array
    firsts: Array


COLUMNS = len(Trained._fields) - 1
RATE, BEFORE = (FIELD.size * Trained._fields.index(name) for name in ("rate", "before"))
"""How many columns come before the `firsts`; which one is the place; where in the bytes two others are."""


class Loss(NamedTuple):
    """Training from `begin` to `end` (s, within stretch number `stretch`) that `incident` threw away."""

    stretch: int
    begin: float
    end: float
    cause: int
    incident: int
    corrupted: bool


class Lineage:
    """All stretches of a run, what was lost of them, and the `place` (s) at which the job's work stands.

    `pace` is the progress that a second of training earns on all cards; `progress` is what survives so far,
    in seconds of the whole job at full pace.  The `count` of stretches is that of those that have ended;
    `paces`, by their numbers, are of those that were slowed down.  A stretch is kept packed, as there are
    many: *tiers* tells how many `firsts` it has.
    """

    def __init__(self, pace: float = 1.0, tiers: int = 0) -> None:
        self.pace = pace
        self.place = self.progress = 0.0
        self.count = 0
        self.losses: list[Loss] = []
        self.paces: dict[int, Sequence[Pace]] = {}
        self._stretch = Struct(f"{COLUMNS + tiers}d")
        self._stretches = bytearray()
        self._line: list[int] = []
        self._places: list[float] = []

    def __repr__(self) -> str:
        return f"Lineage({self.count} stretches, at {self.place})"

    @property
    def stretches(self) -> Trained:
        """The stretches that have ended, in order."""
        width = self._stretch.size // FIELD.size
        rows = np.frombuffer(bytes(self._stretches)).reshape(-1, width)
        columns = Trained._make((*rows[:, :COLUMNS].T.copy(), rows[:, COLUMNS:]))
        return columns._replace(
            saving=columns.saving.astype(np.bool_),
            cause=columns.cause.astype(np.int64),
            incident=columns.incident.astype(np.int64),
        )

    def earned(self, number: int, done: float) -> float:
        """Return the progress of the first *done* seconds of stretch *number* (s of the whole job)."""
        paces = self.paces.get(number)
        return self._field(number, RATE) * (at_full_pace(paces, done) if paces else done)

    def add(self, stretch: Stretch) -> None:
        """Go on along the line of work by a *stretch* that has ended."""
        number, place, done, rate = self.count, stretch.place, stretch.done, stretch.rate
        self._stretches.extend(
            self._stretch.pack(
                stretch.start,
                stretch.end,
                place,
                done,
                stretch.saving,
                stretch.share,
                rate,
                stretch.cause,
                stretch.incident,
                self.progress,
                *stretch.firsts,
            )
        )
        self._line.append(number)
        self._places.append(place)
        self.count = number + 1
        self.place = place + done
        if stretch.paces:
            self.paces[number] = stretch.paces
            self.progress += rate * at_full_pace(stretch.paces, done)
        else:
            self.progress += rate * done

    def fall_back(self, place: float, cause: int, incident: int, corrupted: bool = False) -> None:
        """Throw away all work beyond *place*, because of *incident*."""
        if place >= self.place:
            return
        keep = max(bisect_right(self._places, place), 1)
        for position in range(keep - 1, len(self._line)):
            number = self._line[position]
            begin = max(place - self._places[position], 0.0)
            upper = self._places[position + 1] if position + 1 < len(self._line) else self.place
            if (end := upper - self._places[position]) > begin:
                self.losses.append(Loss(number, begin, end, cause, incident, corrupted))
        del self._line[keep:], self._places[keep:]
        newest, self.place = self._line[-1], place
        self.progress = self._field(newest, BEFORE) + self.earned(newest, place - self._places[-1])

    def _field(self, number: int, field: int) -> float:
        (value,) = FIELD.unpack_from(self._stretches, self._stretch.size * number + field)
        return float(value)
