"""Outages: what of a replication does not depend on the checkpoint interval, and scores of intervals on it.

Failures, recovery and repair take place in wall-clock time.  As long as nothing in them looks at the work
done, they are the same for every interval, and so are the stretches of training between them: simulate them
once, then ask each save schedule what it would have kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from sim.checkpoints import PeriodicSaves
from sim.records import Records
from sim.scenario.model import Scenario

Array = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True)
class Outages:
    """The stretches of training of one replication (s), and which of them lost what was not saved."""

    start: Array
    end: Array
    broken: Array
    wall_s: float
    warm_up: float

    @classmethod
    def of(cls, records: Records, warm_up: float) -> Outages:
        """Return the stretches of *records* that reach beyond *warm_up* (s)."""
        columns = {name: np.asarray(records.stretches[name]) for name in ("start", "end", "broken")}
        counted = columns["end"] > warm_up
        start, end, broken = (columns[name][counted] for name in ("start", "end", "broken"))
        return cls(start, end, broken.astype(np.bool_), records.wall_s, warm_up)

    def ettr(self, schedule: PeriodicSaves) -> float:
        """Return the ETTR that *schedule* would have had, exactly as a simulation would have booked it."""
        kept = np.where(
            self.broken,
            schedule.saved_each(self.start, self.end),
            schedule.useful_each(self.start, self.end),
        )
        early = self.start < self.warm_up
        if early.any():
            reached = np.minimum(self.end[early], self.warm_up)
            before = schedule.useful_each(self.start[early], reached)
            kept[early] -= np.minimum(before, kept[early])
        return float(kept.sum()) / self.wall_s


def schedule_of(scenario: Scenario, interval: float) -> PeriodicSaves:
    """Return the scenario's save schedule with another *interval* of training between saves (s)."""
    spec = scenario.checkpoint
    assert spec is not None
    return PeriodicSaves.every(interval, spec.blocks, spec.durable_after, scenario.workload.step_time)


def why_outages_depend(scenario: Scenario) -> str | None:
    """Return why the outages of *scenario* depend on the interval, or `None` where they do not.

    They do where the run ends with the work: an interval that gets more done ends earlier.
    """
    if scenario.target_s is not None:
        return "the run ends when the target is reached, so what strikes it depends on the interval"
    return None
