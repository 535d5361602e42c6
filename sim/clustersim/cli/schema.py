"""`clustersim schema`: the scenario language as JSON Schema."""

from __future__ import annotations

import click

from clustersim.cli import console, options
from clustersim.cli.program import OK, Command

EXAMPLES = ("clustersim schema > scenario.schema.json",)


@click.command(cls=Command, examples=EXAMPLES)
@options.volume
def schema() -> int:
    """Print the JSON Schema of scenario files, for editors that complete and check YAML."""
    from clustersim.scenario import schema as made

    console.print_json(made())
    return OK
