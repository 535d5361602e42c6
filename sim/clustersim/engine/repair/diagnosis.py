"""Who is blamed for a failure: the node that failed, an innocent one, or nobody."""

from __future__ import annotations

from clustersim.engine.failures.origins import FailureDraws, Origins
from clustersim.records import Failure
from clustersim.scenario.model import Scenario
from clustersim.streams import Streams


class Diagnosis:
    """Whom the end of the detection finds, where it may be wrong about which node of a replica has failed."""

    def __init__(self, scenario: Scenario, streams: Streams, origins: Origins) -> None:
        recovery = scenario.recovery
        self._wrong = recovery.misdiagnosis
        self._missed = recovery.misdiagnosis + recovery.missed
        self._size = scenario.slots_per("replica")
        self._chances = FailureDraws(streams, origins, "diagnosis")
        self._innocents = FailureDraws(streams, origins, "innocent")

    def __repr__(self) -> str:
        return f"Diagnosis({self._wrong} wrong, {self._missed} not right)"

    def blamed(self, failure: Failure, slot: int) -> int | None:
        """Return the slot whose node is blamed for *failure* on the node in *slot*; None: nobody is."""
        chance = self._chances[failure]
        if chance >= self._missed:
            return slot
        if chance >= self._wrong or self._size == 1:
            return None
        number, first = int(self._innocents[failure] * (self._size - 1)), slot - slot % self._size
        return first + number if first + number < slot else first + number + 1
