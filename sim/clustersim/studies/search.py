"""The search for the best interval: candidates, scored on common replications, and what that can tell.

Failures, recovery and repair take place in wall-clock time.  As long as nothing in them looks at the work
done, they are the same for every interval, and so are the training segments between them: simulate them
once, then ask each save schedule what it would have kept.  Where they are not, simulate each interval.

Within a larger question, of a lever, or of each value that is tried, the best interval of a scenario is
chosen on other replications than those on which it is judged, over a fixed time (`retuned`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from clustersim import theory
from clustersim.arrays import Floats
from clustersim.engine.checkpoints import PeriodicSaves
from clustersim.estimate import Estimate, beats, mean_of
from clustersim.scenario.checks import MOST_SAVES
from clustersim.scenario.keys.quantities import SHORTEST_DURATION
from clustersim.scenario.keys.tiers import Tier
from clustersim.scenario.loading import variant
from clustersim.scenario.model import Scenario
from clustersim.scenario.rates import mtbf_served
from clustersim.store import Kept, Measures
from clustersim.studies.change import ended_by_the_clock, tuned_tier
from clustersim.studies.study import Simulations

Numbers = np.ndarray[Any, np.dtype[np.intp]]
Score = Callable[[Sequence[float]], Sequence[Floats]]
"""Gives, for each interval (s), its ETTR in each replication; the same replications for all intervals."""

CANDIDATES = 40
"""So many intervals narrow the flat range to some per cent: about half of them go to its two ends."""
FEW_CANDIDATES = 12
"""So many within a larger question, where each of them is simulated in full."""
SHORTEST = 1.0
"""No interval below a second (s) is tried, unless the formulas point there."""
SPAN = 16.0
"""The first grid reaches so far to both sides of its centre: a formula is rarely wrong by more."""
END_STEP = 2.0
"""By this factor the grid grows where the best, or the flat range, lies at its end."""
NARROW = 1.04
"""A gap of 4 % is narrow enough: beside the optimum that costs less than a long run can show."""
NEAR = 4.0
"""What is left of the candidates goes to the widest gaps within this factor of the best, for the picture."""
ALIKE = 1.01
"""Intervals within 1 % of each other are one: between them one would measure the slope of the curve."""
OF_SAVES = ("checkpoint.", "workload.step_time")
"""Where inputs stand that a score needs besides the outages."""
Gap = tuple[float, float]
SEGMENTS: Measures = {
    "start": lambda records: records.segments["start"],
    "end": lambda records: records.segments["end"],
    "broken": lambda records: np.asarray(records.segments["broken"], dtype=np.bool_),
    "wall_s": lambda records: records.wall_s,
}
"""The training segments of a replication, `start` to `end` (s), and which of them lost work."""


@dataclass
class Search:
    """Scored intervals between *shortest* and *longest* (s), each once.

    The first candidates lie on a logarithmic grid around *centre*, the others where the maximum is and where
    intervals begin to differ from it; a maximum at the end of the grid extends it, up to the limits.
    """

    score: Score
    shortest: float
    longest: float
    scores: dict[float, Floats] = field(default_factory=dict)

    def run(self, centre: float, always: Sequence[float], candidates: int) -> None:
        """Score those *always* wanted, a grid around *centre*, and more where they tell most."""
        ratios = np.geomspace(1 / SPAN, SPAN, max(candidates // 2, 5)).tolist()
        self.look_at([*always, *(centre * ratio for ratio in ratios)])
        while (left := candidates - len(self.scores)) > 0 and (wanted := self._most_wanted()):
            self.look_at(wanted[:left])

    def look_at(self, intervals: Sequence[float]) -> None:
        """Score those of *intervals*, held within the limits, that have no score yet."""
        held = dict.fromkeys(map(self._held, intervals))
        new = [interval for interval in held if interval not in self.scores]
        self.scores |= zip(new, self.score(new) if new else (), strict=True)

    def ettr(self, interval: float) -> Floats:
        """Return the ETTR of *interval*, held within the limits, in each replication."""
        self.look_at([interval])
        return self.scores[self._held(interval)]

    def _held(self, interval: float) -> float:
        return min(max(interval, self.shortest), self.longest)

    @property
    def intervals(self) -> list[float]:
        """The candidates, shortest first."""
        return sorted(self.scores)

    @property
    def best(self) -> float:
        """The interval with the highest mean ETTR."""
        return max(self.intervals, key=lambda interval: float(self.scores[interval].mean()))

    @property
    def boundary(self) -> str | None:
        """`shortest` or `longest` where the best candidate lies at a limit of the search."""
        if self.best <= self.shortest:
            return "shortest"
        return "longest" if self.best >= self.longest else None

    def estimate(self, interval: float) -> Estimate:
        """Return the mean ETTR of *interval* with its own 95 % interval."""
        return mean_of(self.ettr(interval))

    def distinguishable(self, interval: float) -> bool:
        """Return whether *interval* differs from the best, at 95 % over all candidates together.

        So the range of the indistinguishable ones holds the true optimum among them with at least 95 %.
        """
        if 1 / ALIKE < interval / self.best < ALIKE:
            return False
        return beats(self.ettr(self.best), self.ettr(interval), len(self.scores))

    def flat_range(self) -> Gap:
        """Return the shortest and the longest candidate that is indistinguishable from the best (s).

        Candidates between them cannot either: the range ends before the first one that can.
        """
        candidates, best = self.intervals, self.best
        return (
            self._last_alike([each for each in reversed(candidates) if each <= best]),
            self._last_alike([each for each in candidates if each >= best]),
        )

    def _last_alike(self, outwards: Sequence[float]) -> float:
        """Return the last candidate, from the best *outwards*, before one that is distinguishable."""
        last = outwards[0]
        for candidate in outwards[1:]:
            if self.distinguishable(candidate):
                break
            last = candidate
        return last

    def _most_wanted(self) -> list[float]:
        """Return the intervals to score next, none where nothing is left to learn.

        Beyond the end where the best is at one; in the gaps beside the best; where the flat range ends, also
        beyond the last candidate; then in the widest gap near the best.  A gap of 4 % is narrow enough.
        """
        return self._beyond(self.best, self.best) or self._inside() or self._ends() or self._near()

    def _beyond(self, low: float, high: float) -> list[float]:
        """Return an interval further out on each side where *low* or *high* is the last candidate."""
        first, last = self.intervals[0], self.intervals[-1]
        shorter = [low / END_STEP] if low == first > self.shortest else []
        return shorter + ([high * END_STEP] if high == last < self.longest else [])

    def _inside(self) -> list[float]:
        return _middles(gap for gap in self._gaps() if self.best in gap)

    def _ends(self) -> list[float]:
        low, high = self.flat_range()
        return self._beyond(low, high) + _middles(
            gap for gap in self._gaps() if gap[1] == low or gap[0] == high
        )

    def _near(self) -> list[float]:
        low, high = self.best / NEAR, self.best * NEAR
        near = (gap for gap in self._gaps() if gap[1] > low and gap[0] < high)
        return _middles(sorted(near, key=lambda gap: gap[0] / gap[1])[:1])

    def _gaps(self) -> list[Gap]:
        return [gap for gap in pairwise(self.intervals) if gap[1] > NARROW * gap[0]]


def _middles(gaps: Iterable[Gap]) -> list[float]:
    return [math.sqrt(low * high) for low, high in gaps]


class TrainingSegments(NamedTuple):
    """Those of several replications, one behind the other, each with the number of its replication."""

    start: Floats
    end: Floats
    replication: Numbers


@dataclass(frozen=True)
class Outages:
    """All segments of several replications that reach beyond the warm-up (s): the broken and the whole ones.

    A broken one kept what had been saved, a whole one (it ended with a planned stop, or with the run) all.
    """

    broken: TrainingSegments
    whole: TrainingSegments
    wall_s: Floats
    warm_up: float

    @classmethod
    def of(cls, histories: Sequence[Kept], warm_up: float) -> Outages:
        """Return the segments of all *histories* together."""
        start, end, broken = (
            np.concatenate([history[name] for history in histories]) for name in ("start", "end", "broken")
        )
        replication = np.repeat(np.arange(len(histories)), [history["start"].size for history in histories])
        parts = [
            TrainingSegments(start[chosen], end[chosen], replication[chosen])
            for chosen in (broken & (end > warm_up), ~broken & (end > warm_up))
        ]
        return cls(parts[0], parts[1], np.array([history["wall_s"] for history in histories]), warm_up)

    def ettr(self, schedule: PeriodicSaves) -> Floats:
        """Return the ETTR of each replication under *schedule*, as a simulation would have booked it."""
        saved = schedule.each.saved(self.broken.start, self.broken.end)
        useful = schedule.each.useful(self.whole.start, self.whole.end)
        kept = self._kept(schedule, self.broken, saved) + self._kept(schedule, self.whole, useful)
        return np.asarray(kept / self.wall_s)

    def _kept(self, schedule: PeriodicSaves, part: TrainingSegments, kept: Floats) -> Floats:
        """Return the seconds kept after the warm-up, summed by replication."""
        early = np.flatnonzero(part.start < self.warm_up) if self.warm_up else np.empty(0, np.intp)
        if early.size:
            until = np.full(early.size, self.warm_up)
            kept[early] -= np.minimum(schedule.each.useful(part.start[early], until), kept[early])
        sums = np.bincount(part.replication, weights=kept, minlength=self.wall_s.size)
        return sums.astype(np.float64)


def schedule_of(scenario: Scenario, interval: float) -> PeriodicSaves:
    """Return the scenario's save schedule with another *interval* of training between saves (s)."""
    tier = scenario.tiers[-1]
    return PeriodicSaves.every(interval, tier.blocks, tier.durable_after, scenario.workload.step_time)


def why_outages_depend(scenario: Scenario) -> str | None:
    """Return why the outages of *scenario* depend on the interval, or `None` where they do not.

    They do where the run ends with the work: an interval that gets more done ends earlier.  And where the job
    is not one line of work between restarts, with one copy to fall back to.
    """
    if scenario.needs_work_history:
        return "with tiers, replicas or such effects, what a failure costs depends on what was saved when"
    if any(path.startswith(OF_SAVES) for path in scenario.uncertain):
        return "what a save costs is uncertain, and another in each draw"
    if scenario.target_s is not None:
        return "the run ends when the target is reached, so what strikes it depends on the interval"
    return None


def scores(
    scenario: Scenario, tier: Tier, parts: Sequence[range], simulations: Simulations, *, in_full: bool
) -> list[Score]:
    """Return a score of intervals of *tier* on each part of the replications; the parts follow each other.

    Each interval is simulated *in_full*, or scored on outages that are simulated once.
    """
    if in_full:
        return [_simulated(scenario, tier.path("interval"), part, simulations) for part in parts]
    first = parts[0].start
    point = simulations.point(scenario, SEGMENTS, range(first, parts[-1].stop))
    simulations.run([point])
    histories = point.store.first(point.wanted)
    return [_scored(scenario, histories[part.start - first : part.stop - first]) for part in parts]


def _scored(scenario: Scenario, histories: Sequence[Kept]) -> Score:
    outages = Outages.of(histories, scenario.simulation.warm_up)
    return lambda intervals: [outages.ettr(schedule_of(scenario, interval)) for interval in intervals]


def _simulated(scenario: Scenario, path: str, part: range, simulations: Simulations) -> Score:
    return lambda intervals: simulations.ettr(
        [variant(scenario, {path: f"{interval!r} s"}) for interval in intervals], part
    )


def searched(
    scenario: Scenario, tier: Tier, score: Score, always: Sequence[float], candidates: int
) -> Search:
    """Return the finished search for the best interval of *tier* of *scenario* by *score*."""
    search = Search(score, *limits(scenario, tier))
    search.run(centre(scenario, tier), always, candidates)
    return search


def centre(scenario: Scenario, tier: Tier) -> float:
    """Return where to look first (s): the exact optimum of the tier's MTBF, were all exponential.

    Where no failure is left for the tier, that of all failures.
    """
    mtbf = mtbf_served(scenario, tier.name) or scenario.mtbf
    assert mtbf is not None
    return theory.optimal(mtbf, tier.blocks or 1.0)


def limits(scenario: Scenario, tier: Tier) -> tuple[float, float]:
    """Return the shortest and the longest interval that make sense (s): a step, or a second, and the run.

    Below a second only where saves are so cheap, or failures so frequent, that the formulas point there.
    """
    shortest = scenario.workload.step_time or min(SHORTEST, centre(scenario, tier) / SPAN)
    possible = max(shortest, SHORTEST_DURATION, scenario.end_s / MOST_SAVES)
    return min(possible, scenario.end_s), scenario.end_s


class Retuned(NamedTuple):
    """A scenario with its best interval, and the intervals that are indistinguishable from that (s).

    None where nothing fails: it then has the interval that it had.
    """

    scenario: Scenario
    range_s: Gap | None = None


def interval_search(by_clock: Scenario, count: int, running: Simulations, name: str | None = None) -> Search:
    """Return the finished search for the best interval, on the *count* replications after the first *count*.

    Something fails in the scenario, and it runs over a fixed time.  Of several tiers it is that of the one
    called *name*, or else the last.
    """
    tier, in_full = tuned_tier(by_clock, name), why_outages_depend(by_clock) is not None
    (score,) = scores(by_clock, tier, [_fresh(count)], running, in_full=in_full)
    return searched(by_clock, tier, score, (tier.interval,), FEW_CANDIDATES if in_full else CANDIDATES)


def retuned(
    scenarios: Sequence[Scenario], count: int, running: Simulations, tier: str | None = None
) -> list[Retuned]:
    """Return each scenario with the best interval of its *tier*, the last one if none is named.

    What can be scored on common outages is simulated for all scenarios at once, so that no worker waits.
    """
    fixed = [ended_by_the_clock(each, count) for each in scenarios]
    shared = [each for each in fixed if each.mtbf is not None and why_outages_depend(each) is None]
    running.run([running.point(each, SEGMENTS, _fresh(count)) for each in shared])
    return [
        Retuned(each) if by_clock.mtbf is None else _with_best_interval(each, by_clock, count, running, tier)
        for each, by_clock in zip(scenarios, fixed, strict=True)
    ]


def _fresh(count: int) -> range:
    return range(count, 2 * count)


def _with_best_interval(
    scenario: Scenario, by_clock: Scenario, count: int, running: Simulations, name: str | None
) -> Retuned:
    search = interval_search(by_clock, count, running, name)
    best = variant(scenario, {tuned_tier(by_clock, name).path("interval"): f"{search.best!r} s"})
    return Retuned(best, search.flat_range())
