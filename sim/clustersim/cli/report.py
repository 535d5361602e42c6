"""`clustersim report`: HTML from finished runs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from clustersim.cli import console, options
from clustersim.cli.program import OK, Told

EXAMPLES = (
    "clustersim report runs/chen-100k",
    "clustersim report runs/today runs/faster-restart -o both.html",
    "clustersim report runs/compare-chen-10k",
)


@click.command(cls=Told, examples=EXAMPLES)
@click.argument("runs", metavar="RUN...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--baseline", metavar="NAME", help="Scenario that the others are compared to. [default: the first]"
)
@options.output("The HTML file. [default: report.html in the run folder, or beside several]")
@options.volume
def report(runs: tuple[Path, ...], baseline: str | None, output: Path | None) -> int:
    """Write the HTML report of finished runs, without simulating; RUN is a run folder or holds some."""
    from clustersim import folders
    from clustersim.results import Results
    from clustersim.studies.compare import Comparison

    found = [folder for run in runs for folder in folders.runs_in(run)]
    results = [Results.load(folder) for folder in found]
    folders.one_folder_each([one.name for one in results], Path())
    shown = Comparison(results, baseline) if len(results) > 1 else results[0]
    path = output or default_path(runs, found)
    console.say(f"Report: {shown.report(path, options.command_line())}")
    return OK


def default_path(runs: Sequence[Path], found: Sequence[Path]) -> Path:
    """Return where the report goes: into the one folder that was named, or beside the first of several."""
    from clustersim import folders

    return (runs[0] if len(runs) == 1 else found[0].parent) / folders.REPORT
