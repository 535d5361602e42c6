"""The save before nodes leave that were announced, and the wait until they do.

A job trains, and saves for 20 s each hour.  At 5,000 s it is told that a node leaves in 120 s.  It saves
until 5,020 s and stands still until 5,120 s; then the node leaves, and the job goes down as by a crash that
was noticed before.  Told at 3,610 s, within a save, it lets that save end at 3,620 s and stands still.
"""

from __future__ import annotations

from functools import partial

import simpy

from clustersim.engine.activity import LEAVING, SAVING, Blame
from clustersim.engine.events import COMPLETION, At
from clustersim.engine.replicas.active_group import ActiveGroup
from clustersim.engine.work.tiered import TieredWork
from clustersim.failure import Failure


class SaveOnNotice:
    """What a job of one replica does between a notice and the nodes' leaving, if it trains at the notice.

    A failure meanwhile takes the job down like any other, and then nothing is left to be done here.
    """

    def __init__(self, env: simpy.Environment, work: TieredWork, group: ActiveGroup) -> None:
        self._env = env
        self._work = work
        self._group = group

    def begin(self, failure: Failure, blame: Blame, until: float, useful: bool) -> None:
        """Save, as nodes leave by *failure* at the instant *until* (s); a *useful* save is durable by then.

        The wait is charged to *blame*.  A save that is under way ends first.
        """
        if self._group.replicas.size > 1 or self._work.segment is None:
            return
        ends, start = self._work.saving_until(self._env.now), self._work.segment.start
        if ends > self._env.now:
            begin = partial(self._save_if_it_trains, start, failure.scope, blame, until, useful)
            At(self._env, ends, COMPLETION, begin)
        else:
            self._save(failure.scope, blame, until, useful)

    def _save_if_it_trains(
        self, start: float, scope: int, blame: Blame, until: float, useful: bool, event: At
    ) -> None:
        """Save at the end of a block, if the segment that began at *start* (s) goes on."""
        segment = self._work.segment
        if segment is not None and segment.start == start and self._env.now <= until:
            self._save(scope, blame, until, useful)

    def _save(self, scope: int, blame: Blame, until: float, useful: bool) -> None:
        ends = self._work.begin_rescue(self._env.now, until, scope, useful=useful)
        if ends is not None:
            self._group.enter(SAVING)
            self._group.wait(ends, partial(self._stand_still, blame))

    def _stand_still(self, blame: Blame) -> None:
        self._group.stop()
        self._work.copies.end_rescue()
        self._group.enter(LEAVING)
        self._group.activity.charged = blame
