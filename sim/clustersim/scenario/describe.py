"""What a scenario means before it is simulated: how much fails, what a failure takes, a first-order ETTR."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from clustersim.scenario.checks import planned_stops
from clustersim.scenario.first_order import (
    FirstOrder,
    exposure_s,
    first_order,
    mean_restart_s,
    restart_s,
    spacing,
)
from clustersim.scenario.keys.tiers import Tier
from clustersim.scenario.model import Scenario
from clustersim.scenario.published_rates import RateBesidePublished, beside_published
from clustersim.scenario.rates import (
    again,
    events,
    fleet_factor,
    group_factor,
    lemon_factor,
    mean_of,
    nodes_taken,
    rate,
    spare_events,
)
from clustersim.scenario.text.document import dotted
from clustersim.scenario.values import ScenarioValue, values
from clustersim.units import format_duration, format_share

SECONDS_PER_EVENT = 15e-6
SECONDS_PER_REPLICATION = 0.01
SECONDS_PER_DRAW = 0.005
"""Each is read and checked as a scenario of its own (measured: 3 to 10 ms)."""
START_UP_SECONDS = 1.0
NOTABLY_LATER = 1.05
"""Times the interval: where whole steps make it longer than that, it is said."""
HARDLY_EVER = 10
"""Where another tier saves so many times as often, a tier has the newest copy in about 5 % of the time."""


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
    """What `check` prints.  `ettr` is first order, None where `ettr_withheld` says why; `run_s` is a guess.

    `intervals_s` are those of all tiers by name, `interval_s` the last tier's.  `lasts_s` is how long a run
    takes to first order, `end_s` at most; `events` are those until then.  `nodes_away` are those in repair on
    average, `waiting_share` the share of the time in which the job or a replica waits for them, `rates` the
    scenario's failure rates beside published ones.
    """

    name: str
    values: tuple[ScenarioValue, ...]
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
    nodes_away: float
    ettr: float | None
    ettr_withheld: str | None
    waiting_share: float
    lasts_s: float
    rates: tuple[RateBesidePublished, ...]
    run_s: float
    notes: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data: numbers in the units that their keys end in, docs/reference/check.md."""
        return asdict(self) | {"values": [value.to_dict() for value in self.values]}


def describe(scenario: Scenario, cores: int = 1) -> Description:
    """Return what *scenario* means, its run time guessed for so many cores."""
    cluster, replications = scenario.cluster, scenario.simulation.replications
    found = first_order(scenario)
    modes = tuple(_mode(scenario, name, found) for name in scenario.failures)
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
        nodes_away=found.away,
        ettr=None if found.why_not else found.ettr,
        ettr_withheld=found.why_not or None,
        waiting_share=found.waiting,
        lasts_s=found.lasts_s,
        rates=tuple(beside_published(scenario, found.lasts_s)),
        run_s=START_UP_SECONDS
        + (SECONDS_PER_DRAW * replications / scenario.uncertainty.per_draw if scenario.uncertain else 0.0)
        + replication_s(scenario, found.lasts_s) * math.ceil(replications / cores),
        notes=tuple(notes(scenario)),
    )


def _mode(scenario: Scenario, name: str, found: FirstOrder) -> ModeMeaning:
    mode, repair = scenario.failures[name], scenario.failures[name].repair_plan
    end, exposure = found.lasts_s, exposure_s(scenario, mode, found)
    strikes, away = rate(scenario, name), 0.0
    if repair is not None and mode.takes_nodes:
        leaving = (1 - mode.transient) * nodes_taken(scenario, mode) * strikes * exposure / end
        away = leaving * mean_of(repair.whole)
    return ModeMeaning(
        name=name,
        per=mode.per,
        units=scenario.units(name),
        mtbf_s=scenario.mtbf_of(name) / fleet_factor(scenario, mode),
        events=events(scenario, name, end) * (exposure / end),
        restart_s=restart_s(scenario, name),
        nodes_in_repair=away,
    )


def replication_s(scenario: Scenario, lasts_s: float | None = None) -> float:
    """Return about how long one replication takes on one core, in seconds, from what happens in it.

    A run of *lasts_s* seconds; to its end if left out.
    """
    end = scenario.end_s if lasts_s is None else lasts_s
    happens = math.fsum(
        events(scenario, name, end) + spare_events(scenario, name, end) for name in scenario.failures
    )
    stops = sum(each.before(end) for each in scenario.maintenance)
    attempts = 1 / math.prod(1 - stage.fails for stage in scenario.recovery.stages)
    return SECONDS_PER_REPLICATION + SECONDS_PER_EVENT * (happens * attempts + stops)


def notes(scenario: Scenario) -> Iterator[str]:
    """Yield what a reader should know about how far the values carry."""
    yield from _about_draws(scenario)
    yield from _about_tables(scenario)
    yield from _about_nodes(scenario)
    yield from _about_logs(scenario)
    yield from _about_the_end(scenario)
    yield from _about_copies(scenario)
    if scenario.simulation.precision is not None:
        first = scenario.simulation.replications
        yield f"simulation.precision: replications are added as needed; the run time is for the first {first}"


def _about_draws(scenario: Scenario) -> Iterator[str]:
    if inputs := len(scenario.uncertain):
        count, per_draw = scenario.simulation.replications, scenario.uncertainty.per_draw
        each = f"{count // per_draw:,} draws, {per_draw} replication{'s' * (per_draw > 1)} with each of them"
        what = f"{inputs} input{'s' * (inputs > 1)} drawn"
        yield f"uncertain: {what}, {each}, {count:,} in all; formulas take the values as they are stated"


def _about_tables(scenario: Scenario) -> Iterator[str]:
    gpus = scenario.cluster.gpus
    tables: dict[str, Mapping[int, float]] = {
        "workload.scaling_efficiency": scenario.workload.scaling_efficiency or {}
    }
    for name, time in scenario.written.recovery.stages.items():
        tables[f"recovery.stages.{name}"] = time.over_gpus or {}
        if len(time.fails) > 1:
            tables[f"recovery.stages.{name}.fails"] = time.fails
    for path, table in tables.items():
        if table and not min(table) <= gpus <= max(table):
            nearest = min(table) if gpus < min(table) else max(table)
            yield f"{path}: {gpus:,} cards are outside the table; the value at {nearest:,} is used"


def _of_lemons(scenario: Scenario, name: str) -> str:
    """Say what lemons make of the rate of a mode, and what of them is not counted."""
    mode = scenario.failures[name]
    factor, run = lemon_factor(scenario, mode), " and the run" * bool(mode.lemons and mode.lemons.changes)
    mean = f"one failure of a {mode.per} every {format_duration(mode.mtbf / factor, 3)}"
    text = f"the rate is that of a good node; over all nodes{run} it is {factor:.3g} times that, {mean}"
    if scenario.cluster.spare_nodes and mode.takes_nodes:
        text += "; as far as spares idle, lemons idle more than good nodes, and failures are fewer"
    return f"failures.{name}.lemons: {text}"


def _about_nodes(scenario: Scenario) -> Iterator[str]:
    cluster, retire = scenario.cluster, scenario.recovery.retire
    for name, mode in scenario.failures.items():
        if mode.lemons:
            yield _of_lemons(scenario, name)
        if mode.groups:
            mean = format_duration(mode.mtbf / group_factor(scenario, mode), 3)
            text = f"over the job's nodes and the run it is {group_factor(scenario, mode):.3g} times that"
            each = f"one failure of a {mode.per} every {mean}"
            yield f"failures.{name}.groups: the rate is that of nodes in no group; {text}, {each}"
        if (more := again(scenario, mode)) > 1:
            why = "after a relapse, a repair in vain or a wrong diagnosis"
            yield f"failures.{name}: failures that come again, {why}, add {format_share(more - 1, 2)}"
    if retire and retire.replacement is None:
        yield "recovery.retire: the fleet shrinks, as no replacement time is given"
    if slow := [pool.name for pool in cluster.pools if pool.takes]:
        text = f"what taking nodes from {' and '.join(slow)} costs is not in the ETTR to first order"
        yield f"cluster.spares: {text}; the simulation counts it"
    if 0 < cluster.spare_nodes < cluster.spare_domains:
        domains = f"{cluster.spare_domains:,} {cluster.spares_within}s"
        yield f"cluster.spares: {cluster.spare_nodes:,} for {domains}, so not each of them has a spare"


def _about_copies(scenario: Scenario) -> Iterator[str]:
    effects = [mode.effect for mode in scenario.failures.values()]
    for tier in scenario.tiers:
        path = ".".join(tier.keys)
        if tier.durable_after > tier.interval:
            until = format_duration(tier.durable_after, 3)
            yield f"{path}: a save starts only when the last one is durable, {until} after its end"
        elif spacing(scenario, tier) > NOTABLY_LATER * tier.interval:
            text = "saves start at the end of a step (workload.step_time)"
            yield f"{path}.interval: {text}, so every {format_duration(spacing(scenario, tier), 3)}"
        if tier.adapts is not None:
            first = format_duration(tier.interval, 3)
            yield f"{path}.interval: it follows the failures; formulas take {first}, what it is at the start"
        kept = tier.survives or frozenset()
        if "node" in kept and (not_kept := {"job", "gpu"} - kept):
            lost = " and ".join(sorted(not_kept))
            yield f"{path}.survives: node without {lost}; a lost {lost} does less harm than a lost node"
        yield from _about_a_better_tier(scenario, tier)
        if tier.keep is not None and not tier.unusable and not any(effect.spoils_work for effect in effects):
            yield f"{path}.keep: it matters only where copies may be unusable or corrupt"
    yield from dict.fromkeys(effect.first_order for effect in effects if effect.first_order)


def _about_a_better_tier(scenario: Scenario, tier: Tier) -> Iterator[str]:
    """Yield that another tier survives all that this one does, and saves far more often."""
    for other in scenario.tiers:
        as_safe = other.survives is None or (tier.survives is not None and other.survives >= tier.survives)
        age = spacing(scenario, other) + other.durable_after
        if as_safe and HARDLY_EVER * age <= spacing(scenario, tier):
            why = f"copies of {other.name} survive as much and are newer"
            yield f"{'.'.join(tier.keys)}: {why}, so that its own are hardly ever loaded"
            return


def _about_the_end(scenario: Scenario) -> Iterator[str]:
    """Yield what is stated and comes only after the end of the run."""
    end_s, written = scenario.end_s, scenario.written
    of_logs = (("failures", stops) for stops in scenario.maintenance[len(written.stops) :])
    for path, stops in (*((dotted(path), stops) for path, stops in planned_stops(written)), *of_logs):
        if not stops.before(end_s):
            first, end = format_duration(stops.due(1), 3), format_duration(end_s, 3)
            yield f"{path}: the first stop is due at {first} and the run ends at {end}, so that there is none"
    for name, mode in written.failures.items():
        if mode.notice is not None and mode.notice >= end_s:
            notice, end = format_duration(mode.notice, 3), format_duration(end_s, 3)
            why = f"the run ends after {end}, before any node that is announced leaves"
            yield f"failures.{name}.notice: it is {notice} long, and {why}"


def _about_logs(scenario: Scenario) -> Iterator[str]:
    """Yield what a reader should know of logs that end before the run, or the other way round."""
    yield from about_overlaps(scenario)
    horizon = scenario.simulation.horizon
    logs = [mode.recorded for mode in scenario.failures.values() if mode.recorded]
    if horizon is None or not logs:
        return
    if late := sum(row.time_s >= horizon for rows in logs for row in rows):
        total = sum(map(len, logs))
        yield f"failures: {late:,} of {total:,} recorded failures lie behind the horizon and never strike"
    last = max(rows[-1].time_s for rows in logs)
    if last < horizon / 2:
        yield f"failures: nothing is recorded after {format_duration(last, 3)}; beyond it the log is silent"


def about_overlaps(scenario: Scenario) -> Iterator[str]:
    """Yield how many rows of all logs only extend the absence of their node."""
    end = scenario.simulation.horizon or math.inf
    modes = [mode for mode in scenario.failures.values() if mode.recorded]
    total = sum(row.time_s < end for mode in modes for row in mode.recorded or ())
    if passed := total - sum(mode.recorded_until(end) for mode in modes):
        name = "names" if passed == 1 else "name"
        which = f"{passed:,} of {total:,} incidents {name} a node that is away already"
        yield f"failures: {which}; its absence is extended to the later end"
