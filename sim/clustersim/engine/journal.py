"""The journal: a line for each phase, segment and incident, written as it happens and read at the end.

A job trains until a failure of mode 0 stops it at 100 s, which takes 10 s to detect and 60 s to recover from.
The journal then has one segment (0 s to 100 s, ended by mode 0 and incident 0), one incident (at 100 s) and
two phases (detection from 100 s to 110 s, recovery stage 1 from 110 s to 170 s).  Nothing is added up before
the end of the run: ledger, charges and tables are sums over the columns of the journal.
"""

from __future__ import annotations

from collections.abc import Callable
from struct import Struct
from typing import Final, NamedTuple

import numpy as np

from clustersim.arrays import Array
from clustersim.failure import Failure
from clustersim.records import Phase

SEGMENT: Final = Struct("4d").pack
PHASE: Final = Struct("8d").pack
INCIDENT: Final = Struct("9d").pack
"""Pack a line, its fields in the order of the columns below; for speed, as no object outlives the call."""
FIELD: Final = Struct("d")
NOBODY: Final = -1
"""Stands for no failure mode, no incident, no node, no rack or no replica."""


class Phases(NamedTuple):
    """What the job did from `start` to `end` (s) when it did not train, in columns.

    `stage` is the number of the recovery stage, from 1, and 0 outside of recovery.  The time is charged to
    the failure mode `cause` and to the incident in line `incident`.  The phase held for a `share` of the
    cards: those of replica `lane`, or of all that train together where `lane` is NOBODY.
    """

    phase: Array
    stage: Array
    start: Array
    end: Array
    cause: Array
    incident: Array
    share: Array
    lane: Array


class SegmentLines(NamedTuple):
    """Training without a stop from `start` to `end` (s), in columns.

    `cause` and `incident` are the failure mode and the incident that ended it; NOBODY where no work was lost.
    """

    start: Array
    end: Array
    cause: Array
    incident: Array


class Incidents(NamedTuple):
    """The failures, in columns as in the table of incidents, with modes and phases by number."""

    time: Array
    mode: Array
    node: Array
    rack: Array
    phase: Array
    interruption: Array
    transient: Array
    nodes_lost: Array
    replica: Array


INCIDENT_SIZE = FIELD.size * len(Incidents._fields)
INTERRUPTION, NODES_LOST = (
    FIELD.size * Incidents._fields.index(name) for name in ("interruption", "nodes_lost")
)
"""Bytes of a line of the incidents, and the offsets in it of two fields that may change later."""


class Journal:
    """The lines of one replication.

    `phase` writes a phase that has ended, as `PHASE` packs it: for speed it is the method of a bytearray.
    """

    def __init__(self) -> None:
        self._phases = bytearray()
        self.phase: Callable[[bytes], None] = self._phases.extend
        self._segments = bytearray()
        self._incidents = bytearray()
        self._count = 0

    def __repr__(self) -> str:
        return f"Journal({self._count} incidents)"

    def segment(self, start: float, end: float, cause: int, incident: int) -> None:
        """Write a segment of training that has ended, with the failure mode and incident that ended it."""
        self._segments.extend(SEGMENT(start, end, cause, incident))

    def incident(
        self,
        time: float,
        failure: Failure,
        node: int,
        rack: int,
        phase: Phase,
        interrupts: bool,
        replica: int = NOBODY,
    ) -> int:
        """Write a failure, and return the number of its line.

        *phase* is what the job was doing; *interrupts* says whether the failure ended a segment.  *node*,
        *rack* and *replica* are NOBODY where there is none.
        """
        mode, transient = failure.mode, failure.transient
        nodes_lost = 0 if transient else len(failure.slots) or 1
        self._incidents.extend(
            INCIDENT(time, mode, node, rack, phase, interrupts, transient, nodes_lost, replica)
        )
        self._count += 1
        return self._count - 1

    def interrupts(self, line: int) -> None:
        """Correct the incident in *line*: it has ended a segment of training after all."""
        FIELD.pack_into(self._incidents, line * INCIDENT_SIZE + INTERRUPTION, 1.0)

    def keeps(self, line: int, nodes: int) -> None:
        """Correct the incident in *line*: *nodes* fewer leave for repair than it had (more, if negative)."""
        offset = line * INCIDENT_SIZE + NODES_LOST
        (lost,) = FIELD.unpack_from(self._incidents, offset)
        FIELD.pack_into(self._incidents, offset, lost - nodes)

    @property
    def phases(self) -> Phases:
        """All phases, in the order in which they ended."""
        columns = _columns(self._phases, len(Phases._fields))
        phase, stage, start, end, cause, incident, share, lane = columns
        phase, stage, cause, incident, lane = _whole(phase, stage, cause, incident, lane)
        return Phases(phase, stage, start, end, cause, incident, share, lane)

    @property
    def segments(self) -> SegmentLines:
        """All segments, in order of time."""
        start, end, cause, incident = _columns(self._segments, len(SegmentLines._fields))
        return SegmentLines(start, end, *_whole(cause, incident))

    @property
    def incidents(self) -> Incidents:
        """All incidents, in order of time."""
        time, *rest = _columns(self._incidents, len(Incidents._fields))
        return Incidents(time, *_whole(*rest))


def _columns(lines: bytearray, width: int) -> list[Array]:
    """Return the columns of packed *lines* of *width* fields; copies, as contiguous columns sum faster.

    The lines themselves are only looked at: a copy of them would be the peak of a worker's memory.
    """
    return [column.copy() for column in np.frombuffer(lines).reshape(-1, width).T]


def _whole(*columns: Array) -> list[Array]:
    return [column.astype(np.int64) for column in columns]
