"""Events at a given instant, their order at equal instants, and the loop that runs them.

SimPy takes the event with the smallest (time, priority, number) next, so the priorities below decide every
tie.  Suppose a repair ends at 3,600 s, and another node of the job fails at 3,600 s as well.  RETURN is less
than FAILURE, so the repaired node is among the spares when the failure asks for one.
"""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush
from typing import Any, ClassVar, Final

import simpy

COMPLETION: Final = 1  # a stall or a save ends
STAGE: Final = 2  # a recovery stage ends; + the number of the replica
RETURN: Final = 1 << 28  # a repair ends; + two for each mode, in file order; above all replicas' stages
TARGET: Final = 1 << 29  # the target is reached
STOP_END: Final = TARGET + 1  # a planned stop ends
REJOIN: Final = TARGET + 2  # a recovered replica rejoins; + its number
NOTICE: Final = (1 << 30) - 2  # a failure is detected that did not stop the job
GATHERING: Final = (1 << 30) - 1  # enough replicas are ready, and begin together
FAILURE: Final = 1 << 30  # a unit fails; + 1 << 40 for each mode, + 1 << 36 for each of its processes
WINDOW: Final = 1 << 60  # a planned stop begins, after all failures: 1 << 20 modes fit in between
HORIZON: Final = 1 << 61  # the run ends


def run_until(env: Any, until: Any) -> None:
    """Process the events of *env* in order until the event *until* has been processed.

    For speed: SimPy's own loop checks each event for an exception, which an `At` never carries, and keeps
    callbacks in a list, of which an `At` has exactly one.  Leaving both out saves a tenth of a plain run.
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
    """An event at the instant *time* (s), or now where rounding has put that into the past.

    It calls *callback* with itself; *priority* orders it among the events of its instant.  Like SimPy's
    timeouts it is triggered from the beginning and waits in the queue of *env*; unlike them it cannot be part
    of a condition.  It is no subclass of SimPy's event, because a compiled class cannot be one.
    """

    _ok: ClassVar[bool] = True

    def __init__(
        self, env: simpy.Environment, time: float, priority: int, callback: Callable[[At], None]
    ) -> None:
        self.callback = callback
        now: float = env.now
        heappush(env._queue, (time if time > now else now, priority, next(env._eid), self))  # type: ignore[misc]

    @property
    def callbacks(self) -> list[Callable[[At], None]] | None:
        """The callback in a list, for SimPy's own loop."""
        return [self.callback]

    @callbacks.setter
    def callbacks(self, none: None) -> None:
        """Accept the None by which SimPy's own loop marks an event as processed."""
