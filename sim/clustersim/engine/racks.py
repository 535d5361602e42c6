"""Racks of which the job uses a part, and whole racks beside them that replace one with too few nodes.

Racks of 18 nodes serve with 16, and one more rack stands by.  When a third node of a rack fails, the rack
leaves its place whole: its 15 nodes stand idle, and 16 of the other rack take their slots.  When one of the
three is repaired the first rack can serve again, and is a spare rack now.
"""

from __future__ import annotations

from collections import deque
from itertools import islice

from clustersim.engine.cluster import Cluster, SlotGroup
from clustersim.engine.spares import UnusedSpares


class RackSpares:
    """The idle nodes of every rack; each serves only the place where its rack stands.

    The job's *nodes* fill places of *used* slots each, where racks of the same number stand at first; *apart*
    racks of *rack_nodes* nodes stand by.  The nodes in the job come first, then so many *others* of their
    racks in turn, then those of the racks that stand apart.
    """

    def __init__(self, nodes: int, used: int, others: int, rack_nodes: int, apart: int) -> None:
        self.used = used
        self._nodes = nodes
        self._places = places = -(-nodes // used)
        self._rack_nodes = rack_nodes
        self._own_end = nodes + others
        self._unused = UnusedSpares(range(nodes, self._own_end + apart * rack_nodes))
        self._returned: dict[int, int] = {}
        self._arrivals = 0
        self._queues: dict[int, deque[int]] = {}
        self._inherited: dict[int, int] = {}
        self._rack_at: dict[int, int] = {}
        self._apart = dict.fromkeys(range(places, places + apart))

    def __repr__(self) -> str:
        return f"RackSpares({len(self)} nodes, racks apart: {list(self._apart)})"

    def __len__(self) -> int:
        return len(self._unused) + len(self._returned)

    def rack_of(self, node: int) -> int:
        """Return the number of the rack in which *node* is."""
        if node < self._nodes:
            return node // self.used
        if node in self._inherited:
            return self._inherited[node]
        if node < self._own_end:
            return (node - self._nodes) % self._places
        return self._places + (node - self._own_end) // self._rack_nodes

    def able(self, slots: int) -> int:
        """Return the rack that has stood apart for longest of those that can fill so many *slots*, or -1."""
        return next((rack for rack in self._apart if len(self._queue(rack)) >= slots), -1)

    def replace(self, place: int, rack: int) -> None:
        """Let *rack* stand in *place*; the one that stood there stands apart."""
        self._apart[self._rack_at.get(place, place)] = None
        del self._apart[rack]
        self._rack_at[place] = rack

    def add(self, node: int) -> None:
        """Add *node* as the last one."""
        queue = self._queue(self.rack_of(node))
        self._arrivals += 1
        self._returned[node] = self._arrivals
        queue.append(node)

    def remove(self, node: int) -> None:
        """Remove *node*."""
        self._queue(self.rack_of(node)).remove(node)
        self._forget(node)

    def take(self, slot: int) -> int | None:
        """Remove and return the next node of the rack in the place of *slot*; None where it has none left."""
        place = slot // self.used
        queue = self._queue(self._rack_at.get(place, place))
        if not queue:
            return None
        node = queue.popleft()
        self._forget(node)
        return node

    def at(self, position: int) -> int | None:
        """Return the node at *position*, from 0; None where there are fewer nodes."""
        if position < (untouched := len(self._unused)):
            return self._unused.at(position)
        position -= untouched
        return next(islice(self._returned, position, None), None)

    def serves(self, node: int, slot: int) -> bool:
        """Return whether the rack of *node* stands in the place of *slot*."""
        place = slot // self.used
        return self.rack_of(node) == self._rack_at.get(place, place)

    def bound_to(self, first: int, count: int) -> list[int]:
        """Return the idle nodes of the racks in the places within the *count* slots from *first* on."""
        if count < self.used:
            return []
        places = range(first // self.used, min((first + count - 1) // self.used + 1, self._places))
        nodes = [node for place in places for node in self._queue(self._rack_at.get(place, place))]
        return sorted(nodes, key=lambda node: (self._returned.get(node, 0), node))

    def inherit(self, new: int, old: int) -> None:
        """Let the node *new* be in the rack of *old*."""
        self._inherited[new] = self.rack_of(old)

    def _forget(self, node: int) -> None:
        if node in self._unused:
            self._unused.remove(node)
        else:
            del self._returned[node]

    def _queue(self, rack: int) -> deque[int]:
        """Return the idle nodes of *rack*, the one that has been idle for longest first."""
        if rack not in self._queues:
            if rack < self._places:
                numbers = range(self._nodes + rack, self._own_end, self._places)
            else:
                begin = self._own_end + (rack - self._places) * self._rack_nodes
                numbers = range(begin, begin + self._rack_nodes)
            self._queues[rack] = deque(numbers)
        return self._queues[rack]


class RackCluster(Cluster):
    """A cluster in which a rack that cannot fill its slots is replaced whole, as soon as another one can.

    Until then it stays, and the job waits.
    """

    def __init__(self, nodes: int, racks: RackSpares, delay: float, groups: int = 1) -> None:
        super().__init__(nodes, racks, delay, groups)
        self.refills = True
        self._racks = racks

    def _take_spares(self, now: float, group: SlotGroup) -> None:
        super()._take_spares(now, group)
        places = dict.fromkeys(slot // self._racks.used for slot in group.empty)
        for place in places:
            begin = place * self._racks.used
            self._replace(now, range(begin, min(begin + self._racks.used, self.nodes)), group)
        if places:
            self.fewest_spares = min(self.fewest_spares, self.idle)
            self.note(now)

    def _replace(self, now: float, slots: range, group: SlotGroup) -> None:
        """Let another rack take all *slots* of a place, if one can and no failed node is in them."""
        rack = self._racks.able(len(slots))
        if rack < 0 or not all(slot in group.empty or self.is_at_work(slot) for slot in slots):
            return
        for slot in slots:
            if slot not in group.empty:
                self.release(slot, group)
        self._racks.replace(slots.start // self._racks.used, rack)
        for slot in slots:
            node = self._racks.take(slot)
            assert node is not None
            self._put(node, slot, group)
            self.idle -= 1
            if self._delay:
                group.ready[slot] = now + self._delay
