"""From a failure to training again: the stages of the recovery, in order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Final, Literal

from pydantic import PrivateAttr

from clustersim.distributions import Constant, Distribution
from clustersim.scenario.keys.blocks import KEY, NAMES, Block, Finding, key
from clustersim.scenario.keys.laws import KINDS, Law, Time
from clustersim.scenario.keys.quantities import (
    DURATION,
    SHARE,
    Duration,
    Flag,
    Name,
    Reads,
    Share,
    Shorthand,
    whole,
    words,
)
from clustersim.scenario.keys.replicas import about_diagnosis, about_replicas
from clustersim.scenario.keys.tables import CARDS, around, table
from clustersim.scenario.kinds.retirement import Retire

Kind = Literal["detect", "nodes", "load", "work"]
NODES: Final = "nodes"
LOAD: Final = "load"
DETECT: Final = "detect"
WAIT, CHECKPOINT = "wait", "checkpoint"
MOST_REPLICAS = 100_000
"""Each is a handful of objects from the beginning on, some 2 KB."""


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage of the recovery: what it lasts, and the share of times that it fails.

    `of_copy`: it lasts what loading the copy takes, whichever tier holds it (`load: checkpoint`); the
    duration is that of the last tier.
    """

    name: str
    duration: Distribution
    fails: float = 0.0
    kind: Kind = "work"
    of_copy: bool = False


def _some_time(value: object) -> float:
    seconds = float(DURATION.parse(value))
    if seconds == 0:
        raise ValueError("a table in log-log cannot hold 0 s; give a short time instead, such as 1 ms")
    return seconds


OverGpus = Annotated[
    Mapping[int, float],
    table(CARDS, Reads(_some_time, DURATION.schema), "{16_384: 200 s, 98_304: 600 s}"),
]


NEVER: Mapping[int, float] = {1: 0.0}
_BY_CARDS = table(CARDS, SHARE, "{16_384: 1 %, 98_304: 3 %}")


def _fails(value: object) -> Mapping[int, float]:
    """Read a share as a table of one row, or a table over the number of cards."""
    if not isinstance(value, Mapping):
        return {1: float(SHARE.parse(value))}
    if list(value) != ["over_gpus"]:
        raise ValueError("a block says over_gpus and nothing else; give 3 %, or {over_gpus: {16_384: 1 %}}")
    by_cards: Mapping[int, float] = _BY_CARDS.parse(value["over_gpus"])
    return by_cards


_TABLE_OF_SHARES = {
    "type": "object",
    "properties": {"over_gpus": _BY_CARDS.schema},
    "required": ["over_gpus"],
    "additionalProperties": False,
}
Fails = Annotated[Mapping[int, float], Reads(_fails, {"anyOf": [SHARE.schema, _TABLE_OF_SHARES]})]


class StageTime(Law):
    """What a stage lasts: a law, or a table over the number of cards; it may fail."""

    over_gpus: OverGpus | None = key(
        "time by number of cards, log-log between, flat outside: {16_384: 200 s, 98_304: 600 s}", None
    )
    stated_fails: Fails = key(
        "share of times that the stage fails and the chain begins again: 3 %, or {over_gpus: {16_384: 1 %}}",
        "0 %",
        name="fails",
    )
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
            stage = cls.model_construct(stated_fails=NEVER)
            stage._word = str(value)
            return stage
        DURATION.parse(value)
        return {"constant": value}

    def fails_at(self, gpus: int) -> float:
        """Return the share of times that it fails on so many cards; a table is a line over log(cards)."""
        below, above, way = around(self.stated_fails, gpus)
        return below + (above - below) * way

    def at(self, gpus: int) -> Distribution:
        """Return the time that the stage lasts on so many cards; a table is a line in the logarithms."""
        if self.over_gpus is None:
            return self.distribution
        below, above, way = around(self.over_gpus, gpus)
        return Constant(below * float((above / below) ** way))

    def contradictions(self) -> Iterator[Finding]:
        """Refuse a stage that always fails."""
        if max(self.stated_fails.values()) == 1:
            yield ("fails",), "a stage that always fails never ends; give less than 100 %"
        yield from super().contradictions()


_SHORT = {"anyOf": [DURATION.schema, {"enum": [WAIT, CHECKPOINT]}]}
StageText = Annotated[StageTime, Shorthand(StageTime.read, _SHORT)]


class Recovery(Block):
    """What happens between a failure and training."""

    stated_stages: Annotated[Mapping[Name, StageText], NAMES] = key(
        "the stages in order: {detect: 30 s, restart: 4 min, load: checkpoint}",
        {LOAD: CHECKPOINT},
        name="stages",
    )
    during_recovery: Annotated[Literal["restart", "absorb"], words("restart", "absorb")] = key(
        "a failure during recovery begins the chain again, or is absorbed", "restart"
    )
    at_start: Flag = key("the job goes through the stages at time 0 too", False)
    misdiagnosis: Share = key(
        "share of node failures after which another, healthy node is sent away", "0 %", quiet=True
    )
    missed: Share = key("share of node failures after which nobody is sent away", "0 %", quiet=True)
    stated_recurs_after: Time | None = key(
        "training time in all until a fault that was not removed shows again; at once if left out",
        None,
        name="recurs_after",
    )
    retire: Retire | None = key("when a repeat offender leaves for good: {after: 3, within: 30 d}", None)
    replicas: Annotated[int, whole(1, MOST_REPLICAS)] = key(
        "data-parallel replicas that fail and recover by themselves; 1: the whole job restarts",
        1,
        unit="replicas",
        quiet=True,
    )
    stall: Duration = key("how long the other replicas stand still after a failure", "0 s", quiet=True)
    rejoin_stall: Duration = key("how long all stand still when a replica comes back", "0 s", quiet=True)
    minimum: Annotated[int, whole(1, MOST_REPLICAS)] = key(
        "with fewer replicas alive, everyone waits", 1, unit="replicas", quiet=True
    )
    overhead: Share = key("share of each step that the protocol costs", "0 %", quiet=True)
    peer_load: Duration | None = key(
        "what the load stage takes from another replica; the first tier's load if left out", None
    )
    _stages: tuple[Stage, ...] = PrivateAttr(())

    @property
    def stages(self) -> tuple[Stage, ...]:
        """The stages in order, resolved within the scenario: `detect` first, `nodes` always among them."""
        return self._stages

    @property
    def recurs_after(self) -> Distribution:
        """Training time until a fault that was not removed shows again."""
        return self.stated_recurs_after.distribution if self.stated_recurs_after else Constant(0.0)

    def contradictions(self) -> Iterator[Finding]:
        """Refuse stages out of place, and what only replicas need."""
        yield from about_replicas(self)
        yield from about_diagnosis(self)
        if DETECT in list(self.stated_stages)[1:]:
            yield ("stages", DETECT, KEY), "detection comes first; move it to the top of the stages"
        for name, time in self.stated_stages.items():
            if time.word == WAIT and name != NODES:
                yield ("stages", name), "only the stage named nodes waits; give a duration"
            if time.word != WAIT and name == NODES:
                yield ("stages", NODES), f"nodes are awaited as long as it takes; say nodes: {WAIT}"
            if time.word == CHECKPOINT and name != LOAD:
                yield ("stages", name), "only the stage named load is that of the checkpoint; give a duration"
            if any(time.stated_fails.values()) and name == DETECT:
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
        duration = Constant(load) if time.word else time.at(gpus)
        return Stage(name, duration, time.fails_at(gpus), kind, of_copy=bool(time.word))
