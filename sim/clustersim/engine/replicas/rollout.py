"""Whose turn it is in a planned stop that replicas make one after another."""

from __future__ import annotations

from collections.abc import Sequence

from clustersim.engine.replicas.replica import Replica, State


class Rollout:
    """A planned stop that replicas make one after another."""

    def __init__(self) -> None:
        self._queue: list[Replica] = []
        self._out: Replica | None = None

    @property
    def under_way(self) -> bool:
        """Whether a replica has stepped out, or is to."""
        return self._out is not None or bool(self._queue)

    @property
    def is_due(self) -> bool:
        """Whether the next replica is to step out."""
        return self._out is None and bool(self._queue)

    def begin(self, replicas: Sequence[Replica]) -> None:
        """Let *replicas* step out one after another."""
        self._queue = list(replicas)

    def next(self) -> tuple[Replica | None, Sequence[Replica]]:
        """Return the next replica that takes part, which steps out now, and those that are passed over."""
        passed: list[Replica] = []
        while self._queue:
            replica = self._queue.pop(0)
            if replica.state is State.UP:
                self._out = replica
                return replica, passed
            passed.append(replica)
        return None, passed

    def is_over(self, replica: Replica) -> bool:
        """Take note that *replica* is back; return whether it was the last of the stop."""
        if replica is not self._out:
            return False
        self._out = None
        return not self._queue

    def drop(self) -> Sequence[Replica]:
        """Let nobody else step out, and forget who has; return those that have not: no replica is alive."""
        passed, self._queue, self._out = self._queue, [], None
        return passed
