"""One replica of the naive simulator: up, ready, out for a planned stop, or down and on its way back."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from clustersim.records import PEER
from clustersim.scenario.keys.recovery import Stage
from clustersim.scenario.kinds.effects import Notice
from clustersim.streams import uniform
from tests.oracle import ranks

if TYPE_CHECKING:
    from tests.oracle.job import Job
    from tests.oracle.strikes import Strike

UP, READY, OUT, DOWN = "up", "ready", "out", "down"


class Replica:
    """Its state and, while it is down, its chain of recovery and what its cards are booked to."""

    def __init__(self, job: Job, index: int) -> None:
        self.job, self.world, self.index = job, job.world, index
        self.state = UP
        self.doing = self.entry = self.stage = ""
        self.pending: list[tuple[Strike, list[int]]] = []
        self.noted: Strike | None = None
        self.noted_detection = math.inf
        self.alarm = math.inf
        self.due: float | None = None
        self.awaiting: int | None = None
        self.waiting_since: float | None = None
        self.chain: Strike
        self.attempt = 0
        self.rank = ranks.STAGE + index * ranks.NEXT

    @property
    def alive(self) -> bool:
        """Whether it holds the state of the training; one struck in a stop does until it ends."""
        return self.state != DOWN

    def expect_leave(self, strike: Strike) -> None:
        """Remember the failed nodes of an incident: they leave when detection ends."""
        slots = [slot for slot in strike.slots if self.world.fleet.group_of(slot) == self.index]
        if slots and not strike.transient:
            self.pending.append((strike, slots))

    def begin_chain(self, strike: Strike, detection: float | None = None) -> None:
        """Begin to recover from an incident, of which somebody knows after its detection."""
        self.world.cancel(self.rank, ranks.WINDOW, owner=self)
        self.state, self.awaiting, self.waiting_since = DOWN, None, None
        self.noted, self.noted_detection = None, math.inf
        self.job.stops.struck.pop(self, None)
        if self.world.now < self.job.out_until:
            self.sit_out()
            return
        self.chain, self.attempt = strike, 0
        self.enter("detection")
        self.expect_alarm(self.job.detection(strike) if detection is None else detection)

    def sit_out(self) -> None:
        """The site is out: all that has struck by its end is found then, and the chain begins."""
        self.world.cancel(self.rank, owner=self)
        self.awaiting, self.waiting_since, self.alarm = None, None, math.inf
        self.chain, self.attempt = self.job.outage, 0
        self.doing, self.entry, self.stage = "outage", "waiting", ""
        self.world.at(self.job.out_until, self.rank, self.hear_alarm, owner=self)

    def note(self, strike: Strike) -> None:
        """An incident strikes it in a planned stop: it begins to recover from the last one when that is over.

        Then all that has struck is pending.
        """
        self.noted = strike
        self.noted_detection = min(self.noted_detection, self.job.detection(strike))

    def begin_noted(self) -> None:
        """The planned stop is over."""
        assert self.noted is not None
        self.begin_chain(self.noted, self.noted_detection)

    def expect_alarm(self, detection: float) -> None:
        """The earliest alarm of those that are pending ends the detection."""
        self.alarm = min(self.alarm, self.world.now + detection)
        self.world.cancel(self.rank, owner=self)
        self.world.at(self.alarm, self.rank, self.hear_alarm, owner=self)

    def hear_alarm(self) -> None:
        """Every node is looked at, and what has failed by then leaves."""
        self.alarm = math.inf
        self.send_to_repair()
        self.begin_stage(1)

    def disturb(self, strike: Strike) -> None:
        """Another incident strikes it while it is down: it begins again, or absorbs it."""
        if self.world.now < self.job.out_until:
            self.sit_out()
        elif self.world.scenario.recovery.during_recovery == "restart":
            self.begin_chain(strike)
        elif self.doing == "detection":
            self.expect_alarm(self.job.detection(strike))
            if self.alarm <= self.world.now:
                self.world.cancel(self.rank, owner=self)
                self.hear_alarm()
        else:
            self.send_to_repair()
            self.world.job.look_for_nodes()

    def enter(self, doing: str, stage: str = "") -> None:
        self.doing = self.entry = doing
        self.stage = stage

    def begin_stage(self, index: int) -> None:
        stages = self.world.scenario.recovery.stages
        if index == len(stages) or stages[index].kind == "nodes":
            self.awaiting = index
            self.look_for_nodes()
            return
        stage = stages[index]
        self.enter("recovery", stage.name)
        if stage.kind == "load":
            self.begin_load(index, stage)
        else:
            self.let_pass(self.duration(stage), index)

    def let_pass(self, duration: float, index: int) -> None:
        self.world.at(self.world.now + duration, self.rank, lambda: self.end_stage(index), owner=self)

    def draw(self, quantity: str, sampler: Callable[..., Any] = uniform) -> float:
        return self.chain.draw(quantity + (f"/{self.attempt}" if self.attempt else ""), sampler)

    def duration(self, stage: Stage) -> float:
        return self.draw(f"stage/{stage.name}", stage.duration.sample)

    def end_stage(self, index: int) -> None:
        stage = self.world.scenario.recovery.stages[index]
        if stage.fails and self.draw(f"fails/{stage.name}") < stage.fails:
            self.attempt += 1
            self.begin_stage(1)
        else:
            self.begin_stage(index + 1)

    def begin_load(self, index: int, stage: Stage) -> None:
        """Load from a peer, if one is alive, else the newest copy that turns out to be usable."""
        recovery, tiers = self.world.scenario.recovery, self.world.tiers
        if any(other.alive for other in self.job.replicas):
            if self.chain.row is not None:
                self.chain.row["tier"] = PEER
            if recovery.peer_load is not None:
                duration = recovery.peer_load
            elif stage.of_copy:
                duration = tiers.tiers[0].load if tiers.tiers else 0.0
            else:
                duration = self.duration(stage)
            self.let_pass(duration, index)
            return
        copy = tiers.newest()
        last = len(tiers.tiers) - 1
        reached = tiers.outage(last if copy is None else copy.tier, self.world.now)
        if reached is not None:
            self.world.at(reached, self.rank, lambda: self.begin_load(index, stage), owner=self)
            return
        taken = self.try_copies()
        self.let_pass(taken if stage.of_copy else self.duration(stage), index)

    def try_copies(self) -> float:
        """Try the copies, newest first, until one can be read; return how long all of that takes."""
        tiers, taken, read = self.world.tiers, 0.0, ""
        while (copy := tiers.newest()) is not None and not copy.verified:
            tier, n = tiers.tiers[copy.tier], self.chain.tries
            self.chain.tries += bool(tier.unusable)
            if not tier.unusable or self.chain.draw(f"unusable/{n}") >= tier.unusable:
                copy.verified = True
                break
            taken += tier.load
            tiers.discard([copy], self.world.lineage.tau)
            self.job.fall_back_to_copies(self.chain)
        if tiers.tiers:
            loaded = tiers.tiers[-1 if copy is None else copy.tier]
            taken += loaded.load
            read = loaded.name
        if self.chain.row is not None:
            self.chain.row["tier"] = read
        return taken

    def look_for_nodes(self) -> None:
        """Where nodes are awaited: fill the slots as far as possible, go on when all are filled and ready."""
        fleet, now = self.world.fleet, self.world.now
        if self.awaiting is None:
            return
        for instant in fleet.fill(self.index, now):
            self.world.at(instant, self.rank, self.look_for_nodes)
        self._notice_who_left()
        if fleet.missing(self.index):
            if self.waiting_since is None:
                self.waiting_since = now
            self.enter("waiting")
            return
        self.waiting_since = None
        if fleet.provisioning(self.index, now):
            self.enter("recovery", "nodes")
            return
        fleet.give_back(self.index, now)
        self._notice_who_left()
        index, self.awaiting = self.awaiting, None
        if index == len(self.world.scenario.recovery.stages):
            fleet.stop_ends(self.index)
            back = ranks.READY + self.index * ranks.NEXT
            self.world.at(now, back, lambda: self.job.chain_done(self))
        else:
            self.begin_stage(index + 1)

    def _notice_who_left(self) -> None:
        if self.world.fleet.given_back:
            self.world.effects.left(self.world.fleet.given_back)
            self.world.fleet.given_back = []

    def send_to_repair(self) -> None:
        """All failed nodes leave their slots, or whoever is taken for the culprit does."""
        pending, self.pending = self.pending, []
        for strike, slots in pending:
            if len(strike.slots) == 1 and not isinstance(strike.source.mode.effect, Notice):
                slots = self.diagnose(strike, slots[0])
            nodes = self.world.fleet.leave(slots)
            self.world.effects.left(nodes)
            self.world.shops.send(strike, nodes, strike.bearer)

    def diagnose(self, strike: Strike, culprit: int) -> list[int]:
        """Say whose node leaves because of a failure in one slot: the culprit's, another or nobody's."""
        recovery, fleet = self.world.scenario.recovery, self.world.fleet
        chance = strike.draw("diagnosis")
        if chance >= recovery.misdiagnosis + recovery.missed:
            return [culprit]
        fleet.failed.discard(culprit)
        node = fleet.slots[culprit]
        assert node is not None
        self.world.shops.make_faulty(node, strike.source)
        others = [s for s in range(len(fleet.slots)) if fleet.group_of(s) == self.index and s != culprit]
        if chance < recovery.misdiagnosis and others:
            innocent = others[int(strike.draw("innocent") * len(others))]
            if innocent in fleet.at_work().values():
                return [innocent]
        assert strike.row is not None
        strike.row["nodes_lost"] = 0
        return []
