"""The job in general: replicas that train together, stand still for one another, and recover one by one.

With one replica it is the job that restarts as a whole, from whatever copies its tiers still hold.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import simpy

from clustersim.engine.activity import Activity, Blame
from clustersim.engine.cluster import Cluster
from clustersim.engine.effects import Culprits, Effect
from clustersim.engine.events import GATHERING, REJOIN, At
from clustersim.engine.job import TrainingClock
from clustersim.engine.journal import NOBODY, Journal
from clustersim.engine.ledger import Causes
from clustersim.engine.recovery import Stages
from clustersim.engine.repair import Repairs
from clustersim.engine.replicas.group import Group
from clustersim.engine.replicas.planned import PlannedStops
from clustersim.engine.replicas.replica import Blow, Fall, Replica, State
from clustersim.engine.replicas.team import Team
from clustersim.engine.work.account import Work
from clustersim.engine.work.tiers import NO_TIER
from clustersim.records import SCOPES, Doing, Strike
from clustersim.scenario.model import Scenario

TRAINING, SAVING, STALL, HELD = Doing.TRAINING, Doing.SAVING, Doing.STALL, Doing.HELD
MAINTENANCE = Doing.MAINTENANCE
READY, DOWN, OUT = State.READY, State.DOWN, State.OUT
JOB_SCOPE = SCOPES.index("job")


class ReplicatedJob:
    """The job of a scenario: its doors for failures, and what they do to the replicas.

    Those that are there share one *activity*; a replica that is down has its own.
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
        culprits: Culprits,
        effects: Mapping[int, Effect],
    ) -> None:
        self._env = env
        self._work = work
        self._team = team
        self._cluster = cluster
        self._activity = activity
        self._journal = journal
        self._stages = stages
        self._effects = effects
        self._recovery = scenario.recovery
        self._absorbs = scenario.recovery.during_recovery == "absorb"
        self._start = Causes(tuple(scenario.failures)).start
        self._rack_size = scenario.cluster.rack_slots
        self._group = Group(env, scenario, work, team, activity, culprits, (self._start, NOBODY))
        self._planned = PlannedStops(
            env, scenario, work, team, activity, self._group, self._bring_down, self._bring_back
        )
        self._group.planned = self._planned

    def __repr__(self) -> str:
        return f"ReplicatedJob({self._group})"

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
        return self._work.stretch is not None or self._activity.doing is SAVING

    def begin(self, clocks: Sequence[TrainingClock], repairs: Repairs) -> None:
        """Start at time 0: train, or recover first where the start is not free."""
        self._group.clocks = clocks
        self._repairs = repairs
        for replica in self._team.replicas:
            replica.chain.repairs, replica.chain.loader = repairs, self
            replica.chain.recovered = partial(self._announce, replica)
        if self._recovery.at_start:
            start = Strike(self._start, 0, (), True, self._start, JOB_SCOPE)
            self._bring_down([(replica, Blow(0.0, NOBODY, start, 0.0)) for replica in self._team.replicas])
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
            effect.strike(self, strike, line)

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
        detection = 0.0 if noticed else self._stages.detection(strike.origin, strike.ordinal)
        blow = Blow(now, line, strike, detection, sound_until)
        group.latest = blow.blame
        self._work.kill(strike.scope, now)
        if strike.slots and not strike.transient:
            team.break_nodes(strike, line, struck)
        if noticed:
            self._journal.keeps(line, -_nodes_lost(strike))
        falls = []
        for replica in struck if sound_until is None else team.replicas:
            state = replica.state
            if (doing is MAINTENANCE and state is not DOWN) or (state is OUT and sound_until is None):
                replica.put_off(blow)
            else:
                falls.append((replica, blow))
        if falls and self._bring_down(falls):
            self._journal.interrupts(line)
        elif self._activity.doing is HELD:
            group.enter(HELD)

    def take_back(self, nodes: Sequence[int]) -> None:
        """Take repaired *nodes*: to replicas that wait for some, else as spares."""
        self._team.take_back(nodes)

    def flap(self, time: float, cause: int, line: int) -> None:
        """Let all that train stand still for *time* seconds, because of the incident in *line*."""
        if self._work.stretch is not None:
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
        given = self._stages.given_load(attempt, strike.origin, strike.ordinal)
        return time if given is None else given

    def finish(self) -> None:
        """Book what is still open, and let `finished` happen: work since the last save counts."""
        self._group.finish()

    def _bring_down(self, falls: Sequence[Fall]) -> bool:
        """Take replicas down, each by its blow; the latest is charged with what they lose together.

        Return whether any of them took part.
        """
        team, group, up, again = self._team, self._group, self._team.up, []
        for replica, _ in falls:
            if replica.state is DOWN:
                again.append(replica)
            else:
                team.fall(replica)
        last = falls[0][1] if len(falls) == 1 else max((blow for _, blow in falls), key=_instant)
        took_part, blame = team.up < up, last.blame
        if took_part:
            self._break_off(blame)
        if not team.alive:
            self._work.fall_back(self._env.now, *blame, last.sound_until)
            group.leave()
        elif took_part:
            group.stall(self._recovery.stall, blame)
        elif len(again) < len(falls) or self._activity.doing is HELD:
            group.enter(self._activity.doing)
        self._recover(falls, again if self._absorbs else ())
        return took_part

    def _recover(self, falls: Sequence[Fall], absorbing: Sequence[Replica]) -> None:
        """Let replicas begin their chains, by their numbers; those that are *absorbing* do so before."""
        for replica, blow in falls:
            if replica in absorbing:
                replica.chain.absorb(blow.detection)
        for replica, blow in falls:
            if replica not in absorbing:
                replica.chain.begin(blow.strike, blow.line, blow.detection)

    def _break_off(self, blame: Blame) -> None:
        """End the stretch under way; those that are left have lost the step that they were in."""
        in_step = self._work.stretch is not None
        self._group.stop(blame)
        if in_step and self._team.alive:
            self._work.lose_step()

    def _announce(self, replica: Replica) -> None:
        """Bring a replica back that has recovered, after all that is under way at this instant."""
        if replica.chain.is_alone and self._env.peek() > self._env.now:
            self._be_ready(replica)
        else:
            At(self._env, self._env.now, REJOIN + replica.index, partial(self._be_ready, replica))

    def _be_ready(self, replica: Replica, event: simpy.Event | None = None) -> None:
        """Bring a replica back that has recovered, unless it has to stand aside for a planned stop.

        One that waited for nodes is announced by each that comes back at that instant.
        """
        if replica.state is DOWN and not self._planned.keeps_aside(replica):
            self._bring_back(replica, replica.activity.charged)

    def _bring_back(self, replica: Replica, blame: Blame) -> None:
        """Let a replica that is ready again join the others, or wait until enough are ready to begin."""
        replica.activity.enter(TRAINING)
        self._team.come_back(replica)
        group, doing = self._group, self._activity.doing
        rejoin_stall = self._recovery.rejoin_stall
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
        if not stops and self._work.stretch is not None and doing is TRAINING:
            doing = TRAINING if self._work.place(now).saving == NO_TIER else SAVING
        return self._journal.incident(now, strike, node, rack, doing, False, index)


def _nodes_lost(strike: Strike) -> int:
    """Return how many nodes leave because of *strike*, once it is noticed."""
    return 0 if strike.transient else len(strike.slots)


def _instant(blow: Blow) -> tuple[float, int]:
    return blow.time, blow.line
