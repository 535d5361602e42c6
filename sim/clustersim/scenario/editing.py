"""The YAML text of a scenario with other values in their places; comments, order and blanks stay."""

from __future__ import annotations

import os.path
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path as File
from typing import Any, NamedTuple

from clustersim.scenario.text import shipped
from clustersim.scenario.text.document import Path, at, find
from clustersim.scenario.text.layers import is_block
from clustersim.scenario.writing import flow


class Edit(NamedTuple):
    """Characters of a text, from `start` to `end`, and what takes their place."""

    start: int
    end: int
    text: str


def edited(
    text: str,
    values: Mapping[str, Any],
    document: Mapping[str, Any],
    source: str,
    named: Callable[[str], str] = str,
) -> str:
    """Return the YAML *text* of a scenario with other *values* at dotted paths.

    *document* is the scenario with the values.  A source that the text gives for one of them becomes
    *source*; each base and log is called what *named* makes of its name.
    """
    for edit in sorted(_edits(text, values, document, source, named), reverse=True):
        old = text[edit.start : edit.end].rstrip()
        text = text[: edit.start] + edit.text + text[edit.start + len(old) :]
    return text


def moved(old: File, new: File) -> Callable[[str], str]:
    """Return what turns a base or a log relative to the folder *old* into one relative to *new*."""

    def base(name: str) -> str:
        there = old / name
        if not there.is_file() or os.path.samefile(old, new):
            return name
        by_name = shipped.path(there.stem)
        known = by_name is not None and os.path.samefile(by_name, there)
        return there.stem if known else os.path.relpath(there, new)

    return base


def _edits(
    text: str,
    values: Mapping[str, Any],
    document: Mapping[str, Any],
    source: str,
    named: Callable[[str], str],
) -> Iterator[Edit]:
    """Yield what changes in *text* so that it says what *document*, the scenario with the *values*, says."""
    from ruamel.yaml import YAML

    nodes = dict(_nodes(YAML(typ="safe", pure=True).compose(text)))
    for path, node in nodes.items():
        if _names_a_file(path, node.value) and named(node.value) != node.value:
            yield _replaced(node, _quoted(named(node.value)))
    for name in values:
        if ("sources", name) in nodes:
            yield _replaced(nodes["sources", name], _quoted(source))
        if keys := find(document, name):
            yield _put(text, nodes, keys, document)


def _put(text: str, nodes: Mapping[Path, Any], keys: Path, document: Mapping[str, Any]) -> Edit:
    """Return what writes the value at *keys*: over the one that is there, or into the block around it.

    What is inherited and is only replaced as a whole, such as tiers, is written whole.
    """
    if keys in nodes:
        return _replaced(nodes[keys], flow(at(document, keys)))
    stated = next(keys[:end] for end in range(len(keys) - 1, -1, -1) if keys[:end] in nodes)
    whole = next((end for end in range(1, len(keys)) if not is_block(keys[:end])), len(keys))
    end = max(len(stated) + 1, whole)
    value = at(document, keys[:end])
    for key in reversed(keys[len(stated) : end]):
        value = {key: value}
    entry, block = flow(value)[1:-1], nodes[stated]
    if block.flow_style:
        start = block.start_mark.index + 1
        return Edit(start, start, f"{entry}{', ' if block.value else ''}")
    if not stated:
        return Edit(len(text), len(text), f"\n{entry}\n")
    start, indent = block.start_mark.index, " " * block.start_mark.column
    return Edit(start, start, f"{entry}\n{indent}")


def _names_a_file(path: Path, value: Any) -> bool:
    """Whether it is a base, or the log of a replay and not its rows."""
    named = path[:1] == ("base",) or (path[:1] == ("failures",) and path[2:] == ("replay",))
    return named and isinstance(value, str) and "\n" not in value


def _nodes(node: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Yield every value of a composed document with its path."""
    yield path, node
    if isinstance(node.value, list):
        for number, entry in enumerate(node.value):
            key, inner = (entry[0].value, entry[1]) if isinstance(entry, tuple) else (number, entry)
            yield from _nodes(inner, (*path, key))


def _replaced(node: Any, text: str) -> Edit:
    return Edit(node.start_mark.index, node.end_mark.index, text)


def _quoted(text: str) -> str:
    if re.fullmatch(r"[A-Za-z.][A-Za-z0-9_./-]*", text):
        return text
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
