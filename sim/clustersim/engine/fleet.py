"""How many nodes are away and idle over time, and which failures are charged for waiting for nodes.

Node 5 leaves at 100 s and is back at 400 s; node 9 leaves at 300 s and never returns.  The log then has a
line for each change: one node away from 100 s, two from 300 s, one from 400 s.  In a run of 1,000 s
`seconds_away` returns 100 s with no node away, 800 s with one, and 100 s with two.

Waiting is charged to the failures whose nodes are away at the time, in equal parts per node.  Two nodes of
one failure and one node of another are away while the job waits for an hour: the first is charged with 40
min, the second with 20 min.  A node is away from when it leaves its slot, or the spares, until it or its
replacement is back; one that retires without replacement stays away.  Waiting is always charged to some
failure: where a slot is empty and no spare can fill it, the node that held it is away.
"""

from __future__ import annotations

from collections.abc import Callable
from struct import Struct
from typing import Final, NamedTuple

import numpy as np

from clustersim.arrays import Array
from clustersim.engine.journal import Phases
from clustersim.engine.segments import sums
from clustersim.records import FleetUse, Phase

COUNTS: Final = Struct("5d").pack
"""Packs a line of the log, for speed: 40 bytes and no object are left behind for each change."""


class FleetLog:
    """A line at each change: the time (s), nodes away, nodes idle, an incident, and the nodes it moved.

    The last two say that nodes left because of the incident, or came back (a negative number); they are
    NOBODY and 0 where a spare was taken.  `write` appends a line as `COUNTS` packs it.
    """

    def __init__(self) -> None:
        self._lines = bytearray()
        self.write: Callable[[bytes], None] = self._lines.extend

    def __repr__(self) -> str:
        return f"FleetLog({len(self._lines)} bytes)"

    @property
    def columns(self) -> tuple[Array, Array, Array]:
        """Times (s), nodes away and nodes idle."""
        time, away, idle, _, _ = self._columns
        return time.copy(), away.astype(np.int64), idle.astype(np.int64)

    @property
    def moves(self) -> tuple[Array, Array, Array]:
        """Times (s) at which nodes left or came back, incidents, and how many left (came back: negative)."""
        time, _, _, incident, nodes = self._columns
        moved = nodes != 0
        return time[moved], incident[moved].astype(np.int64), nodes[moved]

    @property
    def _columns(self) -> Array:
        return np.frombuffer(self._lines).reshape(-1, 5).T


def seconds_away(log: FleetLog, warm_up: float, end: float) -> Array:
    """Return for n = 0, 1, ... how many seconds from *warm_up* to *end* (s) exactly n nodes were away."""
    time, away, _ = log.columns
    since = np.clip(np.append(time, end), warm_up, max(end, warm_up))
    return np.bincount(away, weights=np.diff(since)).astype(np.float64)


def curves(log: FleetLog, instants: Array) -> tuple[Array, Array]:
    """Return how many nodes were away, and how many idle, at each of the *instants* (s)."""
    time, away, idle = log.columns
    line = np.searchsorted(time, instants, side="right") - 1
    return away[line], idle[line]


def fleet_use(log: FleetLog, phases: Phases, instants: Array, warm_up: float, end: float) -> FleetUse:
    """Return how many nodes were away and idle, and for how long the job or a replica waited for one.

    Replicas may wait at the same time; the union of their waits counts, from *warm_up* to *end* (s).
    """
    away, idle = curves(log, instants)
    waiting = phases.phase == Phase.WAITING
    start, stop = np.maximum(phases.start[waiting], warm_up), np.maximum(phases.end[waiting], warm_up)
    order = np.argsort(start, kind="stable")
    start, stop = start[order], stop[order]
    covered = np.concatenate(([warm_up], np.maximum.accumulate(stop)[:-1])) if stop.size else stop
    waited = np.maximum(stop - np.maximum(start, covered), 0.0).sum()
    return FleetUse(seconds_away(log, warm_up, end), float(waited), away, idle)


def returns(log: FleetLog, incidents: int) -> dict[str, Array]:
    """Return when (s) the last node that left because of each of so many *incidents* was back, as a column.

    NaN where none left, or one is still away; no column where no node ever left.
    """
    time, line, nodes = log.moves
    if not time.size:
        return {}
    back = np.full(incidents, np.nan)
    np.fmax.at(back, line[nodes < 0], time[nodes < 0])
    back[sums(line, nodes, incidents) > 0] = np.nan
    return {"back_s": back}


class Waiting(NamedTuple):
    """Seconds that the whole job spent waiting for nodes, by line of the incident that is charged.

    `charged` covers the whole run, `counted` only what came after the warm-up.
    """

    charged: Array
    counted: Array


def charged_waiting(log: FleetLog, phases: Phases, incidents: int, warm_up: float) -> Waiting:
    """Return the waiting that each of so many *incidents* is charged with.

    Waiting *per node away* is one curve that rises along the run.  Each node of an incident owes the rise of
    that curve from its leaving to its return.  So the cost grows with the number of moves, not of nodes.
    """
    waits = phases.phase == Phase.WAITING
    if not waits.any():
        return Waiting(np.zeros(incidents), np.zeros(incidents))
    time, line, nodes = log.moves
    start, end = phases.start[waits], phases.end[waits]
    knots = np.unique(np.concatenate((time, start, end)))
    at = np.searchsorted(knots, time)
    away = np.cumsum(np.bincount(at, weights=nodes, minlength=len(knots)))
    begun, ended = (
        np.bincount(np.searchsorted(knots, instants), minlength=len(knots)) for instants in (start, end)
    )
    # Replicas are of one size, so their number, which has no rounding, gives the share of cards that wait.
    waiting = np.cumsum(begun - ended) * phases.share[waits][0]
    rate = np.divide(waiting, away, out=np.zeros(len(knots)), where=away > 0)
    per_node = np.concatenate(([0.0], np.cumsum(rate[:-1] * np.diff(knots))))
    counted = np.maximum(per_node, np.interp(warm_up, knots, per_node))
    return Waiting(*(_owed(curve, at, line, nodes, incidents) for curve in (per_node, counted)))


def _owed(per_node: Array, at: Array, line: Array, nodes: Array, incidents: int) -> Array:
    """Return what each incident owes (s).

    At the index *at* of the curve *per_node*, so many *nodes* of the incident in *line* left (or came back:
    negative).  Those that never came back owe up to the end of the curve.
    """
    lines, first = np.unique(line, return_index=True)
    left = np.zeros(incidents)
    left[lines] = per_node[at[first]]
    still_away = sums(line, nodes, incidents)
    returned = sums(line, -nodes * (per_node[at] - left[line]), incidents)
    return np.asarray(returned + still_away * (per_node[-1] - left))
