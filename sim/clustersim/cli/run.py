"""`clustersim run`: simulate scenarios, one run folder each."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from clustersim.cli import console, options
from clustersim.cli.program import OK, UNMET, Command

if TYPE_CHECKING:
    from clustersim.results import Results
    from clustersim.scenario import Scenario

EXAMPLES = (
    "clustersim run chen-100k",
    "clustersim run my.yaml --replications 64 --workers 8 --report",
    "clustersim run my.yaml --precision 0.5pp --set checkpoint.interval='10 min' -o runs/ten-minutes",
    "clustersim run my.yaml --json | jq '.ettr, .changes.worth_most[0]'",
    "clustersim run my.yaml --replications 1000 --executor dask:tcp://head:8786     # on a Dask cluster",
    "sed 's/gpus: .*/gpus: 4096/' my.yaml | clustersim run -      # a scenario on standard input",
)


@click.command(cls=Command, examples=EXAMPLES, judges=True)
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
