"""What the job's time went into: ledger, incident log, stretches and, where wanted, every activity."""

from __future__ import annotations

from sim.checkpoints import SaveSchedule
from sim.ledger import Entry, Ledger
from sim.records import DETECTION, LOST, STAGES, WAITING, Activity, Doing, IncidentLog, Stretches

ENTRIES = {
    Doing.SAVING: Entry.CHECKPOINT,
    Doing.DETECTION: Entry.DETECTION,
    Doing.RECOVERY: Entry.RECOVERY,
    Doing.WAITING: Entry.WAITING,
    Doing.MAINTENANCE: Entry.MAINTENANCE,
}
CHARGED = {Doing.DETECTION: DETECTION, Doing.WAITING: WAITING, Doing.RECOVERY: STAGES - 1}


class Books:
    """Takes each phase when it has ended and books it in every table that it belongs to.

    The ledger and `stage_seconds` (by recovery stage) take only what lies after *warm_up* (s); the other
    tables take everything.  `activities` collects each phase, for the record of a single replication.
    """

    def __init__(
        self, schedule: SaveSchedule, ledger: Ledger, log: IncidentLog, warm_up: float, keep_activities: bool
    ) -> None:
        self.ledger = ledger
        self.log = log
        self.stretches = Stretches()
        self.stage_seconds = [0.0] * (1 + log.stages)
        self.activities: list[Activity] = []
        self._schedule = schedule
        self._warm_up = warm_up
        self._keep_activities = keep_activities
        self._own_cause = {Doing.SAVING: ledger.checkpoint, Doing.MAINTENANCE: ledger.maintenance}

    def phase(self, doing: Doing, stage: int, start: float, end: float, cause: int, row: int) -> None:
        """Book a phase without training, charged to *cause* and to the incident in *row* (-1: none).

        *stage* is the number of the recovery stage, from 1, and 0 outside of recovery.
        """
        cause = self._own_cause.get(doing, cause)
        if row >= 0 and doing in CHARGED:
            self.log.charge(row, CHARGED[doing] + stage, end - start)
        if end > self._warm_up:
            seconds = end - (start if start > self._warm_up else self._warm_up)
            self.ledger.book(ENTRIES[doing], cause, seconds)
            self.stage_seconds[stage] += seconds
        if self._keep_activities:
            self.activities.append(Activity(start, end, doing, stage, cause))

    def stretch(self, start: float, end: float, useful: float, kept: float, cause: int, row: int) -> None:
        """Book a stretch with *useful* seconds of work; *kept* of them count, *cause* threw the rest away.

        *cause* is -1 for a stretch that ends without losing anything.
        """
        self.stretches.add(start, end, kept, cause >= 0)
        if row >= 0:
            self.log.charge(row, LOST, useful - kept)
        before, since = 0.0, start
        if start < self._warm_up:
            since = min(end, self._warm_up)
            before = self._schedule.useful(start, since)
        productive = kept - min(before, kept)
        lost = useful - before - productive
        self.ledger.book_productive(productive)
        if lost > 0:
            self.ledger.book(Entry.LOST, cause, lost)
        self.ledger.book(Entry.CHECKPOINT, self.ledger.checkpoint, end - since - (useful - before))
        if self._keep_activities:
            self.activities.append(Activity(start, end, Doing.TRAINING, 0, cause, kept))
