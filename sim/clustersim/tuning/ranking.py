"""What to improve first: one change at a time, paired with the scenario as it is, ranked by what it earns."""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np

from clustersim.estimate import mean_of
from clustersim.experiment import Settings
from clustersim.scenario.model import Scenario
from clustersim.tuning.changes import Change, Family, changes_that_fit, own_changes
from clustersim.tuning.histories import histories
from clustersim.tuning.intervals import CANDIDATES, rounded, searched
from clustersim.tuning.outages import why_outages_depend
from clustersim.tuning.places import place_of
from clustersim.tuning.results import Lever, Levers, Worth
from clustersim.tuning.scores import scored, simulated
from clustersim.tuning.variants import ended_by_the_clock, variant
from clustersim.units import format_duration

REPLICATIONS = 32
FEW_CANDIDATES = 12


def levers(scenario: Scenario, *, settings: Settings | None = None) -> Levers:
    """Return what each change that fits *scenario* earns, and its own levers, on common random numbers.

    A target is left out, so that every change is measured over the same time.  Raises RunError where the run
    cannot go on, and ScenarioError where a change makes the scenario faulty, before anything is simulated.
    """
    began, settings = time.perf_counter(), settings or Settings()
    fixed = ended_by_the_clock(scenario, REPLICATIONS)
    tried = [_changed(scenario, change) for change in (*changes_that_fit(fixed), *own_changes(scenario))]
    tried += [_changed(scenario, change) for change in _tuned_interval(fixed, settings)]
    replications = range(fixed.simulation.replications)
    scenarios = [fixed, *(made for _, made in tried)]
    now, *others = (
        np.array(values) for values in histories(scenarios, replications, settings, lambda one: one.ettr)
    )
    found = [
        Lever(change, Worth.of(fixed, now, made, values))
        for (change, made), values in zip(tried, others, strict=True)
    ]
    found.sort(key=lambda lever: -lever.worth.ettr.mean)
    taken = time.perf_counter() - began
    return Levers(scenario, fixed, len(replications), mean_of(now), found, taken)


def _changed(scenario: Scenario, change: Change) -> tuple[Change, Scenario]:
    return change, ended_by_the_clock(variant(scenario, change.values), REPLICATIONS)


def _tuned_interval(scenario: Scenario, settings: Settings) -> Iterator[Change]:
    """Yield the best interval as a change, where today's can be told from it.

    It is chosen on other replications than those on which it is judged.
    """
    count = scenario.simulation.replications
    parts = [range(count, 2 * count)]
    if scenario.checkpoint is None or scenario.mtbf is None:
        return
    place, candidates = place_of(scenario), CANDIDATES
    if why_outages_depend(scenario):
        (score,), candidates = simulated(scenario, parts, settings, place), FEW_CANDIDATES
    else:
        (score,) = scored(scenario, parts, settings)
    interval, path = place.of(scenario).interval, place.path("interval")
    search = searched(scenario, place, score, (interval,), candidates)
    if search.told_apart(interval):
        now = format_duration(interval, 3)
        then = format_duration(rounded(search.best, search.flat_range()))
        yield Change("tuned interval", {path: then}, f"{path}: {now} -> {then}", Family.INTERVAL)
