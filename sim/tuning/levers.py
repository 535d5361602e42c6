"""What to improve first: one change at a time, paired with the scenario as it is, ranked by what it earns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from sim.estimate import Estimate, mean_of, paired
from sim.experiment import Settings
from sim.scenario.model import Scenario
from sim.tuning.changes import Change, changes_that_fit
from sim.tuning.histories import histories
from sim.tuning.search import Array
from sim.tuning.tune import CANDIDATES, rounded, scored_on_outages, searched, worth
from sim.tuning.variants import ended_by_the_clock, variant
from sim.units import format_duration


@dataclass(frozen=True, slots=True)
class Lever:
    """One change and what it earns over the scenario as it is; money per year where cards have a price."""

    change: Change
    ettr: Estimate
    effective_gpus: Estimate
    money_per_year: Estimate | None

    @property
    def distinguishable(self) -> bool:
        """Whether there is a difference at all, as far as can be told."""
        return self.ettr.distinguishable


@dataclass(frozen=True)
class Levers:
    """The levers of a scenario, the one that earns most first, and its ETTR as it is."""

    scenario: Scenario
    replications: int
    ettr: Estimate
    levers: Sequence[Lever]


def levers(scenario: Scenario, *, settings: Settings | None = None) -> Levers:
    """Return what each change that fits *scenario* earns, on common random numbers.

    A target is left out, so that every change is measured over the same time.  Raises RunError where the run
    cannot go on.
    """
    settings, fixed = settings or Settings(), ended_by_the_clock(scenario)
    changes = [*changes_that_fit(fixed), *_tuned_interval(fixed, settings)]
    scenarios = [fixed, *(variant(fixed, change.values) for change in changes)]
    replications = range(fixed.simulation.replications)
    now, *changed = (
        np.array(values) for values in histories(scenarios, replications, settings, lambda one: one.ettr)
    )
    found = [_lever(fixed, change, values, now) for change, values in zip(changes, changed, strict=True)]
    found.sort(key=lambda lever: -lever.ettr.mean)
    return Levers(fixed, len(replications), mean_of(now), found)


def _lever(scenario: Scenario, change: Change, values: Array, now: Array) -> Lever:
    difference = paired(values, now)
    return Lever(change, difference, *worth(scenario, difference))


def _tuned_interval(scenario: Scenario, settings: Settings) -> Iterator[Change]:
    """Yield the best interval as a change, where today's can be told from it.

    It is chosen on other replications than those on which it is judged.
    """
    spec, count = scenario.checkpoint, scenario.simulation.replications
    if spec is None or scenario.mtbf is None:
        return
    _, score = scored_on_outages(scenario, count, settings)
    search = searched(scenario, score, (spec.interval,), CANDIDATES)
    if search.told_apart(spec.interval):
        now = format_duration(spec.interval)
        then = format_duration(rounded(search.best, search.flat_range()))
        text = f"checkpoint.interval: {now} -> {then}"
        yield Change("tuned interval", {"checkpoint.interval": then}, text)
