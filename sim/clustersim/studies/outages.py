"""Outages: what of a replication does not depend on the checkpoint interval, and scores of intervals on it.

Failures, recovery and repair take place in wall-clock time.  As long as nothing in them looks at the work
done, they are the same for every interval, and so are the stretches of training between them: simulate them
once, then ask each save schedule what it would have kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from clustersim.engine.checkpoints import PeriodicSaves
from clustersim.estimate import Array
from clustersim.scenario.loading import variant
from clustersim.scenario.model import Scenario, Tier
from clustersim.store import Kept, Measures
from clustersim.studies.search import Score
from clustersim.studies.simulating import Simulations

Numbers = np.ndarray[Any, np.dtype[np.intp]]
STRETCHES: Measures = {
    "start": lambda records: records.stretches["start"],
    "end": lambda records: records.stretches["end"],
    "broken": lambda records: np.asarray(records.stretches["broken"], dtype=np.bool_),
    "wall_s": lambda records: records.wall_s,
}
"""The stretches of training of a replication, `start` to `end` (s), and which of them lost work."""


class TrainingSegments(NamedTuple):
    """Those of several replications, one behind the other, each with the number of its replication."""

    start: Array
    end: Array
    replication: Numbers


@dataclass(frozen=True)
class Outages:
    """All stretches of several replications that reach beyond the warm-up (s): the broken and the whole ones.

    A broken one kept what had been saved, a whole one (it ended with a planned stop, or with the run) all.
    """

    broken: TrainingSegments
    whole: TrainingSegments
    wall_s: Array
    warm_up: float

    @classmethod
    def of(cls, histories: Sequence[Kept], warm_up: float) -> Outages:
        """Return the stretches of all *histories* together."""
        start, end, broken = (
            np.concatenate([history[name] for history in histories]) for name in ("start", "end", "broken")
        )
        replication = np.repeat(np.arange(len(histories)), [history["start"].size for history in histories])
        parts = [
            TrainingSegments(start[chosen], end[chosen], replication[chosen])
            for chosen in (broken & (end > warm_up), ~broken & (end > warm_up))
        ]
        return cls(parts[0], parts[1], np.array([history["wall_s"] for history in histories]), warm_up)

    def ettr(self, schedule: PeriodicSaves) -> Array:
        """Return the ETTR of each replication under *schedule*, as a simulation would have booked it."""
        saved = schedule.saved_each(self.broken.start, self.broken.end)
        useful = schedule.useful_each(self.whole.start, self.whole.end)
        kept = self._kept(schedule, self.broken, saved) + self._kept(schedule, self.whole, useful)
        return np.asarray(kept / self.wall_s)

    def _kept(self, schedule: PeriodicSaves, part: TrainingSegments, kept: Array) -> Array:
        """Return the seconds kept after the warm-up, summed by replication."""
        early = np.flatnonzero(part.start < self.warm_up) if self.warm_up else np.empty(0, np.intp)
        if early.size:
            until = np.full(early.size, self.warm_up)
            kept[early] -= np.minimum(schedule.useful_each(part.start[early], until), kept[early])
        sums = np.bincount(part.replication, weights=kept, minlength=self.wall_s.size)
        return sums.astype(np.float64)


def schedule_of(scenario: Scenario, interval: float) -> PeriodicSaves:
    """Return the scenario's save schedule with another *interval* of training between saves (s)."""
    spec = scenario.checkpoint
    assert spec is not None
    return PeriodicSaves.every(interval, spec.blocks, spec.durable_after, scenario.workload.step_time)


def why_outages_depend(scenario: Scenario) -> str | None:
    """Return why the outages of *scenario* depend on the interval, or `None` where they do not.

    They do where the run ends with the work: an interval that gets more done ends earlier.  And where the job
    is not one line of work between restarts, with one copy to fall back to.
    """
    if scenario.general:
        return "with tiers, replicas or such effects, what a failure costs depends on what was saved when"
    if scenario.target_s is not None:
        return "the run ends when the target is reached, so what strikes it depends on the interval"
    return None


def scores(
    scenario: Scenario, tier: Tier, parts: Sequence[range], simulations: Simulations, *, in_full: bool
) -> list[Score]:
    """Return a score of intervals of *tier* on each part of the replications; the parts follow each other.

    Each interval is simulated *in_full*, or scored on outages that are simulated once.
    """
    if in_full:
        return [_simulated(scenario, tier.path("interval"), part, simulations) for part in parts]
    first = parts[0].start
    point = simulations.point(scenario, STRETCHES, range(first, parts[-1].stop))
    simulations.run([point])
    histories = point.store.first(point.wanted)
    return [_scored(scenario, histories[part.start - first : part.stop - first]) for part in parts]


def _scored(scenario: Scenario, histories: Sequence[Kept]) -> Score:
    outages = Outages.of(histories, scenario.simulation.warm_up)
    return lambda intervals: [outages.ettr(schedule_of(scenario, interval)) for interval in intervals]


def _simulated(scenario: Scenario, path: str, part: range, simulations: Simulations) -> Score:
    return lambda intervals: simulations.ettr(
        [variant(scenario, {path: f"{interval!r} s"}) for interval in intervals], part
    )
