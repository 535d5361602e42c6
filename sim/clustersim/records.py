"""What happened in one replication, and what each column of the tables means."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import NamedTuple

import numpy as np

from clustersim.arrays import Array, dot


class Phase(IntEnum):
    """What the job does at an instant; `IDLE` is said of a spare that fails.

    `STALL` is said where replicas stand still because of another one, `BLOCKED` where too few are alive,
    `OUTAGE` where the whole site is out, `LEAVING` where all is saved before nodes leave that were announced.
    """

    TRAINING = 0
    SAVING = 1
    DETECTION = 2
    RECOVERY = 3
    WAITING = 4
    MAINTENANCE = 5
    IDLE = 6
    STALL = 7
    BLOCKED = 8
    OUTAGE = 9
    LEAVING = 10

    @property
    def label(self) -> str:
        """The word in the column `doing`, where blocked replicas are called `held` since version 0.1."""
        return "held" if self is Phase.BLOCKED else self.name.lower()


PEER = "another replica"
"""Where the state comes from that a replica loads while others are alive: said instead of a tier's name."""


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
        "replica", "", "number of the (first) replica that was struck; -1 for the whole job or one replica"
    ),
    Column(
        "doing",
        "",
        "what the job did: " + ", ".join(doing.label for doing in Phase) + " (idle: a spare failed)",
    ),
    Column("interruption", "", "whether it ended a training segment, of the job or of a replica"),
    Column("transient", "", "whether all its nodes are fine after a restart"),
    Column("nodes_lost", "nodes", "nodes that leave for repair because of it"),
    Column(
        "back_s",
        "s",
        "wall-clock time at which the last of them, or of their replacements, was back; empty where none"
        " left, or one was still away",
    ),
    Column("lost_s", "s", "training that it threw away"),
    Column("detection_s", "s", "time charged to it from failure to knowing"),
    Column("recovery_s", "s", "time charged to it in recovery stages, all together"),
    Column(
        "waiting_s",
        "s",
        "time of the whole job spent waiting for nodes that is charged to it, as its nodes were away then",
    ),
    Column(
        "down_s",
        "s",
        "detection, recovery and waiting, whatever is charged, until training or until another failure "
        "began the recovery again",
    ),
    Column("stall_s", "s", "time charged to it in which replicas stood still because of it"),
    Column("idle_s", "s", "time charged to it in which cards were ready and held back"),
    Column("slow_s", "s", "time charged to it because the job ran slowly"),
    Column("corrupted_s", "s", "training thrown away because it had corrupted the state"),
    Column("tier", "", f"name of the checkpoint tier loaded after it, or {PEER}; empty where nothing was"),
    Column("stage_<name>_s", "s", "time charged to it in each recovery stage, one column per stage"),
)
REPLICATION_COLUMNS = (
    Column("replication", "", "number of the replication, from 0"),
    Column("wall_s", "s", "wall-clock time measured (after the warm-up)"),
    Column("ettr", "", "productive card-time / all card-time"),
    Column("<entry>", "", "share of all card-time in each entry of the ledger, one column per entry"),
    Column("progress_s", "s", "productive time kept at the end, warm-up included"),
    Column("reached_s", "s", "wall-clock time at which the target was reached; empty where it was not"),
    Column("interruptions", "", "incidents that ended a training segment"),
    Column("incidents", "", "failures that struck the job"),
    Column("spares_left", "nodes", "fewest spares that were ever idle"),
    Column("nodes_away", "nodes", "nodes in repair or retired and not yet replaced, mean over time"),
    Column("most_nodes_away", "nodes", "most of them at any time"),
    Column("node_wait_s", "s", "time in which a replica or the job waited for a node"),
    Column("<path>", "", "what was drawn of each path of `uncertain`, in SI units, a rate per second"),
)
TIMELINE_COLUMNS = (
    Column("start_s", "s", "begin of the bin"),
    Column("end_s", "s", "end of the bin"),
    Column("mean", "", "productive share of card-time in the bin, mean over the replications still running"),
    Column("p10", "", "its 10th percentile over replications"),
    Column("p50", "", "its median over replications"),
    Column("p90", "", "its 90th percentile over replications"),
    Column("replication_0", "", "the same in replication 0 alone"),
    Column(
        "away_mean", "nodes", "nodes away at the begin of the bin, mean over the replications still running"
    ),
    Column("away_p10", "nodes", "its 10th percentile over replications"),
    Column("away_p90", "nodes", "its 90th percentile over replications"),
    Column("away_0", "nodes", "the same in replication 0 alone"),
    Column(
        "idle_mean", "nodes", "idle spares at the begin of the bin, mean over the replications still running"
    ),
)
STRIP_COLUMNS = (
    Column("start_s", "s", "begin of the activity, in replication 0"),
    Column("end_s", "s", "end of the activity"),
    Column("activity", "", "entry of the ledger to which the time is booked"),
    Column("detail", "", "recovery stage, or failure mode that ended the segment"),
    Column(
        "lane", "", "number of the replica that is down; -1 for the job, or the replicas that train together"
    ),
)


class StripRow(NamedTuple):
    """What the job (lane -1) or a replica that is down (its number) did from `start` to `end` (s)."""

    start: float
    end: float
    activity: str
    detail: str
    lane: int = -1


@dataclass(frozen=True)
class FleetUse:
    """How many nodes were away, in repair or retired and not yet replaced, and how many spares idle.

    `away_s[n]` are the seconds after the warm-up in which n nodes were away, `waiting_s` those in which a
    replica or the job waited for a node; the curves hold nodes at the instants of `Records.curve`.
    """

    away_s: Array
    waiting_s: float
    away_curve: Array
    idle_curve: Array

    @property
    def away(self) -> float:
        """Mean number of nodes away over time; NaN where no time was measured."""
        total = float(self.away_s.sum())
        return dot(np.arange(len(self.away_s)), self.away_s) / total if total else math.nan

    @property
    def most_away(self) -> int:
        """Most nodes that were ever away at once, after the warm-up."""
        return int(np.flatnonzero(self.away_s).max(initial=0))


SCOPES = ("job", "gpu", "node", "rack", "pod", "replica", "cluster")
"""How far a failure reaches, by number: what a copy must survive to be loaded after it."""


@dataclass(frozen=True)
class Records:
    """One replication: what every card-second went into, and what struck.

    `ledger` maps entries to card-seconds, `charges` (cause x entry) holds the non-productive ones, `stages`
    those of each recovery stage; `curve` is the productive time kept (s) by equally spaced instants from 0
    to `end_s`; `incidents` are columns by name (modes, doings and tiers by number, -1 for no tier and the
    number after the last for another replica; what a simple job has no use for may be missing); `fleet` is
    None where nobody counted nodes.  Where nothing was `drawn` at random, all replications are the same.
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
    segments: Mapping[str, Array] = field(repr=False)
    strip: tuple[StripRow | tuple[float, float, str, str], ...] = ()
    fleet: FleetUse | None = None
    drawn: bool = True

    @property
    def ettr(self) -> float:
        """Productive share of all card-seconds."""
        return self.ledger["productive"] / sum(self.ledger.values())
