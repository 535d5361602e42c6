"""What a caller may say beside the scenario: what to change in it, what to run it on, where progress goes."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, field, fields, replace
from numbers import Integral
from os import PathLike
from pathlib import Path
from typing import Annotated, Any, NamedTuple, Protocol, runtime_checkable

from clustersim.scenario import Scenario, load
from clustersim.scenario.keys.blocks import unknown
from clustersim.scenario.loading import overridden
from clustersim.store import ChoiceError
from clustersim.units import format_points, shown

ScenarioSource = Scenario | str | PathLike[str]
"""A scenario that is loaded, a file, or the name of a shipped one."""
Output = str | PathLike[str] | None
"""The folder for an answer, if it is to be written."""


LOCAL = "local"
EXECUTORS = re.compile(f"{LOCAL}|dask(:.+)?", re.DOTALL)
"""What `executor` may say."""


class Part(NamedTuple):
    """One of several equal parts of what is to be simulated, numbered from 1: a shard."""

    number: int
    of: int

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"

    @classmethod
    def parse(cls, text: str) -> Part:
        """Return the part that a text such as `3/16` names; raises ChoiceError where it names none."""
        found = re.fullmatch(r"(\d{1,6})/(\d{1,6})", text)
        part = cls(int(found[1]), int(found[2])) if found else cls(0, 0)
        if not 1 <= part.number <= part.of:
            raise ChoiceError(f"shard: {shown(text)} is none; the third of sixteen is 3/16, the last 16/16")
        return part

    def takes(self, index: int) -> bool:
        """Return whether this part simulates the replication, or the point, that is counted so, from 0."""
        return index % self.of == self.number - 1


class DaskClient(Protocol):
    """What is asked of a `distributed.Client`, which need not be installed."""

    def get_executor(self, **settings: Any) -> Any:
        """Return its executor."""

    def nthreads(self) -> Any:
        """Return the threads of each worker."""


class Progress(Protocol):
    """What is called with the progress of a simulation, and with what else there is to say."""

    def advance(self, done: int, wanted: int) -> None:
        """So many of the replications that are wanted so far are finished."""

    def say(self, message: str) -> None:
        """One sentence about the run."""


@runtime_checkable
class LiveProgress(Progress, Protocol):
    """Progress that also hears each replication of a run as it is finished."""

    def finished(self, scenario: str, ettr: float) -> None:
        """One more replication of the scenario with this name is finished, with this ETTR."""


class Silent:
    """Nobody listens."""

    def advance(self, done: int, wanted: int) -> None:
        """Say nothing."""

    def say(self, message: str) -> None:
        """Say nothing."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How to simulate, for every function that does: what changes in the scenario, and what to run it on.

    `run`, `compare`, `validate` and the studies take `settings=Settings(...)`, or its fields as keywords of
    their own; a keyword goes over the settings.  Raises ChoiceError for replications beside a precision,
    and for values that are none.
    """

    seed: Annotated[int | None, "seed of the random numbers"] = None
    replications: Annotated[int | None, "how many independent histories"] = None
    precision: Annotated[
        float | str | None,
        "instead of how many: replicate until ETTR's half-width is met, a share such as 0.005, or 0.5 pp; not"
        " for studies, which compare on a fixed number",
    ] = None
    horizon: Annotated[str | None, "simulated time, such as 30 d"] = None
    overrides: Annotated[Mapping[str, Any], "values by dotted path, like --set; None deletes"] = field(
        default_factory=dict
    )
    workers: Annotated[int | None, "number of processes; one per core if left out"] = None
    executor: Annotated[
        Executor | DaskClient | str | None,
        "what to simulate on: local (this machine), dask (a Dask cluster of its own on this machine),"
        " dask:ADDRESS or dask:FILE of a scheduler, a distributed.Client, or any of concurrent.futures",
    ] = None
    part: Annotated[Part | None, "the part to simulate; set by `shard`"] = None
    resume: Annotated[bool, "go on from what an interrupted call has finished beside its output"] = False
    force: Annotated[bool, "simulate again even if finished"] = False
    incidents: Annotated[bool, "keep the large table of incidents in a run folder"] = True
    progress: Annotated[
        Progress,
        "who hears how far it is: advance(done, wanted), say(text), and of each replication of a run, if it"
        " is there, finished(scenario, ettr)",
    ] = field(default_factory=Silent)
    command: Annotated[str | None, "shown in reports as what made them"] = None

    def __post_init__(self) -> None:
        if self.replications is not None and self.precision is not None:
            raise ChoiceError("replications and precision both say when to stop; leave one out")
        for sentence in self._nonsense():
            raise ChoiceError(sentence)

    def _nonsense(self) -> Iterator[str]:
        """Yield what no part of a scenario says, and therefore nobody else refuses."""
        workers, width = self.workers, self.precision
        if workers is not None and (
            isinstance(workers, bool) or not isinstance(workers, Integral) or workers < 1
        ):
            yield f"workers: {shown(workers)} is no number of processes; give 1 or more, or leave it out"
        if isinstance(width, float | int) and not 0 < width < 1:
            yield f"precision: {shown(width)} is no half-width of a share; give one such as 0.005, or 0.5 pp"
        if isinstance(self.executor, str) and not EXECUTORS.fullmatch(self.executor):
            yield (
                f"executor: {shown(self.executor)} is none; give local, dask, dask:tcp://host:8786, or dask:"
                " with the path of a scheduler's file"
            )
        for path in self.overrides:
            if not isinstance(path, str):
                yield f"overrides: {shown(path)} is no dotted path; give one such as checkpoint.interval"

    @property
    def changes(self) -> dict[str, Any]:
        """What the settings change in a scenario, by dotted path."""
        width = self.precision
        named = {
            "seed": self.seed,
            "replications": self.replications,
            "precision": format_points(width) if isinstance(width, float | int) else width,
            "horizon": self.horizon,
        }
        given = {f"simulation.{name}": value for name, value in named.items() if value is not None}
        return {**self.overrides, **given}

    @property
    def without_changes(self) -> Settings:
        """The same settings for scenarios in which the changes are made already."""
        return replace(self, seed=None, replications=None, precision=None, horizon=None, overrides={})

    @property
    def processes(self) -> int:
        """Number of worker processes."""
        if self.workers is not None:
            return self.workers
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1

    def load(self, source: ScenarioSource) -> Scenario:
        """Return the scenario that *source* names, with the changes; raises ScenarioError for a faulty one.

        A new stopping rule, replications or precision, takes the place of the file's.
        """
        if isinstance(source, Scenario):
            return overridden(source, self.changes) if self.changes else source
        return load(Path(source) if isinstance(source, PathLike) else source, self.changes)


def merged(settings: Settings | None, keywords: Mapping[str, Any]) -> Settings:
    """Return *settings* with the values of *keywords* in place of its own; None stands for the default.

    Raises TypeError for a keyword that is none of its fields.
    """
    known = [each.name for each in fields(Settings)]
    for name in keywords:
        if name not in known:
            raise TypeError(unknown(name, known, f'"{name}" is not one of the settings'))
    given = {name: value for name, value in keywords.items() if value is not None}
    return replace(settings or Settings(), **given)
