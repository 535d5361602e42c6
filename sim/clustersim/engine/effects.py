"""Failures that do not stop the job at once: who slows it down unnoticed, and the job as effects see it.

What each kind of effect does stands with the kind (`scenario/kinds/effects`); here is what it does it to.
A straggler strikes node 3 at 1,000 s.  It is undetected from then on, and the job trains at its pace.  If
node 3 leaves at 1,200 s because of another failure, the job is quick again; when the straggler is noticed at
1,600 s, its node is no longer there, and nothing happens.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Protocol

import simpy

from clustersim.distributions import Distribution
from clustersim.engine.cluster import Cluster
from clustersim.engine.events import NOTICE, At
from clustersim.engine.failures.origins import FailureDraws, Origins
from clustersim.engine.recovery import Stages
from clustersim.engine.work.history import Pace
from clustersim.engine.work.tiered import TieredWork
from clustersim.failure import Failure
from clustersim.scenario.kinds.effects import Undetected
from clustersim.scenario.model import Scenario, Tier
from clustersim.streams import Streams, happens


class RunningJob(Protocol):
    """What `Affected` needs of the job; `Job` is made of what stands here, so its class cannot be named."""

    def fail(
        self, failure: Failure, line: int, *, noticed: bool = False, sound_until: float | None = None
    ) -> None:
        """Go down where the *failure* of *line* hits; as a whole where work is only partly sound."""

    def stand_still(self, time: float, cause: int, line: int) -> None:
        """Let all that train stand still for *time* seconds."""

    def save_before(self, failure: Failure, line: int, until: float, useful: bool) -> None:
        """Save before nodes leave at the instant *until* (s); a *useful* save is durable by then."""

    def change_pace(self) -> None:
        """Train at another pace from now on."""

    @property
    def trains(self) -> bool:
        """Whether the job trains or saves."""

    def when_stop_ends(self, act: Callable[[], None]) -> bool:
        """Let *act* happen when the planned stop under way ends; return whether there is one."""


class UndetectedFailure:
    """A failure that is not noticed yet; it knows which of the nodes that it struck have not left since.

    Until then the job makes only *factor* of its progress.
    """

    def __init__(
        self, failure: Failure, line: int, cluster: Cluster, factor: float, others: list[UndetectedFailure]
    ) -> None:
        self.failure = failure
        self.line = line
        self.factor = factor
        self._others = others
        self._slot_of = {cluster.node(slot): slot for slot in failure.slots}
        self._cluster = cluster

    def __repr__(self) -> str:
        return f"UndetectedFailure({self.failure}, nodes {list(self._slot_of)})"

    @property
    def is_present(self) -> bool:
        """Whether any of its nodes has not left, failed or not; always where it struck no nodes."""
        return bool(self._slot_of) or not self.failure.slots

    def leaves(self, node: int) -> bool:
        """Forget *node*, which leaves; return whether it was one of those that the failure struck."""
        return self._slot_of.pop(node, None) is not None

    def detect(self) -> None:
        """Remove the failure from the undetected ones: it is noticed."""
        self._others.remove(self)

    def slots(self) -> tuple[int, ...]:
        """Return the slots in which its nodes still are at work."""
        return tuple(slot for slot in self._slot_of.values() if self._cluster.is_at_work(slot))


class UndetectedFailures:
    """All failures that are not noticed yet: the job trains at the pace of the slowest.

    Those are `open`; *pace_changes* is called when one of them leaves.  A node that leaves for another reason
    is repaired: it slows nothing when it comes back.
    """

    def __init__(self, cluster: Cluster, pace_changes: Callable[[], None]) -> None:
        self.open: list[UndetectedFailure] = []
        self._cluster = cluster
        self._pace_changes = pace_changes

    def add(self, failure: Failure, line: int, factor: float = 1.0) -> UndetectedFailure:
        """Note *failure*, whose nodes are in their slots now and which leaves *factor* of the pace."""
        undetected = UndetectedFailure(failure, line, self._cluster, factor, self.open)
        self.open.append(undetected)
        return undetected

    def pace(self) -> Pace | None:
        """Return the pace that the slowest sets, the first of equals, or nothing where there is none."""
        slow = [failure for failure in self.open if failure.factor < 1 and failure.is_present]
        if not slow:
            return None
        slowest = min(slow, key=lambda failure: failure.factor)
        return Pace(0.0, slowest.factor, slowest.failure.mode, slowest.line)

    def moved(self, node: int, slot: int | None, idle: bool) -> None:
        """Forget a *node* that has left; the job may be quicker without it."""
        if slot is None and self.open:
            left = [failure.leaves(node) for failure in self.open]
            if any(left):
                self._pace_changes()


class Affected:
    """The job as the effects see that need a work history (`AffectedJob` says what each method is for).

    Draws are made once for each mode and quantity, and known by the failure, whatever happens in between.
    """

    def __init__(
        self,
        env: simpy.Environment,
        scenario: Scenario,
        streams: Streams,
        origins: Origins,
        stages: Stages,
        undetected: UndetectedFailures,
        work: TieredWork,
        job: RunningJob,
    ) -> None:
        self._env = env
        self._laws = [mode.repair for mode in scenario.failures.values()]
        self._streams = streams
        self._origins = origins
        self._stages = stages
        self._undetected = undetected
        self._work = work
        self._job = job
        self._tiers = scenario.tiers
        self._draws: dict[tuple[int, str], FailureDraws] = {}

    @property
    def trains(self) -> bool:
        """Whether the job trains or saves."""
        return self._job.trains

    @property
    def tiers(self) -> Sequence[Tier]:
        """The tiers of its checkpoints."""
        return self._tiers

    def draw(self, quantity: str, law: Distribution, failure: Failure) -> float:
        """Return the time that *quantity* takes for this failure."""
        draws = self._draws.get((failure.mode, quantity))
        if draws is None:
            draws = FailureDraws(self._streams, self._origins, quantity, law.sample)
            self._draws[failure.mode, quantity] = draws
        return draws[failure]

    def happens(self, quantity: str, share: float, failure: Failure) -> bool:
        """Return whether this failure is one of the *share* of which *quantity* is true."""
        draws = self._draws.get((failure.mode, quantity))
        if draws is None:
            draws = FailureDraws(self._streams, self._origins, quantity)
            self._draws[failure.mode, quantity] = draws
        return happens(draws, failure, share)

    def save_before(self, failure: Failure, line: int, time: float, useful: bool) -> None:
        """Save before nodes leave after *time*."""
        self._job.save_before(failure, line, self._env.now + time, useful)

    def detection(self, failure: Failure) -> float:
        """Return how long it takes until the failure is noticed."""
        return self._stages.detection(failure)

    def repair(self, failure: Failure) -> float:
        """Return the repair time of the failure's mode; none where it has none."""
        law = self._laws[failure.mode]
        return 0.0 if law is None else self.draw("repair", law, failure)

    def notice_after(self, time: float, act: Callable[[], None]) -> None:
        """Let *act* happen after *time*, among what is noticed at that instant."""
        At(self._env, self._env.now + time, NOTICE, lambda _: act())

    def when_stop_ends(self, act: Callable[[], None]) -> bool:
        """Let *act* happen when the planned stop under way ends; return whether there is one."""
        return self._job.when_stop_ends(act)

    def track(self, failure: Failure, line: int, pace: float = 1.0) -> Undetected:
        """Follow the nodes that a failure struck."""
        return self._undetected.add(failure, line, pace)

    def fail(self, failure: Failure, line: int, sound_until: float | None = None) -> None:
        """Go down by a failure that is noticed."""
        self._job.fail(failure, line, noticed=True, sound_until=sound_until)

    def change_pace(self) -> None:
        """Train at the pace that the slowest failure leaves from now on."""
        self._job.change_pace()

    def stand_still(self, time: float, failure: Failure, line: int) -> None:
        """Let all that train stand still for *time*."""
        self._job.stand_still(time, failure.mode, line)

    def suspect(self, line: int) -> None:
        """Take note that the work is wrong from now on."""
        self._work.suspect(line, self._env.now)

    def clear_suspect(self, line: int) -> float | None:
        """Return the position from which *line* made the work wrong, and forget it; None if it is gone."""
        return self._work.clear_suspect(line)

    def close(self, tiers: Sequence[int], time: float) -> None:
        """Make *tiers* unavailable for *time*."""
        self._work.close(tiers, self._env.now, self._env.now + time)


def effects(affected: Affected, scenario: Scenario) -> dict[int, Callable[[Failure, int], None]]:
    """Return what failures do that do not stop the job at once, by the number of their mode."""
    return {
        number: partial(mode.effect.strike, affected)
        for number, mode in enumerate(scenario.failures.values())
        if not mode.effect.stops_at_once
    }
