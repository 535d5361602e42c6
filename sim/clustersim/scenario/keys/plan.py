"""What is planned around the job: maintenance, prices, and how long and how often it is simulated."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated, Any, Literal

from pydantic import Field

from clustersim.scenario.keys.blocks import MOST_NAMES, Block, Finding, Shorthand, fill, key, too_many
from clustersim.scenario.keys.quantities import (
    DURATION,
    INSTANT,
    Duration,
    Flag,
    Points,
    PositiveDuration,
    Price,
    Reads,
    Share,
    table,
    whole,
    words,
)
from clustersim.units import HOUR, format_duration, shown

IfDown = Literal["shorten", "skip", "postpone"]
MOST_PLANS = 100


@dataclass(frozen=True, slots=True)
class Maintenance:
    """Planned stops that belong together, numbered from 1: one each `every` seconds, or at given instants.

    They are due `at` these instants (s, ascending; `every` is None then), or at the multiples of `every`.
    Each lasts as long as its entry in `lengths` says, or all of them `takes` seconds.
    """

    every: float | None
    at: tuple[float, ...]
    takes: float
    lengths: tuple[float, ...]
    abrupt: bool
    if_down: IfDown = "shorten"
    merge_within: float = 0.0
    rolling: bool = False

    def due(self, number: int) -> float:
        """Return when stop *number* is due (s); infinite behind the last one."""
        if self.every is not None:
            return number * self.every
        return self.at[number - 1] if number <= len(self.at) else math.inf

    def length(self, number: int) -> float:
        """Return how long stop *number* lasts (s)."""
        return self.lengths[number - 1] if self.lengths else self.takes

    def before(self, end: float) -> int:
        """Return how many stops are due before *end* (s)."""
        if self.every is not None:
            return max(math.ceil(end / self.every) - 1, 0)
        return bisect_left(self.at, end)

    def share(self, end: float) -> float:
        """Return the share of the time until *end* (s) that the stops take, the mean where they recur."""
        if self.every is not None:
            return self.takes / self.every
        numbers = range(1, self.before(end) + 1)
        return math.fsum(min(self.length(n), end - self.due(n)) for n in numbers) / end

    @property
    def gap(self) -> float:
        """The shortest time from one stop to the next (s); infinite where there is only one."""
        return self.every or min((later - one for one, later in pairwise(self.at)), default=math.inf)


_LENGTHS = table(INSTANT, DURATION, "{12 d: 6 h, 40 d: 20 min}")


def _instants(value: object) -> tuple[tuple[float, float | None], ...]:
    """Return the instants of a list, a table or a single one, in order, with the length that each states."""
    if value is None:
        return ()
    if isinstance(value, Mapping):
        return tuple(_LENGTHS.parse(value).items())
    listed = value if isinstance(value, list | tuple) else [value]
    if not listed:
        raise ValueError("no instants are given; give at least one, such as 12 d")
    if len(listed) > MOST_NAMES:
        raise ValueError(too_many(len(listed), MOST_NAMES))
    return tuple((instant, None) for instant in sorted(INSTANT.parse(each) for each in listed))


_LISTED = {"type": "array", "items": INSTANT.schema, "minItems": 1, "maxItems": MOST_NAMES}
Instants = Annotated[
    tuple[tuple[float, float | None], ...],
    Reads(_instants, {"anyOf": [INSTANT.schema, _LISTED, _LENGTHS.schema]}),
]


class MaintenanceBlock(Block):
    """Planned stops of the whole job: at regular times, or at given ones; a list where there are several."""

    every: PositiveDuration | None = key("time between the beginnings of two stops, such as 7 d; or at", None)
    at: Instants = key(
        "when stops begin, from the beginning of the run: [12 d, 40 d], or with the length of each"
        " {12 d: 6 h, 40 d: 20 min}; or every",
        None,
    )
    takes: Duration | None = key(
        "how long training stands still, restart included, such as 20 min; needed unless at says it", None
    )
    abrupt: Flag = key("the job stops without saving first", False)
    if_down: Annotated[IfDown, words("shorten", "skip", "postpone")] = key(
        "a stop that falls due in an outage: do the rest afterwards (shorten), all (postpone), none (skip)",
        "shorten",
    )
    merge_within: Duration = key(
        "a stop that is due waits so long for a failure, and is then done within its recovery",
        "0 s",
        quiet=True,
    )
    rolling: Flag = key("one replica after another stands still, instead of the job", False, quiet=True)

    def resolve(self) -> Maintenance:
        """Return the stops in seconds."""
        lengths = tuple(length for _, length in self.at if length is not None)
        takes = self.takes if self.takes is not None else max(lengths, default=0.0)
        at = tuple(instant for instant, _ in self.at)
        return fill(Maintenance, self, at=at, takes=takes, lengths=lengths)

    def contradictions(self) -> Iterator[Finding]:
        """Refuse stops that run into one another, and rolling ones that are something else too."""
        if (self.every is None) == (not self.at):
            given = "both every and at" if self.at else "neither every nor at"
            yield (), f"{given} given; give one of them"
            return
        stops = self.resolve()
        yield from self._about_lengths(stops)
        if self.merge_within and self.merge_within >= stops.gap:
            gap = format_duration(stops.gap)
            yield "merge_within", f"a stop waits until the next one is due, {gap} after it; give less"
        if self.rolling and self.abrupt:
            yield "abrupt", "a rolling stop loses nothing; leave abrupt or rolling out"
        if self.rolling and self.merge_within:
            yield "merge_within", "a rolling stop waits for no failure; leave merge_within or rolling out"
        if self.every is not None and stops.takes >= self.every:
            gap = format_duration(self.every)
            yield "takes", f"a stop lasts until the next one, {gap} after it; give less than every"

    def _about_lengths(self, stops: Maintenance) -> Iterator[Finding]:
        """Refuse a length that is missing, given twice, or too long for the stops at given instants."""
        if self.takes is None and not stops.lengths:
            yield "takes", f"missing; give {self.meaning('takes')}"
        elif self.takes is not None and stops.lengths:
            yield "takes", "the table of at says how long each stop takes; leave it out"
        if stops.lengths and self.rolling:
            yield "at", "the turns of a rolling stop are all as long; list the instants, and give takes"
        for number in range(1, len(stops.at)):
            if stops.due(number) + stops.length(number) >= stops.due(number + 1):
                when = format_duration(stops.due(number), 3)
                yield "at", f"the stop at {when} lasts until the next one begins; leave one of them out"
                return


def _one_block(value: Any) -> MaintenanceBlock:
    """Read what is no list as a single block."""
    if value is None or isinstance(value, str):
        block = "{every: 7 d, takes: 20 min}"
        raise ValueError(f"{shown(value)} is not a block; give {block}, or a list of such blocks")
    return MaintenanceBlock.model_validate(value)


_ENTRIES = Annotated[tuple[MaintenanceBlock, ...], Field(max_length=MOST_PLANS)]
PlannedStops = Annotated[
    MaintenanceBlock | tuple[MaintenanceBlock, ...],
    Shorthand(_one_block, None, entries=_ENTRIES),
]


class Costs(Block):
    """What a card costs: by the hour, or bought for a life."""

    gpu_hour: Price | None = key("price of one card for one hour, such as 2.35 USD", None)
    card: Price | None = key("price of one card, such as 65_000 CNY; with life", None)
    life: PositiveDuration | None = key("for how long a bought card serves, such as 4 y", None)
    idle_spares: Share = key("what the cards of idle spares cost, of the price", "100 %")

    @property
    def price_per_gpu_hour(self) -> float:
        """What a card costs for one hour, in the currency."""
        price, hours = (self.gpu_hour, 1.0) if self.gpu_hour else (self.card, (self.life or HOUR) / HOUR)
        return price.amount / hours if price else 0.0

    @property
    def currency(self) -> str:
        """The three letters of the currency."""
        price = self.gpu_hour or self.card
        return price.currency if price else ""

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
