"""`clustersim check`: what scenarios mean, without simulating."""

from __future__ import annotations

from typing import Any

import click

from clustersim.cli import console, options
from clustersim.cli.program import OK, Command

EXAMPLES = (
    "clustersim check my.yaml",
    "clustersim check my.yaml --verbose   # with defaults",
    "clustersim check my/*.yaml --quiet",
    "clustersim check llama3-16k --set cluster.spares=0 --json",
    "clustersim check - < my.yaml",
)


@click.command(cls=Command, examples=EXAMPLES)
@options.scenarios
@options.changes
@options.as_json
@options.volume
def check(scenarios: tuple[str, ...], as_json: bool, **common: Any) -> int:
    """Validate scenarios and print what they mean, without simulating.

    Every value with its source, failures by mode and beside published rates, and the ETTR to first order;
    where that does not hold it is withheld, with the reason.
    """
    from clustersim.scenario.describe import describe
    from clustersim.scenario.drawing import made
    from clustersim.settings import Settings

    loaded = options.load_all(scenarios, options.settings(common))
    for scenario in loaded:
        made(scenario)
    descriptions = [describe(scenario, Settings().processes) for scenario in loaded]
    if as_json:
        console.print_json(*(description.to_dict() for description in descriptions))
    elif not console.is_quiet() or console.form() != console.TABLE:
        options.present(descriptions, None)
    return OK
