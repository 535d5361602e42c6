"""How many nodes a failure takes: its domain, whose last one may be smaller, and what it spreads to."""

from __future__ import annotations

from typing import Any

import pytest
from scipy import stats

from clustersim.scenario import Scenario
from clustersim.scenario.rates import most_at_once, nodes_taken, rates_by_scope, sizes_taken, spreading

NODE = {"per": "node", "mtbf": "1000 h", "repair": "1 d"}


def scenario(failures: dict[str, Any], **blocks: Any) -> Scenario:
    plain = {
        "name": "domains",
        "cluster": {"gpus": 800, "nodes_per_rack": 10},
        "checkpoint": {"interval": "1 h", "blocks": "0 s"},
        "simulation": {"horizon": "30 d"},
    }
    return Scenario.model_validate(plain | {"failures": failures} | blocks)


@pytest.mark.parametrize(
    ("per", "level", "nodes"),
    [
        ("rack", "rack", 9 / 5),
        ("node", "rack", (4 * 2 * 2 + 1) / 9),
        ("gpu", "rack", (4 * 2 * 2 + 1) / 9),
        ("pod", "pod", 9 / 3),
        ("rack", "pod", (2 * 2 * 4 + 1) / 5),
        ("node", "pod", (2 * 4 * 4 + 1) / 9),
        ("pod", "job", 9),
    ],
)
def test_the_last_domain_may_be_smaller(per: str, level: str, nodes: float) -> None:
    """Nine nodes in racks of 2, 2, 2, 2 and 1, in pods of 4, 4 and 1; of nodes fail more in the larger."""
    cluster = {"gpus": 72, "nodes_per_rack": 2, "racks_per_pod": 2}
    found = scenario({"any": NODE | {"per": per, "takes_down": level}}, cluster=cluster)
    assert nodes_taken(found, found.failures["any"]) == pytest.approx(nodes, rel=1e-15)


def test_a_failure_spreads_to_a_binomial_number_of_nodes() -> None:
    spreads = {"to": "rack", "probability": "40 %", "share": "30 %"}
    found = scenario({"node": NODE | {"spreads": spreads}})
    node = found.failures["node"]
    shares, sizes = zip(*sizes_taken(found, node), strict=True)
    law = stats.binom(9, 0.3).pmf(range(10))
    assert shares == pytest.approx([0.6, *(0.4 * law)])
    assert sizes == pytest.approx([1, *range(1, 11)])
    assert spreading(found, node) == pytest.approx(0.4 * (1 - 0.7**9))
    for rack, sizes, more in ((1, (1, 1, 1), 0), (2, (1, 1, 2), 0.4 * 0.3)):  # of one node there is no other
        few = scenario({"node": NODE | {"spreads": spreads}}, cluster={"gpus": 800, "nodes_per_rack": rack})
        assert spreading(few, node) == pytest.approx(more)
        assert [size for _, size in sizes_taken(few, node)] == pytest.approx(sizes)
        assert nodes_taken(few, node) == pytest.approx(1 + more)
    whole = scenario({"node": NODE | {"spreads": spreads | {"share": "100 %"}}})
    assert list(sizes_taken(whole, whole.failures["node"])) == [(0.6, 1), (0.4, 10)]


def test_a_failure_spreads_to_part_of_a_node_where_racks_are_hardly_larger_on_average() -> None:
    """Racks of 2 and 1 nodes have 5 / 3 for a node that fails, those of 5 and 3 have 34 / 8: replicas 4."""
    spreads = {"to": "rack", "probability": "40 %", "share": "30 %"}
    few = scenario({"node": NODE | {"spreads": spreads}}, cluster={"gpus": 24, "nodes_per_rack": 2})
    replica = NODE | {"takes_down": "replica", "spreads": spreads}
    cluster = {"gpus": 64, "nodes_per_rack": 5}
    half = scenario({"node": replica}, cluster=cluster, recovery={"replicas": 2})
    for found, alone, others in ((few, 1, 2 / 3), (half, 4, 1 / 4)):
        assert nodes_taken(found, found.failures["node"]) == pytest.approx(alone + 0.4 * 0.3 * others)
        assert spreading(found, found.failures["node"]) == pytest.approx(0.4 * (1 - 0.7**others))


@pytest.mark.parametrize(("rack", "sizes"), [(33, [1, *range(1, 34)]), (34, [1, 1 + 0.3 * 33])])
def test_of_very_many_nodes_the_mean_is_taken(rack: int, sizes: list[float]) -> None:
    spreads = {"to": "rack", "probability": "40 %", "share": "30 %"}
    cluster = {"gpus": 16 * rack, "nodes_per_rack": rack}
    found = scenario({"node": NODE | {"spreads": spreads}}, cluster=cluster)
    assert [size for _, size in sizes_taken(found, found.failures["node"])] == pytest.approx(sizes)


def test_failures_that_spread_are_those_of_the_domain_to_which_they_do() -> None:
    spreads = {"to": "rack", "probability": "40 %"}
    found = scenario({"node": NODE | {"transient": "25 %", "spreads": spreads}})
    shares = {scope: per_second * 36_000 for scope, per_second in rates_by_scope(found, "node")}
    assert shares == pytest.approx({"job": 0.25, "node": 0.75 * 0.6, "rack": 0.75 * 0.4})
    outage = scenario({"lustre": {"per": "cluster", "mtbf": "10 h", "effect": "storage", "repair": "1 h"}})
    assert next(rates_by_scope(outage, "lustre")) == ("cluster", pytest.approx(1 / 36_000))


def test_a_rack_takes_the_spares_that_are_bound_to_it_along() -> None:
    cluster = {"gpus": 800, "nodes_per_rack": 10, "spares": 15, "spares_within": "rack"}
    failures = {"node": NODE, "rack": NODE | {"per": "rack"}, "job": {"per": "job", "mtbf": "9 d"}}
    failures |= {
        "card": NODE | {"per": "gpu"},
        "link": NODE | {"spreads": {"to": "rack", "probability": "1 %"}},
    }
    found = scenario(failures, cluster=cluster)
    assert [most_at_once(found, mode) for mode in found.failures.values()] == [1, 12, 0, 1, 12]
