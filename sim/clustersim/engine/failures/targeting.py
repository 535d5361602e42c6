"""What a failure of a mode hits: its slots, its blast radius, and the handlers that are called with it.

A source says only that unit number u of a mode fails.  A unit is a card, a node, a rack, a pod or the whole
job; `Targeting` finds its slots, adds those that go down with it (`takes_down`, `spreads`), leaves out nodes
that are away or have failed already, and draws whether a restart is enough (`transient`).

With 8 cards a node and 4 nodes a rack, unit 77 of a mode `per: gpu` is in slot 9.  With `takes_down: rack`
slots 8 to 11 go down; if the node of slot 10 is in repair, the failure has the slots 8, 9 and 11.  If it
spreads to a share of 30 % of the rack, there is a draw for each place in it: slot 9 goes down whatever its
own one says, and with draws of 0.7, 0.4, 0.1 and 0.2 slot 11 does too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from clustersim.engine.origins import FailureDraws
from clustersim.engine.world import World
from clustersim.failure import Failure
from clustersim.records import SCOPES
from clustersim.scenario.keys.failure import FailureMode
from clustersim.streams import happens

UNITS_OF_A_NODE, WHOLE_JOB = ("gpu", "node"), ("cluster", "job")
JOB: Final = SCOPES.index("job")
CLUSTER: Final = SCOPES.index("cluster")
DOMAINS: Final = SCOPES.index("rack"), SCOPES.index("pod")
OnUnitFailure = Callable[[int, int], None]
"""Called with the number of a failure within its source, and the unit that it hits."""
FailureHandler = Callable[[Failure], None]
"""Called with a failure of the job."""
SpareFailureHandler = Callable[[Failure, int], None]
"""Called with a failure of an idle spare, and the number of its node."""
AwayHandler = Callable[[int, float], None]
"""Called with a node that is away, and the instant (s) before which it does not come back."""


class FailureContext:
    """What all modes share: the world that they strike, and the handlers of failures."""

    def __init__(self, world: World) -> None:
        self.env, self.scenario, self.cluster = world.env, world.scenario, world.cluster
        self.origins, self.streams = world.origins, world.origins.streams
        self.on_failure: list[FailureHandler] = []
        self.on_spare_failure: list[SpareFailureHandler] = []
        self.on_away: list[AwayHandler] = []

    def announce(self, failure: Failure) -> None:
        """Call the handlers of a *failure* of the job."""
        for handler in self.on_failure:
            handler(failure)

    def announce_spare(self, failure: Failure, node: int) -> None:
        """Call the handlers of a *failure* of the idle spare *node*."""
        for handler in self.on_spare_failure:
            handler(failure, node)

    def keep_away(self, node: int, until: float) -> None:
        """Keep *node*, which is away, from coming back before the instant *until* (s)."""
        for handler in self.on_away:
            handler(node, until)


class BlastRadius(NamedTuple):
    """What goes down together: a domain of so many slots, and its number in `SCOPES`."""

    slots: int
    scope: int


class Targeting:
    """What the failures of one mode hit, whichever of the mode's processes they come from.

    Nothing happens where no node is at work in what fails: a node that is away or down cannot fail again.
    """

    def __init__(self, context: FailureContext, mode: int, spec: FailureMode) -> None:
        self.context = context
        self.mode = mode
        self.name = context.origins.names[mode]
        self.spec = spec
        self.units_per_node = context.scenario.cluster.gpus_per_node if spec.per == "gpu" else 1
        self._unit_slots = context.scenario.slots_per(spec.per) if spec.per in ("rack", "pod") else 1
        self._blast = BlastRadius(context.scenario.slots_per(spec.takes_down), _scope(spec))
        self._spread = self._wider()
        self._spread_share = spec.spreads.probability if spec.spreads is not None else 0.0
        self._part = spec.spreads.share if spec.spreads is not None else 1.0
        self._alone = self._blast.slots == 1 and self._spread is None and self._blast.scope not in DOMAINS
        within = context.scenario.cluster.spares_within
        self._bound = len(SCOPES) if within is None else SCOPES.index(within)
        self._spreads = FailureDraws(context.origins, "spreads")
        self._transient = spec.transient
        self._transients = FailureDraws(context.origins, "transient")

    def __repr__(self) -> str:
        return f"Targeting({self.name!r})"

    def of_units(self) -> OnUnitFailure:
        """Return the function that the mode's own source calls with each failure's number and unit."""
        if self.spec.per in WHOLE_JOB:
            return lambda ordinal, _: self.at_job(self.mode, ordinal)
        if self.spec.per not in UNITS_OF_A_NODE:
            return self._at_many
        return self._at_node() if self._alone else self._at_part

    def at_job(self, origin: int, ordinal: int) -> None:
        """Let the whole job fail, without taking a node."""
        scope = CLUSTER if self.spec.per == "cluster" else JOB
        self.context.announce(Failure(self.mode, ordinal, (), True, origin, scope))

    def at_slot(self, origin: int, ordinal: int, slot: int) -> None:
        """Let *slot* fail, and all that goes down with it."""
        if not self.context.cluster.is_at_work(slot):
            return
        if not self._alone:
            self._at_domains(origin, ordinal, (slot,))
            return
        transient = self.is_transient(origin, ordinal)
        scope = JOB if transient else self._blast.scope
        self.context.announce(Failure(self.mode, ordinal, (slot,), transient, origin, scope))

    def at_node(self, origin: int, ordinal: int, node: int) -> bool:
        """Let *node* fail in its slot or as an idle spare, and return whether it was in one of these places.

        Nothing happens while it is away, or has failed and not left yet.
        """
        cluster = self.context.cluster
        slot = cluster.track().slot_of(node)
        if slot is not None and cluster.is_at_work(slot):
            self.at_slot(origin, ordinal, slot)
            return True
        idle = cluster.track().is_idle(node)
        if idle:
            self.at_spare(origin, ordinal, node)
        return idle

    def at_fleet(self, process: str) -> OnUnitFailure:
        """Return what is called with each failure of *process* and the node that it is to hit.

        An idle node fails only with the share of idle spares.
        """
        context, origin = self.context, self.context.origins.of(self.mode, process)
        locations, idle_share = context.cluster.track(), context.scenario.cluster.spare_failures
        chances = FailureDraws(context.origins, "idle").of(origin)

        def strike(index: int, node: int) -> None:
            if not locations.is_idle(node) or chances[index] < idle_share:
                self.at_node(origin, index, node)

        return strike

    def at_spare(self, origin: int, ordinal: int, node: int) -> None:
        """Let the idle spare *node* fail."""
        transient = self.is_transient(origin, ordinal)
        self.context.announce_spare(Failure(self.mode, ordinal, (), transient, origin, JOB), node)

    def is_transient(self, origin: int, ordinal: int) -> bool:
        """Return whether a restart is enough: no node leaves."""
        if self.spec.recorded is not None and origin == self.mode:
            return self.spec.recorded[ordinal].repair_s is None
        return happens(self._transients.of(origin), ordinal, self._transient)

    def _at_node(self) -> OnUnitFailure:
        """Return `_at_part` for nodes that fail alone, with all look-ups done once.

        Written for speed: most failures of most scenarios take this path.
        """
        context, mode, per_node, scope = self.context, self.mode, self.units_per_node, self._blast.scope
        is_at_work, on_failure = context.cluster.is_at_work, context.on_failure
        share, draws = self._transient, self._transients.of(mode)
        always = share == 1.0 if share in (0.0, 1.0) else None

        def strike(ordinal: int, unit: int) -> None:
            slot = unit // per_node
            if is_at_work(slot):
                transient = draws[ordinal] < share if always is None else always
                hit = Failure(mode, ordinal, (slot,), transient, mode, JOB if transient else scope)
                for handler in on_failure:
                    handler(hit)

        return strike

    def _at_part(self, ordinal: int, unit: int) -> None:
        self.at_slot(self.mode, ordinal, unit // self.units_per_node)

    def _at_many(self, ordinal: int, unit: int) -> None:
        slots = self._slots(unit * self._unit_slots, self._unit_slots)
        if slots:
            self._at_domains(self.mode, ordinal, slots, whole=True)

    def _at_domains(self, origin: int, ordinal: int, struck: Sequence[int], whole: bool = False) -> None:
        """Let all nodes at work fail in the domains of the slots *struck*, those of a *whole* unit or one.

        Spares that serve only these domains fail first, so that none of them replaces a failed node.
        """
        blast = self._blast
        spreads = self._spread is not None and self._spreads_now(origin, ordinal)
        if self._spread is not None and spreads:
            blast = self._spread
        first, count = _domain(struck, blast.slots)
        slots = struck if whole and blast.slots == self._unit_slots else self._slots(first, count)
        spares = self._bound_to(first, count, blast.scope)
        if spreads and self._part < 1:
            chances = self._chances(origin, ordinal, count + len(spares))
            own_first, own_count = _domain(struck, self._blast.slots)
            own = range(own_first, own_first + own_count)
            alone = len([slot for slot in slots if slot in own])
            slots = [slot for slot in slots if slot in own or chances[slot - first] < self._part]
            own_spares = self._bound_to(own_first, own_count, self._blast.scope)
            spares = [
                node
                for place, node in enumerate(spares, count)
                if node in own_spares or chances[place] < self._part
            ]
            blast = self._blast if len(slots) == alone else blast
        transient = self.is_transient(origin, ordinal)
        scope = JOB if transient else blast.scope
        for node in spares:
            self.context.announce_spare(Failure(self.mode, ordinal, (), transient, origin, scope), node)
        self.context.announce(Failure(self.mode, ordinal, slots, transient, origin, scope))

    def _bound_to(self, first: int, count: int, scope: int) -> Sequence[int]:
        """Return the idle spares bound to domains within so many slots, which are of that *scope*."""
        if self._bound <= scope in DOMAINS:
            return self.context.cluster.bound_to(first, count)
        return ()

    def _chances(self, origin: int, ordinal: int, count: int) -> list[float]:
        """Return one draw for each place of the domain to which a failure spreads, and each spare there."""
        return self.context.streams.first(f"{self.context.origins.names[origin]}/spreads/{ordinal}", count)

    def _spreads_now(self, origin: int, ordinal: int) -> bool:
        return happens(self._spreads.of(origin), ordinal, self._spread_share)

    def _slots(self, first: int, count: int) -> Sequence[int]:
        """Return the slots with nodes at work among so many from the *first* on."""
        return self.context.cluster.at_work(range(first, min(first + count, self.context.cluster.nodes)))

    def _wider(self) -> BlastRadius | None:
        """Return the domain to which a failure may spread, if that is more than it takes down by itself."""
        spreads = self.spec.spreads
        if spreads is None:
            return None
        wider = BlastRadius(self.context.scenario.slots_per(spreads.to), SCOPES.index(spreads.to))
        return wider if wider.slots > self._blast.slots else None


def _domain(struck: Sequence[int], size: int) -> tuple[int, int]:
    """Return the first slot of the domains of *size* that those *struck* are in, and how many slots."""
    first = struck[0] // size * size
    return first, (struck[-1] // size + 1) * size - first


def _scope(spec: FailureMode) -> int:
    """Return the scope of failures of a mode that are not transient: what goes down, or the card alone."""
    if spec.takes_down == "job":
        return JOB if spec.per == "job" else CLUSTER
    return SCOPES.index("gpu" if spec.per == "gpu" and not spec.takes_down_stated else spec.takes_down)
