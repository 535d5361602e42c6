"""What metrics take from a scenario, and what each draw of uncertain inputs has of its own."""

from __future__ import annotations

import pytest

from clustersim.scenario import loads
from clustersim.scenario.facts import by_draw, facts_of

SMALL = """
name: small
cluster: {gpus: 400, gpus_per_node: 4, nodes_per_rack: 4, spares: 2}
failures: {a: {per: node, mtbf: 5 d, repair: 1 h}}
checkpoint: {interval: 1 h, blocks: 1 s}
simulation: {horizon: 1 d}
"""


@pytest.mark.parametrize(
    ("changes", "counted"),
    [
        ({}, 2 + 100 // 10),
        ({"failures.a.clock": "training"}, 2),
        ({"failures.b": "{per: job, mtbf: 5 d, clock: training}"}, 2 + 100 // 10),
        ({"cluster.spares_within": "rack", "cluster.spares": 4}, -1),
    ],
)
def test_nodes_away_are_counted_while_what_fails_hardly_changes(
    changes: dict[str, object], counted: int
) -> None:
    assert facts_of(loads(SMALL, overrides=changes)).given["spares.known_to"] == counted


def test_draws_differ_in_the_facts_that_inputs_change_and_replications_of_one_do_not() -> None:
    """Two replications have each draw."""
    text = f"{SMALL}costs: {{gpu_hour: 2 USD}}\nuncertain: {{costs.gpu_hour: 1 to 3 USD}}\n"
    columns = by_draw(loads(text, overrides={"cluster.spares": 0}), 5)
    prices = columns["cost.per_gpu_hour"].tolist()
    assert len(prices) == 5
    assert len(set(prices)) == 3
    assert prices[:4:2] == prices[1:4:2]
    assert columns["price_per_hour"] == pytest.approx([400 * price for price in prices])
    assert columns["ideal_gpus"].tolist() == [400] * 5
    rates = f"{SMALL}uncertain: {{failures.a.mtbf: 4 d to 6 d}}\n"
    assert by_draw(loads(rates), 5) == {}
