"""How the job saves: one tier of checkpoints, or several, from the quickest to the most durable."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Annotated

from pydantic import Field, PrivateAttr

from clustersim.scenario.keys.blocks import Finding, key
from clustersim.scenario.keys.quantities import Name, Size
from clustersim.scenario.keys.tiers import Copies, Tier, TierSpec

ONLY_TIER = "checkpoint"
MOST_TIERS = 50
SHORT_FORM = ("interval", "blocks", "durable_after", "load", "write", "read", "survives", "unusable", "keep")


class CheckpointSpec(Copies):
    """How the job saves: the keys of one tier, or several `tiers` by name."""

    state: Size | None = key("what a whole copy holds, such as 5.3 TB; for write and read", None)
    stated_tiers: Annotated[Mapping[Name, TierSpec], Field(max_length=MOST_TIERS)] | None = key(
        "several tiers by name, from the quickest to the most durable, such as {peer: {...}, storage: {...}}",
        None,
        name="tiers",
    )
    _tiers: tuple[Tier, ...] = PrivateAttr(())

    @property
    def tiers(self) -> tuple[Tier, ...]:
        """The tiers, resolved within the scenario: one named `checkpoint` where the file names none."""
        return self._tiers

    @property
    def several(self) -> bool:
        """Whether the file names its tiers."""
        return self.stated_tiers is not None

    @property
    def last(self) -> Tier:
        """The most durable tier: the last one that is listed."""
        return self._tiers[-1]

    @property
    def interval(self) -> float:
        """Training between two saves of the last tier, in seconds, resolved within its scenario."""
        return self.last.interval

    @property
    def blocks(self) -> float:
        """Seconds for which a save of the last tier stops training."""
        return self.last.blocks

    @property
    def durable_after(self) -> float:
        """Seconds from the end of a block until the last tier's copy can be loaded."""
        return self.last.durable_after

    @property
    def load(self) -> float:
        """Seconds that loading the last tier's copy takes."""
        return self.last.load

    @property
    def stated(self) -> Mapping[str, Copies]:
        """What the file says of each tier, by name."""
        return {ONLY_TIER: self} if self.stated_tiers is None else self.stated_tiers

    @property
    def policy(self) -> str:
        """`young`, `daly` or `optimal`; `given` where the interval of the last tier was stated."""
        interval = list(self.stated.values())[-1].stated_interval
        return interval.policy if interval else "given"

    def path_of(self, tier: str) -> tuple[str, ...]:
        """Return the keys under which the file says what holds for *tier*, within its block."""
        return ("tiers", tier) if self.several else ()

    def contradictions(self) -> Iterator[Finding]:
        """Refuse tiers beside the keys of one, and tiers that say too little or too much."""
        name, last = list(self.stated.items())[-1] if self.stated else ("", self)
        if last.survives is not None:
            what = f"{name} is the last tier" if self.several else "it is the only tier"
            yield (*self.path_of(name), "survives"), f"{what}, so it has to survive all; say survives: all"
        if self.state is not None and not any(one.write or one.read for one in self.stated.values()):
            yield ("state",), "no tier has a write or read bandwidth that needs it; give one, or leave it out"
        if self.stated_tiers is not None:
            yield from self._about_tiers(self.stated_tiers)
        for name, copies in self.stated.items():
            for path, why in copies.about_times(self.state):
                yield (*self.path_of(name), *path), why

    def _about_tiers(self, tiers: Mapping[str, TierSpec]) -> Iterator[Finding]:
        if not tiers:
            yield ("tiers",), "no tier is given; give at least one, or say checkpoint: none"
        own = {"stated_interval", "stated_blocks", "stated_durable_after", "stated_load"}
        for name in SHORT_FORM:
            if (f"stated_{name}" if f"stated_{name}" in own else name) in self.model_fields_set:
                yield (name,), "it is a key of each tier where there are tiers; move it into one of them"

    def resolve(
        self, nodes: int, mtbf_served: Callable[[str], float | None], step_time: float | None
    ) -> Iterator[Finding]:
        """Work the tiers out for so many nodes, or yield why they cannot be.

        *mtbf_served* tells the MTBF of the failures that a tier is there for.
        """
        tiers = []
        for name, copies in self.stated.items():
            times = copies.times(self.state, nodes)
            found = copies.resolved(name, times, mtbf_served(name), step_time)
            if isinstance(found, Tier):
                tiers.append(replace(found, keys=("checkpoint", *self.path_of(name))))
            wrong = () if isinstance(found, Tier) else (found,)
            for path, why in (*copies.about_bandwidths(times), *wrong):
                yield ("checkpoint", *self.path_of(name), *path), why
        self._tiers = tuple(tiers)
