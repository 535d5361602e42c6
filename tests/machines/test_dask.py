"""Dask: the same bytes on threads, processes and what is left of them; and what is said where it fails."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import clustersim as cs
from clustersim import dask_workers, workers
from clustersim.records import Records
from clustersim.store import Measured, Measurements, RunError
from tests.machines.conftest import QUESTIONS, Events, files, scenario

distributed = pytest.importorskip("distributed", reason="Dask is not installed: pip install .[dask]")
questions = pytest.mark.parametrize("name", QUESTIONS)
SCHEDULER = """
from distributed import LocalCluster
options = {"n_workers": 1, "threads_per_worker": 1, "processes": False, "dashboard_address": ":0"}
with LocalCluster(**options, protocol="tcp://") as cluster:
    print(cluster.scheduler_address, flush=True)
    input()
"""
run = QUESTIONS["run"]
Bytes = dict[str, dict[str, bytes]]


@pytest.fixture(scope="module")
def threads() -> Iterator[Any]:
    """A client with two threads of this process."""
    with distributed.Client(
        processes=False, n_workers=1, threads_per_worker=2, dashboard_address=":0", set_as_default=False
    ) as client:
        yield client


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """A cluster of two worker processes, which come back when they are killed."""
    with (
        workers.without_main(),
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=":0", silence_logs=50, memory_limit=0
        ) as cluster,
    ):
        yield cluster


@questions
@pytest.mark.parametrize("way", ["address", "client", "executor"])
def test_threads_of_dask_give_the_same_bytes(
    name: str, way: str, alone: Bytes, tmp_path: Path, threads: Any
) -> None:
    executors = {
        "address": f"dask:{threads.scheduler.address}",
        "client": threads,
        "executor": threads.get_executor(),
    }
    QUESTIONS[name](tmp_path / name, executor=executors[way])
    assert files(tmp_path / name) == alone[name]
    assert threads.status == "running"


@questions
def test_processes_of_dask_give_the_same_bytes_though_one_is_killed(
    name: str, alone: Bytes, tmp_path: Path, cluster: Any
) -> None:
    pid = next(iter(cluster.workers.values())).pid

    def kill() -> None:
        os.kill(pid, signal.SIGKILL)

    events = Events(kill)
    QUESTIONS[name](tmp_path / name, executor=f"dask:{cluster.scheduler_address}", progress=events)
    assert events.act is None
    assert files(tmp_path / name) == alone[name]


def test_what_a_study_measures_is_measured_where_it_was_simulated(
    threads: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    came, real = set[type](), Measurements.put

    def put(self: Measurements, records: Any) -> None:
        came.add(type(records))
        real(self, records)

    monkeypatch.setattr(Measurements, "put", put)
    claims = {
        "gain": {"figure": "ettr", "at_least": "1 pp", "minus": {}, "change": {"checkpoint.blocks": "1 s"}},
        "share": {"figure": {"share": "lost"}, "at_least": 0.0},
    }
    claims = {name: {"says": name, "kind": "band", **claim} for name, claim in claims.items()}
    given = scenario(replications=4)
    given = given.model_validate(given.document | {"published": {"source": "nobody", "claims": claims}})
    there, here = (cs.validate(given, **how).saved() for how in ({"executor": threads}, {"workers": 1}))
    assert there == here
    assert came == {Measured, Records}


def test_a_scenario_travels_once_and_bundles_are_long_enough(
    threads: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent, bundles = list[int](), list[list[int]]()
    real = dask_workers._Tasks.submit

    def submit(self: Any, bundle: list[workers.Batch]) -> None:
        bundles.append([len(batch.replications) for batch in bundle])
        real(self, bundle)
        sent.append(len(self._sent))

    monkeypatch.setattr(dask_workers._Tasks, "submit", submit)
    cs.run(scenario(replications=400, horizon="1 d"), executor=threads)
    assert sum(map(sum, bundles)) == 400
    assert set(sent) == {1}
    assert len(bundles) <= 4 * 2 + 1  # four for each thread, where all take less than a second


def test_a_cluster_of_its_own(alone: Bytes, tmp_path: Path) -> None:
    run(tmp_path / "run", executor="dask", workers=1)
    assert files(tmp_path / "run") == alone["run"]


def test_a_task_that_kills_its_workers_ends_the_run(
    cluster: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_: Any) -> None:
        os._exit(1)

    monkeypatch.setattr(cluster.scheduler, "allowed_failures", 0)
    monkeypatch.setattr(dask_workers, "simulated", die)
    with pytest.raises(RunError, match=r"several workers died over the same replications.*--resume"):
        run(tmp_path / "run", executor=f"dask:{cluster.scheduler_address}")


def test_a_scheduler_that_goes_away_ends_the_run_and_resume_goes_on(alone: Bytes, tmp_path: Path) -> None:
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", SCHEDULER], text=True, **pipes) as scheduler:
        assert scheduler.stdout is not None
        address = scheduler.stdout.readline().strip()
        with pytest.raises(RunError, match=r"the scheduler tcp://.* has gone away; .*--resume"):
            run(tmp_path / "run", executor=f"dask:{address}", progress=Events(scheduler.kill))
    # Dask gives its client a level of its own, and would log a traceback beside our sentence.
    assert not logging.getLogger("distributed.client").isEnabledFor(logging.ERROR)
    again = Events(None)
    run(tmp_path / "run", workers=1, resume=True, progress=again)
    assert "going on from" in again.said[0]
    assert files(tmp_path / "run") == alone["run"]


@pytest.mark.parametrize("name", ["clustersim", "source", "build", "Python", "numpy"])
def test_workers_that_differ_are_refused(
    name: str, threads: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = {**dask_workers.state(), name: "of another kind"}
    real = dask_workers.refuse_unlike
    monkeypatch.setattr(dask_workers, "refuse_unlike", lambda client: real(other))
    why = f"differs from this machine: {name} is .* there, and of another kind here; install the same"
    with pytest.raises(RunError, match=why):
        run(tmp_path / "run", executor=threads)


def test_workers_without_clustersim_are_refused(
    threads: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(*_: Any) -> None:
        raise ModuleNotFoundError("No module named 'clustersim'")

    monkeypatch.setattr(dask_workers, "simulated", missing)
    with pytest.raises(RunError, match=r"cannot load clustersim .*No module named.*; install it there"):
        run(tmp_path / "run", executor=threads)


def test_workers_that_never_come_are_missed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dask_workers, "SAY_S", 0.0)
    monkeypatch.setattr(dask_workers, "WORKERS_S", 0.5)
    events = Events(None)
    with (
        distributed.LocalCluster(n_workers=0, processes=False, dashboard_address=":0") as cluster,
        pytest.raises(RunError, match=r"no worker has joined the scheduler inproc://.*dask worker ADDRESS"),
    ):
        run(tmp_path / "run", executor=f"dask:{cluster.scheduler_address}", progress=events)
    assert len(events.said) == 1
    assert "waiting for a worker" in events.said[0]
