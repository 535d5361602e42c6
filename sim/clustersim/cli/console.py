"""What the commands say: data on standard output, messages and progress on standard error."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import click

from clustersim.units import visible_lines

if TYPE_CHECKING:
    from rich.progress import Progress

    from clustersim.settings import Settings

NARROW = 16
"""Characters of the bar, so that the estimate beside it fits on 80."""
TRACEBACK = "CLUSTERSIM_TRACEBACK"
"""The variable with which an internal error shows where it happened, as it does with -v."""

TABLE, CSV, MARKDOWN = "table", "csv", "markdown"
"""Forms in which an answer is printed, beside JSON."""


@dataclass
class Manner:
    """How much is said: only data and errors, or more than usual; and the form in which it is printed."""

    is_quiet: bool = False
    is_verbose: bool = False
    form: str = TABLE

    def begin(self) -> None:
        """Forget what an earlier command line in this process has chosen."""
        vars(self).update(vars(Manner()))


manner = Manner()


def say(message: str) -> None:
    """Print a message, unless quiet."""
    if not manner.is_quiet:
        complain(message)


def complain(message: str) -> None:
    """Print what went wrong, quiet or not; where nobody can hear it, that is no reason to stop."""
    with suppress(OSError):
        click.echo(visible_lines(message), err=True)


def print_json(*objects: Mapping[str, Any]) -> None:
    """Print one JSON object and nothing else; several are its list of scenarios."""
    from clustersim.folders import as_json

    printed = objects[0] if len(objects) == 1 else {"scenarios": objects}
    with standard_output():
        click.echo(as_json(printed))


@contextmanager
def standard_output() -> Iterator[None]:
    """Give an error that comes of writing to standard output its name; whoever has left is no error."""
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OSError(error.errno, error.strerror, "standard output") from error


class Watcher:
    """Says what an experiment says, and draws a bar on a terminal, with ETTR so far."""

    def __init__(self, bar: Progress | None = None) -> None:
        self._bar = bar
        self._task = None if bar is None else bar.add_task("working", total=None, so_far="")
        self._ettrs: dict[str, list[float]] = {}

    def advance(self, done: int, wanted: int) -> None:
        """Move the bar."""
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, completed=done, total=wanted)

    def finished(self, scenario: str, ettr: float) -> None:
        """Show ETTR of the replications of this scenario that are finished so far, with its interval."""
        if self._bar is None or self._task is None:
            return
        from clustersim.estimate import in_words, mean_of

        values = self._ettrs.setdefault(scenario, [])
        values.append(ettr)
        of = f" of {scenario}" if len(self._ettrs) > 1 else ""
        self._bar.update(self._task, so_far=f"ETTR{of} so far {in_words(mean_of(values))}")

    def say(self, message: str) -> None:
        """Print the message, above the bar if there is one."""
        if self._bar is None:
            say(message)
        else:
            self._bar.console.print(visible_lines(message), markup=False, highlight=False, soft_wrap=True)


@contextmanager
def watched(settings: Settings) -> Iterator[Settings]:
    """Yield *settings* with somebody who watches: with a bar on a terminal, unless quiet is wanted."""
    if manner.is_quiet or not sys.stderr.isatty():
        yield replace(settings, progress=Watcher())
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(NARROW),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[so_far]}", markup=False),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        yield replace(settings, progress=Watcher(bar))
