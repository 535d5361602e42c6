"""The named recoveries: each lays over every shipped cluster and leaves its failures as they are."""

from __future__ import annotations

import pytest

from clustersim import library
from clustersim.scenario import Scenario, load, loads

RECOVERIES = ["cold", "hot-spare", "replicas"]
CLUSTERS = {"chen-10k": 125, "chen-100k": 125, "chen-1m": 125, "llama3-16k": 16, "frontier-100k": 12}


def under(cluster: str, recovery: str, more: str = "") -> Scenario:
    return loads(f"name: mine\nbase: [{cluster}, recovery/{recovery}]\n{more}")


def test_the_recoveries_are_shipped_under_their_folder() -> None:
    found = [name for name in library.names() if name.startswith("recovery/")]
    assert found == [f"recovery/{name}" for name in RECOVERIES]


@pytest.mark.parametrize("cluster", CLUSTERS)
@pytest.mark.parametrize("recovery", RECOVERIES)
def test_a_cluster_recovers_as_told_from_the_same_failures(cluster: str, recovery: str) -> None:
    replicas = CLUSTERS[cluster] if recovery == "replicas" else 1
    more = f"recovery: {{replicas: {replicas}}}\n" if replicas > 1 else ""
    made, plain = under(cluster, recovery, more), load(cluster)
    assert made.failures == plain.failures
    assert made.cluster.nodes == plain.cluster.nodes
    assert made.recovery.replicas == replicas
    assert made.checkpoint is not None
    assert made.checkpoint.last.name == "storage"


@pytest.mark.parametrize("recovery", RECOVERIES)
def test_every_figure_of_a_recovery_has_a_source_or_is_an_assumption(recovery: str) -> None:
    from clustersim.scenario.values import values

    plain = {value.path: value.text for value in values(load("chen-1m"))}
    new = [value for value in values(under("chen-1m", recovery)) if value.text != plain.get(value.path)]
    assert new
    assert [value.path for value in new if not value.default and value.source is None] == []


def test_recoveries_may_be_laid_over_one_another() -> None:
    both = loads("name: mine\nbase: [chen-100k, recovery/hot-spare, recovery/replicas]\n")
    assert [tier.name for tier in both.checkpoint.tiers] == ["storage"]  # type: ignore[union-attr]
    assert both.cluster.spare_nodes == 125
