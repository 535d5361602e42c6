"""The naive simulator's checkpoints: every copy of every tier, and when the next ones are due."""

from __future__ import annotations

import math
from dataclasses import dataclass

from clustersim.records import SCOPES
from clustersim.scenario.kinds.intervals import Adaptation
from clustersim.scenario.model import Scenario
from tests.oracle.lineage import NEAR


@dataclass(eq=False)
class Copy:
    """The state at a position of the lineage; the beginning (no tier of its own) is always there."""

    tier: int
    tau: float
    durable_at: float
    durable: bool = False
    verified: bool = False


@dataclass
class Outage:
    """A tier cannot be reached from one instant up to another."""

    tier: int
    start: float
    end: float


class Seen:
    """What an interval that follows the failures has seen: stretches of training, and failures."""

    def __init__(self) -> None:
        self.stretches: list[list[float]] = []
        self.failures: list[tuple[float, str]] = []
        self.open = self.trained = False

    def begin(self, now: float) -> None:
        self.stretches.append([now, math.inf])
        self.open = self.trained = True

    def end(self, now: float) -> None:
        if self.open:
            self.stretches[-1][1] = now
        self.open = False

    def fall_back(self, now: float, scope: str | None) -> None:
        """The job falls back because of a failure of this scope, or, without one, of a planned stop."""
        if scope is not None and self.trained:
            self.failures.append((now, scope))
        self.trained = False

    def interval(self, now: float, adapts: Adaptation, served: list[str], blocks: float) -> float:
        since = now - adapts.window
        count = sum(scope in served and time > since + NEAR for time, scope in self.failures)
        trained = sum(max(end - max(begin, since), 0.0) for begin, end in self.stretches)
        return best_interval((trained + adapts.mtbf) / (count + 1), blocks)


def best_interval(mtbf: float, blocks: float) -> float:
    """The interval at which t / M = 1 - exp(-(t + d) / M), by halving; none is shorter than 1 ms."""
    low, high = 0.0, mtbf
    for _ in range(200):
        middle = (low + high) / 2
        if middle / mtbf + math.expm1(-(middle + blocks) / mtbf) < 0:
            low = middle
        else:
            high = middle
    return max(low, 0.001)


class Tiers:
    """What each tier holds, and which block comes next in the stretch that goes on."""

    def __init__(self, scenario: Scenario) -> None:
        spec = scenario.checkpoint
        self.tiers = spec.tiers if spec else ()
        self.step = scenario.workload.step_time
        self.copies: list[Copy] = []
        self.marks = [0.0 for _ in self.tiers]
        self.outages: list[Outage] = []
        self.first = [0.0 for _ in self.tiers]
        self.begun = [0 for _ in self.tiers]
        self.intervals = [tier.interval for tier in self.tiers]
        self.seen = Seen()

    def whole_steps(self, seconds: float) -> float:
        return seconds if not self.step else math.ceil(seconds / self.step - 1e-9) * self.step

    def plan(self, tau: float, now: float) -> None:
        """A stretch begins: work out when the first block of each tier is due."""
        for index, tier in enumerate(self.tiers):
            if tier.adapts is not None:
                served = self.served(index)
                self.intervals[index] = self.seen.interval(now, tier.adapts, served, tier.blocks)
            held = [copy for copy in self.copies if copy.tier == index]
            newest = max((copy.tau for copy in held), default=self.marks[index])
            ready = max((copy.durable_at - now for copy in held if not copy.durable), default=0.0)
            wait = max(self.intervals[index] - (tau - newest), ready, 0.0)
            self.first[index] = self.whole_steps(wait if wait > NEAR else 0.0)
            self.begun[index] = 0
        self.seen.begin(now)

    def served(self, index: int) -> list[str]:
        """The scopes of the failures that a tier is there for: those that no tier before it survives."""
        survives = [SCOPES if tier.survives is None else tier.survives for tier in self.tiers]
        return [
            scope
            for scope in SCOPES
            if scope in survives[index] and not any(scope in other for other in survives[:index])
        ]

    def due(self, index: int) -> float:
        """The training since the stretch's begin at which the tier's next block begins."""
        tier = self.tiers[index]
        between = self.whole_steps(max(self.intervals[index], tier.durable_after))
        return self.first[index] + self.begun[index] * between

    def next_block(self) -> int:
        """The tier that saves next: the first listed of those that are due first."""
        soonest = min(self.due(index) for index in range(len(self.tiers)))
        return next(index for index in range(len(self.tiers)) if self.due(index) <= soonest + NEAR)

    def stood(self) -> float:
        """How long training has stood still for the blocks begun in this stretch."""
        return sum(count * tier.blocks for count, tier in zip(self.begun, self.tiers, strict=True))

    def make_durable(self, copy: Copy, now: float) -> None:
        """A copy's time has come: it counts, unless it is gone or its tier cannot be reached.

        A copy that is void for that reason still was a save: the next one is due an interval after it.
        """
        if copy not in self.copies or self.outage(copy.tier, now) is not None:
            return
        copy.durable = True
        keep = self.tiers[copy.tier].keep
        if keep is not None:
            held = [other for other in self.copies if other.tier == copy.tier and other.durable]
            for old in sorted(held, key=lambda one: one.tau)[:-keep]:
                self.copies.remove(old)

    def outage(self, tier: int, now: float) -> float | None:
        """Until when a tier cannot be reached; None where it can be."""
        end = now
        while True:
            ends = [one.end for one in self.outages if one.tier == tier and one.start <= end < one.end]
            if not ends:
                return end if end > now else None
            end = max(ends)

    def discard(self, gone: list[Copy], tau: float) -> None:
        """Copies die or fall away at a position; a tier that then holds none begins to count there."""
        self.copies = [copy for copy in self.copies if copy not in gone]
        for copy in gone:
            if all(other.tier != copy.tier for other in self.copies):
                self.marks[copy.tier] = tau

    def strike(self, scope: str, tau: float) -> None:
        """A failure of this scope kills every copy of the tiers that do not survive it."""
        dead = {
            index
            for index, tier in enumerate(self.tiers)
            if tier.survives is not None and scope not in tier.survives
        }
        self.discard([copy for copy in self.copies if copy.tier in dead], tau)

    def supersede(self, tier: int, now: float) -> None:
        """A tier's copy in flight is given up, for another one that is made now."""
        self.copies = [copy for copy in self.copies if copy.tier != tier or copy.durable_at <= now]

    def newest(self) -> Copy | None:
        """The newest durable copy; of equal ones that of the first listed tier; None: the beginning."""
        durable = [copy for copy in self.copies if copy.durable]
        latest = max((copy.tau for copy in durable), default=0.0)
        return min(
            (copy for copy in durable if copy.tau >= latest - NEAR), key=lambda c: c.tier, default=None
        )

    def keep_durable(self, tau: float) -> None:
        """The job restarts: copies are gone that are in flight."""
        self.discard([copy for copy in self.copies if not copy.durable], tau)

    def fall_back(self, tau: float) -> None:
        """The lineage ends at this position: no copy and no mark lies beyond it."""
        self.discard([copy for copy in self.copies if copy.tau > tau + NEAR], tau)
        self.marks = [min(mark, tau) for mark in self.marks]
