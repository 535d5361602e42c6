"""A scenario file with another interval, and nothing else changed."""

from __future__ import annotations

from pathlib import Path

import pytest

from clustersim.scenario import load, loads
from clustersim.scenario.text import shipped
from clustersim.store import ChoiceError, RunError
from clustersim.tuning.places import place_of
from clustersim.tuning.rewriting import rewritten, write_with_interval

HEAD = """\
# A comment at the top.
name:   mine        # odd blanks stay

cluster: { gpus: 64 }
failures:
  node:    {per: node, mtbf: 50 d}   # aligned
  job:     {per: job,  mtbf: 2 d}
"""
TAIL = "simulation: {horizon: 3 d}\n# The end.\n"


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
    assert rewritten(HEAD + block + TAIL, 75.0) == HEAD + expected + TAIL


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
    write_with_interval(tmp_path / "mine.yaml", target, 75.0)
    found = load(target)
    assert found.checkpoint is not None
    assert found.checkpoint.interval == 75.0
    assert found.checkpoint.blocks == (6.0 if block else 5.0)
    assert "base: ../base.yaml" in target.read_text()


def test_a_source_of_the_interval_becomes_the_tuning() -> None:
    text = HEAD + "checkpoint: {interval: daly, blocks: 5 s}\n" + TAIL
    sources = "sources:\n  checkpoint.interval: >-\n    long ago,\n    far away\n  cluster.gpus: counted\n"
    found = loads(rewritten(text + sources, 75.0))
    assert found.sources == {"checkpoint.interval": "clustersim tune", "cluster.gpus": "counted"}


@pytest.mark.parametrize("name", [name for name in shipped.names() if "base" not in name and "/" not in name])
def test_shipped_scenarios_can_be_written_anywhere(name: str, tmp_path: Path) -> None:
    file = shipped.path(name)
    assert file is not None
    before, after = file.read_text().splitlines(), tmp_path / "tuned.yaml"
    place = place_of(load(file))
    write_with_interval(file, after, 80.0, place=place)
    found, was = load(after), load(file)
    assert place.of(found).interval == 80.0
    assert found.tiers[:-1] == was.tiers[:-1]
    assert found.failures == was.failures
    assert len(set(before) - set(after.read_text().splitlines())) <= 3


def test_a_log_is_found_from_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "log.csv").write_text("time_h,node\n3,1\n")
    source = tmp_path / "mine.yaml"
    source.write_text(
        "name: mine\ncluster: {gpus: 64}\nfailures:\n  trace: {replay: logs/log.csv}\n"
        '  rows: {replay: "time_h\\n5\\n"}\n  any: {per: node, mtbf: 9 d}\n'
        "checkpoint: {interval: daly, blocks: 5 s}\nsimulation: {horizon: 3 d}\n"
    )
    write_with_interval(source, tmp_path / "out" / "tuned.yaml", 75.0)
    assert "replay: ../logs/log.csv" in (tmp_path / "out" / "tuned.yaml").read_text()
    assert load("out/tuned.yaml").failures["trace"].recorded == load(source).failures["trace"].recorded


def test_a_file_that_is_there_is_kept(tmp_path: Path) -> None:
    source, target = tmp_path / "mine.yaml", tmp_path / "tuned.yaml"
    source.write_text(HEAD + "checkpoint: {interval: daly, blocks: 5 s}\n" + TAIL)
    target.write_text("precious")
    with pytest.raises(RunError, match="--force"):
        write_with_interval(source, target, 75.0)
    assert target.read_text() == "precious"
    write_with_interval(source, target, 75.0, force=True)
    assert load(target).checkpoint.interval == 75.0  # type: ignore[union-attr]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine.yaml", "tuned.yaml"]


def test_what_cannot_be_put_in_its_place_is_refused(tmp_path: Path) -> None:
    source = tmp_path / "mine.yaml"
    source.write_text(HEAD + "checkpoint: {interval: daly, blocks: 5 s}\n" + TAIL)
    with pytest.raises(ChoiceError, match="would not be valid"):
        write_with_interval(source, tmp_path / "tuned.yaml", -1.0)
    assert not (tmp_path / "tuned.yaml").exists()
