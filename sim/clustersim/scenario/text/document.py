"""A scenario as plain data that remembers where each value was written, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from clustersim.units import visible

MOST_PRINTED = 20
"""Problems that are printed one by one: more of them say the same."""
LONGEST_PATH = 200
"""Characters of a path that are printed: names have 40, and there are few levels."""
Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where something was written: a file or `--set ...`, with line and column counted from 1 where known."""

    file: str
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        parts = (visible(self.file), self.line, self.column)
        return ":".join(str(part) for part in parts if part is not None)

    def error(self, message: str, path: str = "") -> ScenarioError:
        """Return the error of one problem here, at the dotted *path* of the scenario."""
        return ScenarioError([Problem(self, path, message)])


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: where, at which path of the scenario, and what to do about it."""

    place: Place
    path: str
    message: str

    def __str__(self) -> str:
        path = self.path if len(self.path) <= LONGEST_PATH else f"{self.path[: LONGEST_PATH - 3]}..."
        return ": ".join(visible(part) for part in (str(self.place), path, self.message) if part)


class ScenarioError(ValueError):
    """A scenario that cannot be used; `problems` holds everything that is wrong with it, in reading order.

    As text it is a line for each problem, of very many for the first.
    """

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        more = len(self.problems) - MOST_PRINTED
        rest = [f"{more:,} more problem{'s' * (more > 1)}; correct these first"] if more > 0 else []
        super().__init__("\n".join([*map(str, self.problems[:MOST_PRINTED]), *rest]))

    def __reduce__(self) -> tuple[type[ScenarioError], tuple[tuple[Problem, ...]]]:
        return type(self), (self.problems,)

    @property
    def faults(self) -> tuple[Problem, ...]:
        """The old name of `problems`."""
        return self.problems


def dotted(path: Path) -> str:
    """Return a path as it is written in `sources`, `expect` and `--set`: `failures.gpu.rate`."""
    return ".".join(str(part) for part in path)


@dataclass(frozen=True, slots=True)
class Mark:
    """Where a key, or an item of a list, and its value begin."""

    key: Place
    value: Place


@dataclass(slots=True)
class Document:
    """Dicts, lists and scalars, a mark for each path in them, and the problems that were found on the way."""

    data: Any
    marks: dict[Path, Mark] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def place(self, path: Path, of_key: bool = False) -> Place:
        """Return where *path* was written, or the nearest block around it.

        A value that begins on a line of its own is shown at its key.
        """
        for end in range(len(path), -1, -1):
            if mark := self.marks.get(path[:end]):
                at_key = of_key or end < len(path) or mark.value.line != mark.key.line
                return mark.key if at_key else mark.value
        return Place("<scenario>")

    def problem(self, path: Path, message: str, of_key: bool = False) -> Problem:
        """Return a problem at *path*."""
        return Problem(self.place(path, of_key), dotted(path), message)


def find(data: object, path: str) -> Path | None:
    """Return the keys that the dotted *path* stands for in *data*, or None; keys may hold dots themselves.

    An entry of a list goes by its `name`, or by its number from 0, which is its key.
    """
    if isinstance(data, list):
        return _find_entry(data, path)
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


def _find_entry(data: list[Any], path: str) -> Path | None:
    for number, entry in enumerate(data):
        for name in (entry.get("name") if isinstance(entry, Mapping) else None, str(number)):
            if path == name:
                return (number,)
            if path.startswith(f"{name}.") and (inner := find(entry, path[len(str(name)) + 1 :])) is not None:
                return (number, *inner)
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
