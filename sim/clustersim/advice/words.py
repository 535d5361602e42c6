"""Sentences as typed values: what each is about and the numbers in it; words for the ledger."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from clustersim.formatting import percent

Summary = Mapping[str, Any]

ENTRY_WORDS = {
    "lost": "work thrown away",
    "checkpoint": "standing still for saves",
    "detection": "noticing failures",
    "recovery": "recovery",
    "waiting": "waiting for nodes",
    "stall": "replicas standing still",
    "idle": "cards held back",
    "slow": "stragglers and overhead",
    "corrupted": "silent corruption",
    "maintenance": "maintenance",
}
REMEDIES = {
    "lost": "save more often, or recover from copies that fewer failures destroy",
    "checkpoint": "save less often, or let training go on while a copy is written",
    "detection": "notice failures sooner: shorter timeouts",
    "recovery": "recover faster than failures come, or restart only the part of the job that failed",
    "waiting": "hold more spare nodes, or repair faster",
    "stall": "stand still for less long when a replica fails or rejoins",
    "idle": "let the job train with fewer replicas, or make them smaller",
    "slow": "notice stragglers sooner, or make the protocol of the recovery cheaper",
    "corrupted": "notice corruption sooner, and keep copies that are older than it",
    "maintenance": "stop less often, or for less long",
}


class Topic(StrEnum):
    """What a sentence is about."""

    VERDICT = "verdict"
    NO_PROGRESS = "no progress"
    LARGEST_LOSS = "largest loss"
    SPARES = "spares"
    REPLICAS = "replicas"
    TIERS = "tiers"
    STRAGGLERS = "stragglers"
    CORRUPTION = "corruption"
    LEMONS = "lemons"
    INTERVAL = "interval"
    PRECISION = "precision"
    TARGET = "target"
    LOG = "log"
    EXPECTATION = "expectation"
    DIFFERENCE = "difference"
    MARGINAL_RETURN = "marginal return"
    LEVER = "lever"


@dataclass(frozen=True, slots=True)
class Advice:
    """One sentence, what it is about, the numbers in it, and whether it is a warning."""

    topic: Topic
    text: str
    numbers: Mapping[str, float] = field(default_factory=dict)
    warning: bool = False

    def __str__(self) -> str:
        return self.text


def share_of(summary: Summary, entry: str) -> str:
    """Return the share of an entry of the ledger, in words."""
    return f"{percent(summary['ledger'][entry], summary['margins'][f'ledger.{entry}'])} of all card-time"
