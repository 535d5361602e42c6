"""What the job, or one of its replicas, is doing: its current phase, and the record of the phases before.

A job fails at 100 s; detection takes 10 s and its only recovery stage 60 s.  `enter(DETECTION)` at 100 s
writes nothing, because training is recorded as segments.  `enter(RECOVERY, 1)` at 110 s writes the detection
from 100 s to 110 s to the journal, and `enter(TRAINING)` at 170 s writes stage 1 from 110 s to 170 s.
"""

from __future__ import annotations

from typing import Final

import simpy

from clustersim.engine.journal import NOBODY, PHASE, Journal
from clustersim.records import Phase

TRAINING: Final = Phase.TRAINING
SAVING: Final = Phase.SAVING
DETECTION: Final = Phase.DETECTION
RECOVERY: Final = Phase.RECOVERY
WAITING: Final = Phase.WAITING
MAINTENANCE: Final = Phase.MAINTENANCE
STALL: Final = Phase.STALL
BLOCKED: Final = Phase.BLOCKED
OUTAGE: Final = Phase.OUTAGE
LEAVING: Final = Phase.LEAVING
"""Final, so that compiled code need not look them up."""
Blame = tuple[int, int]
"""A failure mode, and the line of an incident in the journal: what time is charged to."""
NO_BLAME = NOBODY, NOBODY


class Activity:
    """The current `phase`, in effect since the instant `since` (s); `stage` numbers the recovery stages.

    The phase holds for a `share` of the job's cards: those of replica `lane`, or of all replicas that train
    together where `lane` is NOBODY.  Its time is `charged` to a failure mode and an incident.
    """

    def __init__(self, env: simpy.Environment, journal: Journal, lane: int = NOBODY) -> None:
        self.phase = Phase.TRAINING
        self.stage = 0
        self.since = 0.0
        self.share = 1.0
        self.lane = lane
        self.charged: Blame = NO_BLAME
        self._env = env
        self._journal = journal

    def __repr__(self) -> str:
        return f"Activity({self.phase.label} since {self.since})"

    def enter(self, phase: Phase, stage: int = 0) -> None:
        """End the current phase, record it unless it was training, and begin *phase*.

        *stage* is the number of the recovery stage, from 1; 0 outside of recovery.
        """
        now, before = self._env.now, self.phase
        if before is not TRAINING and now > self.since:
            cause, incident = self.charged
            line = PHASE(before, self.stage, self.since, now, cause, incident, self.share, self.lane)
            self._journal.phase(line)
        self.phase = phase
        self.since = now
        self.stage = stage
