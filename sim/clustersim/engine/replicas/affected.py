"""The job as the effects of failures see it that do not stop it at once.

What each kind of effect does stands with the kind (`scenario/kinds/effects`); here is what it does it to.
A link flaps at 1,000 s for 40 s: its effect calls `stand_still`, the segment of training ends, and the next
one begins at 1,040 s.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from clustersim.distributions import Distribution
from clustersim.engine.activity import SAVING, STALL
from clustersim.engine.events import NOTICE, At
from clustersim.engine.origins import FailureDraws
from clustersim.engine.recovery import Stages
from clustersim.engine.replicas.active_group import ActiveGroup
from clustersim.engine.replicas.notice import SaveOnNotice
from clustersim.engine.work.tiered import TieredWork
from clustersim.engine.world import World
from clustersim.failure import Failure
from clustersim.scenario.keys.tiers import Tier
from clustersim.scenario.kinds.effects import Undetected
from clustersim.scenario.model import Scenario
from clustersim.streams import Sampler, happens, uniform


class Affected:
    """The job as the effects see that need a work history (`AffectedJob` says what each method is for).

    Draws are made once for each mode and quantity, and known by the failure, whatever happens in between.
    """

    def __init__(
        self,
        world: World,
        stages: Stages,
        work: TieredWork,
        group: ActiveGroup,
        fail: Callable[[Failure, int, float | None], None],
    ) -> None:
        self._env = world.env
        self._laws = [mode.repair for mode in world.scenario.failures.values()]
        self._origins = world.origins
        self._journal = world.journal
        self._stages = stages
        self._work = work
        self._group = group
        self._fail = fail
        self._on_notice = SaveOnNotice(world.env, work, group)
        self._tiers = world.scenario.tiers
        self._draws: dict[tuple[int, str], FailureDraws] = {}

    @property
    def trains(self) -> bool:
        """Whether the job trains or saves."""
        return self._work.is_training or self._group.activity.phase is SAVING

    @property
    def tiers(self) -> Sequence[Tier]:
        """The tiers of its checkpoints."""
        return self._tiers

    def draw(self, quantity: str, law: Distribution, failure: Failure) -> float:
        """Return the time that *quantity* takes for this failure."""
        return self._draws_of(failure, quantity, law.sample)[failure]

    def happens(self, quantity: str, share: float, failure: Failure) -> bool:
        """Return whether this failure is one of the *share* of which *quantity* is true."""
        return happens(self._draws_of(failure, quantity, uniform), failure, share)

    def save_before(self, failure: Failure, line: int, time: float, useful: bool) -> None:
        """Save before nodes leave after *time*."""
        self._on_notice.begin(failure, (failure.mode, line), self._env.now + time, useful)

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
        planned = self._group.planned
        return planned is not None and planned.when_it_ends(act)

    def track(self, failure: Failure, line: int, pace: float = 1.0) -> Undetected:
        """Follow the nodes that a failure struck."""
        return self._group.undetected.add(failure, line, pace)

    def fail(self, failure: Failure, line: int, sound_until: float | None = None) -> None:
        """Go down by a failure that is noticed."""
        self._fail(failure, line, sound_until)

    def change_pace(self) -> None:
        """Train at the pace that the slowest failure leaves from now on."""
        self._group.change_pace()

    def stand_still(self, time: float, failure: Failure, line: int) -> None:
        """Let all that train stand still for *time*."""
        if self._work.is_training:
            self._journal.interrupts(line)
            self._group.stop()
        elif self._group.activity.phase is not STALL:
            return
        self._group.stall(time, (failure.mode, line))

    def suspect(self, line: int) -> None:
        """Take note that the work is wrong from now on."""
        self._work.suspect(line, self._env.now)

    def clear_suspect(self, line: int) -> float | None:
        """Return the position from which *line* made the work wrong, and forget it; None if it is gone."""
        return self._work.clear_suspect(line)

    def close(self, tiers: Sequence[int], time: float) -> None:
        """Make *tiers* unavailable for *time*."""
        self._work.copies.close(tiers, self._env.now, self._env.now + time)

    def _draws_of(self, failure: Failure, quantity: str, sampler: Sampler) -> FailureDraws:
        key = failure.mode, quantity
        if key not in self._draws:
            self._draws[key] = FailureDraws(self._origins, quantity, sampler)
        return self._draws[key]


def effects(affected: Affected, scenario: Scenario) -> dict[int, Callable[[Failure, int], None]]:
    """Return what failures do that do not stop the job at once, by the number of their mode."""
    return {
        number: partial(mode.effect.strike, affected)
        for number, mode in enumerate(scenario.failures.values())
        if not mode.effect.stops_at_once
    }
