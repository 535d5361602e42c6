"""The naive simulator's repair: its parts and crews, fixes in vain, relapses, nodes that leave for good."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.oracle import ranks
from tests.oracle.clocks import Alarm, Source
from tests.oracle.lineage import Bearer

if TYPE_CHECKING:
    from tests.oracle.naive import Naive
    from tests.oracle.strikes import Strike


@dataclass(eq=False)
class Repair:
    """The nodes of one incident in repair, all of which come back together; it bears the wait for them."""

    strike: Strike
    nodes: list[int]
    bearer: Bearer
    manual: bool = False


class Shops:
    """One shop for each mode; `away` counts all nodes in repair, or retired and not yet replaced.

    `stays` are the nodes, each with an instant before which no repair brings it back, as a log says.
    `missing` has an entry for each of them, and for each that is retired and will never be replaced.
    """

    def __init__(self, world: Naive) -> None:
        self.world = world
        self.away = 0
        self.missing: list[Repair] = []
        self.stays: list[tuple[int, float]] = []
        self.queues: dict[str, list[Repair]] = {source.name: [] for source in world.sources}
        self.busy = dict.fromkeys(self.queues, 0)

    def send(self, strike: Strike, nodes: list[int], bearer: Bearer) -> None:
        """Nodes have left the job, or the spares, for the repair of an incident."""
        if not nodes:
            return
        self.away += len(nodes)
        faults = self.world.fleet.faults
        self.world.fleet.faults = [fault for fault in faults if fault[2] not in nodes]
        repair = Repair(strike, nodes, bearer)
        self.missing += [repair] * len(nodes)
        if self._is_staged(strike):
            self._begin(repair, second=False)
        else:
            self._queue(repair)

    def _is_staged(self, strike: Strike) -> bool:
        """Return whether there is a manual part, the only one then that needs a crew."""
        plan = strike.source.mode.repair_plan
        return plan is not None and plan.second is not None

    def _queue(self, repair: Repair) -> None:
        source = repair.strike.source
        self.queues[source.name].append(repair)
        self._let_crews_work(source)

    def _let_crews_work(self, source: Source) -> None:
        """Let idle crews take up the work that has waited longest."""
        plan = source.mode.repair_plan
        crews = (plan.crews if plan else None) or math.inf
        while self.queues[source.name] and self.busy[source.name] < crews:
            repair = self.queues[source.name].pop(0)
            self.busy[source.name] += 1
            self._begin(repair, second=self._is_staged(repair.strike))

    def _begin(self, repair: Repair, second: bool) -> None:
        strike, plan = repair.strike, repair.strike.source.mode.repair_plan
        if strike.repair_s is not None:
            duration = strike.repair_s
        elif second:
            assert plan is not None
            assert plan.second is not None
            duration = strike.draw("manual", plan.second.sample)
        else:
            assert plan is not None
            duration = strike.draw("repair", plan.first.sample)
        rank = ranks.REPAIR + ranks.NEXT * (self.world.sources.index(strike.source) + second / 2)
        self.world.at(self.world.now + duration, rank, lambda: self._end(repair, second))

    def _end(self, repair: Repair, second: bool) -> None:
        strike, plan = repair.strike, repair.strike.source.mode.repair_plan
        staged = self._is_staged(strike)
        if staged and not second and plan is not None and strike.draw("escalates") < plan.escalates:
            self._queue(repair)
            return
        if second or not staged:
            self.busy[strike.source.name] -= 1
        in_vain = plan.false_fix[1 if second else 0] if plan else 0.0
        repair.manual = second
        self._return(repair, strike.draw("false_fix") < in_vain if in_vain else False)
        self._let_crews_work(strike.source)
        self.world.job.look_for_nodes()

    def _return(self, repair: Repair, in_vain: bool) -> None:
        for node in repair.nodes:
            later = [end for number, end in self.stays if number == node and end > self.world.now]
            if later:
                self._put_off(node, repair, in_vain, max(later))
            else:
                self._comes_back(node, repair, in_vain)

    def _put_off(self, node: int, repair: Repair, in_vain: bool, until: float) -> None:
        """A node stays away although its repair is over; by then it may have to stay even longer."""
        alone = Repair(repair.strike, [node], repair.bearer, repair.manual)
        self.missing[self.missing.index(repair)] = alone

        def end() -> None:
            self._return(alone, in_vain)
            self.world.job.look_for_nodes()

        self.world.at(until, ranks.KEPT, end)

    def _comes_back(self, node: int, repair: Repair, in_vain: bool) -> None:
        if self._retires(node):
            self._retire(node, repair)
            return
        strike = repair.strike
        strike.source.repaired(node, strike.draw("nature"), repair.manual)
        self._arrive(node, repair)
        if in_vain:
            self.make_faulty(node, repair.strike.source)
        self._relapse(node, repair.strike.source)

    def _arrive(self, node: int, repair: Repair) -> None:
        self.away -= 1
        self.missing.remove(repair)
        self.world.fleet.come_back(node, self.world.job.waiting_groups())

    def make_faulty(self, node: int, source: Source) -> None:
        """The fault is still there: the node will fail again."""
        self.world.fleet.faults.append((source.name, source.faults, node))
        source.faults += 1

    def _relapse(self, node: int, source: Source) -> None:
        n, source.returns = source.returns, source.returns + 1
        relapse = source.mode.relapse
        if relapse is None:
            return
        chance = self.world.luck.draw(f"{source.name}/relapse", n)
        if chance < relapse.probability:
            instant = self.world.now + relapse.within * chance / relapse.probability
            source.relapses.append(Alarm(instant, n, node))

    def _retires(self, node: int) -> bool:
        rule, now = self.world.scenario.recovery.retire, self.world.now
        if rule is None:
            return False
        failures = self.world.fleet.failures[node]
        if rule.after is not None and rule.within is not None:
            return sum(instant > now - rule.within for instant in failures) >= rule.after
        assert rule.score is not None
        assert rule.half_life is not None
        return sum(math.pow(0.5, (now - t) / rule.half_life) for t in failures) >= rule.score

    def _retire(self, node: int, repair: Repair) -> None:
        rule = self.world.scenario.recovery.retire
        assert rule is not None
        if rule.replacement is None:
            self.away -= 1
        else:
            bought = self.world.fleet.buy(node)
            for source in self.world.sources:
                source.add_node(bought, node)
            self.world.at(
                self.world.now + rule.replacement, ranks.BOUGHT, lambda: self._replace(bought, repair)
            )

    def _replace(self, bought: int, repair: Repair) -> None:
        self._arrive(bought, repair)
        self.world.job.look_for_nodes()
