"""Tiers of checkpoints: their times, their intervals, and what they survive."""

from __future__ import annotations

import math
from typing import Any

import pytest
from pydantic import ValidationError

from clustersim import theory
from clustersim.scenario import Scenario, dump, loads
from clustersim.scenario.keys.tiers import Bandwidth, Tier
from clustersim.scenario.kinds.intervals import Needs, Young

HOUR = 3600.0
BASE: dict[str, Any] = {
    "name": "small",
    "cluster": {"gpus": 800, "nodes_per_rack": 10},
    "failures": {
        "gpu": {"per": "gpu", "mtbf": "800 h", "transient": "25 %", "repair": "1 d"},
        "rack": {"per": "rack", "mtbf": "100 h", "repair": "1 d"},
        "software": {"per": "job", "mtbf": "2 h"},
    },
    "simulation": {"horizon": "30 d"},
}
PEER = {"interval": "1 min", "blocks": "1 s", "survives": ["job", "gpu", "node"]}
STORAGE = {"interval": "30 min", "blocks": "5 s", "load": "1 min"}


def scenario(checkpoint: dict[str, Any], **blocks: Any) -> Scenario:
    return Scenario.model_validate({**BASE, "checkpoint": checkpoint, **blocks})


def test_the_short_form_is_one_tier_called_checkpoint() -> None:
    small = scenario({"interval": "10 min", "blocks": "5 s", "durable_after": "1 min", "load": "30 s"})
    assert small.tiers == (Tier("checkpoint", 600.0, 5.0, 60.0, 30.0),)
    assert not small.tiers[0].several
    assert not small.needs_work_history


def test_several_tiers_keep_their_order_and_the_last_one_stands_for_the_checkpoint() -> None:
    small = scenario({"tiers": {"peer": PEER | {"keep": 2, "unusable": "1 %"}, "storage": STORAGE}})
    assert [tier.name for tier in small.tiers] == ["peer", "storage"]
    peer, storage = small.tiers
    assert peer == Tier("peer", 60.0, 1.0, survives=frozenset({"job", "gpu", "node"}), unusable=0.01, keep=2)
    assert storage.survives is None
    assert (storage.interval, storage.blocks, storage.durable_after, storage.load) == (1800.0, 5.0, 0.0, 60.0)
    assert small.checkpoint
    assert small.checkpoint.last == storage
    assert small.needs_work_history
    assert loads(dump(small)).hash == small.hash


@pytest.mark.parametrize(
    ("tier", "blocks", "durable_after", "load"),
    [
        ({"write": "1 TB/s"}, 5.0, 0.0, 0.0),
        ({"write": "1 TB/s", "blocks": "2 s"}, 2.0, 5.0, 0.0),
        ({"write": "1 TB/s", "durable_after": "9 s"}, 5.0, 9.0, 0.0),
        ({"write": "1 GB/s per node"}, 50.0, 0.0, 0.0),
        ({"write": "1 GB/s/node", "read": "2 GB/s per node"}, 50.0, 0.0, 25.0),
        ({"blocks": "2 s", "read": "8 Tb/s"}, 2.0, 0.0, 5.0),
    ],
)
def test_the_size_of_the_state_and_bandwidths_give_times(
    tier: dict[str, str], blocks: float, durable_after: float, load: float
) -> None:
    for checkpoint in (tier, {"tiers": {"only": tier}}):
        block: dict[str, Any] = checkpoint if "tiers" in checkpoint else {"interval": "1 h", **checkpoint}
        if "tiers" in block:
            block = {"tiers": {"only": {"interval": "1 h", **tier}}}
        (found,) = scenario({"state": "5 TB", **block}).tiers
        assert (found.blocks, found.durable_after, found.load) == pytest.approx((blocks, durable_after, load))


def test_a_bandwidth_per_node_is_that_of_all_nodes_of_the_job() -> None:
    assert Bandwidth(2e9, per_node=True).seconds(1e12, 100) == 5.0
    assert Bandwidth(2e9, per_node=False).seconds(1e12, 100) == 500.0


@pytest.mark.parametrize(
    ("written", "why"),
    [(5, "5 has no unit; a bandwidth is"), (["1 GB/s"], "a list is not a bandwidth; give")],
)
def test_what_is_no_text_is_no_bandwidth(written: object, why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        scenario({"state": "5 TB", "interval": "1 h", "write": written})


@pytest.mark.parametrize(("times", "gives"), [({}, "blocks"), ({"blocks": "2 s"}, "durable_after")])
def test_a_bandwidth_may_come_to_the_shortest_time_that_there_is_and_to_no_less(
    times: dict[str, Any], gives: str
) -> None:
    block = {"state": "1 GB", "interval": "1 h", **times}
    assert getattr(scenario(block | {"write": "1 TB/s"}).tiers[0], gives) == 1e-3
    with pytest.raises(ValidationError, match=f"shorter than 1 ms; give {gives} instead, such as 0 s"):
        scenario(block | {"write": "1.01 TB/s"})


def test_an_interval_in_words_counts_the_failures_that_the_tier_is_there_for() -> None:
    words = {"tiers": {"peer": PEER | {"interval": "daly"}, "storage": STORAGE | {"interval": "daly"}}}
    peer, storage = scenario(words).tiers
    lost_racks = HOUR * 10
    everything_else = 1 / (1 / HOUR + 1 / (2 * HOUR))
    assert peer.interval == pytest.approx(theory.daly(everything_else, 1.0))
    assert storage.interval == pytest.approx(theory.daly(lost_racks, 5.0))


def test_a_formula_may_come_to_the_shortest_time_that_there_is() -> None:
    young = Young.model_construct()
    assert young.seconds(Needs(mtbf=1e-3, blocks=5e-4, step=None)) == (1e-3, "")  # sqrt(2 d M)
    assert young.seconds(Needs(mtbf=9e-4, blocks=5e-4, step=None))[1].endswith("; give a duration")


def test_a_tier_that_does_not_survive_cards_serves_only_restarts_of_processes() -> None:
    memory = PEER | {"interval": "young", "survives": ["job"]}
    found, storage = scenario({"tiers": {"memory": memory, "storage": STORAGE | {"interval": "young"}}}).tiers
    restarts = 0.25 / HOUR + 1 / (2 * HOUR)
    assert found.interval == pytest.approx(theory.young(1 / restarts, 1.0))
    assert storage.interval == pytest.approx(theory.young(1 / (0.75 / HOUR + 1 / (10 * HOUR)), 5.0))


def test_what_spreads_to_a_rack_is_served_by_what_survives_racks() -> None:
    failures = {"gpu": BASE["failures"]["gpu"] | {"spreads": {"to": "rack", "probability": "10 %"}}}
    tiers = {"peer": PEER, "storage": STORAGE | {"interval": "young"}}
    small = scenario({"tiers": tiers}, failures=failures)
    assert small.tiers[1].interval == pytest.approx(theory.young(HOUR / (0.75 * 0.1), 5.0))


def test_failures_of_the_whole_cluster_are_served_by_what_survives_them() -> None:
    failures = {
        "software": BASE["failures"]["software"],
        "power": {"per": "cluster", "mtbf": "20 h"},
        "bomb": {"per": "node", "mtbf": "2000 h", "takes_down": "job", "repair": "1 h"},
    }
    words = {"tiers": {"peer": PEER | {"interval": "young"}, "storage": STORAGE | {"interval": "young"}}}
    peer, storage = scenario(words, failures=failures).tiers
    assert peer.interval == pytest.approx(theory.young(2 * HOUR, 1.0))
    assert storage.interval == pytest.approx(theory.young(10 * HOUR, 5.0))


def test_with_replicas_only_failures_of_all_of_them_count_for_an_interval() -> None:
    small = scenario({"interval": "young", "blocks": "5 s"}, recovery={"replicas": 10})
    assert small.tiers[0].interval == pytest.approx(theory.young(2 * HOUR, 5.0))


def test_effects_that_stop_nothing_do_not_count_for_an_interval() -> None:
    failures = BASE["failures"] | {
        "flap": {"per": "node", "mtbf": "1 h", "effect": {"flap": {"stall": "40 s"}}},
        "outage": {"per": "cluster", "mtbf": "1 h", "effect": "storage", "repair": "5 min"},
    }
    checkpoint = {"interval": "young", "blocks": "5 s"}
    assert scenario(checkpoint, failures=failures).tiers == scenario(checkpoint).tiers


def test_the_stage_that_loads_knows_that_it_depends_on_the_copy() -> None:
    tiers = {"tiers": {"peer": PEER, "storage": STORAGE}}
    stages = scenario(tiers).recovery.stages
    assert [(stage.name, stage.of_copy) for stage in stages] == [
        ("detect", False),
        ("nodes", False),
        ("load", True),
    ]
    assert stages[-1].duration.mean == 60.0
    given = scenario(tiers, recovery={"stages": {"load": "9 s"}}).recovery.stages
    assert (given[-1].duration.mean, given[-1].of_copy) == (9.0, False)


@pytest.mark.parametrize(
    ("change", "general"),
    [
        ({}, False),
        ({"checkpoint.keep": "2"}, False),
        ({"checkpoint.survives": "all"}, False),
        ({"checkpoint.unusable": "1 %"}, True),
        ({"checkpoint": "{tiers: {storage: {interval: 1 h, blocks: 5 s}}}"}, False),
        ({"recovery.replicas": "2"}, True),
        ({"recovery.overhead": "1 %"}, True),
        ({"recovery.misdiagnosis": "1 %"}, False),
        ({"failures.gpu.effect": "hang", "failures.gpu.detect": "1 min"}, False),
        ({"failures.gpu.effect": "{slow: {factor: 0.5}}", "failures.gpu.detect": "1 min"}, True),
        ({"failures.gpu.effect": "{corrupt: {noticed_after: 1 h}}"}, True),
        ({"failures.software.effect": "{flap: {stall: 1 min}}"}, True),
        ({"failures.gpu.takes_down": "rack"}, False),
        ({"maintenance": "{every: 1 d, takes: 1 h}"}, False),
        ({"maintenance": "{every: 1 d, takes: 1 h, merge_within: 1 h}"}, True),
    ],
)
def test_what_the_plain_job_cannot_do_is_general(change: dict[str, str], general: bool) -> None:
    plain = scenario({"interval": "1 h", "blocks": "5 s"}, recovery={"stages": {"load": "checkpoint"}})
    assert loads(dump(plain), overrides=change).needs_work_history is general


def test_layers_replace_tiers_as_a_whole_and_the_short_form_with_them() -> None:
    plain = dump(scenario({"interval": "1 h", "blocks": "5 s", "load": "1 min"}))
    tiers = "{peer: {interval: 1 min, blocks: 1 s, survives: [job]}, storage: {interval: 1 h, blocks: 5 s}}"
    small = loads(plain, overrides={"checkpoint.tiers": tiers})
    assert [tier.name for tier in small.tiers] == ["peer", "storage"]
    assert set(small.document["checkpoint"]) == {"tiers"}
    other = loads(dump(small), overrides={"checkpoint.tiers.peer.interval": "2 min"})
    assert [tier.interval for tier in other.tiers] == [120.0, HOUR]


def test_tiers_pickle_with_their_scenario() -> None:
    import pickle

    small = scenario({"tiers": {"peer": PEER, "storage": STORAGE}})
    assert pickle.loads(pickle.dumps(small)).tiers == small.tiers
    assert not any(math.isnan(tier.interval) for tier in small.tiers)
