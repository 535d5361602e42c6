"""The job in general: replicas that train together, stand still for one another, and recover one by one.

With one replica it is the job that restarts as a whole, from whatever copies its tiers still hold.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import simpy

from sim.engine.activity import Activity
from sim.engine.cluster import Cluster
from sim.engine.effects import Effect, Stragglers
from sim.engine.failures.clock import COMPLETION, GATHERING, WINDOW, After, At
from sim.engine.job import TrainingClock
from sim.engine.journal import NOBODY, Journal
from sim.engine.ledger import Causes
from sim.engine.recovery import Stages
from sim.engine.repair import Repairs
from sim.engine.replicas.replica import Blow, Replica, State
from sim.engine.replicas.stops import Rollout, Stops
from sim.engine.replicas.team import Team
from sim.engine.work.account import Work
from sim.engine.work.lineage import Pace
from sim.engine.work.tiers import NO_TIER
from sim.records import Doing, Strike
from sim.scenario.model import Scenario

TRAINING, SAVING, MAINTENANCE, IDLE = Doing.TRAINING, Doing.SAVING, Doing.MAINTENANCE, Doing.IDLE
STALL, HELD = Doing.STALL, Doing.HELD
JOB_SCOPE = 0
UP, READY, DOWN, OUT = State.UP, State.READY, State.DOWN, State.OUT


class ReplicatedJob:
    """The replicas of a scenario's job and what they do together.

    Those alive (up, or ready to join) share one `activity`; a replica that is down has its own.  `finished`
    happens when the target is reached, at `reached`, or when the run is told to `finish`.
    """

    def __init__(
        self,
        env: simpy.Environment,
        scenario: Scenario,
        work: Work,
        team: Team,
        cluster: Cluster,
        activity: Activity,
        journal: Journal,
        stages: Stages,
        stragglers: Stragglers,
        effects: Mapping[int, Effect],
    ) -> None:
        self.reached = math.nan
        self.finished = env.event()
        self._env = env
        self._work = work
        self._team = team
        self._cluster = cluster
        self._activity = activity
        self._journal = journal
        self._stages = stages
        self._stragglers = stragglers
        self._effects = effects
        self._recovery = scenario.recovery
        self._maintenance = scenario.maintenance
        self._stops = Stops(scenario)
        self._target = scenario.target_s
        self._causes = Causes(tuple(scenario.failures))
        self._restarts = scenario.recovery.during_recovery == "restart"
        self._rack_size = scenario.cluster.rack_slots
        self._rollout = Rollout()
        self._timer: simpy.Event | None = None
        self._then: Callable[[], None] = self._train
        self._deadline = -math.inf
        self._blamed = self._latest = self._causes.start, NOBODY
        self._anew = self._grouped = True
        self._clock_runs = False
        self._after_stop: list[Callable[[], None]] = []

    def __repr__(self) -> str:
        return f"ReplicatedJob({self._activity}, {self._team})"

    @property
    def trains(self) -> bool:
        """Whether the job trains or saves."""
        return self._work.stretch is not None or self._activity.doing is SAVING

    def begin(self, clock: TrainingClock, repairs: Repairs) -> None:
        """Start at time 0: train, or recover first where the start is not free."""
        self._clock = clock
        self._repairs = repairs
        for replica in self._team.replicas:
            replica.chain.repairs, replica.chain.loader = repairs, self
        if self._recovery.at_start:
            start = Strike(self._causes.start, 0, (), True, self._causes.start, 0)
            self._bring_down(dict.fromkeys(self._team.replicas, Blow(start, NOBODY)))
        else:
            self._train()

    def strike(self, strike: Strike) -> None:
        """Let a failure hit the job: the only way in."""
        line = self._note(strike)
        effect = self._effects.get(strike.mode)
        if effect is None:
            self.fail(strike, line)
        else:
            self._activity.keep_nodes(line, 0 if strike.transient else len(strike.slots))
            effect.strike(self, strike, line)

    def strike_spare(self, strike: Strike, node: int) -> None:
        """Let a failure hit the idle spare *node*: the job does not notice."""
        self._journal.incident(self._env.now, strike, node, -1, IDLE, False)
        if not strike.transient:
            self._repairs.send_spare(strike, node)

    def fail(
        self, strike: Strike, line: int, *, noticed: bool = False, sound_until: float | None = None
    ) -> None:
        """Take down the replicas that *strike* hits; all of them where work is sound only until a place."""
        struck = self._team.replicas if sound_until is not None else self._team.struck_by(strike)
        blow = Blow(strike, line, noticed, sound_until)
        self._latest = strike.mode, line
        self._work.kill(strike.scope, self._env.now)
        self._team.break_nodes(strike, line)
        if noticed:
            self._activity.keep_nodes(line, -len(strike.slots) * (not strike.transient))
        stopped = self._activity.doing is MAINTENANCE
        falling = []
        for replica in struck:
            if replica.state is OUT or (stopped and replica.is_alive):
                replica.blow = blow
            else:
                falling.append(replica)
        if any(replica.state is UP for replica in falling):
            self._journal.interrupts(line)
        self._bring_down(dict.fromkeys(falling, blow))

    def take_back(self, nodes: Sequence[int]) -> None:
        """Take repaired *nodes*: to replicas that wait for some, else as spares."""
        self._team.take_back(nodes)

    def flap(self, time: float, cause: int, line: int) -> None:
        """Let all that train stand still for *time* seconds, because of the incident in *line*."""
        if self._work.stretch is not None:
            self._journal.interrupts(line)
            self._stand_still(time, cause, line)
        elif self._activity.doing is STALL:
            self._stand_still(time, cause, line)

    def change_pace(self) -> None:
        """Train at the pace that the stragglers leave from now on."""
        if self._work.stretch is not None:
            pace = self._stragglers.pace() or Pace(0.0, 1.0, NOBODY, NOBODY)
            self._work.slow_down(self._env.now, pace)
            self._plan()

    def when_stop_ends(self, act: Callable[[], None]) -> bool:
        """Let *act* happen when the planned stop under way ends; return whether there is one."""
        stopped = self._activity.doing is MAINTENANCE
        if stopped:
            self._after_stop.append(act)
        return stopped

    def closed_for(self) -> float:
        """Return for how long the copy that a replica needs cannot be loaded yet (s)."""
        return 0.0 if self._team.alive else self._work.closed_for(self._env.now)

    def load(self, strike: Strike, line: int, attempt: int) -> float:
        """Load from a replica that is alive, else from a tier's copy; return how long that takes (s)."""
        given = self._stages.given_load(attempt, strike.origin, strike.ordinal)
        if not self._team.alive:
            time = self._work.load(strike, line)
            return time if given is None else given
        self._work.load_from_peer(line)
        if self._recovery.peer_load is not None:
            return self._recovery.peer_load
        return self._work.quickest_load if given is None else given

    def finish(self) -> None:
        """Book what is still open, and let `finished` happen: work since the last save counts."""
        self._stop(NOBODY, NOBODY)
        self._activity.enter(IDLE)
        for replica in self._team.replicas:
            replica.activity.enter(IDLE)
        if not self.finished.triggered:
            self.finished.succeed()

    def _bring_down(self, blows: Mapping[Replica, Blow]) -> None:
        """Take replicas down, each by its blow; the last blow is charged with what they lose together."""
        if not blows:
            return
        blow = list(blows.values())[-1]
        cause, line = blow.strike.mode, blow.line
        fresh = [replica for replica in blows if replica.is_alive]
        fell_up = any(replica.state is UP for replica in fresh)
        in_step = fell_up and self._work.stretch is not None
        if fell_up:
            self._stop(cause, line)
        for replica in fresh:
            self._team.turn(replica, DOWN)
        if not self._team.alive:
            self._work.fall_back(cause, line, blow.sound_until)
            self._leave()
        elif fell_up:
            if in_step:
                self._work.lose_step(cause, line)
            self._stand_still(self._recovery.stall, cause, line)
        elif fresh or self._activity.doing is HELD:
            self._enter(self._activity.doing)
        for replica, blow in blows.items():
            self._recover(replica, blow, replica in fresh)

    def _recover(self, replica: Replica, blow: Blow, fresh: bool) -> None:
        """Let *replica* go through its chain, anew or from the first stage on, or absorb the blow."""
        chain = replica.chain
        if fresh:
            recovered = chain.recover(blow.strike, blow.line, blow.noticed)
            assert recovered.callbacks is not None
            recovered.callbacks.append(lambda _: self._return(replica))
        elif self._restarts:
            chain.begin(blow.strike, blow.line, blow.noticed)
        else:
            chain.absorb()

    def _return(self, replica: Replica) -> None:
        """Let a replica that is ready again join the others, or wait until enough are ready to begin."""
        cause, line = replica.activity.charged
        replica.activity.enter(TRAINING)
        self._team.turn(replica, READY)
        doing = self._activity.doing
        if not self._grouped:
            self._enter(HELD)
            if self._team.there >= self._recovery.minimum:
                self._wait(self._env.now, self._go_on, GATHERING)
        elif doing is SAVING or doing is MAINTENANCE:
            self._extend(self._recovery.rejoin_stall, cause, line)
            self._enter(doing)
        elif doing is HELD and self._team.there < self._recovery.minimum:
            self._enter(HELD)
        else:
            self._stand_still(self._recovery.rejoin_stall, cause, line)

    def _stand_still(self, time: float, cause: int, line: int) -> None:
        """Let all that are there stand still for *time* seconds, because of the incident in *line*."""
        self._stop(NOBODY, NOBODY)
        self._extend(time, cause, line)
        self._stall()

    def _extend(self, time: float, cause: int, line: int) -> None:
        """Put the deadline off to *time* seconds from now, if that is later."""
        if self._env.now + time >= self._deadline:
            self._deadline, self._blamed = self._env.now + time, (cause, line)

    def _stall(self) -> None:
        self._enter(STALL)
        self._wait(self._deadline, self._go_on)

    def _go_on(self) -> None:
        """Let all that are there train, where they are enough."""
        self._team.join()
        self._deadline, self._grouped = -math.inf, True
        if self._team.up < self._recovery.minimum:
            self._timer = None
            self._enter(HELD)
        elif self._rollout.is_due:
            self._step_out()
        else:
            self._train()

    def _train(self) -> None:
        """Train until the target is reached, or a planned stop is due."""
        now = self._env.now
        self._enter(TRAINING)
        if self._anew:
            self._stops.restarted(now)
            self._anew = False
        pace = self._stragglers.pace()
        self._work.begin(now, self._team.up / len(self._team.replicas), [] if pace is None else [pace])
        self._clock_runs = True
        self._clock.training_begins()
        self._plan()

    def _plan(self) -> None:
        """Wait for the target, or for the next planned stop."""
        target = math.inf if self._target is None else self._work.time_of(self._target)
        stop = math.inf if self._rollout.under_way else self._stops.next(self._env.now)
        if target <= stop:
            self._wait(target, self._reach)
        else:
            self._wait(stop, self._begin_stop, WINDOW)

    def _reach(self) -> None:
        self.reached = self._env.now
        self.finish()

    def _begin_stop(self) -> None:
        """Save and stand still as planned, all together or one after another."""
        assert self._maintenance is not None
        self._stops.begun()
        if self._maintenance.rolling:
            self._stop(NOBODY, NOBODY)
            self._latest = self._causes.maintenance, NOBODY
            self._rollout.begin(self._team.replicas)
            self._step_out()
        elif self._maintenance.abrupt:
            self._stop(self._causes.maintenance, NOBODY)
            self._work.kill(JOB_SCOPE, self._env.now)
            self._work.fall_back(self._causes.maintenance, NOBODY)
            self._maintain()
        else:
            self._work.end(self._env.now, self._work.place(self._env.now))
            self._work.copies.begin_final_save()
            self._enter(SAVING)
            self._wait(self._env.now + self._work.final_save, self._saved)

    def _saved(self) -> None:
        self._stop_clock()
        self._work.copies.end_final_save(self._work.lineage.place)
        self._maintain()

    def _maintain(self) -> None:
        assert self._maintenance is not None
        self._enter(MAINTENANCE)
        self._wait(self._env.now + self._maintenance.takes, self._resume)

    def _resume(self) -> None:
        """Train again after a stop; what has struck meanwhile is recovered from now."""
        self._anew = True
        blows = [
            replica
            for replica in self._team.replicas
            if replica.blow is not None and replica.state is not OUT
        ]
        self._bring_down({replica: replica.take_blow() for replica in sorted(blows, key=Replica.blow_line)})
        if self._activity.doing is MAINTENANCE:
            if self._deadline > self._env.now:
                self._stall()
            else:
                self._go_on()
        acts, self._after_stop = self._after_stop, []
        for act in acts:
            act()

    def _step_out(self) -> None:
        """Let the next replica stand still as planned, while the others train on."""
        replica = self._rollout.next()
        if replica is not None and self._maintenance is not None:
            self._team.turn(replica, OUT)
            replica.activity.enter(MAINTENANCE)
            replica.activity.charge(self._causes.maintenance, NOBODY)
            After(self._env, self._maintenance.takes, COMPLETION, lambda _: self._step_in(replica))
        if self._team.up >= self._recovery.minimum:
            self._train()
        else:
            self._timer = None
            self._enter(HELD)

    def _step_in(self, replica: Replica) -> None:
        """Let a replica come back from its planned stop, or recover from what struck it there."""
        if self._rollout.is_over():
            self._stops.restarted(self._env.now)
        if replica.blow is None:
            self._return(replica)
        else:
            self._bring_down({replica: replica.take_blow()})

    def _stop(self, cause: int, line: int) -> None:
        """End the stretch under way, if there is one, broken by *cause* and *line* if by anything."""
        if self._work.stretch is not None:
            now = self._env.now
            self._work.end(now, self._work.place(now), cause, line)
        self._stop_clock()

    def _stop_clock(self) -> None:
        """Let the training clock stand still: it runs in stretches, and in the save before a planned stop."""
        if self._clock_runs:
            self._clock_runs = False
            self._clock.training_ends()

    def _leave(self) -> None:
        """Book nothing for the replicas together: none of them is alive."""
        self._activity.enter(TRAINING)
        self._timer, self._deadline = None, -math.inf
        self._anew, self._grouped = True, False
        self._rollout.drop()

    def _enter(self, doing: Doing) -> None:
        """Book *doing* from now on for all that are there."""
        self._activity.enter(doing)
        self._activity.share = self._team.there / len(self._team.replicas)
        if doing is STALL:
            self._activity.charge(*self._blamed)
        elif doing is HELD:
            self._activity.charge(*self._latest)

    def _wait(self, time: float, then: Callable[[], None], priority: int = COMPLETION) -> None:
        """Go on with *then* at the instant *time*, unless something comes between."""
        self._then = then
        self._timer = At(self._env, time, priority, self._ring) if time < math.inf else None

    def _ring(self, event: simpy.Event) -> None:
        if event is self._timer:
            self._then()

    def _note(self, strike: Strike) -> int:
        """Write the incident into the journal and return the number of its line."""
        slots = strike.slots
        node = rack = index = NOBODY
        if slots:
            node = self._cluster.node(slots[0])
            rack = slots[0] // self._rack_size if self._rack_size else NOBODY
            index = self._team.index_of(slots[0]) if len(self._team.replicas) > 1 else NOBODY
        return self._journal.incident(self._env.now, strike, node, rack, self._doing(index), False, index)

    def _doing(self, index: int) -> Doing:
        """Return what replica *index*, or the job, does at the moment."""
        replica = self._team.replicas[max(index, 0)]
        if replica.state in (UP, READY) or (index == NOBODY and self._team.there):
            if self._work.stretch is None:
                return self._activity.doing
            return TRAINING if self._work.place(self._env.now).saving == NO_TIER else SAVING
        return replica.activity.doing
