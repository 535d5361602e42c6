"""What a run and a comparison look like on a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from clustersim.advice import advise, largest_loss, verdict
from clustersim.formatting import NOTHING, percent, points
from clustersim.metrics.catalogue import table_of
from clustersim.metrics.cells import margin
from clustersim.results import Results
from clustersim.studies.compare import Comparison

Summary = Mapping[str, Any]
Row = tuple[str, str]

LEAST_SHARE = 0.0005


def run(screen: Console, results: Results) -> None:
    """Print the verdict, the figures, where the time goes, and what to do next."""
    summary = results.summary
    screen.print(Text(f"\n{verdict(summary)}\n", style="bold"))
    screen.print(_two_columns([*_metrics(summary)]))
    screen.print(Text("\nWhere the time goes", style="bold"))
    screen.print(_two_columns([*_time(summary)]))
    for advice in advise(results.scenario, summary):
        screen.print(
            Text(f"\n{'! ' if advice.warning else ''}{advice}", style="yellow" if advice.warning else "")
        )
    screen.print(f"\nNext: clustersim report {results.folder}")


def _two_columns(rows: Sequence[Row]) -> Table:
    table = Table(box=None, show_header=False, padding=(0, 3, 0, 0))
    for name, value in rows:
        table.add_row(Text(name), Text(value))
    return table


def _metrics(summary: Summary) -> Iterator[Row]:
    """Yield the metrics of a run, each with its remark."""
    for metric, (cell,) in table_of([summary]):
        yield metric.heading or metric.label, f"{cell.text} ({cell.small})" if cell.small else cell.text


def _largest(summary: Summary) -> str:
    found = largest_loss(summary)
    return (
        NOTHING if found is None else f"{found[0]} {percent(found[1], margin(summary, f'ledger.{found[0]}'))}"
    )


def _time(summary: Summary) -> Iterator[Row]:
    """Yield the entries of the ledger, the largest first, recovery with its stages."""
    ledger = summary["ledger"]
    for entry in sorted(ledger, key=lambda entry: -ledger[entry]):
        if ledger[entry]:
            share = percent(ledger[entry], margin(summary, f"ledger.{entry}"))
            yield f"  {entry}", f"{share:>7}{_stages(summary) if entry == 'recovery' else ''}"


def _stages(summary: Summary) -> str:
    stages = {name: share for name, share in summary["recovery_stages"].items() if share >= LEAST_SHARE}
    if len(stages) < 2:
        return ""
    listed = ", ".join(
        f"{name} {percent(share, margin(summary, f'recovery_stages.{name}'))}"
        for name, share in stages.items()
    )
    return f"  ({listed})"


def comparison(screen: Console, found: Comparison) -> None:
    """Print the runs side by side, differences to the baseline, and what each step in size returns."""
    table = Table(box=None, padding=(0, 3, 0, 0))
    table.add_column("")
    for one in found.results:
        table.add_column(Text(one.name), justify="right")
    for name, cells in _rows(found):
        table.add_row(Text(name), *map(Text, cells))
    screen.print()
    screen.print(table)
    for advice in found.advice:
        screen.print(Text(f"\n{advice}", style="yellow" if advice.warning else ""))
    for one in found.results:
        if one.summary["no_progress"]:
            screen.print(Text(f"\n! {verdict(one.summary)}", style="yellow"))


def _rows(found: Comparison) -> Iterator[tuple[str, list[str]]]:
    summaries = [one.summary for one in found.results]
    for metric, cells in table_of(summaries):
        yield metric.heading or metric.label, [cell.text for cell in cells]
    yield "Largest loss", [_largest(summary) for summary in summaries]
    yield f"ETTR against {found.baseline}", list(_against(found))


def _against(found: Comparison) -> Iterator[str]:
    differences = {one.name: one.ettr for one in found.differences}
    for one in found.results:
        estimate = differences.get(one.name)
        if estimate is None:
            yield NOTHING
        elif estimate.half_width is not None and not estimate.distinguishable:
            yield "not distinguishable"
        else:
            yield points(estimate.mean, estimate.half_width)
