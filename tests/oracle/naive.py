"""A naive simulator of one replication: every save, stage, repair, strike and window is an event of its own.

Written from the page of the model alone, without the engine, as literally as possible and with no regard
for speed.
It draws the same named streams, so that it must meet the same failures and book the same seconds.
All results are in seconds of the whole job.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise
from typing import Any

from clustersim.scenario.model import Scenario
from clustersim.streams import Draws, Streams, uniform
from tests.oracle.clocks import Source
from tests.oracle.effects import Effects
from tests.oracle.fleet import Fleet
from tests.oracle.job import IN_STRETCH, Job
from tests.oracle.lineage import Books, Lineage, Row
from tests.oracle.saves import Tiers
from tests.oracle.shops import Shops
from tests.oracle.strikes import Strikes

__all__ = ["Luck", "Naive", "Row"]
ROUNDING = 1e-10  # of the run; what is closer nominally falls on one instant that no float holds
GRAIN = 1024  # lifetimes that end together at a multiple of 1 s / 1024 do so in any arithmetic


class Luck:
    """The draws of one replication, each known by its name and its number."""

    def __init__(self, scenario: Scenario, replication: int) -> None:
        self.streams = Streams(scenario.simulation.seed, replication)
        self.drawn: dict[str, Draws] = {}

    def draw(self, name: str, k: int, sampler: Callable[..., Any] = uniform) -> float:
        if name not in self.drawn:
            self.drawn[name] = Draws(self.streams, name, sampler)
        return float(self.drawn[name][k])


class Naive:
    """One replication of a scenario; `run` it once and read what it booked.

    `rounded` is set where rounding decided which of two events came first, or might have.
    """

    def __init__(self, scenario: Scenario, replication: int) -> None:
        self.scenario = scenario
        self.luck = Luck(scenario, replication)
        self.now, self.end, self.reached_s = 0.0, scenario.end_s, math.nan
        self.agenda: list[tuple[float, float, int, Callable[[], None], object]] = []
        self.scheduled = 0
        self.windows = [0 for _ in scenario.maintenance]
        self.rounded = False
        self.sources = [Source(scenario, self.luck, *pair) for pair in scenario.failures.items()]
        self.books = Books(scenario.simulation.warm_up)
        self.lineage = Lineage(self.books)
        self.tiers = Tiers(scenario)
        self.fleet = Fleet(scenario)
        self.shops = Shops(self)
        self.effects = Effects(self)
        self.strikes = Strikes(self)
        self.job = Job(self)
        self.waiting_s = 0.0
        self.counts: list[tuple[float, float, int, int]] = []
        self.ledger, self.charges, self.stages = self.books.ledger, self.books.charges, self.books.stages
        self.spans, self.incidents = self.books.spans, self.strikes.incidents

    @property
    def kept(self) -> float:
        return self.lineage.kept

    def run(self) -> Naive:
        self.job.begin()
        self.complete()
        while self.now < self.end:
            self.turn_clocks()
            self.pass_time(self.next_instant())
            self.complete()
            while math.isnan(self.reached_s) and self.strikes.fail_once():
                self.complete()
            for entry in range(len(self.windows)):
                if math.isnan(self.reached_s) and self.now == self.next_window(entry):
                    self.job.stops.window(entry, self.windows[entry])
                    self.windows[entry] += 1
            if math.isnan(self.reached_s):
                self.job.stops.begin_if_due()
                self.complete()
        self.lineage.close()
        for row in self.incidents:
            self.books.mean_over_lanes(row)
        return self

    def next_window(self, entry: int) -> float:
        """When the next planned stop of an entry falls due."""
        plan, past = self.scenario.maintenance[entry], self.windows[entry]
        if plan.every is not None:
            return (past + 1) * plan.every
        return plan.at[past] if past < len(plan.at) else math.inf

    def next_instant(self) -> float:
        instants = [self.end, *(entry[0] for entry in self.agenda)]
        instants += [self.next_window(entry) for entry in range(len(self.windows))]
        instants += [stop.begins for stop in self.job.stops.due.values() if stop.begins > self.now]
        for source in self.sources:
            instants += [clock.due() for clock in source.all_clocks()]
            instants += [alarm.instant for alarm in source.alarms()]
            instants += [start for start, _ in source.mode.over_time if start > self.now]
        ahead = sorted(instant for instant in instants if instant > self.now)
        self.rounded |= any(0 < b - a < ROUNDING * self.end for a, b in pairwise([self.now, *ahead]))
        return max(min(instants), self.now)

    def turn_clocks(self) -> None:
        """Set the speed of every clock by what holds from this instant on."""
        at_work, share = self.fleet.at_work(), self.scenario.cluster.spare_failures
        idle = set(self.fleet.idle)
        for source in self.sources:
            runs = source.on_calendar or self.job.doing in IN_STRETCH
            speed = source.factor(self.now) if runs else 0.0
            for index, clock in enumerate(source.clocks):
                node = source.node_of(index)
                part = 1.0 if node is None or node in at_work else share if node in idle else 0.0
                clock.turn(self.now, speed * part * source.wear(node))
            for process in source.processes():
                process.clock.turn(self.now, speed * process.pace)

    def pass_time(self, until: float) -> None:
        self.job.pass_time(self.now, until)
        counted = self.books.counted(self.now, until)
        self.counts.append((self.now, counted, self.shops.away, len(self.fleet.idle)))
        self.waiting_s += counted if any(one.doing == "waiting" for one in self.job.down()) else 0.0
        self.now = until
        clocks = [clock for source in self.sources for clock in source.all_clocks()]
        for clock in clocks:
            clock.arrive(until)
        together = sum(clock.fired for clock in clocks) > 1
        self.rounded |= together and not (until * GRAIN).is_integer()

    def complete(self) -> None:
        """Do all that ends at this instant, and what ends at once because of it."""
        while self.agenda and min(self.agenda)[0] <= self.now and math.isnan(self.reached_s):
            entry = min(self.agenda)
            self.agenda.remove(entry)
            entry[3]()

    def at(self, instant: float, rank: float, action: Callable[[], None], owner: object = None) -> None:
        self.scheduled += 1
        self.agenda.append((instant, rank, self.scheduled, action, owner))

    def cancel(self, *ranks: float, owner: object = None) -> None:
        self.agenda = [entry for entry in self.agenda if entry[1] not in ranks or entry[4] is not owner]

    def reach_target(self) -> None:
        self.reached_s = self.end = self.now
