"""The job: one gang-scheduled training run, from failure to failure.

It trains while all of its slots hold nodes at work.  An incident ends the stretch of training; the job goes
through the chain of recovery, which further incidents begin again, and trains on.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Protocol

import simpy

from clustersim.engine.activity import Activity
from clustersim.engine.chain import Chain
from clustersim.engine.checkpoints import SaveSchedule
from clustersim.engine.cluster import Cluster
from clustersim.engine.events import COMPLETION, STOP_END, WINDOW, At
from clustersim.engine.journal import NOBODY, Journal
from clustersim.engine.ledger import Causes
from clustersim.engine.repair import Repairs
from clustersim.engine.stops import Stops
from clustersim.records import Doing, Strike
from clustersim.scenario.model import Scenario

TRAINING, SAVING, MAINTENANCE, IDLE = Doing.TRAINING, Doing.SAVING, Doing.MAINTENANCE, Doing.IDLE


class TrainingClock(Protocol):
    """Whoever must know when training begins and ends, as time passes for it only meanwhile."""

    def training_begins(self, trains: Callable[[], Callable[[int], object]] | None = None) -> None:
        """Training begins now, of the groups of slots that what *trains* gives tells, or of all."""

    def training_ends(self) -> None:
        """Training ends now."""


class Job:
    """The job of a scenario that restarts as a whole: it trains, recovers, or stands still as planned.

    It waits for one event at a time; a failure comes between by a call.  `finished` happens when the target
    is reached, at `reached`, or when the run is told to `finish`.  What a stretch of training was worth is
    worked out when all is over; only towards a target the job keeps count of its progress, in seconds.
    """

    def __init__(
        self,
        env: simpy.Environment,
        scenario: Scenario,
        schedule: SaveSchedule,
        chain: Chain,
        cluster: Cluster,
        activity: Activity,
        journal: Journal,
    ) -> None:
        self.progress = 0.0
        self.reached = math.nan
        self.finished = env.event()
        self._env = env
        self._schedule = schedule
        self._chain = chain
        self._cluster = cluster
        self._activity = activity
        self._journal = journal
        self._causes = Causes(tuple(scenario.failures))
        self._restarts = scenario.recovery.during_recovery == "restart"
        self._target = scenario.target_s
        self._maintenance = scenario.maintenance
        self._stops = Stops(scenario.maintenance)
        self._rack_size = scenario.cluster.rack_slots
        self._is_endless = scenario.target_s is None and scenario.maintenance is None
        self._timer: simpy.Event | None = None
        self._then: Callable[[], None] = self._train
        self._struck: tuple[Strike, int, float] | None = None
        if scenario.recovery.at_start:
            self._struck = Strike(self._causes.start, 0, (), True, self._causes.start, 0), NOBODY, 0.0
        self._began = 0.0
        self._stopped = math.inf

    def __repr__(self) -> str:
        return f"Job({self._activity}, progress {self.progress})"

    def begin(self, clocks: Sequence[TrainingClock], repairs: Repairs) -> None:
        """Start at time 0: train, or recover first where the start is not free."""
        self._clocks = clocks
        self._repairs = self._chain.repairs = repairs
        self._chain.recovered = self._be_ready
        self._go_on()

    def strike(self, strike: Strike) -> None:
        """Let a failure hit the job: the only way in."""
        doing, line, detection = self._activity.doing, self._note(strike), self._chain.detection(strike)
        if not strike.transient:
            self._chain.break_nodes(strike, strike.slots, line)
        if doing <= SAVING:
            self._timer = None
            if doing is SAVING:
                self._stops.broken(self._env.now)
            self._stops.down(self._env.now)
            self._end_stretch(strike.mode, line)
            self._chain.begin(strike, line, detection)
        elif doing is MAINTENANCE:
            if self._struck is not None:
                detection = min(detection, self._struck[-1])
            self._struck = strike, line, detection
        elif self._restarts:
            self._chain.begin(strike, line, detection)
        else:
            self._chain.absorb(detection)

    def strike_spare(self, strike: Strike, node: int) -> None:
        """Let a failure hit the idle spare *node*: the job does not notice."""
        line = self._journal.incident(self._env.now, strike, node, -1, IDLE, False)
        if not strike.transient:
            self._repairs.send_spare(strike, node, line)

    def take_back(self, nodes: Sequence[int]) -> None:
        """Take repaired *nodes*: at once where the job waits for nodes, else as spares."""
        self._chain.take_back(nodes)

    def finish(self) -> None:
        """Book what is still open, and let `finished` happen: work since the last save counts."""
        if self._activity.doing <= SAVING:
            self._end_stretch()
        self._activity.enter(IDLE)
        if not self.finished.triggered:
            self.finished.succeed()

    def _go_on(self) -> None:
        """Recover from what has struck meanwhile, or train at once."""
        struck, self._struck = self._struck, None
        if struck is None:
            self._train()
        else:
            self._stops.down(self._env.now)
            self._chain.begin(*struck)

    def _be_ready(self) -> None:
        """Train, unless something is left to do of a planned stop that fell due meanwhile."""
        until = self._stops.ready(self._env.now)
        if until > self._env.now:
            self._stand_still(until)
        else:
            self._train()

    def _train(self) -> None:
        """Train until the target is reached, or a planned stop is due."""
        self._activity.enter(TRAINING)
        self._began, self._stopped = self._env.now, math.inf
        for clock in self._clocks:
            clock.training_begins()
        if self._is_endless:
            return
        target, window = self._time_of_target(), self._stops.next(self._began)
        if target <= window:
            self._wait(target, self._reach)
        else:
            self._wait(window, self._begin_stop, WINDOW)

    def _reach(self) -> None:
        self.reached = self._env.now
        self.finish()

    def _begin_stop(self) -> None:
        """Begin the planned stop that is due, with a last save unless it is abrupt."""
        assert self._maintenance is not None
        now = self._env.now
        self._stops.begun()
        if self._maintenance.abrupt:
            self._end_stretch(self._causes.maintenance)
            self._stand_still(now + self._maintenance.takes)
        else:
            self._stopped = now
            self._activity.enter(SAVING)
            self._wait(now + self._schedule.final_save(self._began, now), self._saved)

    def _saved(self) -> None:
        assert self._maintenance is not None
        self._end_stretch()
        self._stand_still(self._env.now + self._maintenance.takes)

    def _stand_still(self, until: float) -> None:
        """Stand still for a planned stop; what strikes meanwhile is recovered from afterwards."""
        self._activity.enter(MAINTENANCE)
        self._wait(until, self._end_stop, STOP_END)

    def _end_stop(self) -> None:
        self._stops.past(self._env.now)
        self._go_on()

    def _wait(self, time: float, then: Callable[[], None], priority: int = COMPLETION) -> None:
        """Go on with *then* at the instant *time*, unless a failure comes between."""
        self._then = then
        self._timer = At(self._env, time, priority, self._ring)

    def _ring(self, event: simpy.Event) -> None:
        if event is self._timer:
            self._then()

    def _end_stretch(self, cause: int = NOBODY, line: int = NOBODY) -> None:
        """Note the stretch that ends, broken by *cause* unless it keeps all of its work."""
        end = min(self._stopped, self._env.now)
        if self._target is not None:
            work = self._schedule.useful if cause == NOBODY else self._schedule.saved
            self.progress += work(self._began, end)
        self._journal.stretch(self._began, end, cause, line)
        for clock in self._clocks:
            clock.training_ends()

    def _note(self, strike: Strike) -> int:
        """Write the incident into the journal and return the number of its line."""
        slots, doing = strike.slots, self._activity.doing
        node = rack = NOBODY
        if slots:
            node = self._cluster.node(slots[0])
            rack = slots[0] // self._rack_size if self._rack_size else NOBODY
        return self._journal.incident(self._env.now, strike, node, rack, doing, doing <= SAVING)

    def _time_of_target(self) -> float:
        if self._target is None:
            return math.inf
        return self._began + self._schedule.offset_of(max(self._target - self.progress, 0.0))
