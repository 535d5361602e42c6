"""The replicas of a job together: how many are in which state, and which of them a failure hits."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from clustersim.engine.cluster import Cluster
from clustersim.engine.replicas.replica import Replica, State
from clustersim.records import Failure, Phase

UP, REJOINING, DOWN, DRAINED = State.UP, State.REJOINING, State.DOWN, State.DRAINED
WAITING = Phase.WAITING


class ReplicaSet:
    """All replicas: `up` is how many train together, `there` are up or ready, `alive` hold the state.

    Those that came back and have not joined the others yet are `ready`; somebody `is_out`, or may be, once
    one has stepped out for a planned stop.
    """

    def __init__(self, replicas: Sequence[Replica], cluster: Cluster) -> None:
        self.replicas = replicas
        self._cluster = cluster
        self._slots = len(replicas[0].slots)
        self._down: dict[Replica, None] = {}
        self.ready: list[Replica] = []
        self.any_drained = False
        self.size = self.up = self.present = self.alive = len(replicas)
        self._is_up = bytearray([1]) * self.size

    def __repr__(self) -> str:
        return f"ReplicaSet({self.up} of {self.size} up)"

    def fall(self, struck: Sequence[Replica]) -> list[Replica]:
        """Let replicas be down, with all that has struck them; return those that were so before."""
        again = []
        for replica in struck:
            state = replica.state
            if state is DOWN:
                again.append(replica)
                continue
            if state is UP:
                self._leave(replica)
            elif state is REJOINING:
                self.present -= 1
            replica.state, replica.pending = DOWN, None
            self.alive -= 1
            self._down[replica] = None
        return again

    def step_out(self, replica: Replica) -> None:
        """Let a *replica* stand aside, one that has just recovered too; it holds the state."""
        if replica.state is UP:
            self._leave(replica)
        elif replica.state is REJOINING:
            self.present -= 1
        else:
            self._recover(replica)
        replica.state = DRAINED
        self.any_drained = True

    def come_back(self, replica: Replica) -> None:
        """Let a *replica* that was down or out be ready."""
        if replica.state is DOWN:
            self._recover(replica)
        replica.state = REJOINING
        self.present += 1
        self.ready.append(replica)

    def join(self) -> None:
        """Let those that are ready take part."""
        for replica in self.ready:
            if replica.state is REJOINING:
                replica.state = UP
                self.up += 1
                self._is_up[replica.index] = True
        self.ready.clear()

    def trains(self) -> Callable[[int], int]:
        """Return what tells, also later, whether the replica of a number takes part now."""
        return bytes(self._is_up).__getitem__

    def _recover(self, replica: Replica) -> None:
        """Let a *replica* that was down be alive."""
        self.alive += 1
        del self._down[replica]

    def _leave(self, replica: Replica) -> None:
        """Let a *replica* that was up take part no longer."""
        self.up -= 1
        self.present -= 1
        self._is_up[replica.index] = False

    def index_of(self, slot: int) -> int:
        """Return the number of the replica that *slot* belongs to."""
        return slot // self._slots

    def struck_by(self, failure: Failure) -> Sequence[Replica]:
        """Return the replicas that *failure* takes down, all of them where it names no slots."""
        slots = failure.slots
        if not slots or self.size == 1:
            return self.replicas
        if len(slots) == 1:
            return (self.replicas[slots[0] // self._slots],)
        return [self.replicas[index] for index in dict.fromkeys(map(self.index_of, slots))]

    def break_nodes(self, failure: Failure, line: int, struck: Sequence[Replica]) -> None:
        """Let the nodes of *failure*, in *line*, fail, each in the restart of its own replica of *struck*."""
        if len(struck) == 1:
            struck[0].restart.break_nodes(failure, failure.slots, line)
            return
        slots: dict[int, list[int]] = {}
        for slot in failure.slots:
            slots.setdefault(self.index_of(slot), []).append(slot)
        for replica in struck:
            replica.restart.break_nodes(failure, slots.get(replica.index, []), line)

    def take_back(self, nodes: Sequence[int]) -> None:
        """Take repaired *nodes*: to the replicas that wait for some, in the order in which they began to."""
        waiting = [replica for replica in self._down if replica.activity.phase is WAITING]
        if not waiting:
            self._cluster.restore(nodes)
            return
        if len(waiting) > 1:
            waiting.sort(key=lambda replica: (replica.activity.since, replica.index))
        self._cluster.restore(nodes, [replica.index for replica in waiting])
        for replica in waiting:
            replica.restart.look_again()
