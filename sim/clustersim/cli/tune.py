"""`clustersim tune`: how often to save."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from clustersim.cli import console, options
from clustersim.cli.program import OK, Command

if TYPE_CHECKING:
    from clustersim.studies.tune import Tuning

EXAMPLES = (
    "clustersim tune chen-100k",
    "clustersim tune my.yaml --blocks 1s,5s,30s                  # what a cheaper save is worth",
    "clustersim tune my.yaml --over cluster.gpus=10k..1M:5log   # and what the size changes",
    "clustersim tune my.yaml --write tuned.yaml",
    "clustersim tune my.yaml --tier memory                       # one of several tiers",
    "clustersim tune my.yaml --json | jq .recommended_s",
)


@click.command(cls=Command, examples=EXAMPLES)
@options.scenario
@options.output("Folder of tune.json and the report. [default: runs/<name>/tune]")
@click.option(
    "--candidates", type=click.IntRange(min=5), default=40, show_default=True, help="Intervals to try."
)
@click.option(
    "--simulate", is_flag=True, help="Simulate every interval in full, also where scoring is exact."
)
@click.option("--tier", metavar="NAME", help="Which of several tiers to tune. [default: the last]")
@click.option("--blocks", metavar="VALUES", help="Sweep how long a save blocks: 1s,5s,30s.")
@click.option(
    "--over",
    metavar="PATH=VALUES",
    multiple=True,
    help="Sweep other values with the best interval at each, listed as for sweep. Repeatable: one place at a"
    " time.",
)
@click.option(
    "--write",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write the scenario with the best interval.",
)
@click.option("--force", is_flag=True, help="Write over the file of --write.")
@options.study
def tune(
    candidates: int,
    simulate: bool,
    tier: str | None,
    blocks: str | None,
    over: tuple[str, ...],
    write: Path | None,
    force: bool,
    **common: Any,
) -> int:
    """Find the checkpoint interval: the best, how flat the optimum is, and what it gains over today's."""
    from clustersim.studies.tune import tune as tuned

    if write is not None and write.exists() and not force:
        remedy = f"{write} is there already; give another file, or --force"
        raise click.BadParameter(remedy, param_hint="--write")
    if write is not None and common["shard"]:
        raise click.BadParameter("a shard knows no best interval", param_hint="--write")
    if write is not None and common["scenario"] == options.STDIN:
        raise click.BadParameter("there is no file to copy on standard input", param_hint="--write")
    question = partial(
        tuned,
        candidates=candidates,
        simulate=simulate,
        tier=tier,
        blocks=blocks or (),
        over=dict(options.values_at(text, "--over") for text in over),
    )
    tuning = options.answer(question, "tune", **common)
    if write is not None and tuning is not None:
        write_copy(common["scenario"], tuning, write, force)
    return OK


def write_copy(source: str, tuning: Tuning, target: Path, force: bool) -> None:
    """Write a copy of the scenario's file with the recommended interval, where there is one."""
    from clustersim.scenario.loading import file_of
    from clustersim.studies.change import write_changed
    from clustersim.units import format_duration

    if tuning.recommended_s is None or tuning.no_progress:
        console.say(f"{target}: not written, because no interval is better than another")
        return
    values = {tuning.tier.path("interval"): format_duration(tuning.recommended_s)}
    write_changed(file_of(source), target, values, "clustersim tune", force)
    console.say(f"Wrote {target}: {source} with the recommended interval, and nothing that --set changed")
