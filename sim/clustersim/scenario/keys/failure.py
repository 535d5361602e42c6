"""What fails: one mode of failure, how often, how it is noticed, and how it is repaired."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Annotated, Any, ClassVar, Literal

from pydantic import PrivateAttr

from clustersim.distributions import Distribution, Empirical
from clustersim.scenario.keys.blocks import Block, Finding, key
from clustersim.scenario.keys.laws import Lifetimes, Time
from clustersim.scenario.keys.logs import Recorded
from clustersim.scenario.keys.nodes import Lemons, Relapse, Spread
from clustersim.scenario.keys.quantities import (
    INSTANT,
    FailureRate,
    Flag,
    PositiveDuration,
    Reads,
    Share,
    plain,
    words,
)
from clustersim.scenario.keys.reach import about_reach
from clustersim.scenario.keys.repair import RepairPlan, RepairTime
from clustersim.scenario.keys.replay import Replay, about_replay
from clustersim.scenario.keys.tables import table
from clustersim.scenario.kinds.effects import ABOUT, EffectKind, Effects
from clustersim.units import PARTS

Part = Literal["gpu", "node", "rack", "pod", "cluster", "job"]
Clock = Literal["calendar", "training"]
Reach = Literal["node", "rack", "pod", "replica", "job"]
REACHES = ("node", "rack", "pod", "replica", "job")


_FACTORS = table(INSTANT, plain(0, 1e6), "{0 d: 3, 14 d: 1}")


def _over_time(value: object) -> tuple[tuple[float, float], ...]:
    return () if value is None else tuple(({0.0: 1.0} | _FACTORS.parse(value)).items())


OverTime = Annotated[tuple[tuple[float, float], ...], Reads(_over_time, _FACTORS.schema)]


class FailureMode(Block):
    """One way in which something fails."""

    misplaced: ClassVar[Mapping[str, str]] = {
        "crews": "crews belong to the repair; write repair: {constant: 4 h, crews: 12}"
    }
    derived: ClassVar[frozenset[str]] = frozenset({"clock"})
    stated_per: Annotated[Part, words(*PARTS)] | None = key(
        f"what fails: {', '.join(PARTS)}; left out with a replay", None, name="per"
    )
    rate: FailureRate | None = key("how often, such as 6.5 / 1000 node-days; or mtbf", None)
    stated_mtbf: PositiveDuration | None = key(
        "mean time between failures of one such unit, such as 16.4 y; or rate", None, name="mtbf"
    )
    stated_lifetime: Lifetimes = key("how lifetimes scatter around the MTBF", "exponential", name="lifetime")
    ages: Annotated[Literal["steady", "new"], words("steady", "new")] = key(
        "at time 0 units are in the steady state, or new", "steady"
    )
    stated_clock: Annotated[Clock, words("calendar", "training")] | None = key(
        "calendar: it strikes at all times; training (default per job): only while the job trains or saves",
        None,
        name="clock",
    )
    stated_effect: Effects = key(ABOUT, "crash", name="effect")
    stated_takes_down: Annotated[Reach, words(*REACHES)] | None = key(
        "what leaves together: node (default for gpu and node), rack, pod, replica or job",
        None,
        name="takes_down",
    )
    spreads: Spread | None = key("a share takes the whole domain along: {to: rack, probability: 3 %}", None)
    lemons: Lemons | None = key("nodes that fail more often: {share: 5 %, factor: 8}", None)
    relapse: Relapse | None = key(
        "nodes that fail again soon after a repair: {probability: 22 %, within: 1 d}", None
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
    replay: Replay | None = key(
        "recorded failures instead of random ones: a file such as logs/incidents.csv, or rows", None
    )
    _mtbf: float = PrivateAttr(0.0)
    _strikes: tuple[Recorded, ...] = PrivateAttr(())
    _repairs: tuple[float, ...] = PrivateAttr(())
    _restarts: float = PrivateAttr(1.0)

    @cached_property
    def recorded(self) -> tuple[Recorded, ...] | None:
        """The failures of a log in the order of time; None where failures are random."""
        return None if self.replay is None else tuple(sorted(self.replay, key=lambda row: row.time_s))

    @property
    def strikes(self) -> tuple[Recorded, ...]:
        """The recorded failures that strike; others name a node that is away, and extend what took it."""
        return self._strikes

    @cached_property
    def per(self) -> Part:
        """What fails; of recorded failures the node, or the job where no row names a node."""
        if self.stated_per is not None:
            return self.stated_per
        return "node" if any(row.node >= 0 for row in self.recorded or ()) else "job"

    @property
    def clock(self) -> Clock:
        """When it strikes; by default a program fails only while it runs, and everything else at all times.

        A log says when its failures struck on the calendar.
        """
        if self.stated_clock is not None:
            return self.stated_clock
        return "training" if self.per == "job" and self.recorded is None else "calendar"

    @cached_property
    def mtbf(self) -> float:
        """Mean time between failures of one unit, in seconds."""
        if self.recorded is not None:
            return self._mtbf
        if self.stated_mtbf is not None:
            return self.stated_mtbf
        return self.rate.mtbf if self.rate else self.lifetime.mean

    @cached_property
    def lifetime(self) -> Distribution:
        """Lifetimes of one unit, with the MTBF as their mean."""
        empirical = self.stated_lifetime.kind == "empirical"
        return self.stated_lifetime.around(0.0 if empirical else self.mtbf)

    @property
    def effect(self) -> EffectKind:
        """What a failure does to the job."""
        kind: EffectKind = self.stated_effect.chosen
        return kind

    @property
    def takes_down(self) -> Reach:
        """What leaves together with what is struck."""
        if self.stated_takes_down is not None:
            return self.stated_takes_down
        defaults: dict[str, Reach] = {"rack": "rack", "pod": "pod", "cluster": "job", "job": "job"}
        return defaults.get(self.per, "node")

    @property
    def takes_down_stated(self) -> bool:
        """Whether the file says what leaves together."""
        return self.stated_takes_down is not None

    @property
    def scope(self) -> str:
        """What a failure takes down that is not transient and does not spread: a checkpoint tier's word."""
        if self.per in ("cluster", "job") or (self.per == "gpu" and not self.takes_down_stated):
            return self.per
        return "cluster" if self.takes_down == "job" else self.takes_down

    @property
    def transient(self) -> float:
        """Share of failures after which the node is fine once the job restarts."""
        if not self.effect.nodes_leave:
            return 1.0
        if self.recorded is not None:
            return self._restarts
        if self.stated_transient is not None:
            return self.stated_transient
        return 1.0 if self.stated_repair is None else 0.0

    @property
    def detect(self) -> Distribution | None:
        """Time until it is noticed; None where the recovery's own stage holds."""
        return self.stated_detect.distribution if self.stated_detect else None

    @property
    def repair_plan(self) -> RepairPlan | None:
        """What happens to a node that left; how long the effect lasts, where that is the repair time."""
        if self._repairs:
            return RepairPlan(Empirical(self._repairs))
        return self.stated_repair.plan if self.stated_repair else None

    @property
    def repair(self) -> Distribution | None:
        """Time for which a node that left is away (of a pipeline, its mean)."""
        if self._repairs:
            return Empirical(self._repairs)
        return self.stated_repair.distribution if self.stated_repair else None

    @property
    def crews(self) -> int | None:
        """Repairs of this mode that can go on at once; None: all."""
        return self.stated_repair.crews if self.stated_repair else None

    @property
    def takes_nodes(self) -> bool:
        """Whether its failures strike nodes, not only the job's processes."""
        return self.per not in ("cluster", "job")

    def settle(self, document: Mapping[str, Any]) -> None:
        """Let every row of a log strike, until the scenario with all its logs says which of them do."""
        self.resolve(0.0, 1, self.recorded or ())

    def stated(self, key: str) -> object:
        """Return what the file says under *key*; None where it says nothing."""
        return getattr(self, f"stated_{key}" if hasattr(self, f"stated_{key}") else key)

    def contradictions(self) -> Iterator[Finding]:
        """Refuse rates, repairs and effects that contradict what the mode is about."""
        if self.replay is not None:
            yield from about_replay(self)
            return
        if self.stated_per is None:
            yield ("per",), f"missing; give what fails: {', '.join(PARTS)}"
            return
        yield from self.effect.about(self)
        yield from self._about_rate()
        yield from about_reach(self)
        yield from self._about_repair()
        kind = self.stated_lifetime.kind
        ages = self.ages == "new" and kind not in ("constant", "empirical")
        if not self.renews and not ages and kind != "exponential":
            yield ("renews",), "it needs ages: new and a weibull, lognormal or gamma lifetime; give both"

    def resolve(self, seconds: float, units: int, strikes: tuple[Recorded, ...]) -> None:
        """Take note of the *strikes* of a log, and spread them over so many *seconds* and *units*: its MTBF.

        A log of which nothing strikes counts as one of a single failure, as an MTBF has to be a number.
        """
        self._strikes = strikes
        repairs = tuple(row.repair_s for row in strikes if row.repair_s is not None)
        self._repairs = repairs or self._repairs
        self._restarts = 1 - len(repairs) / max(len(strikes), 1)
        self._mtbf = seconds * units / max(len(strikes), 1)

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
        if not self.effect.nodes_leave:
            return
        if self.stated_repair and not self.takes_nodes:
            yield ("repair",), f"a failure per {self.per} costs no node, so nothing is repaired; leave it out"
        elif self.transient < 1 and not self.takes_nodes:
            yield ("transient",), f"a failure per {self.per} never costs a node; leave it out"
        elif self.transient < 1 and not self.stated_repair:
            yield ("transient",), "nodes that fail for good need somewhere to go; give a repair"
