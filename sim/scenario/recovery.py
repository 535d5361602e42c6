"""From a failure to training again: the stages of the recovery, in order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar, Final, Literal

from pydantic import PrivateAttr

from sim.distributions import Constant, Distribution
from sim.scenario.blocks import KEY, Block, Finding, key
from sim.scenario.laws import KINDS, Law
from sim.scenario.quantities import DURATION, Flag, Name, Reads, Share, Shorthand, words
from sim.scenario.tables import CARDS, around, table

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


def _some_time(value: object) -> float:
    seconds = float(DURATION.parse(value))
    if seconds == 0:
        raise ValueError("a table in log-log cannot hold 0 s; give a short time instead, such as 1 ms")
    return seconds


OverGpus = Annotated[
    Mapping[int, float],
    table(CARDS, Reads(_some_time, DURATION.schema), "{16_384: 200 s, 98_304: 600 s}"),
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
        """Return the time that the stage lasts on so many cards; a table is a line in the logarithms."""
        if self.over_gpus is None:
            return self.distribution
        below, above, way = around(self.over_gpus, gpus)
        return Constant(below * float((above / below) ** way))

    def contradictions(self) -> Iterator[Finding]:
        """Refuse a stage that always fails."""
        if self.fails == 1:
            yield ("fails",), "a stage that always fails never ends; give less than 100 %"
        yield from super().contradictions()


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
        if DETECT in list(self.stated_stages)[1:]:
            yield ("stages", DETECT, KEY), "detection comes first; move it to the top of the stages"
        for name, time in self.stated_stages.items():
            if time.word == WAIT and name != NODES:
                yield ("stages", name), "only the stage named nodes waits; give a duration"
            if time.word != WAIT and name == NODES:
                yield ("stages", NODES), f"nodes are awaited as long as it takes; say nodes: {WAIT}"
            if time.word == CHECKPOINT and name != LOAD:
                yield ("stages", name), "only the stage named load is that of the checkpoint; give a duration"
            if time.fails and name == DETECT:
                yield ("stages", name, "fails"), "a detection that fails is a longer one; give a longer time"

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
