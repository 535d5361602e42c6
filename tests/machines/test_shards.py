"""Shards: merged in any order they give the bytes of one run; and what is said where they do not fit."""

from __future__ import annotations

import json
import random
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import clustersim as cs
from clustersim.experiment import Point, batches
from clustersim.records import Records
from clustersim.scenario.model import Scenario
from clustersim.settings import Part
from clustersim.shards import SHARD, Shards
from clustersim.store import ChoiceError, Measurements, ReplicationStore, RunError
from tests.machines.conftest import QUESTIONS, Events, Question, files, scenario


def with_blocks(**blocks: Any) -> Scenario:
    """The scenario with other blocks."""
    return Scenario.model_validate(scenario().document | blocks)


CLAIM = {"says": "some", "kind": "band", "figure": "ettr", "at_least": 0.1}
OPEN = {
    "uncertain": {"failures.job.mtbf": "30 min to 3 h", "recovery.stages.restart": "1 min to 9 min"},
    "simulation": {"horizon": "12 h", "replications": 4},
}
OTHERS = {
    "levers": Question(cs.levers, scenario(replications=6)),
    "sensitivity": Question(cs.sensitivity, with_blocks(**OPEN), {"samples": 4}),
    "compare": Question(cs.compare, [scenario(), with_blocks(name="other")]),
    "validate": Question(cs.validate, [with_blocks(published={"source": "x", "claims": {"a": CLAIM}})]),
}


def shards_of(question: Question, place: Path, of: int, **how: Any) -> list[Path]:
    """Simulate all shards of a question, and return their folders."""
    given = [f"{number}/{of}" for number in range(1, of + 1)]
    random.Random(3).shuffle(given)
    return [
        cs.shard(which, question.function, question.given, place, workers=1, **question.asked, **how).folder
        for which in given
    ]


@pytest.mark.parametrize("name", [*QUESTIONS, *OTHERS])
def test_four_shards_merged_in_any_order_are_the_bytes_of_one(
    name: str, alone: dict[str, dict[str, bytes]], tmp_path: Path
) -> None:
    question = (QUESTIONS | OTHERS)[name]
    folders = shards_of(question, tmp_path / name, 4)
    merged = cs.merge(folders, tmp_path / "merged", workers=1)
    expected = alone.get(name)
    if expected is None:
        question(tmp_path / "whole", workers=1)
        expected = files(tmp_path / "whole")
    found = files(tmp_path / "merged")
    if name == "validate":  # its page shows when it was made
        found.pop("report.html")
        expected.pop("report.html")
    assert found == expected
    assert merged.to_dict()["complete"]
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []
    again = cs.merge(tmp_path / f"{name}-shards", workers=1)
    assert again.output == tmp_path / name


@pytest.mark.parametrize(("counts", "of"), [((24,), 4), ((3, 3, 5), 4), ((2,), 5), ((7, 1, 1, 1), 2)])
def test_each_replication_belongs_to_one_shard(counts: tuple[int, ...], of: int) -> None:
    points = [Point.of(scenario(), ReplicationStore(), count) for count in counts]
    taken = [
        (batch.place, replication)
        for number in range(1, of + 1)
        for batch in batches(points, 1, part=Part(number, of))
        for replication in batch.replications
    ]
    assert sorted(taken) == [(place, n) for place, count in enumerate(counts) for n in range(count)]
    shares = [sum(len(each.replications) for each in batches(points, 1, part=Part(n, of))) for n in (1, of)]
    assert shares[0] - shares[1] in (0, 1)


def test_shards_that_nothing_is_left_for_are_empty(tmp_path: Path) -> None:
    folders = shards_of(Question(cs.run, scenario(replications=2)), tmp_path / "run", 3)
    merged = cs.merge(folders)
    assert merged.to_dict()["summary"]["replications"] == 2
    assert sorted(json.loads((folder / SHARD).read_text())["replications"] for folder in folders) == [0, 1, 1]


def test_inputs_that_are_uncertain_are_drawn_alike_in_all_shards(tmp_path: Path) -> None:
    given = with_blocks(
        uncertain={"failures.job.mtbf": "30 min to 3 h"},
        uncertainty={"draws": 8, "per_draw": 2},
        simulation={"horizon": "2 d"},
    )
    question = Question(cs.run, given)
    cs.merge(shards_of(question, tmp_path / "run", 3), tmp_path / "merged")
    question(tmp_path / "whole", workers=1)
    assert files(tmp_path / "merged") == files(tmp_path / "whole")


@pytest.mark.parametrize("name", ["run", "sweep"])
def test_a_shard_that_breaks_off_is_gone_on_from(
    name: str, alone: dict[str, dict[str, bytes]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    question, count = QUESTIONS[name], 0

    def broken(real: Any) -> Any:
        def put(self: Any, records: Records) -> None:
            nonlocal count
            real(self, records)
            count += 1
            if count == 4:
                raise RunError("a worker process died")

        return put

    ask = partial(cs.shard, question=question.function, scenarios=question.given, output=tmp_path / name)
    ask = partial(ask, workers=1, **question.asked)
    with monkeypatch.context() as patch:
        for kind in (Measurements, ReplicationStore):
            patch.setattr(kind, "put", broken(kind.put))
        with pytest.raises(RunError, match="a worker process died"):
            ask("1/2")
    folder = tmp_path / f"{name}-shards" / "1-of-2"
    with pytest.raises(ChoiceError, match=r"1-of-2: a shard that is not finished; go on with --resume"):
        cs.merge(tmp_path / f"{name}-shards")
    events = Events(None)
    ask("1/2", resume=True, progress=events)
    assert "going on from 4 finished replications" in events.said[0]
    before = (folder / SHARD).read_bytes()
    ask("1/2", progress=events)
    assert "simulated before, and taken as it is" in events.said[-1]
    assert (folder / SHARD).read_bytes() == before
    ask("2/2")
    cs.merge(tmp_path / f"{name}-shards", tmp_path / "merged")
    assert files(tmp_path / "merged") == alone[name]


def test_missing_shards_are_named(tmp_path: Path) -> None:
    first, *_ = shards_of(Question(cs.run, scenario(replications=2)), tmp_path / "run", 2)
    with pytest.raises(ChoiceError, match=r"1 shard is missing: [12]/2; simulate what is missing first"):
        cs.merge(first)
    record = json.loads((first / SHARD).read_text())
    (first / SHARD).write_text(json.dumps(record | {"of": 40, "shard": 20}))
    with pytest.raises(ChoiceError, match=r"39 shards are missing: 1/40, .*, 12/40 and 27 more"):
        cs.merge(first)
    assert Shards.of([first]).to_dict()["shards"]["missing"] == [*range(1, 20), *range(21, 41)]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (
            {"scenarios": ["x"]},
            "2-of-2 is not of the same answer as .*1-of-2: the scenarios differ; ",
        ),
        ({"study": "compare"}, "study is compare there, and run in the first"),
        ({"asked": {"baseline": "x"}}, "asked is .* there, and {} in the first"),
        ({"of": 3}, "of is 3 there, and 2 in the first"),
        ({"source": "0"}, "source is 0 there"),
        ({"numpy": "0"}, "numpy is 0 there"),
        ({"tool": "another"}, "not written by this version of clustersim"),
    ],
    ids=str,
)
def test_shards_that_differ_are_named(change: dict[str, Any], why: str, tmp_path: Path) -> None:
    shards_of(Question(cs.run, scenario(replications=2)), tmp_path / "run", 2)
    path = tmp_path / "run-shards" / "2-of-2" / SHARD
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(ChoiceError, match=why):
        cs.merge(tmp_path / "run-shards")


def test_scenarios_that_differ_are_told_apart_by_their_values(tmp_path: Path) -> None:
    one = cs.shard("1/2", cs.run, scenario(replications=2), tmp_path / "a").folder
    other = cs.shard("2/2", cs.run, scenario(replications=2, seed=7), tmp_path / "b").folder
    with pytest.raises(ChoiceError, match=r"simulation.seed is 7 there, and not given in the first"):
        cs.merge([one, other])


def test_shards_of_another_version_are_not_merged(tmp_path: Path) -> None:
    for folder in shards_of(Question(cs.run, scenario(replications=2)), tmp_path / "run", 2):
        record = json.loads((folder / SHARD).read_text())
        (folder / SHARD).write_text(json.dumps(record | {"source": "0"}))
    with pytest.raises(ChoiceError, match=r"simulated with source 0, and here it is \w+; merge where"):
        cs.merge(tmp_path / "run-shards")


@pytest.mark.parametrize("which", ["0/4", "5/4", "1", "1/0", "a/b", "-1/4", "1/2/3", ""])
def test_a_shard_that_is_none_is_refused(which: str, tmp_path: Path) -> None:
    with pytest.raises(ChoiceError, match=r"shard: .* is none; the third of sixteen is 3/16"):
        cs.shard(which, cs.run, scenario(), tmp_path / "run")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there_is_called_so_and_the_shards_beside_it_are_named(tmp_path: Path) -> None:
    with pytest.raises(ChoiceError, match=r"/none: no such folder$"):
        cs.merge(tmp_path / "none")
    cs.shard("1/2", cs.run, scenario(), tmp_path / "run")
    with pytest.raises(ChoiceError, match=r"/run: no such folder; its shards are in /.*/run-shards$"):
        cs.merge(tmp_path / "run")
    (tmp_path / "run").mkdir()
    with pytest.raises(ChoiceError, match=r"/run: no shard in it; its shards are in /.*/run-shards$"):
        cs.merge(tmp_path / "run")
    (tmp_path / "file").touch()
    with pytest.raises(ChoiceError, match=r"/file: no shard$"):
        cs.merge(tmp_path / "file")


def test_what_chooses_as_it_goes_has_no_shards(tmp_path: Path) -> None:
    given = scenario()
    with pytest.raises(ChoiceError, match="solve chooses what it simulates by what came"):
        cs.shard("1/2", cs.solve, given, tmp_path / "a", path="checkpoint.blocks", until="ettr >= 0.9")
    with pytest.raises(ChoiceError, match="a tuning like this has no shards"):
        cs.shard("1/2", cs.tune, given, tmp_path / "b", simulate=True)
    for question in (cs.run, cs.compare, cs.levers):
        with pytest.raises(ChoiceError, match="how many replications a precision takes is known"):
            cs.shard("1/2", question, [given], tmp_path / "c", precision=0.01)
    precise = with_blocks(simulation={"horizon": "1 d", "precision": "1 pp"})
    finished = cs.shard("1/2", cs.run, given, tmp_path / "d").folder
    with pytest.raises(ChoiceError, match="small: how many replications a precision takes is known only"):
        cs.shard("1/2", cs.run, precise, tmp_path / "d")
    assert (finished / SHARD).is_file()
