"""Values of a scenario as they are listed: how each reads, its number with a unit, its doubts, its source."""

from __future__ import annotations

from typing import Any

import pytest

from clustersim.scenario import loads
from clustersim.scenario.values import ScenarioValue, printed, values

SMALL = """
name: small
cluster: {gpus: 8_000}
failures: {node: {per: node, mtbf: 500 d, repair: {automatic: 2 h, escalates: 80 %, manual: 2 d}}}
checkpoint: {interval: 10 min, blocks: 5 s}
simulation: {horizon: 10 d}
"""


def listed(**changes: Any) -> dict[str, ScenarioValue]:
    scenario = loads(SMALL, overrides={path.replace("__", "."): given for path, given in changes.items()})
    return {value.path: value for value in values(scenario)}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "yes"),
        (False, "no"),
        (1_234_567_890_123, "1,234,567,890,123"),
        (0.1 + 0.2, "0.3"),
        ([1, 2, 3, 4, 5], "1, 2, 3, 4, 5"),
        ([1, 2, 3, 4, 5, 6], "1, 2, 3, 4, 5, ... (6 values)"),
        ([{"at": "1 h", "lasts": "2 h"}, {"at": "9 h"}], "at 1 h, lasts 2 h; at 9 h"),
    ],
)
def test_plain_data_read_as_people_write_them(value: Any, text: str) -> None:
    assert printed(value) == text


def test_numbers_that_count_nothing_have_no_unit() -> None:
    found = listed(failures__node__lemons={"share": "5 %", "factor": 8})
    assert found["failures.node.lemons.factor"][4:] == (8, "")
    assert found["simulation.seed"][4:] == (1, "")


def test_a_default_has_no_source_although_its_block_has_one() -> None:
    found = listed(sources={"failures.node": "a log"})
    assert found["failures.node.mtbf"].source == "a log"
    assert (found["failures.node.renews"].default, found["failures.node.renews"].source) == (True, None)


@pytest.mark.parametrize(
    ("uncertain", "path", "doubt"),
    [
        ({"checkpoint.blocks": "2 s to 9 s"}, "checkpoint.blocks", "2 s to 9 s"),
        # A rate stands for the mtbf that is stated.
        ({"failures.node.rate": "1 to 3 / 1000 node-days"}, "failures.node.mtbf", "1 to 3 / 1000 node-days"),
        (
            {"failures.node.repair.automatic": "1 h to 4 h", "failures.node.repair.manual": "1 d to 4 d"},
            "failures.node.repair",
            "automatic 1 h to 4 h, manual 1 d to 4 d",
        ),
    ],
)
def test_a_value_that_is_uncertain_says_so_and_no_other_does(
    uncertain: dict[str, str], path: str, doubt: str
) -> None:
    plain, found = listed(), listed(uncertain=uncertain)
    assert found.pop(path).text == f"{plain.pop(path).text}; uncertain: {doubt}"
    assert found == plain


def test_of_a_replay_the_failures_are_counted_and_nothing_else_is_listed() -> None:
    struck = [{"time": "3 h", "node": 2, "repair": "1 h"}, {"time": "5 h"}]
    stop = {"time": "9 h", "repair": "2 h", "kind": "planned"}
    found = listed(failures={"node": None, "log": {"replay": [*struck, stop]}})
    (replay,) = (value for path, value in found.items() if path.startswith("failures."))
    assert replay.text == "2 recorded failures on 1 node, 3 h to 5 h and 1 planned stop"
    assert (replay.path, replay.value, replay.unit) == ("failures.log.replay", 2, "failures")


def test_a_tier_says_what_its_bandwidths_and_its_interval_come_to() -> None:
    far = {"interval": {"adaptive": {"window": "1 d"}}, "blocks": "3 s", "write": "100 GB/s"}
    near = {"interval": "10 min", "write": "1 TB/s", "survives": ["job"], "durable_after": "9 s"}
    found = listed(checkpoint={"state": "5 TB", "tiers": {"near": near, "far": far}})
    texts = {path.removeprefix("checkpoint.tiers."): value.text for path, value in found.items()}
    assert texts["near.write"] == "1 TB/s = 5 s to save"
    assert texts["far.write"] == "100 GB/s = 50 s until durable"
    assert (texts["near.interval"], texts["near.durable_after"]) == ("10 min", "9 s")
    assert texts["far.interval"].startswith("adaptive (window 1 d) = ")
    assert texts["far.interval"].endswith(" at the start")


def test_a_value_says_what_it_comes_to_where_that_is_not_plain_from_its_text() -> None:
    found = listed(
        workload={"scaling_efficiency": {1: 1.0, 8000: 0.5, 80_000: 0.25}},
        recovery={"stages": {"start": "2 min", "load": "checkpoint"}},
        checkpoint={"interval": "10 min", "blocks": "5 s", "load": "3 min"},
    )
    assert found["recovery.stages.start"].text == "2 min"
    assert found["recovery.stages.load"].text == "checkpoint = 3 min"
    assert found["workload.scaling_efficiency"].text.endswith("; 0.5 at 8,000")


@pytest.mark.parametrize(
    ("racks", "spares"),
    [
        ({}, "250 nodes, what is left of the racks"),
        ({"spare_racks": 2}, "258 nodes, what is left of the racks and the spare racks"),
    ],
)
def test_the_spares_of_racks_that_are_used_in_part_say_where_they_are(
    racks: dict[str, int], spares: str
) -> None:
    cluster = {"gpus": 6_000, "nodes_per_rack": 4, "used_per_rack": 3} | racks
    assert listed(cluster=cluster)["cluster.spares"].text == spares
