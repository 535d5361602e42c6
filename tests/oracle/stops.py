"""The naive simulator's planned stops: of the whole job, merged into a failure, or replica by replica."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from tests.oracle import ranks
from tests.oracle.lineage import NEAR, Bearer
from tests.oracle.replicas import DOWN, OUT, READY, UP, Replica
from tests.oracle.saves import Copy

if TYPE_CHECKING:
    from tests.oracle.job import Job
    from tests.oracle.strikes import Strike

MAINTENANCE = Bearer("maintenance")


class Stops:
    """`now` is "saving" while the job saves before a stop, "on" while it stands still for it, else empty.

    `due` is the instant from which on the next stop waits only for the job to train.  The work of a stop that
    falls due while the job is down counts from the instant `shadow` on.
    """

    def __init__(self, job: Job) -> None:
        self.job, self.world = job, job.world
        self.now = ""
        self.due = math.inf
        self.shadow: float | None = None
        self.rolling: list[Replica] = []
        self.in_turn: Replica | None = None
        self.struck: dict[Replica, Strike] = {}
        self.last: Strike | None = None
        self.later: list[Callable[[], None]] = []

    @property
    def if_down(self) -> str:
        plan = self.world.scenario.maintenance
        return plan.if_down if plan else "skip"

    def job_goes_down(self) -> None:
        """What is due and has not been done is due from now; in a rolling stop the others are passed over."""
        plan = self.world.scenario.maintenance
        for one in self.rolling:
            self.pass_over(one)
        self.rolling, self.in_turn = [], None
        if self.if_down == "skip":
            self.due = math.inf
        elif self.due < math.inf and plan is not None and not plan.rolling:
            self.due, self.shadow = math.inf, self.world.now

    def save_breaks(self) -> None:
        """A failure ends the save before a stop, which is due still."""
        if self.now == "saving":
            self.now = ""
            self.due = math.inf if self.if_down == "skip" else self.world.now

    def pass_over(self, one: Replica) -> None:
        """A replica that is down when its turn comes has its stop in the shadow of its recovery."""
        if one.state == DOWN and self.if_down != "skip":
            one.due = self.world.now

    def ends(self, since: float | None) -> float:
        """Until when the job, or a replica, goes on with a stop now that it is ready."""
        plan = self.world.scenario.maintenance
        if since is None or plan is None:
            return self.world.now
        return (since if self.if_down == "shorten" else self.world.now) + plan.takes

    def go_on(self) -> bool:
        """The job is ready after an outage: whether it has to stand still yet."""
        until, self.shadow = self.ends(self.shadow), None
        if until > self.world.now:
            self.stand_still(until)
        return until > self.world.now

    def stand_aside(self, one: Replica) -> bool:
        """A replica is ready after its recovery: whether it has to stand still yet."""
        until, one.due = self.ends(one.due), None
        if until > self.world.now:
            self.let_out(one, until, one.chain.bearer)
        return until > self.world.now

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
        """A planned stop falls due: it is past if one is going on."""
        plan, job = self.world.scenario.maintenance, self.job
        assert plan is not None
        if self.now or self.rolling or self.in_turn is not None:
            return
        if not job.gone:
            self.due = min(self.due, self.world.now + plan.merge_within)
        elif self.if_down != "skip" and plan.rolling:
            self.due = self.world.now
        elif self.if_down != "skip":
            self.shadow = self.world.now

    def begin_if_due(self) -> None:
        """A stop begins when it has waited long enough for a failure, and as soon as the job trains."""
        plan, job = self.world.scenario.maintenance, self.job
        if plan is None or self.due > self.world.now:
            return
        if job.gone:
            self.due = math.inf
            self.take_all_turns()
            return
        if not job.in_stretch():
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
        tiers.seen.end(world.now)
        if plan.abrupt or not tiers.tiers:
            tiers.seen.fall_back(world.now, None)
            self.job.end_stretch()
            tiers.strike("job", tau)
            tiers.keep_durable(tau)
            copy = tiers.newest()
            self.job.fall_back(copy.tau if copy else 0.0, "lost", MAINTENANCE)
            self.stand_still(world.now + plan.takes)
            return
        last = len(tiers.tiers) - 1
        self.now = "saving"
        self.job.enter("saving", Bearer("checkpoint"))
        same = [copy for copy in tiers.copies if copy.tier == last and abs(copy.tau - tau) <= NEAR]
        if any(copy.durable for copy in same) or tau <= NEAR:
            world.at(world.now, ranks.SAVE, self.end_saving)
        elif same:
            world.at(max(copy.durable_at for copy in same), ranks.SAVE, self.end_saving)
        else:
            tiers.supersede(last, world.now)
            ends = world.now + (tiers.tiers[last].blocks + tiers.tiers[last].durable_after)
            world.at(ends, ranks.SAVE, lambda: self.end_final_save(last))

    def end_final_save(self, last: int) -> None:
        copy = Copy(last, self.world.lineage.tau, self.world.now)
        self.world.tiers.copies.append(copy)
        self.world.tiers.make_durable(copy, self.world.now)
        self.end_saving()

    def end_saving(self) -> None:
        plan = self.world.scenario.maintenance
        assert plan is not None
        self.job.end_stretch()
        self.stand_still(self.world.now + plan.takes)

    def stand_still(self, until: float) -> None:
        self.job.enter("maintenance", MAINTENANCE)
        self.now = "on"
        self.world.at(until, ranks.WINDOW, self.end)

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
        if self.in_turn is not None or len(job.up()) < job.plan.minimum:
            return
        while self.rolling and plan is not None:
            one = self.rolling.pop(0)
            if one.state == UP:
                self.in_turn = one
                self.let_out(one, self.world.now + plan.takes, MAINTENANCE)
                return
            self.pass_over(one)

    def take_all_turns(self) -> None:
        """A rolling stop falls due while the whole job is down."""
        plan = self.world.scenario.maintenance
        assert plan is not None
        for one in self.job.replicas:
            self.pass_over(one)
            if one.state == READY:
                self.let_out(one, self.world.now + plan.takes, MAINTENANCE)

    def let_out(self, one: Replica, until: float, bearer: Bearer) -> None:
        """A replica stands still by itself, and rejoins because of somebody."""
        one.state = OUT
        self.world.at(until, ranks.WINDOW, partial(self.step_in, one, bearer), owner=one)

    def step_in(self, one: Replica, bearer: Bearer) -> None:
        """A replica's own stop is over: it rejoins, or goes down if it was struck."""
        if self.in_turn is one:
            self.in_turn = None
        job, strike = self.job, one.noted
        if strike is None:
            one.state = READY
            job.rejoin(bearer)
            return
        one.state = DOWN
        if not job.alive():
            job.lose_everyone(strike)
        one.begin_noted()
