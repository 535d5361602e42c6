"""The nodes of a scenario: its cluster, with the spares as it binds and chooses them."""

from __future__ import annotations

from clustersim.engine.cluster import Cluster
from clustersim.engine.spares import ChosenSpares, Domains
from clustersim.scenario.model import Scenario


def cluster_of(scenario: Scenario) -> Cluster:
    """Return the cluster at the beginning: every slot holds a node at work, and all spares are idle."""
    spec, groups = scenario.cluster, scenario.recovery.replicas
    if spec.spares_within is None and spec.spare_choice == "any":
        return Cluster(spec.nodes, spec.spare_nodes, spec.delay, groups)
    size = scenario.slots_per(spec.spares_within or "job")
    domains = Domains(spec.nodes, size, spec.spare_domains)
    numbers = range(spec.nodes, spec.nodes + spec.spare_nodes)
    chosen = ChosenSpares(numbers, domains, spec.spare_choice == "fewest_failures")
    cluster = Cluster(spec.nodes, chosen, spec.delay, groups)
    if spec.spare_choice == "fewest_failures":
        cluster.on_node_failure.append(chosen.failed)
    return cluster
