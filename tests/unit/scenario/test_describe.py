"""What `check` says of a scenario as plain data, and its rates beside published ones."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from clustersim.scenario import load, loads
from clustersim.scenario.describe import describe, replication_s
from clustersim.scenario.published_rates import OF_NODES, STOPS
from clustersim.scenario.values import values

PAGE = Path(__file__).resolve().parents[3] / "docs" / "reference" / "check.md"
SCENARIO = """
    name: typed
    cluster: {gpus: 800, nodes_per_rack: 10, spares: 5 %}
    workload: {step_time: 6 s, target: 1 G tokens, tokens_per_gpu_second: 400}
    failures:
      node: {per: node, rate: 3.8 / 1000 node-days, transient: 40 %, repair: {exponential: {mean: 1 d}}}
      link: {per: node, mtbf: 100 d, effect: {flap: {stall: 10 s}}}
    checkpoint: {interval: daly, blocks: 5 s}
    recovery: {stages: {detect: 30 s, nodes: wait, restart: {over_gpus: {100: 1 min, 1000: 2 min}}}}
    costs: {gpu_hour: 2.20 USD}
    simulation: {seed: 3}
    sources: {checkpoint.blocks: "assumption: nobody has measured it", failures.node.rate: a log}
"""


def data() -> dict[str, Any]:
    return json.loads(json.dumps(describe(loads(SCENARIO)).to_dict(), allow_nan=False))


def keys_of(value: Any) -> set[str]:
    if isinstance(value, dict):
        return set(value) | {key for inner in value.values() for key in keys_of(inner)}
    return {key for inner in value for key in keys_of(inner)} if isinstance(value, list) else set()


def test_every_key_is_explained() -> None:
    found, page = data(), PAGE.read_text()
    found["intervals_s"] = {}
    for value in found["values"]:
        value["value"] = None
    assert [key for key in keys_of(found) if f"`{key}`" not in page] == []


def test_values_are_numbers_in_units_of_the_si() -> None:
    found = {value["path"]: (value["value"], value["unit"]) for value in data()["values"]}
    interval, unit = found["checkpoint.interval"]
    assert interval == pytest.approx(loads(SCENARIO).tiers[0].interval)
    assert unit == "s"
    assert found["cluster.gpus"] == (800, "cards")
    assert found["cluster.spares"] == (5, "nodes")
    assert found["failures.node.rate"] == (pytest.approx(3.8 / 1000 / 86_400), "1/s")
    assert found["failures.node.transient"] == (0.4, "share")
    assert found["failures.node.repair"] == (86_400, "s")
    assert found["recovery.stages.nodes"] == ("wait", "")
    assert found["recovery.stages.restart"] == (pytest.approx(112.5, abs=1), "s")
    assert found["workload.target"] == (1e9, "tokens")
    assert found["costs.gpu_hour"] == (2.2, "USD")
    assert found["failures.node.renews"] == (True, "")


def test_a_value_has_what_is_given_its_kind_and_its_source() -> None:
    found = {value["path"]: (value["given"], value["kind"], value["source"]) for value in data()["values"]}
    assert found["failures.node.rate"] == ("3.8 / 1000 node-days", "sourced", "a log")
    assert found["checkpoint.blocks"] == ("5 s", "assumption", "nobody has measured it")
    assert found["cluster.gpus"] == ("800 cards", "setting", None)


def test_tables_and_what_they_come_to_are_told_in_few_digits() -> None:
    rows = {100: "1 min", 6400: "2 min"}
    start = {"over_gpus": rows, "fails": {"over_gpus": {100: "1 %", 6400: "1.01 %"}}}
    changes = {"recovery.stages": {"start": start, "load": "checkpoint"}, "checkpoint.read": "1 GB/s"}
    for state, time in (("123.456789 GB", "123.456789 s"), ("123.4567891 GB", "2.06 min")):
        scenario = loads(SCENARIO, overrides=changes | {"checkpoint.state": state})
        told = {value.path: value.text for value in values(scenario)}
        assert told["checkpoint.read"] == f"1 GB/s = {time} to load"
    table = "over gpus (100: 1 min, 6,400: 2 min), fails (over gpus (100: 1 %, 6,400: 1.01 %))"
    # 800 cards lie half-way between the rows: at the root of two minutes, and at 1.005 %.
    assert told["recovery.stages.start"] == f"{table} = 84.9 s, fails 1 %"


def test_what_one_decides_is_no_assumption() -> None:
    kinds = {value.path: value.origin[0] for value in values(loads(SCENARIO))}
    assert {path for path, kind in kinds.items() if kind == "setting"} == {
        "cluster.gpus",
        "cluster.nodes_per_rack",
        "cluster.spares",
        "workload.target",
        "failures.node.per",
        "failures.link.per",
        "checkpoint.interval",
        "recovery.stages.nodes",
        "simulation.seed",
    }
    assert kinds["checkpoint.blocks"] == "assumption"
    assert kinds["failures.node.transient"] == "assumption"
    assert kinds["failures.node.rate"] == ""


def test_rates_stand_beside_those_that_count_the_same() -> None:
    stops, of_nodes = describe(loads(SCENARIO)).rates
    assert (stops.counts, of_nodes.counts) == (STOPS, OF_NODES)
    assert stops.per_1000_node_days == pytest.approx(3.8)
    assert of_nodes.per_1000_node_days == pytest.approx(3.8 + 10)
    assert {each.system: each.times for each in stops.published}["Llama 3"] == pytest.approx(1, abs=0.01)
    assert [each.system for each in of_nodes.published] == ["RSC-1", "RSC-2"]
    changes = {"failures.node": None, "checkpoint.interval": "1 h", "sources": {}}
    assert [each.counts for each in describe(loads(SCENARIO, overrides=changes)).rates] == [OF_NODES]


def test_llama_3_has_the_rate_of_llama_3() -> None:
    stops = describe(load("llama3-16k")).rates[0]
    assert next(each.times for each in stops.published if each.system == "Llama 3") == pytest.approx(1.0)


def test_a_node_of_four_cards_is_half_a_node_of_eight() -> None:
    small = loads(SCENARIO, overrides={"cluster.gpus_per_node": 4})
    assert describe(small).rates[0].per_1000_node_days == pytest.approx(2 * 3.8)


def test_what_comes_only_after_the_end_of_the_run_is_told() -> None:
    def after_the_end(**changes: Any) -> list[str]:
        given = {"workload": None, "simulation.horizon": "30 d"} | changes
        found = describe(loads(SCENARIO, overrides=given)).notes
        return [note for note in found if "the run ends" in note]

    late = {"at": ["40 d", "50 d"], "takes": "1 h"}
    there_is_none = "the first stop is due at 40 d and the run ends at 30 d, so that there is none"
    assert after_the_end(maintenance=late) == [f"maintenance: {there_is_none}"]
    hours = {"simulation.horizon": "1000 h", "failures.node.notice": "1300 h"}
    stop, announced = after_the_end(maintenance=late | {"at": "1100 h"}, **hours)
    assert "due at 45.8 d and the run ends at 41.7 d," in stop
    assert "it is 54.2 d long, and the run ends after 41.7 d," in announced
    weekly = {"every": "7 d", "takes": "1 h"}
    assert after_the_end(maintenance=[weekly, late]) == [f"maintenance.1: {there_is_none}"]
    assert after_the_end(maintenance=late | {"at": ["29 d", "50 d"]}) == []
    assert after_the_end(maintenance=weekly | {"every": "30 d"}) != []
    why = "the run ends after 30 d, before any node that is announced leaves"
    long = [f"failures.node.notice: it is 31 d long, and {why}"]
    assert after_the_end(**{"failures.node.notice": "31 d"}) == long
    assert after_the_end(**{"failures.node.notice": "30 d"}) != []
    assert after_the_end(**{"failures.node.notice": "2 min"}) == []
    log = [{"time": "40 d", "kind": "planned", "repair": "1 h"}, {"time": "1 d"}]
    assert after_the_end(**ONLY, **{"failures.log.replay": log}) == [f"failures: {there_is_none}"]


ONLY = {"failures.node": None, "failures.link": None, "sources": None}
"""What leaves the scenario without its failures."""


def test_rates_of_a_log_are_those_of_the_run_and_not_of_the_horizon() -> None:
    rows = [{"time": "5 h"}, {"time": "6 h"}, {"time": "20 h"}, {"time": "99 d"}]
    target = {"workload": None, "workload.productive": "5 d", "simulation.horizon": "100 d"}
    found = describe(loads(SCENARIO, overrides=ONLY | {"failures.log.replay": rows} | target))
    assert found.events == 3
    assert found.rates[0].per_1000_node_days == pytest.approx(1000 * 3 / (found.lasts_s / 86_400 * 100))
    assert found.ettr_withheld is None
    changes = ONLY | {"failures.log.replay": rows, "workload": None, "simulation.horizon": "99 d"}
    assert describe(loads(SCENARIO, overrides=changes)).notes == (
        "failures: 1 of 4 recorded failures lie behind the horizon and never strike",
    )
    silent = "failures: nothing is recorded after {}; beyond it the log is silent"
    for last, told in (("1000 min", "16.7 h"), ("49 d", "49 d"), ("49.5 d", None)):
        few = changes | {"failures.log.replay": [{"time": "5 h"}, {"time": last}]}
        assert describe(loads(SCENARIO, overrides=few)).notes == ((silent.format(told),) if told else ())


def test_the_time_of_a_run_is_that_of_its_replications_on_the_cores_there_are() -> None:
    changes = {"workload": None, "simulation.horizon": "300 d", "simulation.replications": 10}
    scenario = loads(SCENARIO, overrides=changes)
    each = replication_s(scenario, describe(scenario).lasts_s)
    assert each > 0.01
    found = [describe(scenario, cores).run_s for cores in (1, 4, 10)]
    assert np.diff(found) == pytest.approx([-7 * each, -2 * each])
    assert describe(scenario).run_s == found[0] == pytest.approx(1 + 10 * each)
    stops = loads(SCENARIO, overrides=changes | {"maintenance": {"every": "1 h", "takes": "1 s"}})
    for days, lasts in ((300, None), (10, 864_000)):
        more = replication_s(stops, lasts) - replication_s(scenario, lasts)
        assert more == pytest.approx((days * 24 - 1) * 15e-6)
    target = describe(loads(SCENARIO, overrides=changes | {"workload.productive": "5 d"}))
    assert target.lasts_s < 6 * 86_400
    assert target.run_s == pytest.approx(1 + 10 * replication_s(scenario, target.lasts_s))


def test_a_replication_takes_its_time_for_each_failure_of_the_job_and_of_idle_spares() -> None:
    """Each of 100 nodes at work and two spares fails once; half of the restarts fail and begin again."""
    changes = {
        "cluster.spares": 2,
        "cluster.spare_failures": "100 %",
        "failures": {"node": {"per": "node", "mtbf": "100 d", "repair": "1 d"}, "link": None},
        "sources": None,
        "recovery.stages": {"detect": "30 s", "start": {"constant": "1 min", "fails": "50 %"}},
        "workload": None,
        "simulation.horizon": "100 d",
        "uncertain": {"failures.node.mtbf": "50 to 200 d"},
    }
    scenario = loads(SCENARIO, overrides=changes)
    each = 0.01 + 15e-6 * 102 * 2
    assert replication_s(scenario) == pytest.approx(each)
    assert describe(scenario).run_s == pytest.approx(1 + 200 * 0.005 + 400 * each)


def test_how_many_replications_are_the_first_is_told() -> None:
    precise = loads(SCENARIO, overrides={"simulation.precision": "0.5 pp"})
    said = "replications are added as needed; the run time is for the first 32"
    assert describe(precise).notes == (f"simulation.precision: {said}",)


def test_what_is_counted_is_what_the_scenario_says() -> None:
    found = describe(loads(SCENARIO, overrides={"cluster.racks_per_pod": 3}))
    assert (found.nodes, found.racks, found.pods, found.spare_nodes) == (100, 10, 4, 5)
    assert found.mtbf_s == pytest.approx(86_400 / (0.38 + 1))
    assert found.target_s == pytest.approx(1e9 / (800 * 400))
    assert [mode.nodes_in_repair for mode in found.modes] == pytest.approx([0.38 * 0.6, 0])


@pytest.mark.parametrize(
    ("inputs", "per_draw", "said"),
    [
        (1, 1, "1 input drawn, 200 draws, 1 replication with each of them, 200 in all"),
        (2, 2, "2 inputs drawn, 200 draws, 2 replications with each of them, 400 in all"),
        (3, 6, "3 inputs drawn, 200 draws, 6 replications with each of them, 1,200 in all"),
    ],
)
def test_how_much_is_drawn_is_told(inputs: int, per_draw: int, said: str) -> None:
    paths = ["failures.link.mtbf", "checkpoint.blocks", "costs.gpu_hour"]
    ranges = ["50 to 200 d", "2 to 9 s", "1 to 3 USD"]
    changes = {
        "uncertain": dict(zip(paths[:inputs], ranges, strict=False)),
        "uncertainty": {"per_draw": per_draw},
        "sources": None,
    }
    (note,) = describe(loads(SCENARIO, overrides=changes)).notes
    assert note == f"uncertain: {said}; formulas take the values as they are stated"


@pytest.mark.parametrize(("cards", "nearest"), [(96, "104"), (104, None), (1000, None), (1008, "1,000")])
def test_cards_outside_a_table_are_told(cards: int, nearest: str | None) -> None:
    table = {"104": "1 min", "1000": "2 min"}
    start = {"over_gpus": table, "fails": {"over_gpus": {"104": "1 %", "1000": "2 %"}}}
    changes = {
        "cluster.gpus": cards,
        "workload.scaling_efficiency": {"104": 1, "1000": 0.9},
        "recovery.stages": {"restart": start, "last": "1 min"},
    }
    found = describe(loads(SCENARIO, overrides=changes)).notes
    paths = ["workload.scaling_efficiency", "recovery.stages.restart", "recovery.stages.restart.fails"]
    said = f"{cards:,} cards are outside the table; the value at {nearest} is used"
    assert [note for note in found if "table" in note] == [f"{path}: {said}" for path in paths if nearest]


def test_copies_are_told_of_that_are_slow_seldom_used_or_moving() -> None:
    def notes(**changes: Any) -> list[str]:
        saves = {f"checkpoint.{key}": value for key, value in changes.items()}
        return list(describe(loads(SCENARIO, overrides=saves | {"workload.step_time": "1 s"})).notes)

    assert notes(interval="2 min", durable_after="2 min") == []
    slow = "a save starts only when the last one is durable, 2.02 min after its end"
    assert notes(interval="2 min", durable_after="121.25 s") == [f"checkpoint: {slow}"]
    (moving,) = notes(interval={"adaptive": {"window": "1 d"}})
    follows = "it follows the failures; formulas take 25.1 min, what it is at the start"
    assert moving == f"checkpoint.interval: {follows}"
