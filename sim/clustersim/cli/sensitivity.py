"""`clustersim sensitivity`: what to measure first."""

from __future__ import annotations

from functools import partial
from typing import Any

import click

from clustersim.cli import options
from clustersim.cli.program import OK, Command

EXAMPLES = (
    "clustersim sensitivity my.yaml                  # by what it says under uncertain",
    "clustersim sensitivity frontier-100k --range 30% --report",
    "clustersim sensitivity my.yaml --metric days_to_target.p90   # or a price, or spares.sufficient_p99",
    "clustersim sensitivity my.yaml --samples 512 --json | jq .indices",
)


@click.command(cls=Command, examples=EXAMPLES)
@options.scenario
@click.option(
    "--range",
    "range_",
    metavar="SHARE",
    help="How far inputs may be from what is stated, where uncertain does not say. [default: 30%, without"
    " such a block]",
)
@click.option(
    "--samples",
    type=click.IntRange(min=2),
    default=128,
    show_default=True,
    help="Base points of the indices, a power of 2; more give narrower intervals.",
)
@click.option(
    "--per-point",
    type=click.IntRange(min=2),
    default=2,
    show_default=True,
    help="Replications at each point; two tell chance from inputs.",
)
@click.option("--metric", default="ettr", show_default=True, help="What the inputs are to explain.")
@options.output("Folder of sensitivity.json, .csv and the report. [default: runs/<name>/sensitivity]")
@options.study
def sensitivity(range_: str | None, samples: int, per_point: int, metric: str, **common: Any) -> int:
    """Find out which uncertain inputs the answer depends on most: what to measure first.

    Elementary effects screen the inputs, Sobol indices rank what is left; chance is kept apart. A tornado
    shows what lies between the ends of each input, in cards and money, over --replications.
    """
    from clustersim.studies.sensitivity import sensitivity as found

    asked = partial(found, range_=range_, samples=samples, per_point=per_point, metric=metric)
    options.answer(asked, "sensitivity", **common)
    return OK
