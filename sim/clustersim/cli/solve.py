"""`clustersim solve`: how far one value has to change."""

from __future__ import annotations

from functools import partial
from typing import Any

import click

from clustersim.cli import options
from clustersim.cli.program import OK, Command

EXAMPLES = (
    "clustersim solve chen-100k --for recovery.stages.restart --until 'ettr >= 0.7'",
    "clustersim solve my.yaml --for cluster.spares --until 'spares.waiting <= 0.01' --between 0..100",
    "clustersim solve my.yaml --for checkpoint.blocks --until 'days_to_target.p90 <= 60' --retune",
    "clustersim solve my.yaml --for cluster.spares --until 'cost.total <= other.yaml'       # break-even",
    "clustersim solve a.yaml --for failures.gpu.rate --until 'ettr >= b.yaml' --both      # in both of them",
)


@click.command(cls=Command, examples=EXAMPLES)
@options.scenario
@click.option("--for", "path", metavar="PATH", required=True, help="The value to change.")
@click.option(
    "--until",
    metavar="CONDITION",
    required=True,
    help="What has to hold: any metric of the summary against a number, or against another scenario.",
)
@click.option("--between", metavar="LOW..HIGH", help="Where to look: 10s..20min. [default: around today's]")
@click.option("--both", is_flag=True, help="Change the value in the other scenario of the condition too.")
@click.option("--retune", is_flag=True, help="Give each value its own best checkpoint interval.")
@options.output("Folder of solve.json and the report. [default: runs/<name>/solve]")
@options.study
def solve(path: str, until: str, between: str | None, both: bool, retune: bool, **common: Any) -> int:
    """Find the smallest change of one value with which a condition is met, with its 95 % interval.

    What cannot be reached is an answer too: the best that can be had, and what would have to be added.
    """
    from clustersim.studies.condition import Condition
    from clustersim.studies.solve import solve as solved

    how = options.settings({"sets": common["sets"]} | {name: common[name] for name in ("seed", "horizon")})
    named = Condition.parse(until).other
    options.refuse_stdin_twice([common["scenario"], named or ""])
    other = options.load_all([named], how)[0] if named else None
    question = partial(solved, path=path, until=until, between=between, both=both, retune=retune, other=other)
    options.answer(question, "solve", **common)
    return OK
