"""Events at a given instant, the loop that lets them happen, and the order of those of one instant."""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush
from typing import Any

import simpy

COMPLETION, STAGE, RETURN, TARGET, STOP_END, REJOIN = 1, 2, 1 << 28, 1 << 29, (1 << 29) + 1, (1 << 29) + 2
NOTICE, GATHERING, FAILURE, WINDOW, HORIZON = (1 << 30) - 2, (1 << 30) - 1, 1 << 30, 1 << 60, 1 << 61
"""Priorities at equal instants: a stall or save ends, a stage of recovery (by replica), a repair (by mode).

Then the target is reached, a planned stop ends, a replica is back (by its number), a failure is noticed, and
replicas begin together; then failures failure, planned stops begin, and the run ends.
"""


def run_until(env: Any, until: Any) -> None:
    """Let event after event happen until the event *until* has.

    SimPy's own loop asks of each event whether it has failed, which ours cannot; leaving that out, and
    calling the one callback of an `At` without a list around it, saves a tenth of a plain run.
    """
    queue = env._queue
    while until.callbacks is not None:
        env.now, _, _, event = heappop(queue)
        if isinstance(event, At):
            event.callback(event)
        else:
            callbacks, event.callbacks = event.callbacks, None
            for callback in callbacks:
                callback(event)


class At:
    """Happens at the instant *time*, or now where that has passed by rounding, and calls *callback*.

    Its *priority* orders it among the events of that instant.  Like SimPy's own timeouts it is born
    triggered and waits in the queue of its environment from then on; unlike them it can be part of no
    condition.  It is no subclass of SimPy's event, as a compiled class cannot be one.
    """

    def __init__(
        self, env: simpy.Environment, time: float, priority: int, callback: Callable[[At], None]
    ) -> None:
        self.callback = callback
        self._ok = True
        now: float = env.now
        heappush(env._queue, (time if time > now else now, priority, next(env._eid), self))  # type: ignore[misc]

    @property
    def callbacks(self) -> list[Callable[[At], None]] | None:
        """What SimPy's own loop calls."""
        return [self.callback]

    @callbacks.setter
    def callbacks(self, none: None) -> None:
        """Let SimPy's own loop mark it as processed."""
