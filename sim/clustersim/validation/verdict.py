"""Whether what was simulated agrees with what was published: an interval against a range."""

from __future__ import annotations

import math
from dataclasses import dataclass

from clustersim.estimate import Estimate

AGREES, DIFFERS, UNDECIDED = "agrees", "differs", "undecided"
CONTROL = "control"
ROUNDING = 1e-9
"""Relative error of the arithmetic: a figure that meets a bound but for this much meets it."""


@dataclass(frozen=True, slots=True)
class ConfidenceInterval:
    """A simulated figure with both ends of its 95 % interval; None is what cannot be known."""

    mean: float | None
    low: float | None
    high: float | None

    @classmethod
    def of(cls, estimate: Estimate | None) -> ConfidenceInterval:
        """Return the interval of *estimate*; nothing is known where there is none."""
        if estimate is None or not math.isfinite(estimate.mean):
            return cls(None, None, None)
        return cls(estimate.mean, estimate.low, estimate.high)

    def within(self, lowest: float | None, highest: float | None) -> ConfidenceInterval:
        """Return the interval with its ends held between *lowest* and *highest*: what the figure can be."""
        low, high = self.low, self.high
        if lowest is not None and low is not None:
            low = max(low, lowest)
        if highest is not None and high is not None:
            high = min(high, highest)
        return ConfidenceInterval(self.mean, low, high)

    def to_dict(self) -> dict[str, float | None]:
        """Return the figure and both ends as plain data."""
        return {"mean": self.mean, "low": self.low, "high": self.high}

    @property
    def half_width(self) -> float | None:
        """Half of the interval's width."""
        return None if self.low is None or self.high is None else (self.high - self.low) / 2


def verdict(simulated: ConfidenceInterval, low: float | None, high: float | None) -> str:
    """Return whether *simulated* agrees with the accepted range; an end of it that is None is open.

    It agrees where the whole interval lies within the range, differs where the whole interval lies outside,
    and is undecided where it straddles an end, or is not known: more replications would tell.
    """
    if simulated.low is None or simulated.high is None:
        return UNDECIDED
    lowest = -math.inf if low is None else low - ROUNDING * abs(low)
    highest = math.inf if high is None else high + ROUNDING * abs(high)
    if lowest <= simulated.low and simulated.high <= highest:
        return AGREES
    return DIFFERS if simulated.high < lowest or simulated.low > highest else UNDECIDED


def passes(kind: str, found: str) -> bool:
    """Return whether a claim of that kind is as it should be: a control differs, all others agree."""
    return found == (DIFFERS if kind == CONTROL else AGREES)
