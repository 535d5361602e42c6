"""The restart sequence: from a failure through detection and the recovery's stages to training again.

Detection ends with the earliest alarm of the failures pending; then all failed nodes leave for repair.  The
stages follow in order; in the stage `nodes` empty slots are filled from spares, or the sequence waits for
repairs.  A stage that fails begins the sequence again, after detection; so does a failure in between, or it
is absorbed (`during_recovery`).

With `stages: {detect: 30 s, restart: 4 min, load: 1 min}` and a spare at hand a failure at 1,000 s is
detected at 1,030 s, and training begins at 1,330 s.  If another node fails at 1,200 s, its 30 s of detection
end at 1,230 s, and training begins at 1,530 s.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from clustersim.engine.activity import DETECTION, NO_BLAME, OUTAGE, RECOVERY, WAITING, Activity, Blame
from clustersim.engine.events import STAGE, At
from clustersim.engine.origins import FailureDraws, Origins
from clustersim.engine.recovery import RestartStage, Stages
from clustersim.engine.repair import Repairs
from clustersim.engine.world import World
from clustersim.failure import Failure
from clustersim.scenario.model import Scenario


class Loader(Protocol):
    """Loads the state with which a job or a replica goes on."""

    def closed_for(self) -> float:
        """Return for how long nothing can be loaded yet (s)."""

    def load(self, failure: Failure, line: int, attempt: int) -> float:
        """Load after *failure*, at the *attempt*-th run of the stages; return how long that takes (s)."""


class SiteOutage:
    """The outage of the whole site: nothing trains before `until` (s); *failure* and *blame* are its own.

    Of outages that overlap, the one that lasts longest from then on is charged.
    """

    def __init__(self) -> None:
        self.until = 0.0
        self.failure: Failure | None = None
        self.blame: Blame = NO_BLAME

    def strike(self, failure: Failure, blame: Blame, until: float) -> None:
        """Let the site be out because of *failure*, charged to *blame*, up to the instant *until* (s)."""
        if until > self.until:
            self.until, self.failure, self.blame = until, failure, blame


class OutageTimes:
    """How long each failure of a mode per cluster, or each row of a log, keeps the whole site out.

    `any` says whether a random mode does; a site that is out by a mode cannot fail by it once more.
    """

    def __init__(self, scenario: Scenario, origins: Origins) -> None:
        modes = list(scenario.failures.values())
        self._rows = {number: mode.recorded for number, mode in enumerate(modes) if mode.recorded}
        self._times = {
            number: FailureDraws(origins, "repair", mode.repair_plan.first.sample)
            for number, mode in enumerate(modes)
            if mode.is_outage and mode.repair_plan is not None
        }
        self.any = bool(self._times)
        self._until: dict[int, float] = {}

    def is_out(self, failure: Failure, now: float) -> bool:
        """Return whether the site is out at the instant *now* (s) by the very mode of *failure*."""
        return self._until.get(failure.mode, now) > now

    def end(self, failure: Failure, now: float) -> float | None:
        """Return until when (s) *failure* of the whole job at the instant *now* keeps the site out, if so."""
        times, rows = self._times.get(failure.mode), self._rows.get(failure.mode)
        if times is not None:
            self._until[failure.mode] = until = now + times[failure]
            return until
        length = None if rows is None else rows[failure.ordinal].repair_s
        return None if length is None else now + length


class RestartSequence:
    """The restart sequence of one *group* of slots: from stage to stage, one event each.

    A failure meanwhile begins it again (`begin`) or is absorbed (`absorb`).  Detection ends with the earliest
    alarm: a crash with an alarm after 10 s also ends the detection of a hang that would take 30 min, and a
    hang never delays the alarm of a crash.  *recovered* is called when all stages have succeeded and every
    slot holds a node that is ready.  `is_alone` is true while the end of a stage leads to that, so that no
    other event of this instant can have caused it.
    """

    def __init__(
        self,
        world: World,
        stages: Stages,
        repairs: Repairs,
        activity: Activity,
        loader: Loader,
        recovered: Callable[[], None],
        outage: SiteOutage,
        group: int = 0,
    ) -> None:
        self.is_alone = False
        self._is_over = True
        self._env, self._cluster, self._journal = world.env, world.cluster, world.journal
        self._repairs = repairs
        self._loader = loader
        self._recovered = recovered
        self._stages = stages
        self._activity = activity
        self._group = group
        self._outage = outage
        self._priority = STAGE + group
        self._failed: list[tuple[Failure, Sequence[int], int]] = []
        self._alarm = math.inf
        self._timer: At | None = None
        self._ahead: Iterator[RestartStage] = iter(())
        self._stage = stages.timed[0]

    def break_nodes(self, failure: Failure, slots: Sequence[int], line: int) -> None:
        """Mark the nodes in *slots* as failed by *failure*, in *line*; they stay until detection ends."""
        self._cluster.fail(slots)
        self._failed.append((failure, slots, line))

    def begin(self, failure: Failure, blame: Blame, detection: float) -> None:
        """Begin the sequence for *failure*, charged to *blame*, detected after *detection* seconds."""
        if self._is_over:
            self._is_over = False
            self._cluster.begin_stop(self._group)
        if self._outage.until > self._env.now:
            self._sit_out()
            return
        self._activity.enter(DETECTION)
        self._activity.charged = blame
        self._failure, self._attempt = failure, 0
        self._expect(detection)

    def absorb(self, detection: float) -> None:
        """Take in a failure that is detected after *detection* seconds, without beginning again."""
        if self._outage.until > self._env.now:
            self._sit_out()
            return
        if self._activity.phase is DETECTION:
            self._expect(detection)
            return
        self._send_away()
        if self._activity.phase is WAITING:
            self._cluster.fill(self._env.now, self._group)
        elif self._activity.phase is RECOVERY and self._activity.stage == self._stages.nodes:
            self._await_nodes()

    def _sit_out(self) -> None:
        """Wait until the outage of the site is over; whatever has failed by then is found then."""
        outage, activity = self._outage, self._activity
        if outage.failure is None or (activity.phase is OUTAGE and activity.charged == outage.blame):
            return
        activity.enter(OUTAGE)
        activity.charged = outage.blame
        self._failure, self._attempt, self._alarm = outage.failure, 0, math.inf
        self._timer = At(self._env, outage.until, self._priority, self._alarm_rings)

    def look_again(self) -> None:
        """Go on if it waited for nodes and now has them all; several may come back at one instant."""
        if self._activity.phase is not WAITING or self._is_over:
            return
        if self._cluster.look_again(self._env.now, self._group):
            self._await_nodes()

    def _wait(self, time: float, then: Callable[[At], None]) -> None:
        """Call *then* after *time* seconds; it checks that its event is still the timer.

        The sequence may begin again before.  A common callback that checks for all of them would cost one
        more call for each stage of each failure.
        """
        self._timer = At(self._env, self._env.now + time, self._priority, then)

    def _expect(self, detection: float) -> None:
        """End the detection after so many seconds, unless a pending alarm ends it before."""
        alarm = self._env.now + detection
        if alarm >= self._alarm:
            return
        self._alarm = alarm
        if detection:
            self._wait(detection, self._alarm_rings)
        else:
            self._detected()

    def _alarm_rings(self, event: At) -> None:
        if event is self._timer:
            self._detected()

    def _detected(self) -> None:
        """Send the failed nodes away, and begin with the first stage."""
        self._alarm, self._timer = math.inf, None
        self._send_away()
        self._ahead = iter(self._stages.timed)
        self._go_on()

    def _go_on(self) -> None:
        """Begin the next stage; after the last one, recover as soon as all nodes are ready."""
        for stage in self._ahead:
            if not stage.awaits_nodes:
                self._stage = stage
                self._activity.enter(RECOVERY, stage.number)
                if stage.constant is not None:
                    self._wait(stage.constant, self._end_stage)
                elif stage.loads:
                    self._load()
                else:
                    self._wait(self._duration(stage), self._end_stage)
                return
            if not self._cluster.fill(self._env.now, self._group):
                self._await_nodes()
                return
        if self._cluster.fill(self._env.now, self._group):
            self._is_over = True
            self._recovered()
        else:
            self._await_nodes()

    def _load_later(self, event: At) -> None:
        if event is self._timer:
            self._load()

    def _load(self) -> None:
        """Load the state, as soon as its tier is available."""
        if closed := self._loader.closed_for():
            self._wait(closed, self._load_later)
        else:
            _, line = self._activity.charged
            self._wait(self._loader.load(self._failure, line, self._attempt), self._end_stage)

    def _end_stage(self, event: At) -> None:
        """Go on, or begin again with the first stage after detection if this stage has failed."""
        if event is not self._timer:
            return
        stage, failure = self._stage, self._failure
        if stage.fails and self._stages.fails(stage.number, self._attempt, failure):
            self._attempt += 1
            self._ahead = iter(self._stages.timed)
        self.is_alone = True
        self._go_on()
        self.is_alone = False

    def _await_nodes(self) -> None:
        """Go on when every slot holds a node that is ready: wait for repairs, then for provisioning."""
        self._timer = None  # what was awaited before may have failed, and another node taken its slot
        if self._cluster.fill(self._env.now, self._group):
            self._go_on()
        elif self._cluster.missing(self._group):
            self._activity.enter(WAITING)
        else:
            self._activity.enter(RECOVERY, self._stages.nodes)
            self._wait(self._cluster.ready_at(self._group) - self._env.now, self._provisioned)

    def _provisioned(self, event: At) -> None:
        """Go on: the last of the spares taken is ready, even if rounding puts the clock just before that."""
        if event is not self._timer:
            return
        self._cluster.fill(max(self._env.now, self._cluster.ready_at(self._group)), self._group)
        self._await_nodes()

    def _duration(self, stage: RestartStage) -> float:
        return self._stages.duration(stage.number, self._attempt, self._failure)

    def _send_away(self) -> None:
        """Send the failed nodes to repair."""
        for failure, slots, line in self._failed:
            kept = len(slots) - self._repairs.send(failure, slots, line)
            if kept:
                self._journal.keeps(line, kept)
        self._failed.clear()
