"""What a job asks of its work: the interface between what interrupts training and what is lost by it.

A job trains from 0 s and fails at 9,000 s.  It calls `begin(0, share=1)`, then `end(9000, cause, incident)`
and `fall_back(9000, cause, incident)`; in its recovery `load(failure, incident)` says how long loading takes,
and at 9,300 s it calls `begin(9300, share=1)`.  The job never sees a checkpoint.
"""

from __future__ import annotations

from typing import Protocol

from clustersim.engine.journal import NOBODY
from clustersim.engine.segments import Training
from clustersim.engine.work.history import Pace
from clustersim.failure import Failure


class Work(Protocol):
    """What a job has trained, and what of that is saved.

    `PlainWork` is for jobs that fall back to the last save of a segment; `TieredWork` keeps the history that
    tiers, replicas and effects need.  A law test runs the same plain scenarios on both.
    """

    @property
    def is_training(self) -> bool:
        """Whether a segment of training is under way."""

    def is_saving(self, now: float) -> bool:
        """Return whether training stands still for a save in the segment under way."""

    def begin(self, now: float, share: float, pace: Pace | None = None) -> None:
        """Begin a segment on a *share* of the cards, at full pace or at a slower *pace*."""

    def end(self, now: float, cause: int = NOBODY, incident: int = NOBODY) -> None:
        """End the segment; *cause* and *incident* say which failure did, NOBODY if none."""

    def slow_down(self, now: float, pace: Pace) -> None:
        """Train at another *pace* from now on."""

    def time_of(self, progress: float) -> float:
        """Return when the segment under way brings the job to so much *progress* (s)."""

    def lose_step(self) -> None:
        """Throw away the unfinished step of the segment that has just ended."""

    def invalidate(self, scope: int, now: float) -> None:
        """Lose the copies that do not survive a failure of *scope*, a number in `SCOPES`."""

    def fall_back(
        self, now: float, cause: int, incident: int, sound_until: float | None = None, scope: int = 0
    ) -> None:
        """Go back to the newest copy, or to the newest whose content lies before position *sound_until*.

        *scope*, a number in `SCOPES`, is that of the failure.
        """

    def load(self, failure: Failure, incident: int) -> float:
        """Load the newest usable copy, and return how long that takes (s)."""

    def load_from_peer(self, incident: int) -> float:
        """Load from another replica, and return how long that takes (s)."""

    def closed_for(self, now: float) -> float:
        """Return how long it takes until the newest copy can be loaded (s); 0 where it can."""

    def begin_final_save(self, now: float) -> float:
        """Begin the save before a planned stop, and return when all work is saved (s)."""

    def end_final_save(self, now: float) -> None:
        """End that save: all work so far is saved."""

    def settle(self, now: float) -> None:
        """Hold the copies that have become durable by *now*."""

    def training(self) -> Training:
        """Return all training of the finished run, with what was kept and lost of it."""
