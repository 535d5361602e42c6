"""The journal: a line for each phase, segment and incident, written as it happens and read at the end.

A line is packed into bytes, so that writing one is quick and takes little room; tables are sums over columns.
"""

from __future__ import annotations

from collections.abc import Callable
from struct import Struct
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from clustersim.records import Failure, Phase

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]
SEGMENT, PHASE, INCIDENT = Struct("4d").pack, Struct("8d").pack, Struct("9d").pack
"""What packs a line: its fields in the order of the columns below."""
FIELD = Struct("d")
NOBODY = -1
"""Instead of a cause or of an incident's number: none."""


class Phases(NamedTuple):
    """What the job did from `start` to `end` (s) when it did not train, in columns.

    `stage` is the number of the recovery stage, from 1, and 0 outside of recovery; `cause` the failure mode
    that the time is charged to, and `incident` the line of the incident.  It held for a `share` of the cards:
    those of the replica `lane`, or of all that train together, or of the whole job (none).
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
    """Unbroken training from `start` to `end` (s), in columns, and the failure mode that broke it, if any."""

    start: Array
    end: Array
    cause: Array
    incident: Array


class Incidents(NamedTuple):
    """The failures that struck, in columns as in the table of incidents; modes and doings by number."""

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
"""How many bytes a line of the incidents has, and where in them two of its fields are."""


class Journal:
    """What happened in one replication.

    `phase` notes a phase without training that has ended, as `PHASE` packs it.
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
        """Note a segment of training that has ended, and the failure mode that broke it, if any."""
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
        """Note a failure that failures, and return the number of its line."""
        mode, _, slots, transient, _, _ = failure
        nodes_lost = 0 if transient else len(slots) or 1
        self._incidents.extend(
            INCIDENT(time, mode, node, rack, phase, interrupts, transient, nodes_lost, replica)
        )
        self._count += 1
        return self._count - 1

    def interrupts(self, line: int) -> None:
        """Note that the incident in *line* has ended a segment of training after all."""
        FIELD.pack_into(self._incidents, line * INCIDENT_SIZE + INTERRUPTION, 1.0)

    def keeps(self, line: int, nodes: int) -> None:
        """Note that so many *nodes* stay of those that the incident in *line* was to send away."""
        place = line * INCIDENT_SIZE + NODES_LOST
        (lost,) = FIELD.unpack_from(self._incidents, place)
        FIELD.pack_into(self._incidents, place, lost - nodes)

    @property
    def phases(self) -> Phases:
        """All phases, in the order in which they ended."""
        columns = _columns(self._phases, len(Phases._fields))
        phase, stage, start, end, cause, incident, share, lane = columns
        phase, stage, cause, incident, lane = _whole(phase, stage, cause, incident, lane)
        return Phases(phase, stage, start, end, cause, incident, share, lane)

    @property
    def segments(self) -> SegmentLines:
        """All segments, in order."""
        start, end, cause, incident = _columns(self._segments, len(SegmentLines._fields))
        return SegmentLines(start, end, *_whole(cause, incident))

    @property
    def incidents(self) -> Incidents:
        """All incidents, in order."""
        time, *rest = _columns(self._incidents, len(Incidents._fields))
        return Incidents(time, *_whole(*rest))


def _columns(lines: bytearray, width: int) -> list[Array]:
    return [column.copy() for column in np.frombuffer(bytes(lines)).reshape(-1, width).T]


def _whole(*columns: Array) -> list[Array]:
    return [column.astype(np.int64) for column in columns]
