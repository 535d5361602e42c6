"""A naive simulator of one replication: every save, stage, repair, strike and window is an event of its own.

Written from the page of the model alone, without the engine, as literally as possible and with no regard
for speed.
It draws the same named streams, so that it must meet the same failures and book the same seconds.
All results are in seconds of the whole job.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable
from itertools import pairwise
from typing import Any

from sim.scenario.model import Scenario, Stage
from sim.streams import Draws, Streams, uniform
from tests.oracle.clocks import Source
from tests.oracle.fleet import Fleet

STAGE, REPAIR, TARGET, SAVE, DURABLE, WINDOW = range(
    6
)  # the order of completions at one instant; repairs by mode
IN_STRETCH = ("training", "saving")
ROUNDING = 1e-10  # of the run; what is closer nominally falls on one instant that no float holds
Row = dict[str, Any]


class Naive:
    """One replication of a scenario; `run` it once and read what it booked.

    `rounded` is set where rounding decided which of two events came first, `coincided` where a failure fell
    on the instant of another one or of a completion.
    """

    def __init__(self, scenario: Scenario, replication: int) -> None:
        self.scenario = scenario
        self.streams = Streams(scenario.simulation.seed, replication)
        self.fleet = Fleet(scenario)
        self.sources = [Source(scenario, self.streams, *pair) for pair in scenario.failures.items()]
        self.now, self.end, self.reached_s = 0.0, scenario.end_s, math.nan
        self.agenda: list[tuple[float, float, int, Callable[[], None]]] = []
        self.scheduled = 0
        self.pending: list[tuple[Source, int, list[int]]] = []
        self.awaiting: int | None = None
        self.after_window: tuple[str, int, Row] | None = None
        self.windows, self.final_save = 0, False
        self.rounded = self.coincided = False
        self.kept = 0.0
        self.ledger: dict[str, float] = defaultdict(float)
        self.charges: dict[tuple[str, str], float] = defaultdict(float)
        self.stages: dict[str, float] = defaultdict(float)
        self.spans: list[tuple[float, float, str, str]] = []
        self.incidents: list[Row] = []

    def run(self) -> Naive:
        if self.scenario.recovery.at_start:
            self.begin_chain("start", 0, None)
        else:
            self.begin_stretch()
        self.complete()
        while self.now < self.end:
            self.turn_clocks()
            self.pass_time(self.next_instant())
            self.complete()
            while math.isnan(self.reached_s) and self.fail_once():
                self.complete()
            if math.isnan(self.reached_s) and self.now == self.next_window():
                self.begin_window()
                self.complete()
        if self.doing in IN_STRETCH:
            self.end_stretch(math.inf, "horizon", None)
        return self

    def next_instant(self) -> float:
        instants = [self.end, self.next_window(), *(entry[0] for entry in self.agenda)]
        for source in self.sources:
            instants += [clock.due() for clock in source.all_clocks()]
            instants += [start for start, _ in source.mode.over_time if start > self.now]
        ahead = sorted(instant for instant in instants if instant > self.now)
        self.rounded |= any(0 < b - a < ROUNDING * self.end for a, b in pairwise([self.now, *ahead]))
        return max(min(instants), self.now)

    def turn_clocks(self) -> None:
        """Set the speed of every clock by what holds from this instant on."""
        at_work, share = self.fleet.at_work(), self.scenario.cluster.spare_failures
        for source in self.sources:
            runs = source.mode.clock == "calendar" or self.doing in IN_STRETCH
            speed = source.factor(self.now) if runs else 0.0
            for index, clock in enumerate(source.clocks):
                node = source.node_of(index)
                part = 1.0 if node is None or node in at_work else share if node in self.fleet.idle else 0.0
                clock.turn(self.now, speed * part)
            if source.spare_clock:
                source.spare_clock.turn(self.now, speed)

    def pass_time(self, until: float) -> None:
        if self.doing == "training":
            self.segments.append((self.now, until))
            self.useful += until - self.now
        else:
            self.book(self.now, until, self.entry, self.cause, self.row, self.stage)
        self.now = until
        clocks = [clock for source in self.sources for clock in source.all_clocks()]
        for clock in clocks:
            clock.arrive(until)
        failures = sum(clock.fired for clock in clocks)
        ends = sum(entry[0] <= until for entry in self.agenda)
        self.coincided |= failures > 1 or (failures == 1 and ends > 0)

    def complete(self) -> None:
        """Do all that ends at this instant, and what ends at once because of it."""
        while self.agenda and min(self.agenda)[0] <= self.now and math.isnan(self.reached_s):
            entry = min(self.agenda)
            self.agenda.remove(entry)
            entry[3]()

    def at(self, instant: float, rank: float, action: Callable[[], None]) -> None:
        self.scheduled += 1
        self.agenda.append((instant, rank, self.scheduled, action))

    def cancel(self, *ranks: int) -> None:
        self.agenda = [entry for entry in self.agenda if entry[1] not in ranks]

    def enter(self, doing: str, entry: str, cause: str, row: Row | None, stage: str = "") -> None:
        """Book the time from now on as this."""
        self.doing, self.entry, self.cause, self.row, self.stage = doing, entry, cause, row, stage

    def book(
        self, start: float, end: float, entry: str, cause: str, row: Row | None, stage: str = ""
    ) -> None:
        """Book a span of time; what lies before the warm-up's end counts for the incident only."""
        self.spans.append((start, end, entry, stage))
        counted = max(end - max(start, self.scenario.simulation.warm_up), 0.0)
        self.ledger[entry] += counted
        if entry != "productive":
            self.charges[cause, entry] += counted
        if stage:
            self.stages[stage] += counted
        if row is not None and entry != "productive":
            row[f"{entry}_s"] += end - start
            if stage:
                row[f"stage_{stage}_s"] = row.get(f"stage_{stage}_s", 0.0) + end - start

    def begin_stretch(self) -> None:
        self.enter("training", "training", "", None)
        self.start, self.useful, self.saved = self.now, 0.0, 0.0
        self.segments: list[tuple[float, float]] = []
        self.expect_target()
        if self.scenario.checkpoint is not None:
            self.at(self.start + self.save_offset(1), SAVE, lambda: self.begin_save(1))

    def whole_steps(self, seconds: float) -> float:
        step = self.scenario.workload.step_time
        return seconds if not step else math.ceil(seconds / step - 1e-9) * step

    def save_offset(self, k: int) -> float:
        """When the k-th save of a stretch begins, after the stretch's start."""
        spec = self.scenario.checkpoint
        assert spec is not None
        between = self.whole_steps(max(spec.interval, spec.durable_after))
        return self.whole_steps(spec.interval) + (k - 1) * (between + spec.blocks)

    def begin_save(self, k: int) -> None:
        spec = self.scenario.checkpoint
        assert spec is not None
        self.enter("saving", "checkpoint", "checkpoint", None)
        self.cancel(TARGET)
        content = self.save_offset(k) - (k - 1) * spec.blocks
        ends = self.save_offset(k) + spec.blocks
        self.at(self.start + ends, SAVE, lambda: self.end_save(k))
        self.at(self.start + (ends + spec.durable_after), DURABLE, lambda: self.copy_durable(content))

    def end_save(self, k: int) -> None:
        self.enter("training", "training", "", None)
        self.expect_target()
        self.at(self.start + self.save_offset(k + 1), SAVE, lambda: self.begin_save(k + 1))

    def copy_durable(self, content: float) -> None:
        self.saved = content

    def expect_target(self) -> None:
        target = self.scenario.target_s
        if target is not None:
            self.at(self.now + (target - self.kept - self.useful), TARGET, self.reach_target)

    def reach_target(self) -> None:
        self.reached_s = self.end = self.now

    def end_stretch(self, saved: float, cause: str, row: Row | None) -> None:
        """Book every second of training of the stretch: kept up to what is saved, lost beyond it."""
        self.cancel(SAVE, DURABLE, TARGET)
        self.final_save = False
        before = 0.0
        for start, end in self.segments:
            border = min(max(start + (saved - before), start), end)
            self.book(start, border, "productive", cause, row)
            self.book(border, end, "lost", cause, row)
            before += end - start
        self.kept += min(self.useful, saved)

    def next_window(self) -> float:
        plan = self.scenario.maintenance
        return math.inf if plan is None else (self.windows + 1) * plan.every

    def begin_window(self) -> None:
        self.windows += 1
        plan, spec = self.scenario.maintenance, self.scenario.checkpoint
        if plan is None or self.doing not in IN_STRETCH or self.final_save:
            return
        if plan.abrupt or spec is None:
            self.end_stretch(self.saved, "maintenance", None)
            self.stand_still(plan.takes)
            return
        self.cancel(SAVE, DURABLE, TARGET)
        self.final_save = True
        self.enter("saving", "checkpoint", "checkpoint", None)
        self.at(self.now + (spec.blocks + spec.durable_after), SAVE, lambda: self.end_final_save(plan.takes))

    def end_final_save(self, takes: float) -> None:
        self.end_stretch(math.inf, "maintenance", None)
        self.stand_still(takes)

    def stand_still(self, takes: float) -> None:
        self.enter("maintenance", "maintenance", "maintenance", None)
        self.after_window = None
        self.at(self.now + takes, WINDOW, self.end_window)

    def end_window(self) -> None:
        if self.after_window is None:
            self.begin_stretch()
        else:
            self.begin_chain(*self.after_window)

    def begin_chain(self, cause: str, k: int, row: Row | None) -> None:
        """Begin to recover from an incident, or (without one) to start the job at time 0."""
        self.cancel(STAGE)
        self.awaiting = None
        self.chain, self.attempt = (cause, k, row), 0
        self.begin_stage(0 if row is not None else 1)

    def begin_stage(self, index: int) -> None:
        stages, (cause, _, row) = self.scenario.recovery.stages, self.chain
        if index == len(stages) or stages[index].kind == "nodes":
            self.awaiting = index
            self.look_for_nodes()
            return
        stage = stages[index]
        doing = "detection" if stage.kind == "detect" else "recovery"
        self.enter(doing, doing, cause, row, stage.name)
        self.at(self.now + self.stage_duration(stage), STAGE, lambda: self.end_stage(index))

    def chain_draw(self, quantity: str, sampler: Callable[..., Any]) -> float:
        cause, k, _ = self.chain
        name = f"{cause}/{quantity}" + (f"/{self.attempt}" if self.attempt else "")
        return float(Draws(self.streams, name, sampler)[k])

    def stage_duration(self, stage: Stage) -> float:
        if stage.kind == "detect":
            law = self.scenario.failures[self.chain[0]].detect or stage.duration
            return self.chain_draw("detect", law.sample)
        return self.chain_draw(f"stage/{stage.name}", stage.duration.sample)

    def end_stage(self, index: int) -> None:
        stage = self.scenario.recovery.stages[index]
        if stage.kind == "detect":
            self.send_to_repair()
        if stage.fails and self.chain_draw(f"fails/{stage.name}", uniform) < stage.fails:
            self.attempt += 1
            self.begin_stage(1)
        else:
            self.begin_stage(index + 1)

    def look_for_nodes(self) -> None:
        """Where nodes are awaited: fill the slots as far as possible, go on when all are filled and ready."""
        if self.awaiting is None:
            return
        for instant in self.fleet.fill(self.now):
            self.at(instant, REPAIR, self.look_for_nodes)
        cause, _, row = self.chain
        if self.fleet.empty:
            self.enter("waiting", "waiting", cause, row)
            return
        if self.fleet.provisioning(self.now):
            self.enter("recovery", "recovery", cause, row, "nodes")
            return
        index, self.awaiting = self.awaiting, None
        if index == len(self.scenario.recovery.stages):
            self.begin_stretch()
        else:
            self.begin_stage(index + 1)

    def send_to_repair(self) -> None:
        """All failed nodes leave their slots, each incident's to the repair of its mode."""
        pending, self.pending = self.pending, []
        for source, k, slots in pending:
            self.queue_repair(source, self.fleet.leave(slots), "repair", k)

    def queue_repair(self, source: Source, nodes: list[int], quantity: str, k: int) -> None:
        assert source.mode.repair is not None
        duration = source.draw(quantity, k, source.mode.repair.sample)
        self.fleet.shops[source.name].append((nodes, duration))
        self.begin_repairs(source)

    def begin_repairs(self, source: Source) -> None:
        for nodes, duration in self.fleet.begin_repairs(source):
            rank = REPAIR + 1e-6 * self.sources.index(source)
            self.at(self.now + duration, rank, lambda nodes=nodes: self.end_repair(source, nodes))

    def end_repair(self, source: Source, nodes: list[int]) -> None:
        self.fleet.busy[source.name] -= 1
        self.fleet.come_back(nodes, self.awaiting is not None)
        self.begin_repairs(source)
        self.look_for_nodes()

    def fail_once(self) -> bool:
        """Let the first failure of this instant strike, if there is one."""
        for source in self.sources:
            for index, clock in enumerate(source.clocks):
                if clock.fired:
                    self.unit_fails(source, index)
                    return True
            if source.spare_clock and source.spare_clock.fired:
                self.spare_place_fails(source)
                return True
        return False

    def unit_fails(self, source: Source, index: int) -> None:
        node, unit = source.node_of(index), source.struck(index, self.now)
        if node is None:
            self.strike(source, self.fleet.slots_of(source.mode, unit))
        elif node in self.fleet.idle:
            k, source.strikes = source.strikes, source.strikes + 1
            self.spare_fails(source, node, k)
        else:
            self.strike(source, [slot for held, slot in self.fleet.at_work().items() if held == node])

    def spare_place_fails(self, source: Source) -> None:
        place = source.spare_struck(self.now)
        k, source.spare_strikes = source.spare_strikes, source.spare_strikes + 1
        if place < len(self.fleet.idle):
            self.spare_fails(source, self.fleet.idle[place], k)

    def spare_fails(self, source: Source, node: int, k: int) -> None:
        transient = source.draw("spare/transient", k) < source.mode.transient
        self.incidents.append(self.new_row(source, "idle", transient, 0 if transient else 1))
        if not transient:
            self.queue_repair(source, [self.fleet.take_spare(node)], "spare/repair", k)

    def new_row(self, source: Source, doing: str, transient: bool, nodes_lost: int) -> Row:
        row: Row = {"time_s": self.now, "mode": source.name, "doing": doing, "transient": transient}
        row |= {"interruption": doing in IN_STRETCH, "nodes_lost": nodes_lost}
        return row | {"lost_s": 0.0, "detection_s": 0.0, "recovery_s": 0.0, "waiting_s": 0.0}

    def strike(self, source: Source, slots: list[int]) -> None:
        """A unit of the job fails; nothing happens if it holds no node at work."""
        k, source.strikes = source.strikes, source.strikes + 1
        takes_nodes = source.mode.per not in ("cluster", "job")
        if takes_nodes and not slots:
            return
        transient = not takes_nodes or source.draw("transient", k) < source.mode.transient
        row = self.new_row(source, self.doing, transient, 0 if transient else len(slots))
        self.incidents.append(row)
        if not transient:
            self.fleet.failed.update(slots)
            self.pending.append((source, k, slots))
        self.disturb(source, k, row)

    def disturb(self, source: Source, k: int, row: Row) -> None:
        """Let the job meet an incident: it stops, begins its recovery again, or absorbs it."""
        if self.doing in IN_STRETCH:
            self.end_stretch(self.saved, source.name, row)
            self.begin_chain(source.name, k, row)
        elif self.doing == "maintenance":
            self.after_window = (source.name, k, row)
        elif self.scenario.recovery.during_recovery == "restart":
            self.begin_chain(source.name, k, row)
        elif self.doing != "detection":
            self.send_to_repair()
            self.look_for_nodes()
