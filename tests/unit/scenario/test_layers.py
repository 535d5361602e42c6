"""Inheritance and --set: what a later layer changes, deletes, displaces, and what it must not read."""

from __future__ import annotations

import io
import pickle
from pathlib import Path
from typing import Any

import pytest

from clustersim import library
from clustersim.scenario import Scenario, ScenarioError, load, loads
from clustersim.scenario.loading import load_stream, overridden
from clustersim.scenario.text.document import Document, find
from clustersim.scenario.text.layers import alternatives, merge, put
from clustersim.scenario.text.reader import read_text

BASE = """\
cluster: {gpus: 64, spares: 2}
workload: {scaling_efficiency: {64: 1.0, 128: 0.9}}
failures:
  node: {per: node, mtbf: 50 d, repair: {lognormal: {median: 20 h, sigma: 1}}}
  job: {per: job, mtbf: 3 d}
checkpoint: {interval: 10 min, blocks: 5 s, load: 1 min}
recovery:
  stages: {detect: 30 s, restart: 4 min, load: checkpoint}
simulation: {horizon: 3 d, replications: 8}
sources:
  cluster: "the plan"
  failures.node: "a log"
  recovery.stages: "a table"
  checkpoint.blocks: "measured"
"""


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working tree with a base in it, as the current directory."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "base.yaml").write_text(BASE)
    return tmp_path


def child(tree: Path, text: str, **overrides: Any) -> Scenario:
    """Return the scenario that *text* makes of the base."""
    (tree / "child.yaml").write_text(f"name: child\nbase: base.yaml\n{text}")
    return load("child.yaml", {path.replace("__", "."): value for path, value in overrides.items()})


def refused(tree: Path, text: str, **overrides: Any) -> str:
    with pytest.raises(ScenarioError) as caught:
        child(tree, text, **overrides)
    return str(caught.value)


def test_a_base_is_inherited_key_by_key(tree: Path) -> None:
    made = child(tree, "cluster: {gpus: 128}\nfailures:\n  node: {mtbf: 20 d}\n")
    assert (made.cluster.gpus, made.cluster.spare_nodes) == (128, 2)
    assert list(made.failures) == ["node", "job"]
    assert made.failures["node"].mtbf == 20 * 86_400
    assert made.failures["node"].repair is not None
    assert "base" not in made.document


def test_stages_tables_and_laws_are_replaced_whole(tree: Path) -> None:
    text = """
recovery: {stages: {load: checkpoint}, at_start: true}
workload: {scaling_efficiency: {64: 0.5}}
failures: {node: {repair: {exponential: {mean: 2 d}}}}
"""
    made = child(tree, text)
    assert [stage.name for stage in made.recovery.stages] == ["detect", "nodes", "load"]
    assert made.workload.scaling_efficiency == {64: 0.5}
    assert made.document["failures"]["node"]["repair"] == {"exponential": {"mean": "2 d"}}


def test_null_deletes(tree: Path) -> None:
    made = child(tree, "failures: {job: null}\ncluster: {spares: null}\nsources: {cluster: null}\n")
    assert list(made.failures) == ["node"]
    assert made.cluster.spare_nodes == 0
    assert "cluster" not in made.sources


def test_none_takes_the_place_of_a_block_and_a_block_that_of_none(tree: Path) -> None:
    text = "checkpoint: none\nrecovery: {stages: {restart: 4 min}}\nfailures: none\n"
    assert child(tree, text).failures == {}
    (tree / "none.yaml").write_text("base: base.yaml\nfailures: none\n")
    (tree / "back.yaml").write_text("name: back\nbase: none.yaml\nfailures: {new: {per: job, mtbf: 1 d}}\n")
    assert list(load("back.yaml").failures) == ["new"]


def test_bases_are_merged_in_order(tree: Path) -> None:
    (tree / "faster.yaml").write_text("checkpoint: {blocks: 1 s, load: 10 s}\n")
    (tree / "child.yaml").write_text(
        "name: child\nbase: [base.yaml, faster.yaml]\ncheckpoint: {load: 20 s}\n"
    )
    made = load("child.yaml")
    assert made.checkpoint is not None
    assert (made.tiers[-1].interval, made.tiers[-1].blocks, made.tiers[-1].load) == (600, 1, 20)


def test_a_base_may_have_a_base_in_another_folder(tree: Path) -> None:
    (tree / "deep").mkdir()
    (tree / "deep" / "middle.yaml").write_text("base: ../base.yaml\ncluster: {gpus: 8}\n")
    (tree / "child.yaml").write_text("name: child\nbase: deep/middle.yaml\n")
    assert load("child.yaml").cluster.gpus == 8


def test_a_choice_displaces_its_alternative(tree: Path) -> None:
    made = child(tree, "failures: {node: {rate: 3 / y}}\nsimulation: {precision: 0.5 pp}\n")
    assert "mtbf" not in made.document["failures"]["node"]
    assert "replications" not in made.document["simulation"]
    both = refused(tree, "simulation: {precision: 0.5 pp, replications: 4}\n")
    assert "replications and precision both say when to stop" in both


@pytest.mark.parametrize(
    ("name", "others"),
    [
        ("failures.gpu.rate", ["failures.gpu.mtbf", "failures.gpu.replay"]),
        ("failures.gpu.mtbf", ["failures.gpu.rate", "failures.gpu.replay"]),
        ("failures.gpu.replay", ["failures.gpu.mtbf", "failures.gpu.rate"]),
        ("costs.gpu_hour", ["costs.card", "costs.life"]),
        ("checkpoint.interval", []),
    ],
)
def test_what_cannot_stand_beside_a_value_is_known_from_either_side(name: str, others: list[str]) -> None:
    assert sorted(alternatives(name)) == others


def test_a_source_stands_as_long_as_its_value(tree: Path) -> None:
    assert child(tree, "").sources == {
        "cluster": "the plan",
        "failures.node": "a log",
        "recovery.stages": "a table",
        "checkpoint.blocks": "measured",
    }
    changed = child(tree, "cluster: {gpus: 128}\ncheckpoint: {blocks: 1 s}\nfailures: {job: null}\n")
    assert changed.sources == {
        "cluster.spares": "the plan",
        "failures.node": "a log",
        "recovery.stages": "a table",
    }


def test_the_source_of_a_plain_value_goes_with_it_where_a_block_takes_its_place(tree: Path) -> None:
    text = "sources: {simulation.horizon: us, checkpoint.interval: us}\n"
    made = child(tree, text, checkpoint__interval="{adaptive: {window: 1 d}}", simulation__seed="2")
    assert [path for path, said in made.sources.items() if said == "us"] == ["simulation.horizon"]


def test_a_source_keeps_its_place_where_it_is_still_true(tree: Path) -> None:
    """A base says where its cluster is from; the cards are changed by a child, and the source is no text."""
    (tree / "base.yaml").write_text(BASE.replace('"the plan"', "[a, plan]"))
    found = refused(tree, "cluster: {gpus: 128}\n")
    assert found.startswith("base.yaml:11:12: sources.cluster.spares: ")


def test_a_layer_may_bring_the_source_of_its_value(tree: Path) -> None:
    made = child(tree, "checkpoint: {blocks: 1 s}\nsources: {checkpoint.blocks: a better log}\n")
    assert made.sources["checkpoint.blocks"] == "a better log"


def test_overrides_change_one_value(tree: Path) -> None:
    made = child(tree, "", checkpoint__interval="5 min", failures__node__repair__lognormal__sigma="2")
    assert made.checkpoint is not None
    assert made.checkpoint.interval == 300
    assert made.document["failures"]["node"]["repair"] == {"lognormal": {"median": "20 h", "sigma": 2}}


def test_what_is_loaded_already_and_a_stream_take_overrides_as_a_file_does(tree: Path) -> None:
    changes = {"cluster.gpus": "128", "failures.job": None}
    made = load("base.yaml", {"name": "x", **changes})
    assert overridden(load("base.yaml", {"name": "x"}), changes).document == made.document
    stream = io.BytesIO(f"name: x\n{BASE}".encode())
    assert load_stream(stream, "-", changes).document == made.document


def test_a_fault_that_an_override_of_what_is_loaded_brings_about_says_so(tree: Path) -> None:
    made = child(tree, "recovery: {replicas: 4}\n")
    with pytest.raises(ScenarioError) as caught:
        overridden(made, {"cluster.gpus": 72, "cluster.spares": 0})
    place = "<child with cluster.gpus=72, cluster.spares=0>"
    assert str(caught.value).startswith(f"{place}: recovery.replicas: 4 replicas do not divide 9 nodes")
    assert pickle.loads(pickle.dumps(caught.value)).problems == caught.value.problems


def test_an_entry_of_a_list_goes_by_its_name_or_its_number() -> None:
    data = {"a": ["x", {"name": "y", "z": 1}]}
    found = [find(data, path) for path in ("a.0", "a.1.z", "a.y.z", "a.x")]
    assert found == [("a", 0), ("a", 1, "z"), ("a", 1, "z"), None]
    assert put(Document(data), "a.1.z", 2, "here").data == {"a": ["x", {"name": "y", "z": 2}]}
    assert put(Document(data), "b.c.d", 2, "here").data == {**data, "b": {"c": {"d": 2}}}


@pytest.mark.parametrize(
    ("data", "path", "found"),
    [
        ({"a.b": {"c": 1}}, "a.b.c", ("a.b", "c")),
        ({64: 1.0}, "64", (64,)),
        ({64: 1.0}, "064", None),
        ({64: 1.0}, "65", None),
    ],
)
def test_a_key_may_hold_dots_or_be_a_number(data: Any, path: str, found: object) -> None:
    assert find(data, path) == found


def test_an_override_of_one_stage_keeps_the_others_and_their_source(tree: Path) -> None:
    made = child(tree, "", recovery__stages__restart="1 min")
    assert made.document["recovery"]["stages"] == {"detect": "30 s", "restart": "1 min", "load": "checkpoint"}
    assert made.sources["recovery.stages.detect"] == "a table"
    assert "recovery.stages.restart" not in made.sources


def test_overrides_reach_rows_of_tables_and_modes_with_spaces(tree: Path) -> None:
    text = "failures:\n  two words: {per: node, mtbf: 9 d, over_time: {0 d: 3, 1.5 d: 1}}\n"
    changes = {
        "workload.scaling_efficiency.128": "0.5",
        "failures.two words.mtbf": "8 d",
        "failures.two words.over_time.1.5 d": "2",
    }
    (tree / "child.yaml").write_text(f"name: child\nbase: base.yaml\n{text}")
    made = load("child.yaml", changes)
    assert made.workload.scaling_efficiency == {64: 1.0, 128: 0.5}
    assert made.failures["two words"].over_time == ((0.0, 3.0), (1.5 * 86_400, 2.0))


POOLS = "cluster: {spares: [{name: standby, count: 2}, {name: own, count: 5, takes: 3 min}]}\n"


@pytest.mark.parametrize(
    ("path", "value", "pools"),
    [
        ("cluster.spares.standby.count", "4", [("standby", 4, 0), ("own", 5, 180)]),
        ("cluster.spares.1.takes", "2 min", [("standby", 2, 0), ("own", 5, 120)]),
        ("cluster.spares.standby.takes", "1 s", [("standby", 2, 1), ("own", 5, 180)]),
        ("cluster.spares.standby", "null", [("own", 5, 180)]),
    ],
)
def test_overrides_reach_entries_of_lists_by_name_or_number(
    tree: Path, path: str, value: str, pools: list[tuple[str, int, float]]
) -> None:
    (tree / "child.yaml").write_text(
        f"name: child\nbase: base.yaml\n{POOLS}sources: {{cluster.spares.own.takes: a paper}}\n"
    )
    made = load("child.yaml", {path: value})
    assert [(pool.name, pool.count, pool.takes) for pool in made.cluster.pools] == pools
    assert made.sources.get("cluster.spares.own.takes") == ("a paper" if "standby." in path else None)


def test_overrides_may_be_yaml_null_and_python_values(tree: Path) -> None:
    made = child(
        tree,
        "",
        recovery__stages="{load: checkpoint}",
        cluster__spares="null",
        cluster__gpus=8,
        failures={"job": {"per": "job", "mtbf": "1 d"}, "node": None},
    )
    assert len(made.recovery.stages) == 3
    assert (made.cluster.gpus, made.cluster.spare_nodes) == (8, 0)
    assert list(made.failures) == ["job"]


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (
            "checkpoint.intervall",
            "5 min",
            '--set checkpoint.intervall=5 min: checkpoint.intervall: unknown key; did you mean "interval"?',
        ),
        (
            "checkpoint.interval",
            "5",
            "--set checkpoint.interval=5: checkpoint.interval: 5 has no unit; a duration",
        ),
        ("checkpoint.blocks", 5, "--set checkpoint.blocks=5: checkpoint.blocks: 5 has no unit; a duration"),
        ("clustr.gpus", "8", '--set clustr.gpus=8: clustr: unknown key; did you mean "cluster"?'),
        (
            "failures.job.mtbf.mean",
            "8 d",
            "--set failures.job.mtbf.mean=8 d: failures.job.mtbf.mean: "
            'failures.job.mtbf is "3 d", not a block; set failures.job.mtbf as a whole',
        ),
        (
            "cluster.spares.x.count",
            "8",
            "--set cluster.spares.x.count=8: cluster.spares.x.count: "
            "cluster.spares is a list, not a block; set cluster.spares as a whole",
        ),
        ("cluster.gpus", "[8", "--set cluster.gpus=[8: not YAML: expected ',' or ']'"),
        ("cluster.gpus", " ", "--set cluster.gpus= : gives no value; say null to delete"),
        (
            "cluster.provision",
            "null",
            "--set cluster.provision=null: cluster.provision: null deletes what a base",
        ),
        (
            "recovery.stages.restrat",
            "null",
            "--set recovery.stages.restrat=null: recovery.stages.restrat: null deletes what a base",
        ),
        ("name.x", "8", '--set name.x=8: name.x: name is "child", not a block; set name as a whole'),
        ("", "8", "--set =8: the path has an empty part"),
        ("cluster..gpus", "8", "--set cluster..gpus=8: the path has an empty part"),
        ("base", "x.yaml", "--set base=x.yaml: base: bases are read before; change the file"),
        ("cluster.gpus", "{a: 1, a: 2}", "--set cluster.gpus={a: 1, a: 2}: a: given twice"),
        ("name", None, "child.yaml:1:1: name: missing"),
    ],
)
def test_overrides_that_are_refused(tree: Path, path: str, value: object, message: str) -> None:
    pools = POOLS if "spares" in path else ""
    (tree / "child.yaml").write_text(f"name: child\nbase: base.yaml\n{pools}")
    with pytest.raises(ScenarioError) as caught:
        load("child.yaml", {path: value})
    assert str(caught.value).startswith(message)


def test_faults_of_all_layers_come_together_each_at_its_place(tree: Path) -> None:
    (tree / "base.yaml").write_text(BASE.replace("spares: 2", "spares: two"))
    faults = refused(tree, "checkpoint: {blocks: 5}\n", simulation__seed="x").splitlines()
    places = ["child.yaml:3:22", "base.yaml:1:29", "--set simulation.seed=x"]
    assert sorted(fault.split(": ")[0] for fault in faults) == sorted(places)


def test_a_longer_loop_is_shown_whole(tree: Path) -> None:
    (tree / "a.yaml").write_text("base: b.yaml\n")
    (tree / "b.yaml").write_text("base: [base.yaml, a.yaml]\n")
    with pytest.raises(ScenarioError) as caught:
        load("a.yaml")
    assert str(caught.value) == (
        'b.yaml:1:19: base: "a.yaml" loops: a.yaml -> b.yaml -> a.yaml; leave one out'
    )


def test_a_base_outside_the_tree_is_not_read(tree: Path) -> None:
    inner = tree / "inner"
    inner.mkdir()
    (inner / "child.yaml").write_text("name: child\nbase: ../base.yaml\n")
    assert load("inner/child.yaml").cluster.gpus == 64
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(inner)
        with pytest.raises(ScenarioError, match="outside the working tree"):
            load("child.yaml")


def test_a_link_does_not_lead_out_of_the_tree(tree: Path) -> None:
    inner = tree / "inner"
    inner.mkdir()
    (inner / "link.yaml").symlink_to(tree / "base.yaml")
    (inner / "child.yaml").write_text("name: child\nbase: link.yaml\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(inner)
        with pytest.raises(ScenarioError, match="outside the working tree"):
            load("child.yaml")


def test_many_bases_are_refused(tree: Path) -> None:
    for step in range(8):
        (tree / f"b{step}.yaml").write_text(f"base: [b{step + 1}.yaml, b{step + 1}.yaml]\n")
    (tree / "b8.yaml").write_text("cluster: {gpus: 8}\n")
    with pytest.raises(ScenarioError, match="more than 50 bases in all"):
        load("b0.yaml")


def test_fifty_bases_are_read_and_one_more_is_refused_at_its_place(tree: Path) -> None:
    (tree / "small.yaml").write_text("cluster: {gpus: 8}\n")
    fifty = "name: child\nbase:\n- base.yaml\n" + 49 * "- small.yaml\n"
    assert loads(fifty).cluster.gpus == 8
    with pytest.raises(ScenarioError) as caught:
        loads(f"{fifty}- small.yaml\n")
    assert str(caught.value) == "<text>:53:3: base: more than 50 bases in all; inherit from fewer"


def test_a_fault_in_a_file_that_lies_elsewhere_is_told_with_its_whole_path(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tree / "base.yaml").write_text(BASE.replace("spares: 2", "spares: two"))
    (tree / "child.yaml").write_text("name: child\nbase: base.yaml\n")
    (tree / "inner").mkdir()
    monkeypatch.chdir(tree / "inner")
    with pytest.raises(ScenarioError) as caught:
        load(tree / "child.yaml")
    assert str(caught.value).startswith(f"{tree.resolve() / 'base.yaml'}:1:29: cluster.spares: ")


def test_shipped_scenarios_are_bases_and_scenarios_by_name(tree: Path) -> None:
    made = loads("name: mine\nbase: chen-base\ncluster: {gpus: 8_000}\n")
    assert made.cluster.gpus == 8000
    assert load("chen-10k").name == "chen-10k"
    assert load("chen-10k.yaml").hash == load("chen-10k").hash
    with pytest.raises(
        ScenarioError, match=r'^chen-10kk: no such file; did you mean the shipped scenario "chen-10k"'
    ):
        load("chen-10kk")


def test_shipped_scenarios_in_a_folder_have_a_name_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "recovery").mkdir()
    (tmp_path / "recovery" / "replicas.yaml").write_text("recovery: {at_start: true}\n")
    monkeypatch.setattr(library, "folder", lambda: tmp_path)
    assert library.names() == ["recovery/replicas"]
    assert library.path("recovery/replicas") == tmp_path / "recovery" / "replicas.yaml"
    assert library.path("replicas") is None


def test_a_local_file_comes_before_a_shipped_name(tree: Path) -> None:
    (tree / "chen-10k").write_text(f"name: local\n{BASE}")
    assert load("chen-10k").name == "local"


def test_planned_stops_go_from_multiples_to_instants_and_to_a_list(tree: Path) -> None:
    (tree / "stops.yaml").write_text(f"{BASE}maintenance: {{every: 1 d, takes: 20 min}}\nname: stops\n")
    (dates,) = load("stops.yaml", {"maintenance.at": "[12 h, 2 d]"}).maintenance
    assert (dates.every, dates.at, dates.takes) == (None, (43_200.0, 172_800.0), 1200.0)
    listed = {"maintenance": "[{every: 1 d, takes: 20 min}, {at: 12 h, takes: 6 h}]"}
    scenario = load("stops.yaml", listed | {"maintenance.1.takes": "3 h", "maintenance.0.if_down": "skip"})
    first, second = scenario.maintenance
    assert (first.every, first.takes, first.if_down) == (86_400.0, 1200.0, "skip")
    assert (second.at, second.takes) == ((43_200.0,), 10_800.0)


def test_a_list_that_an_override_replaces_leaves_no_place_and_no_range_of_the_old_one(tree: Path) -> None:
    text = (
        "maintenance: [{every: 1 d, takes: 10 min}]\nuncertain: {maintenance.0.takes: 5 min to 20 min}\n"
        "simulation: {replications: null}\n"
    )
    assert list(child(tree, text).uncertain) == ["maintenance.0.takes"]
    assert not child(tree, text, maintenance="[{every: 2 d, takes: 1 h}]").uncertain
    found = refused(tree, text, maintenance="[{every: 2 d, takes: -1 h}]")
    assert found.startswith("--set maintenance=[{every: 2 d, takes: -1 h}]: maintenance.0.takes: ")


def test_a_law_of_what_is_set_leaves_no_place_of_its_parts(tree: Path) -> None:
    text = (
        "simulation: {replications: null}\n"
        "uncertain: {checkpoint.blocks: {uniform: 2 s to 9 s}, checkpoint.load: 1 min to 2 min}\n"
    )
    found = refused(tree, text, checkpoint__blocks="5 s", uncertain__checkpoint__blocks="{uniform: 9}")
    assert found.startswith(
        "--set uncertain.checkpoint.blocks={uniform: 9}: uncertain.checkpoint.blocks.uniform: "
    )


def test_an_override_reaches_into_the_law_of_an_uncertain_value(tree: Path) -> None:
    text = (
        "simulation: {replications: null}\n"
        "uncertain: {checkpoint.blocks: {lognormal: {median: 5 s, sigma: 1}}}\n"
    )
    made = child(tree, text, uncertain__checkpoint__blocks__lognormal__sigma="2")
    law = {"lognormal": {"median": "5 s", "sigma": 2}}
    assert made.document["uncertain"] == {"checkpoint.blocks": law}


def test_a_table_that_an_override_replaces_leaves_no_place_of_the_old_one(tree: Path) -> None:
    found = refused(tree, "", failures__node__repair="{lognormal: {median: -1 h, sigma: 1}}")
    assert found.startswith("--set failures.node.repair={"), found


def test_claims_are_merged_key_by_key() -> None:
    base = read_text("published: {source: us, claims: {a: {says: x}, b: {says: y}}}", "base")
    merged = merge(base, read_text("published: {claims: {a: {figure: ettr}}}", "layer"))
    assert merged.data["published"]["claims"] == {"a": {"figure": "ettr"}, "b": {"says": "y"}}


@pytest.mark.parametrize(("below", "above"), [("replications", "draws"), ("draws", "replications")])
def test_one_number_of_replications_takes_the_place_of_the_other(below: str, above: str) -> None:
    block = {"replications": "simulation", "draws": "uncertainty"}
    base = read_text(f"{block[below]}: {{{below}: 8}}", "base")
    merged = merge(base, read_text(f"{block[above]}: {{{above}: 4}}", "layer"))
    assert merged.data == {block[above]: {above: 4}}
    both = "simulation: {replications: 8}\nuncertainty: {draws: 4}"
    assert merge(base, read_text(both, "layer")).data == read_text(both, "layer").data


def test_nothing_is_quoted_of_a_base_that_is_no_scenario(tree: Path) -> None:
    (tree / "secret.yaml").write_text("root:x:0\n", "utf-8")
    (tree / "asks.yaml").write_text("base: secret.yaml\n", "utf-8")
    with pytest.raises(ScenarioError) as caught:
        load(tree / "asks.yaml")
    assert str(caught.value).endswith(
        "secret.yaml:1:1: is not a scenario; write keys and values, such as name: first"
    )
