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
from clustersim.records import Records
from clustersim.scenario.model import Scenario

Array = np.ndarray[Any, np.dtype[np.float64]]
Places = np.ndarray[Any, np.dtype[np.intp]]


class History(NamedTuple):
    """The stretches of training of one replication, `start` to `end` (s), and which of them lost work."""

    start: Array
    end: Array
    broken: Array
    wall_s: float

    @classmethod
    def of(cls, records: Records) -> History:
        """Return what *records* hold of it."""
        start, end, broken = (np.asarray(records.stretches[name]) for name in ("start", "end", "broken"))
        return cls(start, end, broken.astype(np.bool_), records.wall_s)


class Part(NamedTuple):
    """Stretches of several replications, one behind the other, each with the number of its replication."""

    start: Array
    end: Array
    replication: Places


@dataclass(frozen=True)
class Outages:
    """All stretches of several replications that reach beyond the warm-up (s): the broken and the whole ones.

    A broken one kept what had been saved, a whole one (it ended with a planned stop, or with the run) all.
    """

    broken: Part
    whole: Part
    wall_s: Array
    warm_up: float

    @classmethod
    def of(cls, histories: Sequence[History], warm_up: float) -> Outages:
        """Return the stretches of all *histories* together."""
        start = np.concatenate([one.start for one in histories])
        end = np.concatenate([one.end for one in histories])
        broken = np.concatenate([one.broken for one in histories])
        replication = np.repeat(np.arange(len(histories)), [one.start.size for one in histories])
        parts = [
            Part(start[chosen], end[chosen], replication[chosen])
            for chosen in (broken & (end > warm_up), ~broken & (end > warm_up))
        ]
        return cls(parts[0], parts[1], np.array([one.wall_s for one in histories]), warm_up)

    def ettr(self, schedule: PeriodicSaves) -> Array:
        """Return the ETTR of each replication under *schedule*, as a simulation would have booked it."""
        saved = schedule.saved_each(self.broken.start, self.broken.end)
        useful = schedule.useful_each(self.whole.start, self.whole.end)
        kept = self._kept(schedule, self.broken, saved) + self._kept(schedule, self.whole, useful)
        return np.asarray(kept / self.wall_s)

    def _kept(self, schedule: PeriodicSaves, part: Part, kept: Array) -> Array:
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
