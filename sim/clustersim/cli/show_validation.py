"""What a validation looks like on a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from clustersim.validation import ClaimResult, Validation
from clustersim.validation.claims import (
    accepted_text,
    changes_text,
    compatible,
    conclusion,
    interval_text,
    simulated_text,
    verdict_text,
)

WIDEST_NAME = 36
TITLES = {
    "exact": "Figures that the inputs suffice for",
    "band": "Ranges and inequalities",
    "control": "Controls, which must differ",
    "plumbing": "Plumbing: figures that went in, and have to come out",
}


def validation(screen: Console, found: Validation, *, with_sources: bool = False) -> None:
    """Print what came of it in a sentence, then a table of each kind; with sources, what they rest on."""
    screen.print(Text(f"\n{conclusion(found)}", style="bold" if found.passed else "bold yellow"))
    ordered = sorted(found.cases, key=lambda case: list(TITLES).index(case.kind))
    for kind, cases in groupby(ordered, key=lambda case: case.kind):
        screen.print(Text(f"\n{TITLES[kind]}", style="bold"))
        screen.print(_table(list(cases)))
    if with_sources:
        screen.print(Text("\nWhat they rest on", style="bold"))
        for line, depth in _sources(found.cases):
            screen.print(Padding(Text(line), (0, 0, 0, 2 * depth)))


def _table(cases: Sequence[ClaimResult]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0))
    table.add_column("", no_wrap=True, overflow="ellipsis", max_width=WIDEST_NAME)
    table.add_column("published", overflow="fold")
    for name in ("accepted", "simulated"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    for scenario, claims in groupby(cases, key=lambda case: case.scenario):
        one, *others = claims
        if others or one.name != scenario:
            table.add_row(Text(scenario))
        for case in (one, *others):
            for row, style in _rows(case):
                table.add_row(*(Text(cell) for cell in row), style=style)
    return table


def _rows(case: ClaimResult) -> Iterator[tuple[Sequence[str], str]]:
    """Yield the row of a claim, with a mark where it is not met, and those of the values that were tried."""
    mark, style = ("", "") if case.passed else ("! ", "yellow")
    name = case.name if case.name == case.scenario else f"  {case.claim}"
    row = (f"{mark}{name}", case.says, accepted_text(case), simulated_text(case), verdict_text(case))
    yield row, style
    for one in case.tried:
        shown = interval_text(one.simulated, case.unit, case.difference)
        yield ("", f"  {case.unknown} = {one.value}", "", shown, one.verdict), "dim"


def _sources(cases: Sequence[ClaimResult]) -> Iterator[tuple[str, int]]:
    """Yield where the claims come from and how they are read, line by line, each with its depth."""
    for scenario, claims in groupby(cases, key=lambda case: case.scenario):
        first, *others = claims
        yield f"{scenario}: {first.source}", 0
        yield from ((f"assumed: {one}", 1) for one in first.assumes)
        for case in (first, *others):
            yield f"{case.claim}: {'; '.join(_said(case))}", 1


def _said(case: ClaimResult) -> Iterator[str]:
    """Yield what else there is to say about a claim."""
    yield f"{case.meaning}{f' ({case.of})' if case.of else ''}"
    if case.change:
        yield f"with {changes_text(case.change)}"
    if case.minus is not None:
        yield f"minus that {f'with {changes_text(case.minus)}' if case.minus else 'of the scenario as it is'}"
    if case.reads:
        yield case.reads
    if case.unknown:
        yield compatible(case)
