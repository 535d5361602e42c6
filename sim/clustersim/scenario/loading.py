"""From a file, a shipped name or a text to a `Scenario`, or to all of its problems at once."""

from __future__ import annotations

import difflib
import os.path
from collections.abc import Mapping, Sequence
from pathlib import Path as File
from typing import Any, BinaryIO

from pydantic import ValidationError

from clustersim import library
from clustersim.engine.ledger import RESERVED_CAUSES
from clustersim.scenario.keys.blocks import refused
from clustersim.scenario.model import Scenario
from clustersim.scenario.text.bases import Bases
from clustersim.scenario.text.document import Document, Mark, Place, Problem, ScenarioError
from clustersim.scenario.text.layers import override
from clustersim.scenario.text.reader import read_file, read_stream, read_text, unspeakable
from clustersim.scenario.traces import read_traces
from clustersim.scenario.trials import REMARKS
from clustersim.units import shown

Overrides = Mapping[str, Any]


def load(source: str | File, overrides: Overrides | None = None) -> Scenario:
    """Return the scenario in the file *source*, or the shipped one of that name, with `--set` *overrides*.

    Raises ScenarioError with every problem that was found, each at its file, line and column.
    """
    file = file_of(source)
    return _finished(read_file(file, str(file)), File(os.path.realpath(file)), overrides)


def file_of(source: str | File) -> File:
    """Return the file that *source* names: one that exists, or else a shipped one."""
    # Unlike Path.exists, os.path.exists takes a name that no file can have for a missing file.
    if os.path.exists(source):
        return File(source)
    if by_name := library.path(str(source)):
        return by_name
    for near in difflib.get_close_matches(str(source), library.names()):
        message = f'no such file; did you mean the shipped scenario "{near}"?'
        raise Place(str(source)).error(message)
    return File(source)


def loads(text: str, name: str = "<text>", overrides: Overrides | None = None) -> Scenario:
    """Return the scenario in *text*, named *name* in messages; bases are sought in the current directory."""
    return _finished(read_text(text, name), File.cwd() / "<text>", overrides)


def load_stream(stream: BinaryIO, name: str, overrides: Overrides | None = None) -> Scenario:
    """Return the scenario that *stream* holds, as `load` does; bases are sought in the current directory."""
    return _finished(read_stream(stream, name), File.cwd() / name, overrides)


def overridden(scenario: Scenario, overrides: Overrides) -> Scenario:
    """Return a loaded *scenario* with `--set` *overrides* (None deletes), as if its file had been read so.

    Raises ScenarioError where that makes it faulty.
    """
    return _with(scenario, scenario.document, overrides)


def variant(scenario: Scenario, changes: Overrides) -> Scenario:
    """Return *scenario* with other values at dotted paths (None deletes), to be compared with it.

    Remarks on the old values (sources, thresholds, levers, claims) are left out.  Raises ScenarioError where
    the changed scenario is faulty.
    """
    plain = {name: value for name, value in scenario.document.items() if name not in REMARKS}
    return _with(scenario, plain, changes)


def _with(scenario: Scenario, data: Mapping[str, Any], overrides: Overrides) -> Scenario:
    given = ", ".join(f"{path}={shown(value)}" for path, value in overrides.items())
    place = Place(f"<{scenario.name} with {given}>")
    return _built(Document(data, {(): Mark(place, place)}), _trees(), overrides)


def _finished(document: Document, file: File, overrides: Overrides | None) -> Scenario:
    roots = _trees(file.parent)
    return _built(Bases(roots).assemble(document, file), roots, overrides or {})


def _trees(*others: File) -> tuple[File, ...]:
    """Return the folders below which files may be read; below the root of all would be every file."""
    return tuple(tree for tree in (File.cwd().resolve(), *others) if tree != File(tree.anchor))


def _built(document: Document, roots: Sequence[File], overrides: Overrides) -> Scenario:
    for path, value in overrides.items():
        document = override(document, path, value)
    return build(read_traces(document, roots, RESERVED_CAUSES))


def build(document: Document) -> Scenario:
    """Return the scenario that a merged document says; ScenarioError with its problems in reading order."""
    if strange := [document.problem(path, why) for path, why in unspeakable(document.data)]:
        raise ScenarioError(strange)
    problems = list(document.problems)
    try:
        scenario = Scenario.model_validate(document.data)
    except ValidationError as error:
        problems += [document.problem(*finding) for finding in refused(error)]
    if problems:
        raise ScenarioError(_in_order(document, problems))
    return scenario


def _in_order(document: Document, problems: list[Problem]) -> list[Problem]:
    """Sort problems by file, line and column: the scenario's own file first, then its bases."""
    files = list(dict.fromkeys(mark.key.file for mark in document.marks.values()))
    ranks = {file: rank for rank, file in enumerate(files)}

    def rank(problem: Problem) -> tuple[int, int, int]:
        place = problem.place
        return ranks.get(place.file, len(files)), place.line or 0, place.column or 0

    return sorted(dict.fromkeys(problems), key=rank)
