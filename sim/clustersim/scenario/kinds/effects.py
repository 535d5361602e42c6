"""What a failure does: it stops the job, slows it, corrupts its work, halts it, or closes its storage.

Each kind of effect has its keys, its traits and what it does to the job, all in this file.  The rest of the
house asks for traits: a new effect is a class here, with its line in `Effect`.

A straggler of factor 0.7 that strikes at 1,000 s and is noticed after 600 s: the job trains on at 0.7 of its
pace until 1,600 s, and then goes down as by a crash whose detection is over.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import partial
from typing import Annotated, ClassVar, NamedTuple, Protocol

from pydantic import Field

from clustersim.distributions import Distribution
from clustersim.failure import Failure
from clustersim.scenario.keys.blocks import Choice, Finding, Kind, Shorthand, key, unknown
from clustersim.scenario.keys.laws import Time
from clustersim.scenario.keys.quantities import Name, PositiveDuration, Share, plain
from clustersim.scenario.keys.repair import RepairPlan
from clustersim.scenario.keys.tiers import Tier
from clustersim.units import shown


class Undetected(Protocol):
    """A failure that nobody has noticed yet."""

    def detect(self) -> None:
        """Be noticed: its nodes are followed no longer."""

    def slots(self) -> tuple[int, ...]:
        """Return the slots in which nodes that it struck still are at work."""


class AffectedJob(Protocol):
    """The job as an effect sees it: what an effect may ask, and what it may do.  Times are in seconds."""

    @property
    def trains(self) -> bool:
        """Whether the job trains or saves."""

    @property
    def tiers(self) -> Sequence[Tier]:
        """The tiers of its checkpoints."""

    def happens(self, quantity: str, share: float, failure: Failure) -> bool:
        """Return whether this failure is one of the *share* of which *quantity* is true."""

    def save_before(self, failure: Failure, line: int, time: float, useful: bool) -> None:
        """Save before nodes leave after *time*, if the job trains; only a *useful* save can be loaded."""

    def draw(self, quantity: str, law: Distribution, failure: Failure) -> float:
        """Return the time that *quantity* takes for this failure: one draw of *law*, known by its name."""

    def detection(self, failure: Failure) -> float:
        """Return how long it takes until the failure is noticed."""

    def repair(self, failure: Failure) -> float:
        """Return the repair time of the failure's mode."""

    def notice_after(self, time: float, act: Callable[[], None]) -> None:
        """Let *act* happen after *time*."""

    def when_stop_ends(self, act: Callable[[], None]) -> bool:
        """Let *act* happen when the planned stop under way ends; return whether there is one."""

    def track(self, failure: Failure, line: int, pace: float = 1.0) -> Undetected:
        """Follow the nodes that a failure struck, at whose *pace* the job trains, until it is detected."""

    def fail(self, failure: Failure, line: int, sound_until: float | None = None) -> None:
        """Go down by a failure that is noticed; as a whole where work is sound only up to a position."""

    def change_pace(self) -> None:
        """Train at the pace that the slowest failure leaves from now on."""

    def stand_still(self, time: float, failure: Failure, line: int) -> None:
        """Let all that train stand still for *time*."""

    def suspect(self, line: int) -> None:
        """Mark the work as wrong from now on, because of the incident in *line*."""

    def clear_suspect(self, line: int) -> float | None:
        """Return the position from which *line* made the work wrong, and forget it; None if it is gone."""

    def close(self, tiers: Sequence[int], time: float) -> None:
        """Make *tiers* unavailable for *time*."""


WITHOUT_NODES = ("cluster", "job")
"""Of these no node fails."""
Stated = Mapping[str, object]
"""What the file says of a mode, by key."""


class EffectLever(NamedTuple):
    """What of an effect could be half as long: the change's name, the key with the time, what it improves."""

    name: str
    key: str
    area: str


class Rescue(NamedTuple):
    """What is saved before an announced failure: the save's `blocks`, how long the job `stands_still` then.

    Both in seconds; `share` is that of the work since the last save which is not lost, on average.
    """

    blocks: float
    stands_still: float
    share: float

    @property
    def takes(self) -> float:
        """Both together (s)."""
        return self.blocks + self.stands_still


NO_RESCUE = Rescue(0.0, 0.0, 0.0)


class EffectKind(Kind):
    """A kind of effect; its traits are those of a crash where it does not say otherwise.

    `stops_at_once`: training ends when it strikes.  `stops_training`: then, or when it is noticed.
    `is_noticed_later`: what happens until then is no part of the restart.  `is_announced`: everybody knows
    before which nodes will leave.  `nodes_leave`: it may cost nodes.
    `spoils_work`: all that is trained from the failure on is wrong.  `needs_work_history`: what each tier
    holds and each failure threw away has to be known.  `lasts_for_repair`: the mode's repair time is its own.
    `unused` are keys of the mode that it has no room for, with why.
    """

    stops_at_once: ClassVar[bool] = False
    stops_training: ClassVar[bool] = True
    is_noticed_later: ClassVar[bool] = False
    is_announced: ClassVar[bool] = False
    nodes_leave: ClassVar[bool] = True
    spoils_work: ClassVar[bool] = False
    needs_work_history: ClassVar[bool] = True
    lasts_for_repair: ClassVar[bool] = False
    unused: ClassVar[Mapping[str, str]] = {}
    without_detection: ClassVar[str] = ""
    """What is wrong where nothing says when it is noticed; empty where that is fine."""
    lever: ClassVar[EffectLever | None] = None
    first_order: ClassVar[str] = ""
    """What a reader has to know of the formulas where it occurs."""

    @property
    def pace(self) -> float:
        """The job's pace until the failure is noticed, 0 to 1."""
        return 1.0

    @property
    def shows_after(self) -> Distribution | None:
        """Time until it shows, where that is no detection like that of others."""
        return None

    @property
    def pause(self) -> Distribution | None:
        """Time for which all stand still because of it, if they do."""
        return None

    def announced(self, notice: float | None, saves: float | None) -> EffectKind:
        """Return what happens where that is announced *notice* seconds before; only a crash may be."""
        return self

    def rescue(self, tiers: Sequence[Tier], scope: str) -> Rescue:
        """Return what is saved of the work because the failure, of *scope*, is announced: nothing here."""
        return NO_RESCUE

    def about_part(self, per: str, stated: Stated) -> Iterator[Finding]:
        """Yield why it is no effect of what fails *per* gpu, node, rack, pod, cluster or job."""
        yield from ()

    def about_tiers(self, tiers: Collection[str]) -> Iterator[Finding]:
        """Yield, at paths below the effect, what does not fit a scenario with these *tiers*."""
        yield from ()

    def about_mode(self, per: str, stated: Stated) -> Iterator[Finding]:
        """Yield what is *stated* of a mode, of failures *per* such part, that its effect contradicts."""
        if self.lasts_for_repair and stated.get("replay") is not None:
            yield "effect", f"the effect {self.word} cannot be replayed; give it a mode of its own"
            return
        if "notice" in stated and not self.is_announced:
            yield "notice", f"what is {self.word} is never announced, only a crash is; leave it out"
        yield from self.about_part(per, stated)
        for name, why in self.unused.items():
            if name in stated:
                yield (name,), f"with the effect {self.word}, {why}; leave it out"

    def strike(self, job: AffectedJob, failure: Failure, line: int) -> None:
        """Let the failure, noted in *line* of the journal, happen to *job* that it does not stop at once."""
        raise NotImplementedError


class Crash(EffectKind):
    """Training stops at once, as everybody expects of a failure."""

    word = "crash"
    stops_at_once = True
    needs_work_history = False

    def announced(self, notice: float | None, saves: float | None) -> EffectKind:
        """Return a crash that is announced, if there is a *notice*; all *saves* are good if left out."""
        if notice is None:
            return self
        return Notice.model_construct(notice=notice, saves=1.0 if saves is None else saves)


class Hang(EffectKind):
    """Training stops at once, and nobody knows until a timeout."""

    word = "hang"
    does = "hangs until a timeout"
    stops_at_once = True
    needs_work_history = False
    without_detection = "a hang lasts until its timeout; give it, such as detect: 10 min"


class Slow(EffectKind):
    """A straggler: the whole job trains at its pace until it is noticed."""

    word = "slow"
    does = "slows the job down until it is noticed"
    example = "{factor: 0.7}"
    is_noticed_later = True
    without_detection = "a straggler stays until it is noticed; give the time, such as detect: 10 min"
    factor: Annotated[float, plain(0, 1, above=True)] = key("the job's pace meanwhile, such as 0.7")

    @property
    def pace(self) -> float:
        """The pace of the straggler."""
        return self.factor

    def contradictions(self) -> Iterator[Finding]:
        """Refuse a straggler that is none."""
        if self.factor == 1:
            yield "factor", "a factor of 1 slows nothing; give less"

    def about_part(self, per: str, stated: Stated) -> Iterator[Finding]:
        """Refuse a straggler that is no node."""
        if per in WITHOUT_NODES:
            yield "effect", f"a straggler is a node, not what fails per {per}; give per: node"

    def strike(self, job: AffectedJob, failure: Failure, line: int) -> None:
        """Slow the job down, and let it fail when the detection time is over, unless the node has left."""
        straggler = job.track(failure, line, self.factor)
        job.change_pace()
        job.notice_after(job.detection(failure), partial(_fail_by_now, job, straggler, failure, line))


def _fail_by_now(job: AffectedJob, undetected: Undetected, failure: Failure, line: int) -> None:
    """Let what *failure* struck fail as far as it is still there, with nothing left to be detected."""
    undetected.detect()
    slots = undetected.slots()
    if slots or not failure.slots:
        job.fail(failure.on(slots), line)
    job.change_pace()


class Notice(EffectKind):
    """A crash that is announced: the mode's own keys `notice` and `saves` say so, not its effect."""

    word = "crash"
    is_noticed_later = True
    is_announced = True
    notice: PositiveDuration = key("time from the notice until the nodes leave")
    saves: Share = key("share of the saves made in it that can be loaded", "100 %")

    def about_part(self, per: str, stated: Stated) -> Iterator[Finding]:
        """Refuse a notice of what is noticed in another way."""
        if "detect" in stated:
            yield "detect", "the notice tells of it; leave detect out, or the notice"

    def rescue(self, tiers: Sequence[Tier], scope: str) -> Rescue:
        """Return what the save in the notice costs and keeps: of the last of *tiers* that can."""
        for tier in reversed(tiers):
            if tier.blocks <= self.notice and (tier.survives is None or scope in tier.survives):
                return Rescue(tier.blocks, self.notice - tier.blocks, self.saves)
        return NO_RESCUE

    def strike(self, job: AffectedJob, failure: Failure, line: int) -> None:
        """Save, and let the nodes leave when the notice is over, unless they have left before."""
        leaving = job.track(failure, line)
        job.notice_after(self.notice, partial(_fail_by_now, job, leaving, failure, line))
        job.save_before(failure, line, self.notice, job.happens("saves", self.saves, failure))


class Corrupt(EffectKind):
    """Silent corruption: all that is trained and saved from then on is worthless."""

    word = "corrupt"
    does = "corrupts the state, and is noticed later"
    example = "{noticed_after: 2 h}"
    is_noticed_later = True
    spoils_work = True
    unused: ClassVar = {"detect": "noticed_after says when it shows"}
    lever = EffectLever("corruption noticed twice as fast", "effect", "recovery")
    noticed_after: Time = key("time until it shows; the job falls back to an older copy, such as 2 h")

    @property
    def shows_after(self) -> Distribution:
        """Time until the corruption shows."""
        return self.noticed_after

    def strike(self, job: AffectedJob, failure: Failure, line: int) -> None:
        """Spoil the work from now on, and let all go back to before it when it shows.

        Nothing happens where the job does not train.  What shows within a planned stop is dealt with at its
        end, and where all spoilt work is gone by then, nobody has to go back.
        """
        if not job.trains:
            return
        job.suspect(line)
        undetected = job.track(failure, line)

        def notice() -> None:
            if job.when_stop_ends(notice):
                return
            undetected.detect()
            sound_until = job.clear_suspect(line)
            if sound_until is not None:
                job.fail(failure.on(undetected.slots()), line, sound_until)

        job.notice_after(job.draw("noticed", self.shows_after, failure), notice)


class Flap(EffectKind):
    """A link that is gone for a moment and comes back by itself."""

    word = "flap"
    does = "pauses the job for a moment"
    example = "{stall: 40 s}"
    stops_training = False
    nodes_leave = False
    unused: ClassVar = {
        "detect": "it is over by itself",
        "takes_down": "no node leaves",
        "spreads": "no node leaves",
        "repair": "no node leaves",
        "transient": "no node leaves",
    }
    lever = EffectLever("halve the stall of a flap", "effect", "recovery")
    stall: Time = key("how long everyone stands still, such as 40 s; nothing is lost")

    @property
    def pause(self) -> Distribution:
        """Time for which everyone stands still."""
        return self.stall

    def strike(self, job: AffectedJob, failure: Failure, line: int) -> None:
        """Let the job stand still where it trains."""
        job.stand_still(job.draw("stall", self.pause, failure), failure, line)


class Storage(EffectKind):
    """Storage that cannot be reached for the repair time: no copy becomes durable there, nothing loads."""

    word = "storage"
    does = "prevents saves and loads"
    example = "{tiers: [storage]}"
    stops_training = False
    nodes_leave = False
    lasts_for_repair = True
    unused: ClassVar = {"detect": "an outage shows at once", "transient": "an outage costs no node"}
    lever = EffectLever("storage back twice as fast", "repair", "saves")
    first_order = "storage outages are not in the first-order ETTR"
    tiers: Annotated[tuple[Name, ...], Field(min_length=1)] | None = key(
        "names of the tiers concerned; all that survive everything if left out", None
    )

    def about_part(self, per: str, stated: Stated) -> Iterator[Finding]:
        """Ask for storage of the whole job, and for one length of its outages."""
        if per not in WITHOUT_NODES:
            yield "per", f"storage does not fail per {per}; give per: cluster"
            return
        repair = stated.get("repair")
        if not isinstance(repair, RepairPlan):
            yield "effect", "an outage lasts for its repair time; give repair, such as 2 h"
        elif repair != RepairPlan(repair.first):
            yield "repair", "an outage has one length; give one law, such as {exponential: {mean: 2 h}}"

    def about_tiers(self, tiers: Collection[str]) -> Iterator[Finding]:
        """Refuse an outage of tiers that there are not."""
        if not tiers:
            yield (), "there is no checkpoint that could be out of reach; leave the mode out"
        for number, tier in enumerate(self.tiers or ()):
            if tiers and tier not in tiers:
                yield (self.word, "tiers", number), unknown(tier, tiers, f"{shown(tier)} is no tier")

    def concerns(self, tier: Tier) -> bool:
        """Return whether the outage is one of *tier*: a tier that is named, or that survives everything."""
        return tier.survives is None if self.tiers is None else tier.name in self.tiers

    def strike(self, job: AffectedJob, failure: Failure, line: int) -> None:
        """Close the tiers; the job trains on."""
        closed = [number for number, tier in enumerate(job.tiers) if self.concerns(tier)]
        job.close(closed, job.repair(failure))


class Effect(Choice):
    """What the failure does: a word, or exactly one kind with what it needs."""

    kinds = (Crash, Hang, Slow, Corrupt, Flap, Storage)
    slow: Slow | None = Slow.as_key()
    corrupt: Corrupt | None = Corrupt.as_key()
    flap: Flap | None = Flap.as_key()
    storage: Storage | None = Storage.as_key()


EFFECTS: Mapping[str, type[EffectKind]] = {kind.word: kind for kind in Effect.kinds}
ABOUT = "what it does: " + ", ".join(
    f"{kind.word} ({kind.does})" if kind.does else kind.word for kind in Effect.kinds
)
Effects = Annotated[EffectKind, Shorthand(Effect.named, {"enum": Effect.words_alone()}, Effect)]
