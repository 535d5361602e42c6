"""The naive simulator's planned stops: of the whole job, merged into a failure, or replica by replica."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
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


@dataclass
class Due:
    """A planned stop that is due and has not been done: it lasts for so long, and begins at this instant.

    If the job is down its work counts from the instant `since` on.
    """

    lasts: float
    since: float
    begins: float


class Stops:
    """`now` is "saving" while the job saves before a stop, "on" while it stands still for it, else empty.

    By the number of their entry, `due` are the stops that wait for a failure, or for the job to train,
    `shadow` those that fell due while the job is down or stands still for others, `under_way` those that the
    job saves or stands still for.
    """

    def __init__(self, job: Job) -> None:
        self.job, self.world = job, job.world
        self.plans = self.world.scenario.maintenance
        self.now = ""
        self.due: dict[int, Due] = {}
        self.shadow: dict[int, Due] = {}
        self.under_way: dict[int, Due] = {}
        self.rolling: list[Replica] = []
        self.in_turn: Replica | None = None
        self.struck: dict[Replica, Strike] = {}
        self.last: Strike | None = None
        self.later: list[Callable[[], None]] = []

    @property
    def rolls(self) -> bool:
        """Whether replicas stop one after another; there is one entry then."""
        return bool(self.plans) and self.plans[0].rolling

    def skips(self, entry: int) -> bool:
        return self.plans[entry].if_down == "skip"

    def job_goes_down(self) -> None:
        """What is due and has not been done is due from now; in a rolling stop the others are passed over."""
        for one in self.rolling:
            self.pass_over(one)
        self.rolling, self.in_turn = [], None
        for entry, stop in list(self.due.items()):
            if self.skips(entry) or not self.rolls:
                del self.due[entry]
            if not self.skips(entry) and not self.rolls:
                self.shadow[entry] = Due(stop.lasts, self.world.now, math.inf)

    def save_breaks(self) -> None:
        """A failure ends the save before stops; they are due still, and so is what fell due meanwhile."""
        if self.now != "saving":
            return
        self.now = ""
        for entry, stop in [*self.under_way.items(), *self.shadow.items()]:
            begins = self.world.now if entry in self.under_way else stop.begins
            if not self.skips(entry):
                self.due[entry] = Due(stop.lasts, self.world.now, begins)
        self.under_way, self.shadow = {}, {}

    def pass_over(self, one: Replica) -> None:
        """A replica that is down when its turn comes has its stop in the shadow of its recovery."""
        if one.state == DOWN and not self.skips(0):
            one.due = self.world.now

    def left(self, shadow: dict[int, Due]) -> dict[int, Due]:
        """Which of these stops are not over now that the job is ready, each with its end as `begins`."""
        now = self.world.now
        ends = {
            entry: (stop.since if self.plans[entry].if_down == "shorten" else now) + stop.lasts
            for entry, stop in shadow.items()
            if not self.skips(entry)
        }
        return {entry: Due(shadow[entry].lasts, now, end) for entry, end in ends.items() if end > now}

    def go_on(self) -> bool:
        """The job is ready after an outage: whether it has to stand still yet."""
        self.under_way, self.shadow = self.left(self.shadow), {}
        if self.under_way:
            self.stand_still(max(stop.begins for stop in self.under_way.values()))
        return bool(self.under_way)

    def stand_aside(self, one: Replica) -> bool:
        """A replica is ready after its recovery: whether it has to stand still yet."""
        until = self.world.now
        if one.due is not None:
            until = (one.due if self.plans[0].if_down == "shorten" else until) + self.plans[0].takes
        one.due = None
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

    def window(self, entry: int, number: int) -> None:
        """A planned stop falls due: it is past if one of its entry is going on."""
        plan, job, now = self.plans[entry], self.job, self.world.now
        if self.rolling or self.in_turn is not None or (self.now == "on" and entry in self.under_way):
            return
        lasts = plan.lengths[number] if plan.lengths else plan.takes
        stop = Due(lasts, now, now + plan.merge_within)
        if not job.gone and not self.now:
            waiting = self.due.get(entry, stop)
            self.due[entry] = Due(lasts, now, min(waiting.begins, stop.begins))
        elif plan.rolling:
            if not self.skips(entry):
                self.due[entry] = stop
        elif not self.skips(entry):
            self.shadow[entry] = stop

    def begin_if_due(self) -> None:
        """A stop begins when it has waited long enough for a failure, and as soon as the job trains."""
        job, now = self.job, self.world.now
        if not any(stop.begins <= now for stop in self.due.values()):
            return
        if job.gone:
            self.due = {}
            self.take_all_turns()
            return
        if not job.in_stretch():
            return
        self.under_way, self.due = self.due, {}
        if self.rolls:
            self.under_way = {}
            self.rolling, job.latest = list(job.replicas), MAINTENANCE
            job.end_stretch()
            job.resume()
        else:
            self.begin()

    def begin(self) -> None:
        """Save in the last tier and then stand still, or fall back and stand still."""
        world, tiers, tau = self.world, self.world.tiers, self.world.lineage.tau
        world.cancel(ranks.SAVE, ranks.TARGET)
        tiers.seen.end(world.now)
        if all(self.plans[entry].abrupt for entry in self.under_way) or not tiers.tiers:
            tiers.seen.fall_back(world.now, None)
            self.job.end_stretch()
            tiers.strike("job", tau)
            tiers.keep_durable(tau)
            copy = tiers.newest()
            self.job.fall_back(copy.tau if copy else 0.0, "lost", MAINTENANCE)
            self.stand_still(world.now + self.longest())
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
        self.job.end_stretch()
        self.stand_still(self.world.now + self.longest())

    def longest(self) -> float:
        return max(stop.lasts for stop in self.under_way.values())

    def stand_still(self, until: float) -> None:
        self.shadow = {entry: stop for entry, stop in self.shadow.items() if entry not in self.under_way}
        self.job.enter("maintenance", MAINTENANCE)
        self.now = "on"
        self.world.at(until, ranks.WINDOW, self.end)

    def end(self) -> None:
        """The stop is over: replicas struck in it go down, the others train on, or stall first.

        It goes on where a stop of another entry fell due meanwhile and is not over.
        """
        more, self.shadow = self.left(self.shadow), {}
        self.under_way |= more
        if more:
            self.stand_still(max(stop.begins for stop in more.values()))
            return
        self.under_way = {}
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
        job = self.job
        if self.in_turn is not None or len(job.up()) < job.plan.minimum:
            return
        while self.rolling:
            one = self.rolling.pop(0)
            if one.state == UP:
                self.in_turn = one
                self.let_out(one, self.world.now + self.plans[0].takes, MAINTENANCE)
                return
            self.pass_over(one)

    def take_all_turns(self) -> None:
        """A rolling stop falls due while the whole job is down."""
        for one in self.job.replicas:
            self.pass_over(one)
            if one.state == READY:
                self.let_out(one, self.world.now + self.plans[0].takes, MAINTENANCE)

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
