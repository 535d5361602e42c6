"""Scores of intervals: on outages that are simulated once, or each interval simulated in full."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from clustersim.experiment import Settings
from clustersim.scenario.model import Scenario
from clustersim.tuning.histories import histories
from clustersim.tuning.outages import History, Outages, schedule_of
from clustersim.tuning.places import ONLY, Place
from clustersim.tuning.search import Array, Score
from clustersim.tuning.variants import variant


def scored(scenario: Scenario, parts: Sequence[range], settings: Settings) -> list[Score]:
    """Return a score on each part of the replications, from outages that are simulated once."""
    needed = [replication for part in parts for replication in part]
    found = dict(zip(needed, histories([scenario], needed, settings, History.of)[0], strict=True))
    return [_score_on(scenario, [found[replication] for replication in part]) for part in parts]


def _score_on(scenario: Scenario, found: Sequence[History]) -> Score:
    outages = Outages.of(found, scenario.simulation.warm_up)

    def score(intervals: Sequence[float]) -> list[Array]:
        return [outages.ettr(schedule_of(scenario, interval)) for interval in intervals]

    return score


def simulated(
    scenario: Scenario, parts: Sequence[range], settings: Settings, place: Place = ONLY
) -> list[Score]:
    """Return a score on each part of the replications, each interval at *place* simulated in full."""
    return [_simulated_on(scenario, part, settings, place.path("interval")) for part in parts]


def _simulated_on(scenario: Scenario, replications: range, settings: Settings, path: str) -> Score:
    def score(intervals: Sequence[float]) -> list[Array]:
        changed = [variant(scenario, {path: f"{interval!r} s"}) for interval in intervals]
        found = histories(changed, replications, settings, lambda one: one.ettr)
        return [np.array(values) for values in found]

    return score
