"""The table of incidents: a row for each failure, with the times that are charged to it.

A failure at 9,000 s throws away 1,800 s of training, takes 60 s to detect and 240 s to recover from.  Its row
has lost_s 1,800, detection_s 60, recovery_s 240 and down_s 300.  If it had taken down two of four replicas,
one for 300 s and the other for 500 s, down_s would be their mean of 400 s.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from clustersim.arrays import Array
from clustersim.engine.journal import NOBODY, Incidents, Phases
from clustersim.engine.segments import Training, sums
from clustersim.records import Phase

WAITING_FOR_NO_NODE = (Phase.OUTAGE, Phase.LEAVING)
RESTART_PHASES = (Phase.DETECTION, Phase.RECOVERY, Phase.WAITING, Phase.OUTAGE)


def incident_table(
    incidents: Incidents,
    phases: Phases,
    training: Training,
    waiting: Array,
    stages: Sequence[str],
    replication: int,
) -> dict[str, Array]:
    """Return the table by column; *waiting* is the waiting for nodes (s) charged to each incident.

    Times of a restart are those of the job, or the mean over the replicas that restarted; stalls and idle
    time of the other replicas are in seconds of the whole job.
    """
    count = len(incidents.time)
    length = phases.end - phases.start
    of_replica, of_job = length / _lanes(phases), length * phases.share

    def charge(chosen: Array, seconds: Array = of_replica) -> Array:
        """Return for each incident the *seconds* of the *chosen* phases that belong to it."""
        chosen &= phases.incident != NOBODY
        return sums(phases.incident[chosen], seconds[chosen], count)

    table = {
        "replication": np.full(count, replication, dtype=np.int32),
        **_failures(incidents, training),
        **training.costs(count),
        "detection_s": charge(phases.phase == Phase.DETECTION),
        "recovery_s": charge(phases.phase == Phase.RECOVERY),
        "waiting_s": waiting + charge(np.isin(phases.phase, WAITING_FOR_NO_NODE), of_job),
        "down_s": charge(np.isin(phases.phase, RESTART_PHASES)),
    }
    for number, name in enumerate(stages, start=1):
        table[f"stage_{name}_s"] = charge((phases.phase == Phase.RECOVERY) & (phases.stage == number))
    if training.loads is not None:
        table["tier"] = np.array([training.loads.get(line, NOBODY) for line in range(count)], dtype=np.int16)
        table["stall_s"] = charge(phases.phase == Phase.STALL, of_job)
        table["idle_s"] = charge(phases.phase == Phase.BLOCKED, of_job)
    return table


def _failures(incidents: Incidents, training: Training) -> dict[str, Array]:
    """Return the columns that say what failed, when, and what the job was doing."""
    return {
        "time_s": incidents.time,
        "mode": incidents.mode.astype(np.int16),
        "node": incidents.node.astype(np.int32),
        "rack": incidents.rack.astype(np.int32),
        "replica": incidents.replica.astype(np.int32),
        "doing": _phases(incidents, training),
        "interruption": incidents.interruption.astype(np.bool_),
        "transient": incidents.transient.astype(np.bool_),
        "nodes_lost": incidents.nodes_lost.astype(np.int32),
    }


def _phases(incidents: Incidents, training: Training) -> Array:
    """Return what the job was doing at each failure.

    Where that ended a segment, the segment knows whether it was saving at the time.
    """
    segments = training.segments
    phase = incidents.phase.astype(np.int8)
    broken = (segments.incident != NOBODY) & segments.saving
    lines, ends = segments.incident[broken], segments.end[broken]
    at_end = (phase[lines] == Phase.TRAINING) & (incidents.time[lines] == ends)
    phase[lines[at_end]] = Phase.SAVING
    return phase


def _lanes(phases: Phases) -> Array:
    """Return for each phase how many replicas went through phases of its incident; 1 for those of the job."""
    counts = np.ones(len(phases.lane))
    replicas = np.flatnonzero((phases.lane != NOBODY) & (phases.incident != NOBODY))
    if not replicas.size:
        return counts
    incidents, lanes = phases.incident[replicas], phases.lane[replicas]
    most = lanes.max() + 1
    counts[replicas] = np.bincount(np.unique(incidents * most + lanes) // most)[incidents]
    return counts
