"""`trace: {replay: logs/incidents.csv}`: the file is read, and the mode becomes one mode for each cause.

The same with `{replay: {log: logs/incidents.csv, begin: 2026-05-01}}`, or with several files.

The rows then stand in the document itself, so that it runs again without the file.
"""

from __future__ import annotations

import os.path
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, count
from pathlib import Path as File
from typing import Any

from pydantic import ValidationError

from clustersim.logs.files import LogSource
from clustersim.scenario.keys.failure import FailureModeBlock
from clustersim.scenario.keys.logs import LogEntry, Recorded, ReplayLog, Rows, read_files
from clustersim.scenario.keys.quantities import LONGEST_NAME, in_names, is_name
from clustersim.scenario.text.document import Document, Mark, Path, Place, ScenarioError, dotted, find
from clustersim.scenario.text.reader import shown_as
from clustersim.units import format_size, shown

FAILURES, REPLAY, SOURCES = "failures", "replay", "sources"
LARGEST_LOG = 20_000_000
MOST_CAUSES = 100
_HARMLESS = Rows([Recorded(0.0, -1, None)])


def read_traces(document: Document, roots: Sequence[File], taken: Sequence[str]) -> Document:
    """Return *document* with the rows of its logs in place of their files; *taken* names are no causes.

    A log is sought beside the file that names it, or from the current directory where `--set` does, and only
    within *roots*.  What is wrong with a log is a problem of the document.
    """
    modes = document.data.get(FAILURES)
    if not isinstance(modes, Mapping) or not any(_names_a_file(mode) for mode in modes.values()):
        return document
    read = Document(dict(document.data), dict(document.marks), list(document.problems))
    names = [*taken, *(name for name, mode in modes.items() if not _names_a_file(mode))]
    read.data[FAILURES] = {}
    for name, mode in modes.items():
        split = _Trace(read, name, mode, roots).modes(names) if _names_a_file(mode) else {name: mode}
        read.data[FAILURES].update(split)
        names += split
    return read


def _names_a_file(mode: Any) -> bool:
    replay = mode.get(REPLAY) if isinstance(mode, Mapping) else None
    return isinstance(replay, Mapping) or (isinstance(replay, str) and "\n" not in replay)


@dataclass
class _Trace:
    """One mode that names a log, in the document that the rows go into."""

    read: Document
    name: str
    mode: Mapping[str, Any]
    roots: Sequence[File]
    file: str = ""
    notes: Sequence[str] = ()

    def __post_init__(self) -> None:
        self.path: Path = (FAILURES, self.name, REPLAY)
        self.marks = {path[2:]: mark for path, mark in self.read.marks.items() if path[:2] == self.path[:2]}

    def modes(self, taken: Sequence[str]) -> dict[str, Any]:
        """Return the modes that stand in place of the trace, none of them with a *taken* name."""
        named = self.mode[REPLAY]
        try:
            more = ReplayLog.model_validate(named) if isinstance(named, Mapping) else None
        except ValidationError:
            # How the log is read is said wrongly: the scenario is refused for that.
            return {self.name: dict(self.mode)}
        entries = sorted(self._entries(named, more), key=lambda entry: entry.row.time_s)
        if not entries:
            return {self.name: {**self.mode, REPLAY: _HARMLESS}}
        causes = list(dict.fromkeys(entry.cause for entry in entries if not entry.row.planned)) or [""]
        if len(causes) > MOST_CAUSES:
            why = f"{len(causes):,} causes, {MOST_CAUSES} are possible; give fewer, or leave the column out"
            self.read.problems += self._error(why).problems
        if len(causes) > MOST_CAUSES or not self._is_sound():
            entries, causes = [entry._replace(cause="") for entry in entries], [""]
        names = dict(zip(causes, mode_names(causes, self.name, taken), strict=True))
        self._say_sources(names)
        # Planned stops have no mode of their own: they go with the first one.
        return {
            names[cause]: self._of(
                [entry for entry in entries if (causes[0] if entry.row.planned else entry.cause) == cause],
                names[cause],
            )
            for cause in causes
        }

    def _of(self, entries: Sequence[LogEntry], name: str) -> dict[str, Any]:
        """Return the mode of the rows of one cause, and mark where each of them was written."""
        marks = self.read.marks
        marks.update({(FAILURES, name, *path): mark for path, mark in self.marks.items()})
        for number, entry in enumerate(entries):
            place = Place(entry.file, entry.line)
            marks[(FAILURES, name, REPLAY, number)] = Mark(place, place)
        return {**self.mode, REPLAY: Rows(entry.row for entry in entries)}

    def _entries(self, named: Any, more: ReplayLog | None) -> list[LogEntry]:
        """Return the rows of the files that can be read."""
        try:
            sources = [self._source(name) for name in (more.log if more else [named])]
            log = read_files(sources, more)
        except ScenarioError as error:
            self.read.problems += error.problems
            return []
        for problem in log.problems:
            in_line = Place(problem.file, problem.line) if problem.line else None
            why = self._error(problem.reason if in_line else str(problem), in_line)
            self.read.problems += why.problems
        self.file = " and ".join(source.name for source in sources)
        self.notes = log.notes
        return log.entries

    def _found(self, name: str) -> File:
        """Return the file that *name* means, below one of the roots."""
        if not name or File(name).is_absolute():
            raise self._error(f"{shown(name)} is not a relative path; give one such as logs/incidents.csv")
        stated = self.read.place(self.path).file
        folder = File(stated).parent if os.path.isfile(stated) else File.cwd()
        file = File(os.path.realpath(folder / name))
        if not any(file.is_relative_to(root) for root in self.roots):
            raise self._error(
                f"{shown(name)} is outside the working tree; move it there, or change directory"
            )
        if not os.path.isfile(file):
            raise self._error(f"{shown(name)} does not exist; give a log, its path relative to this file")
        return file

    def _source(self, name: str) -> LogSource:
        """Return the log that *name* means, which is not too large."""
        file = self._found(name)
        source = LogSource(shown_as(file), file)
        if source.size > LARGEST_LOG:
            why = f"a log has at most {format_size(LARGEST_LOG)}; give fewer rows"
            raise self._error(why, Place(source.name))
        return source

    def _error(self, message: str, place: Place | None = None) -> ScenarioError:
        """Return what is wrong with the log, at a place in it, or else where it is named."""
        return (place or self.read.place(self.path)).error(message, dotted(self.path))

    def _is_sound(self) -> bool:
        """Whether the mode is right but for its log: what is not is then said once, not for each cause."""
        try:
            FailureModeBlock.model_validate({**self.mode, REPLAY: _HARMLESS})
        except ValidationError:
            return False
        return True

    def _say_sources(self, names: Mapping[str, str]) -> None:
        """Say of each mode that it is recorded, and let it have the sources of the trace."""
        stated = self.read.data.get(SOURCES, {})
        if not isinstance(stated, Mapping):
            return
        sources = dict(stated)
        of_trace = {}
        for source in list(sources):
            path = find({FAILURES: {self.name: self.mode}}, str(source))
            if path is not None and path[:2] == self.path[:2]:
                of_trace[path[2:]] = sources.pop(source)
        for cause, name in names.items():
            of = f", cause {shown(cause)}" if cause else ""
            recorded = "; ".join([f"recorded: {self.file}{of}", *self.notes])
            here = {(REPLAY,): recorded} | of_trace if () not in of_trace else of_trace
            sources |= {dotted((FAILURES, name, *path)): text for path, text in here.items()}
        self.read.data[SOURCES] = sources


def mode_names(causes: Sequence[str], trace: str, taken: Sequence[str]) -> Iterator[str]:
    """Yield a name of its own for each cause: its letters and digits, after that of the trace if taken."""
    given = list(taken)
    for cause in causes:
        plain = _safe(cause) or trace
        choices = [plain, *([_safe(f"{trace} {plain}")] if plain != trace else [])]
        numbered = (f"{plain[: LONGEST_NAME - 5].rstrip()} {number}" for number in count(2))
        name = next(choice for choice in chain(choices, numbered) if choice not in given)
        given.append(name)
        yield name


def _safe(text: str) -> str:
    """Return what of *text* may be a name."""
    kept = " ".join("".join(each if in_names(each) else " " for each in text).split()).strip(" _-")
    kept = kept[:LONGEST_NAME].rstrip()
    return kept if is_name(kept) else ""
