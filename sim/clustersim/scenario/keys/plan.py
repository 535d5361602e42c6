"""What is planned around the job: maintenance, prices, and how long and how often it is simulated."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Literal

from clustersim.scenario.keys.blocks import Block, Finding, key
from clustersim.scenario.keys.quantities import (
    Duration,
    Flag,
    Points,
    PositiveDuration,
    Price,
    Share,
    whole,
    words,
)
from clustersim.units import HOUR, format_duration


class Maintenance(Block):
    """Planned stops of the whole job."""

    every: PositiveDuration = key("time between the beginnings of two stops, such as 7 d")
    takes: Duration = key("how long training stands still, restart included, such as 20 min")
    abrupt: Flag = key("the job stops without saving first", False)
    if_down: Annotated[Literal["shorten", "skip", "postpone"], words("shorten", "skip", "postpone")] = key(
        "a stop that falls due in an outage: do the rest afterwards (shorten), all (postpone), none (skip)",
        "shorten",
    )
    merge_within: Duration = key(
        "a stop that is due waits so long for a failure, and is then done within its recovery",
        "0 s",
        quiet=True,
    )
    rolling: Flag = key("one replica after another stands still, instead of the job", False, quiet=True)

    def contradictions(self) -> Iterator[Finding]:
        """Refuse stops that run into one another, and rolling ones that are something else too."""
        if self.merge_within >= self.every:
            every = format_duration(self.every)
            yield "merge_within", f"a stop waits until the next one is due, {every} after it; give less"
        if self.rolling and self.abrupt:
            yield "abrupt", "a rolling stop loses nothing; leave abrupt or rolling out"
        if self.rolling and self.merge_within:
            yield "merge_within", "a rolling stop waits for no failure; leave merge_within or rolling out"
        if self.takes >= self.every:
            every = format_duration(self.every)
            yield "takes", f"a stop lasts until the next one, {every} after it; give less than every"


@dataclass(frozen=True, slots=True)
class Costs:
    """What a card costs for one hour, in `currency` (three letters), and what idle spares cost of it."""

    price_per_gpu_hour: float
    currency: str
    idle_spares: float


class CostsBlock(Block):
    """What a card costs: by the hour, or bought for a life."""

    gpu_hour: Price | None = key("price of one card for one hour, such as 2.35 USD", None)
    card: Price | None = key("price of one card, such as 65_000 CNY; with life", None)
    life: PositiveDuration | None = key("for how long a bought card serves, such as 4 y", None)
    idle_spares: Share = key("what the cards of idle spares cost, of the price", "100 %")

    def resolve(self) -> Costs:
        """Return the price by the hour."""
        price, hours = (self.gpu_hour, 1.0) if self.gpu_hour else (self.card, (self.life or HOUR) / HOUR)
        amount, currency = price or (0.0, "")
        return Costs(amount / hours, currency, self.idle_spares)

    def contradictions(self) -> Iterator[Finding]:
        """Ask for one price, whole."""
        bought = self.given("card", "life")
        if self.gpu_hour is not None and bought:
            yield "gpu_hour", "the price is given twice; leave it or card and life out"
        elif self.gpu_hour is None and len(bought) < 2:
            yield (), "the price is not complete; give gpu_hour, or card and life"


class Simulation(Block):
    """How long, how often, and from which seed."""

    horizon: PositiveDuration | None = key("simulated time, such as 30 d", None)
    warm_up: Duration = key("a first part that is simulated and not counted", "0 s")
    replications: Annotated[int, whole(1, 100_000)] = key("independent histories", 32, unit="histories")
    precision: Points | None = key(
        "replications are added until the half-width of ETTR is met, such as 0.5 pp", None
    )
    seed: Annotated[int, whole(0, 2**63 - 1)] = key("the same seed gives the same numbers", 1)

    def contradictions(self) -> Iterator[Finding]:
        """Refuse two stopping rules, and a warm-up that leaves nothing."""
        if {"replications", "precision"} <= self.model_fields_set:
            yield "precision", "replications and precision both say when to stop; leave one out"
        if self.horizon is not None and self.warm_up >= self.horizon:
            horizon = format_duration(self.horizon)
            yield "warm_up", f"nothing is left of the horizon, {horizon}; give less"
