"""What fails: one mode of failure, how often, how it is noticed, and how it is repaired."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Annotated, ClassVar, Literal

from sim.distributions import Distribution
from sim.scenario.blocks import Block, Finding, key
from sim.scenario.laws import Lifetimes, RepairTime, Time
from sim.scenario.quantities import DURATION, FailureRate, Flag, PositiveDuration, Reads, Share, plain, words
from sim.scenario.tables import table
from sim.units import PARTS, shown

BUILT_EFFECTS = ("crash", "hang")
OTHER_EFFECTS = ("slow", "corrupt", "flap", "storage")
Part = Literal["gpu", "node", "rack", "pod", "cluster", "job"]


def _effect(value: object) -> str:
    word = next(iter(value)) if isinstance(value, Mapping) and value else value
    if word in OTHER_EFFECTS:
        raise ValueError(f"{word} is not built yet; give one of {', '.join(BUILT_EFFECTS)}")
    if not isinstance(value, str) or value not in BUILT_EFFECTS:
        raise ValueError(f"{shown(value)} is not known; allowed are {', '.join(BUILT_EFFECTS)}")
    return value


_FACTORS = table(DURATION, plain(0, 1e6), "{0 d: 3, 14 d: 1}")


def _over_time(value: object) -> tuple[tuple[float, float], ...]:
    return () if value is None else tuple(({0.0: 1.0} | _FACTORS.parse(value)).items())


OverTime = Annotated[tuple[tuple[float, float], ...], Reads(_over_time, _FACTORS.schema)]


class FailureMode(Block):
    """One way in which something fails."""

    unbuilt: ClassVar[Mapping[str, str]] = {
        "takes_down": "leave it out: a card takes its node down, a rack or pod all of its nodes",
        "lemons": "give the mean rate of all nodes",
        "relapse": "give the mean rate of all nodes",
        "spreads": "give a mode per rack for failures that come together",
        "replay": "give rate or mtbf",
    }
    misplaced: ClassVar[Mapping[str, str]] = {
        "crews": "crews belong to the repair; write repair: {constant: 4 h, crews: 12}"
    }
    per: Annotated[Part, words(*PARTS)] = key(f"what fails: {', '.join(PARTS)}")
    rate: FailureRate | None = key("how often, such as 6.5 / 1000 node-days; or mtbf", None)
    stated_mtbf: PositiveDuration | None = key(
        "mean time between failures of one such unit, such as 16.4 y; or rate", None, name="mtbf"
    )
    stated_lifetime: Lifetimes = key("how lifetimes scatter around the MTBF", "exponential", name="lifetime")
    ages: Annotated[Literal["steady", "new"], words("steady", "new")] = key(
        "at time 0 units are in the steady state, or new", "steady"
    )
    clock: Annotated[Literal["calendar", "training"], words("calendar", "training")] = key(
        "it strikes at all times, or only while the job trains or saves", "calendar"
    )
    effect: Annotated[Literal["crash", "hang"], Reads(_effect, {"enum": list(BUILT_EFFECTS)})] = key(
        "a hang is noticed only when its detection time is over", "crash"
    )
    over_time: OverTime = key("factors on the rate along the run: {0 d: 3, 14 d: 1}", None)
    stated_transient: Share | None = key(
        "share of failures after which a restart is enough; 0 % with a repair", None, name="transient"
    )
    stated_detect: Time | None = key(
        "time until it is noticed; replaces recovery.stages.detect for this mode", None, name="detect"
    )
    stated_repair: RepairTime | None = key(
        "time for which the node is away; none: every failure is transient", None, name="repair"
    )
    renews: Flag = key("a repaired unit is as new, or as old as it was", True)

    @cached_property
    def mtbf(self) -> float:
        """Mean time between failures of one unit, in seconds."""
        if self.stated_mtbf is not None:
            return self.stated_mtbf
        return self.rate.mtbf if self.rate else self.lifetime.mean

    @cached_property
    def lifetime(self) -> Distribution:
        """Lifetimes of one unit, with the MTBF as their mean."""
        empirical = self.stated_lifetime.kind == "empirical"
        return self.stated_lifetime.around(0.0 if empirical else self.mtbf)

    @property
    def transient(self) -> float:
        """Share of failures after which the node is fine once the job restarts."""
        if self.stated_transient is not None:
            return self.stated_transient
        return 1.0 if self.stated_repair is None else 0.0

    @property
    def detect(self) -> Distribution | None:
        """Time until it is noticed; None where the recovery's own stage holds."""
        return self.stated_detect.distribution if self.stated_detect else None

    @property
    def repair(self) -> Distribution | None:
        """Time for which a node that left is away."""
        return self.stated_repair.distribution if self.stated_repair else None

    @property
    def crews(self) -> int | None:
        """Repairs of this mode that can go on at once; None: all."""
        return self.stated_repair.crews if self.stated_repair else None

    @property
    def takes_nodes(self) -> bool:
        """Whether its failures strike nodes, not only the job's processes."""
        return self.per not in ("cluster", "job")

    def contradictions(self) -> Iterator[Finding]:
        """Refuse rates and repairs that contradict what the mode is about."""
        yield from self._about_rate()
        yield from self._about_repair()
        kind = self.stated_lifetime.kind
        ages = self.ages == "new" and kind not in ("constant", "empirical")
        if not self.renews and not ages and kind != "exponential":
            yield ("renews",), "it needs ages: new and a weibull, lognormal or gamma lifetime; give both"

    def _about_rate(self) -> Iterator[Finding]:
        empirical = self.stated_lifetime.kind == "empirical"
        given = [key for key, value in (("rate", self.rate), ("mtbf", self.stated_mtbf)) if value is not None]
        if empirical and given:
            yield (given[0],), "the list of lifetimes gives the MTBF; leave it out"
        elif not empirical and len(given) != 1:
            yield (), f"{' and '.join(given) or 'neither rate nor mtbf'} given; give either a rate or an mtbf"
        if self.rate and self.rate.part not in (None, self.per):
            yield ("rate",), f"a rate per {self.rate.part} contradicts per: {self.per}; make them the same"

    def _about_repair(self) -> Iterator[Finding]:
        if self.stated_repair and not self.takes_nodes:
            yield ("repair",), f"a failure per {self.per} costs no node, so nothing is repaired; leave it out"
        elif self.transient < 1 and not self.takes_nodes:
            yield ("transient",), f"a failure per {self.per} never costs a node; leave it out"
        elif self.transient < 1 and not self.stated_repair:
            yield ("transient",), "nodes that fail for good need somewhere to go; give a repair"
