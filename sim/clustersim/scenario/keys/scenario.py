"""A scenario as it is written: all of its blocks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar

from clustersim.scenario.keys.blocks import NAMES, Block, Shorthand, key
from clustersim.scenario.keys.failure import FailureModeBlock
from clustersim.scenario.keys.machine import ClusterSpecBlock, Workload
from clustersim.scenario.keys.plan import Costs, MaintenanceBlock, PlannedStops, Simulation
from clustersim.scenario.keys.quantities import Expectation, Name, Text
from clustersim.scenario.keys.recovery import RecoveryBlock
from clustersim.scenario.keys.remarks import OwnLever, Published
from clustersim.scenario.keys.tiers import CheckpointSpecBlock
from clustersim.scenario.keys.uncertain import Inputs, Uncertainty
from clustersim.units import shown


def _none(value: object) -> None:
    if value != "none":
        raise ValueError(f"{shown(value)} is not understood; give a block, or say none")


def _no_modes(value: object) -> dict[str, object]:
    _none(value)
    return {}


_NONE = {"enum": ["none"]}
Modes = Annotated[Mapping[Name, FailureModeBlock], NAMES, Shorthand(_no_modes, _NONE)]
Saves = Annotated[CheckpointSpecBlock | None, Shorthand(_none, _NONE)]


class ScenarioBlock(Block):
    """One YAML file: a cluster, the job on it, what fails, and what is asked."""

    misplaced: ClassVar[Mapping[str, str]] = {
        "base": "only files inherit; read the scenario with load or loads"
    }
    name: Name = key("a short name, such as chen-100k; the run folder is called so")
    title: Text | None = key("heading of the report", None)
    about: Text | None = key("what is asked, in a few sentences", None)
    group: Text | None = key("what it belongs to, such as interviews; clustersim list shows it there", None)
    cluster: ClusterSpecBlock = key("the job's cards and how they sit in nodes, such as {gpus: 100_000}")
    workload: Workload = key("the training job: its step, its speed, when it is done", {})
    failures: Modes = key("what fails, by name, such as {any: {per: node, mtbf: 5 y}}; or none")
    checkpoint: Saves = key("how the job saves, such as {interval: daly, blocks: 5 s}; or none")
    recovery: RecoveryBlock = key("what happens between a failure and training", {})
    maintenance: PlannedStops | None = key("planned stops of the whole job, or a list of such blocks", None)
    costs: Costs | None = key("what a card costs", None)
    simulation: Simulation = key("how long and how often it is simulated", {})
    uncertain: Annotated[Mapping[Text, Inputs], NAMES] = key(
        "what is not known well, by path: a range such as 0.1 to 0.3 / 1000 gpu-days, a law or a count", {}
    )
    uncertainty: Uncertainty = key("how often that is drawn", {})
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

    @property
    def stops(self) -> tuple[MaintenanceBlock, ...]:
        """The blocks of planned stops, in the order of the file."""
        stops = self.maintenance or ()
        return stops if isinstance(stops, tuple) else (stops,)

    @classmethod
    def keys(cls) -> list[str]:
        """Return the keys of a scenario file."""
        return ["base", *super().keys()]
