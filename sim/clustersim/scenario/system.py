"""`System`: what is simulated, as frozen values in seconds, cards and shares of 1."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from clustersim.engine.ledger import RESERVED_CAUSES, Entry
from clustersim.metrics.replications import (
    COSTS,
    FLEET,
    PRECISION,
    REPLICAS,
    TARGET,
    TIERS,
    TOKENS,
    UNCERTAIN,
    ScenarioFacts,
)
from clustersim.scenario.keys.failure import FailureMode
from clustersim.scenario.keys.machine import ClusterSpec, Workload
from clustersim.scenario.keys.plan import Costs, Maintenance, Simulation
from clustersim.scenario.keys.recovery import Recovery
from clustersim.scenario.keys.tiers import CheckpointSpec, Tier
from clustersim.scenario.keys.uncertain import UncertainInput, Uncertainty


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """A cluster, the job on it, what fails, and what is done about it: all that a simulation depends on.

    `maintenance` are the planned stops by entry, those of a log at last.  `target_s` are the productive
    seconds after which the job is done (None: only the horizon ends the run), `end_s` the simulated seconds
    after which a run ends at the latest: the horizon, or ten times the target.  Of what is `uncertain`, by
    path, each draw is a system of its own; values here are as they are stated.
    """

    cluster: ClusterSpec
    workload: Workload
    failures: Mapping[str, FailureMode]
    checkpoint: CheckpointSpec | None
    recovery: Recovery
    maintenance: tuple[Maintenance, ...]
    costs: Costs | None
    simulation: Simulation
    uncertain: Mapping[str, UncertainInput]
    uncertainty: Uncertainty
    target_s: float | None
    end_s: float

    def units(self, mode: str) -> int:
        """Return how many units of the job the mode can strike: cards, nodes, racks, pods, or 1."""
        return self.cluster.units(self.failures[mode].per)

    def units_per_node(self, mode: FailureMode) -> int:
        """Return how many units of a mode per gpu or per node are in one node."""
        return self.cluster.gpus_per_node if mode.per == "gpu" else 1

    def mtbf_of(self, mode: str) -> float:
        """Return the seconds between failures of the mode over all its units, `over_time` not counted.

        Lemons count as good nodes here, and failures that others bring about do not count.
        """
        return self.failures[mode].mtbf / self.units(mode)

    def slots_per(self, level: str) -> int:
        """Return how many of the job's slots are in one node, rack, pod or replica, or in the whole job."""
        cluster = self.cluster
        if level == "replica":
            return cluster.nodes // self.recovery.replicas
        rack = cluster.rack_slots or cluster.nodes
        slots = {"node": 1, "rack": rack, "pod": rack * (cluster.racks_per_pod or 1), "job": cluster.nodes}
        return min(slots[level], cluster.nodes)

    @property
    def tiers(self) -> tuple[Tier, ...]:
        """The tiers of checkpoints, from the quickest to the most durable; none without checkpoints."""
        return self.checkpoint.tiers if self.checkpoint else ()

    @property
    def needs_work_history(self) -> bool:
        """Whether the job needs more than training segments with one kind of copy between restarts."""
        recovery = self.recovery
        return bool(
            recovery.replicas > 1
            or recovery.overhead
            or len(self.tiers) > 1
            or any(tier.survives is not None or tier.unusable for tier in self.tiers)
            or any(mode.effect.needs_work_history for mode in self.failures.values())
            or any(stops.merge_within or stops.rolling for stops in self.maintenance)
        )

    @property
    def subjects(self) -> ScenarioFacts:
        """What metrics can be about here: the names of modes, stages and so on, and which parts there are."""
        parts = {
            COSTS: self.costs is not None,
            TARGET: self.target_s is not None,
            TOKENS: self.workload.tokens_per_gpu_second is not None,
            REPLICAS: self.recovery.replicas > 1,
            TIERS: len(self.tiers) > 1,
            PRECISION: self.simulation.precision is not None,
            FLEET: True,
            UNCERTAIN: bool(self.uncertain),
        }
        names = {
            "entry": [entry.label for entry in Entry],
            "cause": [*self.failures, *RESERVED_CAUSES],
            "mode": list(self.failures),
            "stage": [stage.name for stage in self.recovery.stages if stage.kind != "detect"],
            "tier": [tier.name for tier in self.tiers],
        }
        return ScenarioFacts(names, frozenset(part for part, there in parts.items() if there), {})
