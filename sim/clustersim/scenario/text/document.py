"""A scenario as plain data that remembers, for each of its values, where it was written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from clustersim.scenario.text.errors import Fault, Path, Place, dotted


@dataclass(frozen=True, slots=True)
class Mark:
    """Where a key, or an item of a list, and its value begin."""

    key: Place
    value: Place


@dataclass(slots=True)
class Document:
    """Dicts, lists and scalars, a mark for each path in them, and the faults that were found on the way."""

    data: Any
    marks: dict[Path, Mark] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)

    def place(self, path: Path, of_key: bool = False) -> Place:
        """Return where *path* was written, or the nearest block around it.

        A value that begins on a line of its own is shown at its key.
        """
        for end in range(len(path), -1, -1):
            if mark := self.marks.get(path[:end]):
                at_key = of_key or end < len(path) or mark.value.line != mark.key.line
                return mark.key if at_key else mark.value
        return Place("<scenario>")

    def fault(self, path: Path, message: str, of_key: bool = False) -> Fault:
        """Return a fault at *path*."""
        return Fault(self.place(path, of_key), dotted(path), message)


def find(data: object, path: str) -> Path | None:
    """Return the keys that the dotted *path* stands for in *data*, or None; keys may hold dots themselves."""
    if not isinstance(data, Mapping):
        return None
    end = len(path)
    while end > 0:
        key, rest = _key(data, path[:end]), path[end + 1 :]
        if key is not None and end == len(path):
            return (key,)
        if key is not None and (inner := find(data[key], rest)) is not None:
            return (key, *inner)
        end = path.rfind(".", 0, end)
    return None


def _key(data: Mapping[Any, Any], name: str) -> Any:
    """Return the key of *data* that is written as *name*: a text, or a number as in a table; else None."""
    if name in data:
        return name
    number = int(name) if name.isdecimal() else None
    return number if number in data and str(number) == name else None


def at(data: Any, path: Path) -> Any:
    """Return the value at *path*."""
    for key in path:
        data = data[key]
    return data


def within(value: object, path: Path = ()) -> Iterator[Path]:
    """Yield *path* and the path of everything inside its *value*, in dicts and lists."""
    yield path
    if isinstance(value, Mapping | list):
        items = value.items() if isinstance(value, Mapping) else enumerate(value)
        for key, inner in items:
            yield from within(inner, (*path, key))


def paths(data: object) -> Iterator[Path]:
    """Yield the path of every value in nested dicts, outer ones first, lists as one value."""
    if isinstance(data, Mapping):
        for key, value in data.items():
            yield (key,)
            yield from ((key, *inner) for inner in paths(value))
