"""A scenario as YAML text, written for people; and a text with other values in their places."""

from __future__ import annotations

import json
import math
import os.path
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path as File
from typing import Any, NamedTuple

from clustersim import library
from clustersim.scenario.keys.logs import Rows, lines_of
from clustersim.scenario.model import Scenario
from clustersim.scenario.text.document import Path, at, find
from clustersim.scenario.text.layers import is_block
from clustersim.scenario.text.reader import resolve

_PLAIN = re.compile(r"[A-Za-z0-9_./(][A-Za-z0-9_.%/()*+=> -]*")
_ESCAPED = re.compile(r"[\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")
LONGEST_LINE = 100


def dump(scenario: Scenario) -> str:
    """Return the YAML of a scenario with its bases inlined; loading it gives the same scenario and hash."""
    return yaml(scenario.document)


def yaml(data: Mapping[str, Any]) -> str:
    """Return plain data as YAML text."""
    return "\n".join(_block(data, 0)) + "\n"


def _block(data: Mapping[Any, Any], depth: int) -> Iterator[str]:
    """Yield the lines of a mapping, one key each; what is small and deep inside goes on one line."""
    for name, value in data.items():
        head = f"{'  ' * depth}{_scalar(name)}:"
        if isinstance(value, Rows):
            yield f"{head} |"
            yield from (f"{'  ' * (depth + 1)}{line}" for line in lines_of(value))
        elif isinstance(value, Mapping) and value and (depth == 0 or not _fits(head, value)):
            yield head
            yield from _block(value, depth + 1)
        else:
            yield f"{head} {flow(value)}"


def _fits(head: str, block: Mapping[Any, Any]) -> bool:
    """Whether a block fits on the line of its key; the rows of a log never do."""
    rows = any(isinstance(value, Rows) for value in block.values())
    return not rows and len(head) + len(flow(block)) < LONGEST_LINE


def flow(value: Any) -> str:
    """Return plain data as YAML on one line."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_scalar(name)}: {flow(inner)}" for name, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(flow(inner) for inner in value) + "]"
    return _scalar(value)


def _scalar(value: Any) -> str:
    """Return a scalar: a text without quotes where it reads back as the same text."""
    if isinstance(value, str):
        plain = _PLAIN.fullmatch(value) and value == value.strip() and resolve(value) == value
        quoted = json.dumps(value, ensure_ascii=False)
        return value if plain else _ESCAPED.sub(lambda match: f"\\u{ord(match[0]):04x}", quoted)
    if isinstance(value, bool) or value is None:
        return json.dumps(value)
    if isinstance(value, int):
        return f"{value:_}"
    return repr(float(value)) if math.isfinite(value) else f".{value}".replace(".-", "-.")


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
    from ruamel.yaml import YAML

    nodes = dict(_nodes(YAML(typ="safe", pure=True).compose(text)))
    edits = [
        _replaced(node, _scalar(named(node.value)))
        for path, node in nodes.items()
        if _names_a_file(path, node.value) and named(node.value) != node.value
    ]
    stated = [nodes["sources", name] for name in values if ("sources", name) in nodes]
    edits += [_replaced(node, _scalar(source)) for node in stated]
    edits += [_put(text, nodes, keys, document) for name in values if (keys := find(document, name))]
    for edit in sorted(edits, reverse=True):
        old = text[edit.start : edit.end].rstrip()
        text = text[: edit.start] + edit.text + text[edit.start + len(old) :]
    return text


def moved(old: File, new: File) -> Callable[[str], str]:
    """Return what turns a base or a log relative to the folder *old* into one relative to *new*.

    What is shipped goes by its name, which is the same wherever the program is.
    """

    def base(name: str) -> str:
        there = old / name
        if not there.is_file() or os.path.samefile(old, new):
            return name
        shipped = os.path.relpath(os.path.realpath(there), library.folder().resolve())
        return shipped.removesuffix(library.SUFFIX) if library.path(shipped) else os.path.relpath(there, new)

    return base


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
    is_log = path[:1] == ("failures",) and (path[2:] == ("replay",) or path[2:4] == ("replay", "log"))
    named = path[:1] == ("base",) or is_log
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
