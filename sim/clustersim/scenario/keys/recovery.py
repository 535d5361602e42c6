"""From a failure to training again: the stages of the recovery in order, diagnosis, and replicas."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Final, Literal

from clustersim.distributions import Constant, Distribution
from clustersim.scenario.keys.blocks import KEY, NAMES, Block, Finding, Shorthand, fill, key, under
from clustersim.scenario.keys.laws import LAWS, Law, Time, constant
from clustersim.scenario.keys.quantities import (
    CARDS,
    DURATION,
    SHARE,
    Duration,
    Flag,
    Name,
    Reads,
    Share,
    around,
    table,
    whole,
    words,
)
from clustersim.scenario.kinds.retirement import Retire

StageKind = Literal["detect", "nodes", "load", "work"]
DETECT: Final = "detect"
NODES: Final = "nodes"
LOAD: Final = "load"
WORK: Final = "work"
STAGE_KINDS: Mapping[str, StageKind] = {DETECT: DETECT, NODES: NODES, LOAD: LOAD}
During = Literal["restart", "absorb"]
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
    kind: StageKind = WORK
    of_copy: bool = False


AT_ONCE = Constant(0.0)
AWAIT_NODES = Stage(NODES, AT_ONCE, kind=NODES)


def _some_time(value: object) -> float:
    seconds = float(DURATION.parse(value))
    if seconds == 0:
        raise ValueError("a table in log-log cannot hold 0 s; give a short time instead, such as 1 ms")
    return seconds


OverGpus = Annotated[
    Mapping[int, float],
    table(CARDS, Reads(_some_time, DURATION.schema), "{16_384: 200 s, 98_304: 600 s}"),
]


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


@dataclass(frozen=True, slots=True)
class StageTime:
    """What a stage lasts: a law, the seconds by number of cards, or a word, `wait` or `checkpoint`.

    `fails` is the share of times that it fails, by number of cards.
    """

    word: str = ""
    law: Distribution = AT_ONCE
    over_gpus: Mapping[int, float] | None = None
    fails: Mapping[int, float] = field(default_factory=lambda: {1: 0.0})

    def fails_at(self, gpus: int) -> float:
        """Return the share of times that it fails on so many cards; a table is a line over log(cards)."""
        below, above, way = around(self.fails, gpus)
        return below + (above - below) * way

    def at(self, gpus: int) -> Distribution:
        """Return the time that the stage lasts on so many cards; a table is a line in the logarithms."""
        if self.over_gpus is None:
            return self.law
        below, above, way = around(self.over_gpus, gpus)
        return Constant(below * float((above / below) ** way))

    def stage(self, name: str, gpus: int, load: float) -> Stage:
        """Return the stage of that *name* on so many cards, with *load* seconds for `load: checkpoint`."""
        if name == NODES:
            return AWAIT_NODES
        loads = self.word == CHECKPOINT
        duration = Constant(load) if loads else self.at(gpus)
        return Stage(name, duration, self.fails_at(gpus), STAGE_KINDS.get(name, WORK), of_copy=loads)


class StageTimeBlock(Law):
    """What a stage lasts: a law, or a table over the number of cards; it may fail."""

    alternatives = (*LAWS, "over_gpus")
    over_gpus: OverGpus | None = key(
        "time by number of cards, log-log between, flat outside: {16_384: 200 s, 98_304: 600 s}", None
    )
    fails: Fails = key(
        "share of times that the stage fails and the chain begins again: 3 %, or {over_gpus: {16_384: 1 %}}",
        "0 %",
    )

    def resolve(self) -> StageTime:
        """Return what the stage lasts."""
        law = AT_ONCE if self.over_gpus else super().resolve()
        return StageTime("", law, self.over_gpus, self.fails)

    def contradictions(self) -> Iterator[Finding]:
        """Refuse a stage that always fails."""
        if max(self.fails.values()) == 1:
            yield "fails", "a stage that always fails never ends; give less than 100 %"
        yield from super().contradictions()


def _stage_time(value: object) -> StageTime | dict[str, object]:
    """Read one of the two words, or a duration."""
    return StageTime(str(value)) if value in (WAIT, CHECKPOINT) else constant(value)


_SHORT = {"anyOf": [DURATION.schema, {"enum": [WAIT, CHECKPOINT]}]}
StageTimes = Annotated[
    Mapping[Name, Annotated[StageTime, Shorthand(_stage_time, _SHORT, StageTimeBlock)]], NAMES
]


@dataclass(frozen=True, slots=True)
class Recovery:
    """What happens between a failure and training, in seconds and shares of 1.

    `stages` are in order, `detect` first and `nodes` always among them.  After a diagnosis that was wrong
    (`misdiagnosis`, `missed`) a fault shows again after `recurs_after` of training in all.
    """

    stages: tuple[Stage, ...]
    during_recovery: During
    at_start: bool
    misdiagnosis: float
    missed: float
    recurs_after: Distribution
    retire: Retire | None
    replicas: int
    stall: float
    rejoin_stall: float
    minimum: int
    overhead: float
    peer_load: float | None


class RecoveryBlock(Block):
    """What happens between a failure and training."""

    stages: StageTimes = key(
        "the stages in order: {detect: 30 s, restart: 4 min, load: checkpoint}", {LOAD: CHECKPOINT}
    )
    during_recovery: Annotated[During, words("restart", "absorb")] = key(
        "a failure during recovery begins the chain again, or is absorbed", "restart"
    )
    at_start: Flag = key("the job goes through the stages at time 0 too", False)
    misdiagnosis: Share = key(
        "share of node failures after which another, healthy node is sent away", "0 %", quiet=True
    )
    missed: Share = key("share of node failures after which nobody is sent away", "0 %", quiet=True)
    recurs_after: Time | None = key(
        "training time in all until a fault that was not removed shows again; at once if left out", None
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

    def resolve(self, gpus: int = 1, load: float = 0.0) -> Recovery:
        """Return the recovery on so many cards, with *load* seconds for `load: checkpoint`."""
        stages = [time.stage(name, gpus, load) for name, time in self.stages.items()]
        if not stages or stages[0].kind != DETECT:
            stages.insert(0, Stage(DETECT, AT_ONCE, kind=DETECT))
        if NODES not in self.stages:
            stages.insert(1, AWAIT_NODES)
        recurs_after = self.recurs_after or AT_ONCE
        return fill(Recovery, self, stages=tuple(stages), recurs_after=recurs_after)

    def contradictions(self) -> Iterator[Finding]:
        """Refuse stages out of place, diagnoses that never find the culprit, and what only replicas need."""
        yield from self._about_replicas()
        if self.misdiagnosis + self.missed >= 1:
            yield "misdiagnosis", "with missed, the culprit is never found; give less than 100 % together"
        if DETECT in list(self.stages)[1:]:
            yield ("stages", DETECT, KEY), "detection comes first; move it to the top of the stages"
        for name, time in self.stages.items():
            yield from under(("stages", name), _about_stage(name, time))

    def _about_replicas(self) -> Iterator[Finding]:
        """Refuse keys that need replicas where there are none, and more than there are."""
        if self.replicas == 1:
            unused = {"stall": 0.0, "rejoin_stall": 0.0, "minimum": 1, "peer_load": None}
            for name in (name for name, value in unused.items() if getattr(self, name) != value):
                yield name, "the whole job restarts, so it has no meaning; give replicas, or leave it out"
        elif self.minimum > self.replicas:
            yield "minimum", f"more than there are replicas; give {self.replicas} or less"
        if self.overhead == 1:
            yield "overhead", "nothing is left of a step; give less than 100 %"


def _about_stage(name: str, time: StageTime) -> Iterator[Finding]:
    """Yield what is wrong with a stage of that *name*."""
    if time.word == WAIT and name != NODES:
        yield (), "only the stage named nodes waits; give a duration"
    if time.word != WAIT and name == NODES:
        yield (), f"nodes are awaited as long as it takes; say nodes: {WAIT}"
    if time.word == CHECKPOINT and name != LOAD:
        yield (), "only the stage named load is that of the checkpoint; give a duration"
    if any(time.fails.values()) and name == DETECT:
        yield "fails", "a detection that fails is a longer one; give a longer time"
