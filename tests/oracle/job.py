"""The job of the naive simulator: the replicas that are alive train, save, stand still and stop together."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, cast

from tests.oracle import ranks
from tests.oracle.clocks import Alarm, Source
from tests.oracle.lineage import Bearer
from tests.oracle.notices import Notices
from tests.oracle.replicas import DOWN, OUT, READY, UP, Replica
from tests.oracle.saves import Copy
from tests.oracle.stops import MAINTENANCE, Stops

if TYPE_CHECKING:
    from tests.oracle.naive import Naive
    from tests.oracle.strikes import Strike

IN_STRETCH = ("training", "saving")
ENTRIES = {"saving": "checkpoint", "held": "idle"}


class Job:
    """`doing` is what the replicas up and ready do together, empty if there are none.

    `gone` says that no replica was alive, and that no group has formed since.
    """

    def __init__(self, world: Naive) -> None:
        self.world, self.plan = world, world.scenario.recovery
        self.count = self.plan.replicas
        self.replicas = [Replica(self, index) for index in range(self.count)]
        self.doing, self.gone = "", False
        self.bearer = self.latest = Bearer("")
        self.start = self.start_tau = 0.0
        self.deadline, self.staller = -math.inf, Bearer("")
        self.stops = Stops(self)
        self.notices = Notices(self)
        self.block_ends = 0.0
        self.out_until, self.outage = 0.0, cast("Strike", None)
        self.corrupted_beyond: float | None = None
        self.showing: list[tuple[str, int, int]] = []

    def up(self) -> list[Replica]:
        return [one for one in self.replicas if one.state == UP]

    def present(self) -> list[Replica]:
        """Those that are up or ready."""
        return [one for one in self.replicas if one.state in (UP, READY)]

    def down(self) -> list[Replica]:
        return [one for one in self.replicas if one.state == DOWN]

    def alive(self) -> bool:
        return any(one.alive for one in self.replicas)

    def in_stretch(self) -> bool:
        return self.doing in IN_STRETCH and not self.notices.saving

    def begin(self) -> None:
        if not self.plan.at_start:
            self.begin_stretch()
            return
        from tests.oracle.strikes import Strike

        start = Strike(self.world.luck, cast(Source, None), "start", "start", 0, [], True, "job")
        self.gone, self.latest = True, start.bearer
        for one in self.replicas:
            one.state = DOWN
        for one in self.replicas:
            one.chain = start
            one.begin_stage(1)

    def go_out(self, strike: Strike, until: float) -> None:
        """The site is out; of several outages the one that ends last is what everybody waits for."""
        strike.noticed = True
        if until > self.out_until:
            self.out_until, self.outage = until, strike

    def hit(self, strike: Strike) -> list[Replica]:
        """The replicas that an incident strikes: those of its slots, or all."""
        groups = {self.world.fleet.group_of(slot) for slot in strike.slots}
        return [one for one in self.replicas if one.index in groups or not strike.slots]

    def activity_of(self, hit: list[Replica], slots: list[int]) -> str:
        """What the first of these replicas does; of the whole job, the first that is alive."""
        alive = [one for one in hit if one.state in (UP, READY)]
        first = hit[0] if slots or not alive else alive[0]
        if first.state == OUT:
            return "maintenance"
        return first.doing if first.state == DOWN else self.doing

    def detection(self, strike: Strike) -> float:
        """How long it takes until a failure is noticed; no time if it has been."""
        if strike.noticed:
            return 0.0
        law = strike.source.mode.detect or self.plan.stages[0].duration
        return strike.draw("detect", law.sample)

    def waiting_groups(self) -> list[int]:
        """The replicas that wait for nodes, in the order in which they began to."""
        waiting = [(one.waiting_since, one.index) for one in self.replicas if one.waiting_since is not None]
        return [index for _, index in sorted(waiting)]

    def look_for_nodes(self) -> None:
        """Those that wait already do so first, in the order in which they began to."""
        waiting = self.waiting_groups()
        others = [one.index for one in self.replicas if one.index not in waiting]
        for index in waiting + others:
            self.replicas[index].look_for_nodes()

    def enter(self, doing: str, bearer: Bearer) -> None:
        self.doing, self.bearer = doing, bearer

    def pass_time(self, start: float, end: float) -> None:
        """Book the time of every replica."""
        share = len(self.present()) / self.count
        if self.doing == "training":
            self.train(start, end, share)
        elif share and self.doing == "leaving":
            self.world.books.book(start, end, "waiting", Bearer(self.bearer.cause))
            self.world.books.charge_waiting(start, end, [self.bearer], share)
        elif share:
            bearer = self.latest if self.doing == "held" else self.bearer
            self.world.books.book(start, end, ENTRIES.get(self.doing, self.doing), bearer, share=share)
        for one in self.replicas:
            if one.state == DOWN:
                bearer = one.chain.bearer
                share = 1 / self.count
                self.world.books.book(start, end, one.entry, bearer, one.stage, share, one.index)
                if one.entry == "waiting":
                    takers = [repair.bearer for repair in self.world.shops.missing]
                    takers = [bearer] if one.doing == "outage" else takers
                    self.world.books.charge_waiting(start, end, takers, share)
            elif one.state == OUT:
                alone = 1 / self.count
                self.world.books.book(start, end, "maintenance", MAINTENANCE, "", alone, one.index)

    def train(self, start: float, end: float, share: float) -> None:
        factor, straggler = self.world.effects.pace()
        at_work = 1 - self.plan.overhead
        if self.plan.overhead:
            self.world.books.book(start, end, "slow", Bearer("overhead"), share=share * self.plan.overhead)
        if factor < 1:
            self.world.books.book(start, end, "slow", straggler, share=share * at_work * (1 - factor))
        self.world.lineage.add(start, end, share * at_work * factor)

    def change_pace(self) -> None:
        if self.doing == "training":
            self.expect_target()

    def expect_target(self) -> None:
        world, target = self.world, self.world.scenario.target_s
        world.cancel(ranks.TARGET)
        if target is not None:
            pace = len(self.up()) / self.count * (1 - self.plan.overhead) * world.effects.pace()[0]
            world.at(world.now + (target - world.kept) / pace, ranks.TARGET, world.reach_target)

    def begin_stretch(self) -> None:
        world = self.world
        self.enter("training", Bearer(""))
        self.start, self.start_tau = world.now, world.lineage.tau
        self.expect_target()
        world.tiers.plan(self.start_tau, self.start)
        self.expect_block()
        self.expect_recurrences()

    def expect_recurrences(self) -> None:
        """Every faulty node of a replica that trains fails again once it has trained for so long in all."""
        up = [one.index for one in self.up()]
        at_work = self.world.fleet.at_work()
        self.showing = []
        for source in self.world.sources:
            for fault in self.world.fleet.faults:
                mode, n, node = fault
                if mode == source.name and node in at_work and self.world.fleet.group_of(at_work[node]) in up:
                    self.showing.append(fault)
                    after = self.world.luck.draw(f"{mode}/recurrence/after", n, self.plan.recurs_after.sample)
                    left = self.world.fleet.left.setdefault(fault, after)
                    source.recurrences.append(Alarm(self.world.now + left, n, node))

    def expect_block(self) -> None:
        tiers = self.world.tiers
        if tiers.tiers:
            tier = tiers.next_block()
            u = tiers.due(tier)
            self.world.at(self.start + (u + tiers.stood()), ranks.SAVE, lambda: self.begin_block(tier, u))

    def begin_block(self, tier: int, u: float) -> None:
        tiers = self.world.tiers
        self.world.cancel(ranks.TARGET)
        self.enter("saving", Bearer("checkpoint"))
        tiers.begun[tier] += 1
        ends = u + tiers.stood()
        self.block_ends = self.start + ends
        self.world.at(self.start + ends, ranks.SAVE, lambda: self.end_block(tier, u, ends))

    def end_block(self, tier: int, u: float, ends: float) -> None:
        durable_at = self.start + (ends + self.world.tiers.tiers[tier].durable_after)
        copy = Copy(tier, self.start_tau + u, durable_at)
        self.world.tiers.copies.append(copy)
        self.world.at(durable_at, ranks.DURABLE, lambda: self.world.tiers.make_durable(copy, self.world.now))
        self.enter("training", Bearer(""))
        self.expect_target()
        self.expect_block()

    def end_stretch(self, loser: Bearer | None = None) -> None:
        """Training ends; if replicas have failed, all lose the step in flight, but for what a stop saves."""
        if self.doing not in IN_STRETCH:
            return
        stopping, self.notices.saving = bool(self.stops.now), False
        if loser is not None:
            self.stops.save_breaks()
        world, step = self.world, self.world.scenario.workload.step_time
        world.tiers.seen.end(world.now)
        world.cancel(ranks.SAVE, ranks.TARGET)
        for source in world.sources:
            source.recurrences = [alarm for alarm in source.recurrences if alarm.instant <= world.now]
        for fault in self.showing:
            world.fleet.left[fault] = max(world.fleet.left[fault] - (world.now - self.start), 0.0)
        if loser is not None and step and not stopping:
            whole = math.floor((world.lineage.tau - self.start_tau) / step + 1e-9) * step
            self.fall_back(self.start_tau + whole, "lost", loser)
        self.stops.now = ""

    def fall_back(self, tau: float, entry: str, bearer: Bearer) -> None:
        self.world.lineage.fall_back(tau, entry, bearer)
        self.world.tiers.fall_back(tau)
        self.world.effects.fallen_back(tau)

    def fall_back_to_copies(self, strike: Strike, entry: str = "lost") -> None:
        """Back to the newest durable copy, or to the beginning."""
        copy = self.world.tiers.newest()
        self.fall_back(copy.tau if copy else 0.0, entry, strike.bearer)

    def crash(self, strike: Strike) -> None:
        """A failure strikes parts of the job: what is alive goes down, what is down begins again."""
        beyond, self.corrupted_beyond = self.corrupted_beyond, None
        hit = self.hit(strike) if beyond is None else self.replicas
        self.world.tiers.strike(strike.scope, self.world.lineage.tau)
        for one in hit:
            one.expect_leave(strike)
        down = {one for one in hit if one.state == DOWN}
        noted = (
            set() if beyond is not None else self.stops.note([one for one in hit if one not in down], strike)
        )
        going = [one for one in hit if one not in down and one not in noted]
        self.latest = strike.bearer
        self.go_down(going, strike, beyond)
        for one in hit:
            if one in down:
                one.disturb(strike)
            elif one in going:
                one.begin_chain(strike)

    def go_down(self, going: list[Replica], strike: Strike, beyond: float | None = None) -> None:
        """Replicas fail: the others stand still, or, if there are none, the job falls back to a copy."""
        ups = [one for one in going if one.state == UP]
        for one in going:
            one.state = DOWN
        if ups and strike.row is not None:
            strike.row["interruption"] = True
        if beyond is not None:
            self.fall_back(min(beyond, self.world.lineage.tau), "corrupted", strike.bearer)
        if not self.alive():
            self.lose_everyone(strike, "lost" if beyond is None else "corrupted")
        elif ups:
            self.end_stretch(strike.bearer)
            self.stall(self.plan.stall, strike.bearer)

    def lose_everyone(self, strike: Strike, entry: str = "lost") -> None:
        """No replica is alive: copies in flight are gone, and all work beyond the newest durable one."""
        self.stops.save_breaks()
        self.end_stretch()
        self.world.cancel(ranks.STALL, ranks.FORM)
        self.doing = self.doing if self.stops.now else ""
        self.gone, self.deadline = True, -math.inf
        self.stops.job_goes_down()
        self.world.tiers.seen.fall_back(self.world.now, strike.scope)
        self.world.tiers.keep_durable(self.world.lineage.tau)
        self.fall_back_to_copies(strike, entry)

    def stall(self, seconds: float, bearer: Bearer) -> None:
        """All that are alive stand still for so long, or as long as they have to already."""
        if self.world.now + seconds >= self.deadline:
            self.deadline, self.staller = self.world.now + seconds, bearer
        if self.stops.now:
            return
        self.enter("stall", self.staller)
        self.world.cancel(ranks.STALL)
        self.world.at(self.deadline, ranks.STALL, self.resume)

    def flap(self, strike: Strike, seconds: float) -> None:
        if self.stops.now or self.notices.saving or self.doing not in (*IN_STRETCH, "stall"):
            return
        assert strike.row is not None
        strike.row["interruption"] = self.doing in IN_STRETCH
        self.end_stretch()
        self.stall(seconds, strike.bearer)

    def resume(self) -> None:
        """All that are ready join; train on, if there are enough."""
        self.deadline = -math.inf
        for one in self.present():
            one.state = UP
        if self.stops.go_on():
            return
        self.stops.step_out()
        if len(self.up()) < self.plan.minimum:
            self.enter("held", self.latest)
        else:
            self.begin_stretch()

    def chain_done(self, one: Replica) -> None:
        """A replica has recovered: it joins the others, or waits until there are enough."""
        if self.stops.stand_aside(one):
            return
        one.state = READY
        self.rejoin(one.chain.bearer)

    def rejoin(self, bearer: Bearer) -> None:
        enough = len(self.present()) >= self.plan.minimum
        if self.gone and self.stops.now:
            return
        if self.gone:
            self.enter("held", self.latest)
            if enough:
                self.world.cancel(ranks.FORM)
                self.world.at(self.world.now, ranks.FORM, self.form)
        elif enough:
            if not self.stops.now:
                self.end_stretch()
            self.stall(self.plan.rejoin_stall, bearer)

    def form(self) -> None:
        """As many as it takes are ready: they begin together, if they still are at the end of the instant."""
        if len(self.present()) >= self.plan.minimum:
            self.gone = False
            self.resume()
