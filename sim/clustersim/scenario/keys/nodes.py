"""Nodes that differ, and failures that come together: lemons, relapses, bursts, and retirement."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from clustersim.scenario.keys.blocks import Block, Finding, key
from clustersim.scenario.keys.quantities import PositiveDuration, PositiveShare, Share, plain, whole, words

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


class Retire(Block):
    """Repeat offenders leave for good: after so many failures in a window, or above a score that fades."""

    after: Annotated[int, whole(1, 1_000_000)] | None = key(
        "failures of one node, over all modes; with within", None, unit="failures"
    )
    within: PositiveDuration | None = key("the window in which they count, such as 30 d", None)
    score: Annotated[float, plain(0, 1e6, above=True)] | None = key(
        "the sum of what is left of its failures, each worth 1 when it strikes; with half_life", None
    )
    half_life: PositiveDuration | None = key("time after which a failure counts half, such as 7 d", None)
    replacement: PositiveDuration | None = key(
        "time until a new node takes the place of a retired one; none if left out", None
    )

    def contradictions(self) -> Iterator[Finding]:
        """Ask for one rule, whole."""
        counting = [name for name in ("after", "within") if getattr(self, name) is not None]
        scoring = [name for name in ("score", "half_life") if getattr(self, name) is not None]
        rules = "either after and within, or score and half_life"
        if counting and scoring:
            given = f"{' and '.join(counting)} beside {' and '.join(scoring)}"
            yield (), f"{given}: two rules at once; give {rules}"
        elif not counting and not scoring:
            yield (), f"no rule is given; give {rules}"
        elif len(counting) == 1 or len(scoring) == 1:
            missing = next(
                other
                for pair in (("after", "within"), ("score", "half_life"))
                for one, other in (pair, pair[::-1])
                if one in (*counting, *scoring)
            )
            yield (), f"half a rule: {(*counting, *scoring)[0]} without {missing}; give {missing} too"
