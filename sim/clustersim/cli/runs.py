"""The commands that simulate scenarios as they are, and those about what came of it.

`run`, `compare`, `validate` and `merge` give an answer; `report` and `runs` read what is there.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from clustersim.cli import console, options
from clustersim.cli.program import OK, UNMET, Command

if TYPE_CHECKING:
    from clustersim.results import Results
    from clustersim.scenario import Scenario

RUN_EXAMPLES = (
    "clustersim run chen-100k",
    "clustersim run my.yaml --replications 64 --workers 8 --report",
    "clustersim run my.yaml --precision 0.5pp --set checkpoint.interval='10 min' -o runs/ten-minutes",
    "clustersim run my.yaml --json | jq '.ettr, .changes.worth_most[0]'",
    "clustersim run my.yaml --replications 1000 --executor dask:tcp://head:8786     # on a Dask cluster",
    "sed 's/gpus: .*/gpus: 4096/' my.yaml | clustersim run -      # a scenario on standard input",
)


@click.command(cls=Command, examples=RUN_EXAMPLES, judges=True)
@options.scenarios
@options.output("Run folder, or the folder that holds one of each scenario. [default: runs/<name>]")
@options.changes
@options.running
@options.report
@options.as_json
@options.volume
def run(
    scenarios: tuple[str, ...],
    output: Path | None,
    report: bool,
    as_json: bool,
    shard: str | None,
    **common: Any,
) -> int:
    """Simulate scenarios (files, or names of shipped ones) and print how much of each cluster trains."""
    from clustersim.experiment import run_all

    how = options.settings(common)
    loaded = options.load_all(scenarios, how)
    if shard is not None:
        base = output or (places(loaded, None)[0] if len(loaded) == 1 else options.RUNS)
        return options.in_shard(shard, "run", loaded, base, how.without_changes, as_json, report)
    with console.watched(how) as watched:
        results = run_all(loaded, places(loaded, output), watched)
    if as_json:
        console.print_json(*map(as_data, results))
    else:
        options.present(results, None)
        for result in results:
            console.say(f"Results: {result.folder}")
    if report:
        console.say(f"Report: {write_report(results, output)}")
    return exit_code(results)


def as_data(results: Results) -> dict[str, Any]:
    """Return what `--json` prints of a run: its summary, the time it took, the rest of the first screen."""
    from clustersim.headline import headline

    more = headline(results.scenario, results.summary).to_dict()
    return options.summary_with_time(results) | more


def places(scenarios: Sequence[Scenario], output: Path | None) -> list[Path]:
    """Return the run folder of each scenario."""
    from clustersim import folders

    if len(scenarios) == 1 and output is not None:
        return [output]
    if output is not None:
        folders.refuse_run_folder(output)
    return folders.one_folder_each([scenario.name for scenario in scenarios], output or options.RUNS)


def write_report(results: Sequence[Results], output: Path | None) -> Path:
    """Write the report of one run to its folder, that of several beside their folders."""
    from clustersim import folders
    from clustersim.studies.compare import Comparison

    if len(results) == 1:
        return results[0].report(command=options.command_line())
    return Comparison(results).report((output or options.RUNS) / folders.REPORT, options.command_line())


def exit_code(results: Sequence[Results]) -> int:
    """Return 3 where a threshold of `expect` does not hold, else 0; say which are not plainly met."""
    from clustersim.expectations import MET, expectations

    outcomes = [each for result in results for each in expectations(result.scenario, result.summary)]
    for outcome in outcomes:
        if outcome.verdict != MET:
            console.complain(f"clustersim: {outcome}")
    return OK if all(outcome.holds for outcome in outcomes) else UNMET


COMPARE_EXAMPLES = (
    "clustersim compare chen-10k chen-100k chen-1m",
    "clustersim compare today.yaml faster-restart.yaml --baseline today --precision 0.2pp",
    "clustersim compare a.yaml b.yaml --json | jq .differences",
    "clustersim compare a.yaml b.yaml --format csv > comparison.csv",
)


@click.command(cls=Command, examples=COMPARE_EXAMPLES, judges=True)
@options.scenarios
@options.baseline
@options.output("Folder of the run folders and the report. [default: runs/compare-<first name>]")
@options.changes
@options.running
@options.as_json
@options.volume
def compare(
    scenarios: tuple[str, ...],
    baseline: str | None,
    output: Path | None,
    as_json: bool,
    shard: str | None,
    **common: Any,
) -> int:
    """Simulate scenarios, or reuse finished runs, compare them in pairs, and write one HTML report."""
    from clustersim import folders
    from clustersim.studies.compare import compare as compared

    how = options.settings(common)
    loaded = options.load_all(scenarios, how)
    base = output or options.RUNS / f"compare-{folders.slug(loaded[0].name)}"
    if shard is not None:
        how = how.without_changes
        return options.in_shard(shard, "compare", loaded, base, how, as_json, baseline=baseline)
    with console.watched(how.without_changes) as watched:
        comparison = compared(loaded, base, baseline=baseline, settings=watched)
    path = comparison.report(base / folders.REPORT, options.command_line())
    summaries = [options.summary_with_time(result) for result in comparison.results]
    options.present(comparison, comparison.to_dict() | {"scenarios": summaries} if as_json else None)
    console.say(f"Report: {path}")
    return exit_code(comparison.results)


VALIDATE_EXAMPLES = (
    "clustersim validate                                # every shipped case: a minute or two",
    "clustersim validate llama3-ettr chen-100k",
    "clustersim validate my-cluster.yaml                # a file with a `published` block",
    "clustersim validate --json | jq '.cases[] | select(.passed | not)'",
)


@click.command(cls=Command, examples=VALIDATE_EXAMPLES, judges=True)
@options.cases
@options.output("Folder of validation.json and report.html. [default: runs/validation]")
@options.sets
@options.where
@options.resume
@options.as_json
@options.volume
def validate(
    cases: tuple[str, ...], output: Path | None, as_json: bool, shard: str | None, **common: Any
) -> int:
    """Simulate what was published about clusters, and compare: each claim agrees or differs.

    CASE is a shipped case or a file of your own with a `published` block; all shipped ones without any.
    The simulated figure comes with its 95 % interval, which has to lie within the accepted range as a whole;
    a control has to lie outside. Writes a table, and one HTML page.
    """
    from clustersim import folders
    from clustersim.validation.outcomes import remedy
    from clustersim.validation.validate import validate as run

    folder, how = output or options.RUNS / "validation", options.settings(common)
    given = [options.from_stdin(how) if case == options.STDIN else case for case in cases]
    if shard is not None:
        return options.in_shard(shard, "validate", given, folder, how, as_json)
    with console.watched(how) as watched:
        validation = run(given, folder, settings=watched)
    options.present(validation, validation.to_dict() if as_json else None)
    console.say(f"Results: {folder / validation.file}")
    console.say(f"Report: {folder / folders.REPORT}")
    return options.not_met(remedy(case) for case in validation.cases if not case.passed)


MERGE_EXAMPLES = (
    "clustersim run my.yaml --replications 1000 --shard 3/16     # on sixteen machines, 1/16 to 16/16",
    "clustersim merge runs/my-shards",
    "clustersim merge node1/shards/* node2/shards/* -o runs/my --report",
    "clustersim merge runs/my/sweep-shards --json | jq .shards.missing",
)


@click.command(cls=Command, examples=MERGE_EXAMPLES, judges=True)
@click.argument("shards", metavar="SHARDS...", nargs=-1, required=True, type=click.Path(path_type=Path))
@options.output("Where the answer goes. [default: where the command that was split would have put it]")
@options.workers
@options.executor
@click.option("--no-incidents", is_flag=True, help="Leave the large table of incidents out.")
@options.report
@options.as_json
@options.volume
def merge(shards: tuple[Path, ...], output: Path | None, report: bool, as_json: bool, **common: Any) -> int:
    """Merge the shards of a run or a study to the answer that one command would have given.

    SHARDS are their folders, or a folder that holds them all. The files are the same, byte for byte, in
    whatever order. What shards could not know before, such as the tornado of sensitivity, is simulated.
    """
    from clustersim import folders
    from clustersim import shards as parts

    how = options.settings(common)
    found = parts.Shards.of(shards)
    if found.missing and as_json:
        console.print_json(found.to_dict())
    with console.watched(how) as watched:
        merged = found.merged(output, watched)
    answer, place = merged.answer, merged.output
    if as_json:
        console.print_json(merged.to_dict())
    else:
        options.present(answer, None)
        console.say(f"Results: {place}")
    if report or merged.study == parts.COMPARE:  # which always has one
        page = place / folders.REPORT
        of_runs = isinstance(answer, list)
        written = write_report(answer, place) if of_runs else answer.report(page, options.command_line())
        console.say(f"Report: {written}")
    return _code(merged)


def _code(merged: Any) -> int:
    """Return the exit code that the command that was split would have had."""
    if merged.study == "validate":
        from clustersim.validation.outcomes import remedy

        return options.not_met(remedy(case) for case in merged.answer.cases if not case.passed)
    if merged.study in ("run", "compare"):
        return exit_code(merged.answer if merged.study == "run" else merged.answer.results)
    return OK


REPORT_EXAMPLES = (
    "clustersim report runs/chen-100k",
    "clustersim report runs/today runs/faster-restart -o both.html",
    "clustersim report runs/compare-chen-10k",
)


@click.command(cls=Command, examples=REPORT_EXAMPLES)
@click.argument("runs", metavar="RUN...", nargs=-1, required=True, type=click.Path(path_type=Path))
@options.baseline
@options.output("The HTML file. [default: report.html in the run folder, or beside several]")
@options.volume
def report(runs: tuple[Path, ...], baseline: str | None, output: Path | None) -> int:
    """Write the HTML report of finished runs, without simulating; RUN is a run folder or holds some."""
    from clustersim import folders
    from clustersim.results import Results
    from clustersim.studies.compare import Comparison

    inner = [folder for run in runs for folder in folders.runs_in(run)]
    results = [Results.load(folder) for folder in inner]
    folders.one_folder_each([result.name for result in results], Path())
    shown = Comparison(results, baseline) if len(results) > 1 else results[0]
    path = output or (runs[0] if len(runs) == 1 else inner[0].parent) / folders.REPORT
    console.say(f"Report: {shown.report(path, options.command_line())}")
    return OK


RUNS_EXAMPLES = (
    "clustersim runs",
    "clustersim runs runs/compare-chen-10k elsewhere",
    "clustersim runs --format csv",
    "clustersim report $(clustersim runs --json | jq -r '.runs[-1].folder')   # of the latest",
)
DEEPEST = 2
"""Runs lie in runs/<name>, and those of a comparison a folder deeper."""


@click.command(cls=Command, examples=RUNS_EXAMPLES)
@click.argument("folders", nargs=-1, metavar="[FOLDER]...", type=click.Path(path_type=Path))
@options.as_json
def runs(folders: tuple[Path, ...], as_json: bool) -> int:
    """List finished runs (in runs/, or FOLDER) with scenario, settings, ETTR and date, the latest last."""
    from clustersim.cli.screen import Sheet
    from clustersim.formatting import plus_minus
    from clustersim.store import RunError

    for folder in folders:
        if not folder.is_dir():
            raise RunError(f"{folder}: no such folder; give one that holds runs")
    places = folders or (options.RUNS,)
    found = sorted(
        (run for place in places for run in _runs(place, DEEPEST)), key=lambda run: run["finished"]
    )
    rows = [
        (
            run["folder"],
            run["scenario"],
            plus_minus(run["ettr"], run["half_width"]),
            run["settings"],
            run["finished"],
        )
        for run in found
    ]
    nothing = f"no finished run in {', '.join(map(str, places))}; clustersim run makes one"
    columns = ("run", "scenario", "ETTR", "settings", "finished")
    options.present(Sheet(columns, {"": rows}, found, nothing, left=5), {"runs": found} if as_json else None)
    return OK


def _runs(folder: Path, depth: int) -> Iterator[dict[str, Any]]:
    """Yield the finished runs in a folder, or the run that it is."""
    from clustersim import folders

    if folders.is_run_folder(folder):
        yield _of(folder)
    elif depth and folder.is_dir():
        for inner in sorted(folder.iterdir()):
            if inner.is_dir() and not inner.name.startswith("."):
                yield from _runs(inner, depth - 1)


def _of(folder: Path) -> dict[str, Any]:
    """Return what the list says of a run; of one that cannot be read the reason, in place of its settings."""
    from clustersim import folders
    from clustersim.metrics import cells
    from clustersim.store import RunError

    try:
        summary, made = (folders.read_json(folder / name) for name in (folders.SUMMARY, folders.PROVENANCE))
        settings = ", ".join(
            [cells.simulated(summary).text, f"seed {summary['seed']}", *_sets(made.get("command") or "")]
        )
        ettr, width = float(summary["ettr"]["mean"]), summary["half_width"]
        scenario, finished = str(summary["name"]), str(made["finished"])
    except (RunError, LookupError, TypeError, ValueError) as error:
        settings, ettr, width = f"cannot be read: {error}", None, None
        scenario, finished = folder.name, ""
    return {
        "folder": str(folder),
        "scenario": scenario,
        "ettr": ettr,
        "half_width": width,
        "settings": settings,
        "finished": finished.replace("T", " ").removesuffix("+00:00"),
    }


def _sets(command: str) -> Iterator[str]:
    """Yield what `--set` changed in a command line."""
    words = shlex.split(command)
    for place, word in enumerate(words):
        if word == "--set" and place + 1 < len(words):
            yield words[place + 1]
        elif word.startswith("--set="):
            yield word.removeprefix("--set=")
