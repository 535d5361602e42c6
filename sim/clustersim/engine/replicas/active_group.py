"""The replicas that are present, and what they do together: train, save, stand still, make planned stops.

They do one thing at a time.  Each phase ends at an instant known in advance, unless a failure, a replica that
comes back or a change of pace ends it before; then the next phase is planned anew.

Three of four replicas train, and the fourth comes back at 10 h with `rejoin_stall: 30 s`: their training
segment ends at 10 h, all four stand still for 30 s, and then a segment of four begins.  A planned stop of
20 min that is due at 12 h ends that segment: the job saves, stands still for 20 min, and trains on.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from clustersim.engine.activity import (
    BLOCKED,
    MAINTENANCE,
    NO_BLAME,
    SAVING,
    STALL,
    TRAINING,
    Activity,
    Blame,
)
from clustersim.engine.events import COMPLETION, NOTICE, STOP_END, TARGET, WINDOW, At
from clustersim.engine.failures.recurrence import LatentFaults
from clustersim.engine.failures.sources import FailureSource
from clustersim.engine.failures.targeting import JOB
from clustersim.engine.journal import NOBODY
from clustersim.engine.replicas.replica import DOWN, DRAINED, REJOINING, PendingFailure, Replica
from clustersim.engine.replicas.replica_set import ReplicaSet
from clustersim.engine.replicas.rollout import Rollout
from clustersim.engine.stops import Stops
from clustersim.engine.undetected import UndetectedFailures
from clustersim.engine.work.history import Pace
from clustersim.engine.work.work import Work
from clustersim.engine.world import World
from clustersim.records import Phase


class ActiveGroup:
    """What the replicas that are present do together, one thing at a time.

    It `is_formed` as long as a replica is alive.  `finished` happens when the target is reached, at `reached`
    (s), or when the run calls `finish`.  While too few replicas are present, the `latest` failure is charged.
    Its `planned` stops, if it has any, take replicas down with *bring_down*, and let them join again with
    *bring_back*.  The *clocks* are those of failures for which only training counts; `undetected` failures
    may slow it down.
    """

    def __init__(
        self,
        world: World,
        work: Work,
        clocks: Sequence[FailureSource | LatentFaults],
        replicas: ReplicaSet,
        activity: Activity,
        bring_down: Callable[[Mapping[Replica, PendingFailure]], None],
        bring_back: Callable[[Replica, Blame], None],
    ) -> None:
        env, scenario, start = world.env, world.scenario, (world.causes.start, NOBODY)
        self.reached = math.nan
        self.finished = env.event()
        self.is_formed = True
        self.latest = start
        self._env = env
        self.replicas, self.activity = replicas, activity
        self.undetected = UndetectedFailures(world.cluster)
        if any(mode.effect.is_noticed_later for mode in scenario.failures.values()):
            world.cluster.on_move.append(self._moved)
        self._work = work
        self._clocks = clocks
        self._target = scenario.target_s
        self._is_endless = scenario.target_s is None and not scenario.maintenance
        self._minimum = scenario.recovery.minimum
        self._timer: At | None = None
        self._then: Callable[[], None] = self._train
        self._stall_end = -math.inf
        self._blamed = start
        self.planned: PlannedStops | None = None
        if scenario.maintenance:
            self.planned = PlannedStops(world, work, self, bring_down, bring_back)

    def __repr__(self) -> str:
        return f"ActiveGroup({self.activity}, {self.replicas})"

    @property
    def is_stalled_until_later(self) -> bool:
        """Whether a stall goes on."""
        return self._stall_end > self._env.now

    @property
    def is_enough(self) -> bool:
        """Whether enough replicas are present to train."""
        return self.replicas.present >= self._minimum

    def enter(self, phase: Phase) -> None:
        """Book *phase* from now on for all that are present."""
        activity = self.activity
        activity.enter(phase)
        activity.share = self.replicas.present / self.replicas.size
        if phase is STALL:
            activity.charged = self._blamed
        elif phase is BLOCKED:
            activity.charged = self.latest

    def wait(self, time: float, then: Callable[[], None], priority: int = COMPLETION) -> None:
        """Call *then* at the instant *time* (s), unless another wait replaces this one."""
        self._then = then
        self._timer = At(self._env, time, priority, self._ring) if time < math.inf else None

    def stall(self, time: float, blame: Blame) -> None:
        """Let all that are present stand still for *time* seconds, charged to *blame*."""
        self.extend(time, blame)
        self.stand_still()

    def extend(self, time: float, blame: Blame) -> None:
        """Extend the stall to *time* seconds from now, if that is later, charged to *blame*."""
        end = self._env.now + time
        if end >= self._stall_end:
            self._stall_end = end
            self._blamed = blame

    def stand_still(self) -> None:
        """Stand still until the end of the stall."""
        self.enter(STALL)
        self.wait(self._stall_end, self.go_on)

    def begin_together(self) -> None:
        """Begin as a new group, unless failures detected at this very instant leave too few."""
        if self.is_enough:
            self.go_on()

    def go_on(self) -> None:
        """Let all that are present train, if they are enough."""
        replicas, was_down = self.replicas, not self.is_formed
        if replicas.rejoining:
            replicas.join()
        self._stall_end, self.is_formed = -math.inf, True
        if self.planned is not None:
            if was_down and self.planned.holds_back():
                return
            if replicas.up >= self._minimum:
                self.planned.drain_next()
        if replicas.up >= self._minimum:
            self._train()
        else:
            self._timer = None
            self.enter(BLOCKED)

    def stop(self, broken: Blame = NO_BLAME) -> None:
        """End the training segment, *broken* by a failure or not, or the save before a planned stop."""
        if self._work.is_training:
            self._work.end(self._env.now, broken[0], broken[1])
        elif self.activity.phase is SAVING:
            if broken != NO_BLAME and self.planned is not None and self.planned.is_saving:
                self.planned.broken()
        else:
            return
        for clock in self._clocks:
            clock.training_ends()

    def leave(self) -> None:
        """Dissolve the group: no replica is alive."""
        if self.replicas.size > 1:
            self.activity.enter(TRAINING)
        self._timer, self._stall_end = None, -math.inf
        if self.is_formed:
            self.is_formed = False
            if self.planned is not None:
                self.planned.down()

    def change_pace(self) -> None:
        """Train at the pace of the slowest straggler from now on."""
        if self._work.is_training:
            pace = self.undetected.pace() or Pace(0.0, 1.0, NOBODY, NOBODY)
            self._work.slow_down(self._env.now, pace)
            self.plan_anew()

    def plan_anew(self) -> None:
        """Plan the end of the segment under way anew, as the target or the next stop has moved."""
        if self._work.is_training and not self._is_endless:
            self._plan()

    def finish(self) -> None:
        """End the run: book what is still open, and let `finished` happen.  Unsaved work counts."""
        self.stop()
        self.activity.enter(Phase.IDLE)
        for replica in self.replicas.replicas:
            replica.activity.enter(Phase.IDLE)
        if not self.finished.triggered:
            self.finished.succeed()

    def _train(self) -> None:
        """Train until the target is reached, or a planned stop is due."""
        now, replicas = self._env.now, self.replicas
        self.activity.enter(TRAINING)
        pace = self.undetected.pace() if self.undetected.open else None
        self._work.begin(now, replicas.up / replicas.size, pace)
        self._timer = None
        for clock in self._clocks:
            clock.training_begins(replicas.trains)
        if not self._is_endless:
            self._plan()

    def _moved(self, node: int, slot: int | None, idle: bool) -> None:
        """Train at another pace where the *node* of a straggler leaves."""
        if slot is None and self.undetected.leaves(node):
            self.change_pace()

    def _plan(self) -> None:
        """Schedule the target or the next planned stop, whichever comes first."""
        target = math.inf if self._target is None else self._work.time_of(self._target)
        if self.planned is None or target <= (stop := self.planned.next(self._env.now)):
            self.wait(target, self._reach, TARGET)
        else:
            self.wait(stop, self.planned.begin, WINDOW)

    def _reach(self) -> None:
        self.reached = self._env.now
        self.finish()

    def _ring(self, event: At) -> None:
        if event is self._timer:
            self._then()


class PlannedStops:
    """Maintenance: of all replicas together, or of one after another while the others train on.

    It `is_saving` while the job saves before a stop of all.  Failures during a stop are dealt with when it is
    over: *bring_down* takes those replicas down, and *bring_back* lets a replica join the others again.
    """

    def __init__(
        self,
        world: World,
        work: Work,
        group: ActiveGroup,
        bring_down: Callable[[Mapping[Replica, PendingFailure]], None],
        bring_back: Callable[[Replica, Blame], None],
    ) -> None:
        plans = world.scenario.maintenance
        self._env = world.env
        self._takes = plans[0].takes
        self._skips = plans[0].if_down == "skip"
        self._rolls = plans[0].rolling
        self._work = work
        self._replicas, self._activity = group.replicas, group.activity
        self._group = group
        self._bring_down = bring_down
        self._bring_back = bring_back
        self._blame = world.causes.maintenance, NOBODY
        self._windows = Stops(plans)
        self.is_saving = False
        self._rollout = Rollout()
        self._ends: dict[Replica, At] = {}
        self._next_turn: At | None = None
        self._after: list[Callable[[], None]] = []

    def next(self, now: float) -> float:
        """Return when the next stop begins (s); infinite if there is none."""
        return math.inf if self._rollout.under_way else self._windows.next(now)

    def broken(self) -> None:
        """Put off the stop whose save a failure has broken, to the outage or until the job trains."""
        self.is_saving = False
        self._windows.cancel(self._env.now)

    def down(self) -> None:
        """End a rolling stop, as no replica is alive: those that have not had their turn are passed over."""
        now = self._env.now
        if self._rollout.under_way:
            self._windows.skip_before(now)
        self._pass_over(self._rollout.drop())
        self._windows.begin_outage(now)
        self._await_turn()

    def holds_back(self) -> bool:
        """Do what is left of a stop that fell due while the job was down; return whether anything was."""
        until = self._windows.end_outage(self._env.now)
        if self._rolls or until <= self._env.now:
            return False
        self._stand_still(until)
        return True

    def keeps_aside(self, replica: Replica) -> bool:
        """Let a *replica* that has recovered do what is left of its own stop; return whether anything was."""
        now, since, replica.due = self._env.now, replica.due, None
        until = now if since is None else self._windows.end_of(since, now)
        if until <= now:
            return False
        self._drain(replica, until, replica.activity.charged)
        return True

    def when_it_ends(self, act: Callable[[], None]) -> bool:
        """Call *act* when the stop under way ends; return whether there is one."""
        stopped = self._activity.phase is MAINTENANCE
        if stopped:
            self._after.append(act)
        return stopped

    def begin(self) -> None:
        """Begin what is due: save first unless it is abrupt, or drain replica after replica."""
        now = self._env.now
        self._takes = self._windows.begin(now)
        if self._rolls:
            self._group.stop()
            self._group.latest = self._blame
            self._rollout.begin(self._replicas.replicas)
            self._group.go_on()
        elif self._windows.are_abrupt:
            self._group.stop(self._blame)
            self._work.invalidate(JOB, now)
            self._work.fall_back(now, *self._blame)
            self._stand_still(now + self._takes)
        else:
            self._work.end(now)
            saved_at = self._work.begin_final_save(now)
            self.is_saving = True
            self._group.enter(SAVING)
            self._group.wait(saved_at, self._saved)

    def drain_next(self) -> None:
        """Drain the next replica of a rolling stop, if it is its turn."""
        if not self._rollout.is_due:
            return
        replica, passed = self._rollout.next()
        self._pass_over(passed)
        if replica is None:
            self._windows.skip_before(self._env.now)
        else:
            self._drain(replica, self._env.now + self._takes, self._blame)

    def _pass_over(self, replicas: Sequence[Replica]) -> None:
        """Let those of *replicas* that are down make their stop while they recover."""
        for replica in replicas:
            if replica.state is DOWN and not self._skips:
                replica.due = self._env.now

    def _await_turn(self) -> None:
        """Schedule the next rolling stop that falls due while the whole job is down."""
        if self._rolls and not self._skips:
            due = self._windows.next(self._env.now)
            self._next_turn = At(self._env, due, WINDOW, self._drain_waiting)

    def _drain_waiting(self, event: At) -> None:
        """Let all replicas have their turn at once where none trains: those that wait are drained."""
        if event is not self._next_turn or self._group.is_formed:
            return
        self._windows.begin(self._env.now)
        self._pass_over(self._replicas.replicas)
        for replica in self._replicas.rejoining:
            if replica.state is REJOINING:
                self._drain(replica, self._env.now + self._takes, self._blame)
        self._group.enter(self._activity.phase)
        self._await_turn()

    def _drain(self, replica: Replica, until: float, blame: Blame) -> None:
        """Drain a *replica* until an instant (s); the stall when it rejoins is charged to *blame*."""
        self._replicas.drain(replica)
        replica.activity.enter(MAINTENANCE)
        replica.activity.charged = self._blame
        self._ends[replica] = At(self._env, until, STOP_END, partial(self._undrain, replica, blame))

    def _saved(self) -> None:
        self.is_saving = False
        self._group.stop()
        self._work.end_final_save(self._env.now)
        self._stand_still(self._env.now + self._takes)

    def _stand_still(self, until: float) -> None:
        self._group.enter(MAINTENANCE)
        self._group.wait(until, self._resume, STOP_END)

    def _resume(self) -> None:
        """End the stop: recover from the failures that struck meanwhile, or train again.

        It goes on where another one that fell due meanwhile is not over.
        """
        until = self._windows.end(self._env.now)
        if until > self._env.now:
            self._group.wait(until, self._resume, STOP_END)
            return
        self._work.settle(self._env.now)
        struck = self._replicas.struck_in_stop()
        if struck:
            self._bring_down({replica: replica.take_pending() for replica in struck})
        if self._activity.phase is MAINTENANCE:
            if self._group.is_stalled_until_later:
                self._group.stand_still()
            else:
                self._group.go_on()
        acts, self._after = self._after, []
        for act in acts:
            At(self._env, self._env.now, NOTICE, partial(_do, act))

    def _undrain(self, replica: Replica, blame: Blame, event: At) -> None:
        """End the stop of a drained replica: it rejoins, or recovers from a failure that hit it there."""
        if replica.state is not DRAINED or self._ends[replica] is not event:
            return
        if self._rollout.is_over(replica):
            self._windows.skip_before(self._env.now)
        if replica.pending is None:
            self._bring_back(replica, blame)
        else:
            self._work.settle(self._env.now)
            self._bring_down({replica: replica.take_pending()})
            self._group.plan_anew()


def _do(act: Callable[[], None], event: At) -> None:
    act()
