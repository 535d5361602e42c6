"""From a failure to training again: the stages of the recovery, in order."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated, ClassVar, Final, Literal

from pydantic import PrivateAttr

from sim.distributions import Constant, Distribution
from sim.scenario.blocks import Block, Finding, key
from sim.scenario.laws import KINDS, Law
from sim.scenario.quantities import DURATION, Flag, Name, Reads, Share, Shorthand, whole, words
from sim.units import shown

Kind = Literal["detect", "nodes", "load", "work"]
NODES: Final = "nodes"
LOAD: Final = "load"
DETECT: Final = "detect"
WAIT, CHECKPOINT = "wait", "checkpoint"


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage of the recovery: what it lasts, and the share of times that it fails."""

    name: str
    duration: Distribution
    fails: float = 0.0
    kind: Kind = "work"


_CARDS = whole(1, 1_000_000_000)


def _over_gpus(value: object) -> dict[int, float]:
    if not isinstance(value, Mapping) or not value:
        raise ValueError(f"{shown(value)} is not a table; give {{16_384: 200 s, 98_304: 600 s}}")
    table = {_CARDS.parse(cards): float(DURATION.parse(time)) for cards, time in value.items()}
    if not all(table.values()):
        raise ValueError("a table in log-log cannot hold 0 s; give a short time instead, such as 1 ms")
    return dict(sorted(table.items()))


OverGpus = Annotated[
    Mapping[int, float],
    Reads(_over_gpus, {"type": "object", "minProperties": 1, "additionalProperties": DURATION.schema}),
]


class StageTime(Law):
    """What a stage lasts: a law, or a table over the number of cards; it may fail."""

    over_gpus: OverGpus | None = key(
        "time by number of cards, log-log between, flat outside: {16_384: 200 s, 98_304: 600 s}", None
    )
    fails: Share = key("share of times that the stage fails and the chain begins again", "0 %")
    _word: str = PrivateAttr("")

    @classmethod
    def kinds(cls) -> tuple[str, ...]:
        """Return the kinds among which one is to be chosen."""
        return (*KINDS, "over_gpus")

    @property
    def word(self) -> str:
        """`wait` or `checkpoint` where the stage is given by that word."""
        return self._word

    @classmethod
    def read(cls, value: object) -> StageTime | dict[str, object]:
        """Read one of the two words, or a duration."""
        if value in (WAIT, CHECKPOINT):
            stage = cls.model_construct(fails=0.0)
            stage._word = str(value)
            return stage
        DURATION.parse(value)
        return {"constant": value}

    def at(self, gpus: int) -> Distribution:
        """Return the time that the stage lasts on so many cards."""
        return self.distribution if self.over_gpus is None else Constant(log_log(self.over_gpus, gpus))

    def contradictions(self) -> Iterator[Finding]:
        """Refuse a stage that always fails."""
        if self.fails == 1:
            yield ("fails",), "a stage that always fails never ends; give less than 100 %"
        yield from super().contradictions()


def log_log(table: Mapping[int, float], gpus: int) -> float:
    """Return the table's value at *gpus*: a line in the logarithms, flat outside."""
    rows = list(table.items())
    if gpus <= rows[0][0]:
        return rows[0][1]
    for (low, left), (high, right) in pairwise(rows):
        if gpus <= high:
            return left * float((right / left) ** (math.log(gpus / low) / math.log(high / low)))
    return rows[-1][1]


_SHORT = {"anyOf": [DURATION.schema, {"enum": [WAIT, CHECKPOINT]}]}
StageText = Annotated[StageTime, Shorthand(StageTime.read, _SHORT)]


class Recovery(Block):
    """What happens between a failure and training."""

    unbuilt: ClassVar[Mapping[str, str]] = {
        "misdiagnosis": "leave it out",
        "retire": "leave it out",
        "replicas": "leave it out: the whole job restarts",
        "stall": "leave it out: the whole job restarts",
        "rejoin_stall": "leave it out: the whole job restarts",
        "minimum": "leave it out: the whole job restarts",
    }
    stated_stages: Mapping[Name, StageText] = key(
        "the stages in order: {detect: 30 s, restart: 4 min, load: checkpoint}",
        {LOAD: CHECKPOINT},
        name="stages",
    )
    during_recovery: Annotated[Literal["restart", "absorb"], words("restart", "absorb")] = key(
        "a failure during recovery begins the chain again, or is absorbed", "restart"
    )
    at_start: Flag = key("the job goes through the stages at time 0 too", False)
    _stages: tuple[Stage, ...] = PrivateAttr(())

    @property
    def stages(self) -> tuple[Stage, ...]:
        """The stages in order, resolved within the scenario: `detect` first, `nodes` always among them."""
        return self._stages

    def contradictions(self) -> Iterator[Finding]:
        """Refuse stages out of place."""
        names = list(self.stated_stages)
        if DETECT in names[1:]:
            yield ("stages", DETECT), "detection comes first; move it to the top of the stages"
        for name, time in self.stated_stages.items():
            if time.word == WAIT and name != NODES:
                yield ("stages", name), "only the stage named nodes waits; give a duration"
            if time.word != WAIT and name == NODES:
                yield ("stages", NODES), f"nodes are awaited as long as it takes; say nodes: {WAIT}"
            if time.word == CHECKPOINT and name != LOAD:
                yield (
                    ("stages", name),
                    "only the stage named load takes what the checkpoint says; give a duration",
                )

    def resolve(self, gpus: int, load: float) -> None:
        """Work out the stages on so many cards, with *load* seconds for `load: checkpoint`."""
        stages = [self._resolved(name, time, gpus, load) for name, time in self.stated_stages.items()]
        if not stages or stages[0].kind != DETECT:
            stages.insert(0, Stage(DETECT, Constant(0.0), kind=DETECT))
        if all(stage.kind != NODES for stage in stages):
            stages.insert(1, Stage(NODES, Constant(0.0), kind=NODES))
        self._stages = tuple(stages)

    @staticmethod
    def _resolved(name: str, time: StageTime, gpus: int, load: float) -> Stage:
        if name == NODES:
            return Stage(name, Constant(0.0), kind=NODES)
        kind: Kind = DETECT if name == DETECT else LOAD if name == LOAD else "work"
        return Stage(name, Constant(load) if time.word else time.at(gpus), time.fails, kind)
