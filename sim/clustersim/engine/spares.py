"""The idle spares: how many there are, whom they serve, and which of them is taken."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable
from heapq import heappop, heappush
from itertools import islice
from typing import Protocol


class Spares(Protocol):
    """Idle nodes, in the order in which they became idle."""

    def __len__(self) -> int: ...

    def add(self, node: int) -> None:
        """Take *node* in, as the last."""

    def remove(self, node: int) -> None:
        """Let *node* go."""

    def take(self, slot: int) -> int | None:
        """Let a node go that serves *slot*, and return it; nothing where there is none."""

    def at(self, position: int) -> int | None:
        """Return the node at *position*, or nothing where there are fewer."""

    def serves(self, node: int, slot: int) -> bool:
        """Return whether *node* may hold *slot*."""

    def bound_to(self, first: int, count: int) -> list[int]:
        """Return the idle nodes that serve only slots among *count* from *first* on."""

    def inherit(self, new: int, old: int) -> None:
        """Let the node *new* serve whom *old* served."""


class SharedSpares:
    """Spares that serve every slot; the one that has been idle for longest is taken first."""

    def __init__(self, nodes: Iterable[int]) -> None:
        self._idle = deque(nodes)

    def __len__(self) -> int:
        return len(self._idle)

    def add(self, node: int) -> None:
        """Take *node* in, as the last."""
        self._idle.append(node)

    def remove(self, node: int) -> None:
        """Let *node* go."""
        self._idle.remove(node)

    def take(self, slot: int) -> int | None:
        """Let the first node go, and return it."""
        return self._idle.popleft() if self._idle else None

    def at(self, position: int) -> int | None:
        """Return the node at *position*, or nothing where there are fewer."""
        return self._idle[position] if position < len(self._idle) else None

    def serves(self, node: int, slot: int) -> bool:
        """Return True: they serve every slot."""
        return True

    def bound_to(self, first: int, count: int) -> list[int]:
        """Return none: they serve every slot."""
        return []

    def inherit(self, new: int, old: int) -> None:
        """Do nothing: they serve every slot."""


class Choice(Protocol):
    """Which idle spare is taken."""

    def rank(self, node: int) -> int:
        """Return the rank of a *node* that becomes idle: of the lowest the one idle for longest is taken."""


class LongestIdle:
    """Takes the spare that has been idle for longest."""

    def rank(self, node: int) -> int:
        """Return 0: all are alike."""
        return 0


class FewestFailures:
    """Takes the spare that failed least often so far; among equals the one that has been idle for longest."""

    def __init__(self) -> None:
        self._failures: dict[int, int] = defaultdict(int)

    def rank(self, node: int) -> int:
        """Return how often *node* has failed; that does not change as long as it is idle."""
        return self._failures[node]

    def failed(self, node: int) -> None:
        """Count a failure of *node*."""
        self._failures[node] += 1


class Domains:
    """Which slots a node serves: those of one domain of *size* slots, of which there are *count*.

    A node of the job serves the domain of its first slot, the i-th spare that of number i modulo *count*.
    """

    def __init__(self, nodes: int, size: int, count: int) -> None:
        self.size = size
        self._nodes = nodes
        self._count = count
        self._inherited: dict[int, int] = {}

    def __repr__(self) -> str:
        return f"Domains({self._count} of {self.size} slots)"

    def of_slot(self, slot: int) -> int:
        """Return the number of the domain of *slot*."""
        return slot // self.size

    def of_node(self, node: int) -> int:
        """Return the number of the domain that *node* serves."""
        if node < self._nodes:
            return node // self.size
        return self._inherited.get(node, (node - self._nodes) % self._count)

    def inherit(self, new: int, old: int) -> None:
        """Let the node *new* serve the domain of *old*."""
        self._inherited[new] = self.of_node(old)


class ChosenSpares:
    """Spares that serve only their own domain, and of which a policy chooses.

    Each domain has a queue of its own, in which a node that has gone is passed over when its turn comes.
    """

    def __init__(self, nodes: Iterable[int], domains: Domains, choice: Choice) -> None:
        self._domains = domains
        self._choice = choice
        self._idle: dict[int, int] = {}
        self._came = 0
        self._queues: dict[int, list[tuple[int, int, int]]] = defaultdict(list)
        for node in nodes:
            self.add(node)

    def __len__(self) -> int:
        return len(self._idle)

    def add(self, node: int) -> None:
        """Take *node* in, as the last."""
        self._came += 1
        self._idle[node] = self._came
        queue = self._queues[self._domains.of_node(node)]
        heappush(queue, (self._choice.rank(node), self._came, node))

    def remove(self, node: int) -> None:
        """Let *node* go."""
        del self._idle[node]

    def take(self, slot: int) -> int | None:
        """Let the node go that is chosen among those of the slot's domain, and return it."""
        queue = self._queues[self._domains.of_slot(slot)]
        while queue:
            _, came, node = heappop(queue)
            if self._idle.get(node) == came:
                self.remove(node)
                return node
        return None

    def at(self, position: int) -> int | None:
        """Return the node at *position*, or nothing where there are fewer."""
        return next(islice(self._idle, position, None), None)

    def serves(self, node: int, slot: int) -> bool:
        """Return whether both are of one domain."""
        return self._domains.of_node(node) == self._domains.of_slot(slot)

    def bound_to(self, first: int, count: int) -> list[int]:
        """Return the idle nodes whose whole domain lies among *count* slots from *first* on."""
        size = self._domains.size
        if count < size:
            return []
        inside = range(self._domains.of_slot(first), self._domains.of_slot(first + count - 1) + 1)
        queued = [(came, node) for domain in inside for _, came, node in self._queues.get(domain, ())]
        return [node for came, node in sorted(queued) if self._idle.get(node) == came]

    def inherit(self, new: int, old: int) -> None:
        """Let the node *new* serve the domain of *old*."""
        self._domains.inherit(new, old)
