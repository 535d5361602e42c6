"""The naive simulator's notices: who will leave, and what the job saves and waits for before."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from clustersim.scenario.kinds.effects import Notice
from tests.oracle import ranks
from tests.oracle.lineage import NEAR, Bearer
from tests.oracle.saves import Copy

if TYPE_CHECKING:
    from tests.oracle.job import Job
    from tests.oracle.strikes import Strike


class Notices:
    """Those that have been `told` and have not left; `saving` while the job saves because of one of them."""

    def __init__(self, job: Job) -> None:
        self.job, self.world = job, job.world
        self.told: list[Strike] = []
        self.saving = False

    def give(self, effect: Notice, strike: Strike) -> None:
        """The nodes leave when the notice is over; a job of one replica that trains saves before."""
        world, job = self.world, self.job
        leaves = world.now + effect.notice
        self.told.append(strike)
        world.at(leaves, ranks.NOTICED, lambda: self.leave(strike))
        works = strike.draw("saves") < effect.saves
        if job.count > 1 or job.stops.now or not job.in_stretch():
            return
        if job.doing == "training":
            self.save(strike, leaves, works)
        elif job.block_ends <= leaves:
            begun, rank = job.start, ranks.DURABLE + ranks.NEXT
            world.at(job.block_ends, rank, lambda: self.save_after_block(strike, leaves, works, begun))

    def leave(self, strike: Strike) -> None:
        """The notice is over: those that are still at work leave, and nobody has to look for them."""
        self.told.remove(strike)
        had = bool(strike.slots)
        self.world.effects.keep_those_at_work(strike)
        if strike.slots or not had:
            strike.noticed = True
            self.world.strikes.crash(strike)

    def save_after_block(self, strike: Strike, leaves: float, works: bool, begun: float) -> None:
        """The block has ended, and all else that ends with it, if nothing has ended the stretch before."""
        if self.job.in_stretch() and self.job.start == begun:
            self.save(strike, leaves, works)

    def save(self, strike: Strike, leaves: float, works: bool) -> None:
        """Save in the last tier that outlives this and has the time for it, unless a copy has it all."""
        tiers, now, tau = self.world.tiers, self.world.now, self.world.lineage.tau
        safe = [
            index
            for index, tier in enumerate(tiers.tiers)
            if tier.survives is None or strike.scope in tier.survives
        ]
        for index in reversed(safe):
            copies = [copy for copy in tiers.copies if copy.tier == index and abs(copy.tau - tau) <= NEAR]
            copies = [copy for copy in copies if copy.durable or copy.durable_at > now]
            if copies or tau <= NEAR:
                for copy in copies:
                    self.hasten(copy, leaves, works)
                self.begin(strike, now, None)
                return
        for index in reversed(safe):
            ends = now + tiers.tiers[index].blocks
            if ends <= leaves:
                durable_at = min(ends + tiers.tiers[index].durable_after, leaves) if works else math.inf
                self.begin(strike, ends, Copy(index, tau, durable_at))
                return

    def hasten(self, copy: Copy, leaves: float, works: bool) -> None:
        """A copy that is on its way is durable when the notice is over at the latest, if that works."""
        if works and copy.durable_at > leaves:
            self.world.tiers.copies.remove(copy)
            self.send(Copy(copy.tier, copy.tau, leaves))

    def send(self, copy: Copy) -> None:
        tiers = self.world.tiers
        tiers.copies.append(copy)
        if copy.durable_at < math.inf:
            self.world.at(copy.durable_at, ranks.DURABLE, lambda: tiers.make_durable(copy, self.world.now))

    def begin(self, strike: Strike, ends: float, copy: Copy | None) -> None:
        """Training ends; the save lasts for its block."""
        self.world.cancel(ranks.SAVE, ranks.TARGET)
        self.world.tiers.seen.end(self.world.now)
        self.job.enter("saving", Bearer("checkpoint"))
        self.saving = True
        self.world.at(ends, ranks.SAVE, lambda: self.saved(strike, copy))

    def saved(self, strike: Strike, copy: Copy | None) -> None:
        """The job stands still until somebody leaves."""
        if copy is not None:
            self.send(copy)
        self.job.end_stretch()
        self.job.enter("leaving", strike.bearer)
