"""What must hold between the blocks of a scenario, and what follows from several of them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from clustersim.engine.ledger import RESERVED_CAUSES
from clustersim.metrics.catalogue import figures_of
from clustersim.scenario.fitting import fitting
from clustersim.scenario.keys.blocks import KEY, Finding, strangers
from clustersim.scenario.keys.quantities import LONGEST_DURATION, SHORTEST_DURATION
from clustersim.scenario.keys.recovery import CHECKPOINT, LOAD
from clustersim.scenario.keys.replay import about_nodes, resolve_logs
from clustersim.scenario.levers import faults_of_levers
from clustersim.scenario.published import faults_of_claims
from clustersim.scenario.rates import again, events, most_again, most_at_once, mtbf_served, spare_events
from clustersim.scenario.text.document import find, paths
from clustersim.scenario.text.errors import dotted
from clustersim.units import format_duration

if TYPE_CHECKING:
    from clustersim.scenario.model import CheckpointSpec, Scenario

MOST_FAILURES = 100_000_000
MOST_AGES = 20_000_000
MOST_STOPS = 1_000_000
MOST_ATTEMPTS = 1_000
MOST_SAVES = 1e12
"""So many instants of saves, as floats, are still thousands of their steps apart."""
MOST_AT_ONCE = 1_000_000
"""Nodes that one failure takes down: each is then an object of its own, some 150 bytes and a microsecond."""


def contradictions(scenario: Scenario) -> Iterator[Finding]:
    """Resolve the interval and the stages of *scenario*, and yield everything that does not fit together."""
    found = list(_within(scenario))
    yield from found or faults_of_levers(scenario)
    yield from () if found else faults_of_claims(scenario)


def _within(scenario: Scenario) -> Iterator[Finding]:
    scenario.recovery.resolve(scenario.cluster.gpus, _loads(scenario)[-1])
    resolve_logs(scenario)
    yield from about_nodes(scenario)
    domains = [*_about_domains(scenario), *fitting(scenario)]
    yield from domains
    yield from _about_modes(scenario)
    ends = list(_about_the_end(scenario))
    yield from ends
    yield from _about_saves(scenario)
    if not domains:
        yield from _resolve_interval(scenario)
        yield from () if ends else _about_numbers(scenario)
    yield from _about_metrics(scenario)
    yield from _about_sources(scenario)


def _about_domains(scenario: Scenario) -> Iterator[Finding]:
    cluster = scenario.cluster
    for name, mode in scenario.failures.items():
        path = ("failures", name, "per")
        if mode.per == "rack" and cluster.racks is None:
            yield path, "a mode per rack needs racks; give cluster.nodes_per_rack"
        if mode.per == "pod" and cluster.pods is None:
            yield path, "a mode per pod needs pods; give cluster.nodes_per_rack and cluster.racks_per_pod"


def _about_modes(scenario: Scenario) -> Iterator[Finding]:
    if not scenario.failures and scenario.document.get("failures") != "none":
        yield ("failures",), "no mode is given; give at least one, or say failures: none"
    retire = scenario.recovery.retire
    replaced = retire is not None and retire.replacement is not None
    for name, mode in scenario.failures.items():
        if name in RESERVED_CAUSES:
            yield ("failures", name, KEY), f'the results use the name "{name}" themselves; choose another'
        if mode.lemons and mode.lemons.in_replacements is not None and not replaced:
            path = ("failures", name, "lemons", "in_replacements")
            yield path, "no node is replaced; leave it out, or give recovery.retire with a replacement"


def _about_the_end(scenario: Scenario) -> Iterator[Finding]:
    simulation = scenario.simulation
    if simulation.horizon is None and scenario.target_s is None:
        yield ("simulation",), "nothing ends the run; give a horizon, such as 30 d, or a workload.target"
    if scenario.target_s is not None and not SHORTEST_DURATION <= scenario.target_s <= LONGEST_DURATION:
        end = "1e9 years or longer" if scenario.target_s > LONGEST_DURATION else "less than 1 ms"
        yield (
            ("workload", "target"),
            f"at this speed it takes {end}; check the speed of a card, or the target",
        )
    if scenario.target_s is not None and simulation.warm_up:
        yield ("simulation", "warm_up"), "a run to a target counts from its beginning; leave warm_up out"


def _about_saves(scenario: Scenario) -> Iterator[Finding]:
    saves, stages = scenario.checkpoint, scenario.recovery.stated_stages
    if saves is not None:
        yield from _about_loads(scenario, saves)
        return
    if (
        "stages" in scenario.recovery.model_fields_set
        or "stated_stages" in scenario.recovery.model_fields_set
    ):
        for name, time in stages.items():
            if time.word == CHECKPOINT:
                yield ("recovery", "stages", name), "there is no checkpoint to load; leave the stage out"
    stops = scenario.maintenance
    if stops and not stops.abrupt and not stops.rolling:
        yield ("maintenance",), "without checkpoints nothing can be saved before a stop; say abrupt: true"


def _about_loads(scenario: Scenario, saves: CheckpointSpec) -> Iterator[Finding]:
    if LOAD in scenario.recovery.stated_stages:
        return
    for (name, tier), load in zip(saves.stated.items(), _loads(scenario), strict=True):
        if load:
            key = "load" if tier.stated_load is not None else "read"
            why = "no stage loads the copy; add load: checkpoint to recovery.stages"
            yield ("checkpoint", *saves.path_of(name), key), why


def _loads(scenario: Scenario) -> list[float]:
    """Return what loading takes from each tier, in seconds; 0 s where there are no copies."""
    saves, nodes = scenario.checkpoint, scenario.cluster.nodes
    tiers = saves.stated.values() if saves else ()
    return [tier.times(saves.state if saves else None, nodes).load for tier in tiers] or [0.0]


def _resolve_interval(scenario: Scenario) -> Iterator[Finding]:
    if scenario.checkpoint is not None:
        served = partial(mtbf_served, scenario)
        yield from scenario.checkpoint.resolve(scenario.cluster.nodes, served, scenario.workload.step_time)


def _about_numbers(scenario: Scenario) -> Iterator[Finding]:
    """Refuse what would never end, or fill the memory."""
    end = format_duration(scenario.end_s, 3)
    for name, mode in scenario.failures.items():
        series = most_again(scenario, mode) / again(scenario, mode)
        strikes = events(scenario, name) * max(series, 1.0) + spare_events(scenario, name)
        if strikes > MOST_FAILURES:
            limit = f"{MOST_FAILURES:.0e} can be simulated; check the rate"
            yield ("failures", name), f"about {strikes:.1e} failures in {end}, {limit}"
        yield from _about_units(scenario, name)
    attempts = 1 / math.prod(1 - stage.fails for stage in scenario.recovery.stages)
    if attempts > MOST_ATTEMPTS:
        limit = f"{MOST_ATTEMPTS:_} are possible; let them fail less often"
        yield ("recovery", "stages"), f"about {attempts:.1e} attempts until no stage fails, {limit}"
    for tier in scenario.tiers:
        if (saves := scenario.end_s / tier.interval) > MOST_SAVES:
            path = ("checkpoint", *scenario.checkpoint.path_of(tier.name)) if scenario.checkpoint else ()
            limit = f"{MOST_SAVES:.0e} can be told apart; save less often"
            yield (*path, "interval"), f"about {saves:.1e} saves in {end}, {limit}"
    if scenario.maintenance and scenario.end_s / scenario.maintenance.every > MOST_STOPS:
        yield ("maintenance", "every"), f"more than {MOST_STOPS:_} stops in {end}; stop less often"


def _about_units(scenario: Scenario, name: str) -> Iterator[Finding]:
    """Refuse more units than can each have an age, or be a lemon, or go down at once."""
    here, mode, cluster = ("failures", name), scenario.failures[name], scenario.cluster
    nodes = cluster.nodes + cluster.spare_nodes
    each = {"gpu": cluster.gpus_per_node, "node": 1}.get(mode.per)
    units = nodes * each if each else scenario.units(name)
    if units > MOST_AGES and mode.stated_lifetime.kind != "exponential":
        limit = f"{MOST_AGES:_} are possible; take exponential lifetimes"
        yield (*here, "lifetime"), f"{units:_} ages to keep, {limit}"
    if nodes > MOST_AGES and mode.lemons is not None:
        limit = f"{MOST_AGES:_} are possible; have fewer, or no lemons"
        yield (*here, "lemons"), f"{nodes:_} nodes and spares of which each may be a lemon, {limit}"
    if (down := most_at_once(scenario, mode)) > MOST_AT_ONCE:
        limit = f"{MOST_AT_ONCE:_} are possible; make the domain smaller"
        yield here, f"one failure takes {down:_} nodes and spares down, {limit}"


def _about_metrics(scenario: Scenario) -> Iterator[Finding]:
    subjects = scenario.subjects
    known = figures_of(subjects)
    strange = [path for path in scenario.expect if path not in known]
    for path, why in strangers(strange, sorted(known), "no such metric"):
        yield ("expect", path, KEY), why
    for path in (path for path in scenario.expect if path in known):
        if lacks := subjects.missing(known[path].metric.needs):
            yield ("expect", path), f"this metric needs {lacks}; give it"


def _about_sources(scenario: Scenario) -> Iterator[Finding]:
    document = scenario.document
    known = [dotted(path) for path in paths(document) if path[0] != "sources"]
    strange = [path for path in scenario.sources if find(document, path) is None]
    for path, why in strangers(strange, known, "no such value in this scenario"):
        yield ("sources", path, KEY), why
