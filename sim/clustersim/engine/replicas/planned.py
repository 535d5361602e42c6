"""Planned stops: all replicas together, or one after another while the others train on."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from clustersim.engine.activity import Blame
from clustersim.engine.events import NOTICE, STOP_END, WINDOW, At
from clustersim.engine.journal import NOBODY
from clustersim.engine.replicas.active_group import ActiveGroup
from clustersim.engine.replicas.parts import Parts, SharedState
from clustersim.engine.replicas.replica import PendingFailure, Replica, State
from clustersim.engine.replicas.rollout import Rollout
from clustersim.engine.stops import Stops
from clustersim.records import SCOPES, Phase

JOB_SCOPE = SCOPES.index("job")


class PlannedStops:
    """What happens when maintenance is due, and what struck meanwhile when it is over.

    *bring_down* takes the replicas down that were struck, *bring_back* lets one join the others.
    """

    def __init__(
        self,
        parts: Parts,
        together: SharedState,
        group: ActiveGroup,
        bring_down: Callable[[Mapping[Replica, PendingFailure]], None],
        bring_back: Callable[[Replica, Blame], None],
    ) -> None:
        self._env = parts.env
        self._plan = parts.scenario.maintenance
        self._takes = self._plan.takes if self._plan else 0.0
        self._skips = self._plan is None or self._plan.if_down == "skip"
        self._rolls = self._plan is not None and self._plan.rolling
        self._work = parts.work
        self._replicas, self._activity = together
        self._group = group
        self._bring_down = bring_down
        self._bring_back = bring_back
        self._blame = parts.causes.maintenance, NOBODY
        self._windows = Stops(self._plan)
        self._rollout = Rollout()
        self._ends: dict[Replica, At] = {}
        self._turns: At | None = None
        self._after: list[Callable[[], None]] = []

    def next(self, now: float) -> float:
        """Return when the next stop begins, infinite without any."""
        return math.inf if self._rollout.under_way else self._windows.next(now)

    def broken(self) -> None:
        """The save before the stop is broken off: it is done when the job trains again, or in its outage."""
        self._windows.broken(self._env.now)

    def down(self) -> None:
        """No replica is alive: whoever has not had its turn is passed over."""
        now = self._env.now
        if self._rollout.under_way:
            self._windows.past(now)
        self._pass_over(self._rollout.drop())
        self._windows.down(now)
        self._await_turns()

    def holds_back(self) -> bool:
        """Go on with a stop that fell due while the job was down; return whether anything is left of one."""
        until = self._windows.ready(self._env.now)
        if self._rolls or until <= self._env.now:
            return False
        self._stand_still(until)
        return True

    def keeps_aside(self, replica: Replica) -> bool:
        """Let a *replica* that has recovered go on with its own stop, if anything is left of one."""
        now, since, replica.due = self._env.now, replica.due, None
        until = now if since is None else self._windows.left(since, now)
        if until <= now:
            return False
        self._step_out(replica, until, replica.activity.charged)
        return True

    def when_it_ends(self, act: Callable[[], None]) -> bool:
        """Let *act* happen when the stop under way ends; return whether there is one."""
        stopped = self._activity.phase is Phase.MAINTENANCE
        if stopped:
            self._after.append(act)
        return stopped

    def begin(self) -> None:
        """Begin the stop that is due: save first unless it is abrupt; or let replicas step out one by one."""
        assert self._plan is not None
        self._windows.begun()
        now = self._env.now
        if self._plan.rolling:
            self._group.stop()
            self._group.latest = self._blame
            self._rollout.begin(self._replicas.replicas)
            self._group.go_on()
        elif self._plan.abrupt:
            self._group.stop(self._blame)
            self._work.invalidate(JOB_SCOPE, now)
            self._work.fall_back(now, *self._blame)
            self._stand_still(now + self._takes)
        else:
            self._work.end(now)
            saved_at = self._work.begin_final_save(now)
            self._group.enter(Phase.SAVING)
            self._group.wait(saved_at, self._saved)

    def take_one_out(self) -> None:
        """Let the next replica of a rolling stop step out, if one is to."""
        if not self._rollout.is_due:
            return
        replica, passed = self._rollout.next()
        self._pass_over(passed)
        if replica is None:
            self._windows.past(self._env.now)
        else:
            self._step_out(replica, self._env.now + self._takes, self._blame)

    def _pass_over(self, replicas: Sequence[Replica]) -> None:
        """Let those of *replicas* that are down have their stop in the shadow of their recovery."""
        for replica in replicas:
            if replica.state is State.DOWN and not self._skips:
                replica.due = self._env.now

    def _await_turns(self) -> None:
        """Wait for the next rolling stop that falls due while the whole job is down."""
        if self._rolls and not self._skips:
            due = self._windows.next(self._env.now)
            self._turns = At(self._env, due, WINDOW, self._come_all_turns)

    def _come_all_turns(self, event: At) -> None:
        """Let all have their turn at once where nobody trains: those that wait for others step out."""
        if event is not self._turns or self._group.is_formed:
            return
        self._windows.begun()
        self._pass_over(self._replicas.replicas)
        for replica in self._replicas.ready:
            if replica.state is State.REJOINING:
                self._step_out(replica, self._env.now + self._takes, self._blame)
        self._group.enter(self._activity.phase)
        self._await_turns()

    def _step_out(self, replica: Replica, until: float, blame: Blame) -> None:
        """Let a *replica* stand aside, and come back then because of whom all *blame*."""
        self._replicas.step_out(replica)
        replica.activity.enter(Phase.MAINTENANCE)
        replica.activity.charged = self._blame
        self._ends[replica] = At(self._env, until, STOP_END, partial(self._step_in, replica, blame))

    def _saved(self) -> None:
        self._group.stop()
        self._work.end_final_save(self._env.now)
        self._stand_still(self._env.now + self._takes)

    def _stand_still(self, until: float) -> None:
        self._group.enter(Phase.MAINTENANCE)
        self._group.wait(until, self._resume, STOP_END)

    def _resume(self) -> None:
        """Let the replicas train again; what has struck meanwhile is recovered from now."""
        self._windows.past(self._env.now)
        self._work.settle(self._env.now)
        struck = [
            one
            for one in self._replicas.replicas
            if one.pending is not None and one.state is not State.DRAINED
        ]
        if struck:
            self._bring_down({one: one.take_pending() for one in struck})
        if self._activity.phase is Phase.MAINTENANCE:
            if self._group.is_stalled_until_later:
                self._group.stand_still()
            else:
                self._group.go_on()
        acts, self._after = self._after, []
        for act in acts:
            At(self._env, self._env.now, NOTICE, partial(_do, act))

    def _step_in(self, replica: Replica, blame: Blame, event: At) -> None:
        """Let a replica come back from its planned stop, or recover from what struck it there."""
        if replica.state is not State.DRAINED or self._ends[replica] is not event:
            return
        if self._rollout.is_over(replica):
            self._windows.past(self._env.now)
        if replica.pending is None:
            self._bring_back(replica, blame)
        else:
            self._work.settle(self._env.now)
            self._bring_down({replica: replica.take_pending()})
            self._group.plan_anew()


def _do(act: Callable[[], None], event: At) -> None:
    act()
