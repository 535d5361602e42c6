"""The work of a job: stretches begin and end, failures throw work away, copies are loaded."""

from __future__ import annotations

from collections.abc import Iterable

from clustersim.engine.failures.origins import Origins, StrikeDraws
from clustersim.engine.journal import NOBODY
from clustersim.engine.stretches import Training
from clustersim.engine.work.copies import Copies
from clustersim.engine.work.fate import Fate
from clustersim.engine.work.lineage import Lineage, Pace, Stretch
from clustersim.engine.work.tiers import NEXT_TO_NOTHING, NO_TIER, Place
from clustersim.records import Strike
from clustersim.scenario.model import Scenario
from clustersim.streams import Streams


class TieredWork:
    """What the job has done and what of it is saved, in seconds of training along the line that survives.

    It carries the history that tiers, replicas and effects need: which copies each tier holds, and which
    training each failure threw away.

    `stretch` is the one under way, if the job trains; `loads` are the tiers of the copies that it recovered
    from, by incident: the number after the last tier's stands for another replica.
    """

    def __init__(self, scenario: Scenario, streams: Streams, origins: Origins) -> None:
        spec = scenario.checkpoint
        tiers = spec.tiers if spec is not None else ()
        self.copies = Copies(tiers, scenario.workload.step_time)
        self.lineage = Lineage(1 - scenario.recovery.overhead, len(tiers))
        self.stretch: Stretch | None = None
        self.loads: dict[int, int] = {}
        self.clocks = self.copies.clocks
        self._last: Stretch | None = None
        self._load_times = [tier.load for tier in tiers] or [0.0]
        self._unusable = [tier.unusable for tier in tiers]
        self._streams = streams
        self._origins = origins
        self._draws: dict[int, StrikeDraws] = {}
        self._tries: dict[int, int] = {}
        self._suspects: dict[int, float] = {}

    def __repr__(self) -> str:
        return f"Work(at {self.lineage.place}, {self.copies})"

    @property
    def is_training(self) -> bool:
        """Whether a stretch is under way."""
        return self.stretch is not None

    def is_saving(self, now: float) -> bool:
        """Return whether training stands still for a save in the stretch under way."""
        return self.place(now).saving != NO_TIER

    def begin(self, now: float, share: float, pace: Pace | None = None) -> None:
        """Begin a stretch on a *share* of the cards, at a *pace* that is not the full one, if any."""
        stretch = Stretch(now, share, share * self.lineage.pace, () if pace is None else (pace,))
        stretch.place = self.lineage.place
        stretch.firsts = self.copies.firsts(stretch.place, now)
        self.stretch = stretch

    def place(self, now: float) -> Place:
        """Return where the stretch under way is."""
        assert self.stretch is not None
        return self.clocks.place(self.stretch.firsts, self.stretch.start, now)

    def end(self, now: float, cause: int = NOBODY, incident: int = NOBODY) -> None:
        """End the stretch, broken by *cause* and *incident* if by anything, with what it has saved."""
        stretch = self.stretch
        assert stretch is not None
        until = self.place(now)
        stretch.end, stretch.cause, stretch.incident = now, cause, incident
        stretch.done, stretch.saving = until.done, until.saving != NO_TIER
        self.lineage.add(stretch)
        self.copies.take_in(stretch, until)
        self.stretch, self._last = None, stretch

    def end_final_save(self, now: float) -> None:
        """End it: what has been done so far is saved."""
        self.copies.end_final_save(self.lineage.place, now)

    def settle(self, now: float) -> None:
        """Hold the copies that have become durable by *now*, before anything is lost at that instant."""
        self.copies.settle(now)

    def close(self, tiers: Iterable[int], begin: float, until: float) -> None:
        """Make *tiers* unavailable from *begin* to *until* (s)."""
        self.copies.close(tiers, begin, until)

    def begin_final_save(self, now: float) -> float:
        """Save all work in the last tier, unless it is saved there; return when its copy is durable (s)."""
        return self.copies.begin_final_save(self.lineage.place, now)

    def slow_down(self, now: float, pace: Pace) -> None:
        """Train at another *pace* from now on."""
        done = self.place(now).done
        assert self.stretch is not None
        self.stretch.paces = (*self.stretch.paces, pace._replace(done=done))

    def time_of(self, progress: float) -> float:
        """Return when the stretch under way brings the job to so much *progress* (s), at its pace of now."""
        left, stretch = progress - self.lineage.progress, self.stretch
        assert stretch is not None
        done = stretch.needs(max(left, 0.0))
        return stretch.start + self.clocks.offset_of(stretch.firsts, done)

    def lose_step(self) -> None:
        """Throw away the step that the stretch which has just ended was in."""
        stretch = self._last
        if stretch is not None and self.clocks.step is not None:
            step = self.clocks.unit
            place = stretch.place + int(stretch.done / step + NEXT_TO_NOTHING) * step
            self._lose_beyond(place, stretch.cause, stretch.incident)
            self.copies.discard_beyond(place)

    def kill(self, scope: int, now: float) -> None:
        """Lose the copies that do not outlive a failure of that *scope*, even of the stretch under way."""
        mortal = self.copies.mortal[scope]
        if not mortal:
            return
        self.copies.settle(now)
        if self.stretch is None:
            self.copies.kill(mortal, self.lineage.place, None)
        else:
            until = self.place(now)
            self.copies.kill(mortal, self.stretch.place + until.done, until.ended)

    def fall_back(self, now: float, cause: int, incident: int, sound_until: float | None = None) -> None:
        """Go back to the newest copy there is, and lose the work since and the copies on their way.

        Where the work is corrupt, copies beyond the place *sound_until* are of no use.
        """
        copies = self.copies
        copies.settle(now)
        copies.forget_unsaved()
        if sound_until is not None:
            copies.discard_beyond(sound_until)
        self._back_to_newest(cause, incident, sound_until is not None)

    def suspect(self, incident: int, now: float) -> None:
        """Take note that the work is corrupt from *now* on, because of *incident*."""
        done = 0.0 if self.stretch is None else self.place(now).done
        self._suspects[incident] = self.lineage.place + done

    def clear_suspect(self, incident: int) -> float | None:
        """Return the place from which *incident* corrupted the work, and forget it; None where it is gone."""
        return self._suspects.pop(incident, None)

    def load(self, strike: Strike, incident: int) -> float:
        """Load the newest copy that can be used, and return how long that takes (s).

        A copy that cannot be used takes its time all the same, is discarded, and the job falls back further.
        """
        _, tier = self.copies.newest()
        time = 0.0
        while True:
            time += self._load_times[tier]
            if self._is_usable(tier, strike, incident):
                self.loads[incident] = tier
                return time
            self.copies.shelves[tier].discard_newest(self.lineage.place)
            self._back_to_newest(strike.mode, incident)
            _, tier = self.copies.newest()

    def load_from_peer(self, incident: int) -> float:
        """Load from another replica after *incident*, and return how long that takes (s)."""
        self.loads[incident] = len(self._unusable)
        return self._load_times[0]

    def closed_for(self, now: float) -> float:
        """Return how long the tier of the newest copy is unavailable yet, in seconds."""
        _, tier = self.copies.newest()
        return self.copies.shelves[tier].opens_at(now) - now if self._unusable else 0.0

    def training(self) -> Training:
        """Return all training of the finished run, with what became of it."""
        return Fate(self.lineage, self.clocks, self.loads)

    def _back_to_newest(self, cause: int, incident: int, corrupted: bool = False) -> None:
        place, _ = self.copies.newest()
        self._lose_beyond(place, cause, incident, corrupted)
        self.copies.discard_beyond(place)

    def _lose_beyond(self, place: float, cause: int, incident: int, corrupted: bool = False) -> None:
        self.lineage.fall_back(place, cause, incident, corrupted)
        if self._suspects:
            beyond = place - NEXT_TO_NOTHING * max(place, 1.0)
            self._suspects = {line: begin for line, begin in self._suspects.items() if begin < beyond}

    def _is_usable(self, tier: int, strike: Strike, incident: int) -> bool:
        chance, shelves = self._unusable[tier] if self._unusable else 0.0, self.copies.shelves
        if not chance or shelves[tier].is_verified:
            return True
        attempt = self._tries.get(incident, 0)
        self._tries[incident] = attempt + 1
        usable = self._usability(attempt)[strike] >= chance
        if usable:
            shelves[tier].verify()
        return usable

    def _usability(self, attempt: int) -> StrikeDraws:
        """Return the chances of copies that the recovery from a failure loads at its *attempt*."""
        if attempt not in self._draws:
            self._draws[attempt] = StrikeDraws(self._streams, self._origins, f"unusable/{attempt}")
        return self._draws[attempt]
