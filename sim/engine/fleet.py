"""How many nodes are away, and how many idle, over time."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]


class FleetLog:
    """At each change: the time (s), the nodes that are away, and those that are idle."""

    def __init__(self, idle: int) -> None:
        self._lines: list[float] = []
        self.note(0.0, 0, idle)

    def __repr__(self) -> str:
        return f"FleetLog({len(self._lines) // 3} lines)"

    def note(self, time: float, away: int, idle: int) -> None:
        """Note how many nodes are away and idle from *time* on."""
        self._lines.extend((time, away, idle))

    @property
    def lines(self) -> tuple[Array, Array, Array]:
        """Times, nodes away and nodes idle, in columns."""
        time, away, idle = np.array(self._lines).reshape(-1, 3).T
        return time.copy(), away.astype(np.int64), idle.astype(np.int64)


def seconds_away(log: FleetLog, warm_up: float, end: float) -> Array:
    """Return for n = 0, 1, ... how many seconds after the *warm_up* n nodes were away."""
    time, away, _ = log.lines
    since = np.clip(np.append(time, end), warm_up, max(end, warm_up))
    return np.bincount(away, weights=np.diff(since)).astype(np.float64)


def curves(log: FleetLog, instants: Array) -> tuple[Array, Array]:
    """Return how many nodes were away, and how many idle, at each of the *instants*."""
    time, away, idle = log.lines
    line = np.searchsorted(time, instants, side="right") - 1
    return away[line], idle[line]
