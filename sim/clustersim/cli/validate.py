"""`clustersim validate`: published clusters, and what is known exactly, against what is simulated."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from clustersim.cli import console, options
from clustersim.cli.program import Command

EXAMPLES = (
    "clustersim validate                                # every shipped case: a minute or two",
    "clustersim validate llama3-ettr chen-100k",
    "clustersim validate my-cluster.yaml                # a file with a `published` block",
    "clustersim validate --json | jq '.cases[] | select(.passed | not)'",
)


@click.command(cls=Command, examples=EXAMPLES, judges=True)
@options.cases
@options.output("Folder of validation.json and report.html. [default: runs/validation]")
@options.sets
@options.where
@options.resume
@options.as_json
@options.volume
def validate(
    cases: tuple[str, ...], output: Path | None, as_json: bool, shard: str | None, **common: Any
) -> int:
    """Simulate what was published about clusters, and compare: each claim agrees or differs.

    CASE is a shipped case or a file of your own with a `published` block; all shipped ones without any.
    The simulated figure comes with its 95 % interval, which has to lie within the accepted range as a whole;
    a control has to lie outside. Writes a table, and one HTML page.
    """
    from clustersim import folders
    from clustersim.validation.outcomes import remedy
    from clustersim.validation.validate import validate as run

    folder, how = output or options.RUNS / "validation", options.settings(common)
    given = [options.from_stdin(how) if case == options.STDIN else case for case in cases]
    if shard is not None:
        return options.in_shard(shard, "validate", given, folder, how, as_json)
    with console.watched(how) as watched:
        validation = run(given, folder, settings=watched)
    options.present(validation, validation.to_dict() if as_json else None)
    console.say(f"Results: {folder / validation.file}")
    console.say(f"Report: {folder / folders.REPORT}")
    return options.not_met(remedy(case) for case in validation.cases if not case.passed)
