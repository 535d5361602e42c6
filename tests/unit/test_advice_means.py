"""What is said of spares, replicas, copies and bad nodes: only what the numbers say."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import pytest

from clustersim.advice import Advice, corruption, held_back, lemons, spares, stalls, stragglers, tiers
from clustersim.engine.ledger import Entry
from clustersim.scenario import Scenario


def scenario(**changes: Any) -> Scenario:
    return Scenario.model_validate(
        {
            "name": "sample",
            "cluster": {"gpus": 800},
            "failures": {"gpu": {"per": "node", "mtbf": "50 d", "repair": "6 h"}},
            "checkpoint": {"interval": "20 min", "blocks": "20 s"},
            "simulation": {"horizon": "10 d"},
        }
        | changes
    )


def summary(*, ledger: dict[str, float] | None = None, **more: Any) -> dict[str, Any]:
    usual = {
        "ledger": {entry.label: 0.0 for entry in Entry} | (ledger or {}),
        "margins": defaultdict(lambda: 0.001),
        "spare_nodes": 0,
        "fewest_spares": 0,
        "waste": {},
        "waste_by_cause": defaultdict(float),
        "interruptions_total": 500,
    }
    return usual | more


def said(found: Any) -> str:
    one: list[Advice] = list(found)
    assert len(one) <= 1
    return str(one[0]) if one else ""


def test_waiting_is_told_with_the_spares_that_would_have_sufficed() -> None:
    waiting = {"waiting": 0.04}
    without = said(spares(scenario(), summary(ledger=waiting, spares={"sufficient_p99": 12})))
    assert "4.0 % of all card-time. 12 would have sufficed for 99 % of the time (cluster.spares)." in without
    few = said(spares(scenario(), summary(ledger=waiting, spare_nodes=3, spares={"sufficient_p99": 12})))
    assert few.startswith("The 3 spare nodes are too few")
    assert "12 would have sufficed" in few
    enough = said(spares(scenario(), summary(ledger=waiting, spare_nodes=20, spares={"sufficient_p99": 12})))
    assert "sufficed" not in enough
    racks = scenario(cluster={"gpus": 800, "nodes_per_rack": 4, "spares": 3, "spares_within": "rack"})
    assert said(spares(racks, summary(ledger=waiting, spare_nodes=3))).endswith("Each serves one rack only.")
    unknown = said(spares(scenario(), summary(ledger=waiting, spares={"sufficient_p99": None})))
    assert unknown.endswith("Give cluster.spares.")


def test_spares_that_nobody_needs_are_told_where_they_cost_money() -> None:
    idle = summary(spare_nodes=40, fewest_spares=30)
    assert said(spares(scenario(), idle)) == ""
    priced = scenario(costs={"gpu_hour": "2 USD"})
    assert "never more than 10 were in use" in said(spares(priced, idle))
    assert "none was ever in use" in said(spares(priced, summary(spare_nodes=40, fewest_spares=40)))
    assert said(spares(priced, summary(spare_nodes=40, fewest_spares=15))) == ""
    free = scenario(costs={"gpu_hour": "2 USD", "idle_spares": "0 %"})
    assert said(spares(free, idle)) == ""


def test_stalls_are_told_where_they_cost_more_than_recovery() -> None:
    found = said(stalls(scenario(), summary(ledger={"stall": 0.05, "recovery": 0.02, "detection": 0.01})))
    assert "5.0 % of all card-time, more than the replicas that are down, 3 %" in found
    assert said(stalls(scenario(), summary(ledger={"stall": 0.05, "recovery": 0.06}))) == ""
    assert said(stalls(scenario(), summary(ledger={"stall": 0.005}))) == ""


def test_cards_held_back_are_told_with_the_minimum() -> None:
    few = summary(ledger={"idle": 0.012}, replicas={"count": 8, "minimum": 6, "down": 1.0})
    assert "fewer than 6 of 8 replicas are alive take 1.2 %" in said(held_back(scenario(), few))
    assert said(held_back(scenario(), summary(ledger={"idle": 0.012}))) == ""


def test_stragglers_are_told_by_the_mode_that_costs_most_and_apart_from_overhead() -> None:
    modes = {
        name: {"per": "node", "mtbf": "9 d", "effect": {"slow": {"factor": 0.5}}, "detect": "1 h"}
        for name in "ab"
    }
    waste = {"a": {"slow": 0.01}, "b": {"slow": 0.02}, "overhead": {"slow": 0.3}}
    found = said(stragglers(scenario(failures=modes), summary(waste=waste)))
    assert found == 'Slow nodes take 3.0 % of all card-time, most of it "b": notice them sooner.'
    only_overhead = summary(waste={"overhead": {"slow": 0.3}})
    assert said(stragglers(scenario(failures=modes), only_overhead)) == ""


@pytest.mark.parametrize(
    ("keep", "reach"), [(2, ": the 2 copies kept reach back 40 min only."), (9, " time.")]
)
def test_corruption_is_told_with_how_far_the_copies_reach_back(keep: int, reach: str) -> None:
    silent = {"per": "node", "mtbf": "90 d", "effect": {"corrupt": {"noticed_after": "2 h"}}}
    saves = {"interval": "20 min", "blocks": "20 s", "keep": keep}
    given = scenario(failures={"silent": silent}, checkpoint=saves)
    numbers = summary(ledger={"corrupted": 0.02}, waste={"silent": {"corrupted": 0.02}})
    found = said(corruption(given, numbers))
    assert found.startswith('Silent corruption by "silent", which is noticed after 2 h, throws away 2.0 %')
    assert found.replace("card-time.", "card time.").endswith(reach)
    assert said(corruption(given, summary())) == ""


def test_lemons_are_told_where_they_matter_and_nobody_retires_them() -> None:
    bad = {"gpu": {"per": "node", "mtbf": "50 d", "repair": "6 h", "lemons": {"share": "5 %", "factor": 8}}}
    costly = summary(waste_by_cause={"gpu": 0.05})
    found = said(lemons(scenario(failures=bad), costly))
    assert found.startswith('Lemons, 5 % of the nodes, bring 30 % of the failures of "gpu", which take 5.0 %')
    retired = scenario(failures=bad, recovery={"retire": {"after": 3, "within": "30 d"}})
    assert said(lemons(retired, costly)) == ""
    assert said(lemons(scenario(failures=bad), summary(waste_by_cause={"gpu": 0.001}))) == ""
    few = {"gpu": bad["gpu"] | {"lemons": {"share": "1 %", "factor": 8}}}
    assert said(lemons(scenario(failures=few), costly)) == ""


def test_a_tier_that_is_never_loaded_is_told_after_many_failures() -> None:
    two = {
        "peer": {"interval": "1 min", "blocks": "1 s", "survives": ["job"]},
        "storage": {"interval": "1 h", "blocks": "9 s"},
    }
    given = scenario(checkpoint={"tiers": two})
    never = {"peer": {"loads": 0.0}, "storage": {"loads": 1.0}}
    assert '"peer" was never loaded in 500 interruptions' in said(tiers(given, summary(tiers=never)))
    assert said(tiers(given, summary(tiers=never, interruptions_total=20))) == ""
    often = {"peer": {"loads": 1.0}, "storage": {"loads": 0.0}}
    assert said(tiers(given, summary(tiers=often))) == ""
    assert said(tiers(scenario(), summary())) == ""
