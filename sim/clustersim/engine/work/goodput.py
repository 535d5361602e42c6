"""What became of the work in the end: kept, lost, spoilt or slowed down, second by second."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from clustersim.arrays import Array
from clustersim.engine.journal import NOBODY
from clustersim.engine.ledger import Causes, Entry
from clustersim.engine.segments import Piece, Segments, sums
from clustersim.engine.work.history import Loss, Pace, ProgressHistory
from clustersim.engine.work.tiers import Firsts, TierClocks


class GoodputBreakdown:
    """The segments of a finished run, and what was thrown away of each."""

    def __init__(self, line: ProgressHistory, clocks: TierClocks, loads: Mapping[int, int]) -> None:
        self.loads: Mapping[int, int] | None = loads
        self._clocks = clocks
        self._line = line
        self._all = self._line.segments
        self._losses = [(loss, self._earned(loss, loss.begin, loss.end)) for loss in self._line.losses]
        self._losses_of: dict[int, list[Loss]] = {}
        for loss in self._line.losses:
            self._losses_of.setdefault(loss.segment, []).append(loss)
        self.segments = self._table()

    def book(self, charges: Array, causes: Causes, warm_up: float) -> float:
        """Book what training cost: work lost and spoilt, slow steps, saves; return what was kept (s)."""
        since = self._done_by_all(warm_up)
        all, line = self._all, self._line
        trained = all.done - since
        earned = all.rate * trained
        for number in line.paces:
            earned[number] = line.earned(number, all.done[number]) - line.earned(number, since[number])
            for pace, seconds in self._slowed(number, since[number]):
                charges[pace.cause, Entry.SLOW] += seconds
        charges[causes.overhead, Entry.SLOW] += (1 - line.pace) * float(all.share @ trained)
        length = all.end - np.maximum(all.start, np.minimum(all.end, warm_up))
        charges[causes.checkpoint, Entry.CHECKPOINT] += max(float(all.share @ (length - trained)), 0.0)
        return float(earned.sum()) - self._book_losses(charges, since)

    def costs(self, incidents: int) -> dict[str, Array]:
        """Return what training was lost to each of so many incidents, spoilt or slowed down by it (s)."""
        found = {name: np.zeros(incidents) for name in ("lost_s", "corrupted_s", "slow_s")}
        for loss, seconds in self._losses:
            if loss.incident != NOBODY:
                found["corrupted_s" if loss.corrupted else "lost_s"][loss.incident] += seconds
        for number in self._line.paces:
            for pace, seconds in self._slowed(number, 0.0):
                found["slow_s"][pace.incident] += seconds
        return found

    def useful_by(self, numbers: Array, instants: Array) -> Array:
        """Return the work that the segments at *numbers* had done by *instants* within them (s)."""
        both = zip(numbers.tolist(), instants.tolist(), strict=True)
        return np.array(
            [self._line.earned(number, self._done_by(number, instant)) for number, instant in both]
        )

    def pieces(self, number: int, since: float, until: float) -> Iterator[Piece]:
        """Cut the segment at *number* into training that was kept, that was lost, and saves.

        Pieces that end before *since* may be left out, and what lies behind *until* is.
        """
        start, end = self._all.start[number].item(), min(self._all.end[number].item(), until)
        losses = sorted(self._losses_of.get(number, ()), key=lambda loss: loss.begin)
        firsts = self._firsts(number)
        saved_from, done = start, 0.0
        for begin, stop in self._clocks.runs(firsts, start, end, since):
            if begin > max(saved_from, since):
                yield saved_from, begin, Entry.CHECKPOINT, NOBODY
            elif saved_from == start < begin:
                done = self._clocks.position(firsts, start, begin).done
            yield from _cut(begin, stop, done, losses)
            done, saved_from = done + (stop - begin), stop
        if end > saved_from:
            yield saved_from, end, Entry.CHECKPOINT, NOBODY

    def _table(self) -> Segments:
        all = self._all
        useful = all.rate * all.done
        for number in self._line.paces:
            useful[number] = self._line.earned(number, all.done[number])
        numbers = np.array([loss.segment for loss, _ in self._losses], dtype=np.int64)
        lost = sums(numbers, np.array([seconds for _, seconds in self._losses]), len(useful))
        kept = np.maximum(useful - lost, 0.0)
        return Segments(all.start, all.end, useful, kept, all.saving, all.cause, all.incident)

    def _book_losses(self, charges: Array, since: Array) -> float:
        """Book work that was thrown away after the warm-up, *since* so much training of each segment (s)."""
        lost = 0.0
        for loss, seconds in self._losses:
            if since[loss.segment]:
                before = since[loss.segment].item()
                seconds = self._earned(loss, max(loss.begin, before), max(loss.end, before))
            charges[loss.cause, Entry.CORRUPTED if loss.corrupted else Entry.LOST] += seconds
            lost += seconds
        return lost

    def _done_by_all(self, instant: float) -> Array:
        """Return the training that each segment had done by *instant*, in seconds."""
        done = np.where(self._all.end <= instant, self._all.done, 0.0)
        within = (self._all.start < instant) & (self._all.end > instant)
        for number in np.flatnonzero(within).tolist():
            done[number] = self._done_by(number, instant)
        return done

    def _done_by(self, number: int, instant: float) -> float:
        """Return the training that the segment at *number* had done by *instant*, in seconds."""
        start = self._all.start[number].item()
        if instant <= start:
            return 0.0
        if instant >= self._all.end[number]:
            return float(self._all.done[number])
        return self._clocks.position(self._firsts(number), start, instant).done

    def _firsts(self, number: int) -> Firsts:
        return tuple(self._all.firsts[number].tolist())

    def _earned(self, loss: Loss, begin: float, end: float) -> float:
        return self._line.earned(loss.segment, end) - self._line.earned(loss.segment, begin)

    def _slowed(self, number: int, since: float) -> Iterator[tuple[Pace, float]]:
        """Yield what each pace of a segment cost of its training after *since*, in seconds of the job."""
        paces = self._line.paces[number]
        ends = [*(change.done for change in paces[1:]), self._all.done[number]]
        for pace, end in zip(paces, ends, strict=True):
            seconds = max(end, since) - max(pace.done, since)
            if pace.factor < 1 and seconds > 0:
                yield pace, self._all.rate[number] * (1 - pace.factor) * seconds


def _cut(begin: float, stop: float, done: float, losses: Sequence[Loss]) -> Iterator[Piece]:
    """Cut training from *begin* to *stop*, *done* seconds into its segment, where its fate changes."""
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
