"""Planned stops: all replicas together, or one after another while the others train on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from clustersim.engine.events import NOTICE, STOP_END, At
from clustersim.engine.journal import NOBODY
from clustersim.engine.replicas.group import Group
from clustersim.engine.replicas.parts import Parts, Together
from clustersim.engine.replicas.replica import Blow, Replica, State
from clustersim.records import SCOPES, Doing

JOB_SCOPE = SCOPES.index("job")


class PlannedStops:
    """What happens when maintenance is due, and what struck meanwhile when it is over.

    *bring_down* takes the replicas down that were struck, *bring_back* lets one join the others.
    """

    def __init__(
        self,
        parts: Parts,
        together: Together,
        group: Group,
        bring_down: Callable[[Mapping[Replica, Blow]], None],
        bring_back: Callable[[Replica], None],
    ) -> None:
        self._env = parts.env
        self._plan = parts.scenario.maintenance
        self._takes = self._plan.takes if self._plan else 0.0
        self._work = parts.work
        self._team, self._activity, self._windows, self._rollout = together
        self._group = group
        self._bring_down = bring_down
        self._bring_back = bring_back
        self._cause = parts.causes.maintenance
        self._after: list[Callable[[], None]] = []

    def when_it_ends(self, act: Callable[[], None]) -> bool:
        """Let *act* happen when the stop under way ends; return whether there is one."""
        stopped = self._activity.doing is Doing.MAINTENANCE
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
            self._group.latest = self._cause, NOBODY
            self._rollout.begin(self._team.replicas)
            self._group.go_on()
        elif self._plan.abrupt:
            self._group.stop((self._cause, NOBODY))
            self._work.kill(JOB_SCOPE, now)
            self._work.fall_back(now, self._cause, NOBODY)
            self._stand_still()
        else:
            self._work.end(now)
            self._work.begin_final_save(now)
            self._group.enter(Doing.SAVING)
            self._group.wait(now + self._work.final_save, self._saved)

    def take_one_out(self) -> None:
        """Let the next replica of a rolling stop step out, if one is to."""
        if not self._rollout.is_due:
            return
        replica = self._rollout.next()
        if replica is None:
            self._windows.restarted(self._env.now)
        else:
            self._team.step_out(replica)
            replica.activity.enter(Doing.MAINTENANCE)
            replica.activity.charged = self._cause, NOBODY
            At(self._env, self._env.now + self._takes, STOP_END, lambda _: self._step_in(replica))

    def _saved(self) -> None:
        self._group.stop()
        self._work.end_final_save(self._env.now)
        self._stand_still()

    def _stand_still(self) -> None:
        self._group.enter(Doing.MAINTENANCE)
        self._group.wait(self._env.now + self._takes, self._resume, STOP_END)

    def _resume(self) -> None:
        """Let the replicas train again; what has struck meanwhile is recovered from now."""
        self._windows.restarted(self._env.now)
        self._work.settle(self._env.now)
        struck = [one for one in self._team.replicas if one.blow is not None and one.state is not State.OUT]
        if struck:
            self._bring_down({one: one.take_blow() for one in struck})
        if self._activity.doing is Doing.MAINTENANCE:
            if self._group.is_stalled_until_later:
                self._group.stand_still()
            else:
                self._group.go_on()
        acts, self._after = self._after, []
        for act in acts:
            At(self._env, self._env.now, NOTICE, partial(_do, act))

    def _step_in(self, replica: Replica) -> None:
        """Let a replica come back from its planned stop, or recover from what struck it there."""
        if replica.state is not State.OUT:
            return
        if self._rollout.is_over():
            self._windows.restarted(self._env.now)
        if replica.blow is None:
            self._bring_back(replica)
        else:
            self._work.settle(self._env.now)
            self._bring_down({replica: replica.take_blow()})
            self._group.plan_anew()


def _do(act: Callable[[], None], event: At) -> None:
    act()
