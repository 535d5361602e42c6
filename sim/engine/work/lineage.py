"""The line of work: stretch upon stretch of training, of which a failure may throw away the newest part.

A place in it is the training (s) done along the line that survives, from the beginning.  What is thrown away
is noted piece by piece with whom it is charged to, so that every second of training has one fate.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import NamedTuple

from sim.engine.work.tiers import Firsts


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
        "loses_step",
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
        self.loses_step = False

    def earned(self, done: float) -> float:
        """Return the progress of its first *done* seconds of training, in seconds of the whole job."""
        if not self.paces:
            return self.rate * done
        total, since, factor = 0.0, 0.0, 1.0
        for pace in self.paces:
            if pace.done >= done:
                break
            total, since, factor = total + factor * (pace.done - since), pace.done, pace.factor
        return self.rate * (total + factor * (done - since))

    def needs(self, progress: float) -> float:
        """Return the training after which it has earned so much *progress*, at the pace that it has now."""
        before = self.paces[-1] if self.paces else Pace(0.0, 1.0, -1, -1)
        left = progress - self.earned(before.done)
        return before.done + left / (self.rate * before.factor)


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
    in seconds of the whole job at full pace.
    """

    def __init__(self, pace: float = 1.0) -> None:
        self.pace = pace
        self.place = self.progress = 0.0
        self.stretches: list[Stretch] = []
        self.losses: list[Loss] = []
        self._line: list[int] = []
        self._places: list[float] = []
        self._progress: list[float] = []

    def __repr__(self) -> str:
        return f"Lineage({len(self.stretches)} stretches, at {self.place})"

    def add(self, stretch: Stretch) -> None:
        """Go on along the line of work by a *stretch* that has ended."""
        place, done = stretch.place, stretch.done
        self._line.append(len(self.stretches))
        self._places.append(place)
        self._progress.append(self.progress)
        self.stretches.append(stretch)
        self.place = place + done
        self.progress += stretch.earned(done) if stretch.paces else stretch.rate * done

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
        del self._line[keep:], self._places[keep:], self._progress[keep:]
        self.place = place
        newest = self.stretches[self._line[-1]]
        self.progress = self._progress[-1] + newest.earned(place - newest.place)
