"""`clustersim compare`: several scenarios on the same failures, side by side."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from clustersim.cli import console, options
from clustersim.cli.program import Command
from clustersim.cli.run import exit_code

EXAMPLES = (
    "clustersim compare chen-10k chen-100k chen-1m",
    "clustersim compare today.yaml faster-restart.yaml --baseline today --precision 0.2pp",
    "clustersim compare a.yaml b.yaml --json | jq .differences",
    "clustersim compare a.yaml b.yaml --format csv > comparison.csv",
)


@click.command(cls=Command, examples=EXAMPLES, judges=True)
@options.scenarios
@options.baseline
@options.output("Folder of the run folders and the report. [default: runs/compare-<first name>]")
@options.changes
@options.running
@options.as_json
@options.volume
def compare(
    scenarios: tuple[str, ...],
    baseline: str | None,
    output: Path | None,
    as_json: bool,
    shard: str | None,
    **common: Any,
) -> int:
    """Simulate scenarios, or reuse finished runs, compare them in pairs, and write one HTML report."""
    from clustersim import folders
    from clustersim.studies.compare import compare as compared

    how = options.settings(common)
    loaded = options.load_all(scenarios, how)
    base = output or options.RUNS / f"compare-{folders.slug(loaded[0].name)}"
    if shard is not None:
        how = how.without_changes
        return options.in_shard(shard, "compare", loaded, base, how, as_json, baseline=baseline)
    with console.watched(how.without_changes) as watched:
        comparison = compared(loaded, base, baseline=baseline, settings=watched)
    path = comparison.report(base / folders.REPORT, options.command_line())
    summaries = [options.summary_with_time(result) for result in comparison.results]
    options.present(comparison, comparison.to_dict() | {"scenarios": summaries} if as_json else None)
    console.say(f"Report: {path}")
    return exit_code(comparison.results)
