"""The line of work that survives: every piece of training on it, and the books of every second."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

Row = dict[str, Any]
NEAR = 1e-7  # seconds of training; positions that are closer are one


@dataclass
class Bearer:
    """Whom time is charged to: a cause by name, and the line of the incident, if it is one."""

    cause: str
    row: Row | None = None


@dataclass
class Span:
    """A share of the job's cards, from one instant to another, in an entry of the ledger.

    `detail` is the stage of recovery or else the cause; `lane` a replica that is by itself, or -1.
    """

    start: float
    end: float
    entry: str
    detail: str
    share: float
    lane: int


class Books:
    """What every second of the job went into."""

    def __init__(self, warm_up: float) -> None:
        self.warm_up = warm_up
        self.ledger: dict[str, float] = defaultdict(float)
        self.charges: dict[tuple[str, str], float] = defaultdict(float)
        self.stages: dict[str, float] = defaultdict(float)
        self.spans: list[Span] = []

    def book(
        self,
        start: float,
        end: float,
        entry: str,
        bearer: Bearer,
        stage: str = "",
        share: float = 1.0,
        lane: int | None = None,
    ) -> None:
        """Book a span of time, of all that are alive or of the replica in a lane of its own.

        What lies before the warm-up's end counts for the incident only.
        """
        detail = stage if stage and entry == "recovery" else bearer.cause
        self.spans.append(Span(start, end, entry, detail, share, -1 if lane is None else lane))
        counted = share * self.counted(start, end)
        self.ledger[entry] += counted
        if entry not in ("productive", "waiting"):
            self.charges[bearer.cause, entry] += counted
        if stage:
            self.stages[stage] += counted
        if bearer.row is not None and lane is None and entry != "productive":
            bearer.row[f"{entry}_s"] = bearer.row.get(f"{entry}_s", 0.0) + share * (end - start)
        elif bearer.row is not None and end > start:
            lines = bearer.row.setdefault("lanes", {}).setdefault(lane, defaultdict(float))
            if entry in ("detection", "recovery", "waiting"):
                lines["down_s"] += end - start
            if entry != "waiting":
                lines[f"{entry}_s"] += end - start
            lines[f"stage_{stage}_s"] += end - start

    def charge_waiting(self, start: float, end: float, takers: list[Bearer], share: float) -> None:
        """Charge what was booked as waiting to the failures whose nodes are missing, each node alike."""
        for taker in takers:
            assert taker.row is not None
            part = share / len(takers)
            self.charges[taker.cause, "waiting"] += part * self.counted(start, end)
            taker.row["waiting_s"] += part * (end - start)

    @staticmethod
    def mean_over_lanes(row: Row) -> None:
        """What the replicas that recovered from an incident took, on average over them."""
        lanes = row.pop("lanes", {}).values()
        for column in {column for lines in lanes for column in lines}:
            row[column] = sum(lines[column] for lines in lanes) / len(lanes)

    def counted(self, start: float, end: float) -> float:
        return max(end - max(start, self.warm_up), 0.0)


@dataclass
class Piece:
    """Training without a break from one instant to another; so much of the job's full pace is progress."""

    start: float
    end: float
    progress: float


class Lineage:
    """All pieces of training that nobody has thrown away yet, in their order."""

    def __init__(self, books: Books) -> None:
        self.books = books
        self.pieces: list[Piece] = []
        self.tau = 0.0
        self.kept = 0.0

    def add(self, start: float, end: float, progress: float) -> None:
        self.pieces.append(Piece(start, end, progress))
        self.tau += end - start
        self.kept += progress * (end - start)

    def fall_back(self, tau: float, entry: str, bearer: Bearer) -> None:
        """Throw away what was trained beyond a position."""
        beyond = self.tau - tau
        while beyond > 0 and self.pieces:
            piece = self.pieces[-1]
            gone = min(beyond, piece.end - piece.start)
            if piece.end - piece.start - gone < 1e-12 * piece.end:
                gone = piece.end - piece.start
            self.books.book(piece.end - gone, piece.end, entry, bearer, share=piece.progress)
            self.kept -= piece.progress * gone
            beyond -= gone
            piece.end -= gone
            if piece.end <= piece.start:
                self.pieces.pop()
        self.tau = tau
        if not self.pieces:
            self.kept = 0.0

    def close(self) -> None:
        """The run is over: what is left counts."""
        for piece in self.pieces:
            self.books.book(piece.start, piece.end, "productive", Bearer(""), share=piece.progress)
