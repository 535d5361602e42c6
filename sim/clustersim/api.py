"""The Python interface beside the studies: run one scenario, or compare several."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import Any

from clustersim import folders
from clustersim.experiment import run_all
from clustersim.results import Comparison, Results
from clustersim.scenario.model import Scenario
from clustersim.settings import ScenarioSource, Settings, merged
from clustersim.store import ChoiceError


def run(
    scenario: ScenarioSource,
    output: str | PathLike[str] | None = None,
    *,
    settings: Settings | None = None,
    **keywords: Any,
) -> Results:
    """Simulate a scenario (one loaded, a file, or a shipped name) and return its results.

    With *output* they are written to that run folder; a finished run of the same scenario there is read
    instead (unless `force`), and an interrupted one is gone on from with `resume`.  Keywords are fields of
    `Settings`: `run("chen-100k", replications=8, horizon="5 d")`.  Raises ScenarioError for a faulty scenario
    and RunError where the run cannot go on.
    """
    how = merged(settings, keywords)
    return run_all([how.load(scenario)], [None if output is None else Path(output)], how)[0]


def compare(
    scenarios: Sequence[ScenarioSource],
    output: str | PathLike[str] | None = None,
    *,
    baseline: str | None = None,
    settings: Settings | None = None,
    **keywords: Any,
) -> Comparison:
    """Simulate several scenarios, paired, and return them side by side.

    *baseline* names the one that the others are compared to (the first).  With *output*, that folder holds a
    run folder each and `comparison.json`.  Keywords are fields of `Settings`, for all scenarios.  Raises
    ScenarioError for a faulty scenario and RunError where the run cannot go on.
    """
    how = merged(settings, keywords)
    loaded = [how.load(scenario) for scenario in scenarios]
    return run_comparison(loaded, None if output is None else Path(output), baseline, how)


def run_comparison(
    scenarios: Sequence[Scenario], output: Path | None, baseline: str | None, settings: Settings
) -> Comparison:
    """Return the comparison of *scenarios*, saved below *output* where that is given."""
    names = [scenario.name for scenario in scenarios]
    places = folders.one_folder_each(names, output or Path())
    if baseline is not None and baseline not in names:
        raise ChoiceError(f'no scenario is named "{baseline}"; the baseline is one of {", ".join(names)}')
    if output is None:
        return Comparison(run_all(scenarios, [None] * len(scenarios), settings), baseline)
    folders.refuse_run_folder(output)
    comparison = Comparison(run_all(scenarios, places, settings), baseline)
    comparison.save(output)
    return comparison
