"""`clustersim check`: what scenarios mean, without simulating."""

from __future__ import annotations

from typing import Any

import click

from clustersim.cli import console, options
from clustersim.cli.program import OK, Told

EXAMPLES = (
    "clustersim check my.yaml",
    "clustersim check my.yaml --verbose   # with defaults",
    "clustersim check scenarios/*.yaml --quiet",
    "clustersim check llama3-16k --set cluster.spares=0 --json",
)


@click.command(cls=Told, examples=EXAMPLES)
@options.scenarios
@options.changes
@options.as_json
@options.volume
def check(scenarios: tuple[str, ...], as_json: bool, **common: Any) -> int:
    """Validate scenarios and print what they mean: resolved values, failures by mode, a first-order ETTR."""
    from clustersim.cli import meaning

    loaded = options.load_all(scenarios, options.settings(common))
    if as_json:
        found = [meaning.as_dict(scenario) for scenario in loaded]
        console.print_json(found[0] if len(found) == 1 else {"scenarios": found})
    elif not console.is_quiet():
        screen = console.output()
        for scenario in loaded:
            meaning.show(screen, scenario, console.is_verbose())
    return OK
