"""`clustersim levers`: what to improve first."""

from __future__ import annotations

from typing import Any

import click

from clustersim.cli import options
from clustersim.cli.program import OK, Command

EXAMPLES = (
    "clustersim levers chen-100k",
    "clustersim levers my.yaml --replications 64 --report",
    "clustersim levers my.yaml --json | jq '.levers[0]'",
)


@click.command(cls=Command, examples=EXAMPLES)
@options.scenario
@options.output("Folder of levers.json and the report. [default: runs/<name>/levers]")
@options.study
def levers(**common: Any) -> int:
    """Rank what could be improved, one change at a time, by effective cards and money.

    Half of each failure rate and of each stage of recovery, cheaper saves, more spares, the tuned interval,
    and the levers that the scenario names itself.
    """
    from clustersim.studies.levers import levers as rank

    options.answer(rank, "levers", **common)
    return OK
