"""The command line: `clustersim`, or `python -m clustersim`."""

from __future__ import annotations

import click

from clustersim.cli.program import HELP, Program
from clustersim.version import VERSION, build

__all__ = ["main"]

main = Program(
    name="clustersim",
    help="Of the cards you pay for, how many really train? A simulator of GPU training clusters.",
    homes={
        "run": "runs",
        "compare": "runs",
        "tune": "studies",
        "levers": "studies",
        "sweep": "studies",
        "solve": "studies",
        "sensitivity": "studies",
        "fit": "fit",
        "validate": "runs",
        "merge": "runs",
        "report": "runs",
        "check": "scenarios",
        "init": "scenarios",
        "list": "scenarios",
        "runs": "runs",
        "schema": "scenarios",
    },
    examples=(
        "clustersim list",
        "clustersim run chen-100k",
        "clustersim compare chen-10k chen-100k chen-1m",
        "clustersim tune chen-100k",
        "clustersim init my-cluster",
        "clustersim check my-cluster.yaml",
        "clustersim run my-cluster.yaml --set cluster.spares=20 --report",
    ),
    context_settings=HELP | {"max_content_width": 100},
    params=[],
)
main = click.version_option(VERSION, prog_name="clustersim", message=f"%(prog)s %(version)s ({build()})")(
    main
)
