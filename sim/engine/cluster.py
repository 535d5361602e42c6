"""Which node holds which slot of the job, and which are spares.

Plain state: nothing here waits, and nothing is random.  A slot holds the node of its own number until that
node leaves, so only what has changed is stored: a million nodes cost no more than a hundred.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Protocol


class Watcher(Protocol):
    """Whoever must know where nodes go: lifetimes run on at work, and stand still away from it."""

    def moved(self, node: int, slot: int | None, idle: bool) -> None:
        """Take note that *node* now holds *slot*, is a spare (*idle*), or is away (neither)."""

    def failed(self, node: int) -> None:
        """Take note that *node* has failed, and stays in its slot until the failure is detected."""


class Cluster:
    """The slots of the job and the spares beside them.

    A slot is *at work* while it holds a node that has not failed.  A failed node stays in its slot until it
    is sent away; then the slot is empty until a spare or a repaired node fills it.  A spare is ready
    *provision* seconds after it was taken.
    """

    def __init__(self, nodes: int, spares: int, provision: float = 0.0) -> None:
        self.nodes = nodes
        self.watchers: list[Watcher] = []
        self.fewest_spares = spares
        self._provision = provision
        self._ready: dict[int, float] = {}
        self._node: dict[int, int] = {}
        self._down: set[int] = set()
        self._empty: deque[int] = deque()
        self._spares: deque[int] = deque(range(nodes, nodes + spares))

    def __repr__(self) -> str:
        return f"Cluster({self.nodes} slots, {self.missing} empty, {self.idle} spares)"

    @property
    def missing(self) -> int:
        """Slots without a node."""
        return len(self._empty)

    @property
    def ready_at(self) -> float:
        """When the last of the spares that were taken is ready, in seconds; 0 where none is provisioned."""
        return max(self._ready.values(), default=0.0)

    @property
    def idle(self) -> int:
        """Spares at hand."""
        return len(self._spares)

    def node(self, slot: int) -> int:
        """Return the number of the node that holds *slot*, or held it last."""
        return self._node.get(slot, slot)

    def is_at_work(self, slot: int) -> bool:
        """Return whether *slot* holds a node that has not failed."""
        return slot not in self._down

    def at_work(self, slots: Sequence[int]) -> Sequence[int]:
        """Return those of *slots* that hold a node which has not failed."""
        return [slot for slot in slots if slot not in self._down] if self._down else slots

    def fail(self, slots: Sequence[int]) -> None:
        """Mark the nodes in *slots* as failed; they stay until they are sent away."""
        self._down.update(slots)
        for watcher in self.watchers:
            for slot in slots:
                watcher.failed(self.node(slot))

    def send_away(self, slots: Sequence[int]) -> list[int]:
        """Empty *slots* and return the nodes that held them."""
        nodes = [self._node.get(slot, slot) for slot in slots]
        self._empty.extend(slots)
        if self._ready:
            for slot in slots:
                self._ready.pop(slot, None)
        if self.watchers:
            self._tell(nodes)
        return nodes

    def fill(self, now: float) -> bool:
        """Move spares into empty slots at the instant *now*, first emptied first.

        Return whether every slot now holds a node, and those taken from the spares are ready.
        """
        if self._ready:
            self._ready = {slot: time for slot, time in self._ready.items() if time > now}
        while self._empty and self._spares:
            if self._provision:
                self._ready[self._empty[0]] = now + self._provision
            self._place(self._spares.popleft())
            self._count_spares()
        return not self._empty and not self._ready

    def restore(self, nodes: Sequence[int], wanted: bool) -> None:
        """Take repaired *nodes* back: into empty slots where they are *wanted* at once, else as spares."""
        for node in nodes:
            if wanted and self._empty:
                self._place(node)
            else:
                self._spares.append(node)
                if self.watchers:
                    self._tell((node,), idle=True)

    def spare(self, position: int) -> int | None:
        """Return the node of the spare at *position*, or nothing where there are fewer."""
        return self._spares[position] if position < len(self._spares) else None

    def withdraw(self, node: int) -> None:
        """Take the spare *node* out of service."""
        self._spares.remove(node)
        self._count_spares()
        self._tell((node,))

    def _place(self, node: int) -> None:
        slot = self._empty.popleft()
        self._down.discard(slot)
        self._node[slot] = node
        if self.watchers:
            self._tell((node,), slot)

    def _count_spares(self) -> None:
        if len(self._spares) < self.fewest_spares:
            self.fewest_spares = len(self._spares)

    def _tell(self, nodes: Sequence[int], slot: int | None = None, idle: bool = False) -> None:
        for watcher in self.watchers:
            for node in nodes:
                watcher.moved(node, slot, idle)
