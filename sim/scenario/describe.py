"""What a scenario means before it is simulated: how much fails, what a failure takes, a first-order ETTR."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from sim import theory
from sim.distributions import Distribution
from sim.scenario.failure import FailureMode
from sim.scenario.model import Scenario
from sim.scenario.recovery import Stage
from sim.scenario.values import Value, values
from sim.units import format_duration

SECONDS_PER_EVENT = 15e-6
SECONDS_PER_REPLICATION = 0.01
START_UP_SECONDS = 1.0
_MEANS: dict[Distribution, float] = {}


@dataclass(frozen=True, slots=True)
class ModeMeaning:
    """What one failure mode comes to over all its units: times in seconds, counts per replication."""

    name: str
    per: str
    units: int
    mtbf_s: float
    events: float
    restart_s: float
    nodes_in_repair: float


@dataclass(frozen=True, slots=True)
class Description:
    """What `check` prints.  `ettr` is first order, None where no formula holds; `run_s` a guess."""

    name: str
    values: tuple[Value, ...]
    nodes: int
    spare_nodes: int
    racks: int | None
    pods: int | None
    end_s: float
    target_s: float | None
    interval_s: float | None
    modes: tuple[ModeMeaning, ...]
    mtbf_s: float | None
    events: float
    restart_s: float | None
    nodes_in_repair: float
    ettr: float | None
    run_s: float
    notes: tuple[str, ...]


def describe(scenario: Scenario, cores: int = 1) -> Description:
    """Return what *scenario* means, its run time guessed for so many cores."""
    cluster, modes = scenario.cluster, tuple(_mode(scenario, name) for name in scenario.failures)
    events = math.fsum(mode.events for mode in modes)
    restart = None if scenario.mtbf is None else _weighted(modes)
    return Description(
        name=scenario.name,
        values=tuple(values(scenario)),
        nodes=cluster.nodes,
        spare_nodes=cluster.spare_nodes,
        racks=cluster.racks,
        pods=cluster.pods,
        end_s=scenario.end_s,
        target_s=scenario.target_s,
        interval_s=scenario.checkpoint.interval if scenario.checkpoint else None,
        modes=modes,
        mtbf_s=scenario.mtbf,
        events=events,
        restart_s=restart,
        nodes_in_repair=math.fsum(mode.nodes_in_repair for mode in modes),
        ettr=_ettr(scenario, restart),
        run_s=_run_time(scenario, events, cores),
        notes=tuple(_notes(scenario)),
    )


def _mode(scenario: Scenario, name: str) -> ModeMeaning:
    mode, mtbf = scenario.failures[name], scenario.mtbf_of(name)
    away = 0.0
    if mode.repair is not None:
        away = (1 - mode.transient) * _nodes_taken(scenario, mode) * _mean(mode.repair) / mtbf
    return ModeMeaning(
        name=name,
        per=mode.per,
        units=scenario.units(name),
        mtbf_s=mtbf,
        events=_factor(mode, scenario.end_s) * scenario.end_s / mtbf,
        restart_s=chain_s(scenario.recovery.stages, mode.detect),
        nodes_in_repair=away,
    )


def chain_s(stages: tuple[Stage, ...], detect: Distribution | None = None) -> float:
    """Return the mean seconds of the recovery, waiting not counted; a stage that fails begins it again.

    One pass takes the sum of the stages that are reached; it takes 1 / P(no stage fails) passes on average.
    """
    first, *rest = stages
    reached, one_pass = 1.0, 0.0
    for stage in rest:
        one_pass += reached * _mean(stage.duration)
        reached *= 1 - stage.fails
    return _mean(detect or first.duration) + one_pass / reached


def _mean(distribution: Distribution) -> float:
    """Return the mean, worked out once for each law: that of a bounded one is an integral."""
    if distribution not in _MEANS:
        _MEANS[distribution] = distribution.mean
    return _MEANS[distribution]


def _nodes_taken(scenario: Scenario, mode: FailureMode) -> float:
    nodes = scenario.cluster.nodes
    domains = {"rack": scenario.cluster.racks, "pod": scenario.cluster.pods}.get(mode.per)
    return nodes / domains if domains else 1.0


def _factor(mode: FailureMode, end: float) -> float:
    """Return the mean factor of `over_time` on the rate until *end* (seconds)."""
    if not mode.over_time:
        return 1.0
    ends = [(min(start, end), factor) for start, factor in mode.over_time] + [(end, 0.0)]
    return math.fsum(factor * (later - start) for (start, factor), (later, _) in pairwise(ends)) / end


def _weighted(modes: tuple[ModeMeaning, ...]) -> float:
    """Return the mean restart over the failures of all modes."""
    rates = [1 / mode.mtbf_s for mode in modes]
    together = math.fsum(rate * mode.restart_s for rate, mode in zip(rates, modes, strict=True))
    return together / math.fsum(rates)


def _ettr(scenario: Scenario, restart: float | None) -> float | None:
    """Return Daly's efficiency at the scenario's MTBF and mean restart, less its planned stops."""
    saves, stops = scenario.checkpoint, scenario.maintenance
    up = 1 - stops.takes / stops.every if stops else 1.0
    if scenario.mtbf is None or restart is None:
        return up * (saves.interval / (saves.interval + saves.blocks) if saves else 1.0)
    if saves is None:
        return None
    return up * theory.efficiency(saves.interval, scenario.mtbf, saves.blocks, restart)


def _run_time(scenario: Scenario, events: float, cores: int) -> float:
    count = scenario.simulation.replications
    each = SECONDS_PER_REPLICATION + events * SECONDS_PER_EVENT
    return START_UP_SECONDS + math.ceil(count / cores) * each


def _notes(scenario: Scenario) -> Iterator[str]:
    """Yield what a reader should know about how far the values carry."""
    gpus = scenario.cluster.gpus
    tables = {"workload.scaling_efficiency": scenario.workload.scaling_efficiency or {}}
    for name, time in scenario.recovery.stated_stages.items():
        tables[f"recovery.stages.{name}"] = time.over_gpus or {}
    for path, table in tables.items():
        if table and not min(table) <= gpus <= max(table):
            nearest = min(table) if gpus < min(table) else max(table)
            yield f"{path}: {gpus:,} cards are outside the table; the value at {nearest:,} is used"
    saves = scenario.checkpoint
    if saves and saves.durable_after > saves.interval:
        until = format_duration(saves.durable_after, 3)
        yield f"checkpoint: a save starts only when the last one is durable, {until} after its end"
    if saves is None and scenario.failures:
        yield "checkpoint: none; every failure throws all work away, so no formula gives the ETTR"
    if scenario.simulation.precision is not None:
        yield "simulation.precision: replications are added as needed; the run time is for the first 32"
