"""The naive simulator's failures: which clock has run down, what it strikes, and the line about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from clustersim.scenario.keys.failure import Spread
from clustersim.scenario.kinds.effects import Crash, Hang
from clustersim.streams import uniform
from tests.oracle.clocks import Alarm, Source
from tests.oracle.job import IN_STRETCH
from tests.oracle.lineage import Bearer, Row

if TYPE_CHECKING:
    from tests.oracle.naive import Luck, Naive


@dataclass(eq=False)
class Strike:
    """A failure: number *k* of its origin, on slots (none for the whole job); `start` has no source.

    `nodes` are those that it struck and that have not left since; `noticed` says that its detection is over,
    `tries` how many copies have been tried after it.
    """

    luck: Luck
    source: Source
    cause: str
    origin: str
    k: int
    slots: list[int]
    transient: bool
    scope: str
    row: Row | None = None
    repair_s: float | None = None
    noticed: bool = False
    tries: int = 0
    nodes: set[int] = field(default_factory=set)

    def draw(self, quantity: str, sampler: Callable[..., Any] = uniform) -> float:
        return self.luck.draw(f"{self.origin}/{quantity}", self.k, sampler)

    @property
    def bearer(self) -> Bearer:
        return Bearer(self.cause, self.row)


class Strikes:
    """All failures of a replication, one at a time."""

    def __init__(self, world: Naive) -> None:
        self.world = world
        self.incidents: list[Row] = []

    def fail_once(self) -> bool:
        """Let the first failure of this instant strike, if there is one."""
        return any(
            self._own_clock(source)
            or self._spare_place(source)
            or any(self._lemon(source, kind) for kind in source.sour_processes)
            or self._alarm(source)
            or any(self._of_group(source, kind) for kind in source.of_groups)
            for source in self.world.sources
        )

    def _own_clock(self, source: Source) -> bool:
        index = next((index for index, clock in enumerate(source.clocks) if clock.fired), None)
        if index is None:
            return False
        node, unit = source.node_of(index), source.struck(index, self.world.now)
        k, source.strikes = source.strikes, source.strikes + 1
        if self._is_spared(source, unit, k):
            return True
        if node is not None:
            idle = node in self.world.fleet.idle
            self._on_node(source, f"{source.name}/spare" if idle else source.name, k, node)
        elif source.mode.takes_nodes:
            self._on_slots(source, source.name, k, self.world.fleet.unit_slots(source.mode, unit))
        else:
            self._on_job(source, source.name, k)
        return True

    def _is_spared(self, source: Source, unit: int, k: int) -> bool:
        """Whether a strike of the process of all units is not one, as the node is struck less often."""
        if not source.memoryless or not source.mode.groups:
            return False
        node = self.world.fleet.slots[unit // source.units_per_node]
        return node is not None and not source.happens(source.name, k, node, 1.0)

    def _of_group(self, source: Source, kind: str) -> bool:
        """A node of a group that is struck more often, wherever it is; an idle one by its share."""
        process = source.of_groups[kind]
        if not process.clock.fired:
            return False
        k, node = process.struck(self.world.now)
        share = self.world.scenario.cluster.spare_failures
        idle = node in self.world.fleet.idle
        if not idle or self.world.luck.draw(f"{process.origin}/idle", k) < share:
            self._on_node(source, process.origin, k, node)
        return True

    def _spare_place(self, source: Source) -> bool:
        process, idle = source.spares, self.world.fleet.idle
        if process is None or not process.clock.fired:
            return False
        k, place = process.struck(self.world.now)
        if place < len(idle) and source.happens(process.origin, k, idle[place], 1.0):
            self._on_spare(source, process.origin, k, idle[place])
        return True

    def _lemon(self, source: Source, kind: str) -> bool:
        process = source.sour_processes[kind]
        if not process.clock.fired:
            return False
        k, unit = process.struck(self.world.now)
        if not process.members:
            return True
        node = source.lemon(unit, kind)
        if node not in source.lemons or not source.happens(process.origin, k, node, source.highest):
            return True
        if node in self.world.fleet.idle:
            share = self.world.scenario.cluster.spare_failures
            if self.world.luck.draw(f"{process.origin}/idle", k) >= share:
                return True
        self._on_node(source, process.origin, k, node)
        return True

    def _alarm(self, source: Source) -> bool:
        """Something recorded, a relapse or a recurrence, if one is due."""
        now = self.world.now
        for alarms, origin in (
            (source.recorded, source.name),
            (source.relapses, f"{source.name}/relapse"),
            (source.recurrences, f"{source.name}/recurrence"),
        ):
            due = [alarm for alarm in alarms if alarm.instant <= now]
            if due:
                alarm = min(due)
                alarms.remove(alarm)
                self._ring(source, origin, alarm)
                return True
        return False

    def _ring(self, source: Source, origin: str, alarm: Alarm) -> None:
        if alarm.node < 0:
            self._on_job(source, origin, alarm.n)
            return
        if origin.endswith("/recurrence"):
            fault = (source.name, alarm.n, alarm.node)
            if fault not in self.world.fleet.faults or alarm.node not in self.world.fleet.at_work():
                return
            self.world.fleet.faults.remove(fault)
        self._on_node(source, origin, alarm.n, alarm.node)

    def _on_node(self, source: Source, origin: str, k: int, node: int) -> None:
        """Whatever strikes a node strikes it wherever it is; nothing happens if it is away or has failed."""
        if node in self.world.fleet.idle:
            self._on_spare(source, origin, k, node)
        elif node in self.world.fleet.at_work():
            self._on_slots(source, origin, k, [self.world.fleet.at_work()[node]])
        elif source.rows is not None and origin == source.name:
            self._stays_away(node, source.rows[k].repair_s)

    def _stays_away(self, node: int, repair_s: float | None) -> None:
        """A row names a node that is away already: it is not back before the row's repair ends."""
        if repair_s is not None:
            self.world.shops.stays.append((node, self.world.now + repair_s))

    def _on_spare(self, source: Source, origin: str, k: int, node: int) -> None:
        self._spare_fails(self._strike(source, origin, k, "node"), node)

    def _spare_fails(self, strike: Strike, node: int) -> None:
        """An idle spare fails, and goes to repair at once if it does not just need a restart."""
        row = self._row(strike, "idle", node)
        row["nodes_lost"] = 0 if strike.transient else 1
        if not strike.transient:
            self.world.fleet.fail([node], self.world.now)
            self.world.shops.send(strike, [self.world.fleet.take_spare(node)], Bearer(strike.cause, row))

    def _on_job(self, source: Source, origin: str, k: int) -> None:
        """The whole job fails; a site that is out by this mode cannot fail by it again."""
        if self.world.now < source.out_until:
            return
        scope = "cluster" if source.mode.per == "cluster" else "job"
        strike = self._strike(source, origin, k, scope)
        strike.transient = True
        plan = source.mode.repair_plan
        if source.mode.per == "cluster" and plan is not None and isinstance(source.mode.effect, Crash):
            source.out_until = self.world.now + strike.draw("repair", plan.first.sample)
            self.world.job.go_out(strike, source.out_until)
        elif strike.repair_s is not None:
            self.world.job.go_out(strike, self.world.now + strike.repair_s)
        self._meet(strike)

    def _on_slots(self, source: Source, origin: str, k: int, unit: list[int]) -> None:
        """A unit of the job fails; nothing happens if it holds no node at work."""
        if not unit:
            return
        fleet, mode, size = self.world.fleet, source.mode, self.world.scenario.slots_per
        level, spread = mode.takes_down, mode.spreads
        strike = self._strike(source, origin, k, {"job": "cluster"}.get(level, level))
        if mode.per == "gpu" and not mode.takes_down_stated:
            strike.scope = "gpu"
        strike.slots, spares = fleet.domain_slots(level, unit), fleet.spares_inside(level, unit)
        if spread and strike.draw("spreads") < spread.probability and size(spread.to) > size(level):
            self._spread_to(spread, strike, unit, spares)
        if strike.transient:
            strike.scope = "job"
        strike.nodes = {cast(int, fleet.slots[slot]) for slot in strike.slots}
        for node in spares:
            self._spare_fails(strike, node)
        self._meet(strike)

    def _spread_to(self, spread: Spread, strike: Strike, unit: list[int], spares: list[int]) -> None:
        """Add the domain's other nodes, each by its own draw: by place in it, then the spares bound to it."""
        fleet, size = self.world.fleet, self.world.scenario.slots_per(spread.to)
        begin, end = unit[0] // size * size, (unit[-1] // size + 1) * size
        inside, bound = fleet.domain_slots(spread.to, unit), fleet.spares_inside(spread.to, unit)
        own, own_spares = [slot for slot in strike.slots if slot in inside], list(spares)
        if spread.share < 1:
            name = f"{strike.origin}/spreads/{strike.k}"
            draws = self.world.luck.streams[name].random(end - begin + len(bound))
            inside = [slot for slot in inside if slot in own or draws[slot - begin] < spread.share]
            chances = dict(zip(bound, draws[end - begin :], strict=True))
            bound = [node for node in bound if node in own_spares or chances[node] < spread.share]
        strike.slots, spares[:] = inside, bound
        if spread.share == 1 or len(inside) > len(own):
            strike.scope = spread.to

    def _strike(self, source: Source, origin: str, k: int, scope: str) -> Strike:
        mode, repair_s = source.mode, None
        strike = Strike(self.world.luck, source, source.name, origin, k, [], True, scope)
        if source.rows is not None and origin == source.name:
            repair_s = source.rows[k].repair_s
            strike.transient, strike.repair_s = repair_s is None, repair_s
        elif mode.takes_nodes:
            strike.transient = strike.draw("transient") < mode.transient
        return strike

    def _row(self, strike: Strike, doing: str, node: int) -> Row:
        row: Row = {"time_s": self.world.now, "mode": strike.cause, "doing": doing, "node": node}
        row |= {"transient": strike.transient, "interruption": False, "nodes_lost": 0, "replica": -1}
        row |= {"tier": "", "lost_s": 0.0, "detection_s": 0.0, "recovery_s": 0.0, "waiting_s": 0.0}
        self.incidents.append(row)
        return row

    def _meet(self, strike: Strike) -> None:
        """Write the line of an incident of the job, and let it have its effect."""
        job, fleet = self.world.job, self.world.fleet
        hit = job.hit(strike)
        node = cast(int, fleet.slots[strike.slots[0]]) if strike.slots else -1
        strike.row = self._row(strike, job.activity_of(hit, strike.slots), node)
        if strike.slots and job.count > 1:
            strike.row["replica"] = hit[0].index
        effect = strike.source.mode.effect
        if isinstance(effect, Crash | Hang):
            self.crash(strike)
        else:
            self.world.effects.begin(effect, strike, job.doing in IN_STRETCH)

    def crash(self, strike: Strike) -> None:
        """What it struck fails: nodes, if it is not transient, and whatever is left of the job's parts."""
        assert strike.row is not None
        if not strike.transient:
            strike.row["nodes_lost"] = len(strike.slots)
            fleet = self.world.fleet
            fleet.failed.update(strike.slots)
            fleet.fail([cast(int, fleet.slots[slot]) for slot in strike.slots], self.world.now)
        self.world.job.crash(strike)
