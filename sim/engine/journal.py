"""The journal: a line for each phase, stretch and incident, written as it happens and read at the end.

A line is packed into bytes, so that writing one is quick and takes little room; tables are sums over columns.
"""

from __future__ import annotations

from collections.abc import Sequence
from struct import Struct
from typing import Any, NamedTuple

import numpy as np

from sim.engine.checkpoints import SaveSchedule
from sim.records import Doing, Strike

Array = np.ndarray[Any, np.dtype[Any]]
FOUR, SIX, EIGHT = Struct("4d").pack, Struct("6d").pack, Struct("8d").pack
NOBODY = -1
"""Instead of a cause or of an incident's number: none."""


class Phases(NamedTuple):
    """What the job did from `start` to `end` (s) when it did not train, in columns.

    `stage` is the number of the recovery stage, from 1, and 0 outside of recovery; `cause` the failure mode
    that the time is charged to, and `incident` the line of the incident.
    """

    doing: Array
    stage: Array
    start: Array
    end: Array
    cause: Array
    incident: Array


class Stretches(NamedTuple):
    """Unbroken training from `start` to `end` (s), with its `useful` work and what of that was `kept` (s).

    `cause` is what threw the rest away, as a failure or an abrupt stop does; none where nothing did.
    `saving` says whether it ended in a save.
    """

    start: Array
    end: Array
    useful: Array
    kept: Array
    saving: Array
    cause: Array
    incident: Array


class Incidents(NamedTuple):
    """The failures that struck, in columns as in the table of incidents; modes and doings by number."""

    time: Array
    mode: Array
    node: Array
    rack: Array
    doing: Array
    interruption: Array
    transient: Array
    nodes_lost: Array


class Journal:
    """What happened in one replication."""

    def __init__(self) -> None:
        self._phases = bytearray()
        self._stretches = bytearray()
        self._incidents = bytearray()
        self._count = 0

    def __repr__(self) -> str:
        return f"Journal({self._count} incidents)"

    def phase(self, doing: Doing, stage: int, start: float, end: float, cause: int, incident: int) -> None:
        """Note a phase without training that has ended."""
        self._phases.extend(SIX(doing, stage, start, end, cause, incident))

    def stretch(self, start: float, end: float, cause: int, incident: int) -> None:
        """Note a stretch of training that has ended, and the failure mode that broke it, if any."""
        self._stretches.extend(FOUR(start, end, cause, incident))

    def incident(
        self, time: float, strike: Strike, node: int, rack: int, doing: Doing, interrupts: bool
    ) -> int:
        """Note a failure that strikes, and return the number of its line."""
        mode, _, slots, transient, *_ = strike
        nodes_lost = 0 if transient else len(slots) or 1
        self._incidents.extend(EIGHT(time, mode, node, rack, doing, interrupts, transient, nodes_lost))
        self._count += 1
        return self._count - 1

    @property
    def phases(self) -> Phases:
        """All phases, in the order in which they ended."""
        doing, stage, start, end, cause, incident = _columns(self._phases, len(Phases._fields))
        doing, stage, cause, incident = _whole(doing, stage, cause, incident)
        return Phases(doing, stage, start, end, cause, incident)

    def stretches(self, schedule: SaveSchedule) -> Stretches:
        """Return all stretches, in order, with the work that *schedule* says they did and kept."""
        start, end, cause, incident = _columns(self._stretches, 4)
        useful, broken = schedule.useful_each(start, end), cause != NOBODY
        kept = np.where(broken, schedule.saved_each(start, end), useful)
        saving = schedule.saving_each(start, end)
        return Stretches(start, end, useful, kept, saving, *_whole(cause, incident))

    @property
    def incidents(self) -> Incidents:
        """All incidents, in order."""
        time, *rest = _columns(self._incidents, len(Incidents._fields))
        return Incidents(time, *_whole(*rest))


def _columns(lines: bytearray, width: int) -> list[Array]:
    return [column.copy() for column in np.frombuffer(bytes(lines)).reshape(-1, width).T]


def _whole(*columns: Array) -> list[Array]:
    return [column.astype(np.int64) for column in columns]


def _sums(places: Array, seconds: Array, count: int) -> Array:
    """Return the sum of *seconds* by place, as floats: bincount returns integers where there are none."""
    return np.bincount(places, weights=seconds, minlength=count).astype(np.float64)


def incident_table(
    what: Incidents, phases: Phases, stretches: Stretches, stages: Sequence[str], replication: int
) -> dict[str, Array]:
    """Return the table of incidents by column, with the times that are charged to each."""
    count, seconds = len(what.time), phases.end - phases.start

    def charged(chosen: Array) -> Array:
        chosen &= phases.incident != NOBODY
        return _sums(phases.incident[chosen], seconds[chosen], count)

    struck = stretches.incident != NOBODY
    lost = (stretches.useful - stretches.kept)[struck]
    doing = what.doing.astype(np.int8)
    doing[stretches.incident[struck & stretches.saving]] = Doing.SAVING
    table = {
        "replication": np.full(count, replication, dtype=np.int32),
        "time_s": what.time,
        "mode": what.mode.astype(np.int16),
        "node": what.node.astype(np.int32),
        "rack": what.rack.astype(np.int32),
        "doing": doing,
        "interruption": what.interruption.astype(np.bool_),
        "transient": what.transient.astype(np.bool_),
        "nodes_lost": what.nodes_lost.astype(np.int32),
        "lost_s": _sums(stretches.incident[struck], lost, count),
        "detection_s": charged(phases.doing == Doing.DETECTION),
        "recovery_s": charged(phases.doing == Doing.RECOVERY),
        "waiting_s": charged(phases.doing == Doing.WAITING),
    }
    for number, name in enumerate(stages, start=1):
        table[f"stage_{name}_s"] = charged((phases.doing == Doing.RECOVERY) & (phases.stage == number))
    return table
