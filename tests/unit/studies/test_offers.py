"""What is offered to be changed in a scenario, and what each change makes of it."""

from __future__ import annotations

from typing import Any

import pytest

from clustersim.scenario import loads
from clustersim.scenario.model import Scenario
from clustersim.studies.offers import halved_share, halved_time, offers, times
from tests.unit.scenario.everything import EVERYTHING
from tests.unit.studies.clusters import FULL, HOUR, full, job

OFFERED = {
    "halve node failures",
    "halve rack failures",
    "halve hang failures",
    "halve all failures",
    "halve start time",
    "halve collectives time",
    "halve load time",
    "halve detection time",
    "halve recovery time",
    "halve the cost of saves",
    "durable twice as fast",
    "double the spares",
    "halve the spares",
    "repair twice as fast",
}


def offered(**blocks: Any) -> dict[str, Any]:
    return {change.name: change.values for change in offers(full(**blocks))}


def test_what_is_uncertain_stays_as_uncertain_as_it_was() -> None:
    """Half a rate is twice a time between failures, whichever of them is uncertain or was counted."""
    uncertain = {
        "failures.a.mtbf": "1 h to 4 h",
        "failures.b.rate": "3 to 12 / day",
        "failures.c.mtbf": {"counted": "12 in 5 days"},
        "recovery.stages.start": "2 to 30 min",
    }
    modes = {"a": {"per": "job", "mtbf": "2 h"}, "b": {"per": "job", "rate": "6 / day"}}
    modes["c"] = {"per": "job", "mtbf": "10 h"}
    found = {change.name: change.values for change in offers(job(failures=modes, uncertain=uncertain))}
    halves = [
        {"failures.a.mtbf": "4 h", "uncertain.failures.a.mtbf": "2 h to 8 h"},
        {
            "failures.b.rate": None,
            "failures.b.mtbf": "8 h",
            "uncertain.failures.b.rate": "1500 / 1000 days to 6000 / 1000 days",
        },
        {"failures.c.mtbf": "20 h", "uncertain.failures.c.mtbf": {"counted": "12 in 10 days"}},
    ]
    assert found == {
        "halve a failures": halves[0],
        "halve b failures": halves[1],
        "halve c failures": halves[2],
        "halve all failures": halves[0] | halves[1] | halves[2],
        "halve start time": {
            "recovery.stages.start": "2 min 30 s",
            "uncertain.recovery.stages.start": "1 min to 15 min",
        },
        "halve the cost of saves": {"checkpoint.blocks": "15 s"},
    }


@pytest.mark.parametrize(
    ("written", "halves"),
    [
        ("4 to 8", "2 to 4"),
        ("1 to 3", None),
        ("3 to 4", None),
        ({"uniform": "1 to 3"}, {"uniform": "0 to 2"}),
    ],
)
def test_half_of_few_spares_is_certain_where_it_is_no_range_of_whole_numbers(
    written: Any, halves: Any
) -> None:
    cluster = {"gpus": 64, "nodes_per_rack": 2, "spares": 2}
    given = full(cluster=cluster, uncertain={"cluster.spares": written})
    (change,) = (change for change in offers(given) if change.name == "halve the spares")
    assert change.values.get("uncertain.cluster.spares") == halves
    made = change.of(given)
    assert (made.cluster.spare_nodes, list(made.uncertain)) == (1, ["cluster.spares"] if halves else [])


def test_an_outage_of_the_site_may_be_half_as_long() -> None:
    power = {"power": {"per": "cluster", "mtbf": "9 d", "repair": "4 h"}}
    found = offered(failures=power)
    assert found["site back twice as fast"] == {"failures.power.repair": "2 h"}
    assert "repair twice as fast" not in found


def test_everything_that_a_scenario_uses_is_offered() -> None:
    assert set(offered()) == OFFERED


def test_each_offer_changes_what_it_says() -> None:
    now, made = (
        full(),
        {change.name: change.of(full()) for change in offers(full())},
    )
    for mode in now.failures:
        assert made[f"halve {mode} failures"].mtbf_of(mode) == pytest.approx(2 * now.mtbf_of(mode))
    assert made["halve all failures"].mtbf == pytest.approx(2 * (now.mtbf or 0.0))
    stages = {stage.name: stage.duration.mean for stage in now.recovery.stages}
    for stage in ("start", "collectives", "load"):
        after = {one.name: one.duration.mean for one in made[f"halve {stage} time"].recovery.stages}
        assert after == pytest.approx(stages | {stage: stages[stage] / 2}, rel=1e-3)
    detection = made["halve detection time"]
    assert detection.recovery.stages[0].duration.mean == 30.0
    assert detection.failures["hang"].detect.mean == 300.0  # type: ignore[union-attr]
    assert made["halve recovery time"].recovery.stages[2].fails == pytest.approx(0.1)
    assert made["halve the cost of saves"].tiers[-1].blocks == 10.0
    assert made["durable twice as fast"].tiers[-1].durable_after == 90.0
    assert made["double the spares"].cluster.spare_nodes == 2
    assert made["halve the spares"].cluster.spare_nodes == 0
    assert made["repair twice as fast"].failures["node"].repair.mean == 12 * HOUR  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("blocks", "missing"),
    [
        ({"checkpoint": {"interval": "1 h", "blocks": "0 s", "load": "2 min"}}, {"halve the cost of saves"}),
        ({"checkpoint": {"interval": "1 h", "blocks": "9 s", "load": "2 min"}}, {"durable twice as fast"}),
        (
            {"failures": {"rack": FULL["failures"]["rack"]}},
            {"double the spares", "halve the spares", "repair twice as fast", "halve node failures"},
        ),
        (
            {"failures": {"node": {"per": "node", "mtbf": "9 d", "repair": "1 d", "transient": "100 %"}}},
            {"double the spares", "halve the spares", "repair twice as fast"},
        ),
        (
            {"recovery": {"stages": {"detect": "0 s", "load": "checkpoint"}}},
            {"halve start time", "halve collectives time"},
        ),
    ],
)
def test_what_is_not_used_is_not_offered(blocks: dict[str, Any], missing: set[str]) -> None:
    assert set(offered(**blocks)) & missing == set()


def test_the_detection_of_all_is_not_offered_where_each_mode_has_its_own() -> None:
    hang = {"hang": FULL["failures"]["hang"]}
    assert set(offered(failures=hang)["halve detection time"]) == {"failures.hang.detect"}


def test_without_failures_only_the_saves_are_left() -> None:
    assert set(offered(failures="none")) == {"halve the cost of saves"}
    starting = FULL["recovery"] | {"at_start": True}
    assert "halve start time" in offered(failures="none", recovery=starting)


def test_half_the_lemons_are_half_of_those_among_the_replacements_too() -> None:
    lemons = {"share": "8 %", "factor": 5, "in_replacements": "4 %"}
    node = {"per": "node", "mtbf": "1 y", "repair": "1 d", "lemons": lemons}
    retire = {"after": 2, "within": "30 d", "replacement": "7 d"}
    lever = offered(failures={"node": node}, recovery={"retire": retire})["halve node lemons"]
    path = "failures.node.lemons"
    assert lever == {f"{path}.share": "4 %", f"{path}.in_replacements": "2 %"}


def test_first_spares_are_offered_where_there_are_none() -> None:
    assert offered(cluster={"gpus": 64, "nodes_per_rack": 2})["spares: 1 % of the nodes"] == {
        "cluster.spares": "1"
    }


def test_scaling_leaves_alone_what_is_no_duration() -> None:
    law = {"lognormal": {"median": "20 h", "sigma": 2.5, "at_most": "4 d"}, "crews": 12, "fails": "3 %"}
    assert times(law, 0.5) == {
        "lognormal": {"median": "10 h", "sigma": 2.5, "at_most": "2 d"},
        "crews": 12,
        "fails": "3 %",
    }
    assert times({"over_gpus": {16: "10 s"}, "list": ["1 h"]}, 2.0) == {
        "over_gpus": {16: "20 s"},
        "list": ["2 h"],
    }
    assert times("checkpoint", 0.5) == "checkpoint"


@pytest.mark.parametrize(
    ("value", "twice"),
    [("1 TB/s", "2 TB/s"), ("2 GB/s per node", "4 GB/s per node"), ("400 Gb/s/node", "100 GB/s/node")],
)
def test_twice_a_bandwidth(value: str, twice: str) -> None:
    assert halved_time("checkpoint.write", value) == twice


def test_half_of_all_shares() -> None:
    assert halved_share({"automatic": "40 %", "manual": "20 %"}) == {
        "automatic": "20 %",
        "manual": "10 %",
    }


def everything_changed() -> dict[str, Scenario]:
    now = loads(EVERYTHING)
    return {change.name: change.of(now) for change in offers(now)}


def test_every_change_of_everything_is_a_scenario_that_changes_what_it_says() -> None:
    made = everything_changed()
    gpu = {name: one.failures["gpu"] for name, one in made.items()}
    assert gpu["halve gpu lemons"].lemons.share == 0.025  # type: ignore[union-attr]
    assert gpu["halve gpu relapses"].relapse.probability == 0.11  # type: ignore[union-attr]
    assert gpu["halve gpu bursts"].spreads.probability == 0.015  # type: ignore[union-attr]
    assert gpu["halve repairs in vain"].repair_plan.false_fix == (0.2, 0.1)  # type: ignore[union-attr]
    wrong = made["halve wrong diagnoses"].recovery
    assert (wrong.misdiagnosis, wrong.missed) == (0.025, 0.01)
    stall = made["halve the stall of other replicas"].recovery
    assert (stall.stall, stall.rejoin_stall) == (90.0, 50.0)
    assert made["halve the overhead of each step"].recovery.overhead == 0.005
    assert made["halve the stall of a flap"].failures["flap"].effect.pause.mean == 20.0  # type: ignore[union-attr]
    noticed = made["corruption noticed twice as fast"].failures["sdc"].effect.shows_after
    assert noticed is not None
    assert noticed.mean == 3600.0
    assert made["storage back twice as fast"].failures["lustre"].repair.mean == 900.0  # type: ignore[union-attr]


def test_saves_and_loads_are_changed_tier_by_tier() -> None:
    now, made = loads(EVERYTHING), everything_changed()
    peer, storage = now.tiers
    assert made["halve the cost of saves: peer"].tiers == (
        made["halve the cost of saves: peer"].tiers[0],
        storage,
    )
    assert made["halve the cost of saves: peer"].tiers[0].blocks == peer.blocks / 2
    assert made["durable twice as fast: storage"].tiers[1].durable_after == storage.durable_after / 2
    load = made["halve load time"]
    assert [tier.load for tier in load.tiers] == pytest.approx([peer.load / 2, storage.load / 2])
    assert load.recovery.peer_load == 15.0


def test_pools_of_ours_are_doubled_and_halved_and_lent_ones_stay() -> None:
    pools = [
        {"name": "standby", "count": 2},
        {"name": "own", "count": 5, "takes": "3 min"},
        {"name": "lent", "count": 9, "kind": "lent", "takes": "20 min"},
    ]
    pooled = full(cluster={"gpus": 64, "nodes_per_rack": 4, "spares": pools})
    made = {
        change.name: change.of(pooled).cluster.pools for change in offers(pooled) if "spares" in change.name
    }
    assert [pool.count for pool in made["double the spares"]] == [4, 10, 9]
    assert [pool.count for pool in made["halve the spares"]] == [1, 2, 9]
    assert [pool.takes for pool in made["halve the spares"]] == [0, 180, 1200]
    three = full(
        cluster={"gpus": 64, "nodes_per_rack": 4, "spares": [{"name": name, "count": 1} for name in "abc"]}
    )
    (half,) = (change for change in offers(three) if change.name == "halve the spares")
    assert half.text == "cluster.spares: 3 -> 1"
    assert [pool.count for pool in half.of(three).cluster.pools] == [0, 1, 0]


def test_more_spares_are_not_offered_where_racks_hold_their_own() -> None:
    names = offered(cluster={"gpus": 64, "nodes_per_rack": 3, "used_per_rack": 2})
    assert not any("spares" in name for name in names)
    assert names["one more spare rack"] == {"cluster.spare_racks": 1}
    assert "repair twice as fast" in names


def test_a_group_that_fails_more_often_may_be_replaced() -> None:
    groups = {"old": {"nodes": "25 %"}, "new": {"nodes": 1}}
    scenario = Scenario.model_validate(
        {
            "name": "groups",
            "cluster": {"gpus": 320, "groups": groups},
            "failures": {"gpu": {"per": "gpu", "mtbf": "1 y", "groups": {"old": 5, "new": 0.5}}},
            "checkpoint": {"interval": "1 h", "blocks": "10 s"},
            "simulation": {"horizon": "30 d"},
        }
    )
    (change,) = [change for change in offers(scenario) if change.name.startswith("replace")]
    assert change.text == "cluster.groups.old.nodes: 10 -> 0, nodes of no group in their place"
    assert [group.nodes for group in change.of(scenario).cluster.groups] == [0, 1]


def test_twice_the_notice_is_offered_and_no_quicker_detection_where_all_is_announced() -> None:
    spot = {"per": "node", "mtbf": "1 d", "repair": "1 h", "notice": "2 min"}
    made = offered(failures={"spot": spot})
    assert made["double the notice of spot"] == {"failures.spot.notice": "4 min"}
    assert "halve detection time" not in made


def test_what_a_log_recorded_is_neither_halved_nor_repaired_faster() -> None:
    mode = {"replay": [{"time": "5 h", "node": 3, "repair": "40 h"}]}
    names = offered(failures={"logged": mode})
    assert "halve logged failures" not in names
    assert "repair twice as fast" not in names
    assert "double the spares" in names
    both = offered(failures={"logged": mode, "node": FULL["failures"]["node"]})
    assert both["repair twice as fast"] == {"failures.node.repair": "12 h"}
