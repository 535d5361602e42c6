"""When what breaks: every failure mode of a scenario, and the one door through which it failures."""

from __future__ import annotations

import simpy

from clustersim.engine.cluster import Cluster
from clustersim.engine.failures.assembly import priority, sources
from clustersim.engine.failures.origins import RECURRENCE, RELAPSE, Origins
from clustersim.engine.failures.recurrence import LatentFaults, Relapses
from clustersim.engine.failures.sources import Source
from clustersim.engine.failures.targeting import (
    AwayDoor,
    FailureContext,
    FailureHandler,
    SpareFailureHandler,
    Targeting,
)
from clustersim.scenario.model import Scenario
from clustersim.streams import Streams


class Failures:
    """The sources of all modes, each failure checked against the cluster before it reaches the job.

    Those in `on_failure` are told of each failure of the job, those in `on_spare_failure` of each failure of
    an idle spare, and those in `on_away` of a node that a log keeps away, and until when (s).

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
        self.on_failure: list[FailureHandler] = []
        self.on_spare_failure: list[SpareFailureHandler] = []
        self.on_away: list[AwayDoor] = []
        doors = self.on_failure, self.on_spare_failure, self.on_away
        self._context = FailureContext(env, scenario, streams, origins, cluster, *doors)
        self.clocked: list[Source | LatentFaults] = []
        targets = {
            number: Targeting(self._context, number, mode)
            for number, mode in enumerate(scenario.failures.values())
        }
        for target in targets.values():
            for source in sources(target):
                if target.spec.clock == "training":
                    self.clocked.append(source)
                else:
                    source.schedule()
        self.relapses = {
            number: Relapses(target, priority(target, RELAPSE))
            for number, target in targets.items()
            if target.spec.relapse is not None
        }
        self.latent_faults: LatentFaults | None = None
        if _leaves_faults(scenario):
            of_nodes = {number: target for number, target in targets.items() if target.spec.takes_nodes}
            places = {number: priority(target, RECURRENCE) for number, target in of_nodes.items()}
            self.latent_faults = LatentFaults(self._context, of_nodes, places)
            self.clocked.append(self.latent_faults)


def _leaves_faults(scenario: Scenario) -> bool:
    """Return whether a fault may stay in a node: a wrong or missed diagnosis, or a repair in vain."""
    plans = [mode.repair_plan for mode in scenario.failures.values()]
    in_vain = any(plan is not None and any(plan.false_fix) for plan in plans)
    return bool(scenario.recovery.misdiagnosis or scenario.recovery.missed or in_vain)
