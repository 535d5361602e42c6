"""What metrics take from a scenario: its own figures, by their path in the summary."""

from __future__ import annotations

import numpy as np

from clustersim.arrays import Array
from clustersim.metrics.replications import PER_DRAW, ScenarioFacts
from clustersim.scenario.drawing import drawn
from clustersim.scenario.first_order import stakes
from clustersim.scenario.model import Scenario

FEW_MISSING = 10
"""One node in so many may be missing from the job: the others then fail at most a tenth less often, which is
taken to be close enough to the number of nodes away that more spares would show."""


def facts_of(scenario: Scenario) -> ScenarioFacts:
    """Return what metrics take from *scenario*."""
    cluster, costs, simulation = scenario.cluster, scenario.costs, scenario.simulation
    paid_spares = cluster.own_spares * cluster.gpus_per_node
    efficiency = scenario.workload.efficiency(cluster.gpus)
    price = costs.price_per_gpu_hour if costs else 0.0
    given = {
        "name": scenario.name,
        "title": scenario.title,
        "gpus": cluster.gpus,
        "nodes": cluster.nodes,
        "spare_nodes": cluster.spare_nodes,
        "spares_within": cluster.spares_within,
        "spares.known_to": _nodes_counted(scenario),
        "seed": simulation.seed,
        "horizon_s": scenario.end_s,
        "warm_up_s": simulation.warm_up,
        "precision.asked": simulation.precision,
        "precision.stakes": {} if simulation.precision is None else stakes(scenario),
        "checkpoint_interval_s": scenario.checkpoint.interval if scenario.checkpoint else None,
        "scaling_efficiency": efficiency,
        "ideal_gpus": cluster.gpus * efficiency,
        "tokens_per_gpu_second": scenario.workload.tokens_per_gpu_second,
        "target_s": scenario.target_s,
        "mtbf_s": scenario.mtbf,
        "replicas.count": scenario.recovery.replicas,
        "replicas.minimum": scenario.recovery.minimum,
        PER_DRAW: scenario.uncertainty.per_draw,
        "currency": costs.currency if costs else "",
        "cost.per_gpu_hour": price,
        "price_per_hour": price * (cluster.gpus + (costs.idle_spares if costs else 0.0) * paid_spares),
    }
    intervals = {f"tiers.{tier.name}.interval_s": tier.interval for tier in scenario.tiers}
    return scenario.subjects._replace(given=given | intervals)


_BY_DRAW = (
    "spare_nodes",
    "spares.known_to",
    "ideal_gpus",
    "tokens_per_gpu_second",
    "cost.per_gpu_hour",
    "price_per_hour",
)
"""Facts that enter into metrics, and that inputs of these blocks change: by them each draw has its own."""
_BLOCKS_OF_FACTS = ("cluster.", "workload.", "costs.")


def by_draw(scenario: Scenario, count: int) -> dict[str, Array]:
    """Return the facts that differ between draws as columns of *count* replications."""
    if not any(path.startswith(_BLOCKS_OF_FACTS) for path in scenario.uncertain):
        return {}
    per_draw = scenario.uncertainty.per_draw
    given = [facts_of(each).given for each in drawn(scenario, range(-(-count // per_draw)))]
    columns = {name: np.array([each[name] for each in given], np.float64) for name in _BY_DRAW}
    return {name: np.repeat(column, per_draw)[:count] for name, column in columns.items()}


def _nodes_counted(scenario: Scenario) -> int:
    """Return up to how many nodes away are as many as would be with more spares; -1 where spares are bound.

    Beyond the spares the job waits.  What fails only while it trains then fails no more, and an empty slot
    cannot fail.
    """
    cluster = scenario.cluster
    if cluster.spares_within:
        return -1
    modes = scenario.failures.values()
    waits = any(mode.takes_nodes and mode.clock == "training" for mode in modes)
    return cluster.spare_nodes + (0 if waits else cluster.nodes // FEW_MISSING)
