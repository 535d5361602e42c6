"""`clustersim merge`: one answer of shards."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from clustersim.cli import console, options, run
from clustersim.cli.program import OK, Command

EXAMPLES = (
    "clustersim run my.yaml --replications 1000 --shard 3/16     # on sixteen machines, 1/16 to 16/16",
    "clustersim merge runs/my-shards",
    "clustersim merge node1/shards/* node2/shards/* -o runs/my --report",
    "clustersim merge runs/my/sweep-shards --json | jq .shards.missing",
)


@click.command(cls=Command, examples=EXAMPLES, judges=True)
@click.argument("shards", metavar="SHARDS...", nargs=-1, required=True, type=click.Path(path_type=Path))
@options.output("Where the answer goes. [default: where the command that was split would have put it]")
@options.workers
@options.executor
@click.option("--no-incidents", is_flag=True, help="Leave the large table of incidents out.")
@options.report
@options.as_json
@options.volume
def merge(shards: tuple[Path, ...], output: Path | None, report: bool, as_json: bool, **common: Any) -> int:
    """Merge the shards of a run or a study to the answer that one command would have given.

    SHARDS are their folders, or a folder that holds them all. The files are the same, byte for byte, in
    whatever order. What shards could not know before, such as the tornado of sensitivity, is simulated.
    """
    from clustersim import shards as parts

    how = options.settings(common)
    found = parts.Shards.of(shards)
    if found.missing and as_json:
        console.print_json(found.to_dict())
    with console.watched(how) as watched:
        merged = found.merged(output, watched)
    answer, place = merged.answer, merged.output
    if as_json:
        console.print_json(merged.to_dict())
    else:
        options.present(answer, None)
        console.say(f"Results: {place}")
    if report:
        console.say(f"Report: {_report(merged, place)}")
    return _code(merged)


def _report(merged: Any, place: Path) -> Path:
    """Write the HTML report of what was merged, and return its path."""
    from clustersim import folders

    if isinstance(merged.answer, list):
        return run.write_report(merged.answer, place)
    path: Path = merged.answer.report(place / folders.REPORT, options.command_line())
    return path


def _code(merged: Any) -> int:
    """Return the exit code that the command that was split would have had."""
    if merged.study == "validate":
        from clustersim.validation.outcomes import remedy

        return options.not_met(remedy(case) for case in merged.answer.cases if not case.passed)
    if merged.study in ("run", "compare"):
        runs = merged.answer if isinstance(merged.answer, list) else merged.answer.results
        return run.exit_code(runs)
    return OK
