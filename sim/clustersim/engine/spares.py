"""The idle spares: how many there are, whom they serve, and which of them is taken."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections import defaultdict, deque
from collections.abc import Iterator
from heapq import heappop, heappush
from itertools import islice
from typing import Protocol

BLOCK = 4096
"""Spares of one block: few enough to be looked through at once, many enough that blocks are few."""


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


class Untouched:
    """The spares to which nothing has happened yet: *nodes*, a range of numbers, without those that are gone.

    They have been idle since the beginning, in the order of their numbers.  Only those that went before
    others with lower numbers are stored, so a billion spares cost no more than one: sorted, in blocks of
    numbers, and counted in a Fenwick tree over the blocks (Fenwick, Software: Practice and Experience 24(3),
    1994), so that neither to go nor to be found by position takes longer with more of them.
    """

    def __init__(self, nodes: range) -> None:
        self.first = self._begin = nodes.start
        self._end = nodes.stop
        self._gone: dict[int, list[int]] = {}
        self._sums: dict[int, int] = defaultdict(int)
        self._counted = self._passed = 0

    def __repr__(self) -> str:
        return f"Untouched({len(self)} from {self.first} on)"

    def __len__(self) -> int:
        return self._end - self.first - self._counted + self._passed

    def __contains__(self, node: int) -> bool:
        return self.first <= node < self._end and not self._is_gone(node)

    def at(self, position: int) -> int:
        """Return the node at *position*, of which there must be so many."""
        rest = position + self.first - self._begin - self._passed
        blocks = (self._end - self._begin) // BLOCK
        block, step = 0, 1 << blocks.bit_length()
        while step := step >> 1:
            there = step * BLOCK - self._sums.get(block + step, 0)
            if block + step <= blocks and there <= rest:
                block, rest = block + step, rest - there
        gone, begin = self._gone.get(block, ()), self._begin + block * BLOCK
        # Before the node gone[i] so many are left of its block: gone[i] - begin - i; that never falls with i.
        return begin + rest + bisect_right(range(len(gone)), rest, key=lambda i: gone[i] - begin - i)

    def remove(self, node: int) -> None:
        """Let *node* go."""
        if node != self.first:
            self._count(node)
            return
        self.first += 1
        while self._counted > self._passed and self._is_gone(self.first):
            self.first += 1
            self._passed += 1

    def _is_gone(self, node: int) -> bool:
        gone = self._gone.get((node - self._begin) // BLOCK, ())
        place = bisect_left(gone, node)
        return place < len(gone) and gone[place] == node

    def _count(self, node: int) -> None:
        block, blocks = (node - self._begin) // BLOCK, (self._end - self._begin) // BLOCK
        insort(self._gone.setdefault(block, []), node)
        self._counted += 1
        place = block + 1
        while place <= blocks:
            self._sums[place] += 1
            place += place & -place


class SharedSpares:
    """Spares that serve every slot; the one that has been idle for longest is taken first."""

    def __init__(self, nodes: range) -> None:
        self._untouched = Untouched(nodes)
        self._returned: deque[int] = deque()

    def __len__(self) -> int:
        return len(self._untouched) + len(self._returned)

    def add(self, node: int) -> None:
        """Take *node* in, as the last."""
        self._returned.append(node)

    def remove(self, node: int) -> None:
        """Let *node* go."""
        nodes = self._untouched if node in self._untouched else self._returned
        nodes.remove(node)

    def take(self, slot: int) -> int | None:
        """Let the first node go, and return it."""
        if self._untouched:
            node = self._untouched.first
            self._untouched.remove(node)
            return node
        return self._returned.popleft() if self._returned else None

    def at(self, position: int) -> int | None:
        """Return the node at *position*, or nothing where there are fewer."""
        if position < (untouched := len(self._untouched)):
            return self._untouched.at(position)
        position -= untouched
        return self._returned[position] if position < len(self._returned) else None

    def serves(self, node: int, slot: int) -> bool:
        """Return True: they serve every slot."""
        return True

    def bound_to(self, first: int, count: int) -> list[int]:
        """Return none: they serve every slot."""
        return []

    def inherit(self, new: int, old: int) -> None:
        """Do nothing: they serve every slot."""


class Domains:
    """Which slots a node serves: those of one domain of *size* slots, of which there are *count*.

    A node of the job serves the domain of its first slot, the i-th spare that of number i modulo *count*.
    """

    def __init__(self, nodes: int, size: int, count: int) -> None:
        self.size = size
        self._nodes = nodes
        self.count = count
        self._inherited: dict[int, int] = {}

    def __repr__(self) -> str:
        return f"Domains({self.count} of {self.size} slots)"

    def of_slot(self, slot: int) -> int:
        """Return the number of the domain of *slot*."""
        return slot // self.size

    def of_node(self, node: int) -> int:
        """Return the number of the domain that *node* serves."""
        if node < self._nodes:
            return node // self.size
        return self._inherited.get(node, (node - self._nodes) % self.count)

    def inherit(self, new: int, old: int) -> None:
        """Let the node *new* serve the domain of *old*."""
        self._inherited[new] = self.of_node(old)


class ChosenSpares:
    """Spares that serve only their own domain; of these the one that has been idle for longest is taken.

    With *fewest_failures* that is so only among those that failed least often so far, as `failed` counts.
    Each domain has a queue of its own of those that came back, in which a node that has gone is passed over
    when its turn comes.  The untouched ones come first: none has been idle for longer, or failed less often.
    """

    def __init__(self, nodes: range, domains: Domains, fewest_failures: bool = False) -> None:
        self._domains = domains
        self._fewest_failures = fewest_failures
        self._failures: dict[int, int] = defaultdict(int)
        self._begin, self._end = nodes.start, nodes.stop
        self._untouched = Untouched(nodes)
        self._next: dict[int, int] = {}
        self._returned: dict[int, int] = {}
        self._came = 0
        self._queues: dict[int, list[tuple[int, int, int]]] = defaultdict(list)

    def __len__(self) -> int:
        return len(self._untouched) + len(self._returned)

    def failed(self, node: int) -> None:
        """Count a failure of *node*; none fails while it is idle here, so its place in the queue holds."""
        self._failures[node] += 1

    def add(self, node: int) -> None:
        """Take *node* in, as the last."""
        self._came += 1
        self._returned[node] = self._came
        rank = self._failures.get(node, 0) if self._fewest_failures else 0
        heappush(self._queues[self._domains.of_node(node)], (rank, self._came, node))

    def remove(self, node: int) -> None:
        """Let *node* go."""
        if node in self._untouched:
            self._untouched.remove(node)
        else:
            del self._returned[node]

    def take(self, slot: int) -> int | None:
        """Let the node go that is chosen among those of the slot's domain, and return it."""
        domain = self._domains.of_slot(slot)
        node = self._next.get(domain, self._begin + domain)
        while node < self._end and node not in self._untouched:
            node += self._domains.count
        self._next[domain] = node
        if node < self._end:
            self._untouched.remove(node)
            return node
        queue = self._queues[domain]
        while queue:
            _, came, node = heappop(queue)
            if self._returned.get(node) == came:
                self.remove(node)
                return node
        return None

    def at(self, position: int) -> int | None:
        """Return the node at *position*, or nothing where there are fewer."""
        if position < (untouched := len(self._untouched)):
            return self._untouched.at(position)
        return next(islice(self._returned, position - untouched, None), None)

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
        returned = [node for came, node in sorted(queued) if self._returned.get(node) == came]
        return [*self._untouched_of(inside), *returned]

    def _untouched_of(self, domains: range) -> Iterator[int]:
        """Yield the untouched nodes of some *domains*: one for each, then the next for each, and so on."""
        each = self._domains.count
        last = min(domains.stop, each)
        passed = (self._untouched.first - self._begin) // each * each
        for row in range(self._begin + passed, self._end, each):
            for node in range(row + domains.start, min(row + last, self._end)):
                if node in self._untouched:
                    yield node

    def inherit(self, new: int, old: int) -> None:
        """Let the node *new* serve the domain of *old*."""
        self._domains.inherit(new, old)
