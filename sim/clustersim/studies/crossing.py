"""Where a function that is known with chance alone crosses zero, with the interval of the place at 95 %.

The function is evaluated on common random numbers, so that it is as smooth as the truth, only shifted.  At
each place it has a mean with both ends of its interval; the place where the mean crosses zero is the
estimate, and the places where the ends do are its interval: all places at which zero lies within the interval
of the function.  As that of the function holds the truth in 95 of 100 cases, so does that of the place.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

MEAN, LOW, HIGH = range(3)
Ends = tuple[float | None, float | None, float | None]
"""A place with both ends of its interval."""
TOLERANCES = (0.002, 0.01, 0.01)
"""How narrow a bracket is at last, as a share of the place: finer than the interval supports."""
MOST_ROUNDS = 12
"""A bracket shrinks to a fifth in a usual round, and at worst to a half in a few."""
BESIDE = 0.1
"""So far to both sides of where a straight line crosses zero the next places lie, as shares of a bracket."""
RATIO = 4.0
"""Above this ratio of its ends a bracket is divided by ratios."""


class Slack(NamedTuple):
    """By how much a condition is met, below 0 where it is not, with both ends of the 95 % interval."""

    mean: float
    low: float
    high: float


class Bracket(NamedTuple):
    """Two neighbouring places: one at which the condition is met, one at which it is not."""

    meets: float
    misses: float

    @property
    def rises(self) -> bool:
        """Whether the condition is met at the higher one."""
        return self.meets > self.misses


class Crossing:
    """The search for the place nearest to *start* where a condition begins or ceases to be met.

    `evaluate` gives the slack at each of several places; where they are `whole` numbers, only at those.
    """

    rises: bool
    """Whether the condition is met above the place that was found."""

    def __init__(
        self, evaluate: Callable[[Sequence[float]], Sequence[Slack]], start: float, *, whole: bool = False
    ) -> None:
        self.points: dict[float, Slack] = {}
        self._evaluate = evaluate
        self._start = start
        self._whole = whole

    def look_at(self, places: Iterable[float]) -> None:
        """Evaluate the places that have not been."""
        rounded = (float(round(place)) if self._whole else float(place) for place in places)
        new = [place for place in dict.fromkeys(rounded) if place not in self.points]
        self.points |= dict(zip(new, self._evaluate(new) if new else (), strict=True))

    def brackets(self, end: int = MEAN) -> list[Bracket]:
        """Return all neighbours between which an *end* of the slack changes its sign, in order of places."""
        found = []
        for first, second in pairwise(sorted(self.points)):
            met = [self.points[place][end] >= 0 for place in (first, second)]
            if met[0] != met[1]:
                found.append(Bracket(first, second) if met[0] else Bracket(second, first))
        return found

    def nearest(self, end: int, start: float, rises: bool | None = None) -> Bracket | None:
        """Return the bracket that is nearest to *start*, by ratio where both are above zero.

        Of two that share the nearest end it is the one that *rises*, or does not.
        """
        return min(
            self.brackets(end), key=lambda each: (self._far(each, start), each.rises != rises), default=None
        )

    def _far(self, bracket: Bracket, start: float) -> float:
        least = 1e-3 * max(map(abs, (*self.points, start)))
        return min(abs(math.log((abs(end) + least) / (abs(start) + least))) for end in bracket)

    def elsewhere(self, place: float) -> list[float]:
        """Return where else the condition changes beyond chance: not near the *place* that was found.

        Where it is met at that place only, it changes on both sides of it.
        """
        found = []
        for bracket in self.brackets():
            sure = self.points[bracket.meets].low >= 0 and self.points[bracket.misses].high < 0
            low, high = sorted(bracket)
            if sure and not (low <= place <= high and bracket.rises == self.rises):
                found.append(self._at(bracket, 0.5))
        return found

    def solve(self) -> Ends:
        """Return the place with both ends of its interval, the lower one first; None for what is not found.

        Places must have been looked at on both sides.
        """
        bracket = self._found(MEAN, self._start)
        if bracket is None:
            return None, None, None
        place, self.rises = self._crosses(bracket, MEAN), bracket.rises
        found = [(self._found(end, place, self.rises), end) for end in (LOW, HIGH)]
        ends = [None if each is None else self._crosses(each, end) for each, end in found]
        low, high = reversed(ends) if self.rises else ends
        return place, low if low is None else min(low, place), high if high is None else max(high, place)

    def _found(self, end: int, start: float, rises: bool | None = None) -> Bracket | None:
        """Return the narrowed bracket in which an *end* of the slack crosses zero, nearest to *start*."""
        for _ in range(MOST_ROUNDS):
            bracket = self.nearest(end, start, rises)
            if bracket is None or self._is_narrow(bracket, end):
                break
            self.look_at(self._between(bracket, end))
            start, rises = self._crosses(bracket, end), bracket.rises
        return self.nearest(end, start, rises)

    def _is_narrow(self, bracket: Bracket, end: int) -> bool:
        if self._whole:
            return abs(bracket.meets - bracket.misses) <= 1
        least = 1e-4 * max(map(abs, self.points))
        size = max(abs(bracket.meets), abs(bracket.misses), least)
        return abs(bracket.meets - bracket.misses) <= TOLERANCES[end] * size

    def _between(self, bracket: Bracket, end: int) -> list[float]:
        """Return places within a bracket, on both sides of where it is expected to cross zero."""
        part = self._part(bracket, end)
        parts = [min(max(part + aside, BESIDE / 2), 1 - BESIDE / 2) for aside in (-BESIDE, BESIDE)]
        places = [self._at(bracket, each) for each in parts]
        if not self._whole:
            return places
        low, high = sorted(bracket)
        return [min(max(round(place), low + 1), high - 1) for place in places]

    def _part(self, bracket: Bracket, end: int) -> float:
        """Return where a straight line crosses zero, as a share of the way from what meets to what misses."""
        above, below = (self.points[place][end] for place in bracket)
        known = math.isfinite(above) and math.isfinite(below)
        return above / (above - below) if known else 0.5

    def _at(self, bracket: Bracket, part: float) -> float:
        low, high = sorted(bracket)
        if low > 0 and high / low > RATIO:
            return float(bracket.meets ** (1 - part) * bracket.misses**part)
        return bracket.meets + part * (bracket.misses - bracket.meets)

    def _crosses(self, bracket: Bracket, end: int) -> float:
        """Return where an *end* of the slack crosses zero within a bracket: a whole number that meets."""
        return bracket.meets if self._whole else self._at(bracket, self._part(bracket, end))
