"""`Scenario`: one cluster, one job, one question, as frozen values in seconds, cards and shares of 1."""

from __future__ import annotations

import copy
import hashlib
import json
import math
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar

from pydantic import PrivateAttr

from clustersim.engine.ledger import RESERVED_CAUSES, Entry
from clustersim.metrics.replications import (
    COSTS,
    FLEET,
    PRECISION,
    REPLICAS,
    TARGET,
    TIERS,
    TOKENS,
    ScenarioFacts,
)
from clustersim.scenario import rates
from clustersim.scenario.consistency import contradictions
from clustersim.scenario.keys.blocks import NAMES, Block, Finding, key
from clustersim.scenario.keys.failure import FailureMode
from clustersim.scenario.keys.logs import Rows
from clustersim.scenario.keys.machine import ClusterSpec, Workload
from clustersim.scenario.keys.plan import Costs, Maintenance, Simulation
from clustersim.scenario.keys.quantities import Expectation, Name, Shorthand, Text
from clustersim.scenario.keys.recovery import Recovery, Stage
from clustersim.scenario.keys.saving import CheckpointSpec
from clustersim.scenario.keys.tiers import Tier
from clustersim.scenario.levers import OwnLever
from clustersim.scenario.published import Published
from clustersim.units import shown

__all__ = [
    "CheckpointSpec",
    "ClusterSpec",
    "Costs",
    "FailureMode",
    "Maintenance",
    "OwnLever",
    "Published",
    "Recovery",
    "Scenario",
    "Simulation",
    "Stage",
    "Tier",
    "Workload",
]


def _none(value: object) -> None:
    if value != "none":
        raise ValueError(f"{shown(value)} is not understood; give a block, or say none")


def _no_modes(value: object) -> dict[str, object]:
    _none(value)
    return {}


_NONE = {"enum": ["none"]}
Modes = Annotated[Mapping[Name, FailureMode], NAMES, Shorthand(_no_modes, _NONE)]
Saves = Annotated[CheckpointSpec | None, Shorthand(_none, _NONE)]


class Scenario(Block):
    """One YAML file, resolved: everything that a simulation needs, and nothing else."""

    misplaced: ClassVar[Mapping[str, str]] = {
        "base": "only files inherit; read the scenario with load or loads"
    }
    name: Name = key("a short name, such as chen-100k; the run folder is called so")
    title: Text | None = key("heading of the report", None)
    about: Text | None = key("what is asked, in a few sentences", None)
    cluster: ClusterSpec = key("the job's cards and how they sit in nodes, such as {gpus: 100_000}")
    workload: Workload = key("the training job: its step, its speed, when it is done", {})
    failures: Modes = key("what fails, by name, such as {any: {per: node, mtbf: 5 y}}; or none")
    checkpoint: Saves = key("how the job saves, such as {interval: daly, blocks: 5 s}; or none")
    recovery: Recovery = key("what happens between a failure and training", {})
    maintenance: Maintenance | None = key("planned stops of the whole job", None)
    costs: Costs | None = key("what a card costs", None)
    simulation: Simulation = key("how long and how often it is simulated", {})
    levers: Annotated[Mapping[Name, OwnLever], NAMES] = key(
        "changes that might be bought, by name, such as {faster start: {recovery.stages.start: 60 s}}", {}
    )
    expect: Annotated[Mapping[Text, Expectation], NAMES] = key(
        'what has to hold, by metric, such as {ettr: ">= 0.90"}', {}
    )
    sources: Annotated[Mapping[Text, Text], NAMES] = key(
        "where values come from, by path, such as failures.gpu.rate", {}
    )
    published: Published | None = key("what was published of this cluster, for clustersim validate", None)
    _document: Mapping[str, Any] = PrivateAttr(default_factory=dict)

    @property
    def document(self) -> dict[str, Any]:
        """The scenario as plain data, bases inlined and overrides applied; loading it gives the same one.

        Of a log it holds the rows.
        """
        return copy.deepcopy(dict(self._document))

    @property
    def hash(self) -> str:
        """SHA-256 of the document in hexadecimal; the order of keys counts, as for stages and modes."""
        text = json.dumps(self._document, ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def target_s(self) -> float | None:
        """Productive seconds after which the job is done; None where only the horizon ends the run."""
        work, gpus = self.workload, self.cluster.gpus
        if work.target is None or work.tokens_per_gpu_second is None:
            return work.productive
        tokens_per_s = gpus * work.tokens_per_gpu_second * work.efficiency(gpus)
        return work.target / tokens_per_s if tokens_per_s else math.inf

    @property
    def end_s(self) -> float:
        """Simulated seconds after which a run ends at the latest: the horizon, or ten times the target."""
        return self.simulation.horizon or 10 * (self.target_s or 0.0)

    def units(self, mode: str) -> int:
        """Return how many units of the job the mode can strike: cards, nodes, racks, pods, or 1."""
        cluster = self.cluster
        counts = {"gpu": cluster.gpus, "node": cluster.nodes, "rack": cluster.racks, "pod": cluster.pods}
        return counts.get(self.failures[mode].per) or 1

    def mtbf_of(self, mode: str) -> float:
        """Return the seconds between failures of the mode over all its units, `over_time` not counted.

        Lemons count as good nodes here, and failures that others bring about do not count.
        """
        return self.failures[mode].mtbf / self.units(mode)

    def slots_per(self, level: str) -> int:
        """Return how many of the job's slots are in one node, rack, pod or replica, or in the whole job."""
        return rates.slots_per(self, level)

    @property
    def mtbf(self) -> float | None:
        """Seconds between failures of all modes together, `over_time` not counted; None without failures.

        Lemons count, and so do failures that others bring about: relapses, repairs in vain, wrong diagnoses.
        """
        rate = sum(rates.rate(self, mode) for mode in self.failures)
        return 1 / rate if rate else None

    @property
    def tiers(self) -> tuple[Tier, ...]:
        """The tiers of checkpoints, from the quickest to the most durable; none without checkpoints."""
        return self.checkpoint.tiers if self.checkpoint else ()

    @property
    def needs_work_history(self) -> bool:
        """Whether the job needs more than training segments with one kind of copy between restarts."""
        recovery, stops, saves = self.recovery, self.maintenance, self.checkpoint
        tiers = saves.stated.values() if saves else ()
        return bool(
            recovery.replicas > 1
            or recovery.overhead
            or len(tiers) > 1
            or any(tier.survives is not None or tier.unusable for tier in tiers)
            or any(mode.effect.needs_work_history for mode in self.failures.values())
            or (stops and (stops.merge_within or stops.rolling))
        )

    @property
    def subjects(self) -> ScenarioFacts:
        """What metrics can be about here: the names of modes, stages and so on, and which parts there are."""
        parts = {
            COSTS: self.costs is not None,
            TARGET: self.target_s is not None,
            TOKENS: self.workload.tokens_per_gpu_second is not None,
            REPLICAS: self.recovery.replicas > 1,
            TIERS: self.checkpoint is not None and len(self.checkpoint.stated) > 1,
            PRECISION: self.simulation.precision is not None,
            FLEET: True,
        }
        names = {
            "entry": [entry.label for entry in Entry],
            "cause": [*self.failures, *RESERVED_CAUSES],
            "mode": list(self.failures),
            "stage": [stage.name for stage in self.recovery.stages if stage.kind != "detect"],
            "tier": list(self.checkpoint.stated) if self.checkpoint else [],
        }
        return ScenarioFacts(names, frozenset(part for part, there in parts.items() if there), {})

    @classmethod
    def keys(cls) -> list[str]:
        """Return the keys of a scenario file."""
        return ["base", *super().keys()]

    def settle(self, document: Mapping[str, Any]) -> None:
        """Keep the document as plain dicts, lists and rows, its blocks in the order of the language."""
        self._document = {name: _plain(document[name]) for name in self.keys() if name in document}
        for name, mode in self.failures.items():
            if isinstance(self._document["failures"][name].get("replay"), str):
                self._document["failures"][name]["replay"] = mode.replay

    def contradictions(self) -> Iterator[Finding]:
        """Resolve what needs the whole scenario, and yield what does not fit together."""
        return contradictions(self)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, Rows):
        return value
    return [_plain(inner) for inner in value] if isinstance(value, list | tuple) else value
