"""Shards: parts of a run or a study that are simulated apart, without a network, and merged to one answer.

`shard("3/16", sweep, scenario, output, ...)` simulates the third of sixteen parts of what the same call of
`sweep` would, and leaves what is finished in `<output>-shards/3-of-16`.  Once all sixteen are there, `merge`
asks the same question, and finds all that it needs finished: so the same bytes come out.

A run, a comparison, a validation, a tuning, levers and indices are shared out replication by replication, a
sweep point by point.  What every shard has to know to go on, such as the best interval that `levers` offers
or the inputs that a screening keeps, is simulated by each.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from clustersim import folders
from clustersim.experiment import PRECISE, Interrupted, PartDone, refuse_lost, run_all
from clustersim.formatting import counted
from clustersim.scenario import Scenario, dump, loads
from clustersim.settings import Part, ScenarioSource, Settings, merged
from clustersim.store import (
    KEY_FILE,
    ChoiceError,
    RunError,
    UnfinishedFile,
    drop,
    hand_over,
    kept_in,
    take_back,
)
from clustersim.studies.change import differing
from clustersim.studies.compare import compare
from clustersim.studies.levers import levers
from clustersim.studies.sensitivity import sensitivity
from clustersim.studies.sweep import sweep
from clustersim.studies.tune import tune
from clustersim.validation.validate import validate
from clustersim.version import DECISIVE, state

SHARD, BEGUN = "shard.json", ".begun"
"""The file of a finished shard, and the folder in that of a shard where what is not finished is simulated."""
RUN, COMPARE, VALIDATE = "run", "compare", "validate"
OF_ONE: Mapping[str, Callable[..., Any]] = {
    each.__name__: each for each in (tune, levers, sweep, sensitivity)
}
"""Studies of one scenario that have shards."""
SAME = ("study", "of", "scenarios", "asked", "changes", "clustersim", "source", *DECISIVE)
"""What all shards of an answer have in common."""
Sources = ScenarioSource | Sequence[ScenarioSource]
Folder = str | PathLike[str]


@dataclass(frozen=True)
class Shard:
    """A finished shard in its `folder`: which one of how many, of which study, and what it is part of.

    `record` is what its file says.
    """

    folder: Path
    part: Part
    record: Mapping[str, Any]

    @classmethod
    def load(cls, folder: Path) -> Shard:
        """Return the shard in *folder*; raises ChoiceError where there is no finished one."""
        if not folder.exists():
            raise ChoiceError(f"{folder}: no such folder{_beside(folder)}")
        if not (folder / SHARD).is_file():
            why = "no shard; name the shards, or a folder that holds nothing else"
            if _is_begun(folder):
                why = "a shard that is not finished; go on with --resume"
            raise ChoiceError(f"{folder}: {why}")
        remedy = "move it away, and begin that shard again with --resume"
        try:
            record = folders.read_json(folder / SHARD)
        except RunError as error:
            raise ChoiceError(f"{error}; {remedy}") from error
        if record.get("tool") != folders.TOOL or not {*SAME, "shard", "output"} <= record.keys():
            raise ChoiceError(f"{folder / SHARD}: not written by this version of clustersim; {remedy}")
        return cls(folder, Part(record["shard"], record["of"]), record)

    @property
    def scenarios(self) -> list[Any]:
        """The scenarios that it is about, or the names of published cases."""
        return [_decoded(each) for each in self.record["scenarios"]]

    def to_dict(self) -> dict[str, Any]:
        """Return what `--shard --json` prints."""
        named = {name: self.record[name] for name in ("study", "shard", "of", "replications")}
        return {**named, "output": str(self.folder), "scenario_hash": _hash(self.scenarios)}

    def __str__(self) -> str:
        return f"Shard {self.part} is finished: {self.folder}"


def shard(
    which: str,
    question: Callable[..., Any] | str,
    scenarios: Sources,
    output: Folder,
    *,
    settings: Settings | None = None,
    **keywords: Any,
) -> Shard:
    """Simulate the part *which* ("3/16") of what `question(scenarios, output, ...)` simulates.

    The question is `run`, `compare`, `validate`, `tune`, `levers`, `sweep` or `sensitivity`, or its name;
    keywords are its own, and fields of `Settings`.  What is finished goes to `<output>-shards/3-of-16`, from
    where `merge` takes it.  Raises ChoiceError for a question that has no shards, and for a precision.
    """
    study = question if isinstance(question, str) else question.__name__
    known, part = {each.name for each in fields(Settings)}, Part.parse(which)
    # What is neither a setting nor a keyword of the question is refused, by the one or by the other.
    asked = {} if study in (RUN, VALIDATE) else {n: each for n, each in keywords.items() if n not in known}
    how = merged(settings, {name: value for name, value in keywords.items() if name not in asked})
    _refuse_whole(study, how)
    sources, changes = _loaded(study, scenarios, how), how.changes if study == VALIDATE else {}
    if "designs" in asked:
        asked["designs"] = [how.load(each) for each in asked["designs"]]
    if study != VALIDATE:
        how = how.without_changes
    output = Path(output)
    record = _record(study, part, output, scenarios=sources, asked=asked, changes=changes)
    folder = Path(f"{output}{folders.SHARDS}") / f"{part.number}-of-{part.of}"
    return _simulated(folder, record, sources, replace(how, part=part))


def _simulated(folder: Path, record: Mapping[str, Any], sources: list[Any], how: Settings) -> Shard:
    """Return the shard in *folder* of what the *record* says: as it is there, or simulated now."""
    study = record["study"]
    there = Shard.load(folder) if (folder / SHARD).is_file() else None
    alike = there is not None and _differs(there.record, record) is None
    if there is not None and alike and not how.force:
        how.progress.say(f"{folder}: simulated before, and taken as it is")
        return there
    if there is None:  # cut short when all but its file was there, it is gone on from like any other
        for path in folder.glob("[!.]*"):
            take_back(path, folders.unfinished(folder / BEGUN / path.name))
    # Just what a merge will ask: a sequence that can be read only once, say, is one that was written down.
    asked = _decoded(record["asked"])
    started = time.perf_counter()
    with suppress(PartDone):
        _asked(study, sources, folder / BEGUN, how, asked, alone=False)
    if there is not None and not alike:
        how.progress.say(f"{folder}: held a shard of another answer, which is gone")
    return _finished(folder, record, list(_places(study, sources, folder)), time.perf_counter() - started)


def _refuse_whole(study: str, settings: Settings) -> None:
    """Raise ChoiceError where a *study* can only be simulated as a whole."""
    if study not in (RUN, COMPARE, VALIDATE, *OF_ONE):
        why = "chooses what it simulates by what came of what was before"
        raise ChoiceError(f"{study} {why}, so that it has no shards; simulate on an executor instead")
    if settings.precision is not None:
        raise ChoiceError(PRECISE)


def _loaded(study: str, scenarios: Sources, settings: Settings) -> list[Any]:
    """Return the scenarios with the changes; for a validation without, or as names.

    Raises ChoiceError where a *study* is not about so many.
    """
    single = isinstance(scenarios, Scenario | str | PathLike)
    given: list[Any] = [scenarios] if single else list(scenarios)  # type: ignore[arg-type]
    if (study in OF_ONE and len(given) > 1) or (study != VALIDATE and not given):
        raise ChoiceError(f"{study}: {len(given)} scenarios are given; give one")
    if study != VALIDATE:
        return [settings.load(each) for each in given]
    # A shipped case keeps its name; a file is taken as it is now, whatever it holds when shards are merged.
    plain = settings.without_changes
    return [
        plain.load(each) if isinstance(each, Scenario) or os.path.exists(each) else os.fspath(each)
        for each in given
    ]


def _record(study: str, part: Part, output: Path, **given: Any) -> dict[str, Any]:
    """Return what the file of a shard says of what was *given*, and of the program that simulates it."""
    said = {"study": study, "shard": part.number, "of": part.of, "output": str(output)}
    here = {name: state()[name] for name in SAME if name in state()}
    return {**said, **_encoded(given), "tool": folders.TOOL, **here}


def _finished(folder: Path, record: Mapping[str, Any], names: Sequence[str], taken: float) -> Shard:
    """Return the shard in *folder*, of which all is simulated, with its file, which says so.

    What was there of a shard before gives way only now: a question that is refused costs nobody anything.
    """
    begun = {name: folders.unfinished(folder / BEGUN / name) for name in names}
    count = sum(map(kept_in, begun.values()))
    (folder / SHARD).unlink(missing_ok=True)
    for path in _kept_apart(folder):
        drop(path)
    for name, place in begun.items():
        if place.is_dir():
            hand_over(place, folder / name)
    with suppress(OSError):  # where there is none, or more in it, of another question
        (folder / BEGUN).rmdir()
    now = datetime.now(UTC).isoformat(timespec="seconds")
    more = {"replications": count, "wall_s": round(taken, 3), "finished": now}
    folders.write_json(folder / SHARD, {**record, **more})
    return Shard.load(folder)


def _is_begun(folder: Path) -> bool:
    """Return whether *folder* holds what is finished of a shard that is not, or not yet."""
    return any(folder.glob(f"{BEGUN}/.*.partial")) or bool(_kept_apart(folder))


def _kept_apart(folder: Path) -> list[Path]:
    """Return the folders in that of a shard with what is finished; whatever else is there is not its own."""
    return [path.parent for path in folder.glob(f"[!.]*/{KEY_FILE}")]


@dataclass(frozen=True)
class Shards:
    """All shards of one answer that are there, by number; none differs from the others."""

    found: Mapping[int, Shard]

    @classmethod
    def of(cls, given: Sequence[Folder]) -> Shards:
        """Return the shards in the folders that are *given*, or in folders in them.

        Raises ChoiceError where there are none, or where one differs from the others, and says in what.
        """
        listed = [Shard.load(each) for folder in given for each in _folders(Path(folder))]
        if not listed:
            raise ChoiceError("no shards are given; name their folders, or the one that holds them")
        first = listed[0]
        for each in listed:
            if (name := _differs(first.record, each.record)) is not None:
                raise ChoiceError(
                    f"{each.folder} is not of the same answer as {first.folder}:"
                    f" {_in_what(name, first, each)}; merge what was asked alike"
                )
        return cls({each.part.number: each for each in listed})

    @property
    def first(self) -> Shard:
        """One of them."""
        return next(iter(self.found.values()))

    @property
    def missing(self) -> list[int]:
        """The numbers of those that are not there."""
        return [number for number in range(1, self.first.part.of + 1) if number not in self.found]

    def to_dict(self) -> dict[str, Any]:
        """Return what `merge --json` prints of them before there is an answer."""
        record, missing = self.first.record, self.missing
        return {
            "study": record["study"],
            "shards": {"expected": record["of"], "found": len(self.found), "missing": missing},
            "complete": not missing,
            "points": None,
            "output": None,
            "scenario_hash": _hash(self.first.scenarios),
            "summary": None,
        }

    def merged(self, output: Folder | None, settings: Settings) -> Merged:
        """Return their answer, written to *output*, or where the command that was split would have put it.

        Raises ChoiceError where shards are missing, or were simulated by another state of the program.
        """
        record, missing = self.first.record, self.missing
        if missing:
            listed = ", ".join(f"{number}/{record['of']}" for number in missing[:MOST_LISTED])
            more = f" and {len(missing) - MOST_LISTED} more" if len(missing) > MOST_LISTED else ""
            are = "shard is" if len(missing) == 1 else "shards are"
            raise ChoiceError(f"{len(missing)} {are} missing: {listed}{more}; simulate what is missing first")
        for name in SAME:
            if name in state() and record[name] != state()[name]:
                here, there = state()[name], record[name]
                why = f"simulated with {name} {there}, and here it is {here}"
                raise ChoiceError(f"{self.first.folder.parent}: {why}; merge where the same is installed")
        place, study, sources = Path(output or record["output"]), record["study"], self.first.scenarios
        places = _places(study, sources, place)
        if study in (RUN, COMPARE):
            _refuse_places(place, sources, places.values(), settings)
        asked = {name: _decoded(value) for name, value in record["asked"].items()}
        # Settings say how to merge; what is simulated is what the shards were asked.
        how = replace(settings.without_changes, resume=True, force=True, overrides=record["changes"])
        try:
            with ExitStack() as stack:
                for name, target in places.items():
                    stack.enter_context(self._gathered(name, target, settings))
                return Merged(self, place, _asked(study, sources, place, how, asked, alone=True))
        except Interrupted:
            raise Interrupted(0) from None  # all is in the shards still, and a merge has no --resume

    @contextmanager
    def _gathered(self, name: str, target: Path, settings: Settings) -> Iterator[None]:
        """Let all that is finished of the place called *name* lie where what goes on for *target* finds it.

        Without an answer it is gone in the end; the shards hold it still.
        """
        having = [each.folder / name for each in self.found.values()]
        having = [folder for folder in having if (folder / KEY_FILE).is_file()]
        if not having:
            yield
            return
        place, key = folders.unfinished(target), folders.read_json(having[0] / KEY_FILE)
        file = UnfinishedFile(place, key, resume=False)
        try:
            if file.discarded:
                there = counted(file.discarded, "replication")
                settings.progress.say(f"{target}: throwing away {there} of what was not finished there")
            try:
                for folder in having:
                    file.take(folder)
            finally:
                file.release(keep=True)
            yield
        except BaseException:
            UnfinishedFile(place, key, resume=True).release(keep=False)
            raise


MOST_LISTED = 12
"""Numbers of missing shards that a sentence names."""


@dataclass(frozen=True)
class Merged:
    """The answer of all `shards`, written to `output`: runs, a comparison, a study or a validation."""

    shards: Shards
    output: Path
    answer: Any

    @property
    def study(self) -> str:
        """What was asked, by the name of its command."""
        return str(self.shards.first.record["study"])

    def to_dict(self) -> dict[str, Any]:
        """Return what `merge --json` prints."""
        if self.study == RUN:
            summaries = [results.summary for results in self.answer]
            points = len(summaries)
            summary = summaries[0] if points == 1 else {"scenarios": summaries}
        else:
            summary = self.answer.saved()
            points = len(summary.get(getattr(self.answer, "points", "cases"), summary.get("runs", ())))
        return self.shards.to_dict() | {"points": points, "output": str(self.output), "summary": summary}


def merge(
    shards: Folder | Sequence[Folder],
    output: Folder | None = None,
    *,
    settings: Settings | None = None,
    **keywords: Any,
) -> Merged:
    """Merge *shards* (their folders, or one that holds them) to the answer that one call would have given.

    It is written to *output*, or else where that call would have written it.  Raises ChoiceError, which says
    which, where shards are missing, differ from one another, or come from another state of the program.
    """
    given = [shards] if isinstance(shards, str | PathLike) else list(shards)
    return Shards.of(given).merged(output, merged(settings, keywords))


def _asked(
    study: str,
    sources: Sequence[Any],
    output: Path,
    settings: Settings,
    asked: Mapping[str, Any],
    *,
    alone: bool,
) -> Any:
    """Return the answer of a *study*; *alone* in its *output*, or in a folder of its own there."""
    if study == RUN:
        places = list(_places(study, sources, output).values()) if alone else _one_each(sources, output)
        return run_all(sources, places, settings)
    if study == COMPARE:
        return compare(sources, output, settings=settings, **asked)
    place = output if alone else output / study
    if study == VALIDATE:
        return validate(sources, place, settings=settings)
    return OF_ONE[study](sources[0], place, settings=settings, **asked)


def _one_each(scenarios: Sequence[Scenario], base: Path) -> list[Path]:
    return list(folders.one_folder_each([scenario.name for scenario in scenarios], base))


def _places(study: str, sources: Sequence[Any], output: Path) -> dict[str, Path]:
    """Return where the answer, or each of its runs, goes, by the name of its folder in a shard."""
    if study not in (RUN, COMPARE):
        return {study: output}
    targets = _one_each(sources, output)
    names = [target.name for target in targets]
    return dict(zip(names, [output] if study == RUN and len(targets) == 1 else targets, strict=True))


def _refuse_places(
    output: Path, scenarios: Sequence[Scenario], places: Iterable[Path], settings: Settings
) -> None:
    """Raise RunError where runs cannot go to their *places*, in *output* or that itself."""
    if len(scenarios) > 1:
        folders.refuse_run_folder(output)
    for scenario, place in zip(scenarios, places, strict=True):
        if not settings.force:
            refuse_lost(scenario, place, "give another -o")


def _folders(folder: Path) -> Iterator[Path]:
    """Yield *folder* where it is a shard, or else the folders in it; raises ChoiceError without any."""
    if (folder / SHARD).is_file() or not folder.is_dir():
        yield folder
        return
    within = sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
    if not any((path / SHARD).is_file() or _is_begun(path) for path in within):
        remedy = _beside(folder) or "; clustersim run SCENARIO --shard 1/4 makes one"
        raise ChoiceError(f"{folder}: no shard in it{remedy}")
    yield from within


def _beside(folder: Path) -> str:
    """Return which folder of shards stands beside that of an answer; nothing where there is none."""
    shards = Path(f"{folder}{folders.SHARDS}")
    return f"; its shards are in {shards}" if shards.is_dir() else ""


def _differs(one: Mapping[str, Any], other: Mapping[str, Any]) -> str | None:
    """Return in what two shards differ that should not; None where they are parts of one answer."""
    return next((name for name in SAME if one[name] != other[name]), None)


def _in_what(name: str, first: Shard, other: Shard) -> str:
    """Return in words what differs in two shards, of which the entry called *name* does."""
    if name == "scenarios":
        for one, two in zip(first.scenarios, other.scenarios, strict=False):
            if isinstance(one, Scenario) and isinstance(two, Scenario):
                for each in differing(one.document, two.document):
                    before, after = each.texts
                    return f"{each.path} is {after} there, and {before} in the first"
        return "the scenarios differ"
    return f"{name} is {other.record[name]} there, and {first.record[name]} in the first"


def _hash(scenarios: Sequence[Any]) -> str | None:
    """Return the hash of the first scenario; None for the names of published cases."""
    return scenarios[0].hash if scenarios and isinstance(scenarios[0], Scenario) else None


def _encoded(value: Any) -> Any:
    """Return *value* as JSON holds it: a scenario as its text, in an object of its own."""

    def plain(each: Any) -> Any:
        if isinstance(each, Scenario):
            return {"scenario": dump(each)}
        if isinstance(each, np.generic):
            return each.item()
        return dict(each) if isinstance(each, Mapping) else list(each)

    return json.loads(json.dumps(value, default=plain))


def _decoded(value: Any) -> Any:
    """Return what was encoded."""

    def made(each: dict[str, Any]) -> Any:
        is_scenario = each.keys() == {"scenario"} and isinstance(each["scenario"], str)
        return loads(each["scenario"]) if is_scenario else each

    return json.loads(json.dumps(value), object_hook=made)
