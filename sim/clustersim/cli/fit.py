"""`clustersim fit`: from logs of failures to a scenario."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from clustersim.cli import console, options
from clustersim.cli.program import OK, Command

EXAMPLES = (
    "clustersim fit incidents.csv --nodes 400 --from 2026-01-01 --to 2026-07-01 --timezone UTC",
    "clustersim fit events.txt jobs.txt --nodes fleet.csv --from 2026-01-01 --to 2026-07-01 --timezone UTC",
    "clustersim fit faults.csv --column time=Start --column cause=Class --nodes 96 --from '0 d' --to '54 d'",
    "clustersim fit my/incidents.parquet --nodes 400 --from '0 d' --to '90 d' --json | jq .causes",
    "clustersim check runs/incidents/fit/scenario.yaml          # what comes of it",
)


@click.command(cls=Command, examples=EXAMPLES)
@click.argument("logs", metavar="LOG...", nargs=-1, required=True, type=click.Path())
@click.option("--nodes", metavar="N|FILE", help="How many nodes were watched, or a file where that changes.")
@click.option("--from", "begin", metavar="TIME", help="When the watch began: a date, or a time of the log.")
@click.option("--to", "end", metavar="TIME", help="When it ended.")
@click.option("--timezone", metavar="ZONE", help="Zone of times without one: UTC, Europe/Paris.")
@click.option(
    "--column",
    "columns",
    metavar="WHAT=NAME",
    multiple=True,
    help="Which column is what: time, node, end, repair, cause, kind. Repeatable. [default: by its name]",
)
@click.option(
    "--log-format",
    type=click.Choice(("columns", "sacctmgr", "sacct", "incidents")),
    help="What wrote the logs. [default: as recognised]",
)
@click.option(
    "--merge", metavar="DURATION", help="Rows of a node and cause within it are one. [default: 10min]"
)
@click.option(
    "--clock",
    type=click.Choice(("calendar", "training")),
    default="calendar",
    show_default=True,
    help="Whether the log's time, and failures, go on while nothing trains.",
)
@click.option("--name", metavar="NAME", help="Name of the scenario. [default: that of the first log]")
@options.output("Folder of scenario.yaml, fit.json and the report. [default: runs/<name>/fit]")
@click.option("--seed", metavar="N", type=click.IntRange(min=0), help="Seed of the random numbers.")
@click.option(
    "--replications",
    metavar="N",
    type=click.IntRange(min=1),
    help="Simulated histories that the log is compared with. [default: 40 to 200, by their cost]",
)
@options.workers
@options.executor
@options.resume
@options.report
@options.as_json
@options.volume
def fit(
    logs: tuple[str, ...], columns: tuple[str, ...], merge: str | None, name: str | None, **common: Any
) -> int:
    """Fit rates, lifetimes, repairs and what is special about nodes to LOGs, as a scenario.

    A rate needs what was watched: --nodes, --from and --to. Every row is counted, in one line of a table, and
    what is claimed beyond a constant rate is beyond chance. The fitted fleet is simulated: where the log is
    not like it is said.
    """
    from clustersim import folders
    from clustersim.cli.fitted import FitTables
    from clustersim.fitting.fit import fit as fitted
    from clustersim.logs.cleaning import MERGE_S
    from clustersim.units import DURATION

    output, report, as_json = (common.pop(each) for each in ("output", "report", "as_json"))
    reading = {each: common.pop(each) for each in ("nodes", "begin", "end", "timezone", "clock")}
    reading["format"] = common.pop("log_format")
    called = name or folders.slug(Path(logs[0]).stem)
    folder = output or options.RUNS / folders.slug(called) / "fit"
    folders.refuse_file(folder)
    try:
        within = MERGE_S if merge is None else DURATION.parse(merge)
    except ValueError as error:
        raise click.BadParameter(f"{error}", param_hint="--merge") from None
    what = "names no column; write it like time=Start"
    meanings = dict(options.pair(text, "--column", what) for text in columns)
    with console.watched(options.settings(common)) as how:
        study = fitted(
            list(logs), folder, columns=meanings, merge=within, name=called, settings=how, **reading
        )
    options.present(FitTables(study), study.to_dict() if as_json else None)
    console.say(f"Scenario: {folder / study.scenario_file}")
    if report:
        console.say(f"Report: {study.report(folder / folders.REPORT, options.command_line())}")
    return OK
