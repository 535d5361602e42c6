"""Who is blamed for a failure: the node that failed, an innocent one, or nobody."""

from __future__ import annotations

from clustersim.engine.failures.origins import Origins, StrikeDraws
from clustersim.records import Strike
from clustersim.scenario.model import Scenario
from clustersim.streams import Streams


class Diagnosis:
    """Whom the end of the detection finds, where it may be wrong about which node of a replica has failed."""

    def __init__(self, scenario: Scenario, streams: Streams, origins: Origins) -> None:
        recovery = scenario.recovery
        self._wrong = recovery.misdiagnosis
        self._missed = recovery.misdiagnosis + recovery.missed
        self._size = scenario.slots_per("replica")
        self._chances = StrikeDraws(streams, origins, "diagnosis")
        self._innocents = StrikeDraws(streams, origins, "innocent")

    def __repr__(self) -> str:
        return f"Diagnosis({self._wrong} wrong, {self._missed} not right)"

    def blamed(self, strike: Strike, slot: int) -> int | None:
        """Return the slot whose node is blamed for *strike* on the node in *slot*; None: nobody is."""
        chance = self._chances[strike]
        if chance >= self._missed:
            return slot
        if chance >= self._wrong or self._size == 1:
            return None
        number, first = int(self._innocents[strike] * (self._size - 1)), slot - slot % self._size
        return first + number if first + number < slot else first + number + 1
