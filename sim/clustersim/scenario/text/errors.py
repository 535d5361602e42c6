"""What is wrong with a scenario: one fault per sentence, each with its place, all of a file together."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where something was written: a file or `--set ...`, with line and column counted from 1 where known."""

    file: str
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        return ":".join(str(part) for part in (self.file, self.line, self.column) if part is not None)


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong: where, at which path of the scenario, and what to do about it."""

    place: Place
    path: str
    message: str

    @property
    def file(self) -> str:
        """The file, or the `--set` option, that holds the fault."""
        return self.place.file

    @property
    def line(self) -> int | None:
        """Line in that file, from 1."""
        return self.place.line

    @property
    def column(self) -> int | None:
        """Column in that line, from 1."""
        return self.place.column

    def __str__(self) -> str:
        return ": ".join(part for part in (str(self.place), self.path, self.message) if part)


class ScenarioError(ValueError):
    """A scenario that cannot be used; `faults` holds everything that is wrong with it, in reading order."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(str(fault) for fault in self.faults))

    def __reduce__(self) -> tuple[type[ScenarioError], tuple[tuple[Fault, ...]]]:
        return type(self), (self.faults,)


def dotted(path: Path) -> str:
    """Return a path as it is written in `sources`, `expect` and `--set`: `failures.gpu.rate`."""
    return ".".join(str(part) for part in path)
