"""Which failures are charged for waiting: those whose nodes are away at the time, in equal parts per node.

Two nodes of one failure and one node of another are away while the job waits for an hour: the first failure
is charged with 40 min, the second with 20 min.  A node is away from when it leaves its slot, or the spares,
until it or its replacement is back; one that retires without replacement stays away for good.  A failure that
took no node is charged with nothing.  Waiting is always charged to some failure: where a slot is empty and no
spare can fill it, the node that held it is away.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from clustersim.arrays import Array
from clustersim.engine.fleet import FleetLog
from clustersim.engine.journal import Phases
from clustersim.engine.segments import sums
from clustersim.records import Phase


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
