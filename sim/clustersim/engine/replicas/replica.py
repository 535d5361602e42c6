"""One data-parallel replica: its slots, its restart of recovery, and whether it takes part."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

from clustersim.engine.activity import Activity, Blame
from clustersim.engine.restart import RestartSequence
from clustersim.records import Failure


class State(IntEnum):
    """Whether a replica takes part, is ready to, recovers, or has stepped out for a planned stop."""

    UP = 0
    REJOINING = 1
    DOWN = 2
    DRAINED = 3


class PendingFailure(NamedTuple):
    """A failure that takes replicas down from a time on (s): the failure, and its line in the journal.

    Its alarm rings after the `detection` (s).  It may have left the work sound only until a position (s).
    """

    time: float
    line: int
    failure: Failure
    detection: float
    sound_until: float | None = None

    @property
    def blame(self) -> Blame:
        """Whom to charge for it."""
        return self.failure.mode, self.line


class Replica:
    """Replica number `index`, which goes through a restart of recovery of its own.

    A planned stop of its own is `due` since an instant (s) if its turn came while it was down.
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
        """Deal with a *pending* failure later, with those that wait already: the earliest alarm counts."""
        if self.pending is not None:
            pending = pending._replace(detection=min(pending.detection, self.pending.detection))
        self.pending = pending

    def take_pending(self) -> PendingFailure:
        """Return that pending, which is dealt with now."""
        pending, self.pending = self.pending, None
        assert pending is not None
        return pending
