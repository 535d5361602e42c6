"""One data-parallel replica: its slots, its chain of recovery, and whether it takes part."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

from clustersim.engine.activity import Activity, Blame
from clustersim.engine.chain import Chain
from clustersim.records import Strike


class State(IntEnum):
    """Whether a replica takes part, is ready to, recovers, or has stepped out for a planned stop."""

    UP = 0
    READY = 1
    DOWN = 2
    OUT = 3


class Blow(NamedTuple):
    """A failure that takes replicas down from a time on (s): the strike, and its line in the journal.

    Its alarm rings after the `detection` (s).  It may have left the work sound only until a place (s).
    """

    time: float
    line: int
    strike: Strike
    detection: float
    sound_until: float | None = None

    @property
    def blame(self) -> Blame:
        """Whom to charge for it."""
        return self.strike.mode, self.line


class Replica:
    """Replica number `index`, which goes through a chain of recovery of its own.

    A planned stop of its own is `due` since an instant (s) if its turn came while it was down.
    """

    def __init__(self, index: int, slots: range, chain: Chain, activity: Activity) -> None:
        self.index = index
        self.slots = slots
        self.chain = chain
        self.activity = activity
        self.state = State.UP
        self.blow: Blow | None = None
        self.due: float | None = None

    def __repr__(self) -> str:
        return f"Replica({self.index}, {self.state.name.lower()})"

    def put_off(self, blow: Blow) -> None:
        """Deal with a *blow* later, beside those that wait already: the earliest alarm will ring for all."""
        if self.blow is not None:
            blow = blow._replace(detection=min(blow.detection, self.blow.detection))
        self.blow = blow

    def take_blow(self) -> Blow:
        """Return that blow, which is dealt with now."""
        blow, self.blow = self.blow, None
        assert blow is not None
        return blow
