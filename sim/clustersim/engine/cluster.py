"""Which node holds which slot of the job, and which nodes are idle spares.

Nothing here waits, and nothing is random.  A slot holds the node of its own number until that node leaves, so
only changes are stored: a million nodes cost no more than a hundred.

A cluster of 4 slots and 1 spare has the nodes 0 to 4.  Node 2 fails and is sent away: slot 2 is empty until
`fill` puts node 4 into it.  When node 2 comes back from repair no slot is empty, and it is an idle spare.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from clustersim.engine.fleet import COUNTS, FleetLog
from clustersim.engine.journal import NOBODY
from clustersim.engine.spares import SharedSpares, SparePool

OnMove = Callable[[int, int | None, bool], None]
"""Called with a node that now works in a slot (its number), is an idle spare (True), or is away."""
OnNodeFailure = Callable[[int], None]
"""Called with a node that has failed; a node in a slot stays there until the failure is detected."""
OnOrder = Callable[[int, int], None]
"""Called with the number of a node that is ordered, and that of the node it replaces for good."""


class Locations:
    """Where each node is, for failures that follow a node wherever it is.

    At the beginning the first *nodes* are in the slots of their numbers and the others of the *fleet* are
    spares; nodes that are ordered later are away until they move.
    """

    def __init__(self, nodes: int, fleet: int) -> None:
        self._nodes = nodes
        self._fleet = fleet
        self._slot: dict[int, int | None] = {}
        self._idle: dict[int, bool] = {}

    def moved(self, node: int, slot: int | None, idle: bool) -> None:
        """Record where *node* is now."""
        self._slot[node] = slot
        self._idle[node] = idle

    def slot_of(self, node: int) -> int | None:
        """Return the slot that *node* holds, or nothing."""
        return self._slot.get(node, node if node < self._nodes else None)

    def is_idle(self, node: int) -> bool:
        """Return whether *node* is an idle spare."""
        return self._idle.get(node, self._nodes <= node < self._fleet)


class SlotGroup:
    """The slots of one replica that are `empty`, or whose spare is `ready` only at an instant (s).

    Empty ones are kept in the order in which they were emptied, all of them and those `of_place`: where
    thousands are empty, a node that comes back finds the first that it may fill at once.
    """

    def __init__(self) -> None:
        self.empty: dict[int, None] = {}
        self.of_place: dict[int, dict[int, None]] = {}
        self.ready: dict[int, float] = {}

    def vacate(self, slot: int, place: int) -> None:
        """Let *slot*, which belongs to *place*, be empty."""
        self.empty[slot] = None
        self.of_place.setdefault(place, {})[slot] = None

    def occupy(self, slot: int, place: int) -> None:
        """Let *slot*, which belongs to *place*, be empty no longer."""
        del self.empty[slot]
        del self.of_place[place][slot]


class Cluster:
    """The slots of the job and the spares beside them.

    A slot is *at work* while it holds a node that has not failed.  A failed node stays in its slot until it
    is sent away; then the slot is empty until a spare or a repaired node fills it.  A spare is ready *delay*
    seconds after it was taken.  The slots are those of one or more *groups*, each of which asks for nodes by
    itself.  `idle` counts the idle spares, `away` the nodes in repair, or ordered and still to come.  A
    cluster that `refills` may fill a slot with a spare when another node comes back.  The handlers in
    `on_move`, `on_node_failure` and `on_order` are called with each node that does so.
    """

    def __init__(self, nodes: int, spares: int | SparePool, delay: float = 0.0, groups: int = 1) -> None:
        self.nodes = nodes
        self.on_move: list[OnMove] = []
        self.on_node_failure: list[OnNodeFailure] = []
        self.on_order: list[OnOrder] = []
        if isinstance(spares, int):
            spares = SharedSpares(range(nodes, nodes + spares))
        self.idle = self.fewest_spares = len(spares)
        self.log = FleetLog()
        self.refills = False
        self._spares = spares
        self._delay = delay
        self._numbers = nodes + len(spares)
        self._groups = [SlotGroup() for _ in range(groups)]
        self._group_slots = nodes // groups
        self.away = 0
        self.note(0.0)
        self._locations: Locations | None = None
        self._node: dict[int, int] = {}
        self._down: set[int] = set()

    def __repr__(self) -> str:
        empty = sum(len(group.empty) for group in self._groups)
        return f"Cluster({self.nodes} slots, {empty} empty, {self.idle} spares)"

    def missing(self, group: int = 0) -> int:
        """Return the slots of *group* without a node."""
        return len(self._groups[group].empty)

    def ready_at(self, group: int = 0) -> float:
        """Return when the last spare that *group* took is ready, in seconds; 0 where none is to come."""
        return max(self._groups[group].ready.values(), default=0.0)

    def group_of(self, slot: int) -> int:
        """Return the number of the group that *slot* belongs to."""
        return slot // self._group_slots

    def node(self, slot: int) -> int:
        """Return the number of the node that holds *slot*, or held it last."""
        return self._node.get(slot, slot)

    def holds(self, slot: int, node: int) -> bool:
        """Return whether *node* is in *slot*, failed or not."""
        return self.node(slot) == node and slot not in self._groups[self.group_of(slot)].empty

    def track(self) -> Locations:
        """Return where each node is; the first call must come before any node has moved."""
        if self._locations is None:
            self._locations = Locations(self.nodes, self._numbers)
            self.on_move.insert(0, self._locations.moved)
        return self._locations

    def is_at_work(self, slot: int) -> bool:
        """Return whether *slot* holds a node that has not failed."""
        return slot not in self._down

    def at_work(self, slots: Sequence[int]) -> Sequence[int]:
        """Return those of *slots* that hold a node which has not failed."""
        return [slot for slot in slots if slot not in self._down] if self._down else slots

    def fail(self, slots: Sequence[int]) -> None:
        """Mark the nodes in *slots* as failed; they stay until they are sent away."""
        self._down.update(slots)
        for handler in self.on_node_failure:
            for slot in slots:
                handler(self._node.get(slot, slot))

    def revive(self, slot: int) -> None:
        """Let the failed node in *slot* work again: another one was blamed, or none."""
        self._down.discard(slot)
        self._tell(self.node(slot), slot)

    def suspect(self, slot: int) -> None:
        """Mark the healthy node in *slot* as failed: it is blamed, and sent away next."""
        self._down.add(slot)

    def send_away(self, slots: Sequence[int]) -> list[int]:
        """Empty *slots*, whose nodes have failed or are suspected to, and return the nodes that held them."""
        nodes = []
        for slot in slots:
            nodes.append(self._node.get(slot, slot))
            group = self._groups[slot // self._group_slots]
            group.vacate(slot, self._spares.place_of(slot))
            if group.ready:
                group.ready.pop(slot, None)
        self.away += len(nodes)
        for handler in self.on_move:
            for node in nodes:
                handler(node, None, False)
        return nodes

    def fill(self, now: float, group: int = 0) -> bool:
        """Move spares into the empty slots of *group* at the instant *now*, first emptied first.

        Return whether each of its slots now holds a node, and those taken from the spares are ready.
        """
        slots = self._groups[group]
        if slots.ready:
            slots.ready = {slot: time for slot, time in slots.ready.items() if time > now}
        if slots.empty and self.idle:
            self._take_spares(now, slots)
        return not slots.empty and not slots.ready

    def look_again(self, now: float, group: int) -> bool:
        """Return whether *group*, which waited for nodes, has them all at the instant *now*."""
        slots = self._groups[group]
        if self.refills and slots.empty:
            self.fill(now, group)
        return not slots.empty

    def begin_stop(self, group: int) -> None:
        """Take note that *group* has gone down."""

    def release(self, slot: int, group: SlotGroup) -> None:
        """Let the node at work in *slot*, of *group*, be an idle spare."""
        node = self.node(slot)
        group.vacate(slot, self._spares.place_of(slot))
        group.ready.pop(slot, None)
        self._spares.add(node)
        self.idle += 1
        self._tell(node, idle=True)

    def restore(self, nodes: Sequence[int], waiting: Sequence[int] = ()) -> None:
        """Take repaired *nodes* back: into empty slots of the groups that are *waiting*, else as spares.

        The groups come in the order in which they began to wait; within each the slot emptied first is first.
        """
        self.away -= len(nodes)
        for node in nodes:
            slot = self._wanted(node, waiting) if waiting else None
            if slot is not None:
                self._put(node, slot, self._groups[slot // self._group_slots])
                continue
            self._spares.add(node)
            self.idle += 1
            self._tell(node, idle=True)

    def spare(self, position: int) -> int | None:
        """Return the spare that is idle for longest but *position*, or nothing where there are fewer."""
        return self._spares.at(position)

    def bound_to(self, first: int, count: int) -> list[int]:
        """Return the idle spares that serve only slots among *count* from *first* on."""
        return self._spares.bound_to(first, count)

    def withdraw(self, node: int) -> None:
        """Take the spare *node*, which has failed, out of service."""
        self._spares.remove(node)
        self.away += 1
        self.idle -= 1
        self.fewest_spares = min(self.fewest_spares, self.idle)
        for handler in self.on_node_failure:
            handler(node)
        self._tell(node)

    def retire(self, node: int) -> None:
        """Let *node*, which is away, never come back."""
        self.away -= 1

    def order(self, old: int) -> int:
        """Return the number of a new node in place of *old*; it is away until it is restored."""
        new, self._numbers = self._numbers, self._numbers + 1
        self._spares.inherit(new, old)
        self.away += 1
        for handler in self.on_order:
            handler(new, old)
        return new

    def note(self, now: float, line: int = NOBODY, nodes: int = 0) -> None:
        """Log how many nodes are away and idle from *now* on.

        So many *nodes* have left because of the incident in *line* of the journal, or come back (negative).
        """
        self.log.write(COUNTS(now, self.away, self.idle, line, nodes))

    def _take_spares(self, now: float, group: SlotGroup) -> None:
        bare: set[int] = set()
        for slot in list(group.empty):
            place = self._spares.place_of(slot)
            if place in bare:
                continue  # asking again for each of hundreds of empty slots took half of a run
            node = self._spares.take(slot)
            if node is None:
                bare.add(place)
                continue
            self._put(node, slot, group)
            if self._delay:
                group.ready[slot] = now + self._delay
            self.idle -= 1
            if not self.idle:
                break
        if self.idle < self.fewest_spares:
            self.fewest_spares = self.idle
        self.log.write(COUNTS(now, self.away, self.idle, NOBODY, 0))

    def _wanted(self, node: int, waiting: Sequence[int]) -> int | None:
        """Return the first empty slot of the groups *waiting* that *node* may fill."""
        home = self._spares.home_of(node)
        for group in waiting:
            for slot in self._groups[group].of_place.get(home, ()):
                return slot
        return None

    def _put(self, node: int, slot: int, group: SlotGroup) -> None:
        group.occupy(slot, self._spares.place_of(slot))
        self._down.discard(slot)
        self._node[slot] = node
        for moved in self.on_move:
            moved(node, slot, False)

    def _tell(self, node: int, slot: int | None = None, idle: bool = False) -> None:
        for moved in self.on_move:
            moved(node, slot, idle)
