"""Repair shops: what leaves the job comes back after a while, if a crew is free."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence

import simpy

from sim.failures.clock import RETURN, At
from sim.scenario.model import FailureMode
from sim.streams import Draws, Streams

Returned = Callable[[Sequence[int]], None]


class RepairShop:
    """Where the nodes that one failure mode breaks are repaired, first come first served.

    One repair per incident: all its nodes come back at the same instant.  *returned* takes them.
    """

    def __init__(
        self, env: simpy.Environment, name: str, mode: FailureMode, streams: Streams, returned: Returned
    ) -> None:
        assert mode.repair is not None
        self._env = env
        self._free = mode.crews
        self._queue: deque[tuple[Sequence[int], float]] = deque()
        self._returned = returned
        self._times = Draws(streams, f"{name}/repair", mode.repair.sample)
        self._spare_times = Draws(streams, f"{name}/spare/repair", mode.repair.sample)

    def __repr__(self) -> str:
        return f"RepairShop({len(self._queue)} waiting, {self._free} crews free)"

    def bring(self, nodes: Sequence[int], index: int, spare: bool = False) -> None:
        """Begin the repair of *nodes*, broken by the *index*-th strike, or queue it until a crew is free."""
        time = (self._spare_times if spare else self._times)[index]
        if self._free is None:
            At(self._env, self._env.now + time, RETURN, lambda _: self._returned(nodes))
        elif self._free:
            self._free -= 1
            self._begin(nodes, time)
        else:
            self._queue.append((nodes, time))

    def _begin(self, nodes: Sequence[int], time: float) -> None:
        """Let a crew repair *nodes*, and go on to the next in the queue."""

        def end(event: simpy.Event) -> None:
            if self._queue:
                self._begin(*self._queue.popleft())
            else:
                self._free = (self._free or 0) + 1
            self._returned(nodes)

        At(self._env, self._env.now + time, RETURN, end)
