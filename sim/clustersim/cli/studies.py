"""The commands that ask a question of variants of a scenario: one option each for what a study is told."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from clustersim.cli import console, options
from clustersim.cli.program import OK, Command

if TYPE_CHECKING:
    from clustersim.studies.tune import Tuning

TUNE_EXAMPLES = (
    "clustersim tune chen-100k",
    "clustersim tune my.yaml --blocks 1s,5s,30s                  # what a cheaper save is worth",
    "clustersim tune my.yaml --over cluster.gpus=10k..1M:5log   # and what the size changes",
    "clustersim tune my.yaml --write tuned.yaml",
    "clustersim tune my.yaml --tier memory                       # one of several tiers",
    "clustersim tune my.yaml --json | jq .recommended_s",
)


@click.command(cls=Command, examples=TUNE_EXAMPLES)
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
    asked = {"candidates": candidates, "simulate": simulate, "tier": tier, "blocks": blocks or ()}
    tuning = options.answer(tuned, asked | {"over": options.lists(over, "--over")}, **common)
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


LEVERS_EXAMPLES = (
    "clustersim levers chen-100k",
    "clustersim levers my.yaml --replications 64 --report",
    "clustersim levers my.yaml --json | jq '.levers[0]'",
)


@click.command(cls=Command, examples=LEVERS_EXAMPLES)
@options.scenario
@options.output("Folder of levers.json and the report. [default: runs/<name>/levers]")
@options.study
def levers(**common: Any) -> int:
    """Rank what could be improved, one change at a time, by effective cards and money.

    Half of each failure rate and of each stage of recovery, cheaper saves, more spares, the tuned interval,
    and the levers that the scenario names itself.
    """
    from clustersim.studies.levers import levers as rank

    options.answer(rank, {}, **common)
    return OK


SWEEP_EXAMPLES = (
    "clustersim sweep llama3-16k --vary cluster.spares=20,40,80,160 --metric cost.per_effective_gpu_hour",
    "clustersim sweep chen-100k --vary cluster.gpus=10k..200k:20 --vary recovery.stages.restart=1min,4min",
    "clustersim sweep chen-1m-cold chen-1m-hot-spare --vary cluster.gpus=10k..1M:7log --report",
    "clustersim sweep my.yaml --vary checkpoint.blocks=1s,5s,30s --retune      # each with its best interval",
    "clustersim sweep my.yaml --vary cluster.spares=0..40:9 --dry-run          # how many points, how long",
    "clustersim sweep my.yaml --vary cluster.spares=0..40:9 --executor dask:scheduler.json",
)


@click.command(cls=Command, examples=SWEEP_EXAMPLES)
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
    asked: dict[str, Any] = {"vary": options.lists(vary, "--vary"), "retune": retune}
    if dry_run:
        names = ("report", "as_json", "output", "resume", "shard")
        how = options.settings({name: value for name, value in common.items() if name not in names})
        first_one, *designs = options.load_all(scenarios, how)
        planned = plan(first_one, designs=designs, settings=how.without_changes, **asked)
        if common["as_json"]:
            console.print_json(planned.to_dict())
        else:
            click.echo(str(planned))
        return OK
    designs = options.load_all(others, options.of_others(common))
    options.answer(swept, asked | {"designs": designs, "metrics": metrics}, scenario=first, **common)
    return OK


SOLVE_EXAMPLES = (
    "clustersim solve chen-100k --for recovery.stages.restart --until 'ettr >= 0.7'",
    "clustersim solve my.yaml --for cluster.spares --until 'spares.waiting <= 0.01' --between 0..100",
    "clustersim solve my.yaml --for checkpoint.blocks --until 'days_to_target.p90 <= 60' --retune",
    "clustersim solve my.yaml --for cluster.spares --until 'cost.total <= other.yaml'       # break-even",
    "clustersim solve a.yaml --for failures.gpu.rate --until 'ettr >= b.yaml' --both      # in both of them",
)


@click.command(cls=Command, examples=SOLVE_EXAMPLES)
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

    What cannot be reached is an answer too: the best that can be had, and what helps most beside it.
    """
    from clustersim.studies.condition import Condition
    from clustersim.studies.solve import solve as solved

    named = Condition.parse(until).other
    options.refuse_stdin_twice([common["scenario"], named])
    other = options.load_all([named], options.of_others(common))[0] if named else None
    asked = {"path": path, "until": until, "between": between, "both": both, "retune": retune}
    options.answer(solved, asked | {"other": other}, **common)
    return OK


SENSITIVITY_EXAMPLES = (
    "clustersim sensitivity my.yaml                  # by what it says under uncertain",
    "clustersim sensitivity frontier-100k --range 30% --report",
    "clustersim sensitivity my.yaml --metric days_to_target.p90   # or a price, or spares.sufficient_p99",
    "clustersim sensitivity my.yaml --samples 512 --json | jq .indices",
)


@click.command(cls=Command, examples=SENSITIVITY_EXAMPLES)
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

    asked = {"range_": range_, "samples": samples, "per_point": per_point, "metric": metric}
    options.answer(found, asked, **common)
    return OK
