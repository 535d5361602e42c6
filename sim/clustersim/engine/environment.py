"""SimPy's environment with a quicker clock and a quicker loop.

SimPy's `now` is a property; the engine reads the clock several times for each failure, so here it is a plain
attribute, which saves a call each time.  After `At(env, 5.0, STAGE, callback)` and `env.run()`, `env.now` is
5.0 and *callback* has been called.  This module stays pure Python where the rest of the engine is compiled: a
compiled class cannot inherit from SimPy's.
"""

from __future__ import annotations

from typing import Any

import simpy

from clustersim.engine.events import run_until


class Environment(simpy.Environment):
    """SimPy's environment, quicker for events that cannot fail.

    `now` is the instant (s).  Events happen in SimPy's order: by instant, priority, and order of creation.
    """

    now: float = 0.0

    @property
    def _now(self) -> float:
        """The instant (s), under the name by which SimPy itself reads and sets it."""
        return self.now

    @_now.setter
    def _now(self, time: float) -> None:
        self.now = time

    def run(self, until: simpy.Event | float | None = None) -> Any:
        """Process events up to the event or the instant *until* (s), or as long as there are any."""
        if not isinstance(until, simpy.Event):
            return super().run(until)
        run_until(self, until)
        return until.value
