"""What a scenario becomes: YAML that reads back, a JSON Schema, a list of values, a description."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clustersim import library, theory
from clustersim.scenario import dump, load, loads, schema
from clustersim.scenario.describe import describe
from clustersim.scenario.first_order import chain_s
from clustersim.scenario.keys.logs import Recorded, Rows
from clustersim.scenario.keys.quantities import Threshold
from clustersim.scenario.text.reader import read_file, read_text
from clustersim.scenario.text.starter import starter
from clustersim.scenario.values import values
from clustersim.scenario.writing import flow, yaml
from tests.unit.scenario.everything import EVERYTHING

DAY = 86_400.0
SCENARIOS = [name for name in library.names() if "base" not in name and "/" not in name]
LETTERS = st.characters(max_codepoint=0xD7FF, exclude_categories=["Cc"], include_characters="\t\n\r\x85")
TEXTS = st.text(LETTERS, max_size=30)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXTS
PLAIN = st.dictionaries(
    TEXTS | st.integers(),
    st.recursive(
        SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4)
    ),
    min_size=1,
    max_size=5,
)

MANY = """\
name: many
cluster:
  {gpus: 98_304, nodes_per_rack: 2, racks_per_pod: 64, spares: 2 %, spare_kind: cold, provision: 15 min}
workload: {tokens_per_gpu_second: 160, scaling_efficiency: {10_000: 1.0, 100_000: 0.85}, target: 10 T tokens}
failures:
  gpu:
    per: gpu
    rate: 0.167 / 1000 gpu-days
    lifetime: {weibull: {shape: 0.78}}
    ages: new
    renews: false
    over_time: {0 d: 3, 14 d: 1}
    transient: 40 %
    detect: 30 s
    repair: {lognormal: {median: 20 h, sigma: 2.5, at_most: 130 d}, crews: 12}
  power: {per: pod, mtbf: 30 y, repair: 4 h}
  software: {per: job, mtbf: 21 h, clock: training, effect: hang, lifetime: {empirical: [3 h, 8 h]}}
checkpoint: {interval: 50 steps, blocks: 5 s, durable_after: 4 min, load: 3 min}
recovery:
  stages:
    detect: 1 min
    diagnose: {lognormal: {median: 2 min, sigma: 1}}
    nodes: wait
    start: {over_gpus: {16_384: 200 s, 98_304: 600 s}, fails: 3 %}
    load: checkpoint
  during_recovery: absorb
  at_start: true
maintenance: {every: 1 d, takes: 20 min, abrupt: true}
costs: {card: 65_000 CNY, life: 4 y, idle_spares: 50 %}
simulation: {horizon: 90 d, precision: 0.5 pp, seed: 7}
expect: {ettr: ">= 90 %", cost.total: "<= 1e9", waste_by_cause.gpu: "< 0.5"}
sources: {failures.gpu: "a log", recovery.stages.start: "a paper"}
"""
MANY_RIGHT = MANY.replace("software: {per: job, mtbf: 21 h,", "software: {per: job,").replace(
    "tokens_per_gpu_second", "step_time: 12 s, tokens_per_gpu_second"
)


@pytest.mark.parametrize("name", SCENARIOS)
def test_shipped_scenarios_are_written_and_read_back(name: str) -> None:
    scenario = load(name)
    again = loads(dump(scenario))
    assert again == scenario
    assert again.hash == scenario.hash


def test_everything_is_written_and_read_back() -> None:
    scenario = loads(MANY_RIGHT)
    assert loads(dump(scenario)).hash == scenario.hash
    assert yaml(scenario.document) == dump(scenario)


@settings(max_examples=150, deadline=None)
@given(PLAIN)
def test_any_data_is_written_and_read_back(data: dict[Any, Any]) -> None:
    assert read_text(yaml(data), "f").data == data


def test_written_yaml_is_for_people() -> None:
    written = dump(load("chen-100k"))
    assert "\n  any: {per: node, mtbf: 125_000 min}\n" in written
    assert "\n  gpus: 100_000\n" in written
    assert max(map(len, (line for line in written.splitlines() if '"' not in line))) <= 100


def test_a_block_is_on_one_line_of_a_hundred_characters_at_most() -> None:
    texts = [yaml({"a": {"b": {"c": length * "x"}}}) for length in (90, 91)]
    assert texts == [f"a:\n  b: {{c: {90 * 'x'}}}\n", f"a:\n  b:\n    c: {91 * 'x'}\n"]


def test_rows_of_a_log_are_lines_of_their_own_below_their_key() -> None:
    rows = Rows([Recorded(1.0, 2, None)])
    assert yaml({"failures": {"log": {"replay": rows}}}).splitlines()[-3:] == [
        "    replay: |",
        "      time_s,node",
        "      1,2",
    ]


def test_texts_of_any_script_are_written_as_they_are() -> None:
    assert flow(["显卡: x", "a b"]) == '["显卡: x", a b]'


@pytest.fixture(scope="module")
def validator() -> Any:
    from jsonschema import Draft202012Validator

    made = schema()
    Draft202012Validator.check_schema(made)
    return Draft202012Validator(made)


def problems(validator: Any, data: object) -> list[str]:
    return [error.message for error in validator.iter_errors(json.loads(json.dumps(data)))]


@pytest.mark.parametrize("name", SCENARIOS)
def test_shipped_scenarios_fit_the_schema(validator: Any, name: str) -> None:
    path = library.path(name)
    assert path is not None
    assert problems(validator, read_file(path, name).data) == []
    assert problems(validator, load(name).document) == []


def test_everything_fits_the_schema(validator: Any) -> None:
    assert problems(validator, loads(MANY_RIGHT).document) == []
    assert problems(validator, loads(EVERYTHING).document) == []
    assert problems(validator, loads(starter()).document) == []


def test_everything_is_written_and_read_back_and_listed_with_its_units() -> None:
    everything = loads(EVERYTHING)
    assert loads(dump(everything)).hash == everything.hash
    found = {value.path: value.text for value in values(everything)}
    assert found["checkpoint.tiers.storage.write"] == "1 TB/s = 5.3 s until durable"
    assert found["checkpoint.tiers.storage.read"] == "2 GB/s per node = 216 ms to load"
    assert found["checkpoint.tiers.peer.interval"].startswith("daly = ")
    assert found["recovery.stages.load"] == "checkpoint = 10 s from peer, 216 ms from storage"
    assert found["recovery.stages.start"].endswith("= 10 min, fails 3 %")
    assert found["failures.gpu.lemons.share"] == "5 %"
    assert found["failures.slow.effect"] == "slow (factor 0.7)"
    assert found["recovery.retire.after"] == "3 failures"
    assert found["recovery.replicas"] == "12 replicas"


def test_sources_of_what_is_inside_a_value_are_the_sources_of_the_value() -> None:
    said = {
        "sources": "{failures.gpu.repair.automatic: a log, failures.gpu.repair.manual: a paper, recovery: us,"
        " failures.slow.effect.slow.factor: a paper, recovery.retire.after: rules}"
    }
    found = {value.path: value.source for value in values(loads(EVERYTHING, overrides=said))}
    assert found["failures.gpu.repair"] == "a log; a paper"
    assert found["failures.slow.effect"] == "a paper"
    assert found["recovery.retire.after"] == "rules"
    assert found["recovery.retire.within"] == found["recovery.stall"] == "us"


def test_what_is_not_used_is_not_listed() -> None:
    found = {value.path for value in values(loads(MANY_RIGHT))}
    assert not found & {"recovery.replicas", "recovery.misdiagnosis", "cluster.preempt", "checkpoint.keep"}


@pytest.mark.parametrize(
    "text",
    [
        "name: x",
        MANY_RIGHT.replace("gpus: 98_304, ", ""),
        MANY_RIGHT.replace("blocks: 5 s", "blocks: 5"),
        MANY_RIGHT.replace("blocks", "bloks"),
        MANY_RIGHT.replace("per: pod", "per: hall"),
        MANY_RIGHT.replace("name: many", "name: <b>"),
        MANY_RIGHT.replace("power:", "'<b>':"),
        MANY_RIGHT.replace("fails: 3 %", "fails: 0.03"),
        MANY_RIGHT.replace("0.167 / 1000 gpu-days", "0.167 / 1000 card-days"),
        MANY_RIGHT.replace("98_304, nodes", "98304.5, nodes"),
        MANY_RIGHT.replace("{10_000: 1.0, 100_000: 0.85}", "none"),
    ],
)
def test_the_schema_refuses_what_the_loader_refuses(validator: Any, text: str) -> None:
    assert problems(validator, read_text(text, "f").data)


def test_the_schema_asks_less_of_a_scenario_with_a_base(validator: Any) -> None:
    assert problems(validator, {"name": "x", "base": "chen-base", "cluster": {"spares": 2}}) == []
    assert problems(validator, {"name": "x", "base": "chen-base", "costs": None}) == []


def test_every_key_of_the_schema_has_its_description() -> None:
    made = schema()
    blocks = [made, *(block for block in made["$defs"].values() if "properties" in block)]
    assert len(blocks) > 15
    for block in blocks:
        for name, value in block["properties"].items():
            assert value.get("description"), name


def test_the_starter_is_a_scenario() -> None:
    first = loads(starter())
    assert first.name == "first"
    assert loads(starter("other")).name == "other"
    lines = starter("other").splitlines()
    assert lines[0].endswith("$schema=./clustersim.schema.json")
    assert "clustersim run other.yaml " in starter("other")
    assert set(first.expect) == {"ettr"}


def test_values_have_units_and_sources_and_say_what_they_come_to() -> None:
    scenario = loads(MANY_RIGHT)
    found = {value.path: value for value in values(scenario)}
    assert found["cluster.gpus"].text == "98,304 cards"
    assert found["cluster.spares"].text == "2 % = 246 nodes"
    assert found["checkpoint.interval"].text == "50 steps = 10 min"
    assert found["recovery.stages.start"].text.endswith("= 10 min")
    assert found["recovery.stages.load"].text == "checkpoint = 3 min"
    repair = found["failures.gpu.repair"]
    assert repair.text == "lognormal (median 20 h, sigma 2.5, at most 130 d), crews 12"
    assert repair.source == "a log"
    assert found["recovery.stages.start"].source == "a paper"
    assert found["failures.power.mtbf"].source is None
    assert found["cluster.gpus_per_node"][1:] == ("8 cards", None, True, 8, "cards")
    assert found["failures.power.lifetime"][1:] == ("exponential", None, True, "exponential", "")
    assert not any(path.startswith(("name", "expect", "sources")) for path in found)


@pytest.mark.parametrize("name", SCENARIOS)
def test_every_value_of_the_document_is_listed(name: str) -> None:
    scenario = load(name)
    stated = {value.path for value in values(scenario) if not value.default}
    for block in ("cluster", "workload", "checkpoint", "maintenance", "costs", "simulation"):
        given = scenario.document.get(block)
        for key in given if isinstance(given, dict) else ():
            assert any(path == f"{block}.{key}" or path.startswith(f"{block}.{key}.") for path in stated)
    for mode, keys in scenario.document["failures"].items():
        for path in (f"failures.{mode}.{key}" for key in keys):
            assert any(one == path or one.startswith(f"{path}.") for one in stated)


def described(**changes: str) -> Any:
    text = """
        name: small
        cluster: {gpus: 64, nodes_per_rack: 4}
        failures:
          node: {per: node, mtbf: 40 d, repair: 1 d}
          rack: {per: rack, mtbf: 100 d, transient: 50 %, repair: {exponential: {mean: 2 d}}}
          job: {per: job, mtbf: 10 d, clock: calendar, detect: 10 min}
        checkpoint: {interval: 10 min, blocks: 5 s}
        recovery: {stages: {detect: 30 s, restart: 4 min}}
        simulation: {horizon: 30 d}
    """
    return describe(
        loads(text, overrides={path.replace("__", "."): value for path, value in changes.items()})
    )


def test_a_description_counts_failures_and_nodes_in_repair() -> None:
    small = described()
    assert (small.nodes, small.racks, small.pods, small.spare_nodes) == (8, 2, None, 0)
    modes = {mode.name: mode for mode in small.modes}
    assert [modes[name].units for name in ("node", "rack", "job")] == [8, 2, 1]
    assert modes["node"].mtbf_s == 5 * DAY
    assert modes["node"].events == pytest.approx(6)
    assert modes["node"].nodes_in_repair == pytest.approx(1 / 5)
    assert modes["rack"].nodes_in_repair == pytest.approx(0.5 * 4 * 2 / 50)
    assert small.events == pytest.approx(6 + 0.6 + 3)
    assert modes["job"].restart_s == 600 + 240
    assert small.restart_s == pytest.approx((6.6 * 270 + 3 * 840) / 9.6)


def test_a_description_estimates_ettr_to_first_order() -> None:
    small = described(cluster__spares="20")
    assert small.mtbf_s is not None
    assert small.ettr == pytest.approx(theory.efficiency(600, small.mtbf_s, 5, small.restart_s))
    assert described(failures="none").ettr == pytest.approx(600 / 605)
    stops = described(failures="none", maintenance="{every: 1 d, takes: 6 h}")
    assert stops.ettr == pytest.approx(0.75 * 600 / 605)
    assert described(checkpoint="none").ettr is None


def test_a_rate_that_changes_is_counted_over_the_run() -> None:
    changed = described(failures="{node: null, rack: null, job: {mtbf: 1 d, over_time: {0 d: 3, 10 d: 1}}}")
    assert changed.events == pytest.approx(3 * 10 + 20)


def test_stages_that_fail_begin_again_after_detection() -> None:
    scenario = loads(
        MANY_RIGHT,
        overrides={
            "recovery.stages": "{detect: 10 s, a: {constant: 20 s, fails: 50 %}, b: 5 s}",
            "checkpoint.load": "null",
        },
    )
    assert chain_s(scenario.recovery.stages) == pytest.approx(10 + 2 * 20 + 5)


def test_a_description_warns_of_what_is_beyond_the_tables() -> None:
    notes = describe(loads(MANY_RIGHT, overrides={"cluster.gpus": 1024})).notes
    assert any(note.startswith("recovery.stages.start: 1,024 cards are outside the table") for note in notes)
    assert any(note.startswith("workload.scaling_efficiency: 1,024 cards are outside") for note in notes)


def test_the_run_time_grows_with_events_and_shrinks_with_cores() -> None:
    scenario = load("chen-1m")
    one, two = describe(scenario, cores=1), describe(scenario, cores=2)
    assert two.run_s < one.run_s
    assert describe(load("chen-10k")).run_s < one.run_s


@pytest.mark.parametrize(
    ("text", "metric", "holds"),
    [
        (">= 0.90", 0.9, True),
        (">= 90 %", 0.9, True),
        ("> 0.9", 0.9, False),
        ("<= 3", 3.5, False),
        ("<1e6", 5.0, True),
        (">= -1", -0.5, True),
        (">= 0", None, False),
    ],
)
def test_thresholds(text: str, metric: float | None, holds: bool) -> None:
    assert Threshold.parse(text).holds(metric) is holds


@pytest.mark.parametrize(
    "text", ["0.9", "= 0.9", "== 0.9", ">= x", ">= 0.9 or so", ">= 5 s", "", ">= " + "9" * 99]
)
def test_what_is_no_threshold(text: str) -> None:
    with pytest.raises(ValueError, match="is not a threshold; write a sign and a number"):
        Threshold.parse(text)


def test_package_data_is_where_the_package_is() -> None:
    assert (library.folder() / "chen-base.yaml").is_file()
    assert isinstance(library.folder(), Path)
    assert "chen-base" in library.names()
