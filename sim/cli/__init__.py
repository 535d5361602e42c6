"""The command line: `clustersim`, or `python -m sim`."""

from __future__ import annotations

import click

from sim.cli.program import Program
from sim.version import VERSION

__all__ = ["main"]

main = Program(
    name="clustersim",
    help="Of the cards you pay for, how many really train? A simulator of GPU training clusters.",
    commands_at={
        "run": "sim.cli.run:run",
        "compare": "sim.cli.compare:compare",
        "tune": "sim.cli.tune:tune",
        "levers": "sim.cli.levers:levers",
        "validate": "sim.cli.validate:validate",
        "report": "sim.cli.report:report",
        "check": "sim.cli.check:check",
        "init": "sim.cli.init:init",
        "schema": "sim.cli.schema:schema",
    },
    examples=(
        "clustersim run chen-100k",
        "clustersim compare chen-10k chen-100k chen-1m",
        "clustersim tune chen-100k",
        "clustersim init my-cluster",
        "clustersim check my-cluster.yaml",
        "clustersim run my-cluster.yaml --set cluster.spares=20 --report",
    ),
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    params=[],
)
main = click.version_option(VERSION, prog_name="clustersim", message="%(prog)s %(version)s")(main)
