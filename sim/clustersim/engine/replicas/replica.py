"""One data-parallel replica: its slots, its restart sequence, and its state.

A replica that is hit during a planned stop keeps the failure as `pending`.  If a hang with 30 min of
detection hits it at 10 min into the stop, and a crash with an alarm after 10 s at 15 min, the restart after
the stop begins with the crash, and its detection takes 10 s.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final, NamedTuple

from clustersim.engine.activity import Activity, Blame
from clustersim.engine.restart import RestartSequence
from clustersim.failure import Failure


class State(IntEnum):
    """Whether a replica trains with the others, is about to, recovers, or is drained for a planned stop."""

    UP = 0
    REJOINING = 1
    DOWN = 2
    DRAINED = 3


UP: Final = State.UP
REJOINING: Final = State.REJOINING
DOWN: Final = State.DOWN
DRAINED: Final = State.DRAINED
"""Final, so that compiled code need not look them up."""


class PendingFailure(NamedTuple):
    """A failure at `time` (s) that has yet to take replicas down; `blame` is what it is charged to.

    It is detected `detection` seconds after that begins.  `sound_until` is the position in the work (s) from
    which it is corrupt, if it is.
    """

    time: float
    failure: Failure
    blame: Blame
    detection: float
    sound_until: float | None = None


class Replica:
    """Replica number `index` with its `slots`, and with a `restart` sequence of its own.

    `due` is the instant (s) since which its own planned stop is due, if its turn came while it was down.
    """

    def __init__(self, index: int, slots: range, restart: RestartSequence, activity: Activity) -> None:
        self.index = index
        self.slots = slots
        self.restart = restart
        self.activity = activity
        self.state = State.UP
        self.pending: PendingFailure | None = None
        self.due: float | None = None

    def __repr__(self) -> str:
        return f"Replica({self.index}, {self.state.name.lower()})"

    def defer(self, pending: PendingFailure) -> None:
        """Keep a *pending* failure for later; of several the earliest detection counts."""
        if self.pending is not None:
            pending = pending._replace(detection=min(pending.detection, self.pending.detection))
        self.pending = pending

    def take_pending(self) -> PendingFailure:
        """Return the pending failure, and forget it."""
        pending, self.pending = self.pending, None
        assert pending is not None
        return pending
