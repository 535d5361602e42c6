"""Who writes random scenarios: numbers that never coincide, or always do, and laws of durations."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

Pick = Callable[[Sequence[Any]], Any]
Spec = dict[str, Any]
GRID = 10.0
ODD = [random.Random(index).random() for index in range(400)]


def reproducible(examples: int) -> settings:
    """Try so many examples, the same each time; a failure is shown as it was found."""
    return settings(
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        max_examples=examples,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )


def picking(draw: Callable[[st.SearchStrategy[Any]], Any]) -> Pick:
    """Pick at random from a seed of hypothesis, which takes longer for each choice than the author does."""
    return random.Random(draw(st.integers(0, 2**64 - 1))).choice


@dataclass
class Author:
    """Writes a scenario; with `ties`, all times are multiples of one number, so that events coincide.

    Failures on a clock that stands still now and then may coincide nominally at an instant that no float
    holds; then rounding decides which comes first.  So `chance`, which makes instants odd, excludes the
    training clock and `recurs_after` among ties, and ages that travel with nodes.
    """

    pick: Pick
    ties: bool
    chance: bool = True
    asked: int = 0

    def number(self, low: float, high: float) -> float:
        """A number between two bounds that no other number of the scenario equals, unless ties are wanted."""
        self.asked += 1
        place: int = self.pick(range(10))
        if self.ties:
            return max(GRID * round((low + (high - low) * place / 9) / GRID), GRID if low > 0 else 0.0)
        return low + (high - low) * (place + ODD[self.asked]) / 10

    def time(self, low: float, high: float) -> str:
        return f"{self.number(low, high)!r} s"

    def maybe(self, chances: int = 2) -> bool:
        """True in about one case of so many."""
        return bool(self.pick(range(chances)) == 0)

    def one_of(self, *choices: Any) -> Any:
        return self.pick(choices)

    def law(self, low: float, high: float) -> Any:
        """A duration: constant, or from some distribution."""
        if self.ties and not (self.chance and self.maybe()):
            return self.time(low, high)
        mean = {"mean": f"{self.number(max(low, 1), high)!r} s"}
        kind = self.one_of("plain", "constant", "exponential", "weibull", "gamma", "lognormal", "empirical")
        if kind == "plain":
            return self.time(low, high)
        if kind == "constant":
            return {"constant": self.time(low, high)}
        if kind == "empirical":
            return {"empirical": [self.time(max(low, 1), high) for _ in range(3)]}
        shape = {"lognormal": {"sigma": 0.7}, "exponential": {}}.get(kind, {"shape": self.one_of(0.7, 2.5)})
        bound = {"at_most": f"{3 * high!r} s"} if self.maybe(3) else {}
        return {kind: {**mean, **shape, **bound}}
