"""`clustersim levers`: what to improve first."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from clustersim.cli import console, options
from clustersim.cli.program import OK, Told

if TYPE_CHECKING:
    from clustersim.scenario import Scenario
    from clustersim.tuning import Levers

EXAMPLES = (
    "clustersim levers chen-100k",
    "clustersim levers my.yaml --replications 64 --report",
    "clustersim levers my.yaml --json | jq '.levers[0]'",
)


@click.command(cls=Told, examples=EXAMPLES)
@options.scenario
@options.output("Folder of levers.json and the report. [default: runs/<name>/levers]")
@options.sets
@options.workers
@click.option("--report", is_flag=True, help="Write the HTML report too.")
@options.as_json
@options.volume
def levers(scenario: str, output: Path | None, report: bool, as_json: bool, **given: Any) -> int:
    """Rank what could be improved, one change at a time, by effective cards and money.

    Half of each failure rate and of each stage of recovery, cheaper saves, more spares, the tuned interval,
    and the levers that the scenario names itself.
    """
    changed, rest = options.split(given)
    (loaded,) = options.load_all([scenario], changed)
    folder = options.place_of(loaded.name, output, "levers")
    present(ranked(loaded, **rest), folder, report, as_json)
    return OK


def ranked(scenario: Scenario, workers: int | None) -> Levers:
    """Return the levers of the scenario."""
    from clustersim.experiment import Settings
    from clustersim.tuning import levers as rank

    with console.watcher() as watcher:
        return rank(scenario, settings=Settings(workers, progress=watcher))


def present(found: Levers, folder: Path, report: bool, as_json: bool) -> None:
    """Save the answer, print it, and say where it is."""
    from clustersim import folders
    from clustersim.cli import show_tuning
    from clustersim.tuning.output import report_of, save_levers

    saved = save_levers(found, folder)
    if as_json:
        console.print_json(found.to_dict())
    else:
        show_tuning.levers(console.output(), found)
    console.say(f"Results: {saved}")
    if report:
        console.say(f"Report: {report_of(found, folder / folders.REPORT, options.command_line())}")
