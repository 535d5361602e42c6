"""What a job asks of its work, whichever kind it is: the seam between what interrupts and what is lost."""

from __future__ import annotations

from typing import Protocol

from clustersim.engine.journal import NOBODY
from clustersim.engine.segments import Training
from clustersim.engine.work.history import Pace
from clustersim.records import Failure


class Work(Protocol):
    """What a job has done, and what of it is saved.

    `PlainWork` is that of a job which falls back to its last save; `TieredWork` carries the history that
    tiers, replicas and effects need.  A law test runs the same plain scenarios on both.
    """

    @property
    def is_training(self) -> bool:
        """Whether a segment of training is under way."""

    def is_saving(self, now: float) -> bool:
        """Return whether training stands still for a save in the segment under way."""

    def begin(self, now: float, share: float, pace: Pace | None = None) -> None:
        """Begin a segment on a *share* of the cards, at a *pace* that is not the full one, if any."""

    def end(self, now: float, cause: int = NOBODY, incident: int = NOBODY) -> None:
        """End the segment, broken by *cause* and *incident* if by anything."""

    def slow_down(self, now: float, pace: Pace) -> None:
        """Train at another *pace* from now on."""

    def time_of(self, progress: float) -> float:
        """Return when the segment under way brings the job to so much *progress* (s)."""

    def lose_step(self) -> None:
        """Throw away the step that the segment which has just ended was in."""

    def invalidate(self, scope: int, now: float) -> None:
        """Lose the copies that do not outlive a failure of that *scope*."""

    def fall_back(self, now: float, cause: int, incident: int, sound_until: float | None = None) -> None:
        """Go back to the newest copy there is, made before *sound_until* if that is stated (a position)."""

    def load(self, failure: Failure, incident: int) -> float:
        """Load the newest copy that can be used, and return how long that takes (s)."""

    def load_from_peer(self, incident: int) -> float:
        """Load from another replica, and return how long that takes (s)."""

    def closed_for(self, now: float) -> float:
        """Return for how long the newest copy cannot be loaded yet (s)."""

    def begin_final_save(self, now: float) -> float:
        """Begin the save before a planned stop, and return when all is saved (s)."""

    def end_final_save(self, now: float) -> None:
        """End it: what has been done so far is saved."""

    def settle(self, now: float) -> None:
        """Hold the copies that have become durable by *now*."""

    def training(self) -> Training:
        """Return all training of the finished run, with what became of it."""
