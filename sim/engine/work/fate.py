"""What became of the work in the end: kept, lost, spoilt or slowed down, second by second."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from operator import attrgetter
from typing import Any

import numpy as np

from sim.engine.journal import NOBODY
from sim.engine.ledger import Causes, Entry
from sim.engine.stretches import Piece, Stretches, sums
from sim.engine.work.account import Work
from sim.engine.work.lineage import Loss, Pace, Stretch

Array = np.ndarray[Any, np.dtype[Any]]


class Fate:
    """The stretches of a finished run, and what was thrown away of each."""

    def __init__(self, work: Work) -> None:
        self.loads: Mapping[int, int] = work.loads
        self._clocks = work.clocks
        self._pace = work.lineage.pace
        self._all = work.lineage.stretches
        self._losses = [(loss, self._earned(loss, loss.begin, loss.end)) for loss in work.lineage.losses]
        self._share, self._rate, self._done = map(self._column, ("share", "rate", "done"))
        self._losses_of: dict[int, list[Loss]] = {}
        for loss in work.lineage.losses:
            self._losses_of.setdefault(loss.stretch, []).append(loss)
        self._paced = [place for place, stretch in enumerate(self._all) if stretch.paces]
        self.stretches = self._table()

    def book(self, charges: Array, causes: Causes, warm_up: float) -> float:
        """Book what training cost: work lost and spoilt, slow steps, saves; return what was kept (s)."""
        since = self._done_by_all(warm_up)
        trained = self._done - since
        earned = self._rate * trained
        for place in self._paced:
            stretch = self._all[place]
            earned[place] = stretch.earned(stretch.done) - stretch.earned(since[place])
            for pace, seconds in _slowed(stretch, since[place]):
                charges[pace.cause, Entry.SLOW] += seconds
        charges[causes.overhead, Entry.SLOW] += (1 - self._pace) * float(self._share @ trained)
        length = self.stretches.end - np.maximum(
            self.stretches.start, np.minimum(self.stretches.end, warm_up)
        )
        charges[causes.checkpoint, Entry.CHECKPOINT] += max(float(self._share @ (length - trained)), 0.0)
        return float(earned.sum()) - self._book_losses(charges, since)

    def costs(self, incidents: int) -> dict[str, Array]:
        """Return what training was lost to each of so many incidents, spoilt or slowed down by it (s)."""
        found = {name: np.zeros(incidents) for name in ("lost_s", "corrupted_s", "slow_s")}
        for loss, seconds in self._losses:
            if loss.incident != NOBODY:
                found["corrupted_s" if loss.corrupted else "lost_s"][loss.incident] += seconds
        for place in self._paced:
            for pace, seconds in _slowed(self._all[place], 0.0):
                found["slow_s"][pace.incident] += seconds
        return found

    def useful_by(self, places: Array, instants: Array) -> Array:
        """Return the work that the stretches at *places* had done by *instants* within them (s)."""
        found = []
        for place, instant in zip(places.tolist(), instants.tolist(), strict=True):
            stretch = self._all[place]
            found.append(stretch.earned(self._done_by(stretch, instant)))
        return np.array(found)

    def pieces(self, place: int, until: float) -> Iterator[Piece]:
        """Cut the stretch at *place* into training that was kept, that was lost, and saves, up to *until*."""
        stretch = self._all[place]
        losses = sorted(self._losses_of.get(place, ()), key=lambda loss: loss.begin)
        saved_from, done = stretch.start, 0.0
        for begin, stop in self._clocks.runs(stretch.firsts, stretch.start, min(stretch.end, until)):
            if begin > saved_from:
                yield saved_from, begin, Entry.CHECKPOINT, NOBODY
            yield from _cut(begin, stop, done, losses)
            done, saved_from = done + (stop - begin), stop
        if (end := min(stretch.end, until)) > saved_from:
            yield saved_from, end, Entry.CHECKPOINT, NOBODY

    def _table(self) -> Stretches:
        useful = self._rate * self._done
        for place in self._paced:
            useful[place] = self._all[place].earned(self._all[place].done)
        places = np.array([loss.stretch for loss, _ in self._losses], dtype=np.int64)
        lost = sums(places, np.array([seconds for _, seconds in self._losses]), len(useful))
        return Stretches(
            start=self._column("start"),
            end=self._column("end"),
            useful=useful,
            kept=np.maximum(useful - lost, 0.0),
            saving=self._column("saving", np.bool_),
            cause=self._column("cause", np.int64),
            incident=self._column("incident", np.int64),
        )

    def _column(self, name: str, kind: type = np.float64) -> Array:
        """Return what the stretches say of themselves under that *name*."""
        return np.fromiter(map(attrgetter(name), self._all), kind, len(self._all))

    def _book_losses(self, charges: Array, since: Array) -> float:
        """Book work that was thrown away after the warm-up, *since* so much training of each stretch (s)."""
        lost = 0.0
        for loss, seconds in self._losses:
            if since[loss.stretch]:
                before = since[loss.stretch].item()
                seconds = self._earned(loss, max(loss.begin, before), max(loss.end, before))
            charges[loss.cause, Entry.CORRUPTED if loss.corrupted else Entry.LOST] += seconds
            lost += seconds
        return lost

    def _done_by_all(self, instant: float) -> Array:
        """Return the training that each stretch had done by *instant*, in seconds."""
        done = np.where(self.stretches.end <= instant, self._done, 0.0)
        within = (self.stretches.start < instant) & (self.stretches.end > instant)
        for place in np.flatnonzero(within).tolist():
            done[place] = self._done_by(self._all[place], instant)
        return done

    def _done_by(self, stretch: Stretch, instant: float) -> float:
        """Return the training that a stretch had done by *instant*, in seconds."""
        if instant >= stretch.end:
            return stretch.done
        if instant <= stretch.start:
            return 0.0
        return self._clocks.place(stretch.firsts, stretch.start, instant).done

    def _earned(self, loss: Loss, begin: float, end: float) -> float:
        stretch = self._all[loss.stretch]
        return stretch.earned(end) - stretch.earned(begin)


def _slowed(stretch: Stretch, since: float) -> Iterator[tuple[Pace, float]]:
    """Yield what each pace of a stretch cost of its training after *since*, in seconds of the job."""
    ends = [change.done for change in stretch.paces[1:]] + [stretch.done]
    for pace, end in zip(stretch.paces, ends, strict=True):
        seconds = max(end, since) - max(pace.done, since)
        if pace.factor < 1 and seconds > 0:
            yield pace, stretch.rate * (1 - pace.factor) * seconds


def _cut(begin: float, stop: float, done: float, losses: Sequence[Loss]) -> Iterator[Piece]:
    """Cut training from *begin* to *stop*, *done* seconds into its stretch, where its fate changes."""
    for loss in losses:
        turn = min(max(begin, begin + (loss.begin - done)), stop)
        until = min(max(turn, begin + (loss.end - done)), stop)
        if turn > begin:
            yield begin, turn, Entry.PRODUCTIVE, NOBODY
        if until > turn:
            yield turn, until, Entry.CORRUPTED if loss.corrupted else Entry.LOST, loss.cause
        done, begin = done + (max(until, begin) - begin), max(until, begin)
    if stop > begin:
        yield begin, stop, Entry.PRODUCTIVE, NOBODY
