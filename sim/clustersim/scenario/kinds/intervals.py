"""How long the job trains between two saves: a time, so many steps, a formula, or as failures come.

A formula takes the mean time between the failures that the tier is there for (M) and the time for which a
save stops training (d).  With M = 10 h and d = 30 s, Young's sqrt(2 d M) is 24 min 30 s.

`adaptive` works the exact optimum out anew when a training segment begins, for the rate that it has seen:
the failures that it counts within the last `window`, and one more, in the time trained within it, and M more.
In the first segment that is the rate 1/M; after 4 failures in 20 h of training within the window it is
5 / (20 h + 10 h), and the interval is the optimum for 6 h.

A new way to choose the interval is a class here, with its line in `Interval`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, ClassVar, NamedTuple

from clustersim import theory, units
from clustersim.scenario.keys.blocks import Choice, Kind, Shorthand, key
from clustersim.scenario.keys.quantities import SHORTEST_DURATION, PositiveDuration, bounded, quantity

_DURATION = quantity(units.DURATION, partial(bounded, none=""))


class Needs(NamedTuple):
    """What an interval may follow from, in seconds: the failures that its tier serves, its save, a step."""

    mtbf: float | None
    blocks: float
    step: float | None


@dataclass(frozen=True, slots=True)
class Adaptation:
    """An interval that is worked out anew for each training segment, from what a `window` (s) has seen.

    `mtbf` is what is expected before anything has been seen, `blocks` what a save costs (s).
    """

    window: float
    mtbf: float
    blocks: float

    def interval(self, failures: int, trained: float) -> float:
        """Return the interval (s) after so many failures in *trained* seconds of training."""
        best = theory.optimal((trained + self.mtbf) / (failures + 1), self.blocks)
        return max(best, SHORTEST_DURATION)


class IntervalKind(Kind):
    """A way to choose the interval; its trait is whether its text `says_all`, as a time does."""

    says_all: ClassVar[bool] = False

    def seconds(self, needs: Needs) -> tuple[float, str]:
        """Return the interval in seconds, and why it cannot be worked out: nothing where it can."""
        raise NotImplementedError

    def adaptation(self, needs: Needs) -> Adaptation | None:
        """Return how the interval follows what happens; None where it stays the same."""
        return None


class Every(IntervalKind):
    """The same time between all saves."""

    word = "time"
    example = "10 min"
    says_all = True
    time: PositiveDuration = key("the interval")

    def seconds(self, needs: Needs) -> tuple[float, str]:
        """Return the time."""
        return self.time, ""


class Steps(IntervalKind):
    """The same number of steps between all saves."""

    word = "steps"
    example = "50 steps"
    count: int = key("the steps")

    def seconds(self, needs: Needs) -> tuple[float, str]:
        """Return how long the steps take."""
        why = "" if needs.step else "an interval in steps needs a step; give workload.step_time"
        return self.count * (needs.step or math.nan), why


class Formula(IntervalKind):
    """An interval by a formula, from the MTBF and the time for which a save stops training."""

    @staticmethod
    def formula(mtbf: float, blocks: float) -> float:
        """Return the interval (s)."""
        raise NotImplementedError

    def seconds(self, needs: Needs) -> tuple[float, str]:
        """Return what the formula gives, if there are failures and a save costs time."""
        if needs.mtbf is None:
            return math.nan, f"{self.word} needs failures after which the copy is loaded; give a duration"
        if needs.blocks == 0:
            return math.nan, f"{self.word} needs a save that costs time; give blocks, or a duration"
        seconds = self.formula(needs.mtbf, needs.blocks)
        why = f"{self.word} comes to {too_short(seconds)}; give a duration"
        return seconds, why if seconds < SHORTEST_DURATION else ""


class Young(Formula):
    """Young's square root, to first order."""

    word = "young"
    formula = staticmethod(theory.young)


class Daly(Formula):
    """Daly's formula of higher order."""

    word = "daly"
    formula = staticmethod(theory.daly)


class Optimal(Formula):
    """The exact optimum for exponential failures."""

    word = "optimal"
    formula = staticmethod(theory.optimal)


class Adaptive(Formula):
    """The exact optimum for the rate seen of late: fixed for each training segment when it begins."""

    word = "adaptive"
    does = "the optimum for the rate of failures seen of late"
    example = "{window: 1 d}"
    formula = staticmethod(theory.optimal)
    window: PositiveDuration = key("how far back failures and training count, such as 1 d")

    def adaptation(self, needs: Needs) -> Adaptation | None:
        """Return how it follows the failures."""
        return None if needs.mtbf is None else Adaptation(self.window, needs.mtbf, needs.blocks)


class Interval(Choice):
    """Training between two saves: a duration, steps, a word, or exactly one kind with what it needs."""

    kinds = (Young, Daly, Optimal, Adaptive)
    adaptive: Adaptive | None = Adaptive.as_key()

    @classmethod
    def read(cls, value: object) -> IntervalKind:
        """Return what one value stands for: a duration, `50 steps`, or the word for a kind."""
        if isinstance(value, str) and "step" in value:
            return Steps.model_construct(count=units.STEPS.parse(value))
        if isinstance(value, str) and value.isalpha():
            if value not in cls.allowed():
                allowed = ", ".join(cls.allowed())
                raise ValueError(f"{units.shown(value)} is not known; allowed are {allowed}, or a duration")
            kind: IntervalKind = cls.named(value)
            return kind
        seconds = float(_DURATION.parse(value))
        if seconds == 0:
            raise ValueError("0 s between saves leaves no time to train; give more, or say checkpoint: none")
        return Every.model_construct(time=seconds)


def too_short(seconds: float) -> str:
    """Return how a time reads that is shorter than any may be."""
    return f"{seconds:.3g} s, shorter than {units.format_duration(SHORTEST_DURATION)}"


INTERVALS: Mapping[str, type[IntervalKind]] = {kind.word: kind for kind in (Every, Steps, *Interval.kinds)}
ABOUT = "training between two saves: a duration, 50 steps, " + ", ".join(
    f"{{{kind.word}: {kind.example}}}" if kind.needs_details() else kind.word for kind in Interval.kinds
)
_SCHEMA: dict[str, Any] = {
    "anyOf": [
        {"enum": Interval.words_alone()},
        _DURATION.schema,
        {"type": "string", "pattern": units.STEPS.pattern},
    ]
}
Intervals = Annotated[IntervalKind, Shorthand(Interval.read, _SCHEMA, Interval)]
