"""The replicas of a job together: how many are in which state, and which of them a failure hits."""

from __future__ import annotations

from collections.abc import Sequence

from sim.engine.cluster import Cluster
from sim.engine.replicas.replica import Replica, State
from sim.records import Strike


class Team:
    """All replicas: those `up` train together, those `there` are up or ready, the `alive` hold the state."""

    def __init__(self, replicas: Sequence[Replica], cluster: Cluster) -> None:
        self.replicas = replicas
        self._cluster = cluster
        self._size = len(replicas[0].slots)
        self._down: dict[Replica, None] = {}
        self._ready: list[Replica] = []
        self._counts = [0] * len(State)
        self._counts[State.UP] = len(replicas)

    def __repr__(self) -> str:
        return f"Team({self.up} of {len(self.replicas)} up)"

    @property
    def up(self) -> int:
        """Replicas that take part."""
        return self._counts[State.UP]

    @property
    def there(self) -> int:
        """Replicas that take part, or are ready to."""
        return self._counts[State.UP] + self._counts[State.READY]

    @property
    def alive(self) -> int:
        """Replicas that hold the state of the job."""
        return len(self.replicas) - self._counts[State.DOWN]

    def turn(self, replica: Replica, state: State) -> None:
        """Change the *state* of a replica."""
        self._counts[replica.state] -= 1
        self._counts[state] += 1
        replica.state = state
        if state is State.DOWN:
            self._down[replica] = None
        elif state is State.READY:
            self._down.pop(replica, None)
            self._ready.append(replica)

    def join(self) -> None:
        """Let those that are ready take part."""
        for replica in self._ready:
            if replica.state is State.READY:
                self.turn(replica, State.UP)
        self._ready.clear()

    def trains(self, number: int) -> bool:
        """Return whether the replica of that *number* takes part."""
        return self.replicas[number].state is State.UP

    def index_of(self, slot: int) -> int:
        """Return the number of the replica that *slot* belongs to."""
        return slot // self._size

    def struck_by(self, strike: Strike) -> Sequence[Replica]:
        """Return the replicas that *strike* takes down, all of them where it names no slots."""
        if not strike.slots or len(self.replicas) == 1:
            return self.replicas
        return [self.replicas[index] for index in dict.fromkeys(map(self.index_of, strike.slots))]

    def break_nodes(self, strike: Strike, line: int) -> None:
        """Let the nodes of *strike*, in *line*, fail, each in the chain of its own replica."""
        if not strike.transient and strike.slots:
            for replica in self.struck_by(strike):
                slots = [slot for slot in strike.slots if slot in replica.slots]
                replica.chain.break_nodes(strike, slots, line)

    def take_back(self, nodes: Sequence[int]) -> None:
        """Take repaired *nodes*: to the replicas that wait for some, in the order in which they began to."""
        waiting = [replica for replica in self._down if replica.chain.is_waiting]
        waiting.sort(key=lambda replica: (replica.chain.since, replica.index))
        self._cluster.restore(nodes, [replica.index for replica in waiting])
        for replica in waiting:
            replica.chain.look_again()
