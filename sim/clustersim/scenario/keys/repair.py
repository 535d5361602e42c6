"""Repair: how long a node that left is away, in one part or two, how often in vain, by how many crews."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from clustersim.distributions import Constant, Distribution
from clustersim.scenario.keys.blocks import Block, Finding, Shorthand, key
from clustersim.scenario.keys.laws import LAWS, Law, Time, constant
from clustersim.scenario.keys.quantities import DURATION, SHARE, Cards, Share

PIPELINE = ("automatic", "escalates", "manual")


@dataclass(frozen=True, slots=True)
class RepairPlan:
    """What happens to a node in repair: a first part, and for a share of the nodes a second one.

    `false_fix` are the shares of repairs in vain after the first and after the second part; `crews` (None: as
    many as needed) work on the second part only, or on the only one where there is no second.
    """

    first: Distribution
    escalates: float = 0.0
    second: Distribution | None = None
    false_fix: tuple[float, float] = (0.0, 0.0)
    crews: int | None = None

    @property
    def whole(self) -> Distribution:
        """The time in repair, waiting for a crew not counted: that of the only part, else its mean."""
        if self.second is None:
            return self.first
        return Constant(self.first.mean + self.escalates * self.second.mean)

    @property
    def in_vain(self) -> float:
        """Share of all repairs after which the node is still broken."""
        return self.of_all(self.false_fix)

    def of_all(self, shares: tuple[float, float]) -> float:
        """Return the share of all repairs, given those of the ones that each part ended."""
        first, second = shares
        return (1 - self.escalates) * first + self.escalates * second


class ByPart(Block):
    """Shares of repairs by the part of a pipeline that ended them."""

    automatic: Share = key("of those that the automatic part alone ended, such as 40 %", "0 %")
    manual: Share = key("of those that went on to the manual part, such as 20 %", "0 %")

    def resolve(self) -> tuple[float, float]:
        """Return both shares."""
        return self.automatic, self.manual


def _both(value: object) -> dict[str, object]:
    return {"automatic": value, "manual": value}


SharesByPart = Annotated[tuple[float, float], Shorthand(_both, SHARE.schema, ByPart)]


class Repair(Law):
    """The time for which a failed node is away: one law, or an automatic part and, for some, a manual one."""

    automatic: Time | None = key("a pipeline's first part, which starts at once, such as 2 h", None)
    escalates: Share | None = key("share of the repairs that go on to the manual part, such as 80 %", None)
    manual: Time | None = key("a pipeline's second part: {exponential: {mean: 2 d}}", None)
    false_fix: SharesByPart | None = key(
        "share of the repairs after which the node is still broken: 10 %, or {automatic: 40 %, manual: 20 %}",
        None,
    )
    crews: Cards | None = key(
        "how many repairs of this mode (in a pipeline: manual parts) can go on at once; all if left out",
        None,
        unit="crews",
    )

    def resolve(self) -> RepairPlan:
        """Return what happens to a node in repair."""
        fixes = self.false_fix or (0.0, 0.0)
        if self.automatic is None:
            return RepairPlan(super().resolve(), false_fix=fixes, crews=self.crews)
        return RepairPlan(self.automatic, self.escalates or 0.0, self.manual, fixes, self.crews)

    def contradictions(self) -> Iterator[Finding]:
        """Ask for one law, or for a whole pipeline."""
        laws, parts = self.given(*LAWS), self.given(*PIPELINE)
        if not parts:
            yield from super().contradictions()
        elif laws:
            yield laws[0], f"{laws[0]} beside {parts[0]}; give one law, or {', '.join(PIPELINE)}"
        elif missing := " and ".join(name for name in PIPELINE if name not in parts):
            yield (), f"half a pipeline; give {missing} too, or one law such as constant: 4 h"
        automatic, manual = self.false_fix or (0.0, 0.0)
        if not parts and automatic != manual:
            yield "false_fix", "there is one part only; give one share, such as false_fix: 10 %"
        elif max(automatic, manual) == 1:
            yield "false_fix", "a repair that is always in vain never ends; give less than 100 %"


RepairTime = Annotated[RepairPlan, Shorthand(constant, DURATION.schema, Repair)]
