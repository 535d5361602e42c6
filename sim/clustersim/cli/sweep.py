"""`clustersim sweep`: every combination of some values."""

from __future__ import annotations

from functools import partial
from typing import Any

import click

from clustersim.cli import console, options
from clustersim.cli.program import OK, Command

EXAMPLES = (
    "clustersim sweep llama3-16k --vary cluster.spares=20,40,80,160 --metric cost.per_effective_gpu_hour",
    "clustersim sweep chen-100k --vary cluster.gpus=10k..200k:20 --vary recovery.stages.restart=1min,4min",
    "clustersim sweep chen-1m-cold chen-1m-hot-spare --vary cluster.gpus=10k..1M:7log --report",
    "clustersim sweep my.yaml --vary checkpoint.blocks=1s,5s,30s --retune      # each with its best interval",
    "clustersim sweep my.yaml --vary cluster.spares=0..40:9 --dry-run          # how many points, how long",
    "clustersim sweep my.yaml --vary cluster.spares=0..40:9 --executor dask:scheduler.json",
)


@click.command(cls=Command, examples=EXAMPLES)
@options.scenarios
@click.option(
    "--vary",
    metavar="PATH=VALUES",
    multiple=True,
    help="Values to try: 0,10,20, or 5 from 0 to 40 as 0..40:5, at equal ratios as 1min..10min:5log."
    " Repeatable: all combinations.",
)
@click.option(
    "--metric",
    "metrics",
    metavar="METRIC",
    multiple=True,
    help="What to look at. Repeatable. [default: ettr]",
)
@click.option("--retune", is_flag=True, help="Give each point its own best checkpoint interval.")
@click.option("--dry-run", is_flag=True, help="Say how many points there are and about how long, and stop.")
@options.output("Folder of sweep.json, .csv and .parquet. [default: runs/<name>/sweep]")
@options.study
def sweep(
    scenarios: tuple[str, ...],
    vary: tuple[str, ...],
    metrics: tuple[str, ...],
    retune: bool,
    dry_run: bool,
    **common: Any,
) -> int:
    """Simulate all combinations of some values, paired, and say where each metric is best.

    Every metric of the summary at every point, with its difference to the scenario as it is. Several
    scenarios are swept side by side.
    """
    from clustersim.studies.sweep import plan
    from clustersim.studies.sweep import sweep as swept

    options.refuse_stdin_twice(scenarios)
    first, *others = scenarios
    given: dict[str, Any] = {
        "vary": dict(options.values_at(text, "--vary") for text in vary),
        "retune": retune,
    }
    if dry_run:
        names = ("report", "as_json", "output", "resume", "shard")
        how = options.settings({name: value for name, value in common.items() if name not in names})
        first_one, *designs = options.load_all(scenarios, how)
        planned = plan(first_one, designs=designs, settings=how.without_changes, **given)
        if common["as_json"]:
            console.print_json(planned.to_dict())
        else:
            click.echo(str(planned))
        return OK
    how = options.settings({"sets": common["sets"]} | {name: common[name] for name in ("seed", "horizon")})
    designs = options.load_all(others, how)
    question = partial(swept, designs=designs, metrics=metrics, **given)
    options.answer(question, "sweep", scenario=first, **common)
    return OK
