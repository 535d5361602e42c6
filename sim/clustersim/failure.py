"""A failure, as its source hands it to the job: which mode, which slots, how far it reaches.

With 8 cards a node and `takes_down: rack` of 4 nodes, the fifth failure of mode 0 on card 77 is
`Failure(mode=0, ordinal=4, slots=(8, 9, 10, 11), transient=False, origin=0, scope=3)`: a rack goes down.
"""

from __future__ import annotations

from collections.abc import Sequence


class Failure:
    """A failure of *mode*: number *ordinal* of its *origin*, from 0, on *slots* (none for the whole job).

    The origin is the name, by number, under which its draws are known: the mode's own, or that of another
    process of the mode.  *scope* is the number in `SCOPES` of how far it reaches.  Nobody changes a failure.
    It is a plain class, and no named tuple, because compiled code makes and reads such a one directly.
    """

    __slots__ = ("mode", "ordinal", "origin", "scope", "slots", "transient")

    def __init__(
        self, mode: int, ordinal: int, slots: Sequence[int], transient: bool, origin: int, scope: int
    ) -> None:
        self.mode = mode
        self.ordinal = ordinal
        self.slots = slots
        self.transient = transient
        self.origin = origin
        self.scope = scope

    def __repr__(self) -> str:
        return f"Failure(mode {self.mode}, number {self.ordinal} of {self.origin}, slots {self.slots})"

    def on(self, slots: Sequence[int]) -> Failure:
        """Return the same failure on other *slots*."""
        return Failure(self.mode, self.ordinal, slots, self.transient, self.origin, self.scope)
