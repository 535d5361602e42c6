"""The goodput of a finished run: which training was kept, and where the rest of the time went.

A segment trains for 1,000 s, the last 400 s of them at half the pace because of a straggler, and a failure
then throws away all after the first 700 s.  Of its 800 s of useful work 650 s were kept.  The straggler is
charged with the 200 s by which it slowed the segment down, the failure with the 150 s that it threw away.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from clustersim.arrays import Array, dot
from clustersim.engine.journal import NOBODY
from clustersim.engine.ledger import Causes, Entry
from clustersim.engine.segments import Piece, Segments, sums
from clustersim.engine.work.history import Loss, Pace, ProgressHistory
from clustersim.engine.work.tiers import Firsts, TierClocks


class GoodputBreakdown:
    """The segments of a finished run (`segments`), and what was thrown away of each.

    *loads* says which tier each incident loaded from; *clocks* say when the segments saved.
    """

    def __init__(self, history: ProgressHistory, clocks: TierClocks, loads: Mapping[int, int]) -> None:
        self.loads: Mapping[int, int] | None = loads
        self._clocks = clocks
        self._history = history
        self._columns = history.segments
        self._losses = [(loss, self._earned(loss, loss.begin, loss.end)) for loss in self._history.losses]
        self._losses_of: dict[int, list[Loss]] = {}
        for loss in self._history.losses:
            self._losses_of.setdefault(loss.segment, []).append(loss)
        self.segments = self._table()

    def book(self, charges: Array, causes: Causes, warm_up: float) -> float:
        """Book lost and corrupted work, slow training and saves after *warm_up*; return what was kept (s)."""
        since = self._done_by_all(warm_up)
        columns, history = self._columns, self._history
        trained = columns.done - since
        earned = columns.rate * trained
        for number in history.paces:
            done = columns.done[number]
            earned[number] = history.earned(number, done) - history.earned(number, since[number])
            for pace, seconds in self._slowed(number, since[number]):
                charges[pace.cause, Entry.SLOW] += seconds
        charges[causes.overhead, Entry.SLOW] += (1 - history.pace) * dot(columns.share, trained)
        length = columns.end - np.maximum(columns.start, np.minimum(columns.end, warm_up))
        charges[causes.checkpoint, Entry.CHECKPOINT] += max(dot(columns.share, length - trained), 0.0)
        return float(earned.sum()) - self._book_losses(charges, since)

    def costs(self, incidents: int) -> dict[str, Array]:
        """Return the training that each of so many *incidents* threw away, corrupted or slowed down (s)."""
        costs = {name: np.zeros(incidents) for name in ("lost_s", "corrupted_s", "slow_s")}
        for loss, seconds in self._losses:
            if loss.incident != NOBODY:
                costs["corrupted_s" if loss.corrupted else "lost_s"][loss.incident] += seconds
        for number in self._history.paces:
            for pace, seconds in self._slowed(number, 0.0):
                costs["slow_s"][pace.incident] += seconds
        return costs

    def useful_by(self, numbers: Array, instants: Array) -> Array:
        """Return the work (s) that the segments *numbers* had done by *instants* (s), which lie in them."""
        pairs = zip(numbers.tolist(), instants.tolist(), strict=True)
        return np.array(
            [self._history.earned(number, self._done_by(number, instant)) for number, instant in pairs]
        )

    def pieces(self, number: int, since: float, until: float) -> Iterator[Piece]:
        """Yield the pieces of segment *number*, as `Training` describes."""
        start, end = self._columns.start[number].item(), min(self._columns.end[number].item(), until)
        losses = sorted(self._losses_of.get(number, ()), key=lambda loss: loss.begin)
        firsts, clocks = self._firsts(number), self._clocks_of(number)
        saved_from, done = start, 0.0
        for begin, stop in clocks.runs(firsts, start, end, since):
            if begin > max(saved_from, since):
                yield saved_from, begin, Entry.CHECKPOINT, NOBODY
            elif saved_from == start < begin:
                done = clocks.state(firsts, start, begin).done
            yield from _cut(begin, stop, done, losses)
            done, saved_from = done + (stop - begin), stop
        if end > saved_from:
            yield saved_from, end, Entry.CHECKPOINT, NOBODY

    def _table(self) -> Segments:
        """Return the segments with their useful and kept work."""
        columns = self._columns
        useful = columns.rate * columns.done
        for number in self._history.paces:
            useful[number] = self._history.earned(number, columns.done[number])
        numbers = np.array([loss.segment for loss, _ in self._losses], dtype=np.int64)
        lost = sums(numbers, np.array([seconds for _, seconds in self._losses]), len(useful))
        kept = np.maximum(useful - lost, 0.0)
        start, end = columns.start, columns.end
        return Segments(start, end, useful, kept, columns.saving, columns.cause, columns.incident)

    def _book_losses(self, charges: Array, since: Array) -> float:
        """Book the losses of training beyond the first *since* seconds of each segment; return their sum."""
        lost = 0.0
        for loss, seconds in self._losses:
            if since[loss.segment]:
                before = since[loss.segment].item()
                seconds = self._earned(loss, max(loss.begin, before), max(loss.end, before))
            charges[loss.cause, Entry.CORRUPTED if loss.corrupted else Entry.LOST] += seconds
            lost += seconds
        return lost

    def _done_by_all(self, instant: float) -> Array:
        """Return the training (s) that each segment had done by *instant* (s)."""
        done = np.where(self._columns.end <= instant, self._columns.done, 0.0)
        within = (self._columns.start < instant) & (self._columns.end > instant)
        for number in np.flatnonzero(within).tolist():
            done[number] = self._done_by(number, instant)
        return done

    def _done_by(self, number: int, instant: float) -> float:
        """Return the training (s) that segment *number* had done by *instant* (s)."""
        start = self._columns.start[number].item()
        if instant <= start:
            return 0.0
        if instant >= self._columns.end[number]:
            return float(self._columns.done[number])
        return self._clocks_of(number).state(self._firsts(number), start, instant).done

    def _firsts(self, number: int) -> Firsts:
        return tuple(self._columns.firsts[number].tolist())

    def _clocks_of(self, number: int) -> TierClocks:
        """Return the clocks of segment *number*: its own, where intervals follow the failures."""
        intervals: list[float] = self._columns.intervals[number].tolist()
        return self._clocks.at(intervals) if intervals else self._clocks

    def _earned(self, loss: Loss, begin: float, end: float) -> float:
        """Return the progress (s) between two instants of training of the segment of *loss*."""
        return self._history.earned(loss.segment, end) - self._history.earned(loss.segment, begin)

    def _slowed(self, number: int, since: float) -> Iterator[tuple[Pace, float]]:
        """Yield each slow pace of segment *number* and the time (s of the job) it cost after *since*."""
        paces = self._history.paces[number]
        ends = [*(change.done for change in paces[1:]), self._columns.done[number]]
        for pace, end in zip(paces, ends, strict=True):
            seconds = max(end, since) - max(pace.done, since)
            if pace.factor < 1 and seconds > 0:
                yield pace, self._columns.rate[number] * (1 - pace.factor) * seconds


def _cut(begin: float, stop: float, done: float, losses: Sequence[Loss]) -> Iterator[Piece]:
    """Cut training from *begin* to *stop* (s), *done* s into its segment, where losses begin and end."""
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
