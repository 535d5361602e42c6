"""Experiments: scenarios x replications on the machine's cores, kept as they finish, and what comes out.

The numbers never depend on the executor, on the number of workers, or on what an earlier run left behind.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import BrokenExecutor, Executor
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from clustersim import folders
from clustersim.dask_workers import Dask
from clustersim.estimate import FIRST_LOOK, MOST_REPLICATIONS, awaited, looks, precise_enough, within_draws
from clustersim.formatting import counted
from clustersim.records import Records
from clustersim.results import Results, is_of_the_same
from clustersim.scenario import ScenarioError
from clustersim.scenario.describe import replication_s
from clustersim.scenario.drawing import drawn
from clustersim.scenario.first_order import stakes
from clustersim.scenario.model import Scenario
from clustersim.settings import LOCAL, LiveProgress, Output, Part, ScenarioSource, Settings, merged
from clustersim.store import ChoiceError, Measurements, ReplicationStore, RunError, UnfinishedFile
from clustersim.version import VERSION, build, source
from clustersim.workers import LIVELY, Batch, Hands, Local, Outside

LIBRARIES = ("numpy", "scipy", "simpy", "pandas", "pyarrow", "pydantic", "ruamel.yaml", "plotly")


@dataclass
class Point:
    """One scenario of an experiment, its finished replications, and how many it needs.

    `taken` are the seconds that simulating it has taken so far, on one core.  Of a scenario with uncertain
    inputs the first replications are those of draw 0, as many as it takes per draw, and so on; `draws` are
    the scenarios that were drawn.  How many it needs is `fixed`, or follows from a precision.
    """

    scenario: Scenario
    store: ReplicationStore
    schedule: Iterator[int]
    wanted: int = 0
    taken: float = 0.0
    draws: dict[int, Scenario] = field(default_factory=dict)
    fixed: bool = True

    @classmethod
    def of(cls, scenario: Scenario, store: ReplicationStore, count: int | None = None) -> Point:
        """Return the point with its schedule: *count* replications, or what the scenario asks for.

        That is a fixed number, or the looks of a run for a given precision.
        """
        simulation, first = scenario.simulation, FIRST_LOOK
        fixed = count is not None or simulation.precision is None
        if scenario.uncertain and not fixed:
            first = simulation.replications
        most = MOST_REPLICATIONS // scenario.uncertainty.per_draw * scenario.uncertainty.per_draw
        schedule = iter([count or simulation.replications]) if fixed else looks(most, first)
        return cls(scenario, store, schedule, next(schedule), fixed=fixed)

    @property
    def records(self) -> list[Records]:
        """The replications that count."""
        return self.store.first(self.wanted)

    def missing(self) -> list[int]:
        """Return what is still to be simulated, asking for more as long as the precision is not met."""
        while not (missing := self.store.missing(self.wanted)) and not self._satisfied():
            following = next(self.schedule, None)
            if following is None:
                return []
            self.wanted = following
        return missing

    def simulated(self, replications: Sequence[int]) -> Iterator[tuple[Scenario, Sequence[int]]]:
        """Yield what is simulated in these *replications*: the scenario, or each of its draws that is needed.

        Raises ScenarioError where what is drawn makes no scenario.
        """
        if not self.scenario.uncertain:
            yield self.scenario, replications
            return
        of_draw: dict[int, list[int]] = {}
        for replication in replications:
            of_draw.setdefault(replication // self.scenario.uncertainty.per_draw, []).append(replication)
        new = [draw for draw in of_draw if draw not in self.draws]
        self.draws |= zip(new, drawn(self.scenario, new), strict=True)
        yield from ((self.draws[draw], numbers) for draw, numbers in of_draw.items())

    def _satisfied(self) -> bool:
        goal = self.scenario.simulation.precision
        if goal is None:
            return True
        count, values = self.wanted, self.store.ettr(self.wanted)
        if self.scenario.uncertain:
            reached = within_draws(values, self.scenario.uncertainty.per_draw).half_width
            precise = reached is not None and reached <= goal
        else:
            precise = precise_enough(values, goal, surprises=self.store.drawn(count))
        return precise and not awaited(stakes(self.scenario), self.store.struck(count), count, goal)


def batches(
    points: Sequence[Point], workers: int, lively: float = LIVELY, part: Part | None = None
) -> list[Batch]:
    """Return all that is missing, in batches short enough to keep what finishes and to share evenly.

    They are expected to take *lively* seconds at most, unless a single replication takes longer.  With *part*
    it is only what belongs to that, whatever is finished already.
    """
    missing, before = list[list[int]](), 0
    for point in points:
        own = point.missing()
        missing.append([n for n in own if part is None or part.takes(before + n)])
        before += point.wanted
    share = sum(map(len, missing)) // (4 * workers)
    cut = []
    for place, point in enumerate(points):
        for scenario, numbers in point.simulated(missing[place]):
            seconds = replication_s(scenario)
            size = max(min(int(lively / seconds), share), 1)
            starts = range(0, len(numbers), size)
            kept = point.store.measures if isinstance(point.store, Measurements) else None
            cut += [
                Batch(place, scenario, numbers[start : start + size], seconds, measures=kept)
                for start in starts
            ]
    return cut


def simulate_all(
    points: Sequence[Point],
    settings: Settings,
    hands: Hands | None = None,
    heard: Callable[[str, float], None] | None = None,
) -> float:
    """Simulate until every point has what it needs, and return the seconds (s) that this took.

    Each replication is put in its store as it finishes.  The time is what `wall_s` is everywhere: that of
    simulating, without the start of the program, reading scenarios, scoring and writing results.

    On *hands* of a `simulator`, or on some of its own.  Each is *heard* of, by its scenario's name and ETTR.
    Raises RunError where a worker process dies.  Where only a part is to be simulated it raises PartDone when
    that is finished, and ChoiceError where a point asks for more as it goes.
    """
    started, part = time.perf_counter(), settings.part
    if part:
        _refuse_precision(points)
    with nullcontext(hands) if hands else simulator(settings) as working:
        while work := batches(points, working.processes, working.lively, part):
            wanted = sum(point.wanted for point in points) // (part.of if part else 1)
            done = max(wanted - sum(len(batch.replications) for batch in work), 0)
            settings.progress.advance(done, wanted)
            for batch, finished in working.finished(work):
                points[batch.place].taken += batch.taken
                for records in finished:
                    points[batch.place].store.put(records)
                    if heard:
                        heard(batch.scenario.name, records.ettr)
                done += len(finished)
                settings.progress.advance(done, max(done, wanted))
    if part:
        raise PartDone
    return time.perf_counter() - started


PRECISE = (
    "how many replications a precision takes is known only as they finish, so that they have no shards;"
    " give replications instead"
)


def _refuse_precision(points: Sequence[Point]) -> None:
    """Raise ChoiceError where one of the *points* asks for more replications as they finish."""
    for point in points:
        if not point.fixed:
            raise ChoiceError(f"{point.scenario.name}: {PRECISE}")


@contextmanager
def simulator(settings: Settings) -> Iterator[Hands]:
    """Yield what simulates: the caller's executor, a cluster, or this machine, ended whatever happens.

    Raises RunError where a worker process dies.
    """
    executor = settings.executor
    hands: Hands = Local(settings.processes)
    if isinstance(executor, Executor):
        hands = Outside(executor, settings.processes)
    elif executor not in (None, LOCAL):
        hands = Dask(executor, settings.processes, settings.progress.say)
    try:
        yield hands
        hands.close()
    except BrokenExecutor as error:
        raise RunError(
            "a worker process died (killed, or out of memory?); what is finished is kept:"
            " go on with --resume, perhaps with fewer --workers"
        ) from error
    finally:
        hands.kill()


class PartDone(RunError):  # noqa: N818 - like Interrupted it is no fault
    """The part that was asked for is simulated, and the rest is not: there is no answer yet."""


class Interrupted(KeyboardInterrupt):
    """Ctrl-C, with how many finished replications are *kept* on disk."""

    def __init__(self, kept: int) -> None:
        are, them = ("is", "it") if kept == 1 else ("are", "them")
        go_on = f"; {counted(kept, 'finished replication')} {are} kept: --resume goes on from {them}"
        super().__init__(f"interrupted{go_on if kept else ''}")
        self.kept = kept


def run(
    scenario: ScenarioSource, output: Output = None, *, settings: Settings | None = None, **keywords: Any
) -> Results:
    """Simulate a scenario (one loaded, a file, or a shipped name) and return its results.

    With *output* they are written to that run folder; a finished run of the same scenario there is read
    instead (unless `force`), and an interrupted one is gone on from with `resume`.  Keywords are fields of
    `Settings`: `run("chen-100k", replications=8, horizon="5 d")`.  Raises ScenarioError for a faulty scenario
    and RunError where the run cannot go on.
    """
    how = merged(settings, keywords)
    return run_all([how.load(scenario)], [None if output is None else Path(output)], how)[0]


def run_all(
    scenarios: Sequence[Scenario], places: Sequence[Path | None], settings: Settings
) -> list[Results]:
    """Return the results of each scenario, saved in its place, where it has one.

    A finished run of the same scenario and version is read instead of simulated, unless `force`.  Raises
    RunError where a place cannot be written, before anything is simulated, and Interrupted on Ctrl-C.
    """
    answers = [_finished(*pair, settings) for pair in zip(scenarios, places, strict=True)]
    todo = [number for number, results in enumerate(answers) if results is None]
    with ExitStack() as stack:
        points = []
        for n in todo:
            held = resumable(settings, places[n], store_key(scenarios[n]), "run", f"{places[n]}: ")
            points.append(Point.of(scenarios[n], ReplicationStore(file=stack.enter_context(held))))
        progress = settings.progress
        taken = simulate_all(
            points, settings, heard=progress.finished if isinstance(progress, LiveProgress) else None
        )
        for number, point in zip(todo, points, strict=True):
            answers[number] = _saved(point, places[number], settings, taken)
    return [results for results in answers if results is not None]


@contextmanager
def resumable(
    settings: Settings, place: Path | None, key: Mapping[str, str], what: str, where: str = ""
) -> Iterator[UnfinishedFile | None]:
    """Yield the file for what is finished of *what* goes to *place*; none without a place.

    It is gone in the end, unless something breaks off: then `settings.resume` goes on from it.  Raises
    Interrupted on Ctrl-C.
    """
    file = UnfinishedFile(folders.unfinished(place), key, resume=settings.resume) if place else None
    if file and file.discarded:
        settings.progress.say(
            f"{where}throwing away {counted(file.discarded, 'replication')} of an unfinished {what};"
            " --resume would have gone on from there"
        )
    elif file and file.count:
        settings.progress.say(f"{where}going on from {counted(file.count, 'finished replication')}")
    if file and file.others:
        settings.progress.say(
            f"{where}replications of another scenario or version are kept in {file.path.parent}:"
            f" that {what} goes on from them with --resume"
        )
    finished = False
    try:
        yield file
        finished = True
    except KeyboardInterrupt as stop:
        raise Interrupted((file.count if file else 0) + getattr(stop, "kept", 0)) from None
    finally:
        if file:
            file.release(keep=not finished)


def _finished(scenario: Scenario, place: Path | None, settings: Settings) -> Results | None:
    """Return the finished run in *place*, where it is one of *scenario* by this state of this version.

    Raises RunError where another one is there that could neither be kept nor may be replaced.
    """
    if place is None:
        return None
    folders.refuse_taken(place)
    if not settings.force:
        refuse_lost(scenario, place, "give another -o, or --force to replace it")
    if not folders.is_run_folder(place):
        return None
    made = folders.read_json(place / folders.PROVENANCE)
    if not is_of_the_same(made, identity(scenario)):
        return None
    if settings.force or (settings.incidents and not made.get("incidents")):
        return None
    try:
        results = Results.load(place)
        results.check_files()
    except (RunError, ScenarioError) as error:
        settings.progress.say(f"{place}: simulated before, but {str(error).splitlines()[0]}; simulated again")
        return None
    settings.progress.say(f"{place}: simulated before, and taken as it is; --force simulates again")
    return results


def refuse_lost(scenario: Scenario, place: Path, remedy: str) -> None:
    """Raise RunError where *place* is a mount point with a run of another scenario, which cannot be kept."""
    if not os.path.ismount(place) or not folders.is_run_folder(place):
        return
    made = folders.read_json(place / folders.PROVENANCE)
    if not is_of_the_same(made, identity(scenario)):
        raise RunError(
            f"{place}: holds another run, of {made.get('finished')}, and is a mount point, which can have"
            f" no other name; {remedy}"
        )


def identity(scenario: Scenario) -> dict[str, str]:
    """Return what a run of *scenario* by this state of this version has in its provenance."""
    return {"scenario_hash": scenario.hash, "version": VERSION, "source": source()}


def store_key(scenario: Scenario) -> dict[str, str]:
    """Return of what the finished replications of *scenario* are, and how they are kept."""
    return {"work": work_key(scenario), "version": VERSION, "source": source()}


def work_key(scenario: Scenario) -> str:
    """Return what a replication depends on, as a hash: the scenario without the number of replications."""
    document = scenario.document
    simulation = {**document.get("simulation", {}), "replications": None, "precision": None}
    document["simulation"] = simulation
    if "uncertainty" in document:
        document["uncertainty"]["draws"] = None
    text = json.dumps(document, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _saved(point: Point, place: Path | None, settings: Settings, taken: float) -> Results:
    """Return the results of a point, written to *place* where there is one."""
    results = Results.of(point.scenario, point.records, provenance(point, settings, taken))
    if place is not None:
        kept = results.save(place, incidents=settings.incidents)
        for sentence in _about_others(place, kept, point.scenario):
            settings.progress.say(sentence)
    return results


def _about_others(place: Path, kept: Path | None, scenario: Scenario) -> Iterator[str]:
    """Yield what has become of another run in *place*, and which studies there are of another scenario."""
    if kept is not None:
        yield f"{place}: held another run, which is kept with its studies and its report as {kept}"
    for study in folders.STUDIES:
        file = place / study / f"{study}.json"
        if file.is_file() and folders.read_json(file).get("scenario_hash") != scenario.hash:
            what = "another scenario or other settings"
            yield f"{place / study}: stays, and is of {what} than the run beside it now"


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
    return {
        "tool": folders.TOOL,
        "version": VERSION,
        "source": source(),
        "build": build(),
        "command": settings.command,
        "workers": settings.processes,
        "executor": settings.executor if isinstance(settings.executor, str) else None,
        "wall_s": round(taken, 3),
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": ".".join(map(str, sys.version_info[:3])),
        "platform": sys.platform,
        "libraries": dict(_libraries()),
    }


@cache
def _libraries() -> dict[str, str]:
    """Return the version of each of `LIBRARIES`, once: what a library says of itself is a file, and read."""
    from importlib.metadata import version

    return {name: version(name) for name in LIBRARIES}
