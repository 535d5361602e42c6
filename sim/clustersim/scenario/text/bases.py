"""Inheritance: `base: [frontier.yaml, recovery/replicas.yaml]`, merged in this order under the file's keys.

A base is a path relative to the file that names it, or the name of a shipped scenario.  Files are only read
within the tree of the current directory (unless that is the root of all), the folder of the scenario, and the
shipped folder.
"""

from __future__ import annotations

import os.path
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path as File

from clustersim import library
from clustersim.scenario.text.document import Document, Place, ScenarioError
from clustersim.scenario.text.layers import merge
from clustersim.scenario.text.reader import read_file, shown_as
from clustersim.units import shown

MOST_BASES = 50
SUFFIXES = (".yaml", ".yml")
"""A base is called so: of any other file, which may be none of the user's, not a line is read or quoted."""


@dataclass(slots=True)
class Bases:
    """Reads a scenario's bases: the trees that it may read from, and how many files it has read."""

    roots: tuple[File, ...]
    read: int = 0

    def assemble(self, document: Document, file: File, above: tuple[File, ...] = ()) -> Document:
        """Return *document*, written in *file*, over its bases; *above* are the files on the way here."""
        if not isinstance(document.data, Mapping):
            what = "is not a scenario" if above else f"{shown(document.data)} is not a scenario"
            message = f"{what}; write keys and values, such as name: first"
            raise ScenarioError([document.problem((), message)])
        own = Document(
            {key: value for key, value in document.data.items() if key != "base"},
            document.marks,
            document.problems,
        )
        merged = Document({})
        for name, place in _entries(document):
            merged = merge(merged, self._base(name, place, file, (*above, file)))
        return merge(merged, own)

    def _base(self, name: str, place: Place, file: File, above: tuple[File, ...]) -> Document:
        target = self._find(name, place, file)
        if target in above:
            loop = " -> ".join(shown_as(step) for step in (*above[above.index(target) :], target))
            raise place.error(f"{shown(name)} loops: {loop}; leave one out", "base")
        self.read += 1
        if self.read > MOST_BASES:
            raise place.error(f"more than {MOST_BASES} bases in all; inherit from fewer", "base")
        return self.assemble(read_file(target, shown_as(target)), target, above)

    def _find(self, name: str, place: Place, file: File) -> File:
        """Return the file that *name* means; ScenarioError where there is none that may be read."""
        if File(name).is_absolute():
            raise place.error(f"{shown(name)} is not relative; give a path relative to this file", "base")
        target = File(os.path.realpath(file.parent / name))
        if os.path.isfile(target):
            if not any(target.is_relative_to(root) for root in (*self.roots, library.folder().resolve())):
                why = "is outside the working tree; move it there, or change directory"
            elif target.suffix not in SUFFIXES:
                why = "is not called .yaml or .yml, and not read; rename it"
            else:
                return target
            raise place.error(f"{shown(name)} {why}", "base")
        if by_name := library.path(name):
            return by_name.resolve()
        known = ", ".join(name for name in library.names() if not name.startswith(library.CASES))
        raise place.error(f"{shown(name)} is neither a file here nor a shipped scenario ({known})", "base")


def _entries(document: Document) -> list[tuple[str, Place]]:
    stated = document.data.get("base", [])
    listed = stated if isinstance(stated, list) else [stated]
    entries = []
    for index, name in enumerate(listed):
        place = document.place(("base", index) if isinstance(stated, list) else ("base",))
        if not isinstance(name, str) or not name:
            raise place.error(f"{shown(name)} is not a base; give a relative path or a shipped name", "base")
        entries.append((name, place))
    return entries
