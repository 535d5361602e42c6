"""When what breaks: every failure mode of a scenario, and the one door through which it strikes."""

from __future__ import annotations

import simpy

from clustersim.engine.cluster import Cluster
from clustersim.engine.failures.again import Faults, Relapses
from clustersim.engine.failures.aim import Aim, AwayDoor, Door, Site, SpareDoor
from clustersim.engine.failures.assembly import priority, sources
from clustersim.engine.failures.origins import RECURRENCE, RELAPSE, Origins
from clustersim.engine.failures.sources import Source
from clustersim.scenario.model import Scenario
from clustersim.streams import Streams


class Failures:
    """The sources of all modes, each strike checked against the cluster before it reaches the job.

    Those in `on_strike` are told of each strike of the job, those in `on_spare` of each of an idle spare, and
    those in `on_away` of a node that a log keeps away, and until when (s).

    `relapses`, by mode, and `faults` make nodes fail again; there are none where nothing asks for them.
    For those in `clocked` time runs only while the job trains: they must be told when that begins and ends.
    """

    def __init__(
        self,
        env: simpy.Environment,
        scenario: Scenario,
        streams: Streams,
        origins: Origins,
        cluster: Cluster,
    ) -> None:
        self.on_strike: list[Door] = []
        self.on_spare: list[SpareDoor] = []
        self.on_away: list[AwayDoor] = []
        doors = self.on_strike, self.on_spare, self.on_away
        self._site = Site(env, scenario, streams, origins, cluster, *doors)
        self.clocked: list[Source | Faults] = []
        aims = {
            number: Aim(self._site, number, mode) for number, mode in enumerate(scenario.failures.values())
        }
        for aim in aims.values():
            for source in sources(aim):
                if aim.spec.clock == "training":
                    self.clocked.append(source)
                else:
                    source.schedule()
        self.relapses = {
            number: Relapses(aim, priority(aim, RELAPSE))
            for number, aim in aims.items()
            if aim.spec.relapse is not None
        }
        self.faults: Faults | None = None
        if _leaves_faults(scenario):
            of_nodes = {number: aim for number, aim in aims.items() if aim.spec.takes_nodes}
            places = {number: priority(aim, RECURRENCE) for number, aim in of_nodes.items()}
            self.faults = Faults(self._site, of_nodes, places)
            self.clocked.append(self.faults)


def _leaves_faults(scenario: Scenario) -> bool:
    """Return whether a fault may stay in a node: a wrong or missed diagnosis, or a repair in vain."""
    plans = [mode.repair_plan for mode in scenario.failures.values()]
    in_vain = any(plan is not None and any(plan.false_fix) for plan in plans)
    return bool(scenario.recovery.misdiagnosis or scenario.recovery.missed or in_vain)
