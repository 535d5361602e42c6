"""Failures that do not crash the job: stragglers, silent corruption, flapping links, storage outages."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import simpy

from clustersim.distributions import Distribution
from clustersim.engine.cluster import Cluster
from clustersim.engine.events import NOTICE, At
from clustersim.engine.failures.origins import Origins, StrikeDraws
from clustersim.engine.recovery import Stages
from clustersim.engine.work.account import TieredWork
from clustersim.engine.work.lineage import Pace
from clustersim.records import Strike
from clustersim.scenario.model import Scenario
from clustersim.streams import Streams


class Patient(Protocol):
    """The job that suffers."""

    def fail(
        self, strike: Strike, line: int, *, noticed: bool = False, sound_until: float | None = None
    ) -> None:
        """Go down where the *strike* of *line* hits; as a whole where work is sound only until a place."""

    def flap(self, time: float, cause: int, line: int) -> None:
        """Let all that train stand still for *time* seconds."""

    def change_pace(self) -> None:
        """Train at another pace from now on."""

    @property
    def trains(self) -> bool:
        """Whether the job trains or saves."""

    def when_stop_ends(self, act: Callable[[], None]) -> bool:
        """Let *act* happen when the planned stop under way ends; return whether there is one."""


class Effect(Protocol):
    """What a failure of some mode does to the job instead of a crash."""

    def strike(self, job: Patient, strike: Strike, line: int) -> None:
        """Let the failure, noted in *line* of the journal, happen to *job*."""


class Culprit:
    """A failure that is not noticed yet; it knows which of the nodes that it struck have not left since.

    Until then the job makes only *factor* of its progress.
    """

    def __init__(self, strike: Strike, line: int, cluster: Cluster, factor: float) -> None:
        self.strike = strike
        self.line = line
        self.factor = factor
        self._slot_of = {cluster.node(slot): slot for slot in strike.slots}
        self._cluster = cluster

    def __repr__(self) -> str:
        return f"Culprit({self.strike}, nodes {list(self._slot_of)})"

    @property
    def is_there(self) -> bool:
        """Whether any of its nodes has not left, failed or not; always where it struck no nodes."""
        return bool(self._slot_of) or not self.strike.slots

    def leaves(self, node: int) -> bool:
        """Take note that *node* leaves; return whether it was one of those that the failure struck."""
        return self._slot_of.pop(node, None) is not None

    def slots(self) -> tuple[int, ...]:
        """Return the slots in which its nodes still are at work."""
        return tuple(slot for slot in self._slot_of.values() if self._cluster.is_at_work(slot))


class Culprits:
    """All failures that are not noticed yet: the job trains at the pace of the slowest.

    Those are `open`; *pace_changes* is called when one of them leaves.  A node that leaves for another reason
    is repaired: it is no culprit any more when it comes back.
    """

    def __init__(self, cluster: Cluster, pace_changes: Callable[[], None]) -> None:
        self.open: list[Culprit] = []
        self._cluster = cluster
        self._pace_changes = pace_changes

    def add(self, strike: Strike, line: int, factor: float = 1.0) -> Culprit:
        """Return the culprit of *strike*, whose nodes are in their slots now; it earns *factor* of a step."""
        culprit = Culprit(strike, line, self._cluster, factor)
        self.open.append(culprit)
        return culprit

    def remove(self, culprit: Culprit) -> None:
        """Forget *culprit*, which is noticed."""
        self.open.remove(culprit)

    def pace(self) -> Pace | None:
        """Return the pace that the slowest sets, the first of equals, or nothing where there is none."""
        slow = [one for one in self.open if one.factor < 1 and one.is_there]
        if not slow:
            return None
        slowest = min(slow, key=lambda one: one.factor)
        return Pace(0.0, slowest.factor, slowest.strike.mode, slowest.line)

    def moved(self, node: int, slot: int | None, idle: bool) -> None:
        """Take note that *node* has left or come; the job may be quicker without it."""
        if slot is None and self.open:
            left = [one.leaves(node) for one in self.open]
            if any(left):
                self._pace_changes()


class Slow:
    """The job trains slowly until the straggler is noticed and dealt with like a crash."""

    def __init__(self, env: simpy.Environment, stages: Stages, culprits: Culprits, factor: float) -> None:
        self._env = env
        self._stages = stages
        self._culprits = culprits
        self._factor = factor

    def strike(self, job: Patient, strike: Strike, line: int) -> None:
        """Slow the job down, and notice it when the detection time is over."""
        culprit = self._culprits.add(strike, line, self._factor)
        job.change_pace()

        def notice(_: At) -> None:
            self._culprits.remove(culprit)
            slots = culprit.slots()
            if slots or not strike.slots:
                job.fail(strike._replace(slots=slots), line, noticed=True)
            job.change_pace()

        detection = self._stages.detection(strike)
        At(self._env, self._env.now + detection, NOTICE, notice)


class Corrupt:
    """The work is wrong from the strike on; once that is noticed, the job goes back to a copy from before."""

    def __init__(
        self, env: simpy.Environment, culprits: Culprits, work: TieredWork, noticed: StrikeDraws
    ) -> None:
        self._env = env
        self._culprits = culprits
        self._work = work
        self._noticed = noticed

    def strike(self, job: Patient, strike: Strike, line: int) -> None:
        """Spoil the work from now on; nothing happens where the job does not train."""
        if not job.trains:
            return
        self._work.suspect(line, self._env.now)
        culprit = self._culprits.add(strike, line)

        def notice() -> None:
            if not job.when_stop_ends(notice):
                self._culprits.remove(culprit)
                sound_until = self._work.clear_suspect(line)
                if sound_until is not None:
                    strikes = strike._replace(slots=culprit.slots())
                    job.fail(strikes, line, noticed=True, sound_until=sound_until)

        At(self._env, self._env.now + self._noticed[strike], NOTICE, lambda _: notice())


class Flap:
    """A link is gone for a moment and comes back by itself: all stand still meanwhile."""

    def __init__(self, stall: StrikeDraws) -> None:
        self._stall = stall

    def strike(self, job: Patient, strike: Strike, line: int) -> None:
        """Let the job stand still where it trains."""
        job.flap(self._stall[strike], strike.mode, line)


class Storage:
    """Some tiers are unavailable for the repair's time: nothing becomes durable there, and nothing loads."""

    def __init__(
        self, env: simpy.Environment, work: TieredWork, tiers: Sequence[int], repair: StrikeDraws
    ) -> None:
        self._env = env
        self._work = work
        self._tiers = tiers
        self._repair = repair

    def strike(self, job: Patient, strike: Strike, line: int) -> None:
        """Close the tiers; the job trains on."""
        now = self._env.now
        self._work.close(self._tiers, now, now + self._repair[strike])


def culprits_are_tracked(scenario: Scenario) -> bool:
    """Return whether it matters which nodes leave before their failure is noticed."""
    return any(mode.effect in ("slow", "corrupt") for mode in scenario.failures.values())


def effects(
    env: simpy.Environment,
    scenario: Scenario,
    streams: Streams,
    origins: Origins,
    stages: Stages,
    culprits: Culprits,
    history: TieredWork | None,
) -> Mapping[int, Effect]:
    """Return the effect of each mode that does not crash the job, by the mode's number."""

    def timing(quantity: str, law: Distribution | None) -> StrikeDraws:
        assert law is not None
        return StrikeDraws(streams, origins, quantity, law.sample)

    def kept() -> TieredWork:
        assert history is not None
        return history

    def of(number: int) -> Effect | None:
        mode = modes[number]
        kinds: Mapping[str, Callable[[], Effect]] = {
            "slow": lambda: Slow(env, stages, culprits, mode.slow_factor),
            "corrupt": lambda: Corrupt(env, culprits, kept(), timing("noticed", mode.noticed_after)),
            "flap": lambda: Flap(timing("stall", mode.flap_stall)),
            "storage": lambda: Storage(env, kept(), _tiers(scenario, number), timing("repair", mode.repair)),
        }
        return kinds[mode.effect]() if mode.effect in kinds else None

    modes = list(scenario.failures.values())
    found = {number: of(number) for number in range(len(modes))}
    return {number: effect for number, effect in found.items() if effect is not None}


def _tiers(scenario: Scenario, number: int) -> list[int]:
    """Return the tiers that a storage failure concerns: those named, or all that survive everything."""
    named = list(scenario.failures.values())[number].storage_tiers
    tiers = scenario.checkpoint.tiers if scenario.checkpoint else ()
    return [
        place
        for place, tier in enumerate(tiers)
        if (tier.survives is None if named is None else tier.name in named)
    ]
