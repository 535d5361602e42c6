"""The job: one gang-scheduled training run, from failure to failure.

It trains while all of its slots hold nodes at work.  An incident ends the stretch of training, or begins the
recovery again; the job detects, recovers stage by stage, waits for missing nodes, and trains on.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Mapping, Sequence
from typing import Any, Protocol

import simpy

from sim.checkpoints import SaveSchedule
from sim.cluster import Cluster
from sim.failures.clock import COMPLETION, WINDOW, At
from sim.journal import NOBODY, Journal
from sim.ledger import Causes
from sim.records import Doing, Strike
from sim.recovery import Stages
from sim.repair import RepairShop
from sim.scenario.model import Scenario

TRAINING, SAVING, DETECTION, RECOVERY, WAITING, MAINTENANCE, IDLE = Doing
Process = Generator[simpy.Event, Any, None]


class TrainingClock(Protocol):
    """Whoever must know when training begins and ends: the failure modes on the training clock."""

    def training_begins(self) -> None:
        """Training begins now."""

    def training_ends(self) -> None:
        """Training ends now."""


class Job:
    """The job of a scenario, as a SimPy process.

    `_doing` is its one state, entered at `_since`.  `finished` happens when the target is reached, at
    `reached`; `progress` is the training kept so far, in seconds.
    """

    def __init__(
        self,
        env: simpy.Environment,
        scenario: Scenario,
        schedule: SaveSchedule,
        stages: Stages,
        cluster: Cluster,
        journal: Journal,
    ) -> None:
        self.progress = 0.0
        self.reached = math.nan
        self.finished = env.event()
        self._env = env
        self._schedule = schedule
        self._stages = stages
        self._cluster = cluster
        self._journal = journal
        self._causes = Causes(tuple(scenario.failures))
        self._restarts = scenario.recovery.during_recovery == "restart"
        self._target = scenario.target_s
        self._maintenance = scenario.maintenance
        self._window = 1
        self._final_save = 0.0
        if scenario.checkpoint is not None:
            self._final_save = scenario.checkpoint.blocks + scenario.checkpoint.durable_after
        self._rack_size = scenario.cluster.nodes_per_rack
        self._incident: Strike | None = None
        if scenario.recovery.at_start:
            self._incident = Strike(self._causes.start, 0, (), True)
        self._line = NOBODY
        self._doing = DETECTION
        self._stage = 0
        self._since = self._began = 0.0
        self._stopped = math.inf
        self._failed: list[Strike] = []
        self._arrival: simpy.Event | None = None

    def __repr__(self) -> str:
        return f"Job({self._doing.label} since {self._since}, progress {self.progress})"

    def begin(self, clock: TrainingClock, shops: Mapping[int, RepairShop]) -> None:
        """Start at time 0: train, or recover first where the start is not free."""
        self._clock = clock
        self._shops = shops
        self._process = self._env.process(self._run())

    def strike(self, strike: Strike) -> None:
        """Let a failure hit the job: the only way in."""
        doing, line = self._doing, self._note(strike)
        if not strike.transient:
            self._cluster.fail(strike.slots)
            self._failed.append(strike)
        if doing is MAINTENANCE:
            self._incident, self._line = strike, line
        elif doing <= SAVING or self._restarts:
            self._process.interrupt((strike, line))
        elif doing is not DETECTION:
            self._send_away()
            if doing is RECOVERY and self._stage == self._stages.nodes:
                self._process.interrupt()

    def strike_spare(self, strike: Strike, node: int) -> None:
        """Let a failure hit the idle spare *node*: the job does not notice."""
        self._journal.incident(self._env.now, strike, node, -1, IDLE, False)
        if not strike.transient:
            self._cluster.withdraw(node)
            self._shops[strike.mode].bring((node,), strike.ordinal, spare=True)

    def take_back(self, nodes: Sequence[int]) -> None:
        """Take repaired *nodes*: at once where the job waits for nodes, else as spares."""
        self._cluster.restore(nodes, wanted=self._doing is WAITING)
        if self._arrival is not None and not self._cluster.missing:
            self._arrival.succeed()
            self._arrival = None

    def finish(self) -> None:
        """Book what is still open, and let `finished` happen: work since the last save counts."""
        if self._doing <= SAVING:
            self._end_stretch()
        self._enter(IDLE)
        if not self.finished.triggered:
            self.finished.succeed()

    def _run(self) -> Process:
        while math.isnan(self.reached):
            try:
                if self._incident is not None:
                    yield from self._recover(self._incident)
                yield from self._train()
            except simpy.Interrupt as interruption:
                strike, line = interruption.cause  # type: ignore[misc]
                self._break_off(strike, line)

    def _train(self) -> Process:
        """Train until the target is reached, or a maintenance window begins."""
        self._enter(TRAINING)
        self._incident, self._line = None, NOBODY
        self._began, self._stopped = self._since, math.inf
        self._clock.training_begins()
        target, window = self._time_of_target(), self._next_window()
        if target <= window:
            yield At(self._env, target, COMPLETION) if target < math.inf else self._env.event()
            self.reached = self._env.now
            self.finish()
        else:
            yield At(self._env, window, WINDOW)
            yield from self._maintain()

    def _maintain(self) -> Process:
        """Save, and stand still for the window; what strikes meanwhile is recovered from afterwards."""
        assert self._maintenance is not None
        self._window += 1
        if self._maintenance.abrupt:
            saved = self._schedule.saved(self._began, self._env.now)
            self._end_stretch(saved, self._causes.maintenance)
        else:
            self._stopped = self._env.now
            self._enter(SAVING)
            if self._final_save:
                yield self._env.timeout(self._final_save)
            self._end_stretch()
        self._enter(MAINTENANCE)
        yield self._env.timeout(self._maintenance.takes)
        self._enter(DETECTION)

    def _recover(self, incident: Strike) -> Process:
        """Go through the stages, again after one that fails, until every slot holds a node that is ready."""
        mode, ordinal, _, _ = incident
        env, stages = self._env, self._stages
        if time := stages.detection(mode, ordinal):
            yield env.timeout(time)
        if self._failed:
            self._send_away()
        attempt, steps = 0, iter(stages.steps)
        while step := next(steps, None):
            stage, constant, fails, awaits_nodes = step
            if awaits_nodes:
                if not self._cluster.fill(env.now):
                    yield from self._await_nodes()
                continue
            self._enter(RECOVERY, stage)
            yield env.timeout(
                stages.duration(stage, attempt, mode, ordinal) if constant is None else constant
            )
            if fails and stages.fails(stage, attempt, mode, ordinal):
                attempt, steps = attempt + 1, iter(stages.steps)
        if not self._cluster.fill(env.now):
            yield from self._await_nodes()

    def _await_nodes(self) -> Process:
        """Wait for repairs, and for provisioning, until every slot holds a node that is ready."""
        while not self._cluster.fill(self._env.now):
            try:
                yield from self._await_arrival() if self._cluster.missing else self._await_provision()
            except simpy.Interrupt as interruption:
                if interruption.cause is not None:
                    raise

    def _await_arrival(self) -> Process:
        """Wait until repaired nodes have filled every slot."""
        self._enter(WAITING)
        self._arrival = self._env.event()
        yield self._arrival

    def _await_provision(self) -> Process:
        """Wait until the spares that were taken are ready, or an absorbed failure has taken one of them."""
        self._enter(RECOVERY, self._stages.nodes)
        yield At(self._env, self._cluster.ready_at, COMPLETION)

    def _send_away(self) -> None:
        """Send the failed nodes to repair."""
        for strike in self._failed:
            self._shops[strike.mode].bring(self._cluster.send_away(strike.slots), strike.ordinal)
        self._failed.clear()

    def _break_off(self, strike: Strike, line: int) -> None:
        """Leave what the job was doing because of *strike*, noted in *line* of the journal."""
        if self._doing <= SAVING:
            saved = self._schedule.saved(self._began, min(self._stopped, self._env.now))
            self._end_stretch(saved, strike.mode, line)
        self._enter(DETECTION)
        self._arrival = None
        self._incident, self._line = strike, line

    def _end_stretch(self, kept: float | None = None, cause: int = NOBODY, line: int = NOBODY) -> None:
        """Book the stretch that ends: *kept* seconds of its work count (all, unless told)."""
        end = min(self._stopped, self._env.now)
        useful = self._schedule.useful(self._began, end)
        if kept is None:
            kept = useful
        self.progress += kept
        self._journal.stretch(self._began, end, useful, kept, cause, line)
        self._clock.training_ends()

    def _enter(self, doing: Doing, stage: int = 0) -> None:
        """Book what the job did until now, and let it begin *doing*."""
        now = self._env.now
        if now > self._since and self._doing is not TRAINING:
            cause = self._incident.mode if self._incident is not None else NOBODY
            self._journal.phase(self._doing, self._stage, self._since, now, cause, self._line)
        self._doing, self._since, self._stage = doing, now, stage

    def _note(self, strike: Strike) -> int:
        """Write the incident into the journal and return the number of its line."""
        now, slots, doing = self._env.now, strike.slots, self._doing
        interrupts = doing <= SAVING
        if doing is TRAINING and self._schedule.saving(self._began, now):
            doing = SAVING
        node = rack = -1
        if slots:
            node = self._cluster.node(slots[0])
            rack = slots[0] // self._rack_size if self._rack_size else -1
        return self._journal.incident(now, strike, node, rack, doing, interrupts)

    def _time_of_target(self) -> float:
        if self._target is None:
            return math.inf
        return self._began + self._schedule.offset_of(max(self._target - self.progress, 0.0))

    def _next_window(self) -> float:
        """Return when the next maintenance begins; windows that came due while the job was down are past."""
        if self._maintenance is None:
            return math.inf
        every = self._maintenance.every
        self._window = max(self._window, int(self._began / every))
        while self._window * every < self._began:
            self._window += 1
        return self._window * every
