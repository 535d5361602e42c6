"""The work of a job that falls back to the last save of the segment that was broken: plain arithmetic.

A job that saves each hour trains from 0 s on and is struck at 9,000 s: it keeps 7,200 s, and the rest is
lost.  Neither tiers nor copies are carried along, as each segment begins with all that was kept saved.
"""

from __future__ import annotations

import numpy as np

from clustersim.engine.checkpoints import NoSaves, PeriodicSaves, SaveSchedule
from clustersim.engine.journal import NOBODY, Journal
from clustersim.engine.segments import SinceLastSave, Training
from clustersim.engine.work.history import Pace
from clustersim.records import Failure
from clustersim.scenario.model import Scenario


class PlainWork:
    """Work of which only the segment under way may be lost; what it was worth is worked out at the end.

    Only towards a target it keeps count of its progress, in seconds.
    """

    def __init__(self, scenario: Scenario, journal: Journal) -> None:
        self.is_training = False
        self._schedule = _schedule(scenario)
        self._journal = journal
        self._has_target = scenario.target_s is not None
        self._progress = 0.0
        self._began = self._ended = 0.0
        self._is_open = False

    def __repr__(self) -> str:
        return f"PlainWork(from {self._began} s on)"

    def begin(self, now: float, share: float, pace: Pace | None = None) -> None:
        """Begin a segment."""
        if self._is_open:
            self._note(NOBODY, NOBODY)
        self._began, self.is_training, self._is_open = now, True, True

    def end(self, now: float, cause: int = NOBODY, incident: int = NOBODY) -> None:
        """End the segment; what of it is lost is known when the job falls back."""
        self._ended, self.is_training = now, False

    def fall_back(self, now: float, cause: int, incident: int, sound_until: float | None = None) -> None:
        """Lose what was not saved of the last segment, unless that is saved as a whole."""
        if self._is_open:
            self._note(cause, incident)

    def time_of(self, progress: float) -> float:
        """Return when the segment under way brings the job to so much *progress* (s)."""
        return self._began + self._schedule.offset_of(max(progress - self._progress, 0.0))

    def is_saving(self, now: float) -> bool:
        """Return whether training stands still for a save in the segment under way."""
        return bool(self._schedule.saving_each(np.array([self._began]), np.array([now]))[0])

    def slow_down(self, now: float, pace: Pace) -> None:
        """Refuse to train at another pace: a scenario with stragglers has a history."""
        raise NotImplementedError(f"{self!r} cannot be slowed down")

    def lose_step(self) -> None:
        """Lose the step that others were in: there are no others."""

    def invalidate(self, scope: int, now: float) -> None:
        """Lose copies: each outlives all failures."""

    def load(self, failure: Failure, incident: int) -> float:
        """Return how long loading takes beyond its stage: nothing."""
        return 0.0

    def load_from_peer(self, incident: int) -> float:
        """Load from another replica: there is none."""
        return 0.0

    def closed_for(self, now: float) -> float:
        """Return for how long nothing can be loaded: never."""
        return 0.0

    def begin_final_save(self, now: float) -> float:
        """Begin the save before a planned stop, and return when it ends: until then all may be lost yet."""
        return now + self._schedule.final_save(self._began, now)

    def end_final_save(self, now: float) -> None:
        """End it: the last segment is saved as a whole."""
        self._note(NOBODY, NOBODY)

    def settle(self, now: float) -> None:
        """Let copies become durable: the schedule knows."""

    def training(self) -> Training:
        """Return all training of the finished run, with what became of it."""
        if self._is_open:
            self._note(NOBODY, NOBODY)
        return SinceLastSave(self._journal.segments, self._schedule)

    def _note(self, cause: int, incident: int) -> None:
        """Note the last segment, broken by *cause* unless it keeps all of its work."""
        self._is_open = False
        if self._has_target:
            work = self._schedule.useful if cause == NOBODY else self._schedule.saved
            self._progress += work(self._began, self._ended)
        self._journal.segment(self._began, self._ended, cause, incident)


def _schedule(scenario: Scenario) -> SaveSchedule:
    """Return when *scenario* saves within a segment of training."""
    if not scenario.tiers:
        return NoSaves()
    tier = scenario.tiers[-1]
    return PeriodicSaves.every(tier.interval, tier.blocks, tier.durable_after, scenario.workload.step_time)
