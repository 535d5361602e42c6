"""How many nodes are away, because of which failures, and how many are idle, over time."""

from __future__ import annotations

from collections.abc import Callable
from struct import Struct
from typing import Any, TypeAlias

import numpy as np

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]
COUNTS = Struct("5d").pack


class FleetLog:
    """A line at each change: the time (s), the nodes away, those idle, an incident, and the nodes it moved.

    Those are the nodes that left because of the incident, or came back (negative); none where a spare was
    taken.  `write` takes a line as `COUNTS` packs it.
    """

    def __init__(self) -> None:
        self._lines = bytearray()
        self.write: Callable[[bytes], None] = self._lines.extend

    def __repr__(self) -> str:
        return f"FleetLog({len(self._lines)} bytes)"

    @property
    def columns(self) -> tuple[Array, Array, Array]:
        """Times, nodes away and nodes idle."""
        time, away, idle, _, _ = self._columns
        return time, away.astype(np.int64), idle.astype(np.int64)

    @property
    def moves(self) -> tuple[Array, Array, Array]:
        """Times at which nodes left or came back, incidents, and how many left (came back: negative)."""
        time, _, _, incident, nodes = self._columns
        moved = nodes != 0
        return time[moved], incident[moved].astype(np.int64), nodes[moved]

    @property
    def _columns(self) -> Array:
        return np.frombuffer(bytes(self._lines)).reshape(-1, 5).T


def seconds_away(log: FleetLog, warm_up: float, end: float) -> Array:
    """Return for n = 0, 1, ... how many seconds after the *warm_up* n nodes were away."""
    time, away, _ = log.columns
    since = np.clip(np.append(time, end), warm_up, max(end, warm_up))
    return np.bincount(away, weights=np.diff(since)).astype(np.float64)


def curves(log: FleetLog, instants: Array) -> tuple[Array, Array]:
    """Return how many nodes were away, and how many idle, at each of the *instants*."""
    time, away, idle = log.columns
    line = np.searchsorted(time, instants, side="right") - 1
    return away[line], idle[line]
