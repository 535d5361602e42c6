"""When a repeat offender leaves for good: each rule has its keys, and says whether a node retires.

With `{after: 3, within: 30 d}` a node retires at the end of its third repair if its three failures lie less
than 30 days back.  With `{score: 3, half_life: 7 d}` three failures at once would do, or four of which two
are a week old (2 + 2/2): each failure weighs 1 when it strikes and half as much a half-life later.

A new rule is a class here and a base of `Retire`: the keys of all rules stand side by side in the file, and
which of them are given says which rule holds.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Annotated, ClassVar

from clustersim.scenario.keys.blocks import Block, Finding, key
from clustersim.scenario.keys.quantities import PositiveDuration, plain, whole

Retires = Callable[[Sequence[float], float], bool]
"""Whether a node that failed for good at these instants retires at an instant (all s)."""


class Rule(Block):
    """A rule: its keys, of which all or none are given, and `retires`, to which they are passed by name."""

    example: ClassVar[str]
    retires: ClassVar[Callable[..., bool]]


class Scoring(Rule):
    """Each failure weighs 1 and fades by half in each half-life; a node whose weight is too large retires."""

    example = "{score: 3, half_life: 7 d}"
    score: Annotated[float, plain(0, 1e6, above=True)] | None = key(
        "the sum of what is left of its failures, each worth 1 when it strikes; with half_life", None
    )
    half_life: PositiveDuration | None = key("time after which a failure counts half, such as 7 d", None)

    @staticmethod
    def retires(failures: Sequence[float], now: float, score: float, half_life: float) -> bool:
        """Return whether the failures together still weigh enough."""
        weights = (math.exp2((time - now) / half_life) for time in failures)
        return math.fsum(weights) >= score


class Counting(Rule):
    """A node retires that failed so often within a window before now."""

    example = "{after: 3, within: 30 d}"
    after: Annotated[int, whole(1, 1_000_000)] | None = key(
        "failures of one node, over all modes; with within", None, unit="failures"
    )
    within: PositiveDuration | None = key("the window in which they count, such as 30 d", None)

    @staticmethod
    def retires(failures: Sequence[float], now: float, after: int, within: float) -> bool:
        """Return whether enough failures are younger than the window is long."""
        return sum(time > now - within for time in failures) >= after


class Retire(Scoring, Counting):
    """Repeat offenders leave for good: after so many failures in a window, or above a score that fades."""

    rules: ClassVar[tuple[type[Rule], ...]] = (Counting, Scoring)
    replacement: PositiveDuration | None = key(
        "time until a new node takes the place of a retired one; none if left out", None
    )

    @property
    def rule(self) -> Retires:
        """The rule that is given, with the values of its keys."""
        rule = next(rule for rule in self.rules if self._given(rule))
        return partial(rule.retires, **{name: getattr(self, name) for name in rule.model_fields})

    def _given(self, rule: type[Rule]) -> list[str]:
        return [name for name in rule.model_fields if getattr(self, name) is not None]

    def contradictions(self) -> Iterator[Finding]:
        """Ask for one rule, whole."""
        given = {rule: keys for rule in self.rules if (keys := self._given(rule))}
        every = "either " + ", or ".join(" and ".join(rule.model_fields) for rule in self.rules)
        if len(given) > 1:
            two = " beside ".join(" and ".join(keys) for keys in given.values())
            yield (), f"{two}: two rules at once; give {every}"
        elif not given:
            yield (), f"no rule is given; give {every}"
        for rule, keys in given.items() if len(given) == 1 else ():
            missing = [name for name in rule.model_fields if name not in keys]
            if missing:
                yield (), f"half a rule: {keys[0]} without {missing[0]}; give {missing[0]} too"
