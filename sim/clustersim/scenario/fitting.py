"""What the blocks must hold about each other: replicas and nodes, effects and tiers, diagnosis and repair."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from clustersim.scenario.keys.blocks import Finding
from clustersim.scenario.keys.recovery import DETECT, LOAD
from clustersim.scenario.keys.replicas import near_divisors
from clustersim.units import format_duration

if TYPE_CHECKING:
    from clustersim.scenario.model import Scenario


def fitting(scenario: Scenario) -> Iterator[Finding]:
    """Yield what does not fit together in *scenario* beyond what each block knows."""
    yield from _about_replicas(scenario)
    yield from _about_reach(scenario)
    yield from _about_stops(scenario)
    yield from _about_effects(scenario)
    yield from _about_tiers(scenario)
    yield from _about_repair(scenario)
    costs = scenario.costs
    if scenario.cluster.spare_kind == "lent" and costs and "idle_spares" in costs.model_fields_set:
        yield ("costs", "idle_spares"), "lent spares are at work for others, who pay; leave it out"


def _about_replicas(scenario: Scenario) -> Iterator[Finding]:
    nodes, replicas = scenario.cluster.nodes, scenario.recovery.replicas
    path = ("recovery", "replicas")
    if replicas > nodes:
        yield path, f"more replicas than nodes ({nodes:_}); a replica has at least one node, so give fewer"
    elif nodes % replicas:
        near = " or ".join(f"{one:_}" for one in near_divisors(nodes, replicas))
        yield path, f"{replicas:_} replicas do not divide {nodes:_} nodes evenly; take {near}"


def _about_reach(scenario: Scenario) -> Iterator[Finding]:
    """Refuse failures that take down what the cluster or the recovery does not have."""
    there = {"rack": scenario.cluster.racks, "pod": scenario.cluster.pods}
    needs = {"rack": "cluster.nodes_per_rack", "pod": "cluster.nodes_per_rack and cluster.racks_per_pod"}
    for name, mode in scenario.failures.items():
        spread = mode.spreads.to if mode.spreads else ""
        for path, domain in ((("takes_down",), mode.stated_takes_down or ""), (("spreads", "to"), spread)):
            if domain in needs and there[domain] is None:
                yield ("failures", name, *path), f"there are no {domain}s; give {needs[domain]}"
        if spread and mode.takes_down == "replica" and _is_within_a_replica(scenario, spread):
            why = f"a {spread} is no more than the replica that goes down anyway; leave it out"
            yield ("failures", name, "spreads", "to"), why
        if mode.stated_takes_down == "replica" and scenario.recovery.replicas == 1:
            why = "the whole job is one replica; give recovery.replicas, or say takes_down: job"
            yield ("failures", name, "takes_down"), why


def _is_within_a_replica(scenario: Scenario, domain: str) -> bool:
    """Whether a replica is as large as the domain; not where replicas do not divide the nodes anyway."""
    whole, replicas = scenario.cluster.nodes, scenario.recovery.replicas
    return (
        replicas <= whole
        and whole % replicas == 0
        and scenario.slots_per(domain) <= scenario.slots_per("replica")
    )


def _about_stops(scenario: Scenario) -> Iterator[Finding]:
    stops, replicas = scenario.maintenance, scenario.recovery.replicas
    if stops is None or not stops.rolling:
        return
    if replicas == 1:
        yield (
            ("maintenance", "rolling"),
            "the whole job is one replica; give recovery.replicas, or leave it out",
        )
    elif replicas * stops.takes >= stops.every:
        lasts = f"{replicas} replicas take {format_duration(replicas * stops.takes)}"
        yield ("maintenance", "takes"), f"{lasts}, longer than until the next round; stop less often"


def _about_effects(scenario: Scenario) -> Iterator[Finding]:
    noticed = DETECT in scenario.recovery.stated_stages
    tiers = scenario.checkpoint.stated if scenario.checkpoint else {}
    for name, mode in scenario.failures.items():
        path = ("failures", name, "effect")
        if mode.effect.without_detection and mode.stated_detect is None and not noticed:
            yield path, mode.effect.without_detection
        for below, why in mode.effect.about_tiers(tiers):
            yield (*path, *below), why


def _about_tiers(scenario: Scenario) -> Iterator[Finding]:
    saves = scenario.checkpoint
    if saves is None:
        return
    for name, tier in saves.stated.items():
        here = ("checkpoint", *saves.path_of(name))
        if tier.unusable and LOAD not in scenario.recovery.stated_stages:
            why = "no stage loads the copy and finds out; add load: checkpoint to recovery.stages"
            yield (*here, "unusable"), why


def _about_repair(scenario: Scenario) -> Iterator[Finding]:
    recovery = scenario.recovery
    repaired = [mode for mode in scenario.failures.values() if mode.takes_nodes and mode.repair_plan]
    for name in ("misdiagnosis", "missed", "retire"):
        if getattr(recovery, name) and not repaired:
            yield ("recovery", name), "no failure costs a node here; give a mode a repair, or leave it out"
    vain = any(mode.repair_plan and mode.repair_plan.in_vain for mode in repaired)
    if recovery.stated_recurs_after and not (recovery.misdiagnosis or recovery.missed or vain):
        why = "no fault stays; give misdiagnosis, missed or a repair's false_fix, or leave it out"
        yield ("recovery", "recurs_after"), why
    if recovery.peer_load is not None and LOAD not in recovery.stated_stages:
        yield ("recovery", "peer_load"), "no stage loads; add load: checkpoint to recovery.stages"
