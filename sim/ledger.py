"""The ledger: every second of every card of the job, booked once."""

from __future__ import annotations

import math
from collections.abc import Sequence
from enum import IntEnum
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[np.float64]]

TOLERANCE = 1e-9


class Entry(IntEnum):
    """What a card-second went into."""

    PRODUCTIVE = 0
    LOST = 1
    CHECKPOINT = 2
    DETECTION = 3
    RECOVERY = 4
    WAITING = 5
    STALL = 6
    IDLE = 7
    SLOW = 8
    CORRUPTED = 9
    MAINTENANCE = 10

    @property
    def label(self) -> str:
        """The word used in files, tables and reports."""
        return self.name.lower()


CHECKPOINT_CAUSE, MAINTENANCE_CAUSE, START_CAUSE = "checkpoint", "maintenance", "start"
RESERVED_CAUSES = (START_CAUSE, CHECKPOINT_CAUSE, MAINTENANCE_CAUSE)


class LedgerError(RuntimeError):
    """The entries do not add up to cards x wall-clock: a fault in the engine, never in a scenario."""


class Ledger:
    """Card-seconds by entry, and by the cause to which each non-productive one is charged.

    Causes are the failure modes in file order, then the start at time 0, saves and maintenance.
    """

    def __init__(self, cards: int, modes: Sequence[str]) -> None:
        self.cards = cards
        self.causes = (*modes, *RESERVED_CAUSES)
        self.start = len(modes)
        self.checkpoint = len(modes) + 1
        self.maintenance = len(modes) + 2
        self.productive = 0.0
        self._charges = [[0.0] * len(Entry) for _ in self.causes]

    def __repr__(self) -> str:
        return f"Ledger({self.shares()})"

    def book(self, entry: Entry, cause: int, seconds: float) -> None:
        """Book *seconds* of all cards, charged to *cause*."""
        self._charges[cause][entry] += self.cards * seconds

    def book_productive(self, seconds: float) -> None:
        """Book *seconds* of all cards as training that counts."""
        self.productive += self.cards * seconds

    def charges(self) -> Array:
        """Return the non-productive card-seconds, cause x entry."""
        return np.array(self._charges)

    def entries(self) -> dict[str, float]:
        """Return the card-seconds by entry, in the order of `Entry`."""
        totals = self.charges().sum(axis=0)
        totals[Entry.PRODUCTIVE] = self.productive
        return {entry.label: float(totals[entry]) for entry in Entry}

    def shares(self) -> dict[str, float]:
        """Return the share of each entry that is not empty."""
        entries = self.entries()
        total = math.fsum(entries.values())
        return {name: value / total for name, value in entries.items() if value}

    def close(self, wall_clock: float) -> None:
        """Check that the entries add up to cards x *wall_clock* (s), or raise `LedgerError`."""
        booked, due = math.fsum(self.entries().values()), self.cards * wall_clock
        if abs(booked - due) > TOLERANCE * due:
            raise LedgerError(f"booked {booked!r} card-seconds of {due!r}")
