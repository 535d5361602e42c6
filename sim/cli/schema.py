"""`clustersim schema`: the scenario language as JSON Schema."""

from __future__ import annotations

import click

from sim.cli import console, options
from sim.cli.program import OK, Told

EXAMPLES = ("clustersim schema > scenario.schema.json",)


@click.command(cls=Told, examples=EXAMPLES)
@options.volume
def schema() -> int:
    """Print the JSON Schema of scenario files, for editors that complete and check YAML."""
    from sim.scenario import schema as made

    console.print_json(made())
    return OK
