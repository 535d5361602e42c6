"""The naive simulator's planned stops: of the whole job, merged into a failure, or replica by replica."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from tests.oracle import ranks
from tests.oracle.lineage import Bearer
from tests.oracle.replicas import DOWN, OUT, READY, UP, Replica
from tests.oracle.saves import Copy

if TYPE_CHECKING:
    from tests.oracle.job import Job
    from tests.oracle.strikes import Strike

MAINTENANCE = Bearer("maintenance")


class Stops:
    """`now` is "saving" while the job saves before a stop, "on" while it stands still for it, else empty.

    `due` is the instant from which on the next stop waits only for the job to train.
    """

    def __init__(self, job: Job) -> None:
        self.job, self.world = job, job.world
        self.now = ""
        self.due = math.inf
        self.rolling: list[Replica] = []
        self.struck: dict[Replica, Strike] = {}
        self.last: Strike | None = None
        self.later: list[Callable[[], None]] = []

    def forget(self) -> None:
        """The whole job restarts: what was planned is done within its recovery."""
        self.due, self.rolling = math.inf, []

    def wait(self, act: Callable[[], None]) -> None:
        """Do something now, or at the end of the stop that is on."""
        if self.now == "on":
            self.later.append(act)
        else:
            act()

    def note(self, struck: list[Replica], strike: Strike) -> set[Replica]:
        """Replicas that are struck while they stand still for a stop go down when it ends: return them."""
        noted = {one for one in struck if one.state == OUT or self.now == "on"}
        for one in struck:
            if one in noted:
                one.note(strike)
                self.struck[one] = self.last = strike
        return noted

    def window(self) -> None:
        """A planned stop falls due: it is past while the whole job is down, or if one is going on."""
        plan, job = self.world.scenario.maintenance, self.job
        assert plan is not None
        rolls = bool(self.rolling) or any(one.state == OUT for one in job.replicas)
        if not job.gone and not self.now and not rolls:
            self.due = min(self.due, self.world.now + plan.merge_within)

    def begin_if_due(self) -> None:
        """A stop begins when it has waited long enough for a failure, and as soon as the job trains."""
        plan, job = self.world.scenario.maintenance, self.job
        if plan is None or self.due > self.world.now or not job.in_stretch():
            return
        self.due = math.inf
        if plan.rolling:
            self.rolling, job.latest = list(job.replicas), MAINTENANCE
            job.end_stretch()
            job.resume()
        else:
            self.begin()

    def begin(self) -> None:
        """Save in the last tier and then stand still, or fall back and stand still."""
        world, tiers = self.world, self.world.tiers
        plan, tau = world.scenario.maintenance, world.lineage.tau
        assert plan is not None
        world.cancel(ranks.SAVE, ranks.TARGET)
        if plan.abrupt or not tiers.tiers:
            self.job.end_stretch()
            tiers.strike("job", tau)
            tiers.keep_durable(tau)
            copy = tiers.newest()
            self.job.fall_back(copy.tau if copy else 0.0, "lost", MAINTENANCE)
            self.stand_still()
            return
        last = len(tiers.tiers) - 1
        tiers.supersede(last, world.now)
        self.now = "saving"
        self.job.enter("saving", Bearer("checkpoint"))
        ends = world.now + (tiers.tiers[last].blocks + tiers.tiers[last].durable_after)
        world.at(ends, ranks.SAVE, lambda: self.end_final_save(last))

    def end_final_save(self, last: int) -> None:
        copy = Copy(last, self.world.lineage.tau, self.world.now)
        self.world.tiers.copies.append(copy)
        self.world.tiers.make_durable(copy, self.world.now)
        self.job.end_stretch()
        self.stand_still()

    def stand_still(self) -> None:
        plan = self.world.scenario.maintenance
        assert plan is not None
        self.job.enter("maintenance", MAINTENANCE)
        self.now = "on"
        self.world.at(self.world.now + plan.takes, ranks.WINDOW, self.end)

    def end(self) -> None:
        """The stop is over: replicas struck in it go down, the others train on, or stall first."""
        job, self.now = self.job, ""
        job.doing = ""
        self.take_down_noted()
        if job.present() and job.gone:
            job.rejoin(job.latest)
        elif job.present() and job.deadline > self.world.now:
            job.stall(job.deadline - self.world.now, job.staller)
        elif job.present() and job.doing != "stall":
            job.resume()
        later, self.later = self.later, []
        for act in later:
            self.world.at(self.world.now, ranks.NOTICED, act)

    def take_down_noted(self) -> None:
        """Those that were struck go down, the first that was struck first."""
        job, struck = self.job, dict(self.struck)
        self.struck.clear()
        ups = any(one.state == UP for one in struck)
        for one in struck:
            one.state = DOWN
        if struck and not job.alive():
            assert self.last is not None
            job.lose_everyone(self.last)
        elif ups:
            assert self.last is not None
            job.stall(job.plan.stall, self.last.bearer)
        for one in struck:
            one.begin_noted()

    def step_out(self) -> None:
        """In a rolling stop, the next replica that is up stands still, once the one before is back."""
        plan, job = self.world.scenario.maintenance, self.job
        if any(one.state == OUT for one in job.replicas) or len(job.up()) < job.plan.minimum:
            return
        while self.rolling and plan is not None:
            one = self.rolling.pop(0)
            if one.state == UP:
                one.state = OUT
                self.world.at(self.world.now + plan.takes, ranks.WINDOW, partial(self.step_in, one))
                return

    def step_in(self, one: Replica) -> None:
        """A replica's own stop is over: it rejoins, or goes down if it was struck."""
        if one.state != OUT:
            return
        job, strike = self.job, one.noted
        if strike is None:
            one.state = READY
            job.rejoin(MAINTENANCE)
            return
        one.state = DOWN
        if not job.alive():
            job.lose_everyone(strike)
        one.begin_noted()
