"""`clustersim report`: HTML from finished runs."""

from __future__ import annotations

from pathlib import Path

import click

from clustersim.cli import console, options
from clustersim.cli.program import OK, Command

EXAMPLES = (
    "clustersim report runs/chen-100k",
    "clustersim report runs/today runs/faster-restart -o both.html",
    "clustersim report runs/compare-chen-10k",
)


@click.command(cls=Command, examples=EXAMPLES)
@click.argument("runs", metavar="RUN...", nargs=-1, required=True, type=click.Path(path_type=Path))
@options.baseline
@options.output("The HTML file. [default: report.html in the run folder, or beside several]")
@options.volume
def report(runs: tuple[Path, ...], baseline: str | None, output: Path | None) -> int:
    """Write the HTML report of finished runs, without simulating; RUN is a run folder or holds some."""
    from clustersim import folders
    from clustersim.results import Results
    from clustersim.studies.compare import Comparison

    inner = [folder for run in runs for folder in folders.runs_in(run)]
    results = [Results.load(folder) for folder in inner]
    folders.one_folder_each([result.name for result in results], Path())
    shown = Comparison(results, baseline) if len(results) > 1 else results[0]
    path = output or (runs[0] if len(runs) == 1 else inner[0].parent) / folders.REPORT
    console.say(f"Report: {shown.report(path, options.command_line())}")
    return OK
