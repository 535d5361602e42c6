"""What a scenario means before it is simulated: how much fails, what a failure takes, a first-order ETTR."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from clustersim.scenario.first_order import ettr, exposure_s, lasts_s, mean_restart_s, restart_s
from clustersim.scenario.keys.replay import reached
from clustersim.scenario.model import Scenario
from clustersim.scenario.notes import notes
from clustersim.scenario.rates import events, fleet_factor, mean_of, nodes_taken, own_time, rate, spare_events
from clustersim.scenario.values import Value, values

SECONDS_PER_EVENT = 15e-6
SECONDS_PER_REPLICATION = 0.01
START_UP_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class ModeMeaning:
    """What one failure mode comes to over all its units: times in seconds, counts per replication.

    The MTBF is the fleet's, lemons counted; the failures that others bring about are among the events.
    """

    name: str
    per: str
    units: int
    mtbf_s: float
    events: float
    restart_s: float
    nodes_in_repair: float


@dataclass(frozen=True, slots=True)
class Description:
    """What `check` prints.  `ettr` is first order, None where no formula holds; `run_s` a guess.

    `intervals_s` are those of all tiers by name, `interval_s` the last tier's.
    """

    name: str
    values: tuple[Value, ...]
    nodes: int
    spare_nodes: int
    racks: int | None
    pods: int | None
    end_s: float
    target_s: float | None
    interval_s: float | None
    intervals_s: Mapping[str, float]
    replicas: int
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
    cluster, replications = scenario.cluster, scenario.simulation.replications
    modes = tuple(_mode(scenario, name) for name in scenario.failures)
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
        intervals_s={tier.name: tier.interval for tier in scenario.tiers},
        replicas=scenario.recovery.replicas,
        modes=modes,
        mtbf_s=scenario.mtbf,
        events=math.fsum(mode.events for mode in modes),
        restart_s=mean_restart_s(scenario),
        nodes_in_repair=math.fsum(mode.nodes_in_repair for mode in modes),
        ettr=ettr(scenario),
        run_s=START_UP_SECONDS + replication_s(scenario) * math.ceil(replications / cores),
        notes=tuple(notes(scenario)),
    )


def _mode(scenario: Scenario, name: str) -> ModeMeaning:
    mode, repair = scenario.failures[name], scenario.failures[name].repair_plan
    end, exposure = lasts_s(scenario), exposure_s(scenario, mode)
    strikes, away = rate(scenario, name), 0.0
    if repair is not None and mode.takes_nodes:
        leaving = (1 - mode.transient) * nodes_taken(scenario, mode) * strikes * exposure / end
        away = leaving * mean_of(repair.whole)
    return ModeMeaning(
        name=name,
        per=mode.per,
        units=scenario.units(name),
        mtbf_s=scenario.mtbf_of(name) / fleet_factor(mode),
        events=reached(mode, end) if mode.recorded else own_time(mode, end) / end * exposure * strikes,
        restart_s=restart_s(scenario, name),
        nodes_in_repair=away,
    )


def replication_s(scenario: Scenario) -> float:
    """Return about how long one replication takes on one core, in seconds, from what happens in it."""
    happens = math.fsum(events(scenario, name) + spare_events(scenario, name) for name in scenario.failures)
    stops = scenario.end_s / scenario.maintenance.every if scenario.maintenance else 0.0
    attempts = 1 / math.prod(1 - stage.fails for stage in scenario.recovery.stages)
    return SECONDS_PER_REPLICATION + SECONDS_PER_EVENT * (happens * attempts + stops)
