"""What happened in one replication, and what each column of the tables means."""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, NamedTuple

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]


class Doing(IntEnum):
    """What the job does at an instant; `IDLE` is said of a spare that fails."""

    TRAINING = 0
    SAVING = 1
    DETECTION = 2
    RECOVERY = 3
    WAITING = 4
    MAINTENANCE = 5
    IDLE = 6

    @property
    def label(self) -> str:
        """The word used in tables and reports."""
        return self.name.lower()


class Column(NamedTuple):
    """One column of a table: its name, its unit and what it means."""

    name: str
    unit: str
    meaning: str


INCIDENT_COLUMNS = (
    Column("replication", "", "number of the replication, from 0"),
    Column("time_s", "s", "wall-clock time of the failure since the start of the run"),
    Column("mode", "", "name of the failure mode"),
    Column("node", "", "number of the (first) node that was struck; -1 where a mode strikes no node"),
    Column("rack", "", "number of the rack of its slot; -1 without racks"),
    Column(
        "doing",
        "",
        "what the job did: " + ", ".join(doing.label for doing in Doing) + " (idle: a spare failed)",
    ),
    Column("interruption", "", "whether it ended a stretch of training"),
    Column("transient", "", "whether all its nodes are fine after a restart"),
    Column("nodes_lost", "nodes", "nodes that leave for repair because of it"),
    Column("lost_s", "s", "training that it threw away"),
    Column("detection_s", "s", "time charged to it from failure to knowing"),
    Column("recovery_s", "s", "time charged to it in recovery stages, all together"),
    Column("waiting_s", "s", "time charged to it waiting for nodes"),
    Column("<stage>_s", "s", "time charged to it in each recovery stage, one column per stage"),
)
REPLICATION_COLUMNS = (
    Column("replication", "", "number of the replication, from 0"),
    Column("wall_s", "s", "wall-clock time measured (after the warm-up)"),
    Column("ettr", "", "productive card-time / all card-time"),
    Column("<entry>", "", "share of all card-time in each entry of the ledger, one column per entry"),
    Column("progress_s", "s", "productive time kept at the end, warm-up included"),
    Column("reached_s", "s", "wall-clock time at which the target was reached; empty where it was not"),
    Column("interruptions", "", "incidents that ended a stretch of training"),
    Column("incidents", "", "failures that struck the job"),
    Column("spares_left", "nodes", "fewest spares that were ever idle"),
)
TIMELINE_COLUMNS = (
    Column("start_s", "s", "begin of the bin"),
    Column("end_s", "s", "end of the bin"),
    Column("mean", "", "productive share of card-time in the bin, mean over the replications still running"),
    Column("p10", "", "its 10th percentile over replications"),
    Column("p50", "", "its median over replications"),
    Column("p90", "", "its 90th percentile over replications"),
    Column("replication_0", "", "the same in replication 0 alone"),
)
STRIP_COLUMNS = (
    Column("start_s", "s", "begin of the activity, in replication 0"),
    Column("end_s", "s", "end of the activity"),
    Column("activity", "", "entry of the ledger to which the time is booked"),
    Column("detail", "", "recovery stage, or failure mode that ended the stretch"),
)


LOST, DETECTION, WAITING, STAGES = range(4)
"""What can be charged to an incident, in the order of `IncidentLog`; the stages follow the last."""


class Strike(NamedTuple):
    """A failure: number *ordinal* of its mode, from 0, on *slots* (none for the whole job)."""

    mode: int
    ordinal: int
    slots: Sequence[int]
    transient: bool


class IncidentLog:
    """The incidents of a replication, with the times charged to each.

    Two flat arrays that are cut into columns at the end.  What is charged to an incident: the training that
    it threw away, its detection, the waiting for nodes, and each recovery stage.
    """

    def __init__(self, stages: int) -> None:
        self.stages = stages
        self._facts = array("d")
        self._charges = array("d")
        self._no_charges = array("d", [0.0] * (STAGES + stages))
        self._rows = 0

    def __len__(self) -> int:
        return self._rows

    def add(self, time: float, strike: Strike, node: int, rack: int, doing: Doing, interrupts: bool) -> int:
        """Append an incident and return its row."""
        mode, _, slots, transient = strike
        leave = 0 if transient else len(slots) or 1
        self._facts.extend((time, mode, node, rack, doing, interrupts, transient, leave))
        self._charges.extend(self._no_charges)
        row = self._rows
        self._rows = row + 1
        return row

    def charge(self, row: int, what: int, seconds: float) -> None:
        """Charge *seconds* of *what* (`LOST`, `DETECTION`, `WAITING`, or `STAGES` plus a stage) to a row."""
        self._charges[row * len(self._no_charges) + what] += seconds

    def columns(self, stages: Sequence[str], replication: int) -> dict[str, Array]:
        """Return the table as arrays by column name; modes and doings as their numbers."""
        time, mode, node, rack, doing, interrupts, transient, leave = np.array(self._facts).reshape(-1, 8).T
        charges = np.array(self._charges).reshape(-1, STAGES + self.stages).T
        columns = {
            "replication": np.full(len(self), replication, dtype=np.int32),
            "time_s": time.copy(),
            "mode": mode.astype(np.int16),
            "node": node.astype(np.int32),
            "rack": rack.astype(np.int32),
            "doing": doing.astype(np.int8),
            "interruption": interrupts.astype(np.bool_),
            "transient": transient.astype(np.bool_),
            "nodes_lost": leave.astype(np.int32),
            "lost_s": charges[LOST].copy(),
            "detection_s": charges[DETECTION].copy(),
            "recovery_s": charges[STAGES:].sum(axis=0),
            "waiting_s": charges[WAITING].copy(),
        }
        return columns | {f"{name}_s": charges[STAGES + number].copy() for number, name in enumerate(stages)}


class Stretches:
    """The stretches of training: when each began and ended, and how much of its useful work was kept.

    One is *broken* where it lost what was not saved, by a failure or an abrupt stop.
    """

    def __init__(self) -> None:
        self.start = array("d")
        self.end = array("d")
        self.kept = array("d")
        self.broken = array("b")

    def add(self, start: float, end: float, kept: float, broken: bool) -> None:
        """Append a stretch from *start* to *end* (s), of which *kept* seconds of work count."""
        self.start.append(start)
        self.end.append(end)
        self.kept.append(kept)
        self.broken.append(broken)


class Activity(NamedTuple):
    """One phase of the job: a stage of a recovery, or a stretch of which *kept* seconds count."""

    start: float
    end: float
    doing: Doing
    stage: int
    cause: int
    kept: float = 0.0


@dataclass(frozen=True)
class Records:
    """One replication: what every card-second went into, and what struck.

    `ledger` maps entries to card-seconds, `charges` (cause x entry) holds the non-productive ones, `stages`
    those of each recovery stage; `curve` is the productive time kept (s) by equally spaced instants from 0
    to `end_s`; `incidents` are columns by name.
    """

    replication: int
    end_s: float
    wall_s: float
    ledger: Mapping[str, float]
    charges: Array
    stages: Array
    progress_s: float
    reached_s: float
    interruptions: int
    incident_count: int
    incidents_by_mode: Array
    spares_left: int
    curve: Array
    incidents: Mapping[str, Array]
    stretches: Mapping[str, Array] = field(repr=False)
    strip: tuple[tuple[float, float, str, str], ...] = ()

    @property
    def ettr(self) -> float:
        """Productive share of all card-seconds."""
        return self.ledger["productive"] / sum(self.ledger.values())
