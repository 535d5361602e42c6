"""Experiments: the same numbers on any executor, and what is kept of an interrupted run."""

import json
import os
from collections.abc import Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from clustersim import experiment, workers
from clustersim.engine.replication import simulate
from clustersim.experiment import Interrupted, Point, run, run_all
from clustersim.folders import unfinished
from clustersim.records import Records
from clustersim.scenario.model import Scenario
from clustersim.settings import Settings
from clustersim.store import (
    ChoiceError,
    ColumnsOnDisk,
    ReplicationStore,
    RunError,
    UnfinishedFile,
    naming,
)
from clustersim.studies.compare import compare

COUNT = 6


def scenario(name: str = "small", **simulation: Any) -> Scenario:
    return Scenario.model_validate(
        {
            "name": name,
            "cluster": {"gpus": 64},
            "failures": {"job": {"per": "job", "mtbf": "6 h", "clock": "calendar"}},
            "checkpoint": {"interval": "30 min", "blocks": "1 min"},
            "recovery": {"stages": {"detect": "1 min", "restart": "4 min"}},
            "simulation": {"horizon": "5 d", "replications": COUNT} | simulation,
        }
    )


@pytest.fixture(scope="module")
def alone() -> dict[str, Any]:
    """The summary of an undisturbed run in one process."""
    return run(scenario(), workers=1).summary


class Counting(Executor):
    """Runs everything at once, in this thread, and counts."""

    def __init__(self) -> None:
        self.replications = 0

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        self.replications += len(args[-1])
        future: Future[Any] = Future()
        future.set_result(fn(*args, **kwargs))
        return future


class Notes:
    """Remembers what was said, and how far it went."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.steps: list[tuple[int, int]] = []

    def advance(self, done: int, wanted: int) -> None:
        self.steps.append((done, wanted))

    def say(self, message: str) -> None:
        self.said.append(message)


class Hears(Notes):
    """Hears each replication too."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[tuple[str, float]] = []

    def finished(self, scenario: str, ettr: float) -> None:
        self.heard.append((scenario, ettr))


@pytest.mark.parametrize("processes", [1, 2])
def test_each_replication_of_a_run_is_heard_of_once(
    alone: dict[str, Any], monkeypatch: pytest.MonkeyPatch, processes: int
) -> None:
    monkeypatch.setattr(workers, "WORTH_A_POOL", 0.0)
    hears = Hears()
    results = run(scenario(), workers=processes, progress=hears)
    assert results.summary == alone
    assert {name for name, _ in hears.heard} == {results.name}
    assert sorted(ettr for _, ettr in hears.heard) == pytest.approx(sorted(results.ettr_by_replication))


def test_worker_processes_give_the_same_numbers(
    alone: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "WORTH_A_POOL", 0.0)
    assert run(scenario(), workers=2).summary == alone


def test_other_peoples_executors_give_the_same_numbers(alone: dict[str, Any]) -> None:
    counting = Counting()
    assert run(scenario(), executor=counting).summary == alone
    assert counting.replications == COUNT
    with ThreadPoolExecutor(2) as threads:
        assert run(scenario(), executor=threads).summary == alone


def test_replications_on_disk_give_the_same_numbers(alone: dict[str, Any], tmp_path: Path) -> None:
    results = run(scenario(), tmp_path / "run", workers=1)
    assert results.summary == alone
    assert results.folder == tmp_path / "run"
    assert not unfinished(tmp_path / "run").exists()


def file_of(place: Path, of: Scenario, *, resume: bool = False) -> UnfinishedFile:
    return UnfinishedFile(unfinished(place), experiment.store_key(of), resume=resume)


def test_a_replication_reads_back_as_it_was(tmp_path: Path) -> None:
    one, file = simulate(scenario(), 0), file_of(tmp_path, scenario())
    kept = ReplicationStore(file=file)
    kept.put(one)
    file.release(keep=True)
    again = file_of(tmp_path, scenario(), resume=True)
    for back in (kept.finished[0], ReplicationStore(file=again).finished[0]):
        assert back.ledger == one.ledger
        assert np.array_equal(back.charges, one.charges)
        assert np.array_equal(back.curve, one.curve)
        assert back.strip == one.strip
        for table in ("incidents", "segments"):
            here, there = getattr(one, table), getattr(back, table)
            assert isinstance(there, ColumnsOnDisk)
            assert list(here) == list(there)
            for name in here:
                assert there[name].dtype == here[name].dtype
                assert np.array_equal(there[name], here[name])
    again.release(keep=False)
    assert not unfinished(tmp_path).exists()


def kept(place: Path, of: Scenario, numbers: Sequence[int]) -> None:
    """Leave finished replications behind, as an interrupted run does."""
    file = file_of(place, of)
    for number in numbers:
        ReplicationStore(file=file).put(simulate(of, number))
    file.release(keep=True)


def counted(place: Path, of: Scenario, **settings: Any) -> tuple[int, list[str], dict[str, Any]]:
    """Run and return how many replications were simulated, what was said, and the summary."""
    counting, notes = Counting(), Notes()
    (results,) = run_all([of], [place], Settings(executor=counting, progress=notes, **settings))
    return counting.replications, notes.said, results.summary


def test_resume_simulates_only_what_is_missing(alone: dict[str, Any], tmp_path: Path) -> None:
    kept(tmp_path / "run", scenario(), [0, 3])
    done, said, summary = counted(tmp_path / "run", scenario(), resume=True)
    assert done == COUNT - 2
    assert "going on from 2" in said[0]
    assert summary == alone


def test_without_resume_it_begins_again_and_says_so(tmp_path: Path) -> None:
    kept(tmp_path / "run", scenario(), [0, 3])
    done, said, _ = counted(tmp_path / "run", scenario())
    assert done == COUNT
    assert "--resume" in said[0]


def test_replications_of_another_scenario_are_not_taken_up(tmp_path: Path) -> None:
    kept(tmp_path / "run", scenario(seed=2), [0, 3])
    assert counted(tmp_path / "run", scenario(), resume=True)[0] == COUNT


def test_a_resumed_run_may_want_more_replications(tmp_path: Path) -> None:
    kept(tmp_path / "run", scenario(), [0, 1, 2, 3])
    done, _, summary = counted(tmp_path / "run", scenario(replications=9), resume=True)
    assert (done, summary["replications"]) == (5, 9)


def test_a_damaged_file_is_simulated_again(alone: dict[str, Any], tmp_path: Path) -> None:
    kept(tmp_path / "run", scenario(), [0, 1])
    (path,) = unfinished(tmp_path / "run").glob("*.npy")
    path.write_bytes(path.read_bytes()[:-1000])  # killed while it wrote the last one
    done, _, summary = counted(tmp_path / "run", scenario(), resume=True)
    assert done == COUNT - 1
    assert summary == alone


def test_a_finished_run_with_another_summary_is_made_again(tmp_path: Path) -> None:
    place = tmp_path / "run"
    counted(place, scenario())
    old = json.loads((place / "summary.json").read_text()) | {"schema_version": 1}
    (place / "summary.json").write_text(json.dumps(old))
    done, _, summary = counted(place, scenario())
    assert (done, summary["schema_version"]) == (COUNT, 2)


def test_a_finished_run_is_taken_as_it_is_unless_forced(tmp_path: Path) -> None:
    place = tmp_path / "run"
    assert counted(place, scenario())[0] == COUNT
    done, said, _ = counted(place, scenario())
    assert done == 0
    assert "--force" in said[0]
    assert counted(place, scenario(), force=True)[0] == COUNT
    assert counted(place, scenario(seed=2))[0] == COUNT


def test_a_run_without_incidents_is_not_enough_for_one_with(tmp_path: Path) -> None:
    place = tmp_path / "run"
    assert counted(place, scenario(), incidents=False)[0] == COUNT
    assert not (place / "incidents.parquet").exists()
    assert counted(place, scenario(), incidents=False)[0] == 0
    assert counted(place, scenario())[0] == COUNT
    assert counted(place, scenario(), incidents=False)[0] == 0


def test_another_version_does_not_count_as_finished(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "run"
    assert counted(place, scenario())[0] == COUNT
    monkeypatch.setattr(experiment, "VERSION", "99")
    assert counted(place, scenario())[0] == COUNT


def test_ctrl_c_keeps_what_is_finished(
    alone: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(given: Scenario, replication: int) -> Records:
        if replication == 4:
            raise KeyboardInterrupt
        return simulate(given, replication)

    with monkeypatch.context() as patch:
        patch.setattr(workers, "simulate", interrupted)
        with pytest.raises(Interrupted, match="4 finished replications are kept"):
            run(scenario(), tmp_path / "run", workers=1)
    assert not (tmp_path / "run").exists()
    done, _, summary = counted(tmp_path / "run", scenario(), resume=True)
    assert done == COUNT - 4
    assert summary == alone


def test_one_process_at_a_time_may_write_a_run(tmp_path: Path) -> None:
    file = file_of(tmp_path / "run", scenario())
    with pytest.raises(RunError, match="another clustersim"):
        run(scenario(), tmp_path / "run", workers=1)
    file.release(keep=True)
    run(scenario(), tmp_path / "run", workers=1)


def test_an_impossible_place_is_refused_before_anything_is_simulated(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine").write_text("")
    for place in ("file", "file/below", "full"):
        counting = Counting()
        with pytest.raises((RunError, OSError)):
            run(scenario(), tmp_path / place, executor=counting)
        assert counting.replications == 0
    (tmp_path / ".run.partial").mkdir()
    (tmp_path / ".run.partial" / "mine").write_text("")
    with pytest.raises(RunError, match="move it away"):
        run(scenario(), tmp_path / "run", workers=1)


def die(*_: object) -> None:
    os._exit(1)


def test_a_worker_that_dies_is_said_in_one_sentence() -> None:
    class Deadly(ProcessPoolExecutor):
        def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
            return super().submit(die)

    with Deadly(1) as executor, pytest.raises(RunError, match=r"a worker process died.*--resume"):
        run(scenario(), executor=executor)


def test_what_goes_wrong_in_a_worker_is_raised_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "WORTH_A_POOL", 0.0)
    broken = replace(scenario(), cluster=None)
    with pytest.raises(AttributeError):
        experiment.simulate_all([Point.of(broken, ReplicationStore())], Settings(workers=2))


def test_precision_adds_replications_until_it_is_met() -> None:
    precise = Scenario.model_validate(
        scenario().document | {"simulation": {"horizon": "2 d", "precision": "0.6 pp"}}
    )
    notes = Notes()
    summary = run(precise, workers=1, progress=notes).summary
    assert summary["precision"]["met"] is True
    assert summary["half_width"] <= 0.006
    assert summary["replications"] > 32
    assert notes.steps[-1] == (summary["replications"], summary["replications"])
    shorter = run(precise, replications=summary["replications"], workers=1).summary
    assert shorter["ettr"] == summary["ettr"]


def test_precision_does_not_depend_on_who_works(monkeypatch: pytest.MonkeyPatch) -> None:
    precise = {"precision": 0.006, "horizon": "2 d"}
    alone = run(scenario(), workers=1, **precise).summary
    monkeypatch.setattr(workers, "WORTH_A_POOL", 0.0)
    assert run(scenario(), workers=2, **precise).summary == alone


def test_two_stopping_rules_are_refused_and_a_new_one_replaces_the_files() -> None:
    with pytest.raises(ChoiceError, match="both"):
        run(scenario(), replications=3, precision="1 pp")
    assert run(scenario(), precision="50 pp").summary["replications"] == 32
    precise = Scenario.model_validate(
        scenario().document | {"simulation": {"horizon": "1 d", "precision": "1 pp"}}
    )
    assert run(precise, replications=3).summary["replications"] == 3


def test_overrides_change_the_scenario() -> None:
    results = run(scenario(), replications=2, seed=9, horizon="1 d", overrides={"checkpoint.blocks": "2 min"})
    assert results.scenario.checkpoint is not None
    assert results.scenario.tiers[0].blocks == 120
    assert (results.summary["seed"], results.summary["horizon_s"]) == (9, 86_400)


def test_progress_is_told() -> None:
    notes = Notes()
    run(scenario(), workers=1, progress=notes)
    assert [done for done, _ in notes.steps] == list(range(COUNT + 1))
    assert {wanted for _, wanted in notes.steps} == {COUNT}


def test_provenance_tells_how_a_run_was_made(tmp_path: Path) -> None:
    made = run(scenario(), tmp_path / "run", workers=1).provenance
    assert made["scenario_hash"] == scenario().hash
    assert (made["seed"], made["workers"], made["replications"]) == (1, 1, COUNT)
    assert set(made["libraries"]) >= {"numpy", "simpy"}
    assert made["wall_s"] >= 0


def test_compared_scenarios_share_workers_and_folder(tmp_path: Path) -> None:
    faster = Scenario.model_validate(
        scenario("faster").document | {"recovery": {"stages": {"restart": "1 min"}}}
    )
    comparison = compare([scenario(), faster], tmp_path / "both", workers=1)
    assert comparison.differences[0].ettr.mean > 0
    assert {path.name for path in (tmp_path / "both").iterdir()} == {"small", "faster", "comparison.json"}
    with pytest.raises(ChoiceError, match="share a folder"):
        compare([scenario(), scenario()])
    with pytest.raises(ChoiceError, match="small, faster"):
        compare([scenario(), faster], baseline="nobody")
    with pytest.raises(RunError, match="cannot hold several"):
        compare([scenario(), faster], tmp_path / "both" / "small")


def test_batches_cover_what_is_missing_and_share_it_out() -> None:
    store = ReplicationStore()
    store.put(replace(simulate(scenario(), 0), replication=5))
    points = [Point.of(scenario(replications=40), store)]
    cut = experiment.batches(points, 2)
    assert sorted(n for batch in cut for n in batch.replications) == [n for n in range(40) if n != 5]
    assert len(cut) >= 8


def test_another_scenario_never_costs_finished_replications(alone: dict[str, Any], tmp_path: Path) -> None:
    place = tmp_path / "run"
    kept(place, scenario(), [0, 3])
    for resume in (True, False):
        kept(place, scenario(seed=2), [1])
        file = file_of(place, scenario(seed=3), resume=resume)
        assert len(file.others) == 2
        file.release(keep=False)
    done, said, _ = counted(place, scenario(seed=4), resume=True)
    assert done == COUNT
    assert "replications of another scenario or version are kept in" in said[0]
    done, said, summary = counted(tmp_path / "run", scenario(), resume=True)
    assert done == COUNT - 2
    assert "going on from 2" in said[0]
    assert summary == alone
    assert counted(place, scenario(seed=2), resume=True)[0] == COUNT - 1
    assert not unfinished(place).exists()


def test_a_damaged_end_of_what_is_kept_costs_only_that(tmp_path: Path) -> None:
    for noise in (
        b"\x93NUMPY\x01\x00",
        b"noise",
        b"\x93NUMPY\x01\x00v\x00{'descr': '<f8', 'shape': (10**15,)}",
    ):
        kept(tmp_path / "run", scenario(), [0, 3])
        with (unfinished(tmp_path / "run") / "finished.npy").open("ab") as file:
            file.write(noise)
        assert counted(tmp_path / "run", scenario(), resume=True, force=True)[0] == COUNT - 2


def test_a_damaged_or_older_run_is_simulated_again_and_said_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "run"
    counted(place, scenario())
    (place / "incidents.parquet").write_bytes(b"noise")
    done, said, _ = counted(place, scenario())
    assert done == COUNT
    assert "incidents.parquet: has changed since it was written" in said[0]
    monkeypatch.setattr(experiment, "source", lambda: "another state")
    done, said, _ = counted(place, scenario())
    assert done == COUNT
    assert "held another run, which is kept with its studies and its report as" in said[0]
    assert len(list(tmp_path.glob("run@20*"))) == 1


def test_a_mount_point_with_another_run_is_refused_before_anything_is_simulated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "run"
    counted(place, scenario())
    monkeypatch.setattr(os.path, "ismount", lambda path: Path(path) == place)
    counting = Counting()
    with pytest.raises(RunError, match=r"holds another run, of 20\d\d-.*, and is a mount point"):
        run(scenario(seed=2), place, executor=counting)
    assert counting.replications == 0
    assert counted(place, scenario(seed=2), force=True)[0] == COUNT


def test_a_study_of_another_scenario_beside_a_new_run_is_said(tmp_path: Path) -> None:
    (tmp_path / "run" / "tune").mkdir(parents=True)
    (tmp_path / "run" / "tune" / "tune.json").write_text('{"scenario_hash": "another"}')
    _, said, _ = counted(tmp_path / "run", scenario())
    assert "tune: stays, and is of another scenario or other settings than the run" in said[0]
    (tmp_path / "run" / "tune" / "tune.json").write_text(f'{{"scenario_hash": "{scenario().hash}"}}')
    assert counted(tmp_path / "run", scenario(), force=True)[1] == []


def test_a_full_disk_names_the_file(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No space") as caught, naming(tmp_path / "full"):
        raise OSError(28, "No space left on device")
    assert caught.value.filename == str(tmp_path / "full")
    with pytest.raises(OSError, match="is the disk full") as caught, naming(tmp_path / "full"):
        raise OSError("4096 requested and 0 written")
    assert caught.value.filename == str(tmp_path / "full")
