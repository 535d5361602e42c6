"""Experiments: scenarios x replications on the machine's cores, kept as they finish, and what comes out.

The numbers never depend on the executor, on the number of workers, or on what an earlier run left behind.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import BrokenExecutor, Executor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from os import PathLike
from pathlib import Path
from typing import Any, Protocol

from clustersim import folders
from clustersim.estimate import looks, precise_enough
from clustersim.records import Records
from clustersim.results import Results
from clustersim.scenario.model import Scenario
from clustersim.store import DiskShelf, RunError, Shelf
from clustersim.summary import SCHEMA_VERSION
from clustersim.version import VERSION, build
from clustersim.workers import Batch, Local, Outside

Source = Scenario | str | PathLike[str]

SECONDS_PER_FAILURE = 15e-6
SECONDS_PER_REPLICATION = 3e-3
LIVELY = 0.5
LIBRARIES = ("numpy", "scipy", "simpy", "pandas", "pyarrow", "pydantic", "ruamel.yaml", "plotly")


class Progress(Protocol):
    """Whoever wants to know how far the simulation is, and what else there is to say."""

    def advance(self, done: int, wanted: int) -> None:
        """So many of the replications that are wanted so far are finished."""

    def say(self, message: str) -> None:
        """One sentence about the run."""


class Silent:
    """Nobody listens."""

    def advance(self, done: int, wanted: int) -> None:
        """Say nothing."""

    def say(self, message: str) -> None:
        """Say nothing."""


@dataclass(frozen=True)
class Settings:
    """How to run, none of which changes a number: where, on what, and what to keep.

    `workers` is the number of processes (default: one per core), ignored with an `executor` of one's own;
    `resume` takes up finished replications of an interrupted run; `force` simulates what is finished already.
    """

    workers: int | None = None
    executor: Executor | None = None
    resume: bool = False
    force: bool = False
    incidents: bool = True
    command: str | None = None
    progress: Progress = field(default_factory=Silent)

    @property
    def processes(self) -> int:
        """Number of worker processes."""
        if self.workers is not None:
            return self.workers
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@dataclass
class Point:
    """One scenario of an experiment, its finished replications, and how many it needs.

    `taken` are the seconds that simulating it has taken so far, on one core.
    """

    scenario: Scenario
    shelf: Shelf
    schedule: Iterator[int]
    wanted: int = 0
    taken: float = 0.0

    @classmethod
    def of(cls, scenario: Scenario, shelf: Shelf) -> Point:
        """Return the point with its schedule: a fixed number, or the looks of a run for a given precision."""
        fixed = scenario.simulation.precision is None
        point = cls(scenario, shelf, iter([scenario.simulation.replications]) if fixed else looks())
        point.wanted = next(point.schedule)
        return point

    @property
    def records(self) -> list[Records]:
        """The replications that count."""
        return self.shelf.first(self.wanted)

    def missing(self) -> list[int]:
        """Return what is still to be simulated, asking for more as long as the precision is not met."""
        while not (missing := self.shelf.missing(self.wanted)) and not self._satisfied():
            following = next(self.schedule, None)
            if following is None:
                return []
            self.wanted = following
        return missing

    def _satisfied(self) -> bool:
        asked = self.scenario.simulation.precision
        if asked is None:
            return True
        fails = self.scenario.mtbf is not None
        return precise_enough(self.shelf.ettr(self.wanted), asked, surprises=fails)


def expected_seconds(scenario: Scenario) -> float:
    """Return about how long one replication takes on one core, in seconds."""
    failures = scenario.end_s / scenario.mtbf if scenario.mtbf else 0.0
    return SECONDS_PER_REPLICATION + SECONDS_PER_FAILURE * failures


def batches(points: Sequence[Point], workers: int) -> list[Batch]:
    """Return all that is missing, in batches short enough to keep what finishes and to share evenly."""
    cut = []
    for place, point in enumerate(points):
        missing = point.missing()
        seconds = expected_seconds(point.scenario)
        size = max(min(int(LIVELY / seconds), len(missing) // (4 * workers)), 1)
        starts = range(0, len(missing), size)
        cut += [Batch(place, missing[start : start + size], seconds) for start in starts]
    return cut


def simulate_all(points: Sequence[Point], settings: Settings) -> None:
    """Simulate until every point has what it needs; each replication is put on its shelf as it finishes.

    Raises RunError where a worker process dies.
    """
    with simulator([point.scenario for point in points], settings) as hands:
        while work := batches(points, settings.processes):
            _tell(points, settings.progress)
            for batch, finished in hands.finished(work):
                points[batch.place].taken += batch.taken
                for records in finished:
                    points[batch.place].shelf.put(records)
                _tell(points, settings.progress)


def _tell(points: Sequence[Point], progress: Progress) -> None:
    wanted = sum(point.wanted for point in points)
    progress.advance(wanted - sum(len(point.shelf.missing(point.wanted)) for point in points), wanted)


@contextmanager
def simulator(scenarios: Sequence[Scenario], settings: Settings) -> Iterator[Outside | Local]:
    """Yield what simulates: the caller's executor, or this machine's processes, ended whatever happens.

    Raises RunError where a worker process dies.
    """
    local = Local(scenarios, settings.processes)
    try:
        yield local if settings.executor is None else Outside(scenarios, settings.executor)
        local.close()
    except BrokenExecutor as error:
        raise RunError(
            "a worker process died (killed, or out of memory?); what is finished is kept:"
            " go on with --resume, perhaps with fewer --workers"
        ) from error
    finally:
        local.kill()


class Interrupted(KeyboardInterrupt):
    """Ctrl-C, with what was kept."""


def run_all(
    scenarios: Sequence[Scenario], places: Sequence[Path | None], settings: Settings
) -> list[Results]:
    """Return the results of each scenario, saved in its place, where it has one.

    A finished run of the same scenario and version is read instead of simulated, unless `force`.  Raises
    RunError where a place cannot be written, before anything is simulated, and Interrupted on Ctrl-C.
    """
    found = [_finished(*pair, settings) for pair in zip(scenarios, places, strict=True)]
    todo = [number for number, results in enumerate(found) if results is None]
    with ExitStack() as stack:
        points = [Point.of(scenarios[n], _shelf(scenarios[n], places[n], settings, stack)) for n in todo]
        started = time.perf_counter()
        try:
            simulate_all(points, settings)
            taken = time.perf_counter() - started
            for number, point in zip(todo, points, strict=True):
                found[number] = _saved(point, places[number], settings, taken)
        except KeyboardInterrupt:
            raise Interrupted(_kept(points)) from None
    return [results for results in found if results is not None]


def _finished(scenario: Scenario, place: Path | None, settings: Settings) -> Results | None:
    """Return the finished run in *place*, where it is one of *scenario* by this version."""
    if place is None:
        return None
    folders.refuse_taken(place)
    if settings.force or not folders.is_run_folder(place):
        return None
    made = folders.read_json(place / folders.PROVENANCE)
    if (made.get("scenario_hash"), made.get("version")) != (scenario.hash, VERSION):
        return None
    if settings.incidents and not made.get("incidents"):
        return None
    if folders.read_json(place / folders.SUMMARY).get("schema_version") != SCHEMA_VERSION:
        return None
    settings.progress.say(f"{place}: simulated before, and taken as it is; --force simulates again")
    return Results.load(place)


def _shelf(scenario: Scenario, place: Path | None, settings: Settings, stack: ExitStack) -> Shelf:
    """Return where finished replications go: to the disk, beside the place of the run, or into memory."""
    if place is None:
        return Shelf()
    shelf = DiskShelf(folders.unfinished(place), shelf_key(scenario), resume=settings.resume)
    stack.callback(shelf.release)
    if shelf.discarded:
        settings.progress.say(
            f"{place}: {shelf.discarded} replications of an unfinished run are thrown away;"
            " --resume would have gone on from them"
        )
    elif shelf.finished:
        settings.progress.say(f"{place}: going on from {len(shelf.finished)} finished replications")
    return shelf


def shelf_key(scenario: Scenario) -> dict[str, str]:
    """Return of what the finished replications of *scenario* are, and how they are kept."""
    return {"work": work_key(scenario), "version": VERSION, "schema": str(SCHEMA_VERSION)}


def work_key(scenario: Scenario) -> str:
    """Return what a replication depends on, as a hash: the scenario without the number of replications."""
    document = scenario.document
    simulation = {**document.get("simulation", {}), "replications": None, "precision": None}
    text = json.dumps(document | {"simulation": simulation}, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _kept(points: Sequence[Point]) -> str:
    finished = sum(len(point.shelf.finished) for point in points)
    if not finished or not all(isinstance(point.shelf, DiskShelf) for point in points):
        return "interrupted"
    return f"interrupted; {finished} finished replications are kept: --resume goes on from them"


def _saved(point: Point, place: Path | None, settings: Settings, taken: float) -> Results:
    """Return the results of a point, written to *place* where there is one."""
    results = Results.of(point.scenario, point.records, provenance(point, settings, taken))
    if place is not None:
        results.save(place, incidents=settings.incidents)
        if isinstance(point.shelf, DiskShelf):
            point.shelf.remove()
    return results


def provenance(point: Point, settings: Settings, taken: float) -> dict[str, Any]:
    """Return how a run was made: all that may differ between two runs with the same numbers."""
    what = {
        "name": point.scenario.name,
        "scenario_hash": point.scenario.hash,
        "seed": point.scenario.simulation.seed,
        "replications": point.wanted,
        "incidents": settings.incidents,
    }
    return what | made(settings, taken)


def made(settings: Settings, taken: float) -> dict[str, Any]:
    """Return by what, when and where something was made; simulating has *taken* so many seconds."""
    from importlib.metadata import version

    return {
        "tool": folders.TOOL,
        "version": VERSION,
        "build": build(),
        "command": settings.command,
        "workers": settings.processes,
        "wall_s": round(taken, 3),
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": ".".join(map(str, sys.version_info[:3])),
        "platform": sys.platform,
        "libraries": {name: version(name) for name in LIBRARIES},
    }
