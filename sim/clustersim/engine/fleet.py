"""How many nodes are away, and how many idle, over time."""

from __future__ import annotations

from collections.abc import Callable
from struct import Struct
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]
COUNTS = Struct("3d").pack


class FleetLog:
    """A line at each change: the time (s), the nodes that are away, those that are idle.

    `write` takes a line as `COUNTS` packs it.
    """

    def __init__(self) -> None:
        self._lines = bytearray()
        self.write: Callable[[bytes], None] = self._lines.extend

    def __repr__(self) -> str:
        return f"FleetLog({len(self._lines)} bytes)"

    @property
    def columns(self) -> tuple[Array, Array, Array]:
        """Times, nodes away and nodes idle."""
        time, away, idle = np.frombuffer(bytes(self._lines)).reshape(-1, 3).T
        return time.copy(), away.astype(np.int64), idle.astype(np.int64)


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
