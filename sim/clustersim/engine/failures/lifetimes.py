"""Failures of units that age: each has a lifetime of its own and travels with its node.

Used where lifetimes are not exponential.  A unit's lifetime is drawn once and runs down at its pace: 1 while
its node is in service, less while the node is an idle spare, 0 while it is away.  A heap holds the ends of
those lives that fall within the run; an entry that no longer holds is dropped when it comes to the top.

A unit with 100 h left whose node is an idle spare at pace 0.1 for 200 h has 80 h left.  If it then serves in
a slot, it fails 80 h later; if its node goes to repair first, for another reason, the 80 h wait with it.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from heapq import heapify, heappop, heappush
from typing import NamedTuple

import numpy as np

from clustersim.arrays import Floats
from clustersim.distributions import Distribution
from clustersim.engine.failures.groups import GroupRates
from clustersim.engine.failures.sources import FailureSource, Process
from clustersim.engine.failures.targeting import OnUnitFailure


class Ageing(NamedTuple):
    """How units age: the law of their lifetimes, in the `steady` state at time 0 or new then.

    `renews`: a repaired unit is as new; else it goes on at the age at which it failed.  The units of the
    nodes in `lemons` age `factor` times as fast, those of `groups` so many times as fast as that.
    """

    lifetime: Distribution
    steady: bool
    renews: bool
    lemons: Collection[int]
    factor: float
    groups: GroupRates | None = None


class AgeingUnits(FailureSource):
    """Units that age: each has a lifetime of its own, which runs on only where its node is in service.

    A unit whose node works at *pace* 1 ages with the mode's own time, an idle spare's at `idle_pace`, and
    those of *lemons* so many times as fast.  Only units that fail before the horizon, or whose node moved,
    are stored one by one.
    """

    def __init__(
        self,
        process: Process,
        *,
        ageing: Ageing,
        units: int,
        units_per_node: int,
        spare_units: int,
        idle_pace: float,
        longest: float,
        on_failure: OnUnitFailure,
    ) -> None:
        super().__init__(process)
        self._streams = process.streams
        self._name = process.name
        self._ageing = ageing
        self._per_node = units_per_node
        self._idle_pace = idle_pace
        self._longest = longest
        self._on_failure = on_failure
        self._index = -1
        self._first = self._first_lives(units, spare_units)
        self._pace: dict[int, float] = {}
        self._due: dict[int, float] = {}
        self._left: dict[int, float] = {}
        self._age: dict[int, float] = {}
        self._later: dict[int, np.random.Generator] = {}
        self._born: dict[int, float] = {}
        self._working = units
        self._begin()

    def _begin(self) -> None:
        """Find the units whose first life ends before the horizon, and the first failure."""
        ageing = self._first if self._idle_pace > 0 else self._first[: self._working]
        ends = ageing / self._first_paces(len(ageing))
        soon = np.flatnonzero(ends <= self._longest)
        self._heap = list(zip(ends[soon].tolist(), soon.tolist(), strict=True))
        heapify(self._heap)
        self._find_next()

    def _first_lives(self, units: int, spare_units: int) -> Floats:
        """Draw what is left of each unit's life at time 0; those of the job do not depend on the spares."""
        draw = self._ageing.lifetime.residual if self._ageing.steady else self._ageing.lifetime.sample
        rng = self._streams[f"{self._name}/first"]
        return np.concatenate((draw(rng, units), draw(rng, spare_units)))

    def moved(self, node: int, slot: int | None, idle: bool) -> None:
        """Set the pace of the units of *node*, which has moved."""
        self._age_at(1.0 if slot is not None else self._idle_pace * idle, node)

    def failed(self, node: int) -> None:
        """Stop the ageing of the units of *node*, which has failed."""
        self._age_at(0.0, node)

    def _age_at(self, pace: float, node: int) -> None:
        for unit in range(node * self._per_node, (node + 1) * self._per_node):
            self._set_pace(unit, pace * self._speed(unit))
        before = self.due, self.unit
        self._find_next()
        if before != (self.due, self.unit):
            self.schedule()

    def _find_next(self) -> None:
        """Find the next failure, dropping entries of the heap that no longer hold."""
        heap = self._heap
        while heap and self._due_of(heap[0][1]) != heap[0][0]:
            heappop(heap)
        self.due, self.unit = heap[0] if heap else (math.inf, 0)

    def _hit(self) -> None:
        due, unit = heappop(self._heap)
        self._index = index = self._index + 1
        self._live(unit, due, self._next_life(unit))
        self._find_next()
        self._on_failure(index, unit)

    def _next_life(self, unit: int) -> float:
        """Return the life that begins with the repair of *unit*."""
        rng = self._generator(unit)
        if self._ageing.renews:
            return float(self._ageing.lifetime.sample(rng, 1)[0])
        age = self._age.get(unit) or self._first_life(unit)
        life = self._ageing.lifetime.remaining(age, 1.0 - rng.random())
        self._age[unit] = age + life
        return life

    def _set_pace(self, unit: int, pace: float) -> None:
        """Keep what is left of a unit's life while it changes its *pace*; a life that ends now has ended."""
        now, before = self._own_time(), self._pace_of(unit)
        if self._due_of(unit) <= now:
            self._pace[unit] = pace
            return
        if before > 0 and self._due_of(unit) != now + self._left.get(unit, self._first_life(unit)) / before:
            self._left[unit] = (self._due_of(unit) - now) * before
        self._pace[unit] = pace
        left = self._left.get(unit)
        self._live(unit, now, self._first_life(unit) if left is None else left)

    def _live(self, unit: int, begin: float, life: float) -> None:
        pace = self._pace_of(unit)
        self._left[unit] = life
        if pace == 0:
            self._due[unit] = math.inf
            return
        self._due[unit] = due = begin + life / pace
        if due <= self._longest:
            heappush(self._heap, (due, unit))

    def _pace_of(self, unit: int) -> float:
        pace = self._pace.get(unit)
        return self._first_pace(unit) if pace is None else pace

    def _first_pace(self, unit: int) -> float:
        """Return how fast *unit* ages at time 0; a node that comes later does not yet."""
        if unit >= len(self._first):
            return 0.0
        return self._speed(unit) * (1.0 if unit < self._working else self._idle_pace)

    def _due_of(self, unit: int) -> float:
        due = self._due.get(unit)
        if due is not None:
            return due
        pace = self._first_pace(unit)
        return self._first_life(unit) / pace if pace else math.inf

    def _first_life(self, unit: int) -> float:
        """Return the life with which *unit* begins; a node that came later begins with a new one."""
        if unit < len(self._first):
            return float(self._first[unit])
        if unit not in self._born:
            self._born[unit] = float(self._ageing.lifetime.sample(self._generator(unit), 1)[0])
        return self._born[unit]

    def _generator(self, unit: int) -> np.random.Generator:
        """Return the stream of the later lives of *unit*."""
        if unit not in self._later:
            self._later[unit] = self._streams[f"{self._name}/life/{unit}"]
        return self._later[unit]

    def _speed(self, unit: int) -> float:
        """Return how fast *unit* ages, relative to one of a good node."""
        node, ageing = unit // self._per_node, self._ageing
        speed = ageing.factor if node in ageing.lemons else 1.0
        return speed if ageing.groups is None else speed * ageing.groups.factor(node)

    def _first_paces(self, units: int) -> Floats:
        """Return how fast each of the first *units* ages at time 0: the job's, then those of spares."""
        paces = np.ones(units)
        paces[self._working :] = self._idle_pace
        if self._ageing.lemons:
            of_lemons = np.isin(np.arange(units) // self._per_node, list(self._ageing.lemons))
            paces[of_lemons] *= self._ageing.factor
        if self._ageing.groups is not None:
            paces *= self._ageing.groups.factors(np.arange(units) // self._per_node)
        return paces
