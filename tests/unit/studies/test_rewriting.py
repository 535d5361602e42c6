"""A scenario file with another value, and nothing else changed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from clustersim import library
from clustersim.scenario import load, loads
from clustersim.scenario.writing import edited, moved
from clustersim.store import ChoiceError, RunError
from clustersim.studies.change import ValueChange, ended_by_the_clock, on_a_number, write_changed
from clustersim.studies.study import one_each
from tests.unit.studies.clusters import TIERS, job

HEAD = """\
# A comment at the top.
name:   mine        # odd blanks stay

cluster: { gpus: 64 }
failures:
  node:    {per: node, mtbf: 50 d}   # aligned
  job:     {per: job,  mtbf: 2 d}
"""
TAIL = "simulation: {horizon: 3 d}\n# The end.\n"


INTERVAL, PEER = "checkpoint.interval", "checkpoint.tiers.peer.interval"
VALUE = "1 min 15 s"


def rewritten(text: str, path: str = INTERVAL) -> str:
    """The text of a scenario with the value in its place."""
    return edited(text, {path: VALUE}, loads(text, overrides={path: VALUE}).document, "clustersim tune")


def written(
    source: Path, target: Path, path: str = INTERVAL, value: str = VALUE, force: bool = False
) -> None:
    write_changed(source, target, {path: value}, "clustersim tune", force)


@pytest.mark.parametrize(
    ("ends", "stays"),
    [
        ({"productive": "20 h"}, {"step_time": "8 s"}),
        ({"target": "1 T tokens"}, {"tokens_per_gpu_second": 1000}),
    ],
)
def test_what_is_compared_ends_by_the_clock(ends: dict[str, str], stays: dict[str, Any]) -> None:
    """Without its target, after a month where there is no horizon, each draw of its inputs by itself."""
    uncertain = {"recovery.stages.start": "1 min to 9 min"}
    more = {"uncertain": uncertain, "uncertainty": {"per_draw": 2}}
    given = job(workload=ends | stays, simulation={"seed": 3}, **more)
    fixed = ended_by_the_clock(given, 12)
    assert fixed.document | {"sources": None} == given.document | {
        "workload": stays,
        "simulation": {"seed": 3, "horizon": "30 d", "replications": 12},
        "uncertainty": {"per_draw": 1},
        "sources": None,
    }
    assert (fixed.target_s, fixed.end_s, fixed.simulation.replications) == (None, 30 * 86_400, 12)
    assert one_each(given).document["uncertainty"] == {"per_draw": 1}
    as_it_is = job(levers={"x": {"checkpoint.blocks": "3 s"}})  # a variant has no levers
    assert ended_by_the_clock(as_it_is, 12) is one_each(as_it_is) is as_it_is
    assert one_each(fixed) is fixed
    assert (on_a_number(given, 12).simulation.replications, on_a_number(job(), 12)) == (12, job())


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        (
            "checkpoint: {interval: daly, blocks: 5 s}  # why\n",
            "checkpoint: {interval: 1 min 15 s, blocks: 5 s}  # why\n",
        ),
        (
            "checkpoint:\n  interval: 10 min   # why\n  blocks: 5 s\n",
            "checkpoint:\n  interval: 1 min 15 s   # why\n  blocks: 5 s\n",
        ),
        (
            'checkpoint: {blocks: 5 s, interval: "600 s"}\n',
            "checkpoint: {blocks: 5 s, interval: 1 min 15 s}\n",
        ),
    ],
)
def test_only_the_interval_changes(block: str, expected: str) -> None:
    assert rewritten(HEAD + block + TAIL) == HEAD + expected + TAIL


@pytest.mark.parametrize(
    "block", ["", "checkpoint: {blocks: 6 s}\n", "checkpoint:\n  # cheaper\n  blocks: 6 s\n"]
)
def test_an_inherited_interval_is_put_over_its_base(
    block: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    base = HEAD.replace("name:   mine", "title: base") + "checkpoint: {interval: daly, blocks: 5 s}\n" + TAIL
    (tmp_path / "base.yaml").write_text(base)
    (tmp_path / "mine.yaml").write_text(f"name: mine\nbase: base.yaml\n{block}")
    target = tmp_path / "below" / "tuned.yaml"
    written(tmp_path / "mine.yaml", target)
    found = load(target)
    assert found.checkpoint is not None
    assert found.checkpoint.interval == 75.0
    assert found.tiers[-1].blocks == (6.0 if block else 5.0)
    assert "base: ../base.yaml" in target.read_text()


def test_a_source_of_the_interval_becomes_the_tuning() -> None:
    text = HEAD + "checkpoint: {interval: daly, blocks: 5 s}\n" + TAIL
    sources = "sources:\n  checkpoint.interval: >-\n    long ago,\n    far away\n  cluster.gpus: counted\n"
    found = loads(rewritten(text + sources))
    assert found.sources == {"checkpoint.interval": "clustersim tune", "cluster.gpus": "counted"}


@pytest.mark.parametrize("name", [name for name in library.names() if "base" not in name and "/" not in name])
def test_shipped_scenarios_can_be_written_anywhere(name: str, tmp_path: Path) -> None:
    file = library.path(name)
    assert file is not None
    before, after = file.read_text().splitlines(), tmp_path / "tuned.yaml"
    was = load(file)
    written(file, after, was.tiers[-1].path("interval"))
    found = load(after)
    assert found.tiers[-1].interval == 75.0
    assert found.tiers[:-1] == was.tiers[:-1]
    assert found.failures == was.failures
    assert len(set(before) - set(after.read_text().splitlines())) <= 3


def test_a_copy_of_the_file_has_the_tiers_new_interval_in_its_place(tmp_path: Path) -> None:
    expected = TIERS.replace("interval: 10 min", "interval: 1 min 15 s")
    text = rewritten(TIERS, PEER)
    assert text == expected.replace("interval: a guess", "interval: clustersim tune")
    (tmp_path / "two.yaml").write_text(TIERS)
    written(tmp_path / "two.yaml", tmp_path / "tuned.yaml", PEER)
    assert [tier.interval for tier in load(tmp_path / "tuned.yaml").tiers] == [75.0, 3 * 3600.0]


@pytest.mark.parametrize("own", ["", "checkpoint: {state: 1 TB}\n", "checkpoint:\n  state: 1 TB\n"])
def test_tiers_that_come_from_a_base_are_written_whole(
    own: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    base = TIERS.replace("blocks: 1 min", "write: 100 GB/s").replace("  tiers:", "  state: 2 TB\n  tiers:")
    (tmp_path / "two.yaml").write_text(base if own else TIERS)
    (tmp_path / "mine.yaml").write_text(f"base: two.yaml\nname: mine\n{own}")
    target = tmp_path / "tuned.yaml"
    written(tmp_path / "mine.yaml", target, PEER)
    found, was = load(target), load(tmp_path / "mine.yaml")
    assert found.tiers[0].interval == 75.0
    assert found.tiers[1] == was.tiers[1]


def test_any_value_of_a_scenario_can_be_put_in_its_place(tmp_path: Path) -> None:
    source, target = tmp_path / "two.yaml", tmp_path / "tuned.yaml"
    for base, path, value in [
        (TIERS, "recovery.stages.start", "{lognormal: {median: 4 min, sigma: 0.5}}"),
        (TIERS, "checkpoint.tiers.peer.keep", "2"),
        (TIERS, "failures.rack.repair.crews", "2"),
        (TIERS, "costs.gpu_hour", "2 USD"),
        (PART, "failures.node.mtbf", "9 d"),
        (PART, "recovery.stages.start", "1 min"),
    ]:
        source.write_text(base.replace("repair: 1 d", "repair: {constant: 1 d}"))
        (tmp_path / "whole.yaml").write_text(TIERS)
        written(source, target, path, value, force=True)
        assert load(target).document == load(source, {path: value}).document


PART = """\
base: whole.yaml
name: part
failures: {node: {lemons: {share: 5 %, factor: 3}}}
"""


@pytest.mark.parametrize(
    "name", ["Base.yaml", "a base.yaml", 'a "base".yaml', "back\\slash.yaml", "显卡: #1.yaml"]
)
def test_a_base_is_found_from_elsewhere_whatever_it_is_called(name: str, tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / name).write_text(HEAD + "checkpoint: {interval: daly, blocks: 5 s}\n" + TAIL)
    source, target = tmp_path / "part.yaml", tmp_path / "sub" / "tuned.yaml"
    source.write_text(f"base: {json.dumps(f'sub/{name}')}\nname: part\n")
    written(source, target)
    assert load(target).document == load(source, {INTERVAL: VALUE}).document
    if name == "Base.yaml":
        assert target.read_text().startswith("base: Base.yaml\n")


def test_a_shipped_base_goes_by_its_name_from_elsewhere_and_others_by_their_place(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "chen-base.yaml").touch()
    names = ["chen-base", "chen-base.yaml", "recovery/cold.yaml", "recovery/../chen-base.yaml", "gone.yaml"]
    shipped = ["chen-base", "chen-base", "recovery/cold", "chen-base", "gone.yaml"]
    assert list(map(moved(library.folder(), tmp_path), names)) == shipped
    (tmp_path / "sub" / "link.yaml").symlink_to(library.folder() / "chen-base.yaml")
    assert moved(tmp_path / "sub", tmp_path)("link.yaml") == "chen-base"
    assert moved(tmp_path, tmp_path / "sub")("chen-base.yaml") == "../chen-base.yaml"
    assert moved(tmp_path, tmp_path / "sub" / "..")("./chen-base.yaml") == "./chen-base.yaml"


TIERS_OF_BOTH = {"peer": {"interval": VALUE}, "disk": {"interval": "1 h"}}


@pytest.mark.parametrize(
    ("text", "path", "expected"),
    [
        ("checkpoint: {}", INTERVAL, f"checkpoint: {{interval: {VALUE}}}"),
        (
            "base: b",
            PEER,
            "base: b\ncheckpoint: {tiers: {peer: {interval: 1 min 15 s}, disk: {interval: 1 h}}}\n",
        ),
        ("base: b", INTERVAL, f"base: b\ncheckpoint: {{interval: {VALUE}}}\n"),
    ],
)
def test_no_more_is_written_than_layers_need(text: str, path: str, expected: str) -> None:
    """Of what a base says: but for tiers, which one layer says whole, only the value itself."""
    document = {"checkpoint": {"interval": VALUE, "state": "1 TB", "tiers": TIERS_OF_BOTH}}
    assert edited(text, {path: VALUE}, document, "clustersim tune") == expected


FILES = """\
base: BASES
workload: {replay: node}
failures:
  a: {per: node, replay: LOG}
  b: {replay: {log: LOG, begin: 1 h}}
  c: {replay: {log: [LOG, LOG]}}
  d: {replay: "time_h\\n3"}
"""


@pytest.mark.parametrize("bases", [("b", "x/b"), ("[b, c]", "[x/b, x/c]")])
def test_bases_and_logs_are_files_and_no_other_text_is(bases: tuple[str, str]) -> None:
    texts = [
        FILES.replace("BASES", base).replace("LOG", log)
        for base, log in zip(bases, ("l", "x/l"), strict=True)
    ]
    assert edited(texts[0], {}, {}, "", lambda name: f"x/{name}") == texts[1]


def test_a_log_is_found_from_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "log.csv").write_text("time_h,node\n3,1\n")
    source, rows = tmp_path / "mine.yaml", r"\n5" * 5000  # longer than any name of a file may be
    source.write_text(
        "name: mine\ncluster: {gpus: 64}\nfailures:\n  trace: {replay: logs/log.csv}\n"
        "  dated: {replay: {log: [logs/log.csv], begin: 1 h}}\n"
        f'  rows: {{replay: "time_h{rows}"}}\n  any: {{per: node, mtbf: 9 d}}\n'
        "checkpoint: {interval: daly, blocks: 5 s}\nsimulation: {horizon: 3 d}\n"
    )
    written(source, tmp_path / "new" / "out" / "tuned.yaml")
    text = (tmp_path / "new" / "out" / "tuned.yaml").read_text()
    assert "replay: ../../logs/log.csv" in text
    assert "log: [../../logs/log.csv]" in text
    assert load("new/out/tuned.yaml").failures["trace"].recorded == load(source).failures["trace"].recorded


def test_a_file_that_is_there_is_kept(tmp_path: Path) -> None:
    source, target = tmp_path / "mine.yaml", tmp_path / "tuned.yaml"
    source.write_text(HEAD + "checkpoint: {interval: daly, blocks: 5 s}\n" + TAIL)
    target.write_text("precious")
    with pytest.raises(RunError, match="--force"):
        written(source, target)
    assert target.read_text() == "precious"
    written(source, target, force=True)
    assert load(target).checkpoint.interval == 75.0  # type: ignore[union-attr]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine.yaml", "tuned.yaml"]


def test_what_cannot_be_put_in_its_place_is_refused(tmp_path: Path) -> None:
    source = tmp_path / "mine.yaml"
    source.write_text(HEAD + "checkpoint: {interval: daly, blocks: 5 s}\n" + TAIL)
    with pytest.raises(ChoiceError, match="would not be valid"):
        written(source, tmp_path / "tuned.yaml", value="0 s")
    with pytest.raises(ChoiceError, match="set it by hand"):
        written(source, tmp_path / "tuned.yaml", "failures.node", None)
    assert not (tmp_path / "tuned.yaml").exists()


def test_a_number_has_its_thousands_in_groups_unless_it_is_a_name() -> None:
    assert ValueChange("x", "3_750 h", "10000").texts == ("3,750 h", "10,000")
    assert ValueChange("x", "007", None).texts == ("007", "not given")
