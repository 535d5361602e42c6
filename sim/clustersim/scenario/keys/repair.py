"""Repair: how long a node that left is away, in one part or two, how often in vain, by how many crews."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Literal

from clustersim.distributions import Constant, Distribution
from clustersim.scenario.keys.blocks import Block, Finding, key
from clustersim.scenario.keys.laws import OR_DURATION, Law, Time
from clustersim.scenario.keys.quantities import SHARE, Cards, Share, Shorthand

PIPELINE = ("automatic", "escalates", "manual")


@dataclass(frozen=True, slots=True)
class RepairPlan:
    """What happens to a node in repair: a first part, and for a share of the nodes a second one.

    `false_fix` are the shares of repairs in vain after the first and after the second part; `crews` (None: as
    many as needed) work on the second part only, or, with `crews_on` all, on the only one.
    """

    first: Distribution
    escalates: float = 0.0
    second: Distribution | None = None
    false_fix: tuple[float, float] = (0.0, 0.0)
    crews: int | None = None
    crews_on: Literal["all", "second"] = "all"

    @property
    def whole(self) -> Distribution:
        """The time in repair, waiting for a crew not counted: that of the only part, else its mean."""
        if self.second is None:
            return self.first
        return Constant(self.first.mean + self.escalates * self.second.mean)

    @property
    def mean(self) -> float:
        """Mean time in repair, in seconds; waiting for a crew not counted."""
        return self.whole.mean

    @property
    def in_vain(self) -> float:
        """Share of all repairs after which the node is still broken."""
        first, second = self.false_fix
        return (1 - self.escalates) * first + self.escalates * second


class FalseFix(Block):
    """Shares of repairs after which the node is still broken, for the two parts of a pipeline."""

    automatic: Share = key("after the automatic part alone, such as 40 %", "0 %")
    manual: Share = key("after the manual part, such as 20 %", "0 %")


def _both(value: object) -> dict[str, object]:
    return {"automatic": value, "manual": value}


FalseFixes = Annotated[FalseFix, Shorthand(_both, SHARE.schema)]


class Repair(Law):
    """The time for which a failed node is away: one law, or an automatic part and, for some, a manual one."""

    automatic: Time | None = key("a pipeline's first part, which starts at once, such as 2 h", None)
    escalates: Share | None = key("share of the repairs that go on to the manual part, such as 80 %", None)
    manual: Time | None = key("a pipeline's second part: {exponential: {mean: 2 d}}", None)
    false_fix: FalseFixes | None = key(
        "share of the repairs after which the node is still broken: 10 %, or {automatic: 40 %, manual: 20 %}",
        None,
    )
    crews: Cards | None = key(
        "how many repairs of this mode (in a pipeline: manual parts) can go on at once; all if left out",
        None,
        unit="crews",
    )

    @property
    def staged(self) -> bool:
        """Whether it is a pipeline."""
        return any(getattr(self, name) is not None for name in PIPELINE)

    @cached_property
    def plan(self) -> RepairPlan:
        """What happens to a node in repair."""
        fixes = (self.false_fix.automatic, self.false_fix.manual) if self.false_fix else (0.0, 0.0)
        if self.automatic is None or self.manual is None:
            return RepairPlan(super().distribution, false_fix=fixes, crews=self.crews)
        first, second = self.automatic.distribution, self.manual.distribution
        return RepairPlan(first, self.escalates or 0.0, second, fixes, self.crews, "second")

    @property
    def distribution(self) -> Distribution:
        """The time in repair as a distribution of seconds; of a pipeline only its mean."""
        return self.plan.whole

    def contradictions(self) -> Iterator[Finding]:
        """Ask for one law, or for a whole pipeline."""
        given, parts = self.given(), [name for name in PIPELINE if getattr(self, name) is not None]
        if not parts:
            yield from super().contradictions()
        elif given:
            yield (given[0],), f"{given[0]} beside {parts[0]}; give one law, or {', '.join(PIPELINE)}"
        elif missing := [name for name in PIPELINE if name not in parts]:
            yield (
                (),
                f"half a pipeline; give {' and '.join(missing)} too, or one law such as constant: 4 h",
            )
        yield from self._about_false_fix()

    def _about_false_fix(self) -> Iterator[Finding]:
        fixes = self.false_fix
        if fixes is None:
            return
        if not self.staged and fixes.automatic != fixes.manual:
            yield ("false_fix",), "there is one part only; give one share, such as false_fix: 10 %"
        elif max(fixes.automatic, fixes.manual) == 1:
            yield ("false_fix",), "a repair that is always in vain never ends; give less than 100 %"


RepairTime = Annotated[Repair, OR_DURATION]
