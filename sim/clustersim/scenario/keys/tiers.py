"""Checkpoint tiers: where copies are kept, what they cost, and which failures they survive."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, NamedTuple

from pydantic import ConfigDict, Field

from clustersim import units
from clustersim.records import SCOPES
from clustersim.scenario.keys.blocks import Block, Finding, fill, key, under, unknown
from clustersim.scenario.keys.quantities import (
    SHORTEST_DURATION,
    Duration,
    Name,
    Reads,
    Share,
    Size,
    quantity,
    whole,
)
from clustersim.scenario.kinds.intervals import ABOUT, Adaptation, Intervals, Needs, too_short

ALL = "all"
ONLY_TIER = "checkpoint"
MOST_TIERS = 50
_BYTES_PER_S = quantity(units.BANDWIDTH)


@dataclass(frozen=True, slots=True)
class Tier:
    """One tier, resolved: times in seconds; `survives` None: every failure; `keep` None: every copy.

    Where the interval `adapts` to the failures, `interval` is that of the first training segment.  `keys`
    are those under which the scenario says what holds for it.
    """

    name: str
    interval: float
    blocks: float
    durable_after: float = 0.0
    load: float = 0.0
    survives: frozenset[str] | None = None
    unusable: float = 0.0
    keep: int | None = None
    adapts: Adaptation | None = None
    keys: tuple[str, ...] = field(default=("checkpoint",), compare=False)

    @property
    def several(self) -> bool:
        """Whether the scenario names its tiers."""
        return len(self.keys) > 1

    def path(self, key: str) -> str:
        """Return the dotted path of one of its keys."""
        return ".".join((*self.keys, key))


class Bandwidth(NamedTuple):
    """Bytes per second, of all nodes together or of each."""

    bytes_per_s: float
    per_node: bool

    def seconds(self, size: float, nodes: int) -> float:
        """Return how long so many bytes of the whole job take, moved by all of its nodes."""
        return size / (self.bytes_per_s * (nodes if self.per_node else 1))


def _bandwidth(value: object) -> Bandwidth:
    text, shared = units.PER_NODE.subn("", " ".join(value.split())) if isinstance(value, str) else (value, 0)
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


_SURVIVES_SCHEMA = {
    "anyOf": [{"enum": [ALL]}, {"type": "array", "items": {"enum": list(SCOPES)}, "uniqueItems": True}]
}
_BANDWIDTH_SCHEMA = {
    "type": "string",
    "pattern": rf"{units.BANDWIDTH.pattern[:-1]}(?: ?(?:/|per) ?node)?$",
    "examples": ["1 TB/s", "2 GB/s per node"],
}
Bandwidths = Annotated[Bandwidth, Reads(_bandwidth, _BANDWIDTH_SCHEMA)]
Survives = Annotated[frozenset[str] | None, Reads(_survives, _SURVIVES_SCHEMA)]


class TierKeys(Block):
    """The keys of one tier: its times, or the bandwidths that give them from the size of the state."""

    interval: Intervals | None = key(ABOUT, None)
    blocks: Duration | None = key("the time for which a save stops training, such as 5 s", None)
    durable_after: Duration | None = key(
        "until the copy can be loaded, after the block; 0 s, synchronous, if left out", None
    )
    load: Duration | None = key("what loading a copy takes; 0 s if left out", None)
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

    def tier(self, name: str, keys: tuple[str, ...], state: float | None, nodes: int) -> Tier:
        """Return the tier of that *name* for a job of so many nodes, with a *state* of so many bytes.

        Its interval is nan until `with_interval`.
        """
        writing = self.write.seconds(state or 0.0, nodes) if self.write else 0.0
        reading = self.read.seconds(state or 0.0, nodes) if self.read else 0.0
        behind = 0.0 if self.blocks is None else writing
        return fill(
            Tier,
            self,
            name=name,
            keys=keys,
            interval=math.nan,
            adapts=None,
            blocks=writing if self.blocks is None else self.blocks,
            durable_after=behind if self.durable_after is None else self.durable_after,
            load=reading if self.load is None else self.load,
        )

    def about_times(self, state: float | None) -> Iterator[Finding]:
        """Yield what is missing among its times, or said twice."""
        if self.interval is None:
            yield "interval", f"missing; give {self.meaning('interval')}"
        if self.blocks is None and self.write is None:
            yield "blocks", f"missing; give {self.meaning('blocks')}"
        for name in self.given("write", "read") if state is None else ():
            yield name, "a bandwidth needs the state's size; give checkpoint.state, such as 5.3 TB"
        if len(self.given("write", "blocks", "durable_after")) == 3:
            yield "write", "blocks and durable_after are both given; leave one of the three out"
        if len(self.given("read", "load")) == 2:
            yield "read", "load is given; leave one of the two out"
        if self.unusable == 1:
            yield "unusable", "copies that are never readable are none; give less than 100 %"

    def about_bandwidths(self, tier: Tier) -> Iterator[Finding]:
        """Yield bandwidths so large that what follows from them for the *tier* is shorter than any time."""
        writing = "blocks" if self.blocks is None else "durable_after"
        for name, gives in (("write", writing), ("read", "load")):
            seconds = getattr(tier, gives)
            if getattr(self, name) and seconds < SHORTEST_DURATION:
                yield name, f"it comes to {too_short(seconds)}; give {gives} instead, such as 0 s"

    def with_interval(self, tier: Tier, needs: Needs) -> tuple[Tier, str]:
        """Return the *tier* with its interval, and why that cannot be worked out: nothing where it can."""
        if self.interval is None:
            return tier, ""
        seconds, why = self.interval.seconds(needs)
        return replace(tier, interval=seconds, adapts=self.interval.adaptation(needs)), why


class TierSpec(TierKeys):
    """One of several tiers of checkpoints."""

    model_config = ConfigDict(json_schema_extra={"required": ["interval"]})


@dataclass(frozen=True, slots=True)
class CheckpointSpec:
    """How the job saves: its tiers, from the quickest to the most durable.

    A file that names none has one, called `checkpoint`.
    """

    tiers: tuple[Tier, ...]

    @property
    def last(self) -> Tier:
        """The most durable tier: the last one that is listed."""
        return self.tiers[-1]

    @property
    def interval(self) -> float:
        """Training between two saves of the last tier, in seconds."""
        return self.last.interval


class CheckpointSpecBlock(TierKeys):
    """How the job saves: the keys of one tier, or several `tiers` by name."""

    state: Size | None = key("what a whole copy holds, such as 5.3 TB; for write and read", None)
    tiers: Annotated[Mapping[Name, TierSpec], Field(max_length=MOST_TIERS)] | None = key(
        "several tiers by name, from the quickest to the most durable, such as {peer: {...}, storage: {...}}",
        None,
    )

    def each(self) -> Mapping[str, TierKeys]:
        """Return what the file says of each tier, by name."""
        return {ONLY_TIER: self} if self.tiers is None else self.tiers

    def path_of(self, tier: str) -> tuple[str, ...]:
        """Return the keys under which the file says what holds for *tier*."""
        return ("checkpoint",) if self.tiers is None else ("checkpoint", "tiers", tier)

    def resolve(self, nodes: int = 1) -> CheckpointSpec:
        """Return the tiers of a job of so many nodes; intervals are not worked out yet."""
        each = self.each().items()
        tiers = [keys.tier(name, self.path_of(name), self.state, nodes) for name, keys in each]
        return CheckpointSpec(tuple(tiers))

    def contradictions(self) -> Iterator[Finding]:
        """Refuse tiers beside the keys of one, and tiers that say too little or too much."""
        if self.tiers is not None:
            yield from self._about_tiers(self.tiers)
        if self.state is not None and not any(tier.write or tier.read for tier in self.each().values()):
            yield "state", "no tier has a write or read bandwidth that needs it; give one, or leave it out"
        for number, (name, tier) in enumerate(self.each().items(), 1):
            yield from under(self.path_of(name)[1:], tier.about_times(self.state))
            if tier.survives is not None and number == len(self.each()):
                what = "it is the only tier" if self.tiers is None else f"{name} is the last tier"
                why = f"{what}, so it has to survive all; say survives: all"
                yield (*self.path_of(name)[1:], "survives"), why

    def _about_tiers(self, tiers: Mapping[str, TierSpec]) -> Iterator[Finding]:
        if not tiers:
            yield "tiers", "no tier is given; give at least one, or say checkpoint: none"
        for name in sorted(self.model_fields_set & set(TierSpec.keys())):
            yield name, "it is a key of each tier where there are tiers; move it into one of them"
