"""What the job does at the moment: the one state that it has, and the phases of it in the journal."""

from __future__ import annotations

import simpy

from sim.engine.journal import NOBODY, Journal
from sim.records import Doing

TRAINING = Doing.TRAINING


class Activity:
    """What the job is `doing` since `since` (s), in which recovery `stage`, and who is charged for it.

    A phase is noted in the journal when the next one is entered; training is not, as its stretches are.
    """

    def __init__(self, env: simpy.Environment, journal: Journal) -> None:
        self.doing = Doing.DETECTION
        self.stage = 0
        self.since = 0.0
        self._cause = self._line = NOBODY
        self._env = env
        self._journal = journal

    def __repr__(self) -> str:
        return f"Activity({self.doing.label} since {self.since})"

    def enter(self, doing: Doing, stage: int = 0) -> None:
        """Note what ends now, and begin *doing*; *stage* is the number of the recovery stage, from 1."""
        now = self._env.now
        if now > self.since and self.doing is not TRAINING:
            self._journal.phase(self.doing, self.stage, self.since, now, self._cause, self._line)
        self.doing, self.since, self.stage = doing, now, stage

    def charge(self, cause: int, line: int) -> None:
        """Charge what follows to the failure mode *cause* and to the incident in *line* of the journal."""
        self._cause, self._line = cause, line
