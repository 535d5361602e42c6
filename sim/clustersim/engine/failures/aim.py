"""From what fails to a strike: which slots it takes, how far it reaches, and through which door it comes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import simpy

from clustersim.engine.cluster import Cluster
from clustersim.engine.failures.origins import Origins, StrikeDraws
from clustersim.records import SCOPES, Strike
from clustersim.scenario.model import FailureMode, Scenario
from clustersim.streams import Streams, happens

UNITS_OF_A_NODE, WHOLE_JOB = ("gpu", "node"), ("cluster", "job")
JOB, CLUSTER = SCOPES.index("job"), SCOPES.index("cluster")
DOMAINS = SCOPES.index("rack"), SCOPES.index("pod")
OnStrike = Callable[[int, int], None]
"""Called with the number of a strike within its source, and the unit that it hits."""
Door = Callable[[Strike], None]
SpareDoor = Callable[[Strike, int], None]
AwayDoor = Callable[[int, float], None]


class Site(NamedTuple):
    """Where failures strike: the cluster of a scenario, the names of draws, and who is told of strikes.

    Those in *on_strike* are told of strikes of the job, those in *on_spare* of strikes of idle spares, with
    the node, and those in *on_away* of a node that is away already and must stay so until an instant (s).
    """

    env: simpy.Environment
    scenario: Scenario
    streams: Streams
    origins: Origins
    cluster: Cluster
    on_strike: list[Door]
    on_spare: list[SpareDoor]
    on_away: list[AwayDoor]

    def strike(self, strike: Strike) -> None:
        """Tell the job of a *strike*."""
        for told in self.on_strike:
            told(strike)

    def strike_spare(self, strike: Strike, node: int) -> None:
        """Tell of a *strike* of the idle spare *node*."""
        for told in self.on_spare:
            told(strike, node)

    def keep_away(self, node: int, until: float) -> None:
        """Tell that *node* is away, and not to be back before the instant *until* (s)."""
        for told in self.on_away:
            told(node, until)


class Reach(NamedTuple):
    """What goes down together: so many slots, a whole domain of the topology, known to copies as *scope*."""

    slots: int
    scope: int


class Aim:
    """What the strikes of one mode hit; all of them, of whatever origin, come through here.

    A strike is void, and nothing happens, unless what fails holds a node at work.
    """

    def __init__(self, site: Site, mode: int, spec: FailureMode) -> None:
        self.site = site
        self.mode = mode
        self.name = site.origins.names[mode]
        self.spec = spec
        self.units_per_node = site.scenario.cluster.gpus_per_node if spec.per == "gpu" else 1
        self._unit_slots = site.scenario.slots_per(spec.per) if spec.per in ("rack", "pod") else 1
        self._reach = Reach(site.scenario.slots_per(spec.takes_down), _scope(spec))
        self._spread = self._wider()
        self._alone = self._reach.slots == 1 and self._spread is None and self._reach.scope not in DOMAINS
        within = site.scenario.cluster.spares_within
        self._bound = len(SCOPES) if within is None else SCOPES.index(within)
        self._spreads = StrikeDraws(site.streams, site.origins, "spreads")
        self._transient = spec.transient
        self._transients = StrikeDraws(site.streams, site.origins, "transient")

    def __repr__(self) -> str:
        return f"Aim({self.name!r})"

    def of_units(self) -> OnStrike:
        """Return what a strike of the mode's own process does, told its number and the unit that it hits."""
        if self.spec.per in WHOLE_JOB:
            return lambda ordinal, _: self.at_job(self.mode, ordinal)
        if self.spec.per not in UNITS_OF_A_NODE:
            return self._at_many
        return self._at_node() if self._alone else self._at_part

    def at_job(self, origin: int, ordinal: int) -> None:
        """Strike the whole job, without taking a node."""
        scope = CLUSTER if self.spec.per == "cluster" else JOB
        self.site.strike(Strike(self.mode, ordinal, (), True, origin, scope))

    def at_slot(self, origin: int, ordinal: int, slot: int) -> None:
        """Strike *slot*, and all that goes down with it."""
        if not self.site.cluster.is_at_work(slot):
            return
        if not self._alone:
            self._at_domains(origin, ordinal, (slot,))
            return
        transient = self.is_transient(origin, ordinal)
        scope = JOB if transient else self._reach.scope
        self.site.strike(Strike(self.mode, ordinal, (slot,), transient, origin, scope))

    def at_node(self, origin: int, ordinal: int, node: int) -> bool:
        """Strike *node* wherever it is, in its slot or idle as a spare, and return whether it is there.

        Nothing happens while it is away, or has failed and not left yet.
        """
        cluster = self.site.cluster
        slot = cluster.track().slot_of(node)
        if slot is not None and cluster.is_at_work(slot):
            self.at_slot(origin, ordinal, slot)
            return True
        idle = cluster.track().is_idle(node)
        if idle:
            self.at_spare(origin, ordinal, node)
        return idle

    def at_spare(self, origin: int, ordinal: int, node: int) -> None:
        """Strike the idle spare *node*."""
        transient = self.is_transient(origin, ordinal)
        self.site.strike_spare(Strike(self.mode, ordinal, (), transient, origin, JOB), node)

    def is_transient(self, origin: int, ordinal: int) -> bool:
        """Return whether all is well after a restart."""
        if self.spec.recorded is not None and origin == self.mode:
            return self.spec.recorded[ordinal].repair_s is None
        return happens(self._transients.of(origin), ordinal, self._transient)

    def _at_node(self) -> OnStrike:
        """Return the same as `_at_part` for nodes that fail alone: what most strikes do, without detours."""
        site, mode, per_node, scope = self.site, self.mode, self.units_per_node, self._reach.scope
        is_at_work, on_strike = site.cluster.is_at_work, site.on_strike
        share, draws = self._transient, self._transients.of(mode)
        always = share == 1.0 if share in (0.0, 1.0) else None

        def strike(ordinal: int, unit: int) -> None:
            slot = unit // per_node
            if is_at_work(slot):
                transient = draws[ordinal] < share if always is None else always
                hit = Strike(mode, ordinal, (slot,), transient, mode, JOB if transient else scope)
                for told in on_strike:
                    told(hit)

        return strike

    def _at_part(self, ordinal: int, unit: int) -> None:
        self.at_slot(self.mode, ordinal, unit // self.units_per_node)

    def _at_many(self, ordinal: int, unit: int) -> None:
        slots = self._slots(unit * self._unit_slots, self._unit_slots)
        if slots:
            self._at_domains(self.mode, ordinal, slots, whole=True)

    def _at_domains(self, origin: int, ordinal: int, struck: Sequence[int], whole: bool = False) -> None:
        """Strike all nodes at work in the domains in which the slots *struck* lie: of a *whole* unit, or one.

        The spares that are bound to them are struck before, so that none of them can help out.
        """
        reach = self._reach
        if self._spread is not None and self._spreads_now(origin, ordinal):
            reach = self._spread
        size = reach.slots
        first, after = struck[0] // size * size, (struck[-1] // size + 1) * size
        slots = struck if whole and size == self._unit_slots else self._slots(first, after - first)
        transient = self.is_transient(origin, ordinal)
        scope = JOB if transient else reach.scope
        if self._bound <= reach.scope in DOMAINS:
            for node in self.site.cluster.bound_to(first, after - first):
                self.site.strike_spare(Strike(self.mode, ordinal, (), transient, origin, scope), node)
        self.site.strike(Strike(self.mode, ordinal, slots, transient, origin, scope))

    def _spreads_now(self, origin: int, ordinal: int) -> bool:
        assert self.spec.spreads is not None
        return happens(self._spreads.of(origin), ordinal, self.spec.spreads.probability)

    def _slots(self, first: int, count: int) -> Sequence[int]:
        """Return the slots with nodes at work among so many from the *first* on."""
        return self.site.cluster.at_work(range(first, min(first + count, self.site.cluster.nodes)))

    def _wider(self) -> Reach | None:
        """Return the domain to which a strike may spread, if that is more than it takes down anyway."""
        spreads = self.spec.spreads
        if spreads is None:
            return None
        wider = Reach(self.site.scenario.slots_per(spreads.to), SCOPES.index(spreads.to))
        return wider if wider.slots > self._reach.slots else None


def _scope(spec: FailureMode) -> int:
    """Return how far the strikes of a mode reach that are not transient: what goes down, or just the card."""
    if spec.takes_down == "job":
        return JOB if spec.per == "job" else CLUSTER
    return SCOPES.index("gpu" if spec.per == "gpu" and not spec.takes_down_stated else spec.takes_down)
