"""The job in general: replicas that train together, stand still for one another, and recover one by one.

With one replica it is the job that restarts as a whole, from whatever copies its tiers still hold.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import simpy

from clustersim.engine.activity import Activity, Blame
from clustersim.engine.chain import Chain
from clustersim.engine.effects import Affected, Culprits, effects
from clustersim.engine.events import GATHERING, REJOIN, At
from clustersim.engine.journal import NOBODY
from clustersim.engine.replicas.group import Group
from clustersim.engine.replicas.parts import Parts, Together
from clustersim.engine.replicas.planned import PlannedStops
from clustersim.engine.replicas.replica import Blow, Replica, State
from clustersim.engine.replicas.team import Team
from clustersim.engine.work.account import TieredWork
from clustersim.records import SCOPES, Doing, Strike

TRAINING, SAVING, STALL, HELD = Doing.TRAINING, Doing.SAVING, Doing.STALL, Doing.HELD
MAINTENANCE = Doing.MAINTENANCE
READY, DOWN, OUT = State.READY, State.DOWN, State.OUT
JOB_SCOPE = SCOPES.index("job")


class Job:
    """The job of a scenario: its doors for failures, and what they do to the replicas.

    Those that are there share one activity; a replica that is down has its own.  A lone replica has but the
    one, which spares it half of the steps from one state to the next.
    """

    def __init__(self, parts: Parts) -> None:
        env, scenario, cluster, journal = parts.env, parts.scenario, parts.cluster, parts.journal
        self._env = env
        self._work = parts.work
        self._cluster = cluster
        self._activity = Activity(env, journal)
        self._journal = journal
        self._stages = parts.stages
        self._repairs = parts.repairs
        self._recovery = scenario.recovery
        self._absorbs = scenario.recovery.during_recovery == "absorb"
        self._start = parts.causes.start
        self._rack_size = scenario.cluster.rack_slots
        self._team = Team([self._replica(index, parts) for index in range(self._recovery.replicas)], cluster)
        culprits = Culprits(cluster, self.change_pace)
        self._effects: dict[int, Callable[[Strike, int], None]] = {}
        if isinstance(self._work, TieredWork):
            shared = parts.streams, parts.origins, parts.stages
            affected = Affected(env, scenario, *shared, culprits, self._work, self)
            self._effects = effects(affected, scenario)
        self._rejoins_at_once = self._team.size == 1 and not self._effects
        together = Together(self._team, self._activity)
        self._group = Group(parts, together, culprits, lambda: self._planned)
        self._planned = PlannedStops(
            parts, together, self._group, self._take_down_after_stop, self._bring_back
        )
        if any(mode.effect.is_noticed_later for mode in scenario.failures.values()):
            cluster.on_move.append(culprits.moved)
        parts.failures.on_strike.append(self.strike)
        parts.failures.on_spare.append(self.strike_spare)
        parts.repairs.on_return.append(self._team.take_back)

    def __repr__(self) -> str:
        return f"Job({self._group})"

    def _replica(self, index: int, parts: Parts) -> Replica:
        """Return replica number *index*, with a chain of recovery of its own."""
        env, count = parts.env, parts.scenario.recovery.replicas
        size = parts.scenario.slots_per("replica")
        activity = self._activity
        if count > 1:
            activity = Activity(env, parts.journal, index)
            activity.share = 1 / count
        chain = Chain(
            env,
            parts.stages,
            parts.cluster,
            parts.repairs,
            activity,
            self,
            partial(self._announce, index),
            index,
        )
        return Replica(index, range(index * size, (index + 1) * size), chain, activity)

    @property
    def finished(self) -> simpy.Event:
        """Happens when the target is reached, or when the run is told to `finish`."""
        return self._group.finished

    @property
    def reached(self) -> float:
        """When the target was reached (s); NaN where it was not."""
        return self._group.reached

    @property
    def trains(self) -> bool:
        """Whether the job trains or saves."""
        return self._work.is_training or self._activity.doing is SAVING

    def begin(self) -> None:
        """Start at time 0: train, or recover first where the start is not free."""
        if self._recovery.at_start:
            start = Strike(self._start, 0, (), True, self._start, JOB_SCOPE)
            self._take_down(self._team.replicas, Blow(0.0, NOBODY, start, 0.0))
        else:
            self._group.go_on()

    def strike(self, strike: Strike) -> None:
        """Let a failure hit the job: the only way in."""
        effect = self._effects.get(strike.mode)
        line = self._note(strike, stops=effect is None)
        if effect is None:
            self.fail(strike, line)
        else:
            self._journal.keeps(line, _nodes_lost(strike))
            effect(strike, line)

    def strike_spare(self, strike: Strike, node: int) -> None:
        """Let a failure hit the idle spare *node*: the job does not notice."""
        line = self._journal.incident(self._env.now, strike, node, -1, Doing.IDLE, False)
        if not strike.transient:
            self._repairs.send_spare(strike, node, line)

    def fail(
        self, strike: Strike, line: int, *, noticed: bool = False, sound_until: float | None = None
    ) -> None:
        """Take down the replicas that *strike* hits; all of them where work is sound only until a place."""
        team, group, now = self._team, self._group, self._env.now
        struck, doing = team.struck_by(strike), self._activity.doing
        detection = 0.0 if noticed else self._stages.detection(strike)
        blow = Blow(now, line, strike, detection, sound_until)
        group.latest = blow.blame
        self._work.kill(strike.scope, now)
        if strike.slots and not strike.transient:
            team.break_nodes(strike, line, struck)
        if noticed:
            self._journal.keeps(line, -_nodes_lost(strike))
        if sound_until is not None:
            struck = team.replicas
        if doing is MAINTENANCE or team.is_out:
            struck = self._postponed(struck, blow)
        if struck and self._take_down(struck, blow):
            self._journal.interrupts(line)
        elif self._activity.doing is HELD:
            group.enter(HELD)

    def stand_still(self, time: float, cause: int, line: int) -> None:
        """Let all that train stand still for *time* seconds, because of the incident in *line*."""
        if self._work.is_training:
            self._journal.interrupts(line)
            self._group.stop()
            self._group.stall(time, (cause, line))
        elif self._activity.doing is STALL:
            self._group.stall(time, (cause, line))

    def change_pace(self) -> None:
        """Train at the pace that the stragglers leave from now on."""
        self._group.change_pace()

    def when_stop_ends(self, act: Callable[[], None]) -> bool:
        """Let *act* happen when the planned stop under way ends; return whether there is one."""
        return self._planned.when_it_ends(act)

    def closed_for(self) -> float:
        """Return for how long the copy that a replica needs cannot be loaded yet (s)."""
        return 0.0 if self._team.alive else self._work.closed_for(self._env.now)

    def load(self, strike: Strike, line: int, attempt: int) -> float:
        """Load from a replica that is alive, else from a tier's copy; return how long that takes (s)."""
        if not self._team.alive:
            time = self._work.load(strike, line)
        else:
            time = self._work.load_from_peer(line)
            if self._recovery.peer_load is not None:
                return self._recovery.peer_load
        given = self._stages.given_load(attempt, strike)
        return time if given is None else given

    def finish(self) -> None:
        """Book what is still open, and let `finished` happen: work since the last save counts."""
        self._group.finish()

    def _postponed(self, struck: Sequence[Replica], blow: Blow) -> list[Replica]:
        """Let those in a planned stop go down by the *blow* when that is over; return the others."""
        in_stop, everywhere = self._activity.doing is MAINTENANCE, blow.sound_until is not None
        now = []
        for replica in struck:
            if (in_stop and replica.state is not DOWN) or (replica.state is OUT and not everywhere):
                replica.put_off(blow)
            else:
                now.append(replica)
        return now

    def _take_down(
        self, struck: Sequence[Replica], blow: Blow, own: Mapping[Replica, Blow] | None = None
    ) -> bool:
        """Take replicas down by one *blow*, and let them begin their chains, for their *own* blow if any.

        The others stand still if any of those took part; return whether that was so.
        """
        team, group, up, blame = self._team, self._group, self._team.up, blow.blame
        again = team.fall(struck)
        took_part = team.up < up
        if took_part:
            self._break_off(blame)
        if not team.alive:
            self._work.fall_back(self._env.now, *blame, blow.sound_until)
            group.leave()
        elif took_part:
            group.stall(self._recovery.stall, blame)
        elif len(again) < len(struck) or self._activity.doing is HELD:
            group.enter(self._activity.doing)
        absorbing = again if self._absorbs and own is None else ()
        for replica in absorbing:
            replica.chain.absorb(blow.detection)
        for replica in struck:
            if replica not in absorbing:
                begun_by = blow if own is None else own[replica]
                replica.chain.begin(begun_by.strike, begun_by.line, begun_by.detection)
        return took_part

    def _take_down_after_stop(self, struck: Mapping[Replica, Blow]) -> None:
        """Take replicas down that were struck in a planned stop, each by its own blow.

        The latest is charged with what they lose together.
        """
        self._take_down(list(struck), max(struck.values(), key=_instant), struck)

    def _break_off(self, blame: Blame) -> None:
        """End the stretch under way; those that are left have lost the step that they were in."""
        in_step = self._work.is_training
        self._group.stop(blame)
        if in_step and self._team.alive:
            self._work.lose_step()

    def _announce(self, index: int) -> None:
        """Bring a replica back that has recovered, after all that is under way at this instant."""
        replica = self._team.replicas[index]
        if self._rejoins_at_once or (replica.chain.is_alone and self._env.peek() > self._env.now):
            self._be_ready(replica)
        else:
            At(self._env, self._env.now, REJOIN + index, partial(self._be_ready, replica))

    def _be_ready(self, replica: Replica, event: At | None = None) -> None:
        """Bring a replica back that has recovered, unless it has to stand aside for a planned stop.

        One that waited for nodes is announced by each that comes back at that instant.
        """
        if replica.state is DOWN and not self._planned.keeps_aside(replica):
            self._bring_back(replica, replica.activity.charged)

    def _bring_back(self, replica: Replica, blame: Blame) -> None:
        """Let a replica that is ready again join the others, or wait until enough are ready to begin."""
        group = self._group
        self._team.come_back(replica)
        if self._rejoins_at_once:
            group.go_on()
            return
        replica.activity.enter(TRAINING)
        doing, rejoin_stall = self._activity.doing, self._recovery.rejoin_stall
        if not group.is_formed:
            group.enter(HELD)
            if group.is_enough:
                group.wait(self._env.now, group.begin_together, GATHERING)
        elif doing is SAVING or doing is MAINTENANCE:
            group.extend(rejoin_stall, blame)
            group.enter(doing)
        elif not group.is_enough:
            group.enter(doing)
        else:
            group.stop()
            group.stall(rejoin_stall, blame)

    def _note(self, strike: Strike, *, stops: bool) -> int:
        """Write the incident into the journal and return the number of its line.

        Where it *stops* those that train, their stretch will tell whether they saved.
        """
        slots, team, now = strike.slots, self._team, self._env.now
        node = rack = index = NOBODY
        if slots:
            node = self._cluster.node(slots[0])
            rack = slots[0] // self._rack_size if self._rack_size else NOBODY
            index = team.index_of(slots[0]) if team.size > 1 else NOBODY
        replica = team.replicas[index if slots else 0]
        together = replica.state <= READY or (index == NOBODY and team.there)
        doing = (self._activity if together else replica.activity).doing
        if not stops and self._work.is_training and doing is TRAINING:
            doing = TRAINING if not self._work.is_saving(now) else SAVING
        return self._journal.incident(now, strike, node, rack, doing, False, index)


def _nodes_lost(strike: Strike) -> int:
    """Return how many nodes leave because of *strike*, once it is noticed."""
    return 0 if strike.transient else len(strike.slots)


def _instant(blow: Blow) -> tuple[float, int]:
    return blow.time, blow.line
