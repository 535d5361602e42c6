"""`clustersim compare`: several scenarios on the same failures, side by side."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from clustersim.cli import console, options
from clustersim.cli.program import Told
from clustersim.cli.run import verdict_code

if TYPE_CHECKING:
    from clustersim.studies.compare import Comparison

EXAMPLES = (
    "clustersim compare chen-10k chen-100k chen-1m",
    "clustersim compare today.yaml faster-restart.yaml --baseline today --precision 0.2pp",
    "clustersim compare a.yaml b.yaml --json | jq .differences",
)


@click.command(cls=Told, examples=EXAMPLES)
@options.scenarios
@click.option(
    "--baseline", metavar="NAME", help="Scenario that the others are compared to. [default: the first]"
)
@options.output("Folder of the run folders and the report. [default: runs/compare-<first name>]")
@options.changes
@options.running
@options.as_json
@options.volume
def compare(
    scenarios: tuple[str, ...], baseline: str | None, output: Path | None, as_json: bool, **common: Any
) -> int:
    """Simulate scenarios, or reuse finished runs, compare them in pairs, and write one HTML report."""
    from clustersim import folders
    from clustersim.studies.compare import compare as compared

    how = options.settings(common)
    loaded = options.load_all(scenarios, how)
    base = output or options.RUNS / f"compare-{folders.slug(loaded[0].name)}"
    with console.watched(how.without_changes) as watched:
        comparison = compared(loaded, base, baseline=baseline, settings=watched)
    path = comparison.report(base / folders.REPORT, options.command_line())
    present(comparison, path, as_json)
    return verdict_code(comparison.results)


def present(comparison: Comparison, report: Path, as_json: bool) -> None:
    """Print the comparison, and where its report is."""
    from clustersim.cli import show

    if as_json:
        scenarios = [options.summary_with_time(one) for one in comparison.results]
        console.print_json(comparison.to_dict() | {"scenarios": scenarios})
    else:
        show.comparison(console.output(), comparison)
    console.say(f"Report: {report}")
