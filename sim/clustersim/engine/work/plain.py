"""The work of a job that falls back to the last save of the segment that was broken: plain arithmetic.

A job that saves each hour trains from 0 s on and is struck at 9,000 s: it keeps 7,200 s, and the rest is
lost.  Neither tiers nor copies are carried along, as each segment begins with all that was kept saved.
Where the interval follows the failures, each segment has a schedule of its own, fixed when it begins.
"""

from __future__ import annotations

from array import array

import numpy as np

from clustersim.engine.checkpoints import PeriodicSaves, SavesOfMany
from clustersim.engine.journal import NOBODY, Journal
from clustersim.engine.segments import SinceLastSave, Training
from clustersim.engine.work.adaptive import AdaptiveInterval
from clustersim.engine.work.history import Pace
from clustersim.failure import Failure
from clustersim.scenario.model import Scenario


class PlainWork:
    """Work of which only the segment under way may be lost; what it was worth is worked out at the end.

    Only towards a target it keeps count of its progress, in seconds.
    """

    def __init__(self, scenario: Scenario, journal: Journal) -> None:
        self.is_training = False
        self._schedule = _schedule(scenario)
        adapts = scenario.tiers[-1].adapts if scenario.tiers else None
        self._adaptive = AdaptiveInterval(adapts) if adapts else None
        self._step = scenario.workload.step_time
        self._firsts, self._gaps = array("d"), array("d")
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
        if self._adaptive is not None:
            saves = self._schedule.blocks, self._schedule.durable_after
            self._schedule = PeriodicSaves.every(self._adaptive.begin(now), *saves, self._step)

    def end(self, now: float, cause: int = NOBODY, incident: int = NOBODY) -> None:
        """End the segment; what of it is lost is known when the job falls back."""
        self._ended, self.is_training = now, False
        if self._adaptive is not None:
            self._adaptive.end(now)

    def fall_back(
        self, now: float, cause: int, incident: int, sound_until: float | None = None, scope: int = 0
    ) -> None:
        """Lose what was not saved of the last segment, unless that is saved as a whole."""
        if self._is_open:
            self._note(cause, incident)
        if self._adaptive is not None:
            self._adaptive.fall_back(now, incident != NOBODY)

    def time_of(self, progress: float) -> float:
        """Return when the segment under way brings the job to so much *progress* (s)."""
        return self._began + self._schedule.offset_of(max(progress - self._progress, 0.0))

    def is_saving(self, now: float) -> bool:
        """Return whether training stands still for a save in the segment under way."""
        return self._schedule.is_saving(self._began, now)

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
        schedule = self._schedule
        saves = schedule.each
        if self._adaptive is not None:
            own = np.array(self._firsts), np.array(self._gaps)
            saves = SavesOfMany(*own, schedule.blocks, schedule.durable_after)
        return SinceLastSave(self._journal.segments, saves)

    def _note(self, cause: int, incident: int) -> None:
        """Note the last segment, broken by *cause* unless it keeps all of its work."""
        self._is_open = False
        if self._has_target:
            work = self._schedule.useful if cause == NOBODY else self._schedule.saved
            self._progress += work(self._began, self._ended)
        self._journal.segment(self._began, self._ended, cause, incident)
        if self._adaptive is not None:
            self._firsts.append(self._schedule.first)
            self._gaps.append(self._schedule.gap)


def _schedule(scenario: Scenario) -> PeriodicSaves:
    """Return when *scenario* saves within its first segment of training."""
    if not scenario.tiers:
        return PeriodicSaves.never()
    tier = scenario.tiers[-1]
    return PeriodicSaves.every(tier.interval, tier.blocks, tier.durable_after, scenario.workload.step_time)
