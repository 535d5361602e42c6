"""A rolling stop: which replica is drained, and which have yet to be.

Of replicas 0, 1 and 2 replica 1 is down when its turn comes: 0 is drained, and when it is back 1 is passed
over, so 2 is drained; the stop is over when 2 is back.
"""

from __future__ import annotations

from collections.abc import Sequence

from clustersim.engine.replicas.replica import Replica, State


class Rollout:
    """The turns of a planned stop that replicas make one after another."""

    def __init__(self) -> None:
        self._queue: list[Replica] = []
        self._drained: Replica | None = None

    @property
    def under_way(self) -> bool:
        """Whether a replica is drained, or has yet to be."""
        return self._drained is not None or bool(self._queue)

    @property
    def is_due(self) -> bool:
        """Whether it is the turn of the next replica."""
        return self._drained is None and bool(self._queue)

    def begin(self, replicas: Sequence[Replica]) -> None:
        """Let *replicas* have their turn one after another."""
        self._queue = list(replicas)

    def next(self) -> tuple[Replica | None, Sequence[Replica]]:
        """Return the next replica that is up, whose turn it is now, and those that are passed over."""
        passed: list[Replica] = []
        while self._queue:
            replica = self._queue.pop(0)
            if replica.state is State.UP:
                self._drained = replica
                return replica, passed
            passed.append(replica)
        return None, passed

    def is_over(self, replica: Replica) -> bool:
        """End the turn of *replica*; return whether it was the last of the stop."""
        if replica is not self._drained:
            return False
        self._drained = None
        return not self._queue

    def drop(self) -> Sequence[Replica]:
        """End the stop, as no replica is alive, and return those that have not had their turn."""
        passed, self._queue, self._drained = self._queue, [], None
        return passed
