"""The table of incidents: a row for each failure that struck, with the times that are charged to it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from clustersim.engine.journal import NOBODY, Incidents, Phases
from clustersim.engine.segments import Training, sums
from clustersim.records import Phase

Array = np.ndarray[Any, np.dtype[Any]]
RESTART_PHASES = (Phase.DETECTION, Phase.RECOVERY, Phase.WAITING)


def incident_table(
    what: Incidents,
    phases: Phases,
    training: Training,
    waiting: Array,
    stages: Sequence[str],
    replication: int,
) -> dict[str, Array]:
    """Return the table by column; *waiting* is what each incident is charged with of the waiting (s).

    Times of recovery are those of the job, or the mean over the replicas that went through it; what they and
    the others cost beside is in seconds of the whole job.
    """
    count = len(what.time)
    length = phases.end - phases.start
    of_replica, of_job = length / _lanes(phases), length * phases.share

    def charged(chosen: Array, seconds: Array = of_replica) -> Array:
        chosen &= phases.incident != NOBODY
        return sums(phases.incident[chosen], seconds[chosen], count)

    table = {
        "replication": np.full(count, replication, dtype=np.int32),
        **_struck(what, training),
        **training.costs(count),
        "detection_s": charged(phases.phase == Phase.DETECTION),
        "recovery_s": charged(phases.phase == Phase.RECOVERY),
        "waiting_s": waiting,
        "down_s": charged(np.isin(phases.phase, RESTART_PHASES)),
    }
    for number, name in enumerate(stages, start=1):
        table[f"stage_{name}_s"] = charged((phases.phase == Phase.RECOVERY) & (phases.stage == number))
    if training.loads is not None:
        table["tier"] = np.array([training.loads.get(line, NOBODY) for line in range(count)], dtype=np.int16)
        table["stall_s"] = charged(phases.phase == Phase.STALL, of_job)
        table["idle_s"] = charged(phases.phase == Phase.BLOCKED, of_job)
    return table


def _struck(what: Incidents, training: Training) -> dict[str, Array]:
    """Return the columns that say what struck, and when, by name."""
    return {
        "time_s": what.time,
        "mode": what.mode.astype(np.int16),
        "node": what.node.astype(np.int32),
        "rack": what.rack.astype(np.int32),
        "replica": what.replica.astype(np.int32),
        "doing": _doing(what, training),
        "interruption": what.interruption.astype(np.bool_),
        "transient": what.transient.astype(np.bool_),
        "nodes_lost": what.nodes_lost.astype(np.int32),
    }


def _doing(what: Incidents, training: Training) -> Array:
    """Return what the job did when it was struck; the segment that this ended knows whether it saved."""
    segments = training.segments
    phase = what.phase.astype(np.int8)
    broken = (segments.incident != NOBODY) & segments.saving
    lines, ends = segments.incident[broken], segments.end[broken]
    phase[lines[(phase[lines] == Phase.TRAINING) & (what.time[lines] == ends)]] = Phase.SAVING
    return phase


def _lanes(phases: Phases) -> Array:
    """Return for each phase how many replicas went through phases of its incident."""
    alone = np.ones(len(phases.lane))
    replicas = np.flatnonzero((phases.lane != NOBODY) & (phases.incident != NOBODY))
    if not replicas.size:
        return alone
    incidents, lanes = phases.incident[replicas], phases.lane[replicas]
    most = lanes.max() + 1
    alone[replicas] = np.bincount(np.unique(incidents * most + lanes) // most)[incidents]
    return alone
