"""The search for the best interval: candidates, scored on common replications, and what that can tell."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np

from sim.estimate import CONFIDENCE, Estimate, mean_of, paired, student

Array = np.ndarray[Any, np.dtype[np.float64]]
Score = Callable[[float], Array]
"""Gives the ETTR of an interval (s) in each replication; the replications are the same for all intervals."""

SPAN = 16.0
END_STEP = 2.0
NARROW = 1.04
NEAR = 4.0
EDGE_STEPS = 7


@dataclass
class Search:
    """Scored intervals between *shortest* and *longest* (s), each once.

    The first candidates lie on a logarithmic grid around *centre*, the others where the maximum is; a maximum
    at the end of the grid extends it, up to the limits.
    """

    score: Score
    shortest: float
    longest: float
    scores: dict[float, Array] = field(default_factory=dict)

    def run(self, centre: float, always: Sequence[float], candidates: int) -> None:
        """Score those *always* wanted, a grid around *centre*, and more where the maximum is."""
        for interval in always:
            self.ettr(interval)
        grid = np.geomspace(1 / SPAN, SPAN, max(candidates // 2, 5))
        for ratio in grid.tolist():
            self.ettr(centre * ratio)
        while len(self.scores) < candidates and (following := self._most_wanted()):
            self.ettr(following)

    def ettr(self, interval: float) -> Array:
        """Return the ETTR of *interval*, held within the limits, in each replication."""
        interval = min(max(interval, self.shortest), self.longest)
        if interval not in self.scores:
            self.scores[interval] = self.score(interval)
        return self.scores[interval]

    @property
    def intervals(self) -> list[float]:
        """The candidates, shortest first."""
        return sorted(self.scores)

    @property
    def best(self) -> float:
        """The interval with the highest mean ETTR."""
        return max(self.intervals, key=lambda interval: float(self.scores[interval].mean()))

    @property
    def boundary(self) -> str | None:
        """`shortest` or `longest` where the best candidate lies at a limit of the search."""
        if self.best <= self.shortest:
            return "shortest"
        return "longest" if self.best >= self.longest else None

    def estimate(self, interval: float) -> Estimate:
        """Return the mean ETTR of *interval* with its own 95 % interval."""
        return mean_of(self.ettr(interval))

    def told_apart(self, interval: float) -> bool:
        """Return whether *interval* can be told from the best, at 95 % over all candidates together.

        Paired differences with Bonferroni's share of the error for each candidate, so that the range of
        those that cannot be told apart holds the true optimum among them with at least 95 %.
        """
        gap = paired(self.ettr(self.best), self.ettr(interval))
        if gap.half_width is None:
            return False
        freedom = gap.count - 1
        share = (1 - CONFIDENCE) / max(len(self.scores), 2)
        return gap.mean > gap.half_width / student(freedom) * student(freedom, 1 - share)

    def flat_range(self) -> tuple[float, float]:
        """Return the shortest and the longest interval that cannot be told from the best (s)."""
        candidates, best = self.intervals, self.best
        place = candidates.index(best)
        low, high = place, place
        while low > 0 and not self.told_apart(candidates[low - 1]):
            low -= 1
        while high < len(candidates) - 1 and not self.told_apart(candidates[high + 1]):
            high += 1
        below = candidates[low - 1] if low > 0 else None
        above = candidates[high + 1] if high < len(candidates) - 1 else None
        return self._edge(candidates[low], below), self._edge(candidates[high], above)

    def _edge(self, inside: float, outside: float | None) -> float:
        """Return where between *inside* and *outside* intervals begin to be told from the best."""
        if outside is None:
            return inside
        for _ in range(EDGE_STEPS):
            middle = math.sqrt(inside * outside)
            if self.told_apart(middle):
                outside = middle
            else:
                inside = middle
        return inside

    def _most_wanted(self) -> float | None:
        """Return the interval to score next: beyond the end where the best is at one, else in a wide gap.

        The gaps beside the best come first, then the widest of those near it; one of 4 % is narrow enough.
        """
        candidates, best = self.intervals, self.best
        place = candidates.index(best)
        if place == 0 and best > self.shortest:
            return best / END_STEP
        if place == len(candidates) - 1 and best < self.longest:
            return best * END_STEP
        gaps = list(pairwise(candidates))
        beside = [gap for gap in gaps if best in gap and gap[1] / gap[0] > NARROW]
        near = [gap for gap in gaps if gap[1] > best / NEAR and gap[0] < best * NEAR]
        low, high = max(beside or near, key=lambda gap: gap[1] / gap[0])
        return math.sqrt(low * high) if high / low > NARROW else None
