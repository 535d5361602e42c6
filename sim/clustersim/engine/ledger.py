"""The ledger: every second of every card of the job, booked once, from the journal of a replication."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Protocol

import numpy as np

from clustersim.engine.journal import Phases
from clustersim.records import Phase

Array = np.ndarray[Any, np.dtype[Any]]

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


ENTRIES = {
    Phase.SAVING: Entry.CHECKPOINT,
    Phase.DETECTION: Entry.DETECTION,
    Phase.RECOVERY: Entry.RECOVERY,
    Phase.WAITING: Entry.WAITING,
    Phase.MAINTENANCE: Entry.MAINTENANCE,
    Phase.STALL: Entry.STALL,
    Phase.BLOCKED: Entry.IDLE,
}
START_CAUSE = "start"
RESERVED_CAUSES = (START_CAUSE, "checkpoint", "maintenance", "overhead")


class LedgerError(RuntimeError):
    """The entries do not add up to cards x wall-clock: a fault in the engine, never in a scenario."""


class Causes:
    """What time is charged to, by number: modes in file order, start, saves, maintenance, overhead."""

    def __init__(self, modes: Sequence[str]) -> None:
        self.names = (*modes, *RESERVED_CAUSES)
        self.start = len(modes)
        self.checkpoint = len(modes) + 1
        self.maintenance = len(modes) + 2
        self.overhead = len(modes) + 3


class Bookable(Protocol):
    """Training whose fate is known."""

    def book(self, charges: Array, causes: Causes, warm_up: float) -> float:
        """Add to *charges* (cause x entry) what it cost after the *warm_up*; return what it kept (s)."""


@dataclass(frozen=True)
class Ledger:
    """Card-seconds after the warm-up: the productive ones, and the others by cause and entry.

    `stages` are those of each recovery stage.
    """

    productive: float
    charges: Array
    stages: Array

    @property
    def entries(self) -> dict[str, float]:
        """Card-seconds by entry, in the order of `Entry`."""
        totals = self.charges.sum(axis=0)
        totals[Entry.PRODUCTIVE] = self.productive
        return {entry.label: float(totals[entry]) for entry in Entry}

    def close(self, cards: int, wall_clock: float) -> None:
        """Check that the entries add up to *cards* x *wall_clock* (s), or raise `LedgerError`."""
        booked, due = math.fsum(self.entries.values()), cards * wall_clock
        if abs(booked - due) > TOLERANCE * due:
            raise LedgerError(f"booked {booked!r} card-seconds of {due!r}")


def book(
    phases: Phases,
    training: Bookable,
    causes: Causes,
    waiting: Array,
    *,
    cards: int,
    stages: int,
    warm_up: float,
) -> Ledger:
    """Return the ledger of a job of *cards* cards; what lies before *warm_up* (s) is left out.

    *waiting* is the time spent waiting for nodes after it, by failure mode (s).  A segment across the end of
    the warm-up is cut there: what of its work came before is not counted.
    """
    charges = np.zeros((len(causes.names), len(Entry)))
    seconds = np.maximum(phases.end, warm_up) - np.maximum(phases.start, warm_up)
    seconds *= phases.share
    _book_phases(charges, phases, seconds, causes)
    charges[: len(waiting), Entry.WAITING] = waiting
    productive = training.book(charges, causes, warm_up)
    by_stage = np.bincount(phases.stage, weights=seconds, minlength=1 + stages)[1:]
    return Ledger(cards * productive, cards * charges, cards * by_stage)


def _book_phases(charges: Array, phases: Phases, seconds: Array, causes: Causes) -> None:
    """Book all phases but those of waiting, for which others than their own incidents may be charged."""
    own_cause = {Phase.SAVING: causes.checkpoint, Phase.MAINTENANCE: causes.maintenance}
    for phase, entry in ENTRIES.items():
        if phase is Phase.WAITING:
            continue
        chosen = phases.phase == phase
        cause = phases.cause[chosen]
        if phase in own_cause:
            cause = np.full_like(cause, own_cause[phase])
        charges[:, entry] += np.bincount(cause, weights=seconds[chosen], minlength=len(charges))
