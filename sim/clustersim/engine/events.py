"""Events at a given instant: SimPy's, happening without detours, and the order of those of one instant."""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush
from typing import Any

import simpy

COMPLETION, STAGE, RETURN, TARGET, STOP_END, REJOIN = 1, 2, 1 << 28, 1 << 29, (1 << 29) + 1, (1 << 29) + 2
NOTICE, GATHERING, FAILURE, WINDOW, HORIZON = (1 << 30) - 2, (1 << 30) - 1, 1 << 30, 1 << 60, 1 << 61
"""Priorities at equal instants: a stall or save ends, a stage of recovery (by replica), a repair (by mode).

Then the target is reached, a planned stop ends, a replica is back (by its number), a failure is noticed, and
replicas begin together; then failures strike, planned stops begin, and the run ends.
"""


class Environment(simpy.Environment):
    """SimPy's environment, quicker for events that cannot fail.

    `now` is the instant (s).  Events happen in SimPy's order: by instant, priority, and when they were made.
    """

    now: float = 0.0

    @property
    def _now(self) -> float:
        """The instant, as SimPy itself reads and sets it."""
        return self.now

    @_now.setter
    def _now(self, time: float) -> None:
        self.now = time

    def run(self, until: simpy.Event | float | None = None) -> Any:
        """Let event after event happen, up to the event or instant *until*, or as long as there are any."""
        if not isinstance(until, simpy.Event):
            return super().run(until)
        queue = self._queue
        while until.callbacks is not None:
            self.now, _, _, event = heappop(queue)
            callbacks, event.callbacks = event.callbacks, None  # type: ignore[assignment]
            for callback in callbacks:
                callback(event)
        return until.value


class At(simpy.Event):
    """Happens at the instant *time*, or now where that has passed by rounding, and calls *callback*.

    Its *priority* orders it among the events of that instant.  Like SimPy's own timeouts it is born
    triggered, and waits in the queue of its environment from then on; unlike them it is part of no condition.
    """

    _ok, _value = True, None

    def __init__(
        self, env: simpy.Environment, time: float, priority: int, callback: Callable[[simpy.Event], None]
    ) -> None:
        now = env.now
        self.callbacks = [callback]
        place = (time if time > now else now, priority, next(env._eid), self)
        heappush(env._queue, place)  # type: ignore[misc]
