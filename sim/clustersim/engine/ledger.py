"""The ledger: every second of every card of the job, booked exactly once.

A job of 8 cards runs for 10,000 s.  A failure at 9,000 s throws away the 1,800 s since the last save; it
takes 60 s to detect and 240 s to recover from, and the job trains on for 700 s.  The ledger has 8 x 7,900
productive card-seconds, 8 x 1,800 lost, 8 x 60 in detection and 8 x 240 in recovery: 80,000 together, which
is 8 cards x 10,000 s.  All but the productive ones are charged to the failure's mode.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from clustersim.arrays import Array
from clustersim.engine.journal import Phases
from clustersim.records import Phase

TOLERANCE = 1e-9
"""Largest gap in a ledger, relative to cards x wall-clock: sums of a million terms, each rounded to 1e-16,
stay far below it, while one forgotten second in 30 years (1e9 s) already exceeds it."""


class Entry(IntEnum):
    """What a card-second was spent on."""

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
        """The word for it in files, tables and reports."""
        return self.name.lower()


ENTRIES = {
    Phase.SAVING: Entry.CHECKPOINT,
    Phase.DETECTION: Entry.DETECTION,
    Phase.RECOVERY: Entry.RECOVERY,
    Phase.WAITING: Entry.WAITING,
    Phase.MAINTENANCE: Entry.MAINTENANCE,
    Phase.STALL: Entry.STALL,
    Phase.BLOCKED: Entry.IDLE,
    Phase.OUTAGE: Entry.WAITING,
    Phase.LEAVING: Entry.WAITING,
}
"""The entry to which the time of each phase without training is booked."""
START_CAUSE = "start"
RESERVED_CAUSES = (START_CAUSE, "checkpoint", "maintenance", "overhead")


class LedgerError(RuntimeError):
    """The entries do not add up to cards x wall-clock: a bug in the engine, never in a scenario."""


class Causes:
    """What time is charged to, by number: the modes in file order, then the four reserved causes.

    With two modes they are 0 and 1, the start is 2, saves 3, maintenance 4, and the overhead of replicas 5.
    """

    def __init__(self, modes: Sequence[str]) -> None:
        self.names = (*modes, *RESERVED_CAUSES)
        self.start = len(modes)
        self.checkpoint = len(modes) + 1
        self.maintenance = len(modes) + 2
        self.overhead = len(modes) + 3


BookTraining = Callable[[Array, Causes, float], float]
"""Adds the costs of training after the warm-up (s) to charges (cause x entry); returns the seconds kept."""


@dataclass(frozen=True)
class Ledger:
    """Card-seconds after the warm-up: the `productive` ones, and `charges` by cause (row) and entry (column).

    `stages` splits those in recovery by recovery stage.
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
    book_training: BookTraining,
    causes: Causes,
    waiting: Array,
    *,
    cards: int,
    stages: int,
    warm_up: float,
) -> Ledger:
    """Return the ledger of a job of *cards* cards from *warm_up* (s) on, with so many recovery *stages*.

    *waiting* is the time (s) after the warm-up spent waiting for nodes, by the failure mode that is charged.
    A segment in which the warm-up ends is cut there, and only its later part is counted.
    """
    charges = np.zeros((len(causes.names), len(Entry)))
    seconds = np.maximum(phases.end, warm_up) - np.maximum(phases.start, warm_up)
    seconds *= phases.share
    _book_phases(charges, phases, seconds, causes)
    charges[: len(waiting), Entry.WAITING] += waiting
    productive = book_training(charges, causes, warm_up)
    by_stage = np.bincount(phases.stage, weights=seconds, minlength=1 + stages)[1:]
    return Ledger(cards * productive, cards * charges, cards * by_stage)


def _book_phases(charges: Array, phases: Phases, seconds: Array, causes: Causes) -> None:
    """Book all phases but waiting, which may be charged to other incidents than the one it belongs to.

    Saves and planned stops are charged to causes of their own, not to a failure mode.
    """
    own_cause = {Phase.SAVING: causes.checkpoint, Phase.MAINTENANCE: causes.maintenance}
    for phase, entry in ENTRIES.items():
        if phase is Phase.WAITING:
            continue
        chosen = phases.phase == phase
        cause = phases.cause[chosen]
        if phase in own_cause:
            cause = np.full_like(cause, own_cause[phase])
        charges[:, entry] += np.bincount(cause, weights=seconds[chosen], minlength=len(charges))
