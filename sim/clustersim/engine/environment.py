"""SimPy's environment, with a clock that is read directly and a loop of its own.

It stays pure Python where the rest of the engine is compiled: a compiled class cannot inherit from SimPy's.
"""

from __future__ import annotations

from typing import Any

import simpy

from clustersim.engine.events import run_until


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
        run_until(self, until)
        return until.value
