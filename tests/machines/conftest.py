"""Machines for the tests: one process, Dask's threads, Dask's processes; and nothing that may hang."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

import clustersim as cs
from clustersim import dask_workers
from clustersim.scenario.model import Scenario

LONGEST = 240
"""Seconds after which a test of this folder has failed, whatever it waits for."""


@pytest.fixture(autouse=True)
def in_time(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let no test wait for ever; workers that are missing are missed soon."""

    def too_long(number: int, frame: FrameType | None) -> None:
        raise TimeoutError(f"a test has taken {LONGEST} s")

    monkeypatch.setattr(dask_workers, "WORKERS_S", 60.0)
    before = signal.signal(signal.SIGALRM, too_long)
    signal.alarm(LONGEST)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


def scenario(**simulation: Any) -> Scenario:
    """A job of 64 cards that fails once an hour, for a moment of computing."""
    return Scenario.model_validate(
        {
            "name": "small",
            "cluster": {"gpus": 64, "spares": 1},
            "failures": {
                "job": {"per": "job", "mtbf": "1 h"},
                "node": {"per": "node", "mtbf": "20 d", "repair": "8 h"},
            },
            "checkpoint": {"interval": "30 min", "blocks": "1 min"},
            "recovery": {"stages": {"detect": "1 min", "restart": "4 min"}},
            "simulation": {"horizon": "4 d", "replications": 24} | simulation,
        }
    )


def run(place: Path, **how: Any) -> None:
    """A run with its tables."""
    cs.run(scenario(), place, **how)


def sweep(place: Path, **how: Any) -> None:
    """A sweep of two places, each point with its best interval."""
    vary = {"checkpoint.blocks": "10s..90s:3", "recovery.stages.restart": "1min,8min"}
    cs.sweep(scenario(replications=6), place, vary=vary, retune=True, **how)


def tune(place: Path, **how: Any) -> None:
    """A tuning, scored on common outages."""
    cs.tune(scenario(), place, candidates=8, **how)


QUESTIONS: dict[str, Callable[..., None]] = {"run": run, "sweep": sweep, "tune": tune}


def files(place: Path) -> dict[str, bytes]:
    """Return all files of an answer that must not depend on who simulated it."""
    names = {path.name for path in place.iterdir()} - {"provenance.json"}
    return {name: (place / name).read_bytes() for name in sorted(names)}


@pytest.fixture(scope="session")
def alone(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, bytes]]:
    """The files of each answer by one process."""
    base = tmp_path_factory.mktemp("alone")
    for name, ask in QUESTIONS.items():
        ask(base / name, workers=1)
    return {name: files(base / name) for name in QUESTIONS}
