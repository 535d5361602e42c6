"""When the planned stops of a job fall due, and which replica is next in a rolling one."""

from __future__ import annotations

import math
from collections.abc import Sequence

from clustersim.engine.replicas.replica import Replica, State
from clustersim.scenario.model import Scenario


class Stops:
    """The windows of a scenario's maintenance: one each `every` seconds, from `every` on.

    A window that falls due while the whole job is down is past: the stop is held in its shadow.  One that
    falls due while replicas stand still waits for them, and each waits `merge_within` for such a shadow.
    """

    def __init__(self, scenario: Scenario) -> None:
        self._plan = scenario.maintenance
        self._number = 1
        self._since = 0.0

    def restarted(self, now: float) -> None:
        """The whole job trains again from *now* on, after an outage or a stop."""
        self._since = now

    def begun(self) -> None:
        """The stop that was due has begun."""
        self._number += 1

    def next(self, now: float) -> float:
        """Return when the next stop begins unless something comes between: *now* at the earliest (s)."""
        if self._plan is None:
            return math.inf
        every = self._plan.every
        self._number = max(self._number, int(self._since / every))
        while self._number * every < self._since:
            self._number += 1
        return max(self._number * every + self._plan.merge_within, now)


class Rollout:
    """A planned stop that replicas make one after another."""

    def __init__(self) -> None:
        self._queue: list[Replica] = []
        self._out = False

    @property
    def under_way(self) -> bool:
        """Whether a replica has stepped out, or is to."""
        return self._out or bool(self._queue)

    @property
    def is_due(self) -> bool:
        """Whether the next replica is to step out."""
        return not self._out and bool(self._queue)

    def begin(self, replicas: Sequence[Replica]) -> None:
        """Let *replicas* step out one after another."""
        self._queue = list(replicas)

    def next(self) -> Replica | None:
        """Return the next replica that takes part, which steps out now."""
        while self._queue:
            replica = self._queue.pop(0)
            if replica.state is State.UP:
                self._out = True
                return replica
        return None

    def is_over(self) -> bool:
        """Take note that the replica that stepped out is back; return whether it was the last."""
        self._out = False
        return not self._queue

    def drop(self) -> None:
        """Let nobody else step out, and forget who has: no replica is alive."""
        self._queue.clear()
        self._out = False
