"""Shards: merged in any order they give the bytes of one run; and what is said where they do not fit."""

from __future__ import annotations

import json
import os
import random
import shutil
from collections.abc import Callable
from concurrent.futures import Executor, Future
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from types import MappingProxyType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

import clustersim as cs
from clustersim import folders as run_folders
from clustersim import shards
from clustersim.experiment import Interrupted, Point, batches
from clustersim.records import Records
from clustersim.results import Results
from clustersim.scenario import dump
from clustersim.scenario.model import Scenario
from clustersim.settings import Part
from clustersim.shards import SHARD, Shard, Shards
from clustersim.store import KEY_FILE, ChoiceError, Measurements, ReplicationStore, RunError
from clustersim.studies import study
from tests.machines.conftest import Events, Question, files, scenario

Whole = Callable[[str], dict[str, bytes]]


def given(horizon: str = "1 d", replications: int = 6, **blocks: Any) -> Scenario:
    """The scenario for less time, with other blocks."""
    document = scenario(horizon=horizon, replications=replications).document
    return Scenario.model_validate(document | blocks)


def tiny(**blocks: Any) -> Scenario:
    """Two replications of six hours, in which some ten failures strike."""
    return given("6 h", 2, **blocks)


CLAIM = {"says": "some", "kind": "band", "figure": "ettr", "at_least": 0.1}
PUBLISHED = {"published": {"source": "x", "claims": {"a": CLAIM}}}
OPEN = {"failures.job.mtbf": "30 min to 3 h", "recovery.stages.restart": "1 min to 9 min"}
VARY = {"checkpoint.blocks": "10s,90s", "recovery.stages.restart": "1min,8min"}
SPARES = {"vary": {"cluster.spares": "0,1"}}
QUESTIONS = {
    "run": Question(cs.run, given()),
    "sweep": Question(cs.sweep, given(replications=2), {"vary": VARY, "retune": True}),
    "tune": Question(cs.tune, given(replications=8), {"candidates": 6, "over": {"cluster.spares": "0,1"}}),
    "levers": Question(cs.levers, given()),
    "sensitivity": Question(cs.sensitivity, given("12 h", 4, uncertain=OPEN), {"samples": 2}),
    "compare": Question(cs.compare, [given(), given(name="other")], {"baseline": "other"}),
    "validate": Question(cs.validate, [given(**PUBLISHED)], {"overrides": {"checkpoint.blocks": "3 min"}}),
}


class Idle(Executor):
    """Simulates nothing."""

    def submit(self, *_: Any, **__: Any) -> Future[Any]:
        raise AssertionError("all of this is finished already")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Whole:
    """The files of the answer to each question by one call."""
    base, found = tmp_path_factory.mktemp("whole"), dict[str, dict[str, bytes]]()

    def of(name: str) -> dict[str, bytes]:
        if name not in found:
            QUESTIONS[name](base / name, workers=1)
            found[name] = files(base / name)
        return found[name]

    return of


def shards_of(question: Question, place: Path, of: int, **how: Any) -> list[Path]:
    """Simulate all shards of a question, and return their folders."""
    numbers = [f"{number}/{of}" for number in range(1, of + 1)]
    random.Random(3).shuffle(numbers)
    asked = {"workers": 1} | question.asked | how
    return [cs.shard(which, question.function, question.given, place, **asked).folder for which in numbers]


def hidden(place: Path) -> list[str]:
    """Return the names in a folder that a listing does not show."""
    return [path.name for path in place.iterdir() if path.name.startswith(".")]


@pytest.mark.parametrize("name", QUESTIONS)
def test_four_shards_merged_in_any_order_are_the_bytes_of_one(
    name: str, whole: Whole, tmp_path: Path
) -> None:
    folders = shards_of(QUESTIONS[name], tmp_path / name, 4)
    assert all(json.loads((folder / SHARD).read_text())["replications"] for folder in folders)
    # The tornado of a sensitivity is all that is simulated when shards are merged.
    how = {"workers": 1} if name == "sensitivity" else {"executor": Idle()}
    merged = cs.merge(folders, **how)
    assert merged.output == tmp_path / name
    found, expected = files(tmp_path / name), dict(whole(name))
    if name == "validate":  # its page shows when it was made
        found.pop("report.html")
        expected.pop("report.html")
    assert found == expected
    assert merged.to_dict()["complete"]
    assert hidden(tmp_path) == []


@pytest.mark.parametrize(("counts", "of"), [((24,), 4), ((3, 3, 5), 4), ((2,), 5), ((7, 1, 1, 1), 2)])
def test_each_replication_belongs_to_one_shard(counts: tuple[int, ...], of: int) -> None:
    points = [Point.of(given(), ReplicationStore(), count) for count in counts]
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
    folders = shards_of(Question(cs.run, given("6 h", 1)), tmp_path / "run", 3)
    merged = cs.merge(folders, executor=Idle())
    assert merged.to_dict()["summary"]["replications"] == 1
    assert sorted(json.loads((folder / SHARD).read_text())["replications"] for folder in folders) == [0, 0, 1]


def test_inputs_that_are_uncertain_are_drawn_alike_in_all_shards(tmp_path: Path) -> None:
    question = Question(
        cs.run,
        given("6 h", 8, uncertain={"failures.job.mtbf": "30 min to 3 h"}, uncertainty={"per_draw": 2}),
    )
    cs.merge(shards_of(question, tmp_path / "run", 3), tmp_path / "merged", executor=Idle())
    question(tmp_path / "whole", workers=1)
    assert files(tmp_path / "merged") == files(tmp_path / "whole")


def test_a_shard_of_several_runs_is_merged_to_a_folder_each(tmp_path: Path) -> None:
    two = [tiny(), tiny(name="other", cluster={"gpus": 128, "spares": 1})]
    for which in ("1/2", "2/2"):
        found = cs.shard(which, "run", two, tmp_path / "runs", workers=1).to_dict()
        assert (found["replications"], found["scenario_hash"]) == (2, two[0].hash)
    merged = cs.merge(tmp_path / "runs-shards", executor=Idle())
    whole = [cs.run(each, workers=1).summary for each in two]
    assert [Results.load(tmp_path / "runs" / each.name).summary for each in two] == whole
    with pytest.raises(RunError, match="small: is the folder of one run, and cannot hold several"):
        cs.merge(tmp_path / "runs-shards", tmp_path / "runs" / "small")
    shown = merged.to_dict()
    assert (shown["points"], shown["summary"]) == (2, {"scenarios": whole})


@pytest.mark.parametrize("name", ["run", "sweep"])
def test_a_shard_that_breaks_off_is_gone_on_from(
    name: str, whole: Whole, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    question = QUESTIONS[name]
    ask = partial(cs.shard, question=question.function, scenarios=question.given, output=tmp_path / name)
    ask = partial(ask, workers=1, **question.asked)
    breaks_off(monkeypatch, 2, partial(ask, "1/2"))
    folder = tmp_path / f"{name}-shards" / "1-of-2"
    with pytest.raises(ChoiceError, match=r"1-of-2: a shard that is not finished; go on with --resume"):
        cs.merge(tmp_path / f"{name}-shards")
    events = Events(None)
    ask("1/2", resume=True, progress=events)
    assert "going on from 2 finished replications" in events.said[0]
    before = (folder / SHARD).read_bytes()
    ask("1/2", executor=Idle(), progress=events)
    assert "simulated before, and taken as it is" in events.said[-1]
    assert (folder / SHARD).read_bytes() == before
    ask("2/2")
    cs.merge(tmp_path / f"{name}-shards", tmp_path / "merged", executor=Idle())
    assert files(tmp_path / "merged") == whole(name)


def breaks_off(monkeypatch: pytest.MonkeyPatch, after: int, ask: Callable[[], object]) -> None:
    """Ask something that breaks off after so many replications."""
    count = 0

    def broken(real: Any) -> Any:
        def put(self: Any, records: Records) -> None:
            nonlocal count
            real(self, records)
            count += 1
            if count == after:
                raise RunError("a worker process died")

        return put

    with monkeypatch.context() as patch:
        for kind in (Measurements, ReplicationStore):
            patch.setattr(kind, "put", broken(kind.put))
        with pytest.raises(RunError, match="a worker process died"):
            ask()


def test_a_shard_gives_way_only_when_another_answer_is_simulated(tmp_path: Path) -> None:
    ask = partial(cs.shard, "1/2", cs.sweep, tiny(), tmp_path / "a", workers=1)
    folder, events = ask(**SPARES).folder, Events(None)
    before = (folder / SHARD).read_bytes()
    with pytest.raises(ChoiceError, match="did you mean"):
        ask(vary={"cluster.sparse": "0,1"}, progress=events)
    assert (folder / SHARD).read_bytes() == before
    assert ask(vary=MappingProxyType(SPARES["vary"]), executor=Idle()).record["asked"] == SPARES
    with pytest.raises(AssertionError, match="all of this is finished"):
        ask(vary={"cluster.spares": range(2)}, executor=Idle())
    assert events.said == []
    found = ask(**SPARES, seed=7, progress=events)
    assert events.said == [f"{folder}: held a shard of another answer, which is gone"]
    assert found.scenarios[0].simulation.seed == 7
    assert found.record["replications"] == found.to_dict()["replications"] > 0
    with pytest.raises(AssertionError, match="all of this is finished"):
        ask(**SPARES, seed=7, force=True, executor=Idle())
    assert ask(**SPARES, seed=7, force=True, progress=events).record["asked"] == SPARES
    assert len(events.said) == 1


CUTS = [(Path, "unlink"), (shards, "hand_over"), (os, "replace"), (run_folders, "write_json")]


@pytest.mark.parametrize("cut", CUTS, ids=lambda cut: cut[1])
def test_a_shard_that_is_cut_short_in_the_end_loses_nothing(
    cut: tuple[Any, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask = partial(cs.shard, "1/2", cs.sweep, tiny(), tmp_path / "a", workers=1, **SPARES)
    folder, real = ask().folder, os.replace

    def stop(path: Any, *others: Any, **_: Any) -> None:
        if cut[1] not in ("replace", "unlink") or path.name == KEY_FILE:
            raise KeyboardInterrupt
        real(path, *others) if others else path.exists() and os.unlink(path)

    with monkeypatch.context() as patch:
        patch.setattr(*cut, stop)
        with pytest.raises(KeyboardInterrupt):
            ask(seed=8)
    with pytest.raises(ChoiceError, match="a shard that is not finished; go on with --resume"):
        Shard.load(folder)
    assert ask(seed=8, resume=True, executor=Idle()).scenarios[0].simulation.seed == 8
    assert sorted(os.listdir(folder)) == [SHARD, "sweep"]


@pytest.mark.parametrize("name", ["other", "small"])
def test_what_is_not_finished_of_another_question_is_no_part_of_a_shard(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask = partial(cs.shard, "1/2", cs.run, output=tmp_path / "run", workers=1)
    breaks_off(monkeypatch, 2, partial(ask, scenarios=given()))
    found = ask(scenarios=tiny(name=name))
    assert found.to_dict()["replications"] == 1
    (found.folder / "logs").mkdir()
    events = Events(None)
    assert ask(scenarios=given(), resume=True, progress=events).to_dict()["replications"] == 3
    assert "going on from 2 finished replications" in events.said[0]
    assert sorted(os.listdir(found.folder)) == ["logs", SHARD, "small"]


def test_what_another_state_of_the_program_left_of_a_study_is_no_part_of_a_shard(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask = partial(cs.shard, "1/2", cs.sweep, tiny(), tmp_path / "a", workers=1, **SPARES)
    with monkeypatch.context() as patch:
        patch.setattr(study, "source", lambda: "another state")
        breaks_off(monkeypatch, 2, ask)
    with pytest.raises(AssertionError, match="all of this is finished"):
        ask(resume=True, executor=Idle())


def test_values_that_are_read_once_and_numbers_of_numpy_are_written_down_before(tmp_path: Path) -> None:
    for number in (1, 2):
        values = (each for each in np.arange(2))
        cs.shard(f"{number}/2", cs.sweep, tiny(), tmp_path / "a", vary={"cluster.spares": values}, workers=1)
    cs.merge(tmp_path / "a-shards", executor=Idle())
    cs.sweep(tiny(), tmp_path / "whole", **SPARES, workers=1)
    assert files(tmp_path / "a") == files(tmp_path / "whole")


@pytest.mark.parametrize("text", ["{", "{}"])
def test_a_shard_whose_file_is_not_its_own_is_gone_on_from_without_it(text: str, tmp_path: Path) -> None:
    ask = partial(cs.shard, "1/1", cs.run, tiny(), tmp_path / "a")
    file = ask(workers=1).folder / SHARD
    file.write_text(text)
    for how in (partial(ask, force=True), partial(cs.merge, tmp_path / "a-shards")):
        with pytest.raises(ChoiceError, match=r"shard.json: not .*; move it away, and begin"):
            how()
    file.unlink()
    assert ask(resume=True, executor=Idle()).record["replications"] == 2


def test_a_shard_says_what_it_is_and_how_long_it_took(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shards, "time", SimpleNamespace(perf_counter=iter((1.0, 3.23456)).__next__))
    how = cs.Settings(workers=1, seed=7)
    found = cs.shard("2/2", cs.run, tiny(), f"{tmp_path}/run/", settings=how)
    assert found.to_dict() == {
        "study": "run",
        "shard": 2,
        "of": 2,
        "replications": 1,
        "output": str(tmp_path / "run-shards" / "2-of-2"),
        "scenario_hash": given("6 h", 2, simulation=tiny().document["simulation"] | {"seed": 7}).hash,
    }
    assert sorted(os.listdir(found.folder)) == [SHARD, "small"]
    assert found.record["wall_s"] == 2.235
    assert abs(datetime.fromisoformat(found.record["finished"]) - datetime.now(UTC)) < timedelta(minutes=5)


@pytest.mark.parametrize("names", [[], ["chen-100k"]], ids=["every shipped case", "a shipped case"])
def test_published_cases_have_no_hash(names: list[str]) -> None:
    record = {"study": "validate", "shard": 1, "of": 2, "replications": 1, "scenarios": names}
    assert Shard(Path("1-of-2"), Part(1, 2), record).to_dict()["scenario_hash"] is None


@pytest.mark.parametrize("question", [cs.validate, cs.sweep])
def test_a_file_is_taken_as_it_was_when_a_shard_was_simulated(question: Any, tmp_path: Path) -> None:
    file, own = tmp_path / "own.yaml", tiny(name="own", **PUBLISHED)
    file.write_text(dump(own))
    asked = Question(question, file)
    if question is cs.sweep:
        asked = Question(question, tiny(), SPARES | {"designs": [str(file)]})
    changes = {"overrides": {"recovery.stages.restart": "20 min"}, "seed": 3}
    expected = asked(tmp_path / "whole", workers=1, **changes).to_dict()
    folders = shards_of(asked, tmp_path / "out", 2, **changes)
    file.write_text(dump(own).replace("gpus: 64", "gpus: 128"))
    found = cs.merge(folders, executor=Idle()).answer.to_dict()
    if question is cs.sweep:
        assert found["points"] == expected["points"]
    else:
        assert found["cases"][0]["simulated"] == expected["cases"][0]["simulated"]
        assert Shards.of(folders).to_dict()["scenario_hash"] == own.hash


def test_settings_of_a_merge_change_nothing_in_what_was_asked(tmp_path: Path) -> None:
    without_nodes = tiny(failures={"job": {"per": "job", "mtbf": "1 h"}})
    shards_of(Question(cs.compare, [tiny()]), tmp_path / "a", 2, overrides={"failures.node": None})
    how = cs.Settings(
        seed=7, horizon="1 h", overrides={"cluster.spares": 0}, incidents=False, executor=Idle()
    )
    merged = cs.merge(tmp_path / "a-shards", settings=how)
    assert merged.answer.results[0].scenario == without_nodes
    assert not (tmp_path / "a" / "small" / "incidents.parquet").exists()
    assert (merged.to_dict()["points"], merged.to_dict()["study"]) == (1, "compare")


def test_a_merge_takes_what_shards_hold_and_leaves_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders = shards_of(Question(cs.run, tiny()), tmp_path / "run", 2)
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "notes.txt").touch()
    with pytest.raises(RunError, match="holds something else than a run"):
        cs.merge(folders, tmp_path / "taken")
    with monkeypatch.context() as patch:
        patch.setattr(Results, "save", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(Interrupted, match=r"^interrupted$"):
            cs.merge(folders, tmp_path / "out")
    assert hidden(tmp_path) == []
    shutil.copytree(folders[0] / "small", tmp_path / ".out.partial")
    for said in (["throwing away 1 replication of what was not", "going on from 2"], ["going on from 2"]):
        events = Events(None)
        cs.merge(folders, tmp_path / "out", executor=Idle(), progress=events)
        assert [part in each for part, each in zip(said, events.said, strict=True)] == [True] * len(said)
    assert hidden(tmp_path) == []


def test_a_merge_replaces_no_other_run_that_could_not_be_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders, place = shards_of(Question(cs.run, tiny()), tmp_path / "run", 2), tmp_path / "volume"
    monkeypatch.setattr(os.path, "ismount", lambda path: Path(path) == place)
    other = cs.run(tiny(), place, workers=1, seed=7).summary
    with pytest.raises(RunError, match=r"volume: holds another run, of 20.*; give another -o$"):
        cs.merge(folders, place)
    assert Results.load(place).summary == other
    for how in ({"force": True}, {}):
        cs.merge(folders, place, executor=Idle(), **how)
        assert Results.load(place).scenario == tiny()


def test_missing_shards_are_named(tmp_path: Path) -> None:
    first, *_ = shards_of(Question(cs.run, tiny()), tmp_path / "run", 2)
    with pytest.raises(ChoiceError, match=r"1 shard is missing: [12]/2; simulate what is missing first"):
        cs.merge(first)
    record = json.loads((first / SHARD).read_text())
    for of, listed in ((13, "12 shards are missing: 1/13, .*, 13/13;"), (40, "39 .*, 12/40 and 27 more;")):
        (first / SHARD).write_text(json.dumps(record | {"of": of, "shard": 12 if of == 13 else 20}))
        with pytest.raises(ChoiceError, match=listed):
            cs.merge(first)
    assert Shards.of([first]).to_dict() == {
        "study": "run",
        "shards": {"expected": 40, "found": 1, "missing": [*range(1, 20), *range(21, 41)]},
        "complete": False,
        "points": None,
        "output": None,
        "scenario_hash": tiny().hash,
        "summary": None,
    }
    with pytest.raises(ChoiceError, match="no shards are given; name their folders"):
        cs.merge([])


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
    shards_of(Question(cs.run, tiny()), tmp_path / "run", 2)
    path = tmp_path / "run-shards" / "2-of-2" / SHARD
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(ChoiceError, match=why):
        cs.merge(tmp_path / "run-shards")


def test_scenarios_that_differ_are_told_apart_by_their_values(tmp_path: Path) -> None:
    one = cs.shard("1/2", cs.run, tiny(), tmp_path / "a").folder
    other = cs.shard("2/2", cs.run, tiny(), tmp_path / "b", seed=7).folder
    with pytest.raises(ChoiceError, match=r"simulation.seed is 7 there, and not given in the first"):
        cs.merge([one, other])


def test_shards_of_another_version_are_not_merged(tmp_path: Path) -> None:
    for folder in shards_of(Question(cs.run, tiny()), tmp_path / "run", 2):
        record = json.loads((folder / SHARD).read_text())
        (folder / SHARD).write_text(json.dumps(record | {"source": "0"}))
    with pytest.raises(ChoiceError, match=r"simulated with source 0, and here it is \w+; merge where"):
        cs.merge(tmp_path / "run-shards")


@pytest.mark.parametrize("which", ["0/4", "5/4", "1", "1/0", "a/b", "-1/4", "1/2/3", ""])
def test_a_shard_that_is_none_is_refused(which: str, tmp_path: Path) -> None:
    with pytest.raises(ChoiceError, match=r"shard: .* is none; the third of sixteen is 3/16"):
        cs.shard(which, cs.run, tiny(), tmp_path / "run")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there_is_called_so_and_the_shards_beside_it_are_named(tmp_path: Path) -> None:
    with pytest.raises(ChoiceError, match=r"/none: no such folder$"):
        cs.merge(tmp_path / "none")
    cs.shard("1/2", cs.run, tiny(), tmp_path / "run")
    with pytest.raises(ChoiceError, match=r"/run: no such folder; its shards are in /.*/run-shards$"):
        cs.merge(tmp_path / "run")
    (tmp_path / "run" / "tune").mkdir(parents=True)
    with pytest.raises(ChoiceError, match=r"/run: no shard in it; its shards are in /.*/run-shards$"):
        cs.merge(tmp_path / "run")
    (tmp_path / "file").touch()
    with pytest.raises(ChoiceError, match=r"/file: no shard; name the shards, or a folder that holds"):
        cs.merge(tmp_path / "file")
    (tmp_path / "run-shards" / ".cache").mkdir()
    (tmp_path / "run-shards" / "slurm-7.out").touch()
    assert list(Shards.of([tmp_path / "run-shards"]).found) == [1]
    (tmp_path / "run-shards" / "logs").mkdir()
    with pytest.raises(ChoiceError, match=r"/logs: no shard; name the shards, or"):
        cs.merge(tmp_path / "run-shards")


def test_what_chooses_as_it_goes_has_no_shards(tmp_path: Path) -> None:
    with pytest.raises(ChoiceError, match="solve chooses what it simulates by what came"):
        cs.shard("1/2", cs.solve, tiny(), tmp_path / "a", path="checkpoint.blocks", until="ettr >= 0.9")
    in_full = {"simulate": True, "over": SPARES["vary"], "executor": Idle()}
    with pytest.raises(ChoiceError, match="a tuning like this has no shards"):
        cs.shard("1/2", cs.tune, tiny(), tmp_path / "b", **in_full)
    for question in (cs.run, cs.compare, cs.levers):
        with pytest.raises(ChoiceError, match="how many replications a precision takes is known"):
            cs.shard("1/2", question, [tiny()], tmp_path / "c", precision=0.01)
    precise = tiny(simulation={"horizon": "1 d", "precision": "1 pp"})
    finished = cs.shard("1/2", cs.run, tiny(), tmp_path / "d").folder
    with pytest.raises(ChoiceError, match="small: how many replications a precision takes is known only"):
        cs.shard("1/2", cs.run, precise, tmp_path / "d")
    assert (finished / SHARD).is_file()
    for name, count in (("levers", 0), ("levers", 2), ("run", 0)):
        with pytest.raises(ChoiceError, match=f"{name}: {count} scenarios are given; give one"):
            cs.shard("1/2", name, [tiny()] * count, tmp_path / "e")


@pytest.mark.parametrize("question", [cs.run, cs.compare, cs.validate, cs.levers])
def test_a_keyword_that_nobody_knows_is_refused(question: Any, tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="replicatons"):
        cs.shard("1/2", question, [tiny(**PUBLISHED)], tmp_path / "out", replicatons=4)
