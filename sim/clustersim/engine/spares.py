"""The idle spares: how many there are, which slots each may serve, and which one is taken next.

A job of six nodes in domains of two slots has six spares, 6 to 11.  Slots 0 and 1 form domain 0, which spares
6 and 9 serve; spares 7 and 10 serve domain 1, spares 8 and 11 domain 2.  For slot 1 spare 6 is taken first,
then spare 9, then a spare of domain 0 that has come back; when none is left, the slot stays empty although
others are idle.  With shared spares the six would be taken in the order of their numbers.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections import defaultdict, deque
from collections.abc import Sequence
from heapq import heappop, heappush, merge
from itertools import islice
from typing import Final

BLOCK: Final = 4096
"""Numbers in a block: searching and inserting within one takes microseconds, and a million spares still
have only 245 blocks to count."""
NOWHERE: Final = -1
"""No place: that of a node which is not for any slot when it comes back."""


class SparePool:
    """Idle nodes, in the order in which they became idle; each serves every slot, if nothing else is said."""

    def __len__(self) -> int:
        raise NotImplementedError

    def add(self, node: int) -> None:
        """Add *node* as the last one."""
        raise NotImplementedError

    def remove(self, node: int) -> None:
        """Remove *node*."""
        raise NotImplementedError

    def take(self, slot: int) -> int | None:
        """Remove and return the next node for *slot*; None where none may serve it."""
        raise NotImplementedError

    def at(self, position: int) -> int | None:
        """Return the node at *position*, from 0; None where there are fewer nodes."""
        raise NotImplementedError

    def place_of(self, slot: int) -> int:
        """Return the number of the place of *slot*: the slots that the same nodes may fill."""
        return 0

    def home_of(self, node: int) -> int:
        """Return the place that *node* may fill when it comes back, or `NOWHERE`."""
        return 0

    def bound_to(self, first: int, count: int) -> list[int]:
        """Return the idle nodes that may serve no slot outside of the *count* slots from *first* on."""
        return []

    def inherit(self, new: int, old: int) -> None:
        """Let the node *new* serve the slots that *old* served."""


class UnusedSpares:
    """The spares that have never been used: the range *nodes* without those that were removed.

    They have been idle since the beginning, in the order of their numbers.  `first` is the lowest of
    them, and `end` where none is left.
    Only nodes above it that were removed are stored, so a billion spares cost no more than one.  They are
    sorted within blocks of numbers, and a Fenwick tree counts them over the blocks (Fenwick, Software:
    Practice and Experience 24(3), 1994): removing a node and finding one by position take O(log n).
    """

    def __init__(self, nodes: range) -> None:
        self.first = self._begin = nodes.start
        self.end = nodes.stop
        self._removed: dict[int, list[int]] = {}
        self._sums: dict[int, int] = defaultdict(int)
        self._count = self._count_below_first = 0

    def __repr__(self) -> str:
        return f"UnusedSpares({len(self)} from {self.first} on)"

    def __len__(self) -> int:
        return self.end - self.first - self._count + self._count_below_first

    def __contains__(self, node: int) -> bool:
        return self.first <= node < self.end and not self._is_removed(node)

    def at(self, position: int) -> int:
        """Return the node at *position*, from 0, which must be less than the number of nodes."""
        rest = position + self.first - self._begin - self._count_below_first
        blocks = (self.end - self._begin) // BLOCK
        block, step = 0, 1 << blocks.bit_length()
        while step := step >> 1:
            present = step * BLOCK - self._sums.get(block + step, 0)
            if block + step <= blocks and present <= rest:
                block, rest = block + step, rest - present
        removed, begin = self._removed.get(block, ()), self._begin + block * BLOCK
        # removed[i] - begin - i nodes of its block are left below removed[i]; this never falls with i.
        return begin + rest + bisect_right(range(len(removed)), rest, key=lambda i: removed[i] - begin - i)

    def remove(self, node: int) -> None:
        """Remove *node*."""
        if node != self.first:
            self._store(node)
            return
        self.first += 1
        while self._count > self._count_below_first and self._is_removed(self.first):
            self.first += 1
            self._count_below_first += 1

    def _is_removed(self, node: int) -> bool:
        removed = self._removed.get((node - self._begin) // BLOCK, ())
        index = bisect_left(removed, node)
        return index < len(removed) and removed[index] == node

    def _store(self, node: int) -> None:
        """Store *node* as removed, and count it in each sum of the tree that covers its block."""
        block, blocks = (node - self._begin) // BLOCK, (self.end - self._begin) // BLOCK
        insort(self._removed.setdefault(block, []), node)
        self._count += 1
        index = block + 1
        while index <= blocks:
            self._sums[index] += 1
            index += index & -index


class SharedSpares(SparePool):
    """Spares that may serve every slot; the one that has been idle for longest is taken first."""

    def __init__(self, nodes: range) -> None:
        self._unused = UnusedSpares(nodes)
        self._returned: deque[int] = deque()

    def __len__(self) -> int:
        return len(self._unused) + len(self._returned)

    def add(self, node: int) -> None:
        """Add *node* as the last one."""
        self._returned.append(node)

    def remove(self, node: int) -> None:
        """Remove *node*."""
        nodes = self._unused if node in self._unused else self._returned
        nodes.remove(node)

    def take(self, slot: int) -> int | None:
        """Remove and return the node that has been idle for longest; None where none is left."""
        if self._unused.first < self._unused.end:  # a call less than asking for its length
            node = self._unused.first
            self._unused.remove(node)
            return node
        return self._returned.popleft() if self._returned else None

    def at(self, position: int) -> int | None:
        """Return the node at *position*, from 0; None where there are fewer nodes."""
        if position < (untouched := len(self._unused)):
            return self._unused.at(position)
        position -= untouched
        return self._returned[position] if position < len(self._returned) else None


class Domains:
    """Which slots each node may serve: those of one of *count* domains of *size* consecutive slots.

    A node of the job serves the domain of its first slot, the i-th spare the domain of number i modulo
    *count*, and a new node the domain of the node that it replaces.
    """

    def __init__(self, nodes: int, size: int, count: int) -> None:
        self.nodes = nodes
        self.size = size
        self._count = count
        self._inherited: dict[int, int] = {}

    def __repr__(self) -> str:
        return f"Domains({self._count} of {self.size} slots)"

    def of_slot(self, slot: int) -> int:
        """Return the number of the domain of *slot*."""
        return slot // self.size

    def of_node(self, node: int) -> int:
        """Return the number of the domain that *node* serves."""
        if node < self.nodes:
            return node // self.size
        return self._inherited[node] if node in self._inherited else self.of_spare(node)

    def home_of(self, node: int) -> int:
        """Return the place of the domain that *node* serves: of the same number, as domains are not moved."""
        return self.of_node(node)

    def of_spare(self, node: int) -> int:
        """Return the number of the domain of *node*, a spare from the beginning."""
        return (node - self.nodes) % self._count

    def spares_of(self, domain: int, spares: range) -> range:
        """Return those of all *spares* of the beginning that serve *domain*."""
        return range(spares.start + domain, spares.stop, self._count)

    def inherit(self, new: int, old: int) -> None:
        """Let the node *new* serve the domain of *old*."""
        self._inherited[new] = self.of_node(old)


class ChosenSpares(SparePool):
    """Spares that may serve only their own domain; the one that has been idle for longest is taken first.

    With *fewest_failures* the choice is among the nodes with the fewest failures so far, as `failed` counts.
    Unused spares come first: none has been idle for longer, or failed less often.  Nodes that came back wait
    in a queue for each domain; a node that was removed stays in it and is dropped when its turn comes, as
    searching the queue for it would take longer the more spares there are.
    """

    def __init__(self, nodes: range, domains: Domains, fewest_failures: bool = False) -> None:
        self._domains = domains
        self._fewest_failures = fewest_failures
        self._failures: dict[int, int] = defaultdict(int)
        self._nodes = nodes
        self._unused = UnusedSpares(nodes)
        self._next: dict[int, int] = defaultdict(int)  # all spares of a domain before this one are used
        self._returned: dict[int, int] = {}
        self._arrivals = 0
        self._queues: dict[int, list[tuple[int, int, int]]] = defaultdict(list)

    def __len__(self) -> int:
        return len(self._unused) + len(self._returned)

    def failed(self, node: int) -> None:
        """Count a failure of *node*; one that fails while idle is removed first, so ranks hold."""
        self._failures[node] += 1

    def add(self, node: int) -> None:
        """Add *node* as the last one."""
        self._arrivals += 1
        self._returned[node] = self._arrivals
        rank = self._failures.get(node, 0) if self._fewest_failures else 0
        heappush(self._queues[self._domains.of_node(node)], (rank, self._arrivals, node))

    def remove(self, node: int) -> None:
        """Remove *node*."""
        if node in self._unused:
            self._unused.remove(node)
        else:
            del self._returned[node]

    def take(self, slot: int) -> int | None:
        """Remove and return the next node of the slot's domain; None where it has none left."""
        domain = self._domains.of_slot(slot)
        spares, place = self._domains.spares_of(domain, self._nodes), self._next[domain]
        while place < len(spares) and spares[place] not in self._unused:
            place += 1
        self._next[domain] = place
        if place < len(spares):
            self.remove(spares[place])
            return spares[place]
        queue = self._queues[domain]
        while queue:
            _, arrival, node = heappop(queue)
            if self._returned.get(node) == arrival:
                self.remove(node)
                return node
        return None

    def at(self, position: int) -> int | None:
        """Return the node at *position*, from 0; None where there are fewer nodes."""
        if position < (untouched := len(self._unused)):
            return self._unused.at(position)
        return next(islice(self._returned, position - untouched, None), None)

    def place_of(self, slot: int) -> int:
        """Return the number of the place of *slot*, which is as large as a domain."""
        return slot // self._domains.size

    def home_of(self, node: int) -> int:
        """Return the place of the domain that *node* serves."""
        return self._domains.home_of(node)

    def bound_to(self, first: int, count: int) -> list[int]:
        """Return the idle nodes whose whole domain lies within the *count* slots from *first* on."""
        domains = self._domains
        if count < domains.size:
            return []
        end = min(first + count, domains.nodes)
        return self.idle_of([domains.of_slot(slot) for slot in range(first, end, domains.size)])

    def idle_of(self, domains: Sequence[int]) -> list[int]:
        """Return the idle nodes of *domains*, the one that has been idle for longest first."""
        spares_of, nodes = self._domains.spares_of, self._nodes
        ahead = [spares_of(domain, nodes)[self._next[domain] :] for domain in domains]
        unused = [node for node in merge(*ahead) if node in self._unused]
        queued = [(arrival, node) for domain in domains for _, arrival, node in self._queues[domain]]
        return unused + [node for arrival, node in sorted(queued) if self._returned.get(node) == arrival]

    def inherit(self, new: int, old: int) -> None:
        """Let the node *new* serve the domain of *old*."""
        self._domains.inherit(new, old)
