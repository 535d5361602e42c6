"""Nodes that differ, domains, effects, repair in parts, diagnosis, replicas: what the values come to."""

from __future__ import annotations

from typing import Any

import pytest

from clustersim.distributions import Constant, Exponential
from clustersim.scenario import Scenario
from clustersim.scenario.checks import near_divisors
from clustersim.scenario.keys.repair import RepairPlan
from clustersim.scenario.kinds.effects import Crash, Hang, Storage
from clustersim.scenario.rates import again, fleet_factor
from clustersim.scenario.values import values

HOUR, DAY = 3600.0, 86_400.0


def scenario(**blocks: Any) -> Scenario:
    small = {
        "name": "small",
        "cluster": {"gpus": 64, "nodes_per_rack": 2, "racks_per_pod": 2},
        "failures": {"node": {"per": "node", "mtbf": "50 d", "repair": "4 h"}},
        "checkpoint": {"interval": "10 min", "blocks": "5 s"},
        "simulation": {"horizon": "3 d"},
    }
    return Scenario.model_validate(small | blocks)


def mode(**keys: Any) -> Any:
    return scenario(failures={"part": {"per": "node", "mtbf": "50 d"} | keys}).failures["part"]


def test_a_rack_used_in_part_holds_its_own_spares() -> None:
    cluster = scenario(
        cluster={"gpus": 100, "gpus_per_node": 4, "nodes_per_rack": 6, "used_per_rack": 4}
    ).cluster
    assert (cluster.nodes, cluster.racks, cluster.rack_slots) == (25, 7, 4)
    assert (cluster.spare_nodes, cluster.spares_within, cluster.spare_domains) == (14, "rack", 7)


def test_racks_that_stand_by_are_spares_as_a_whole() -> None:
    racks = {"nodes_per_rack": 3, "used_per_rack": 2, "spare_racks": 2}
    cluster = scenario(cluster={"gpus": 64} | racks).cluster
    assert (cluster.racks, cluster.rack_nodes, cluster.spare_nodes) == (4, 3, 4 * 1 + 2 * 3)
    without = scenario(cluster={"gpus": 64}).cluster
    assert (without.racks, without.rack_nodes) == (None, 0)


LENT = {"name": "lent", "count": 5, "kind": "lent", "takes": "5 min"}


@pytest.mark.parametrize(
    ("keys", "spares", "own"),
    [
        ({"spares": 2}, 2, 2),
        ({"spares": 2, "spare_kind": "lent", "preempt": "5 min"}, 2, 0),
        ({"spares": [{"name": "hot", "count": 3}, LENT]}, 8, 3),
    ],
)
def test_spares_that_are_lent_are_not_our_own(keys: dict[str, Any], spares: int, own: int) -> None:
    cluster = scenario(cluster={"gpus": 64} | keys).cluster
    assert (cluster.spare_nodes, cluster.own_spares) == (spares, own)


def test_spares_that_racks_hold_are_listed_with_their_number() -> None:
    racks = scenario(cluster={"gpus": 64, "nodes_per_rack": 3, "used_per_rack": 2})
    found = {value.path: value for value in values(racks)}
    assert found["cluster.spares"].text == "4 nodes, what is left of the racks"
    assert found["cluster.spares"].default


@pytest.mark.parametrize(("within", "domains"), [(None, 1), ("rack", 4), ("pod", 2)])
def test_spares_are_spread_over_their_domains(within: str | None, domains: int) -> None:
    keys = {"spares_within": within} if within else {}
    cluster = scenario(
        cluster={"gpus": 64, "nodes_per_rack": 2, "racks_per_pod": 2, "spares": 3} | keys
    ).cluster
    assert (cluster.spares_within, cluster.spare_domains) == (within, domains)


@pytest.mark.parametrize(
    ("keys", "delay"),
    [
        ({}, 0.0),
        ({"spare_kind": "cold", "provision": "15 min"}, 900.0),
        ({"spare_kind": "lent", "preempt": "5 min"}, 300.0),
    ],
)
def test_a_spare_serves_after_what_its_kind_takes(keys: dict[str, str], delay: float) -> None:
    assert scenario(cluster={"gpus": 64, "spares": 2} | keys).cluster.delay == delay


def test_a_pool_is_cold_if_it_takes_time() -> None:
    written = [("a", {}), ("b", {"takes": "3 min"}), ("c", {"kind": "cold", "takes": "0 s"})]
    spares = [{"name": name, "count": 1} | keys for name, keys in written]
    pools = scenario(cluster={"gpus": 64, "spares": spares}).cluster.pools
    assert [(pool.kind, pool.takes) for pool in pools] == [("hot", 0), ("cold", 180), ("cold", 0)]


def test_values_that_nobody_stated_are_listed_unless_they_mean_that_something_is_not_used() -> None:
    modes = {part: {"per": part, "mtbf": "50 d"} for part in ("node", "job")}
    found = {value.path: (value.text, value.default) for value in values(scenario(failures=modes))}
    assert found["cluster.provision"] == ("0 s", True)
    assert "cluster.preempt" not in found
    assert [found[f"failures.{part}.clock"] for part in modes] == [("calendar", True), ("training", True)]


def test_slots_are_counted_by_level() -> None:
    small = scenario(recovery={"replicas": 4})
    levels = ("node", "rack", "pod", "replica", "job")
    assert [small.slots_per(level) for level in levels] == [1, 2, 4, 2, 8]
    part = scenario(
        cluster={"gpus": 64, "nodes_per_rack": 5, "used_per_rack": 3, "racks_per_pod": 2},
    )
    assert [part.slots_per(level) for level in ("rack", "pod")] == [3, 6]


@pytest.mark.parametrize(
    ("keys", "down", "scope"),
    [
        ({"per": "gpu"}, "node", "gpu"),
        ({"per": "gpu", "takes_down": "node"}, "node", "node"),
        ({"per": "node"}, "node", "node"),
        ({"per": "node", "takes_down": "pod"}, "pod", "pod"),
        ({"per": "rack"}, "rack", "rack"),
        ({"per": "pod"}, "pod", "pod"),
        ({"per": "rack", "takes_down": "job"}, "job", "cluster"),
        ({"per": "cluster"}, "job", "cluster"),
        ({"per": "job"}, "job", "job"),
    ],
)
def test_what_a_failure_takes_down_is_its_scope(keys: dict[str, str], down: str, scope: str) -> None:
    found = mode(**keys)
    assert (found.takes_down, found.scope) == (down, scope)
    assert found.takes_down_stated is ("takes_down" in keys)


def test_effects_are_words_with_their_numbers() -> None:
    assert mode().effect == Crash()
    assert mode(effect="hang", detect="1 min").effect == Hang()
    slow = mode(effect={"slow": {"factor": 0.7}}, detect="10 min", repair="1 d")
    assert (slow.effect.word, slow.effect.pace, slow.transient) == ("slow", 0.7, 0.0)
    corrupt = mode(effect={"corrupt": {"noticed_after": {"exponential": {"mean": "2 h"}}}})
    assert (corrupt.effect.word, corrupt.effect.shows_after) == ("corrupt", Exponential(2 * HOUR))
    flap = mode(effect={"flap": {"stall": "40 s"}})
    assert (flap.effect.word, flap.effect.pause, flap.transient) == ("flap", Constant(40.0), 1.0)
    outage = mode(per="cluster", effect="storage", repair="2 h")
    assert (outage.effect, outage.transient) == (Storage(tiers=None), 1.0)
    named = mode(per="cluster", effect={"storage": {"tiers": ["checkpoint"]}}, repair="2 h")
    assert named.effect == Storage(tiers=("checkpoint",))
    assert named.repair_plan == RepairPlan(Constant(2 * HOUR))


def test_a_simple_repair_is_a_plan_of_one_part() -> None:
    assert mode(repair="4 h").repair_plan == RepairPlan(Constant(4 * HOUR))
    law = {"exponential": {"mean": "2 d"}, "crews": 3, "false_fix": "10 %"}
    found = mode(repair=law)
    assert found.repair_plan == RepairPlan(Exponential(2 * DAY), false_fix=(0.1, 0.1), crews=3)
    assert (found.repair, found.repair_plan.in_vain) == (Exponential(2 * DAY), 0.1)
    assert mode().repair_plan is None


def test_a_pipeline_has_crews_for_its_manual_part() -> None:
    law = {
        "automatic": "2 h",
        "escalates": "80 %",
        "manual": {"exponential": {"mean": "2 d"}},
        "false_fix": {"automatic": "40 %", "manual": "20 %"},
        "crews": 12,
    }
    found = mode(repair=law)
    assert found.repair_plan == RepairPlan(Constant(2 * HOUR), 0.8, Exponential(2 * DAY), (0.4, 0.2), 12)
    assert found.repair.mean == pytest.approx(2 * HOUR + 0.8 * 2 * DAY)
    assert found.repair_plan.in_vain == pytest.approx(0.2 * 0.4 + 0.8 * 0.2)


def test_lemons_raise_the_mean_rate_of_the_fleet() -> None:
    small = scenario(
        failures={"node": {"per": "node", "mtbf": "80 d", "lemons": {"share": "5 %", "factor": 8}}}
    )
    assert fleet_factor(small, small.failures["node"]) == pytest.approx(1.35)
    assert small.mtbf_of("node") == 10 * DAY
    assert small.mtbf == pytest.approx(10 * DAY / 1.35)


@pytest.mark.parametrize(
    ("keys", "recovery", "share"),
    [
        ({}, {}, 0.0),
        ({"relapse": {"probability": "20 %", "within": "1 d"}}, {}, 0.2),
        ({"relapse": {"probability": "20 %", "within": "1 d"}, "transient": "50 %"}, {}, 0.1),
        ({"repair": {"constant": "4 h", "false_fix": "10 %"}}, {}, 0.1),
        (
            {
                "repair": {"constant": "4 h", "false_fix": "10 %"},
                "relapse": {"probability": "20 %", "within": "1 d"},
            },
            {},
            0.1 + 0.2 * 0.9,
        ),
        ({}, {"misdiagnosis": "5 %", "missed": "3 %"}, 0.08),
        ({"repair": {"constant": "4 h", "false_fix": "10 %"}}, {"missed": "20 %"}, 0.2 + 0.8 * 0.1),
        ({"takes_down": "rack"}, {"missed": "20 %"}, 0.0),
        ({"spreads": {"to": "rack", "probability": "50 %"}}, {"missed": "20 %"}, 0.1),
    ],
)
def test_failures_that_come_again_make_a_geometric_series(
    keys: dict[str, Any], recovery: dict[str, Any], share: float
) -> None:
    node = {"per": "node", "mtbf": "50 d", "repair": "4 h"} | keys
    other = {"per": "rack", "mtbf": "500 d", "repair": "4 h"}
    bug = {"per": "job", "mtbf": "50 d"}
    small = scenario(failures={"node": node, "other": other, "bug": bug}, recovery=recovery)
    found = [again(small, mode) for mode in small.failures.values()]
    assert found == pytest.approx([1 / (1 - share), 1, 1])


def test_recovery_keys_have_the_values_of_the_file() -> None:
    recovery = scenario(
        recovery={
            "misdiagnosis": "5 %",
            "missed": "2 %",
            "recurs_after": "1 h",
            "retire": {"score": 3, "half_life": "7 d", "replacement": "14 d"},
            "replicas": 4,
            "stall": "3 min",
            "rejoin_stall": "100 s",
            "minimum": 2,
            "overhead": "1 %",
            "peer_load": "20 s",
        }
    ).recovery
    assert (recovery.misdiagnosis, recovery.missed, recovery.recurs_after) == (0.05, 0.02, Constant(HOUR))
    retire = recovery.retire
    assert retire is not None
    assert (retire.after, retire.within, retire.score, retire.half_life) == (None, None, 3.0, 7 * DAY)
    assert retire.replacement == 14 * DAY
    assert (recovery.replicas, recovery.stall, recovery.rejoin_stall, recovery.minimum) == (
        4,
        180.0,
        100.0,
        2,
    )
    assert (recovery.overhead, recovery.peer_load) == (0.01, 20.0)
    plain = scenario().recovery
    assert (plain.replicas, plain.minimum, plain.peer_load, plain.recurs_after) == (1, 1, None, Constant(0.0))


@pytest.mark.parametrize(
    ("rule", "days", "retires"),
    [
        ({"score": 3, "half_life": "7 d"}, [30, 30, 30], True),
        ({"score": 3, "half_life": "7 d"}, [23, 23, 30, 30], True),
        ({"score": 3, "half_life": "7 d"}, [23, 30, 30], False),
        ({"after": 3, "within": "30 d"}, [1, 1, 30], True),
        ({"after": 3, "within": "30 d"}, [0, 1, 30], False),
    ],
)
def test_a_node_retires_on_day_30_after_so_many_failures(
    rule: dict[str, Any], days: list[int], retires: bool
) -> None:
    """A week halves what a failure counts; what is as old as the window is long counts no more."""
    found = scenario(recovery={"retire": rule}).recovery.retire
    assert found is not None
    assert found.rule([day * DAY for day in days], 30 * DAY) is retires


def test_halves_of_two_rules_are_two_rules_and_not_half_a_rule_too() -> None:
    with pytest.raises(ValueError, match=r"^1 validation error(.|\n)*after beside score: two rules at once"):
        scenario(recovery={"retire": {"after": 3, "score": 3}})


def test_a_stage_fails_more_often_on_more_cards() -> None:
    stage = {"constant": "1 min", "fails": {"over_gpus": {"16": "1 %", "256": "5 %"}}}
    found = scenario(recovery={"stages": {"start": stage}}).recovery.stages[-1]
    assert found.fails == pytest.approx(0.03)
    flat = scenario(recovery={"stages": {"start": stage}}, cluster={"gpus": 1024, "nodes_per_rack": 2})
    assert flat.recovery.stages[-1].fails == 0.05


@pytest.mark.parametrize(
    ("nodes", "count", "near"),
    [(100, 12, [10, 20]), (8, 7, [4, 8]), (13, 2, [1, 13]), (36, 1, [2]), (10**12 + 39, 2, [1, 10**12 + 39])],
)
def test_the_nearest_numbers_that_divide(nodes: int, count: int, near: list[int]) -> None:
    assert near_divisors(nodes, count) == near
