"""All replicas of a job: their states, how many are in which, and which of them a failure hits.

Each replica holds as many consecutive slots.  With 4 replicas of 256 nodes a failure of slot 600 hits replica
2: it was up, so 3 remain up.  When it has recovered it is rejoining, and `present` counts it again; with the
next segment it is up.  While all are down, none is `alive`: the state of the model is lost with them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from clustersim.engine.activity import WAITING
from clustersim.engine.cluster import Cluster
from clustersim.engine.replicas.replica import DOWN, DRAINED, REJOINING, UP, Replica
from clustersim.failure import Failure


class ReplicaSet:
    """All replicas: `up` train together, `present` are up or rejoining, `alive` are all that are not down.

    `rejoining` are those that came back and have not joined the others yet.  `any_drained` is true once a
    replica has been drained for a planned stop.
    """

    def __init__(self, replicas: Sequence[Replica], cluster: Cluster) -> None:
        self.replicas = replicas
        self._cluster = cluster
        self._slots = len(replicas[0].slots)
        self._down: dict[Replica, None] = {}
        self.rejoining: list[Replica] = []
        self.any_drained = False
        self.size = self.up = self.present = self.alive = len(replicas)
        self._is_up = bytearray([1]) * self.size

    def __repr__(self) -> str:
        return f"ReplicaSet({self.up} of {self.size} up)"

    def fall(self, struck: Sequence[Replica]) -> list[Replica]:
        """Take the replicas *struck* down; return those that were down before."""
        again = []
        for replica in struck:
            state = replica.state
            if state is DOWN:
                again.append(replica)
                continue
            if state is not DRAINED:
                self.present -= 1
            if state is UP:
                self.up -= 1
                self._is_up[replica.index] = False
            replica.state, replica.pending = DOWN, None
            self.alive -= 1
            self._down[replica] = None
        return again

    def drain(self, replica: Replica) -> None:
        """Drain a *replica* for a planned stop, whatever its state; it keeps the state of the model."""
        if replica.state is DOWN:
            self.alive += 1
            del self._down[replica]
        else:
            self.present -= 1
        if replica.state is UP:
            self.up -= 1
            self._is_up[replica.index] = False
        replica.state = DRAINED
        self.any_drained = True

    def come_back(self, replica: Replica) -> None:
        """Let a *replica* that was down or drained rejoin."""
        if replica.state is DOWN:
            self.alive += 1
            del self._down[replica]
        replica.state = REJOINING
        self.present += 1
        self.rejoining.append(replica)

    def join(self) -> None:
        """Let those that rejoin be up."""
        for replica in self.rejoining:
            if replica.state is REJOINING:
                replica.state = UP
                self.up += 1
                self._is_up[replica.index] = True
        self.rejoining.clear()

    def trains(self) -> Callable[[int], int]:
        """Return a function that tells, also later, whether the replica of a number is up now."""
        return bytes(self._is_up).__getitem__

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

    def struck_in_stop(self) -> list[Replica]:
        """Return the replicas with failures that wait for the end of a stop of all."""
        return [
            replica
            for replica in self.replicas
            if replica.pending is not None and replica.state is not DRAINED
        ]

    def break_nodes(self, failure: Failure, line: int, struck: Sequence[Replica]) -> None:
        """Mark the nodes of *failure*, noted in *line*, as failed; the replicas *struck* hold them."""
        if len(struck) == 1:
            struck[0].restart.break_nodes(failure, failure.slots, line)
            return
        slots: dict[int, list[int]] = {}
        for slot in failure.slots:
            slots.setdefault(self.index_of(slot), []).append(slot)
        for replica in struck:
            replica.restart.break_nodes(failure, slots.get(replica.index, []), line)

    def take_back(self, nodes: Sequence[int]) -> None:
        """Give repaired *nodes* to the replicas that wait for nodes, the one that waits longest first."""
        waiting: list[Replica] = []
        if self._down:  # seldom so when a node returns: saves a call and a list for most repairs
            waiting = [replica for replica in self._down if replica.activity.phase is WAITING]
        if not waiting:
            self._cluster.restore(nodes)
            return
        if len(waiting) > 1:
            waiting.sort(key=lambda replica: (replica.activity.since, replica.index))
        self._cluster.restore(nodes, [replica.index for replica in waiting])
        for replica in waiting:
            replica.restart.look_again()
