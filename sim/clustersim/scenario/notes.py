"""What a reader should know about how far the values of a scenario carry."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from clustersim.scenario.keys.replay import about_logs
from clustersim.scenario.model import Scenario
from clustersim.scenario.rates import again, fleet_factor
from clustersim.units import format_duration, format_share


def notes(scenario: Scenario) -> Iterator[str]:
    """Yield what a reader should know about how far the values carry."""
    yield from _about_tables(scenario)
    yield from _about_nodes(scenario)
    yield from about_logs(scenario)
    yield from _about_copies(scenario)
    if scenario.simulation.precision is not None:
        yield "simulation.precision: replications are added as needed; the run time is for the first 32"


def _about_tables(scenario: Scenario) -> Iterator[str]:
    gpus = scenario.cluster.gpus
    tables: dict[str, Mapping[int, float]] = {
        "workload.scaling_efficiency": scenario.workload.scaling_efficiency or {}
    }
    for name, time in scenario.recovery.stated_stages.items():
        tables[f"recovery.stages.{name}"] = time.over_gpus or {}
        if len(time.stated_fails) > 1:
            tables[f"recovery.stages.{name}.fails"] = time.stated_fails
    for path, table in tables.items():
        if table and not min(table) <= gpus <= max(table):
            nearest = min(table) if gpus < min(table) else max(table)
            yield f"{path}: {gpus:,} cards are outside the table; the value at {nearest:,} is used"


def _about_nodes(scenario: Scenario) -> Iterator[str]:
    cluster, retire = scenario.cluster, scenario.recovery.retire
    for name, mode in scenario.failures.items():
        if mode.lemons:
            factor = fleet_factor(mode)
            mean = format_duration(mode.mtbf / factor, 3)
            text = f"over all nodes it is {factor:.3g} times that, one failure of a {mode.per} every {mean}"
            yield f"failures.{name}.lemons: the rate is that of a good node; {text}"
        if (more := again(scenario, mode)) > 1:
            why = "after a relapse, a repair in vain or a wrong diagnosis"
            yield f"failures.{name}: failures that come again, {why}, add {format_share(more - 1, 2)}"
    if retire and retire.replacement is None:
        yield "recovery.retire: the fleet shrinks, as no replacement time is given"
    if 0 < cluster.spare_nodes < cluster.spare_domains:
        domains = f"{cluster.spare_domains:,} {cluster.spares_within}s"
        yield f"cluster.spares: {cluster.spare_nodes:,} for {domains}, so not each of them has a spare"


def _about_copies(scenario: Scenario) -> Iterator[str]:
    saves, effects = scenario.checkpoint, [mode.effect for mode in scenario.failures.values()]
    if saves is None and scenario.failures:
        yield "checkpoint: none; every failure throws all work away, so no formula gives the ETTR"
    for tier in scenario.tiers:
        path = "checkpoint" if saves is None else ".".join(("checkpoint", *saves.path_of(tier.name)))
        if tier.durable_after > tier.interval:
            until = format_duration(tier.durable_after, 3)
            yield f"{path}: a save starts only when the last one is durable, {until} after its end"
        kept = tier.survives if tier.survives is not None else frozenset({"job", "gpu", "node"})
        if "node" in kept and not kept >= {"job", "gpu"}:
            lost = " and ".join(sorted({"job", "gpu"} - kept))
            yield f"{path}.survives: node without {lost}; a lost {lost} does less harm than a lost node"
        if tier.keep is not None and not tier.unusable and not any(effect.spoils_work for effect in effects):
            yield f"{path}.keep: it matters only where copies may be unusable or corrupt"
    yield from dict.fromkeys(effect.first_order for effect in effects if effect.first_order)
