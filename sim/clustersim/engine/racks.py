"""Racks of which the job uses a part, and whole racks beside them that replace one with too few nodes.

Racks of 18 nodes serve with 16, and one more rack stands by.  When a third node of a rack fails, the rack
leaves its place whole: its 15 nodes stand idle, and 16 of the other rack take their slots.  When one of the
three is repaired the first rack can serve again, and is a spare rack now.
"""

from __future__ import annotations

from clustersim.engine.cluster import Cluster, SlotGroup
from clustersim.engine.spares import NOWHERE, ChosenSpares, Domains


class Racks(Domains):
    """Racks as domains: each node serves the place where its rack stands.

    The job's *nodes* fill places of *used* slots each, where racks of the same number stand at first; *apart*
    racks of *rack_nodes* nodes stand by.  The nodes in the job come first, then so many *others* of their
    racks in turn, then those of the racks that stand apart.
    """

    def __init__(self, nodes: int, used: int, others: int, rack_nodes: int, apart: int) -> None:
        places = -(-nodes // used)
        super().__init__(nodes, used, places)
        self.apart = dict.fromkeys(range(places, places + apart))
        self._places = places
        self._own_end = nodes + others
        self._rack_nodes = rack_nodes
        self._rack_at: dict[int, int] = {}
        self._place_of: dict[int, int] = {}

    def __repr__(self) -> str:
        return f"Racks({self._places} places, apart: {list(self.apart)})"

    def of_slot(self, slot: int) -> int:
        """Return the number of the rack that stands in the place of *slot*."""
        place = slot // self.size
        return self._rack_at.get(place, place)

    def home_of(self, node: int) -> int:
        """Return the place in which the rack of *node* stands; `NOWHERE` where it stands apart."""
        rack = self.of_node(node)
        return NOWHERE if rack in self.apart else self._place_of.get(rack, rack)

    def of_spare(self, node: int) -> int:
        """Return the number of the rack in which *node*, a spare from the beginning, is."""
        if node < self._own_end:
            return (node - self.nodes) % self._places
        return self._places + (node - self._own_end) // self._rack_nodes

    def spares_of(self, domain: int, spares: range) -> range:
        """Return those of all *spares* of the beginning that are in the rack of number *domain*."""
        if domain < self._places:
            return range(self.nodes + domain, self._own_end, self._places)
        begin = self._own_end + (domain - self._places) * self._rack_nodes
        return range(begin, begin + self._rack_nodes)

    def replace(self, place: int, rack: int) -> None:
        """Let *rack* stand in *place*; the one that stood there stands apart."""
        self.apart[self._rack_at.get(place, place)] = None
        del self.apart[rack]
        self._rack_at[place] = rack
        self._place_of[rack] = place


class RackSpares(ChosenSpares):
    """The idle nodes of every rack, and which rack could replace another."""

    def __init__(self, nodes: int, used: int, others: int, rack_nodes: int, apart: int) -> None:
        self.racks = Racks(nodes, used, others, rack_nodes, apart)
        super().__init__(range(nodes, nodes + others + apart * rack_nodes), self.racks)

    def __repr__(self) -> str:
        return f"RackSpares({len(self)} nodes, {self.racks})"

    def able(self, slots: int) -> int:
        """Return the rack that has stood apart for longest of those that can fill so many *slots*, or -1."""
        return next((rack for rack in self.racks.apart if len(self.idle_of([rack])) >= slots), -1)


class RackCluster(Cluster):
    """A cluster in which a rack that cannot fill its slots is replaced whole, as soon as another one can.

    Until then it stays, and the job waits.
    """

    def __init__(self, nodes: int, racks: RackSpares, delay: float, groups: int = 1) -> None:
        super().__init__(nodes, racks, delay, groups)
        self.refills = True
        self._rack_spares, self._racks = racks, racks.racks

    def _take_spares(self, now: float, group: SlotGroup) -> None:
        super()._take_spares(now, group)
        size = self._racks.size
        places = dict.fromkeys(slot // size for slot in group.empty)
        # So many slots no rack that stands apart can fill, nor one that is replaced, which has fewer nodes.
        too_many = size + 1
        for place in places:
            slots = range(place * size, min((place + 1) * size, self.nodes))
            if len(slots) >= too_many:
                continue  # where hundreds of places wait, asking again for each would take most of a run
            rack = self._rack_spares.able(len(slots))
            if rack < 0:
                too_many = len(slots)
            elif all(slot in group.empty or self.is_at_work(slot) for slot in slots):
                self._replace(now, slots, rack, group)
        if places:
            self.fewest_spares = min(self.fewest_spares, self.idle)
            self.note(now)

    def _replace(self, now: float, slots: range, rack: int, group: SlotGroup) -> None:
        """Let *rack* take all *slots* of a place, in which no failed node is."""
        for slot in slots:
            if slot not in group.empty:
                self.release(slot, group)
        self._racks.replace(slots.start // self._racks.size, rack)
        for slot in slots:
            node = self._rack_spares.take(slot)
            assert node is not None
            self._put(node, slot, group)
            self.idle -= 1
            if self._delay:
                group.ready[slot] = now + self._delay
