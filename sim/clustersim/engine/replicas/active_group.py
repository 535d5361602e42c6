"""The replicas that are there: they train, save and stand still together."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Protocol

from clustersim.engine.activity import NO_BLAME, Blame
from clustersim.engine.effects import UndetectedFailures
from clustersim.engine.events import COMPLETION, TARGET, WINDOW, At
from clustersim.engine.journal import NOBODY
from clustersim.engine.replicas.parts import Parts, SharedState
from clustersim.engine.work.history import Pace
from clustersim.records import Phase

TRAINING, SAVING, STALL, BLOCKED = Phase.TRAINING, Phase.SAVING, Phase.STALL, Phase.BLOCKED


class Planned(Protocol):
    """Whoever knows what the group has planned."""

    def next(self, now: float) -> float:
        """Return when the next stop begins, infinite without any."""

    def begin(self) -> None:
        """Begin the stop that is due."""

    def broken(self) -> None:
        """The save before the stop is broken off: it does not take position now."""

    def down(self) -> None:
        """No replica is alive."""

    def holds_back(self) -> bool:
        """Go on with a stop that fell due while the job was down; return whether anything is left of one."""

    def take_one_out(self) -> None:
        """Let the next replica of a rolling stop step out, if one is to."""


class ActiveGroup:
    """What the replicas that are there do together, one thing at a time, until something comes between.

    It `is_formed` as long as a replica is alive.  `finished` happens when the target is reached, at
    `reached`, or when the run is told to `finish`.  While too few are there, the `latest` failure is charged.
    """

    def __init__(
        self,
        parts: Parts,
        together: SharedState,
        undetected: UndetectedFailures,
        planned: Callable[[], Planned],
    ) -> None:
        env, scenario, start = parts.env, parts.scenario, (parts.causes.start, NOBODY)
        self.reached = math.nan
        self.finished = env.event()
        self.is_formed = True
        self.latest = start
        self._env = env
        self._replicas, self._activity = together
        self._work = parts.work
        self._undetected = undetected
        self._clocks = parts.failures.clocked
        self._planned = planned
        self._target = scenario.target_s
        self._is_endless = scenario.target_s is None and scenario.maintenance is None
        self._rolls = scenario.maintenance is not None and scenario.maintenance.rolling
        self._minimum = scenario.recovery.minimum
        self._timer: At | None = None
        self._then: Callable[[], None] = self._train
        self._deadline = -math.inf
        self._blamed = start

    def __repr__(self) -> str:
        return f"ActiveGroup({self._activity}, {self._replicas})"

    @property
    def is_stalled_until_later(self) -> bool:
        """Whether they still stand still for one another."""
        return self._deadline > self._env.now

    @property
    def is_enough(self) -> bool:
        """Whether so many are there that they may train."""
        return self._replicas.present >= self._minimum

    def enter(self, phase: Phase) -> None:
        """Book *phase* from now on for all that are there."""
        activity = self._activity
        activity.enter(phase)
        activity.share = self._replicas.present / self._replicas.size
        if phase is STALL:
            activity.charged = self._blamed
        elif phase is BLOCKED:
            activity.charged = self.latest

    def wait(self, time: float, then: Callable[[], None], priority: int = COMPLETION) -> None:
        """Go on with *then* at the instant *time*, unless something comes between."""
        self._then = then
        self._timer = At(self._env, time, priority, self._ring) if time < math.inf else None

    def stall(self, time: float, blame: Blame) -> None:
        """Let all that are there stand still for *time* seconds, because of whom they *blame*."""
        self.extend(time, blame)
        self.stand_still()

    def extend(self, time: float, blame: Blame) -> None:
        """Put the deadline off to *time* seconds from now, if that is later."""
        deadline = self._env.now + time
        if deadline >= self._deadline:
            self._deadline = deadline
            self._blamed = blame

    def stand_still(self) -> None:
        """Stand still until the deadline."""
        self.enter(STALL)
        self.wait(self._deadline, self.go_on)

    def begin_together(self) -> None:
        """Begin as a new group, unless what was noticed at this very instant leaves too few."""
        if self.is_enough:
            self.go_on()

    def go_on(self) -> None:
        """Let all that are there train, where they are enough."""
        replicas, was_down = self._replicas, not self.is_formed
        if replicas.ready:
            replicas.join()
        self._deadline, self.is_formed = -math.inf, True
        if was_down and self._planned().holds_back():
            return
        if self._rolls and replicas.up >= self._minimum:
            self._planned().take_one_out()
        if replicas.up >= self._minimum:
            self._train()
        else:
            self._timer = None
            self.enter(BLOCKED)

    def stop(self, broken: Blame = NO_BLAME) -> None:
        """End the segment under way, *broken* by somebody or not, or the save before a planned stop."""
        if self._work.is_training:
            self._work.end(self._env.now, *broken)
        elif self._activity.phase is SAVING:
            if broken != NO_BLAME:
                self._planned().broken()
        else:
            return
        for clock in self._clocks:
            clock.training_ends()

    def leave(self) -> None:
        """Book nothing more: no replica is alive."""
        if self._replicas.size > 1:
            self._activity.enter(TRAINING)
        self._timer, self._deadline = None, -math.inf
        if self.is_formed:
            self.is_formed = False
            self._planned().down()

    def change_pace(self) -> None:
        """Train at the pace that the stragglers leave from now on."""
        if self._work.is_training:
            pace = self._undetected.pace() or Pace(0.0, 1.0, NOBODY, NOBODY)
            self._work.slow_down(self._env.now, pace)
            self.plan_anew()

    def plan_anew(self) -> None:
        """Take up planned stops again: the one that went on is over."""
        if self._work.is_training and not self._is_endless:
            self._plan()

    def finish(self) -> None:
        """Book what is still open, and let `finished` happen: work since the last save counts."""
        self.stop()
        self._activity.enter(Phase.IDLE)
        for replica in self._replicas.replicas:
            replica.activity.enter(Phase.IDLE)
        if not self.finished.triggered:
            self.finished.succeed()

    def _train(self) -> None:
        """Train until the target is reached, or a planned stop is due."""
        now, replicas = self._env.now, self._replicas
        self._activity.enter(TRAINING)
        pace = self._undetected.pace() if self._undetected.open else None
        self._work.begin(now, replicas.up / replicas.size, pace)
        self._timer = None
        for clock in self._clocks:
            clock.training_begins(replicas.trains)
        if not self._is_endless:
            self._plan()

    def _plan(self) -> None:
        """Wait for the target, or for the next planned stop."""
        target = math.inf if self._target is None else self._work.time_of(self._target)
        planned = self._planned()
        stop = planned.next(self._env.now)
        if target <= stop:
            self.wait(target, self._reach, TARGET)
        else:
            self.wait(stop, planned.begin, WINDOW)

    def _reach(self) -> None:
        self.reached = self._env.now
        self.finish()

    def _ring(self, event: At) -> None:
        if event is self._timer:
            self._then()
