"""What fails: one mode of failure, how often, how it is noticed, and how it is repaired."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

from clustersim.distributions import Distribution, Empirical
from clustersim.scenario.keys.blocks import KEY, NAMES, Block, Finding, fill, key, under
from clustersim.scenario.keys.laws import Lifetimes, Time
from clustersim.scenario.keys.logs import Recorded, Replay
from clustersim.scenario.keys.machine import Domain
from clustersim.scenario.keys.quantities import (
    INSTANT,
    FailureRate,
    Flag,
    Name,
    PositiveDuration,
    PositiveShare,
    Reads,
    Share,
    plain,
    table,
    words,
)
from clustersim.scenario.keys.repair import RepairPlan, RepairTime, SharesByPart
from clustersim.scenario.kinds.effects import ABOUT, WITHOUT_NODES, EffectKind, Effects
from clustersim.units import PARTS

Part = Literal["gpu", "node", "rack", "pod", "cluster", "job"]
Ages = Literal["steady", "new"]
Clock = Literal["calendar", "training"]
Reach = Literal["node", "rack", "pod", "replica", "job"]
REACHES = ("node", "rack", "pod", "replica", "job")
WITH_DOMAIN: Mapping[str, Reach] = {"rack": "rack", "pod": "pod", "cluster": "job", "job": "job"}
SIZES = ("gpu", "node", "rack", "pod")
OF_NODES = ("gpu", "node")


class Lemons(Block):
    """Bad nodes: the mode's rate is that of a good node, and each lemon fails `factor` times as often.

    `healed` and `turns_bad` are about the repairs of this mode's own failures.
    """

    share: PositiveShare = key("share of all nodes, spares too, that are lemons, such as 5 %")
    factor: Annotated[float, plain(1, 1e6)] = key("how often a lemon fails, times the rate of a good node")
    healed: SharesByPart = key(
        "share of a lemon's repairs that make it a good node: 60 %, or {automatic: 60 %, manual: 80 %}",
        "0 %",
        quiet=True,
    )
    turns_bad: Share = key(
        "share of a good node's repairs that make it a lemon, such as 1 %", "0 %", quiet=True
    )
    in_replacements: Share | None = key(
        "share of lemons among the nodes that replace retired ones; the same share if left out", None
    )

    @property
    def changes(self) -> bool:
        """Whether repairs make good nodes of lemons, or lemons of good nodes."""
        return bool(self.turns_bad or any(self.healed))

    @property
    def share_of_replacements(self) -> float:
        """Share of lemons among the nodes that replace retired ones."""
        return self.share if self.in_replacements is None else self.in_replacements


class Relapse(Block):
    """A repair that did not last: the node fails again soon, on top of the base rate."""

    probability: PositiveShare = key("share of the nodes that come back from repair and fail again")
    within: PositiveDuration = key("the time after the return in which they do, evenly spread, such as 1 d")


class Spread(Block):
    """A failure that takes its neighbours along."""

    to: Annotated[Domain, words("rack", "pod")] = key("what it spreads to: rack or pod")
    probability: PositiveShare = key("share of the failures that spread")
    share: PositiveShare = key(
        "share of the domain's other nodes that go down then, each by its own draw, such as 30 %",
        "100 %",
        quiet=True,
    )


_FACTORS = table(INSTANT, plain(0, 1e6), "{0 d: 3, 14 d: 1}")


def _over_time(value: object) -> tuple[tuple[float, float], ...]:
    return () if value is None else tuple(({0.0: 1.0} | _FACTORS.parse(value)).items())


OverTime = Annotated[tuple[tuple[float, float], ...], Reads(_over_time, _FACTORS.schema)]


@dataclass(frozen=True, slots=True)
class FailureMode:
    """One way in which something fails: times in seconds, shares of 1.

    `mtbf` is that of one unit, and the mean of its `lifetime`.  `over_time` are the instants from which a
    factor on the rate holds.  `takes_down` is what leaves together, `transient` the share of failures after
    which the node is fine once the job restarts, `detect` the time until it is noticed (None: the recovery's
    own stage).  `repair_plan` is what happens to a node that left, or how long the effect lasts where that
    is the repair time.  `recorded` are the failures of a log in the order of time; None where they are
    random.  Of these, `strikes` strike; others name a node that is away, and extend what took it.  `groups`
    are the names of groups of nodes, each with how often its nodes fail, times the rate of the others.
    """

    per: Part
    mtbf: float
    lifetime: Distribution
    ages: Ages
    clock: Clock
    effect: EffectKind
    takes_down: Reach
    takes_down_stated: bool
    spreads: Spread | None
    lemons: Lemons | None
    groups: tuple[tuple[str, float], ...]
    relapse: Relapse | None
    over_time: tuple[tuple[float, float], ...]
    transient: float
    detect: Distribution | None
    repair_plan: RepairPlan | None
    renews: bool
    recorded: tuple[Recorded, ...] | None
    strikes: tuple[Recorded, ...]

    @property
    def takes_nodes(self) -> bool:
        """Whether its failures strike nodes, not only the job's processes."""
        return self.per not in WITHOUT_NODES

    @property
    def is_outage(self) -> bool:
        """Whether each failure keeps the whole site out for its repair time."""
        return self.per == "cluster" and self.effect.stops_at_once and self.repair_plan is not None

    @property
    def keeps_site_out(self) -> bool:
        """Whether the whole site is out for a time by any of its failures, random or recorded."""
        return self.is_outage or any(row.is_outage for row in self.strikes)

    @property
    def scope(self) -> str:
        """What a failure takes down that is not transient and does not spread: a checkpoint tier's word."""
        if self.per in ("cluster", "job") or (self.per == "gpu" and not self.takes_down_stated):
            return self.per
        return "cluster" if self.takes_down == "job" else self.takes_down

    @property
    def repair(self) -> Distribution | None:
        """Time for which a node that left is away (of a pipeline, its mean)."""
        return self.repair_plan.whole if self.repair_plan else None

    def recorded_until(self, end: float) -> int:
        """Return how many recorded failures strike before the *end* of the run (seconds)."""
        return sum(row.time_s < end for row in self.strikes)


class FailureModeBlock(Block):
    """One way in which something fails."""

    misplaced: ClassVar[Mapping[str, str]] = {
        "crews": "crews belong to the repair; write repair: {constant: 4 h, crews: 12}"
    }
    per: Annotated[Part, words(*PARTS)] | None = key(
        f"what fails: {', '.join(PARTS)}; left out with a replay", None
    )
    rate: FailureRate | None = key("how often, such as 6.5 / 1000 node-days; or mtbf", None)
    mtbf: PositiveDuration | None = key(
        "mean time between failures of one such unit, such as 16.4 y; or rate", None
    )
    lifetime: Lifetimes = key("how lifetimes scatter around the MTBF", "exponential")
    ages: Annotated[Ages, words("steady", "new")] = key(
        "at time 0 units are in the steady state, or new", "steady"
    )
    clock: Annotated[Clock, words("calendar", "training")] | None = key(
        "calendar: it strikes at all times; training (default per job): only while the job trains or saves",
        None,
    )
    effect: Effects = key(ABOUT, "crash")
    takes_down: Annotated[Reach, words(*REACHES)] | None = key(
        "what leaves together: node (default for gpu and node), rack, pod, replica or job",
        None,
    )
    spreads: Spread | None = key(
        "a share takes the domain along, or part of it: {to: rack, probability: 3 %, share: 30 %}", None
    )
    lemons: Lemons | None = key("nodes that fail more often: {share: 5 %, factor: 8}", None)
    groups: Annotated[Mapping[Name, Annotated[float, plain(0, 1e6, above=True)]], NAMES] = key(
        "how often nodes of cluster.groups fail, times the rate of the others: {old_firmware: 5}",
        {},
        quiet=True,
    )
    relapse: Relapse | None = key(
        "nodes that fail again soon after a repair: {probability: 22 %, within: 1 d}", None
    )
    over_time: OverTime = key("factors on the rate along the run: {0 d: 3, 14 d: 1}", None)
    transient: Share | None = key(
        "share of failures after which a restart is enough; 0 % with a repair", None
    )
    detect: Time | None = key("time until it is noticed; replaces recovery.stages.detect for this mode", None)
    notice: PositiveDuration | None = key(
        "it is announced: nodes leave so long after the notice, such as 2 min, and the job saves before", None
    )
    saves: Share | None = key(
        "share of the saves made in the notice that can be loaded; all of them if left out", None
    )
    repair: RepairTime | None = key("time for which the node is away; none: every failure is transient", None)
    renews: Flag = key("a repaired unit is as new, or as old as it was", True)
    replay: Replay | None = key(
        "recorded failures instead of random ones: a file such as logs/incidents.csv, or rows", None
    )

    def resolve(
        self,
        units: Callable[[str], int] = lambda _: 1,
        log_s: float = 1.0,
        strikes: tuple[Recorded, ...] | None = None,
    ) -> FailureMode:
        """Return the mode; a log is that of so many *units* of what fails, for *log_s* seconds.

        *strikes* are the rows of the log that strike; all of them if left out.
        """
        recorded = self.rows()
        strikes = (recorded or ()) if strikes is None else strikes
        per = self.per or ("node" if any(row.node >= 0 for row in recorded or ()) else "job")
        # A log of which nothing strikes counts as one of a single failure, as an MTBF has to be a number.
        mtbf = self._random_mtbf() if recorded is None else log_s * units(per) / max(len(strikes), 1)
        repairs = _repairs(strikes)
        transient = self._transient() if recorded is None else 1 - len(repairs) / max(len(strikes), 1)
        absences = repairs or _repairs(recorded or ())
        return fill(
            FailureMode,
            self,
            per=per,
            mtbf=mtbf,
            lifetime=self.lifetime.around(mtbf),
            clock=self.clock or self.usual_clock(per),
            effect=self.effect.announced(self.notice, self.saves),
            takes_down=self.takes_down or WITH_DOMAIN.get(per, "node"),
            takes_down_stated=self.takes_down is not None,
            transient=transient if self.effect.nodes_leave and per not in WITHOUT_NODES else 1.0,
            repair_plan=RepairPlan(Empirical(absences)) if absences else self.repair,
            groups=tuple(self.groups.items()),
            recorded=recorded,
            strikes=strikes,
        )

    def rows(self) -> tuple[Recorded, ...] | None:
        """Return the failures of a log in the order of time; None where failures are random."""
        return None if self.replay is None else self._in_order(planned=False)

    def planned(self) -> tuple[Recorded, ...]:
        """Return the planned stops of a log in the order of time."""
        return self._in_order(planned=True)

    def _in_order(self, planned: bool) -> tuple[Recorded, ...]:
        rows = (row for row in self.replay or () if row.planned == planned)
        return tuple(sorted(rows, key=lambda row: row.time_s))

    def default(self, key: str) -> Any:
        """Return what holds where the key is left out."""
        return self.usual_clock(self.per) if key == "clock" else super().default(key)

    def usual_clock(self, per: str | None) -> Clock:
        """Return the clock where none is given: a program fails only while it runs, anything else always.

        A log says when its failures struck on the calendar.
        """
        return "training" if per == "job" and self.replay is None else "calendar"

    def _random_mtbf(self) -> float:
        if self.mtbf is not None:
            return self.mtbf
        return self.rate.mtbf if self.rate else self.lifetime.around(math.inf).mean

    def _transient(self) -> float:
        if self.transient is not None:
            return self.transient
        return 1.0 if self.repair is None else 0.0

    def contradictions(self) -> Iterator[Finding]:
        """Refuse rates, repairs and effects that contradict what the mode is about."""
        if self.per is None and self.replay is None:
            yield "per", f"missing; give what fails: {', '.join(PARTS)}"
            return
        mode, stated = self.resolve(), {name: getattr(self, name) for name in self.model_fields_set}
        if self.saves is not None and self.notice is None:
            yield "saves", "nothing is announced for which one could save; give notice, or leave it out"
        yield from mode.effect.about_mode(mode.per, stated)
        if mode.recorded is not None:
            yield from _beside_a_log(mode, stated)
            return
        yield from self._about_rate(mode)
        yield from self._about_reach(mode)
        if mode.effect.nodes_leave:
            yield from self._about_repair(mode)

    def _about_rate(self, mode: FailureMode) -> Iterator[Finding]:
        kind, given = self.lifetime.kind, self.given("rate", "mtbf")
        if kind == "empirical" and given:
            yield given[0], "the list of lifetimes gives the MTBF; leave it out"
        elif kind != "empirical" and len(given) != 1:
            yield (), f"{' and '.join(given) or 'neither rate nor mtbf'} given; give either a rate or an mtbf"
        if self.rate and self.rate.part not in (None, mode.per):
            yield "rate", f"a rate per {self.rate.part} contradicts per: {mode.per}; make them the same"
        ages = self.ages == "new" and kind not in ("constant", "empirical")
        if not self.renews and not ages and kind != "exponential":
            yield "renews", "it needs ages: new and a weibull, lognormal or gamma lifetime; give both"

    def _about_reach(self, mode: FailureMode) -> Iterator[Finding]:
        """Yield what is wrong with what it takes down and spreads to, and with nodes that differ."""
        down, per = self.takes_down, mode.per
        if down is not None and not mode.takes_nodes:
            yield "takes_down", f"a failure per {per} stops the whole job anyway; leave it out"
        elif down in SIZES and SIZES.index(down) < SIZES.index(per):
            yield "takes_down", f"a {per} is more than a {down}; give {per} or more, or leave it out"
        if mode.spreads is not None:
            yield from under(("spreads",), _about_spreads(mode, mode.spreads.to))
        different = [*self.given("lemons", "relapse"), *["groups"] * bool(self.groups)]
        for name in different if per not in OF_NODES else ():
            yield name, f"only nodes differ, not what fails per {per}; use it per gpu or per node"
        if mode.relapse is not None and per in OF_NODES and self.repair is None:
            yield "relapse", "nodes fail again after a repair, and there is none; give repair"
        if self.lemons is not None:
            yield from under(("lemons",), self._about_changes(self.lemons))

    def _about_changes(self, lemons: Lemons) -> Iterator[Finding]:
        """Refuse lemons that change in repairs that there are not, or by a part that their repair lacks."""
        for name in ("healed", "turns_bad") if self.repair is None and lemons.changes else ():
            if name in lemons.model_fields_set:
                yield name, "nodes change in a repair, and there is none; give repair"
        automatic, manual = lemons.healed
        if self.repair is not None and self.repair.second is None and automatic != manual:
            yield "healed", "the repair has one part only; give one share, such as healed: 60 %"

    def _about_repair(self, mode: FailureMode) -> Iterator[Finding]:
        if mode.is_outage:
            yield from self._about_outage()
        elif self.repair and mode.effect.is_announced and mode.per == "cluster":
            yield "notice", "an outage of the site strikes at once; leave it out"
        elif self.repair and not mode.takes_nodes:
            yield "repair", f"a failure per {mode.per} costs no node, so nothing is repaired; leave it out"
        elif self.transient is not None and self.transient < 1 and not mode.takes_nodes:
            yield "transient", f"a failure per {mode.per} never costs a node; leave it out"
        elif mode.transient < 1 and not self.repair:
            yield "transient", "nodes that fail for good need somewhere to go; give a repair"

    def _about_outage(self) -> Iterator[Finding]:
        """Refuse what has no meaning where the whole site is out for a time."""
        if self.repair is not None and self.repair != RepairPlan(self.repair.first):
            yield "repair", "an outage of the site has one length; give one law, such as 9 h"
        if self.transient is not None:
            yield "transient", "an outage of the site costs no node; leave it out"
        if self.effect.without_detection:
            yield "effect", "an outage of the site shows at once; leave the effect out"
        elif self.detect is not None:
            yield "detect", "an outage of the site shows at once; leave it out"


def _repairs(rows: tuple[Recorded, ...]) -> tuple[float, ...]:
    return tuple(row.repair_s for row in rows if row.repair_s is not None and row.node >= 0)


def _about_spreads(mode: FailureMode, to: str) -> Iterator[Finding]:
    down = mode.takes_down
    if not mode.takes_nodes:
        yield (), f"a failure per {mode.per} strikes no node that has neighbours; leave it out"
    elif down == "job" or (down in SIZES and SIZES.index(to) <= SIZES.index(down)):
        yield "to", f"the {down} goes down anyway; spread to more, or leave it out"


_RANDOM = ("rate", "mtbf", "lifetime", "ages", "clock", "over_time", "renews", "lemons", "groups", "relapse")
_SAID_BY_A_LOG = dict.fromkeys(_RANDOM, "the log says when it fails") | dict.fromkeys(
    ("transient", "repair"), 'the log\'s column "repair" says it'
)


def _beside_a_log(mode: FailureMode, stated: Mapping[str, object]) -> Iterator[Finding]:
    """Yield what is stated beside a replay although the log says it, or nothing is random."""
    for name in (name for name in _SAID_BY_A_LOG if name in stated):
        yield (name, KEY), f"{name} beside replay: {_SAID_BY_A_LOG[name]}; leave it out"
    if mode.per not in ("node", "job"):
        yield "per", f"a log names nodes, not what fails per {mode.per}; leave it out"
    if mode.per == "job" and any(row.node >= 0 for row in mode.recorded or ()):
        yield "per", "the log names nodes; leave it out"
    if not mode.effect.nodes_leave and any(row.repair_s is not None for row in mode.recorded or ()):
        why = f"with the effect {mode.effect.word}, no node leaves; leave the repairs out of the log"
        yield "effect", why
    elif mode.effect.is_announced and any(row.is_outage for row in mode.recorded or ()):
        yield "notice", "an outage of the site strikes at once; leave it out, or give those rows a mode"
    elif not mode.effect.stops_at_once and any(row.is_outage for row in mode.recorded or ()):
        yield (
            "effect",
            f"an outage of the site stops the job at once, it is never {mode.effect.word}; leave it out",
        )
    for name in (name for name in ("takes_down", "spreads") if name in stated and not mode.takes_nodes):
        yield (name, KEY), "no row of the log names a node; leave it out"
