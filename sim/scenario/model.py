"""`Scenario`: one cluster, one job, one question, as frozen values.  Seconds, cards, nodes and shares of 1 inside."""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from pydantic import Field, PrivateAttr

from sim.scenario.blocks import Block, Finding, refuse
from sim.scenario.failure import RESERVED, FailureMode
from sim.scenario.machine import ClusterSpec, Workload
from sim.scenario.plan import Costs, Maintenance, Simulation
from sim.scenario.quantities import Name, Reads, Shorthand, Text
from sim.scenario.recovery import Recovery, Stage
from sim.scenario.saving import CheckpointSpec
from sim.units import shown

__all__ = [
    "CheckpointSpec",
    "ClusterSpec",
    "Costs",
    "FailureMode",
    "Maintenance",
    "Recovery",
    "Scenario",
    "Simulation",
    "Stage",
    "Workload",
]


def _none(value: object) -> None:
    if value != "none":
        raise ValueError(f"{shown(value)} is not understood; give a block, or say none")


def _no_modes(value: object) -> dict[str, object]:
    _none(value)
    return {}


_NONE = {"enum": ["none"]}
_BASE = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}


class Scenario(Block):
    """One YAML file, resolved: everything that a simulation needs, and nothing else."""

    unbuilt = {"levers": "use --set for one change at a time", "published": "leave it out"}
    name: Name = Field(description="give a short name, such as name: chen-100k; the run folder is called so")
    title: Text | None = Field(None, description="heading of the report")
    about: Text | None = Field(None, description="a few sentences on what is asked")
    cluster: ClusterSpec = Field(description="give the cards, such as cluster: {gpus: 100_000}")
    workload: Workload = Field(Workload(), description="the training job")
    failures: Annotated[Mapping[Name, FailureMode], Shorthand(_no_modes, _NONE)] = Field(
        description="give the modes by name, or say failures: none"
    )
    checkpoint: Annotated[CheckpointSpec | None, Shorthand(_none, _NONE)] = Field(
        description="give interval and blocks, or say checkpoint: none"
    )
    recovery: Recovery = Field(
        default_factory=lambda: Recovery.model_validate({}), description="what follows a failure"
    )
    maintenance: Maintenance | None = Field(None, description="planned stops")
    costs: Costs | None = Field(None, description="what a card costs")
    simulation: Simulation = Field(
        Simulation.model_validate({}), description="how long and how often to simulate"
    )
    expect: Mapping[Text, Text] = Field({}, description='thresholds by metric, such as ettr: ">= 0.90"')
    sources: Mapping[Text, Text] = Field({}, description="where a value comes from, by its path")
    _document: Mapping[str, Any] = PrivateAttr(default_factory=dict)

    @property
    def document(self) -> dict[str, Any]:
        """The scenario as plain data: bases inlined, overrides applied; loading it gives the same scenario."""
        return copy.deepcopy(dict(self._document))

    @property
    def hash(self) -> str:
        """SHA-256 of the document in hexadecimal; the order of keys counts, as it does for stages and modes."""
        text = json.dumps(self._document, ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def target_s(self) -> float | None:
        """Productive seconds after which the job is done; None where only the horizon ends the run."""
        work = self.workload
        if work.target is None or work.tokens_per_gpu_second is None:
            return work.productive
        gpus = self.cluster.gpus
        return work.target / (gpus * work.tokens_per_gpu_second * work.efficiency(gpus))

    @property
    def end_s(self) -> float:
        """Simulated seconds after which a run ends at the latest: the horizon, or ten times the target."""
        if self.simulation.horizon is not None:
            return self.simulation.horizon
        return 10 * (self.target_s or 0.0)

    def units(self, mode: str) -> int:
        """Return how many units of the job the mode can strike: cards, nodes, racks, pods, or 1."""
        cluster = self.cluster
        counts = {"gpu": cluster.gpus, "node": cluster.nodes, "rack": cluster.racks, "pod": cluster.pods}
        return counts.get(self.failures[mode].per) or 1

    def mtbf_of(self, mode: str) -> float:
        """Return the seconds between failures of the mode over all its units, `over_time` not counted."""
        return self.failures[mode].mtbf / self.units(mode)

    @property
    def mtbf(self) -> float | None:
        """Seconds between failures of all modes together; None without failures."""
        rate = sum(1 / self.mtbf_of(mode) for mode in self.failures)
        return 1 / rate if rate else None

    def settle(self, document: Mapping[str, Any]) -> None:
        """Keep the document."""
        self._document = copy.deepcopy(dict(document))

    def contradictions(self) -> Iterator[Finding]:
        """Resolve what needs the whole scenario, and refuse what does not fit together."""
        domains = list(self._about_domains())
        yield from domains
        yield from self._about_modes()
        yield from self._about_saves(bool(domains))
        yield from self._about_the_end()

    def _about_domains(self) -> Iterator[Finding]:
        for name, mode in self.failures.items():
            if mode.per == "rack" and self.cluster.racks is None:
                yield ("failures", name, "per"), "no racks are known; give cluster.nodes_per_rack"
            if mode.per == "pod" and self.cluster.pods is None:
                yield (
                    ("failures", name, "per"),
                    "no pods are known; give cluster.nodes_per_rack and racks_per_pod",
                )

    def _about_modes(self) -> Iterator[Finding]:
        if not self.failures and self._document.get("failures") != "none":
            yield ("failures",), "empty; give the modes by name, or say failures: none"
        noticed = "detect" in self.recovery.stated_stages
        for name, mode in self.failures.items():
            if name in RESERVED:
                yield ("failures", name), f"{name} is a reserved name in the results; choose another"
            if mode.effect == "hang" and mode.stated_detect is None and not noticed:
                yield (
                    ("failures", name, "effect"),
                    "a hang is noticed by its timeout; give the mode a detect time",
                )

    def _about_saves(self, unknown_units: bool) -> Iterator[Finding]:
        saves, stages = self.checkpoint, self.recovery.stated_stages
        asks = [name for name, time in stages.items() if time.word == "checkpoint"]
        if saves is None and asks and "stages" in self.recovery.model_fields_set:
            yield ("recovery", "stages", asks[0]), "there is no checkpoint to load; leave the stage out"
        if saves is not None and saves.load and "load" not in stages:
            yield ("checkpoint", "load"), "no stage loads it; add load: checkpoint to recovery.stages"
        if saves is None and self.maintenance and not self.maintenance.abrupt:
            yield ("maintenance",), "nothing can be saved before it without a checkpoint; say abrupt: true"
        if saves is not None and not unknown_units:
            for path, why in saves.resolve(self.mtbf, self.workload.step_time):
                yield ("checkpoint", *path), why
        self.recovery.resolve(self.cluster.gpus, saves.load if saves else 0.0)

    def _about_the_end(self) -> Iterator[Finding]:
        if self.simulation.horizon is None and self.target_s is None:
            yield ("simulation", "horizon"), "missing; give a horizon such as 30 d, or a workload.target"
        if self.target_s is not None and self.simulation.warm_up:
            yield ("simulation", "warm_up"), "a run to a target counts from its beginning; leave it out"
