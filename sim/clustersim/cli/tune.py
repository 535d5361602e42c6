"""`clustersim tune`: how often to save."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from clustersim.cli import console, options
from clustersim.cli.program import OK, Told

if TYPE_CHECKING:
    from clustersim.scenario import Scenario
    from clustersim.tuning import Tuning

EXAMPLES = (
    "clustersim tune chen-100k",
    "clustersim tune my.yaml --blocks 1s,5s,30s                  # what a cheaper save is worth",
    "clustersim tune my.yaml --over cluster.gpus=10k,100k,1M     # and what the size changes",
    "clustersim tune my.yaml --write tuned.yaml",
    "clustersim tune my.yaml --tier memory                       # one of several tiers",
    "clustersim tune my.yaml --json | jq .recommended_s",
)


@click.command(cls=Told, examples=EXAMPLES)
@options.scenario
@options.output("Folder of tune.json and the report. [default: runs/<name>/tune]")
@click.option(
    "--candidates", type=click.IntRange(min=5), default=40, show_default=True, help="Intervals to try."
)
@click.option(
    "--simulate", is_flag=True, help="Simulate every interval in full, also where scoring is exact."
)
@click.option("--tier", metavar="NAME", help="Which of several tiers to tune. [default: the last]")
@click.option("--blocks", metavar="LIST", help="Try saves that block for so long: 1s,5s,30s.")
@click.option(
    "--over", metavar="PATH=LIST", multiple=True, help="Try other values, 10k or 1M too. Repeatable."
)
@click.option(
    "--write",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write the scenario with the best interval.",
)
@options.sets
@options.workers
@click.option("--force", is_flag=True, help="Write over the file of --write.")
@click.option("--report", is_flag=True, help="Write the HTML report too.")
@options.as_json
@options.volume
def tune(
    scenario: str,
    output: Path | None,
    write: Path | None,
    force: bool,
    report: bool,
    as_json: bool,
    **given: Any,
) -> int:
    """Find the checkpoint interval: the best, how flat the optimum is, and what it gains over today's."""
    if write is not None and write.exists() and not force:
        raise click.BadParameter(
            f"{write} is there already; give another file, or --force", param_hint="--write"
        )
    changed, rest = options.split(given)
    (loaded,) = options.load_all([scenario], changed)
    folder = options.place_of(loaded.name, output, "tune")
    tuning = tuned(loaded, **rest)
    present(tuning, folder, report, as_json)
    if write is not None:
        write_copy(scenario, tuning, write, force)
    return OK


def tuned(
    scenario: Scenario,
    candidates: int,
    simulate: bool,
    tier: str | None,
    blocks: str | None,
    over: tuple[str, ...],
    workers: int | None,
) -> Tuning:
    """Return the tuning that the options ask for."""
    from clustersim.api import tune_all
    from clustersim.experiment import Settings
    from clustersim.tuning.places import place_of

    path = place_of(scenario, tier).path("blocks")
    asked = dict([options.listed(f"{path}={blocks}", "--blocks")]) if blocks else {}
    asked |= dict(options.listed(text, "--over") for text in over)
    with console.watcher() as watcher:
        settings = Settings(workers, progress=watcher)
        return tune_all(scenario, candidates, simulate, asked, settings, tier)


def present(tuning: Tuning, folder: Path, report: bool, as_json: bool) -> None:
    """Save the answer, print it, and say where it is."""
    from clustersim import folders
    from clustersim.cli import show_tuning
    from clustersim.tuning import output

    saved = output.save_tuning(tuning, folder)
    if as_json:
        console.print_json(tuning.to_dict())
    else:
        show_tuning.tuning(console.output(), tuning)
    console.say(f"Results: {saved}")
    if report:
        path = output.report_of(tuning, folder / folders.REPORT, options.command_line())
        console.say(f"Report: {path}")


def write_copy(source: str, tuning: Tuning, target: Path, force: bool) -> None:
    """Write a copy of the scenario's file with the recommended interval, where there is one."""
    from clustersim.scenario.loading import file_of
    from clustersim.tuning.rewriting import write_with_interval

    if tuning.recommended_s is None or tuning.no_progress:
        console.say(f"{target}: not written, because no interval is better than another")
        return
    write_with_interval(file_of(source), target, tuning.recommended_s, force, tuning.place)
    console.say(f"Wrote {target}: {source} with the recommended interval, and nothing that --set changed")
