"""Which node is sent away after a failure, where the diagnosis may be wrong.

Replicas have four slots, the diagnosis is wrong in 10 % of the cases and finds nothing in 5 %.  The node in
slot 5 fails.  In 85 % of the cases slot 5 is emptied; in 10 % that of an innocent node of the same replica,
4, 6 or 7; in 5 % none.  In the last two cases the node in slot 5 goes back to work with its fault.
"""

from __future__ import annotations

from collections.abc import Sequence

from clustersim.engine.failures.recurrence import LatentFaults
from clustersim.engine.origins import FailureDraws
from clustersim.engine.world import World
from clustersim.failure import Failure


class Diagnosis:
    """The result of detecting a failure of one node; `latent_faults` collects the faults that it misses."""

    def __init__(self, world: World, latent_faults: LatentFaults | None) -> None:
        assert latent_faults is not None
        recovery = world.scenario.recovery
        self._wrong = recovery.misdiagnosis
        self._missed = recovery.misdiagnosis + recovery.missed
        self._size = world.scenario.slots_per("replica")
        self._chances = FailureDraws(world.origins, "diagnosis")
        self._innocents = FailureDraws(world.origins, "innocent")
        self._cluster = world.cluster
        self._latent_faults = latent_faults

    def __repr__(self) -> str:
        return f"Diagnosis({self._wrong} wrong, {self._missed} not right)"

    def slots_to_empty(self, failure: Failure, slot: int) -> Sequence[int]:
        """Return the slots to empty after a *failure* in *slot*: that one, an innocent one, or none.

        An innocent node leaves only if it is at work; one that has failed leaves for its own failure.
        """
        blamed = self._blame(failure, slot)
        if blamed == slot:
            return (slot,)
        leaves = blamed is not None and self._cluster.is_at_work(blamed)
        self._cluster.revive(slot)
        self._latent_faults.add(failure.mode, self._cluster.node(slot))
        if blamed is None or not leaves:
            return ()
        self._cluster.suspect(blamed)
        return (blamed,)

    def _blame(self, failure: Failure, slot: int) -> int | None:
        """Draw the slot whose node is blamed for *failure* in *slot*; None where nothing is found."""
        chance = self._chances[failure]
        if chance >= self._missed:
            return slot
        if chance >= self._wrong or self._size == 1:
            return None
        number, first = int(self._innocents[failure] * (self._size - 1)), slot - slot % self._size
        return first + number if first + number < slot else first + number + 1
