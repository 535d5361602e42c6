"""Nodes that differ, and failures that come together: lemons, relapses and bursts."""

from __future__ import annotations

from typing import Annotated, Literal

from clustersim.scenario.keys.blocks import Block, key
from clustersim.scenario.keys.quantities import PositiveDuration, PositiveShare, Share, plain, words

Domain = Literal["rack", "pod"]


class Lemons(Block):
    """Bad nodes: the mode's rate is that of a good node, and each lemon fails `factor` times as often."""

    share: PositiveShare = key("share of all nodes, spares too, that are lemons, such as 5 %")
    factor: Annotated[float, plain(1, 1e6)] = key("how often a lemon fails, times the rate of a good node")
    in_replacements: Share | None = key(
        "share of lemons among the nodes that replace retired ones; the same share if left out", None
    )

    @property
    def share_of_replacements(self) -> float:
        """Share of lemons among the nodes that replace retired ones."""
        return self.share if self.in_replacements is None else self.in_replacements


class Relapse(Block):
    """A repair that did not last: the node fails again soon, on top of the base rate."""

    probability: PositiveShare = key("share of the nodes that come back from repair and fail again")
    within: PositiveDuration = key("the time after the return in which they do, evenly spread, such as 1 d")


class Spread(Block):
    """A failure that takes its neighbours along."""

    to: Annotated[Domain, words("rack", "pod")] = key("what it spreads to: rack or pod")
    probability: PositiveShare = key("share of the failures that spread")
