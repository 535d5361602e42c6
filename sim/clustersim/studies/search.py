"""The search for the best interval: candidates, scored on common replications, and what that can tell."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from clustersim.estimate import Array, Estimate, beats, mean_of

Score = Callable[[Sequence[float]], Sequence[Array]]
"""Gives, for each interval (s), its ETTR in each replication; the same replications for all intervals."""

SPAN = 16.0
"""The first grid reaches so far to both sides of its centre: a formula is rarely wrong by more."""
END_STEP = 2.0
"""By this factor the grid grows where the best, or the flat range, lies at its end."""
NARROW = 1.04
"""A gap of 4 % is narrow enough: beside the optimum that costs less than a long run can show."""
NEAR = 4.0
"""What is left of the candidates goes to the widest gaps within this factor of the best, for the picture."""
ALIKE = 1.01
"""Intervals within 1 % of each other are one: between them one would measure the slope of the curve."""
Gap = tuple[float, float]


@dataclass
class Search:
    """Scored intervals between *shortest* and *longest* (s), each once.

    The first candidates lie on a logarithmic grid around *centre*, the others where the maximum is and where
    intervals begin to be told from it; a maximum at the end of the grid extends it, up to the limits.
    """

    score: Score
    shortest: float
    longest: float
    scores: dict[float, Array] = field(default_factory=dict)

    def run(self, centre: float, always: Sequence[float], candidates: int) -> None:
        """Score those *always* wanted, a grid around *centre*, and more where they tell most."""
        ratios = np.geomspace(1 / SPAN, SPAN, max(candidates // 2, 5)).tolist()
        self.look_at([*always, *(centre * ratio for ratio in ratios)])
        while (left := candidates - len(self.scores)) > 0 and (wanted := self._most_wanted()):
            self.look_at(wanted[:left])

    def look_at(self, intervals: Sequence[float]) -> None:
        """Score those of *intervals*, held within the limits, that have no score yet."""
        held = dict.fromkeys(map(self._held, intervals))
        new = [interval for interval in held if interval not in self.scores]
        self.scores |= zip(new, self.score(new) if new else (), strict=True)

    def ettr(self, interval: float) -> Array:
        """Return the ETTR of *interval*, held within the limits, in each replication."""
        self.look_at([interval])
        return self.scores[self._held(interval)]

    def _held(self, interval: float) -> float:
        return min(max(interval, self.shortest), self.longest)

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

        So the range of those that cannot be told apart holds the true optimum among them with at least 95 %.
        """
        if 1 / ALIKE < interval / self.best < ALIKE:
            return False
        return beats(self.ettr(self.best), self.ettr(interval), len(self.scores))

    def flat_range(self) -> Gap:
        """Return the shortest and the longest candidate that cannot be told from the best (s).

        Candidates between them cannot either: the range ends before the first one that can.
        """
        candidates, best = self.intervals, self.best
        return (
            self._last_alike([one for one in reversed(candidates) if one <= best]),
            self._last_alike([one for one in candidates if one >= best]),
        )

    def _last_alike(self, outwards: Sequence[float]) -> float:
        """Return the last candidate, from the best *outwards*, before one that can be told from it."""
        last = outwards[0]
        for candidate in outwards[1:]:
            if self.told_apart(candidate):
                break
            last = candidate
        return last

    def _most_wanted(self) -> list[float]:
        """Return the intervals to score next, none where nothing is left to learn.

        Beyond the end where the best is at one; in the gaps beside the best; where the flat range ends, also
        beyond the last candidate; then in the widest gap near the best.  A gap of 4 % is narrow enough.
        """
        return self._beyond(self.best, self.best) or self._inside() or self._ends() or self._near()

    def _beyond(self, low: float, high: float) -> list[float]:
        """Return an interval further out on each side where *low* or *high* is the last candidate."""
        first, last = self.intervals[0], self.intervals[-1]
        shorter = [low / END_STEP] if low == first > self.shortest else []
        return shorter + ([high * END_STEP] if high == last < self.longest else [])

    def _inside(self) -> list[float]:
        return _middles(gap for gap in self._gaps() if self.best in gap)

    def _ends(self) -> list[float]:
        low, high = self.flat_range()
        return self._beyond(low, high) + _middles(
            gap for gap in self._gaps() if gap[1] == low or gap[0] == high
        )

    def _near(self) -> list[float]:
        low, high = self.best / NEAR, self.best * NEAR
        near = (gap for gap in self._gaps() if gap[1] > low and gap[0] < high)
        return _middles(sorted(near, key=lambda gap: gap[0] / gap[1])[:1])

    def _gaps(self) -> list[Gap]:
        return [gap for gap in pairwise(self.intervals) if gap[1] > NARROW * gap[0]]


def _middles(gaps: Iterable[Gap]) -> list[float]:
    return [math.sqrt(low * high) for low, high in gaps]
