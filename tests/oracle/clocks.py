"""Clocks of the naive simulator: how much of a lifetime is left, and who is struck when nothing is left."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from clustersim.distributions import Exponential
from clustersim.scenario.keys.failure import FailureMode, Lemons
from clustersim.scenario.model import Scenario

if TYPE_CHECKING:
    from tests.oracle.naive import Luck


@dataclass
class Clock:
    """What is left of one lifetime, running down at `speed` since the instant `since`."""

    left: float
    speed: float = 0.0
    since: float = 0.0
    fired: bool = False

    def due(self) -> float:
        return self.since + self.left / self.speed if self.speed > 0 else math.inf

    def turn(self, now: float, speed: float) -> None:
        """Run at another speed from now on."""
        if speed != self.speed:
            self.left = max(self.left - (now - self.since) * self.speed, 0.0)
            self.since, self.speed = now, speed

    def arrive(self, now: float) -> None:
        """Note that nothing is left, if that is so."""
        if self.due() <= now:
            self.fired, self.left, self.since = True, 0.0, now

    def again(self, now: float, life: float) -> None:
        """Begin the next lifetime."""
        self.fired, self.left, self.since = False, life, now


class Process:
    """A Poisson process beside the ordinary one: its strikes are known under a name of their own.

    `mean` is the gap of all members, or of `each` of them where their number may change.
    """

    def __init__(self, luck: Luck, origin: str, mean: float, members: int, each: bool = False) -> None:
        self.luck, self.origin, self.mean, self.members, self.strikes = luck, origin, mean, members, 0
        self.each = each
        self.clock = Clock(self._gap(0))

    @property
    def pace(self) -> int:
        """How fast its clock runs, the gaps being what they are."""
        return self.members if self.each else 1

    def _gap(self, k: int) -> float:
        return self.luck.draw(f"{self.origin}/gap", k, Exponential(self.mean).sample)

    def struck(self, now: float) -> tuple[int, int]:
        """Begin the next gap; say the number of the strike and which of its members is struck."""
        k, self.strikes = self.strikes, self.strikes + 1
        self.clock.again(now, self._gap(k + 1))
        return k, int(self.luck.draw(f"{self.origin}/unit", k) * self.members)


class GroupProcess(Process):
    """What nodes of groups fail beyond the mode's own rate: each so often as its weight says.

    `nodes` are in the order of the groups, and in each by number; `mean` is the gap of one of weight 1.
    """

    def __init__(self, luck: Luck, origin: str, mean: float, nodes: list[tuple[int, float]]) -> None:
        self.nodes = nodes
        super().__init__(luck, origin, mean / math.fsum(weight for _, weight in nodes), 1)

    def struck(self, now: float) -> tuple[int, int]:
        """Begin the next gap; say the number of the strike and the node that is struck."""
        k, self.strikes = self.strikes, self.strikes + 1
        self.clock.again(now, self._gap(k + 1))
        place = self.luck.draw(f"{self.origin}/unit", k) * math.fsum(weight for _, weight in self.nodes)
        for node, weight in self.nodes:
            if place < weight:
                return k, node
            place -= weight
        return k, self.nodes[-1][0]


@dataclass(order=True)
class Alarm:
    """A failure that is due at an instant: number *n* of its origin, on *node* (-1: the job)."""

    instant: float
    n: int
    node: int = field(compare=False)


class Source:
    """One failure mode: its clocks, in the order of the unit index, and the next life of each."""

    def __init__(self, scenario: Scenario, luck: Luck, name: str, mode: FailureMode) -> None:
        self.scenario, self.luck, self.name, self.mode = scenario, luck, name, mode
        self.cluster = scenario.cluster
        self.on_calendar = self._clock() == "calendar"
        self.strikes = 0
        self.recorded: list[Alarm] = []
        self.relapses: list[Alarm] = []
        self.recurrences: list[Alarm] = []
        self.returns = self.faults = 0
        self.out_until = 0.0
        self.owned = mode.per in ("gpu", "node")
        self.units_per_node = self.cluster.gpus_per_node if mode.per == "gpu" else 1
        self.lemons = self._lemons()
        self.groups = self._groups()
        self.sour: dict[str, list[int]] = {}
        self.of_groups: dict[str, GroupProcess] = {}
        self.sour_processes: dict[str, Process] = {}
        self.memoryless = isinstance(mode.lifetime, Exponential) or self.rows is not None
        self.clocks: list[Clock] = []
        self.spares: Process | None = None
        if self.rows is not None:
            rows = enumerate(self.rows)
            self.recorded = [Alarm(row.time_s, n, row.node) for n, row in rows]
        else:
            self.clocks = self._superposed() if self.memoryless else self._units()
            self.spares = self._spare_places()
            self._make_sour()
            self._make_groups()

    @property
    def rows(self) -> Any:
        """The rows of a log, where the mode comes from one."""
        return getattr(self.mode, "recorded", None)

    def _clock(self) -> str:
        """Which time runs; left out, only what a program does to itself needs one that trains."""
        written = self.scenario.written.failures[self.name]
        of_a_program = written.per == "job" and self.rows is None
        return written.clock or ("training" if of_a_program else "calendar")

    def _lemons(self) -> list[int]:
        """The numbers of the bad nodes, among those of the job and the spares."""
        if self.mode.lemons is None:
            return []
        numbers = range(self.cluster.nodes + self.cluster.spare_nodes)
        return [n for n in numbers if self.luck.draw(f"{self.name}/lemons", n) < self.mode.lemons.share]

    def _groups(self) -> dict[int, float]:
        """How many times as often as others each node of a group fails that the mode strikes in its own way.

        The nodes with the smallest draws belong to the first group, the next ones to the second.
        """
        numbers = range(self.cluster.nodes + self.cluster.spare_nodes)
        dealt = sorted(numbers, key=lambda n: self.luck.draw("cluster/groups", n) if self.mode.groups else n)
        self.members: list[list[int]] = []
        factors: dict[int, float] = {}
        for group in self.cluster.groups:
            self.members.append(dealt[: group.nodes])
            dealt = dealt[group.nodes :]
            factor = dict(self.mode.groups).get(group.name, 1.0)
            factors |= dict.fromkeys(self.members[-1], factor)
        return factors

    def own_rate(self, node: int | None) -> float:
        """How many times the mode's rate a good node with this number is struck."""
        return 1.0 if node is None else self.groups.get(node, 1.0)

    @property
    def highest(self) -> float:
        """The own rate of nodes of the group that is struck most often, or of those in none."""
        return max([1.0, *(factor for _, factor in self.mode.groups)])

    def happens(self, origin: str, k: int, node: int, most: float) -> bool:
        """Whether a strike of a process that runs as if each node had the rate *most* strikes this one."""
        share = self.own_rate(node) / most
        return share >= 1 or self.luck.draw(f"{origin}/group", k) < share

    def _make_groups(self) -> None:
        """What nodes of groups fail beyond the mode's own rate: those of the job, and those of the spares."""
        if not self.memoryless or not self.mode.groups:
            return
        job, spares = self.cluster.nodes, self.cluster.spare_nodes
        for kind, inside in (("group", range(job)), ("group/spare", range(job, job + spares))):
            nodes = [
                (node, self.groups[node] - 1)
                for members in self.members
                for node in sorted(members)
                if node in inside and self.groups[node] > 1
            ]
            if nodes:
                mean = self.mode.mtbf / self.units_per_node
                self.of_groups[kind] = GroupProcess(self.luck, f"{self.name}/{kind}", mean, nodes)

    def _superposed(self) -> list[Clock]:
        self.law = Exponential(self.scenario.mtbf_of(self.name))
        return [Clock(self.luck.draw(f"{self.name}/gap", 0, self.law.sample))]

    def _units(self) -> list[Clock]:
        count = job_units = self.scenario.units(self.name)
        if self.owned:
            count += self.cluster.spare_nodes * self.units_per_node
        law, rng = self.mode.lifetime, self.luck.streams[f"{self.name}/first"]
        draw = law.sample if self.mode.ages == "new" else law.residual
        first = [*draw(rng, job_units), *draw(rng, count - job_units)]
        self.ages = [0.0] * count
        self.lives = [float(life) for life in first]
        self.later = [self._later_lives(unit) for unit in range(count)]
        return [Clock(life) for life in self.lives]

    def _later_lives(self, unit: int) -> Iterator[float]:
        rng = None
        while True:
            rng = rng or self.luck.streams[f"{self.name}/life/{unit}"]
            if self.mode.renews or not self.lives[unit]:
                yield float(self.mode.lifetime.sample(rng, 1)[0])
            else:
                self.ages[unit] += self.lives[unit]
                yield self.mode.lifetime.remaining(self.ages[unit], 1 - float(rng.random()))

    def add_node(self, bought: int, retired: int) -> None:
        """Begin the first lives of the parts of a node that has just been bought; it may be a bad one."""
        if self.mode.lemons is not None:
            self._replace_lemon(self.mode.lemons, bought, retired)
        if retired in self.groups:
            self.groups[bought] = self.groups[retired]
        for process in self.of_groups.values():
            process.nodes = [(bought if node == retired else node, weight) for node, weight in process.nodes]
        if not self.owned or self.memoryless:
            return
        for unit in range(len(self.clocks), len(self.clocks) + self.units_per_node):
            self.ages.append(0.0)
            self.lives.append(0.0)
            self.later.append(self._later_lives(unit))
            self.lives[unit] = next(self.later[unit])
            self.clocks.append(Clock(self.lives[unit]))

    def _spare_places(self) -> Process | None:
        cluster = self.cluster
        if not cluster.spare_nodes or not cluster.spare_failures or self.mode.per in ("cluster", "job"):
            return None
        if not self.memoryless and self.owned:
            return None
        mean = self.mode.mtbf / self.units_per_node / cluster.spare_nodes / cluster.spare_failures
        return Process(self.luck, f"{self.name}/spare", mean, cluster.spare_nodes)

    def _make_sour(self) -> None:
        """What lemons fail beyond the rate of a good node: those of the job, of the spares, replacements."""
        spec, job = self.mode.lemons, self.cluster.nodes
        if not self.memoryless or spec is None or spec.factor == 1:
            return
        self.sour["lemon"] = [node for node in self.lemons if node < job]
        self.sour["lemon/spare"] = [node for node in self.lemons if node >= job]
        mean = self.mode.mtbf / (spec.factor - 1) / self.highest
        for kind, nodes in self.sour.items():
            if units := len(nodes) * self.units_per_node:
                process = Process(self.luck, f"{self.name}/{kind}", mean / units, units)
                self.sour_processes[kind] = process
        self.sour["lemon/replacement"] = []
        process = Process(self.luck, f"{self.name}/lemon/replacement", mean, 0, each=True)
        self.sour_processes["lemon/replacement"] = process

    def _replace_lemon(self, spec: Lemons, bought: int, retired: int) -> None:
        """Say whether the node that takes a retired one's place is a bad one."""
        share = spec.share if spec.in_replacements is None else spec.in_replacements
        k = bought - self.cluster.nodes - self.cluster.spare_nodes
        bad = self.luck.draw(f"{self.name}/lemons/replacement", k) < share
        self.lemons = [node for node in self.lemons if node != retired] + [bought] * bad
        if "lemon/replacement" in self.sour:
            kept = [node for node in self.sour["lemon/replacement"] if node != retired]
            self.sour["lemon/replacement"] = kept + [bought] * bad
            units = len(kept + [bought] * bad) * self.units_per_node
            self.sour_processes["lemon/replacement"].members = units

    def repaired(self, node: int, chance: float, manual: bool) -> None:
        """A repair after a failure of this mode may heal a bad node, or make a good one bad."""
        spec = self.mode.lemons
        if spec is None:
            return
        if node in self.lemons and chance < spec.healed[manual]:
            self.lemons.remove(node)
        elif node not in self.lemons and chance < spec.turns_bad:
            self.lemons.append(node)
        else:
            return
        if "lemon/replacement" in self.sour:
            of_old = self.sour["lemon"] + self.sour["lemon/spare"]
            later = [node for node in self.lemons if node not in of_old]
            self.sour["lemon/replacement"] = later
            self.sour_processes["lemon/replacement"].members = len(later) * self.units_per_node

    def lemon(self, unit: int, kind: str) -> int:
        """The node that holds one of the units of the bad nodes."""
        return self.sour[kind][unit // self.units_per_node]

    def processes(self) -> list[Process]:
        """The processes beside the ordinary one, in the order in which they strike at one instant."""
        others = [*self.sour_processes.values(), *self.of_groups.values()]
        return [*([self.spares] if self.spares else []), *others]

    def all_clocks(self) -> list[Clock]:
        return self.clocks + [process.clock for process in self.processes()]

    def alarms(self) -> list[Alarm]:
        return self.recorded + self.relapses + self.recurrences

    def factor(self, now: float) -> float:
        """How many times the rate holds at this instant of the run."""
        value = 1.0
        for start, factor in self.mode.over_time:
            value = factor if now >= start else value
        return value

    def node_of(self, index: int) -> int | None:
        """The node whose presence lets the clock run, None for a clock of no node in particular."""
        return index // self.units_per_node if self.owned and not self.memoryless else None

    def wear(self, node: int | None) -> float:
        """How many times as fast the parts of a node age."""
        bad = self.mode.lemons.factor if self.mode.lemons and node in self.lemons else 1.0
        return bad * self.own_rate(node)

    def struck(self, index: int, now: float) -> int:
        """Begin the next lifetime of a clock that has fired, and say which unit is struck."""
        if self.memoryless:
            k = self.strikes
            self.clocks[0].again(now, self.luck.draw(f"{self.name}/gap", k + 1, self.law.sample))
            return int(self.luck.draw(f"{self.name}/unit", k) * self.scenario.units(self.name))
        self.lives[index] = next(self.later[index])
        self.clocks[index].again(now, self.lives[index])
        return index
