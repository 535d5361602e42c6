"""The Python interface: load, run, compare, tune and levers, for notebooks and scripts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import Any

from clustersim import folders
from clustersim.experiment import Progress, Settings, Silent, run_all
from clustersim.results import Comparison, Results
from clustersim.scenario import Scenario, dump, load, loads
from clustersim.store import ChoiceError
from clustersim.tuning import Levers, Tuning, what_ifs
from clustersim.tuning import levers as ranked
from clustersim.tuning import tune as tuned
from clustersim.tuning.places import place_of
from clustersim.units import format_points
from clustersim.validation import Validation
from clustersim.validation.cases import Case, find, of_scenario
from clustersim.validation.running import validate as validated

Source = Scenario | str | PathLike[str]

__all__ = [
    "changes",
    "compare",
    "levers",
    "load",
    "resolve",
    "run",
    "run_comparison",
    "tune",
    "tune_all",
    "validate",
]


def run(
    scenario: Source,
    output: str | PathLike[str] | None = None,
    *,
    overrides: Mapping[str, Any] | None = None,
    seed: int | None = None,
    replications: int | None = None,
    precision: float | str | None = None,
    horizon: str | None = None,
    workers: int | None = None,
    executor: Executor | None = None,
    resume: bool = False,
    force: bool = False,
    incidents: bool = True,
    progress: Progress | None = None,
) -> Results:
    """Simulate a scenario (one loaded, a file, or a shipped name) and return its results.

    With *output* they are written to that run folder; a finished run of the same scenario there is read
    instead (unless *force*), and an interrupted one is gone on from with *resume*.  *overrides* are values by
    dotted path, like `--set`; *precision* is a half-width of ETTR, as a share (0.005) or as "0.5 pp".
    Raises ScenarioError for a faulty scenario and RunError where the run cannot go on.
    """
    changed = changes(overrides, seed=seed, replications=replications, precision=precision, horizon=horizon)
    settings = Settings(workers, executor, resume, force, incidents, None, progress or Silent())
    place = None if output is None else Path(output)
    return run_all([resolve(scenario, changed)], [place], settings)[0]


def compare(
    scenarios: Sequence[Source],
    output: str | PathLike[str] | None = None,
    *,
    baseline: str | None = None,
    overrides: Mapping[str, Any] | None = None,
    seed: int | None = None,
    replications: int | None = None,
    precision: float | str | None = None,
    horizon: str | None = None,
    workers: int | None = None,
    executor: Executor | None = None,
    resume: bool = False,
    force: bool = False,
    incidents: bool = True,
    progress: Progress | None = None,
) -> Comparison:
    """Simulate several scenarios, paired, and return them side by side.

    The arguments are those of `run`, for all scenarios; *baseline* names the one that the others are compared
    to (the first).  With *output*, that folder holds a run folder each and `comparison.json`.
    """
    changed = changes(overrides, seed=seed, replications=replications, precision=precision, horizon=horizon)
    settings = Settings(workers, executor, resume, force, incidents, None, progress or Silent())
    loaded = [resolve(scenario, changed) for scenario in scenarios]
    return run_comparison(loaded, None if output is None else Path(output), baseline, settings)


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


def tune(
    scenario: Source,
    *,
    tier: str | None = None,
    candidates: int = 40,
    simulate: bool = False,
    blocks: Sequence[str] = (),
    over: Mapping[str, Sequence[str]] | None = None,
    overrides: Mapping[str, Any] | None = None,
    seed: int | None = None,
    replications: int | None = None,
    horizon: str | None = None,
    workers: int | None = None,
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> Tuning:
    """Find the checkpoint interval of a scenario, how flat the optimum is, and what it is worth.

    Of several tiers of checkpoints *tier* names the one to tune; it is the last one otherwise.  *blocks*
    ("1 s", "5 s") and *over* ({"cluster.gpus": ["10k", "100k"]}) ask what else would move it; *simulate*
    simulates every one of the *candidates* in full, also where scoring them on common outages is exact.  The
    other arguments are those of `run`.  Raises ScenarioError for a faulty scenario and RunError where there
    is no interval to tune, or the run cannot go on.
    """
    changed = changes(overrides, seed=seed, replications=replications, horizon=horizon)
    settings = Settings(workers, executor, progress=progress or Silent())
    loaded = resolve(scenario, changed)
    asked = ({place_of(loaded, tier).path("blocks"): blocks} if blocks else {}) | dict(over or {})
    return tune_all(loaded, candidates, simulate, asked, settings, tier)


def tune_all(
    scenario: Scenario,
    candidates: int,
    simulate: bool,
    over: Mapping[str, Sequence[str]],
    settings: Settings,
    tier: str | None = None,
) -> Tuning:
    """Return the tuning of *scenario*, and of what it would be with each of the values *over* paths."""
    place_of(scenario, tier)
    found = what_ifs(scenario, over, tier=tier, candidates=candidates, settings=settings)
    tuning = tuned(scenario, tier=tier, candidates=candidates, simulate=simulate, settings=settings)
    return replace(tuning, what_ifs=found)


def levers(
    scenario: Source,
    *,
    overrides: Mapping[str, Any] | None = None,
    seed: int | None = None,
    replications: int | None = None,
    horizon: str | None = None,
    workers: int | None = None,
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> Levers:
    """Rank what could be improved: one change at a time, and the scenario's own levers, by what they earn.

    The arguments are those of `run`.  Raises ScenarioError for a faulty scenario and RunError where the run
    cannot go on.
    """
    changed = changes(overrides, seed=seed, replications=replications, horizon=horizon)
    settings = Settings(workers, executor, progress=progress or Silent())
    return ranked(resolve(scenario, changed), settings=settings)


def validate(
    cases: Source | Iterable[Source] = (),
    *,
    overrides: Mapping[str, Any] | None = None,
    seed: int | None = None,
    replications: int | None = None,
    horizon: str | None = None,
    workers: int | None = None,
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> Validation:
    """Simulate published cases, compare each claim with what was published, and return the outcomes.

    A case is the name of a shipped one, or a file or scenario of one's own with a `published` block; without
    one all that are shipped are simulated.  The other arguments are those of `run`; seed, replications and
    horizon hold for every claim.  Raises ScenarioError for a faulty scenario and RunError where the run
    cannot go on, or nothing is said to be published.
    """
    changed = changes(overrides, seed=seed, replications=replications, horizon=horizon)
    asked = [cases] if isinstance(cases, Scenario | str | PathLike) else list(cases)
    found = [one for source in asked for one in _cases(source, changed)] if asked else find((), changed)
    settings = Settings(workers, executor, progress=progress or Silent())
    return validated(found, settings, overrides=changed, estimator=not asked)


def _cases(source: Source, changed: Mapping[str, Any]) -> list[Case]:
    if isinstance(source, Scenario):
        return [of_scenario(resolve(source, changed))]
    return find([str(source)], changed)


def changes(
    overrides: Mapping[str, Any] | None = None,
    *,
    seed: int | None = None,
    replications: int | None = None,
    precision: float | str | None = None,
    horizon: str | None = None,
) -> dict[str, Any]:
    """Return *overrides* with those of the simulation that have a name of their own."""
    width = format_points(precision) if isinstance(precision, float | int) else precision
    if replications is not None and width is not None:
        raise ChoiceError("replications and precision both say when to stop; leave one out")
    named = {"seed": seed, "replications": replications, "precision": width, "horizon": horizon}
    given = {f"simulation.{name}": value for name, value in named.items() if value is not None}
    return dict(overrides or {}) | given


def resolve(source: Source, changed: Mapping[str, Any]) -> Scenario:
    """Return a scenario with *changed* values; a new stopping rule takes the place of the file's.

    Raises ScenarioError for a faulty one.
    """
    return source if isinstance(source, Scenario) and not changed else _loaded(source, changed)


def _loaded(source: Source, changed: Mapping[str, Any]) -> Scenario:
    if isinstance(source, Scenario):
        return loads(dump(source), f"<{source.name}>", changed)
    return load(Path(source), changed) if isinstance(source, PathLike) else load(source, changed)
