"""How the job saves: the interval, what a save costs, when the copy is durable, what loading takes."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar

from pydantic import PrivateAttr

from sim import theory, units
from sim.scenario.blocks import Block, Finding, key
from sim.scenario.quantities import Duration, Reads, quantity

POLICIES: Mapping[str, Callable[[float, float], float]] = {
    "young": theory.young,
    "daly": theory.daly,
    "optimal": theory.optimal,
}
_DURATION = quantity(units.DURATION)


@dataclass(frozen=True, slots=True)
class Interval:
    """An interval as it was stated: seconds, steps, or the word for a formula."""

    seconds: float | None = None
    steps: int | None = None
    policy: str = "given"


def _interval(value: object) -> Interval:
    if isinstance(value, str) and value in POLICIES:
        return Interval(policy=value)
    if isinstance(value, str) and "step" in value:
        return Interval(steps=units.parse_steps(value))
    if isinstance(value, str) and value.isalpha():
        raise ValueError(
            f"{units.shown(value)} is not known; allowed are {', '.join(POLICIES)}, or a duration"
        )
    seconds = float(_DURATION.parse(value))
    if seconds == 0:
        raise ValueError("0 s between saves leaves no time to train; give more, or say checkpoint: none")
    return Interval(seconds=seconds)


_SCHEMA = {
    "anyOf": [{"enum": list(POLICIES)}, _DURATION.schema, {"type": "string", "pattern": units.STEPS.pattern}]
}


class CheckpointSpec(Block):
    """One tier of checkpoints."""

    unbuilt: ClassVar[Mapping[str, str]] = dict.fromkeys(
        ("tiers", "state", "write", "read", "survives", "unusable", "keep"),
        "give one tier by its times: interval, blocks, durable_after, load",
    )
    stated_interval: Annotated[Interval, Reads(_interval, _SCHEMA)] = key(
        "training between two saves: a duration, 50 steps, young, daly or optimal", name="interval"
    )
    blocks: Duration = key("the time for which a save stops training, such as 5 s")
    durable_after: Duration = key("until the copy can be loaded, after the block; 0 s: synchronous", "0 s")
    load: Duration = key("what the recovery stage `load: checkpoint` takes", "0 s")
    _seconds: float = PrivateAttr(math.nan)

    @property
    def interval(self) -> float:
        """Training between two saves, in seconds, resolved within its scenario."""
        return self._seconds

    @property
    def policy(self) -> str:
        """`young`, `daly` or `optimal`; `given` where the interval was stated."""
        return self.stated_interval.policy

    def resolve(self, mtbf: float | None, step_time: float | None) -> Iterator[Finding]:
        """Work the interval out from the MTBF of all modes and the step, or yield why it cannot be."""
        stated = self.stated_interval
        if stated.seconds is not None:
            self._seconds = stated.seconds
        elif stated.steps is not None and step_time is not None:
            self._seconds = stated.steps * step_time
        elif stated.steps is not None:
            yield ("interval",), "an interval in steps needs a step; give workload.step_time"
        elif mtbf is None:
            yield ("interval",), f"{self.policy} needs failures, and there are none; give a duration"
        elif self.blocks == 0:
            yield ("interval",), f"{self.policy} needs a save that costs time; give blocks, or a duration"
        else:
            self._seconds = POLICIES[self.policy](mtbf, self.blocks)
