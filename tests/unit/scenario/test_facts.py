"""What metrics take from a scenario, and what each draw of uncertain inputs has of its own."""

from __future__ import annotations

import numpy as np
import pytest

from clustersim.scenario import loads
from clustersim.scenario.facts import by_draw, facts_of
from clustersim.scenario.first_order import stakes

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


RICH = """
name: rich
title: a title
cluster: {gpus: 400, gpus_per_node: 4, spares: 2}
workload: {scaling_efficiency: {400: 0.5}, tokens_per_gpu_second: 10, target: 1 G tokens}
failures: {a: {per: node, mtbf: 5 d, repair: 1 h}}
checkpoint: {interval: 1 h, blocks: 1 s}
recovery: {replicas: 10, minimum: 8}
costs: {gpu_hour: 3 USD, idle_spares: 50 %}
simulation: {horizon: 30 d, precision: 1 pp, seed: 7}
"""


def test_facts_are_known_by_their_path_in_the_summary() -> None:
    """Idle spares are half as dear, and 400 cards come to 200."""
    rich = loads(RICH)
    found = dict(facts_of(rich).given)
    assert found.pop("mtbf_s") == pytest.approx(5 * 86_400 / 100)
    assert found == {
        "name": "rich",
        "title": "a title",
        "gpus": 400,
        "nodes": 100,
        "spare_nodes": 2,
        "spares_within": None,
        "spares.known_to": 12,
        "seed": 7,
        "horizon_s": 30 * 86_400,
        "warm_up_s": 0,
        "precision.asked": 0.01,
        "precision.stakes": stakes(rich),
        "checkpoint_interval_s": 3600,
        "scaling_efficiency": 0.5,
        "ideal_gpus": 200,
        "tokens_per_gpu_second": 10,
        "target_s": 1e9 / (200 * 10),
        "replicas.count": 10,
        "replicas.minimum": 8,
        "ettr.per_draw": 2,
        "currency": "USD",
        "cost.per_gpu_hour": 3,
        "price_per_hour": 3 * (400 + 2 * 4 / 2),
        "tiers.checkpoint.interval_s": 3600,
    }


def test_what_a_scenario_does_not_say_is_none_nothing_or_empty() -> None:
    found = facts_of(loads(SMALL, overrides={"checkpoint": "none"})).given
    nothing = ("title", "precision.asked", "checkpoint_interval_s", "tokens_per_gpu_second", "target_s")
    assert [found[name] for name in nothing] == [None] * 5
    assert (found["precision.stakes"], found["currency"]) == ({}, "")
    assert (found["cost.per_gpu_hour"], found["price_per_hour"]) == (0, 0)


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
    assert np.isnan(columns["tokens_per_gpu_second"]).all()
    rates = f"{SMALL}uncertain: {{failures.a.mtbf: 4 d to 6 d}}\n"
    assert by_draw(loads(rates), 5) == {}
