"""Checkpoint tiers: where copies are kept, what they cost, and which failures they survive."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Annotated, NamedTuple

from pydantic import ConfigDict

from clustersim import theory, units
from clustersim.scenario.keys.blocks import Block, Finding, key, unknown
from clustersim.scenario.keys.quantities import (
    SHORTEST_DURATION,
    Duration,
    Reads,
    Share,
    bounded,
    quantity,
    whole,
)

SCOPES = ("job", "gpu", "node", "rack", "pod", "replica", "cluster")
ALL = "all"
POLICIES: Mapping[str, Callable[[float, float], float]] = {
    "young": theory.young,
    "daly": theory.daly,
    "optimal": theory.optimal,
}
_DURATION = quantity(units.DURATION, partial(bounded, none=""))
_PER_NODE = re.compile(r" ?(?:/|per) ?node$")
_BYTES_PER_S = quantity(units.BANDWIDTH)


@dataclass(frozen=True, slots=True)
class Tier:
    """One tier, resolved: times in seconds; `survives` None: every failure; `keep` None: every copy.

    `keys` are those under which the scenario says what holds for it.
    """

    name: str
    interval: float
    blocks: float
    durable_after: float = 0.0
    load: float = 0.0
    survives: frozenset[str] | None = None
    unusable: float = 0.0
    keep: int | None = None
    keys: tuple[str, ...] = field(default=("checkpoint",), compare=False)

    @property
    def several(self) -> bool:
        """Whether the scenario names its tiers."""
        return len(self.keys) > 1

    def path(self, key: str) -> str:
        """Return the dotted path of one of its keys."""
        return ".".join((*self.keys, key))


@dataclass(frozen=True, slots=True)
class Interval:
    """An interval as it was stated: seconds, steps, or the word for a formula."""

    seconds: float | None = None
    steps: int | None = None
    policy: str = "given"


class Bandwidth(NamedTuple):
    """Bytes per second, of all nodes together or of each."""

    bytes_per_s: float
    per_node: bool

    def seconds(self, size: float, nodes: int) -> float:
        """Return how long so many bytes of the whole job take, moved by all of its nodes."""
        return size / (self.bytes_per_s * (nodes if self.per_node else 1))


def _interval(value: object) -> Interval:
    if isinstance(value, str) and value in POLICIES:
        return Interval(policy=value)
    if isinstance(value, str) and "step" in value:
        return Interval(steps=units.STEPS.parse(value))
    if isinstance(value, str) and value.isalpha():
        raise ValueError(
            f"{units.shown(value)} is not known; allowed are {', '.join(POLICIES)}, or a duration"
        )
    seconds = float(_DURATION.parse(value))
    if seconds == 0:
        raise ValueError("0 s between saves leaves no time to train; give more, or say checkpoint: none")
    return Interval(seconds=seconds)


def _bandwidth(value: object) -> Bandwidth:
    text, shared = _PER_NODE.subn("", " ".join(value.split())) if isinstance(value, str) else (value, 0)
    bytes_per_s = float(_BYTES_PER_S.parse(text))
    if not bytes_per_s:
        raise ValueError("zero makes no sense here; give more")
    return Bandwidth(bytes_per_s, bool(shared))


def _survives(value: object) -> frozenset[str] | None:
    if value == ALL:
        return None
    allowed = f"a list of {', '.join(SCOPES)}, or all"
    if not isinstance(value, list | tuple):
        raise ValueError(f"{units.shown(value)} is not a list; give {allowed}")
    if not value:
        raise ValueError("a tier that survives no failure is never loaded; leave the tier out")
    for word in value:
        if word not in SCOPES:
            raise ValueError(unknown(word, SCOPES, f"{units.shown(word)} is not a scope of failures"))
    return frozenset(value)


_INTERVAL_SCHEMA = {
    "anyOf": [{"enum": list(POLICIES)}, _DURATION.schema, {"type": "string", "pattern": units.STEPS.pattern}]
}
_SURVIVES_SCHEMA = {
    "anyOf": [{"enum": [ALL]}, {"type": "array", "items": {"enum": list(SCOPES)}, "uniqueItems": True}]
}
_BANDWIDTH_SCHEMA = {
    "type": "string",
    "pattern": rf"{units.BANDWIDTH.pattern[:-1]}(?: ?(?:/|per) ?node)?$",
    "examples": ["1 TB/s", "2 GB/s per node"],
}
Intervals = Annotated[Interval, Reads(_interval, _INTERVAL_SCHEMA)]
Bandwidths = Annotated[Bandwidth, Reads(_bandwidth, _BANDWIDTH_SCHEMA)]
Survives = Annotated[frozenset[str] | None, Reads(_survives, _SURVIVES_SCHEMA)]


def _too_short(seconds: float) -> str:
    return f"{seconds:.3g} s, shorter than {units.format_duration(SHORTEST_DURATION)}"


class Times(NamedTuple):
    """What a tier's saves and loads take, in seconds."""

    blocks: float
    durable_after: float
    load: float


class Copies(Block):
    """What is said of one tier: its times, or the bandwidths that give them from the size of the state."""

    stated_interval: Intervals | None = key(
        "training between two saves: a duration, 50 steps, young, daly or optimal", None, name="interval"
    )
    stated_blocks: Duration | None = key(
        "the time for which a save stops training, such as 5 s", None, name="blocks"
    )
    stated_durable_after: Duration | None = key(
        "until the copy can be loaded, after the block; 0 s, synchronous, if left out",
        None,
        name="durable_after",
    )
    stated_load: Duration | None = key("what loading a copy takes; 0 s if left out", None, name="load")
    write: Bandwidths | None = key(
        "how fast the state is written, 1 TB/s or 2 GB/s per node: durable_after, or, without blocks, blocks",
        None,
    )
    read: Bandwidths | None = key("how fast the state is read, 1 TB/s or 2 GB/s per node: load", None)
    survives: Survives = key(
        "the failures that its copies survive: all, or a list of job, gpu, node, rack, pod, replica, cluster",
        "all",
        quiet=True,
    )
    unusable: Share = key("share of its copies that turn out not to be readable", "0 %", quiet=True)
    keep: Annotated[int, whole(1, 1_000_000)] | None = key(
        "how many of its newest copies are kept; all if left out", None, unit="copies"
    )

    def times(self, state: float | None, nodes: int) -> Times:
        """Return its times for a job of so many nodes with a *state* of so many bytes, where it is known."""
        moved = state or 0.0
        writing = self.write.seconds(moved, nodes) if self.write else 0.0
        reading = self.read.seconds(moved, nodes) if self.read else 0.0
        blocks = writing if self.stated_blocks is None else self.stated_blocks
        behind = 0.0 if self.stated_blocks is None else writing
        durable_after = behind if self.stated_durable_after is None else self.stated_durable_after
        return Times(blocks, durable_after, reading if self.stated_load is None else self.stated_load)

    def about_times(self, state: float | None) -> Iterator[Finding]:
        """Yield what is missing among its times, or said twice."""
        for name in ("interval", "blocks"):
            if getattr(self, f"stated_{name}") is None and not (name == "blocks" and self.write):
                yield (name,), f"missing; give {self._described(name)}"
        for name in ("write", "read"):
            if getattr(self, name) is not None and state is None:
                yield (
                    (name,),
                    "a bandwidth needs the state's size; give checkpoint.state, such as 5.3 TB",
                )
        if self.write and self.stated_blocks is not None and self.stated_durable_after is not None:
            yield ("write",), "blocks and durable_after are both given; leave one of the three out"
        if self.read and self.stated_load is not None:
            yield ("read",), "load is given; leave one of the two out"
        if self.unusable == 1:
            yield ("unusable",), "copies that are never readable are none; give less than 100 %"

    def about_bandwidths(self, times: Times) -> Iterator[Finding]:
        """Yield bandwidths so large that what follows from them, in *times*, is shorter than any time."""
        writing = "blocks" if self.stated_blocks is None else "durable_after"
        for name, gives in (("write", writing), ("read", "load")):
            seconds = getattr(times, gives)
            if getattr(self, name) and 0 < seconds < SHORTEST_DURATION:
                yield (name,), f"it comes to {_too_short(seconds)}; give {gives} instead, such as 0 s"

    def resolved(
        self, name: str, times: Times, mtbf: float | None, step_time: float | None
    ) -> Tier | Finding:
        """Return the tier, its interval worked out from the MTBF of what it serves and the step.

        Returns why it cannot be, where it cannot.
        """
        stated = self.stated_interval or Interval(seconds=math.nan)
        why = ""
        seconds = stated.seconds if stated.seconds is not None else math.nan
        if stated.steps is not None:
            seconds = stated.steps * (step_time or math.nan)
            why = "" if step_time else "an interval in steps needs a step; give workload.step_time"
        elif stated.policy in POLICIES and mtbf is None:
            why = f"{stated.policy} needs failures after which the copy is loaded; give a duration"
        elif stated.policy in POLICIES and times.blocks == 0:
            why = f"{stated.policy} needs a save that costs time; give blocks, or a duration"
        elif stated.policy in POLICIES and mtbf is not None:
            seconds = POLICIES[stated.policy](mtbf, times.blocks)
            if seconds < SHORTEST_DURATION:
                why = f"{stated.policy} comes to {_too_short(seconds)}; give a duration"
        if why:
            return ("interval",), why
        return Tier(name, seconds, *times, self.survives, self.unusable, self.keep)


class TierSpec(Copies):
    """One of several tiers of checkpoints."""

    model_config = ConfigDict(json_schema_extra={"required": ["interval"]})
