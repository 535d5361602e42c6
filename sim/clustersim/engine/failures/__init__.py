"""When what fails: the sources of every failure mode, and the handlers that are called with each failure.

Each mode has at least one source, a random process or a log, which keeps only its next failure in the
simulation: the cost of a run follows its failures and not its nodes.  A source names the unit that it hits;
`Targeting` turns that into a `Failure` with the slots that go down, unless the unit is away or down already.

Take 1,000 nodes with an MTBF of 10,000 h each.  The mode's one source draws a gap with a mean of 10 h, say
7 h, and a node, say 412.  At 7 h node 412 is at work in its slot, so the handlers in `on_failure` are called
with `Failure(mode=0, ordinal=0, slots=(412,), ...)`, and the source draws its next gap.
"""

from __future__ import annotations

from collections.abc import Mapping

from clustersim.engine.failures.assembly import priority, sources
from clustersim.engine.failures.groups import GroupRates, NodeGroups
from clustersim.engine.failures.lemons import LemonNodes
from clustersim.engine.failures.recurrence import LatentFaults, Relapses
from clustersim.engine.failures.sources import FailureSource
from clustersim.engine.failures.targeting import FailureContext, Targeting
from clustersim.engine.origins import RECURRENCE, RELAPSE
from clustersim.engine.world import World
from clustersim.scenario.model import Scenario


class Failures:
    """The sources of all modes, and the handlers of their failures.

    `on_failure` are called with each failure of the job, `on_spare_failure` with each failure of an idle
    spare and its node, `on_away` with a node that a log keeps away and the instant (s) until which it does.
    `lemons`, by mode, are the bad nodes; `relapses`, by mode, and `latent_faults` make nodes fail again; all
    are empty where the scenario does not ask for them.  The sources in `clocked` age only while the job
    trains: `training_begins` and `training_ends` start and stop their time.
    """

    def __init__(self, world: World) -> None:
        self._context = context = FailureContext(world)
        self.on_failure = context.on_failure
        self.on_spare_failure = context.on_spare_failure
        self.on_away = context.on_away
        self.clocked: list[FailureSource | LatentFaults] = []
        targets = {
            number: Targeting(context, number, mode)
            for number, mode in enumerate(world.scenario.failures.values())
        }
        groups = self._groups(targets)
        self.lemons = {
            number: LemonNodes(target, target.spec.lemons, groups.get(number))
            for number, target in targets.items()
            if target.spec.lemons is not None and target.spec.lemons.factor > 1
        }
        for number, target in targets.items():
            for source in sources(target, self.lemons.get(number), groups.get(number)):
                if target.spec.clock == "training":
                    self.clocked.append(source)
                else:
                    source.schedule()
        self.relapses = {
            number: Relapses(target, target.spec.relapse, priority(target, RELAPSE))
            for number, target in targets.items()
            if target.spec.relapse is not None
        }
        self.latent_faults: LatentFaults | None = None
        if _leaves_faults(world.scenario):
            self.latent_faults = self._faults(targets)
            self.clocked.append(self.latent_faults)

    def _faults(self, targets: Mapping[int, Targeting]) -> LatentFaults:
        """Return the faults that stay in nodes, none at the beginning, of the modes that take nodes."""
        of_nodes = {number: target for number, target in targets.items() if target.spec.takes_nodes}
        priorities = {number: priority(target, RECURRENCE) for number, target in of_nodes.items()}
        return LatentFaults(self._context, of_nodes, priorities)

    def _groups(self, targets: Mapping[int, Targeting]) -> dict[int, GroupRates]:
        """Return how often the modes strike each group of nodes, where they tell groups apart."""
        if not self._context.scenario.cluster.groups:
            return {}
        dealt = NodeGroups(self._context)
        return {
            number: GroupRates(target, dealt)
            for number, target in targets.items()
            if any(factor != 1 for _, factor in target.spec.groups)
        }


def _leaves_faults(scenario: Scenario) -> bool:
    """Return whether a fault may stay in a node: by a wrong or missed diagnosis, or a failed repair."""
    plans = [mode.repair_plan for mode in scenario.failures.values()]
    in_vain = any(plan is not None and any(plan.false_fix) for plan in plans)
    return bool(scenario.recovery.misdiagnosis or scenario.recovery.missed or in_vain)
