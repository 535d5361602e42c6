"""What a scenario means before it is simulated: how much fails, what a failure takes, a first-order ETTR."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

from clustersim.scenario.first_order import ettr, exposure_s, lasts_s, mean_restart_s, restart_s
from clustersim.scenario.keys.failure import FailureMode
from clustersim.scenario.keys.replay import reached
from clustersim.scenario.model import Scenario
from clustersim.scenario.notes import notes
from clustersim.scenario.rates import fleet_factor, mean_of, nodes_taken, rate
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
    cluster, modes = scenario.cluster, tuple(_mode(scenario, name) for name in scenario.failures)
    events = math.fsum(mode.events for mode in modes)
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
        events=events,
        restart_s=mean_restart_s(scenario),
        nodes_in_repair=math.fsum(mode.nodes_in_repair for mode in modes),
        ettr=ettr(scenario),
        run_s=_run_time(scenario, events, cores),
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
        events=reached(mode, end) if mode.recorded else _factor(mode, end) * exposure * strikes,
        restart_s=restart_s(scenario, name),
        nodes_in_repair=away,
    )


def _factor(mode: FailureMode, end: float) -> float:
    """Return the mean factor of `over_time` on the rate until *end* (seconds)."""
    if not mode.over_time:
        return 1.0
    ends = [(min(start, end), factor) for start, factor in mode.over_time] + [(end, 0.0)]
    return math.fsum(factor * (later - start) for (start, factor), (later, _) in pairwise(ends)) / end


def _run_time(scenario: Scenario, events: float, cores: int) -> float:
    count = scenario.simulation.replications
    each = SECONDS_PER_REPLICATION + events * SECONDS_PER_EVENT
    return START_UP_SECONDS + math.ceil(count / cores) * each
