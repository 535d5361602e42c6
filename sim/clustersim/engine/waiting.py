"""Who is charged for waiting: the failures whose nodes are away at the time, in equal parts per node.

Two nodes of one failure and one of another are away while the job waits for an hour: the first is charged
with 40 min, the second with 20.  Nodes are away from leaving the job, or the spares, until they or those
that replace them are back; one that retires and is not replaced is away for good.  A failure that took no
node is charged with nothing.  Somebody is always charged: where a slot is empty and no spare can fill it, a
node that was there is away.
"""

from __future__ import annotations

from typing import Any, NamedTuple, TypeAlias

import numpy as np

from clustersim.engine.fleet import FleetLog
from clustersim.engine.journal import Phases
from clustersim.engine.segments import sums
from clustersim.records import Phase

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]


class Waiting(NamedTuple):
    """Seconds of the whole job spent waiting for nodes, by line of the incident that is charged.

    `charged` has those of the whole run, `counted` those after the warm-up.
    """

    charged: Array
    counted: Array


def charged_waiting(log: FleetLog, phases: Phases, incidents: int, warm_up: float) -> Waiting:
    """Return what each of so many *incidents* is charged with.

    Waiting *per node away* adds up along the run, the same for all of them; an incident owes the difference
    between the return of its nodes and their leaving, for each.  So the cost does not grow with the nodes.
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
    # replicas are of one size, so their number, which has no rounding, gives the share of cards that wait
    waiting = np.cumsum(begun - ended) * phases.share[waits][0]
    rate = np.divide(waiting, away, out=np.zeros(len(knots)), where=away > 0)
    per_node = np.concatenate(([0.0], np.cumsum(rate[:-1] * np.diff(knots))))
    counted = np.maximum(per_node, np.interp(warm_up, knots, per_node))
    return Waiting(*(_owed(each, at, line, nodes, incidents) for each in (per_node, counted)))


def _owed(per_node: Array, at: Array, line: Array, nodes: Array, incidents: int) -> Array:
    """Return what each incident owes: *nodes* of the one in *line* moved at these places of *per_node*."""
    lines, first = np.unique(line, return_index=True)
    left = np.zeros(incidents)
    left[lines] = per_node[at[first]]
    gone = sums(line, nodes, incidents)
    back = sums(line, -nodes * (per_node[at] - left[line]), incidents)
    return np.asarray(back + gone * (per_node[-1] - left))
