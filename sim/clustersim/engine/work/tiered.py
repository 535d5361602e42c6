"""The work of a job with its history: segments begin and end, failures throw work away, copies are loaded.

Memory saves each 10 min and does not survive a node, storage saves each hour; neither takes time.  A node
fails after 9,000 s of training: memory is empty, and the job falls back to the 7,200 s that storage holds.
`load` takes the time of storage; if its copy cannot be used, it takes that time twice, and the job falls back
to 3,600 s.
"""

from __future__ import annotations

from clustersim.engine.journal import NOBODY
from clustersim.engine.origins import FailureDraws, Origins
from clustersim.engine.segments import Training
from clustersim.engine.work.adaptive import AdaptiveInterval
from clustersim.engine.work.checkpoint_set import CheckpointSet
from clustersim.engine.work.goodput import GoodputBreakdown
from clustersim.engine.work.history import Pace, ProgressHistory, TrainingSegment
from clustersim.engine.work.tiers import NO_TIER, REL_TOL, SegmentState, TierClocks
from clustersim.failure import Failure
from clustersim.scenario.model import Scenario


class TieredWork:
    """What the job has done and what of it is saved, in seconds of training along the line that survives.

    `segment` is the one under way, if the job trains; `loads` are the tiers of the copies that it recovered
    from, by incident: the number after the last tier's stands for another replica.
    """

    def __init__(self, scenario: Scenario, origins: Origins) -> None:
        spec = scenario.checkpoint
        tiers = spec.tiers if spec is not None else ()
        self.copies = CheckpointSet(tiers, scenario.workload.step_time)
        self._adaptive = [
            (number, AdaptiveInterval(tier.adapts)) for number, tier in enumerate(tiers) if tier.adapts
        ]
        self.history = ProgressHistory(1 - scenario.recovery.overhead, len(tiers), bool(self._adaptive))
        self.segment: TrainingSegment | None = None
        self.loads: dict[int, int] = {}
        self.clocks = self.copies.clocks
        self._last: TrainingSegment | None = None
        self._load_times = [tier.load for tier in tiers] or [0.0]
        self._unusable = [tier.unusable for tier in tiers]
        self._origins = origins
        self._draws: dict[int, FailureDraws] = {}
        self._tries: dict[int, int] = {}
        self._suspects: dict[int, float] = {}

    def __repr__(self) -> str:
        return f"Work(at {self.history.position}, {self.copies})"

    @property
    def is_training(self) -> bool:
        """Whether a segment is under way."""
        return self.segment is not None

    def is_saving(self, now: float) -> bool:
        """Return whether training stands still for a save in the segment under way."""
        return self.state(now).saving != NO_TIER

    def begin(self, now: float, share: float, pace: Pace | None = None) -> None:
        """Begin a segment on a *share* of the cards, at a *pace* that is not the full one, if any."""
        position, rate = self.history.position, share * self.history.pace
        clocks = self.clocks if not self._adaptive else self._adapted(now)
        firsts = self.copies.firsts(position, now, clocks.intervals)
        paces = () if pace is None else (pace,)
        self.segment = TrainingSegment(now, position, share, rate, paces, clocks, firsts)

    def _adapted(self, now: float) -> TierClocks:
        """Return the clocks of the segment that begins *now* (s), at the intervals that it keeps."""
        intervals = list(self.clocks.intervals)
        for tier, adaptive in self._adaptive:
            intervals[tier] = adaptive.begin(now)
        return self.clocks.at(intervals)

    def state(self, now: float) -> SegmentState:
        """Return how far the segment under way is."""
        segment = self.segment
        assert segment is not None
        return segment.clocks.state(segment.firsts, segment.start, now)

    def end(self, now: float, cause: int = NOBODY, incident: int = NOBODY) -> None:
        """End the segment, broken by *cause* and *incident* if by anything, with what it has saved."""
        segment = self.segment
        assert segment is not None
        state = self.state(now)
        segment.finish(now, state, cause, incident)
        self.history.add(segment)
        self.copies.take_in(segment, state)
        self.segment, self._last = None, segment
        for _, adaptive in self._adaptive:
            adaptive.end(now)

    def end_final_save(self, now: float) -> None:
        """End it: what has been done so far is saved."""
        self.copies.end_final_save(self.history.position, now)

    def settle(self, now: float) -> None:
        """Hold the copies that have become durable by *now*, before anything is lost at that instant."""
        self.copies.settle(now)

    def begin_final_save(self, now: float) -> float:
        """Save all work in the last tier, unless it is saved there; return when its copy is durable (s)."""
        return self.copies.begin_final_save(self.history.position, now)

    def saving_until(self, now: float) -> float:
        """Return when the block of a save ends that is under way *now* (s); *now* where none is."""
        segment, state = self.segment, self.state(now)
        assert segment is not None
        return now if state.saving == NO_TIER else segment.clocks.saving_until(segment.start, state)

    def begin_rescue(self, now: float, until: float, scope: int, *, useful: bool) -> float | None:
        """End the segment with a save before nodes leave at *until* (s); return when its block ends (s).

        The segment goes on, and None is returned, where no tier that survives *scope* can save by then.
        """
        segment, state = self.segment, self.state(now)
        assert segment is not None
        tier, holds = self.copies.rescuer(segment, state, now, until, scope)
        if tier == NO_TIER:
            return None
        self.end(now)
        position = self.history.position
        return self.copies.begin_rescue(tier, position, now, until, holds=holds, useful=useful)

    def slow_down(self, now: float, pace: Pace) -> None:
        """Train at another *pace* from now on."""
        done = self.state(now).done
        assert self.segment is not None
        self.segment.paces = (*self.segment.paces, pace._replace(done=done))

    def time_of(self, progress: float) -> float:
        """Return when the segment under way brings the job to so much *progress* (s), at its pace of now."""
        left, segment = progress - self.history.progress, self.segment
        assert segment is not None
        done = segment.needs(max(left, 0.0))
        return segment.start + segment.clocks.offset_of(segment.firsts, done)

    def lose_step(self) -> None:
        """Throw away the step that the segment which has just ended was in."""
        segment = self._last
        if segment is not None and self.clocks.step is not None:
            step = self.clocks.unit
            position = segment.position + int(segment.done / step + REL_TOL) * step
            self._lose_beyond(position, segment.cause, segment.incident)
            self.copies.discard_beyond(position)

    def invalidate(self, scope: int, now: float) -> None:
        """Lose the copies that do not outlive a failure of that *scope*, even of the segment under way."""
        volatile = self.copies.volatile[scope]
        if not volatile:
            return
        self.copies.settle(now)
        if self.segment is None:
            self.copies.invalidate(volatile, self.history.position, None)
        else:
            until = self.state(now)
            self.copies.invalidate(volatile, self.segment.position + until.done, until.ended)

    def fall_back(
        self, now: float, cause: int, incident: int, sound_until: float | None = None, scope: int = 0
    ) -> None:
        """Go back to the newest copy there is, and lose the work since and the copies on their way.

        Where the work is corrupt, copies beyond the position *sound_until* are of no use.
        """
        copies = self.copies
        for tier, adaptive in self._adaptive:
            adaptive.fall_back(now, incident != NOBODY and copies.serving[scope] == tier)
        copies.settle(now)
        copies.forget_unsaved()
        if sound_until is not None:
            copies.discard_beyond(sound_until)
        self._back_to_newest(cause, incident, sound_until is not None)

    def suspect(self, incident: int, now: float) -> None:
        """Take note that the work is corrupt from *now* on, because of *incident*."""
        done = 0.0 if self.segment is None else self.state(now).done
        self._suspects[incident] = self.history.position + done

    def clear_suspect(self, incident: int) -> float | None:
        """Return the position from which *incident* corrupted the work, and forget it; None if it is gone."""
        return self._suspects.pop(incident, None)

    def load(self, failure: Failure, incident: int) -> float:
        """Load the newest copy that can be used, and return how long that takes (s).

        A copy that cannot be used takes its time all the same, is discarded, and the job falls back further.
        """
        _, tier = self.copies.newest()
        time = 0.0
        while True:
            time += self._load_times[tier]
            if self._is_usable(tier, failure, incident):
                self.loads[incident] = tier
                return time
            self.copies.tiers[tier].discard_newest(self.history.position)
            self._back_to_newest(failure.mode, incident)
            _, tier = self.copies.newest()

    def load_from_peer(self, incident: int) -> float:
        """Load from another replica after *incident*, and return how long that takes (s)."""
        self.loads[incident] = len(self._unusable)
        return self._load_times[0]

    def closed_for(self, now: float) -> float:
        """Return how long the tier of the newest copy is unavailable yet, in seconds."""
        _, tier = self.copies.newest()
        return self.copies.tiers[tier].opens_at(now) - now if self._unusable else 0.0

    def training(self) -> Training:
        """Return all training of the finished run, with what became of it."""
        return GoodputBreakdown(self.history, self.clocks, self.loads)

    def _back_to_newest(self, cause: int, incident: int, corrupted: bool = False) -> None:
        position, _ = self.copies.newest()
        self._lose_beyond(position, cause, incident, corrupted)
        self.copies.discard_beyond(position)

    def _lose_beyond(self, position: float, cause: int, incident: int, corrupted: bool = False) -> None:
        self.history.fall_back(position, cause, incident, corrupted)
        if self._suspects:
            beyond = position - REL_TOL * max(position, 1.0)
            self._suspects = {line: begin for line, begin in self._suspects.items() if begin < beyond}

    def _is_usable(self, tier: int, failure: Failure, incident: int) -> bool:
        chance, tiers = self._unusable[tier] if self._unusable else 0.0, self.copies.tiers
        if not chance or tiers[tier].is_verified:
            return True
        attempt = self._tries.get(incident, 0)
        self._tries[incident] = attempt + 1
        usable = self._usability(attempt)[failure] >= chance
        if usable:
            tiers[tier].verify()
        return usable

    def _usability(self, attempt: int) -> FailureDraws:
        """Return the chances of copies that the recovery from a failure loads at its *attempt*."""
        if attempt not in self._draws:
            self._draws[attempt] = FailureDraws(self._origins, f"unusable/{attempt}")
        return self._draws[attempt]
