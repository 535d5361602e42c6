"""The job: what a failure does to it, from the failure's arrival to the replicas' return.

A failure is noted in the journal.  Then it takes down the replicas that it hits: their segment of training
ends, the work that no copy holds is lost, and each goes through its restart sequence.  The others stand still
for the `stall` and train on; with one replica the whole job restarts.

Two replicas train.  A failure hits replica 1 at 5 h: the segment ends, replica 0 stands still for a stall of
20 s and trains on alone.  Replica 1 is back 10 min later, having loaded the state from replica 0; after a
`rejoin_stall` of 20 s a segment of both begins.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import simpy

from clustersim.engine.activity import BLOCKED, MAINTENANCE, SAVING, TRAINING, Activity, Blame
from clustersim.engine.events import GATHERING, REJOIN, At
from clustersim.engine.failures import Failures
from clustersim.engine.failures.targeting import JOB
from clustersim.engine.journal import NOBODY
from clustersim.engine.recovery import Stages
from clustersim.engine.repair import Repairs
from clustersim.engine.replicas.active_group import ActiveGroup
from clustersim.engine.replicas.affected import Affected, effects
from clustersim.engine.replicas.replica import DOWN, DRAINED, REJOINING, PendingFailure, Replica
from clustersim.engine.replicas.replica_set import ReplicaSet
from clustersim.engine.restart import OutageTimes, RestartSequence, SiteOutage
from clustersim.engine.work.tiered import TieredWork
from clustersim.engine.work.work import Work
from clustersim.engine.world import World
from clustersim.failure import Failure
from clustersim.records import Phase


class Job:
    """The job of a scenario: its replicas, and what failures and repaired nodes do to them.

    The replicas that are present share one activity; a replica that is down has its own.  A lone replica uses
    the shared one for both, which saves it half of the changes of state.
    """

    def __init__(
        self, world: World, stages: Stages, failures: Failures, repairs: Repairs, work: Work
    ) -> None:
        env, scenario, cluster, journal = world.env, world.scenario, world.cluster, world.journal
        self._env = env
        self._work = work
        self._cluster = cluster
        self._activity = Activity(env, journal)
        self._journal = journal
        self._stages = stages
        self._repairs = repairs
        self._recovery = scenario.recovery
        self._absorbs = scenario.recovery.during_recovery == "absorb"
        self._start = world.causes.start
        self._outage = SiteOutage()
        self._outages = OutageTimes(scenario, world.origins)
        self._rack_size = scenario.cluster.rack_slots
        self._replicas = ReplicaSet(
            [self._replica(index, world) for index in range(self._recovery.replicas)], cluster
        )
        handlers = self._take_down_after_stop, self._bring_back
        self._group = ActiveGroup(world, work, failures.clocked, self._replicas, self._activity, *handlers)
        self._effects: dict[int, Callable[[Failure, int], None]] = {}
        # Plain work loses no copies: not asking it for that saves a call for each failure.
        self._has_volatile_copies = isinstance(work, TieredWork)
        if isinstance(work, TieredWork):
            self._effects = effects(Affected(world, stages, work, self._group, self.fail), scenario)
        self._rejoins_at_once = self._replicas.size == 1 and not self._effects and not scenario.maintenance
        failures.on_failure.append(self.on_failure)
        failures.on_spare_failure.append(self.on_spare_failure)
        repairs.on_return.append(self._replicas.take_back)

    def __repr__(self) -> str:
        return f"Job({self._group})"

    def _replica(self, index: int, world: World) -> Replica:
        """Return replica number *index*, with its own restart sequence."""
        count, size = self._recovery.replicas, world.scenario.slots_per("replica")
        activity = self._activity
        if count > 1:
            activity = Activity(world.env, world.journal, index)
            activity.share = 1 / count
        restart = RestartSequence(
            world,
            self._stages,
            self._repairs,
            activity,
            self,
            partial(self._announce, index),
            self._outage,
            index,
        )
        return Replica(index, range(index * size, (index + 1) * size), restart, activity)

    @property
    def finished(self) -> simpy.Event:
        """Happens when the target is reached, or when the run calls `finish`."""
        return self._group.finished

    @property
    def reached(self) -> float:
        """When the target was reached (s); NaN where it was not."""
        return self._group.reached

    def begin(self) -> None:
        """Start at time 0: train, or recover first where the start is not free."""
        if self._recovery.at_start:
            start = Failure(self._start, 0, (), True, self._start, JOB)
            self._take_down(self._replicas.replicas, start, (self._start, NOBODY), 0.0)
        else:
            self._group.go_on()

    def on_failure(self, failure: Failure) -> None:
        """Let a failure hit the job: crash it, or do what its kind of effect does."""
        if self._outages.any and self._outages.is_out(failure, self._env.now):
            return
        effect = self._effects.get(failure.mode)
        line = self._note(failure, stops=effect is None)
        if effect is None:
            self.fail(failure, line, noticed=False)
        else:
            self._journal.keeps(line, _nodes_lost(failure))
            effect(failure, line)

    def on_spare_failure(self, failure: Failure, node: int) -> None:
        """Note a failure of the idle spare *node*, which leaves for repair unless it is transient."""
        line = self._journal.incident(self._env.now, failure, node, -1, Phase.IDLE, False)
        if not failure.transient:
            self._repairs.send_spare(failure, node, line)

    def fail(
        self, failure: Failure, line: int, sound_until: float | None = None, *, noticed: bool = True
    ) -> None:
        """Take down the replicas that *failure* hits; all if work beyond *sound_until* (s) is corrupt."""
        replicas, group, now = self._replicas, self._group, self._env.now
        struck, phase = replicas.struck_by(failure), self._activity.phase
        group.latest = blame = failure.mode, line
        detection = 0.0 if noticed else self._noticed_after(failure, blame)
        if self._has_volatile_copies:
            self._work.invalidate(failure.scope, now)
        if failure.slots and not failure.transient:
            replicas.break_nodes(failure, line, struck)
        if noticed:
            self._journal.keeps(line, -_nodes_lost(failure))
        if sound_until is not None:
            struck = replicas.replicas
        if phase is MAINTENANCE or replicas.any_drained:
            struck = self._postponed(struck, PendingFailure(now, failure, blame, detection, sound_until))
        if struck and self._take_down(struck, failure, blame, detection, sound_until):
            self._journal.interrupts(line)
        elif self._activity.phase is BLOCKED:
            group.enter(BLOCKED)

    def _noticed_after(self, failure: Failure, blame: Blame) -> float:
        """Return how long it takes to notice *failure* (s): no time where the whole site goes out by it."""
        out = None if failure.slots else self._outages.end(failure, self._env.now)
        if out is None:
            return self._stages.detection(failure)
        self._outage.strike(failure, blame, out)
        return 0.0

    def closed_for(self) -> float:
        """Return for how long the copy that a replica needs cannot be loaded yet (s)."""
        return 0.0 if self._replicas.alive else self._work.closed_for(self._env.now)

    def load(self, failure: Failure, line: int, attempt: int) -> float:
        """Load from a replica that is alive, else from a tier's copy; return how long that takes (s)."""
        if not self._replicas.alive:
            time = self._work.load(failure, line)
        else:
            time = self._work.load_from_peer(line)
            if self._recovery.peer_load is not None:
                return self._recovery.peer_load
        given = self._stages.given_load(attempt, failure)
        return time if given is None else given

    def finish(self) -> None:
        """End the run: book what is still open, and let `finished` happen."""
        self._group.finish()

    def _postponed(self, struck: Sequence[Replica], pending: PendingFailure) -> list[Replica]:
        """Keep the *pending* failure for those in a planned stop until that is over; return the others."""
        in_stop, everywhere = self._activity.phase is MAINTENANCE, pending.sound_until is not None
        now = []
        for replica in struck:
            if (in_stop and replica.state is not DOWN) or (replica.state is DRAINED and not everywhere):
                replica.defer(pending)
            else:
                now.append(replica)
        return now

    def _take_down(
        self,
        struck: Sequence[Replica],
        failure: Failure,
        blame: Blame,
        detection: float,
        sound_until: float | None = None,
    ) -> bool:
        """Take the replicas *struck* down by a *failure*, and let them restart.

        Those that were down before absorb it, if the scenario says so.  Return whether any was active.
        """
        again, was_active = self._break_off(struck, failure.scope, blame, sound_until)
        if again and self._absorbs:
            for replica in again:
                replica.restart.absorb(detection)
            struck = [replica for replica in struck if replica not in again]
        for replica in struck:
            replica.restart.begin(failure, blame, detection)
        return was_active

    def _take_down_after_stop(self, struck: Mapping[Replica, PendingFailure]) -> None:
        """Take the replicas down that were struck in a planned stop, each by its own pending failure.

        The latest is charged with what they lose together.
        """
        latest = max(struck.values(), key=_instant)
        self._break_off(list(struck), latest.failure.scope, latest.blame, latest.sound_until)
        for replica, pending in struck.items():
            replica.restart.begin(pending.failure, pending.blame, pending.detection)

    def _break_off(
        self, struck: Sequence[Replica], scope: int, blame: Blame, sound_until: float | None
    ) -> tuple[list[Replica], bool]:
        """End what the replicas *struck* do; the others stand still if any of those was active.

        They lose the step in progress.  Return those that were down before, and whether any was active.
        """
        replicas, group, up = self._replicas, self._group, self._replicas.up
        again = replicas.fall(struck)
        was_active, in_step = replicas.up < up, self._work.is_training
        if was_active:
            group.stop(blame)
        if not replicas.alive:
            self._work.fall_back(self._env.now, blame[0], blame[1], sound_until, scope)
            group.leave()
        elif was_active:
            if in_step:
                self._work.lose_step()
            group.stall(self._recovery.stall, blame)
        elif len(again) < len(struck) or self._activity.phase is BLOCKED:
            group.enter(self._activity.phase)
        return again, was_active

    def _announce(self, index: int) -> None:
        """Bring a replica back that has recovered, after all else that happens at this instant."""
        replica = self._replicas.replicas[index]
        if self._rejoins_at_once:
            self._bring_back(replica, replica.activity.charged)
        elif replica.restart.is_alone and self._env.peek() > self._env.now:
            self._be_ready(replica)
        else:
            At(self._env, self._env.now, REJOIN + index, partial(self._be_ready, replica))

    def _be_ready(self, replica: Replica, event: At | None = None) -> None:
        """Bring a replica back that has recovered, unless its planned stop is due."""
        planned = self._group.planned
        if replica.state is DOWN and (planned is None or not planned.keeps_aside(replica)):
            self._bring_back(replica, replica.activity.charged)

    def _bring_back(self, replica: Replica, blame: Blame) -> None:
        """Let a replica join the others, or wait until enough have recovered to begin."""
        group = self._group
        self._replicas.come_back(replica)
        if self._rejoins_at_once:
            group.go_on()
            return
        replica.activity.enter(TRAINING)
        phase, rejoin_stall = self._activity.phase, self._recovery.rejoin_stall
        if not group.is_formed:
            group.enter(BLOCKED)
            if group.is_enough:
                group.wait(self._env.now, group.begin_together, GATHERING)
        elif phase is SAVING or phase is MAINTENANCE:
            group.extend(rejoin_stall, blame)
            group.enter(phase)
        elif not group.is_enough:
            group.enter(phase)
        else:
            group.stop()
            group.stall(rejoin_stall, blame)

    def _note(self, failure: Failure, *, stops: bool) -> int:
        """Write the incident into the journal and return the number of its line.

        Where it *stops* those that train, their segment will tell whether they saved.
        """
        slots, replicas, now = failure.slots, self._replicas, self._env.now
        node = rack = index = NOBODY
        if slots:
            node = self._cluster.node(slots[0])
            rack = slots[0] // self._rack_size if self._rack_size else NOBODY
            index = replicas.index_of(slots[0]) if replicas.size > 1 else NOBODY
        replica = replicas.replicas[index if slots else 0]
        together = replica.state <= REJOINING or (index == NOBODY and replicas.present)
        phase = (self._activity if together else replica.activity).phase
        if not stops and self._work.is_training and phase is TRAINING:
            phase = TRAINING if not self._work.is_saving(now) else SAVING
        return self._journal.incident(now, failure, node, rack, phase, False, index)


def _nodes_lost(failure: Failure) -> int:
    """Return how many nodes leave because of *failure*, once it is noticed."""
    return 0 if failure.transient else len(failure.slots)


def _instant(pending: PendingFailure) -> tuple[float, int]:
    return pending.time, pending.blame[1]
