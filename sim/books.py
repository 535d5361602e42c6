"""What the job's time went into: ledger, incident log, stretches and, where wanted, every single activity."""

from __future__ import annotations

from sim.checkpoints import SaveSchedule
from sim.ledger import Entry, Ledger
from sim.records import Activity, Doing, IncidentLog, Stretches

ENTRIES = {
    Doing.SAVING: Entry.CHECKPOINT,
    Doing.DETECTION: Entry.DETECTION,
    Doing.RECOVERY: Entry.RECOVERY,
    Doing.WAITING: Entry.WAITING,
    Doing.MAINTENANCE: Entry.MAINTENANCE,
}


class Books:
    """Takes each phase when it has ended and books it in every table that it belongs to.

    The ledger takes only what lies after *warm_up* (s); the other tables take everything.  `activities`
    collects each phase one by one, for the record of a single replication.
    """

    def __init__(
        self, schedule: SaveSchedule, ledger: Ledger, log: IncidentLog, warm_up: float, keep_activities: bool
    ) -> None:
        self.ledger = ledger
        self.log = log
        self.stretches = Stretches()
        self.activities: list[Activity] = []
        self._schedule = schedule
        self._warm_up = warm_up
        self._keep_activities = keep_activities

    def phase(self, doing: Doing, stage: int, start: float, end: float, mode: int, row: int) -> None:
        """Book a phase without training, charged to the incident of *mode* in *row* of the log (-1: none)."""
        cause = self._cause(doing, mode)
        if row >= 0:
            self._charge(doing, stage, row, end - start)
        if end > self._warm_up:
            self.ledger.book(ENTRIES[doing], cause, end - max(start, self._warm_up))
        if self._keep_activities:
            self.activities.append(Activity(start, end, doing, stage, cause))

    def stretch(self, start: float, end: float, kept: float, cause: int, row: int) -> None:
        """Book a stretch of which *kept* seconds count; the rest of its work is lost to *cause*."""
        self.stretches.add(start, end, kept)
        if row >= 0:
            self.log.lost[row] = self._schedule.useful(start, end) - kept
        if end > self._warm_up:
            self._book_stretch(start, max(start, self._warm_up), end, kept, cause)
        if self._keep_activities:
            self.activities.append(Activity(start, end, Doing.TRAINING, 0, cause, kept))

    def _book_stretch(self, start: float, since: float, end: float, kept: float, cause: int) -> None:
        """Book what a stretch did from *since* on."""
        before = self._schedule.useful(start, since) if since > start else 0.0
        useful = self._schedule.useful(start, end) - before
        productive = kept - min(before, kept)
        self.ledger.book_productive(productive)
        if useful > productive:
            self.ledger.book(Entry.LOST, cause, useful - productive)
        if end - since > useful:
            self.ledger.book(Entry.CHECKPOINT, self.ledger.checkpoint, end - since - useful)

    def _charge(self, doing: Doing, stage: int, row: int, seconds: float) -> None:
        if doing is Doing.RECOVERY:
            self.log.stages[stage - 1][row] += seconds
        elif doing is Doing.DETECTION:
            self.log.detection[row] += seconds
        elif doing is Doing.WAITING:
            self.log.waiting[row] += seconds

    def _cause(self, doing: Doing, mode: int) -> int:
        if doing is Doing.SAVING:
            return self.ledger.checkpoint
        if doing is Doing.MAINTENANCE:
            return self.ledger.maintenance
        return mode if mode < self.ledger.checkpoint else self.ledger.start
