"""What the job does at the moment: the one state that it has, and the phases of it in the journal."""

from __future__ import annotations

import simpy

from clustersim.engine.journal import NOBODY, PHASE, Journal
from clustersim.records import Phase

TRAINING = Phase.TRAINING
Blame = tuple[int, int]
"""A failure mode, and the line of an incident in the journal, to which time is charged."""
NO_BLAME = NOBODY, NOBODY


class Activity:
    """What the job is `phase` since `since` (s), in which recovery `stage`, and who is charged for it.

    A phase is noted in the journal when the next one is entered; training is not, as its segments are.  It
    holds for a `share` of the job's cards: with replicas, for those of the replica `lane` that is down, or
    of all that train together (no lane).  What is done is `charged` to a failure mode and the incident in a
    line of the journal.
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
        """Note what ends now, and begin *phase*; *stage* is the number of the recovery stage, from 1."""
        now, before = self._env.now, self.phase
        if before is not TRAINING and now > self.since:
            cause, incident = self.charged
            line = PHASE(before, self.stage, self.since, now, cause, incident, self.share, self.lane)
            self._journal.phase(line)
        self.phase = phase
        self.since = now
        self.stage = stage

    def keep_nodes(self, line: int, nodes: int) -> None:
        """Note that so many *nodes* stay of those that the incident in *line* was to send away."""
        self._journal.keeps(line, nodes)
