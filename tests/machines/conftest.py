"""Machines for the tests: one process, Dask's threads, Dask's processes; and nothing that may hang."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import FrameType, MappingProxyType
from typing import Any, NamedTuple

import pytest

import clustersim as cs
from clustersim import dask_workers
from clustersim.scenario.model import Scenario
from clustersim.settings import Silent

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


class Question(NamedTuple):
    """A function of the package, and what it is asked."""

    function: Callable[..., Any]
    given: Any
    asked: Mapping[str, Any] = MappingProxyType({})

    def __call__(self, place: Path, **how: Any) -> Any:
        """Ask it, with the answer written to *place*."""
        return self.function(self.given, place, **self.asked, **how)


VARY = {"checkpoint.blocks": "10s..90s:3", "recovery.stages.restart": "1min,8min"}
QUESTIONS = {
    "run": Question(cs.run, scenario()),
    "sweep": Question(cs.sweep, scenario(replications=6), {"vary": VARY, "retune": True}),
    "tune": Question(cs.tune, scenario(), {"candidates": 8, "over": {"cluster.spares": "0,1"}}),
}


class Events(Silent):
    """Does something when the first replication is finished."""

    def __init__(self, act: Any) -> None:
        self.act, self.said, self.done = act, list[str](), 0

    def advance(self, done: int, wanted: int) -> None:
        self.done = done
        if done and self.act:
            act, self.act = self.act, None
            act()

    def say(self, message: str) -> None:
        self.said.append(message)


def files(place: Path) -> dict[str, bytes]:
    """Return all files of an answer that must not depend on who simulated it."""
    paths = [path for path in sorted(place.rglob("*")) if path.is_file() and path.name != "provenance.json"]
    return {str(path.relative_to(place)): path.read_bytes() for path in paths}


@pytest.fixture(scope="session")
def alone(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, bytes]]:
    """The files of each answer by one process."""
    base = tmp_path_factory.mktemp("alone")
    for name, ask in QUESTIONS.items():
        ask(base / name, workers=1)
    return {name: files(base / name) for name in QUESTIONS}
