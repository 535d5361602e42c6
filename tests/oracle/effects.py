"""The naive simulator's failures that stop nobody at once: slow, corrupt, flap, storage."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from clustersim.scenario.kinds.effects import Corrupt, EffectKind, Flap, Notice, Slow, Storage
from tests.oracle import ranks
from tests.oracle.lineage import NEAR, Bearer
from tests.oracle.saves import Outage

if TYPE_CHECKING:
    from tests.oracle.naive import Naive
    from tests.oracle.strikes import Strike


@dataclass(eq=False)
class Corruption:
    """The lineage is worthless beyond a position, until it has fallen back to it."""

    strike: Strike
    position: float
    contained: bool = True


class Effects:
    """The stragglers at work, and the corruptions that nobody has noticed yet."""

    def __init__(self, world: Naive) -> None:
        self.world = world
        self.stragglers: list[Strike] = []
        self.corruptions: list[Corruption] = []

    def begin(self, effect: EffectKind, strike: Strike, in_stretch: bool) -> None:
        match effect:
            case Slow():
                self._slow(strike)
            case Corrupt():
                self._corrupt(strike, in_stretch)
            case Flap():
                self.world.job.flap(strike, strike.draw("stall", effect.stall.sample))
            case Notice():
                self.world.job.notices.give(effect, strike)
            case Storage():
                self._storage(effect, strike)

    def _slow(self, strike: Strike) -> None:
        self.stragglers.append(strike)
        self.world.job.change_pace()
        noticed = self.world.now + self.world.job.detection(strike)
        self.world.at(noticed, ranks.NOTICED, lambda: self._notice_slow(strike))

    def _notice_slow(self, strike: Strike) -> None:
        if strike not in self.stragglers:
            return
        self.stragglers.remove(strike)
        self.world.job.change_pace()
        self.keep_those_at_work(strike)
        if strike.slots:
            strike.noticed = True
            self.world.strikes.crash(strike)

    def keep_those_at_work(self, strike: Strike) -> None:
        at_work = self.world.fleet.at_work()
        strike.slots = sorted(at_work[node] for node in strike.nodes if node in at_work)

    def left(self, nodes: list[int]) -> None:
        """Nodes have left the job: they slow nobody any more."""
        told = self.world.job.notices.told
        for one in [*self.stragglers, *told, *(corruption.strike for corruption in self.corruptions)]:
            one.nodes -= set(nodes)
        self.stragglers = [strike for strike in self.stragglers if strike.nodes]
        self.world.job.change_pace()

    def pace(self) -> tuple[float, Bearer]:
        """The job's pace because of its slowest straggler, and who that is."""
        if not self.stragglers:
            return 1.0, Bearer("")
        slowest = min(self.stragglers, key=lambda strike: strike.source.mode.effect.pace)
        return slowest.source.mode.effect.pace, slowest.bearer

    def _corrupt(self, strike: Strike, in_stretch: bool) -> None:
        if not in_stretch:
            return
        corruption = Corruption(strike, self.world.lineage.tau)
        self.corruptions.append(corruption)
        law = strike.source.mode.effect.shows_after
        assert law is not None
        noticed = self.world.now + strike.draw("noticed", law.sample)
        self.world.at(
            noticed, ranks.NOTICED, lambda: self.world.job.stops.wait(lambda: self._show(corruption))
        )

    def _show(self, corruption: Corruption) -> None:
        """A corruption is noticed: if it is still in the lineage, everyone goes back to before it."""
        self.corruptions.remove(corruption)
        if not corruption.contained:
            return
        strike = corruption.strike
        self.keep_those_at_work(strike)
        strike.noticed = True
        self.world.job.corrupted_beyond = corruption.position
        self.world.strikes.crash(strike)

    def fallen_back(self, tau: float) -> None:
        """The lineage has fallen back to a position: corruption beyond it is gone."""
        for corruption in self.corruptions:
            corruption.contained = corruption.contained and tau > corruption.position + NEAR

    def _storage(self, effect: Storage, strike: Strike) -> None:
        plan, tiers = strike.source.mode.repair_plan, self.world.tiers
        assert plan is not None
        end = self.world.now + strike.draw("repair", plan.first.sample)
        for index, tier in enumerate(tiers.tiers):
            named = effect.tiers is not None and tier.name in effect.tiers
            if named or (effect.tiers is None and tier.survives is None):
                tiers.outages.append(Outage(index, self.world.now, end))
