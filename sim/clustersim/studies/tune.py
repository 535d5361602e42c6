"""How often to save: the best interval of a scenario, how flat the optimum is, what it is worth.

The question (`tune`), its answer (`Tuning`), and the sentences about that.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate, pairwise
from typing import Any

from clustersim import theory
from clustersim.advice import Advice
from clustersim.estimate import Estimate, mean_of
from clustersim.formatting import duration, measured, plus_minus
from clustersim.metrics.catalogue import NO_PROGRESS_BELOW
from clustersim.scenario.describe import describe
from clustersim.scenario.first_order import mean_parts
from clustersim.scenario.keys.quantities import SHORTEST_DURATION
from clustersim.scenario.keys.tiers import Tier
from clustersim.scenario.model import Scenario
from clustersim.scenario.rates import calendar_share, mtbf_served
from clustersim.settings import Output, ScenarioSource, Settings, merged
from clustersim.store import ChoiceError
from clustersim.studies.change import ended_by_the_clock, tuned_tier
from clustersim.studies.grid import CARDS, Grid, GridPlan
from clustersim.studies.search import CANDIDATES, Score, Search, scores, searched, why_outages_depend
from clustersim.studies.study import (
    SHARE,
    Simulations,
    Study,
    Worth,
    named,
    on_a_fixed_number,
    plain,
    simulations,
)
from clustersim.studies.sweep import Sweep
from clustersim.units import DAY, HOUR, MINUTE

REPLICATIONS = 64
"""So many choose the interval where nobody says how many: the flat range is then known to some per cent."""
LEAST_FRESH = 16
"""So many judge it at least, where as many have chosen it."""
ROUND = (1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, *(5.0 * number for number in range(2, 20)))
"""Numbers that a person would set, in any unit of time."""
NEAR_BEST = 0.005
"""So much of ETTR (0.5 pp) is little beside what inputs are unsure of: other reasons may decide within it."""
FLAT = 2.0
"""Above this ratio of its ends the range near the best is worth a sentence."""
HALF_TRAINING = 0.5
"""Where nothing helps, the advice says what would let half of the cards train."""
WHAT_IF = "ettr", "effective_gpus"
"""The metrics of each other value that is tried."""
NAMES = {"young": "Young's", "daly": "Daly's", "exact": "the exact", "now": "today's"}


@dataclass(frozen=True, slots=True)
class Candidate:
    """An interval (s) with its ETTR, and whether it is distinguishable from the best."""

    interval_s: float
    ettr: Estimate
    distinguishable: bool

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        mean, low, high = self.ettr.share
        ends = {"ettr": mean, "low": low, "high": high}
        return {"interval_s": self.interval_s, **ends, "told_apart": self.distinguishable}


@dataclass(frozen=True, slots=True)
class Gain:
    """What the recommended interval earns over another one (s), on replications on which it was not chosen.

    `outside` says whether the other one lies outside the range that is indistinguishable from the best.
    """

    over: str
    interval_s: float
    worth: Worth
    outside: bool

    @property
    def distinguishable(self) -> bool:
        """Whether there is a gain at all: seen when choosing, and confirmed afterwards."""
        return self.outside and self.worth.ettr.distinguishable and self.worth.ettr.mean > 0

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        named = {"over": self.over, "interval_s": self.interval_s}
        return {**named, **self.worth.to_dict(), "distinguishable": self.distinguishable}


@dataclass(frozen=True)
class Tuning(Study):
    """The answer of `tune`; intervals are seconds of training between saves, `None` where there is no answer.

    `best_s` is the candidate with the highest mean; `range_s` are the intervals indistinguishable from it,
    and `recommended_s` a round one among them.  `ettr_at_best`, `ettr_now` and the `gains` come from fresh
    replications.  `simulated` says why each candidate was simulated in full, and is `None` where the outages
    were simulated once and the candidates scored on them.  `given` is the scenario before a target was left
    out, `tier` the tier of checkpoints whose interval it is; `frame` has a row for each candidate.  `sweeps`
    are those of other values, one place at a time, with the best interval at each point.
    """

    file = "tune.json"
    points = "curve"
    now_s: float
    tier: Tier
    fresh_replications: int = 0
    young_s: float | None = None
    daly_s: float | None = None
    exact_s: float | None = None
    best_s: float | None = None
    recommended_s: float | None = None
    range_s: tuple[float, float] | None = None
    boundary: str | None = None
    simulated: str | None = None
    ettr_at_best: Estimate | None = field(default=None, metadata=SHARE)
    ettr_now: Estimate | None = field(default=None, metadata=SHARE)
    curve: Sequence[Candidate] = ()
    gains: Sequence[Gain] = ()
    sweeps: Sequence[Sweep] = ()

    @property
    def no_failures(self) -> bool:
        """Whether nothing fails, so that no interval is better than another for this reason."""
        return self.scenario.mtbf is None

    @property
    def no_progress(self) -> bool:
        """Whether the job makes no progress at any interval."""
        return self.ettr_at_best is not None and self.ettr_at_best.mean < NO_PROGRESS_BELOW

    @property
    def near_best_s(self) -> tuple[float, float] | None:
        """The intervals around the best that cost at most 0.5 pp of ETTR, interpolated between candidates.

        It ends at the last candidate where that costs no more.  Unlike `range_s` it does not shrink with more
        replications.
        """
        if self.best_s is None:
            return None
        place = next(n for n, each in enumerate(self.curve) if each.interval_s == self.best_s)
        return _reach(self.curve[place::-1]), _reach(self.curve[place:])

    @property
    def near_best(self) -> str:
        """The same in words; empty where there is no best."""
        if self.near_best_s is None:
            return ""
        low, high = self.near_best_s
        ends = [duration(low), duration(high)]
        if low == self.curve[0].interval_s:
            ends[0] += " (the shortest that was tried)"
        if high == self.curve[-1].interval_s:
            ends[1] += " (the longest that was tried)"
        return " to ".join(ends)

    @property
    def within(self) -> str:
        """Words for a sentence about saves: nothing where there is one tier, else ` to <tier>`."""
        return f" to {self.tier.name}" if self.tier.several else ""

    @property
    def needed(self) -> Mapping[str, float]:
        """What would let half of the cards train where nothing does, by Daly's formula, the rest as it is.

        A mean time from a failure to training (`restart_s`), where a shorter one suffices; or between
        failures (`mtbf_s`).
        """
        spec, mtbf = self.scenario.checkpoint, self.scenario.mtbf
        if spec is None or mtbf is None or not self.no_progress or self.scenario.needs_work_history:
            return {}
        mean, calendar = mean_parts(self.scenario), calendar_share(self.scenario)
        longest = theory.restart_for(HALF_TRAINING, mtbf, spec.last.blocks, calendar, mean.detection)
        rarest = theory.mtbf_for(HALF_TRAINING, spec.last.blocks, mean.restart, calendar, mean.detection)
        return ({} if longest is None else {"restart_s": longest}) | {"mtbf_s": rarest}

    @property
    def advice(self) -> list[Advice]:
        """The answer to "how often should we save?", the most important sentence first."""
        return list(_advice(self))

    def body(self) -> Mapping[str, Any]:
        """Return the numbers as plain data; what is unknown is null."""
        return {
            "tier": self.tier.name,
            "method": "simulated" if self.simulated else "scored",
            "method_reason": self.simulated,
            **named(self, "no_failures", "no_progress", "best_s", "range_s", "near_best_s"),
            **named(self, "recommended_s", "boundary"),
            **named(self, "ettr_at_best", "now_s", "ettr_now", "young_s", "daly_s", "exact_s"),
            **named(self, "fresh_replications", "gains", "curve"),
            "what_ifs": [what_if for sweep in self.sweeps for what_if in self._what_ifs(sweep)],
        }

    def _what_ifs(self, sweep: Sweep) -> Iterator[dict[str, Any]]:
        """Yield the points of a sweep over one place as plain data."""
        (axis,) = sweep.grid.axes
        for index, value in enumerate(axis.values):
            best, *ends = sweep.interval(index)
            scenario, apart = sweep.grid.scenario(index), sweep.difference("ettr", index)
            yield {
                "path": axis.path,
                "value": value.text,
                "gpus": scenario.cluster.gpus,
                "now_s": tuned_tier(scenario, self.tier.name).interval,
                "best_s": None if None in ends else best,
                "range_s": None if None in ends else ends,
                **{path: plain(sweep.estimate(path, index)) for path in WHAT_IF},
                "ettr_difference": plain(apart),
                "distinguishable": sweep.distinguishable("ettr", index),
            }


def _advice(tuning: Tuning) -> Iterator[Advice]:
    ettr, flat = tuning.ettr_at_best, tuning.range_s
    if ettr is None or flat is None:
        yield Advice(
            "Nothing fails in this scenario: do not save more often than you need for other reasons."
        )
        return
    best = plus_minus(ettr.mean, ettr.half_width)
    if tuning.no_progress:
        name = tuning.scenario.name
        text = f"{name} makes no progress at any interval: ETTR {best} at the best of them."
        yield Advice(f"{text} It is not the saves that must change.", warning=True)
        yield from _ways_out(tuning)
    else:
        text = f"Save{tuning.within} about every {duration(tuning.recommended_s, 0.0)}: ETTR {best}."
        if ettr.half_width is not None:
            ends = " to ".join(map(duration, flat))
            text += f" Anything from {ends} is indistinguishable from the best at 95 %."
        text += f" Within 0.5 pp of the best: {tuning.near_best}."
        yield Advice(text)
        yield from _at_a_limit(tuning)
        if ettr.half_width is not None:
            yield from _against_today(tuning)
            yield from _against_formulas([gain for gain in tuning.gains if gain.over != "now"])
            yield from _flat(*(tuning.near_best_s or flat), tuning.tier.durable_after)
    if tuning.tier.adapts is not None:
        start = duration(tuning.now_s, 0.0)
        text = f"Today's interval follows the failures; what is compared is that of its start, {start}, kept."
        yield Advice(f"{text} To see what following them earns, compare the two scenarios.")
    yield from tuning.caveats()


def _ways_out(tuning: Tuning) -> Iterator[Advice]:
    needed, ways = tuning.needed, []
    if "restart_s" in needed:
        restart, now = duration(needed["restart_s"]), duration(describe(tuning.scenario).restart_s)
        ways.append(f"training went on {restart} after a failure (now {now})")
    if "mtbf_s" in needed:
        rarest, mtbf = duration(needed["mtbf_s"]), duration(tuning.scenario.mtbf)
        ways.append(f"something failed only every {rarest} (now every {mtbf})")
    if ways:
        yield Advice(f"Half of the cards would train if {', or if '.join(ways)}, by Daly's formula.", True)


def _at_a_limit(tuning: Tuning) -> Iterator[Advice]:
    """Say where the best interval lies at a limit of the search, which is no optimum."""
    step, limit = tuning.scenario.workload.step_time, duration(tuning.best_s)
    if tuning.boundary == "longest":
        text = (
            f"The best is the longest interval that was tried, the whole {limit}: saves cost more than they"
            " spare in so short a time. Simulate a longer horizon before relying on it."
        )
    elif tuning.boundary and tuning.tier.blocks == 0:
        text = (
            f"Saves are free here ({tuning.tier.path('blocks')} is 0 s), so the shortest interval is the"
            f" best: {limit}, {'one step' if step else 'the shortest that was tried'}."
            " Save as often as the system can."
        )
    elif tuning.boundary:
        text = f"The best is the shortest interval that is possible, {limit}{' (one step)' if step else ''}."
    else:
        return
    yield Advice(text, warning=True)


def _against_today(tuning: Tuning) -> Iterator[Advice]:
    """Say what the recommended interval earns over today's, or that there is nothing to gain."""
    for gain in (gain for gain in tuning.gains if gain.over == "now"):
        today = f"today's interval of {duration(gain.interval_s, 0.0)}"
        if gain.distinguishable:
            yield Advice(f"Over {today} that gains {gain.worth.sentence}.")
        elif gain.outside:
            yield Advice(f"What that gains over {today} is not distinguishable on fresh replications.")
        else:
            yield Advice(f"T{today[1:]} is indistinguishable from the best: no gain over it can be shown.")


def _against_formulas(gains: Sequence[Gain]) -> Iterator[Advice]:
    """Say which formulas would do as well, and what the others would cost."""
    alike = [
        f"{NAMES[gain.over]} ({duration(gain.interval_s)})" for gain in gains if not gain.distinguishable
    ]
    if alike:
        *first, last = alike
        listed = f"{', '.join(first)} and {last} intervals are" if first else f"{last} interval is"
        yield Advice(f"{listed[0].upper()}{listed[1:]} indistinguishable from the best.")
    for gain in gains:
        if gain.distinguishable:
            name, interval = NAMES[gain.over], duration(gain.interval_s)
            text = f"{name[0].upper()}{name[1:]} interval, {interval}, is not the best here:"
            yield Advice(f"{text} {gain.worth.sentence} would be given away.")


def _flat(shortest: float, longest: float, durable_after: float) -> Iterator[Advice]:
    """Say where the optimum is flat, and where saves wait for the copy before, whatever is asked for."""
    if longest / shortest > FLAT:
        yield Advice(
            "The optimum is flat: the longest interval within 0.5 pp of the best is"
            f" {measured(longest / shortest, None)} times the shortest. Let other reasons decide among them;"
            " more replications narrow the range at 95 %, and not this one."
        )
    if durable_after > shortest:
        until = duration(durable_after, 0.0)
        yield Advice(
            f"Below {until} the curve is a plateau: a save waits until the copy before it is durable, {until}"
            f" after its end, so whatever shorter interval is asked for, the job saves every {until}."
        )


def _reach(outwards: Sequence[Candidate]) -> float:
    """Return how far one may go from the best, the first of candidates *outwards*, for `NEAR_BEST`."""
    least = outwards[0].ettr.mean - NEAR_BEST
    for inside, outside in pairwise(outwards):
        if outside.ettr.mean < least:
            share = (inside.ettr.mean - least) / (inside.ettr.mean - outside.ettr.mean)
            return float(inside.interval_s * (outside.interval_s / inside.interval_s) ** share)
    return outwards[-1].interval_s


def tune(
    scenario: ScenarioSource,
    output: Output = None,
    *,
    tier: str | None = None,
    candidates: int = CANDIDATES,
    simulate: bool = False,
    blocks: str | Sequence[str] = (),
    over: Mapping[str, str | Sequence[str]] | None = None,
    settings: Settings | None = None,
    **keywords: Any,
) -> Tuning:
    """Find the checkpoint interval of a scenario, how flat the optimum is, and what it is worth.

    With *output*, `tune.json` is written to that folder.  Of several tiers of checkpoints *tier* names the
    one to tune; it is the last one otherwise.  *blocks* ("1s,5s") and *over* ({"cluster.gpus":
    "10k..1M:5log"}) ask what else would move it: each list, one place at a time, is a sweep with the best
    interval at each of its points.  *simulate* simulates every one of the *candidates* in full, also where
    scoring them on common outages is exact.

    64 replications choose the interval unless the scenario or the settings say how many; it is judged on
    fresh ones, half as many, or 16 where there are as many.  A target is left out.  Keywords are fields of
    `Settings`.  Raises ScenarioError for a faulty scenario, before anything is simulated, and RunError where
    there is no interval to tune, or the run cannot go on.
    """
    how = merged(settings, keywords)
    loaded = on_a_fixed_number(how).load(scenario)
    plans = _plans(loaded, tier, blocks, over or {})
    fixed = ended_by_the_clock(loaded, REPLICATIONS)
    if how.part and fixed.mtbf is not None and (reason := _why_in_full(fixed, simulate)):
        why = f"each interval that is simulated in full ({reason}) is chosen by what came of those before it"
        raise ChoiceError(f"{why}, so that a tuning like this has no shards; simulate on an executor instead")
    of = {"over": "".join(plan.grid.key for plan in plans), "tier": tuned_tier(loaded, tier).name}
    with simulations(how, output, "tune", loaded, question=of if plans else {}, condensed=True) as running:
        starts = accumulate((len(plan.grid) for plan in plans), initial=0)
        grids = [(plan, plan.simulated(running, start)) for plan, start in zip(plans, starts, strict=False)]
        tuning = tuned(loaded, running, tier, candidates, simulate)
        running.end_of_part()
        sweeps = [Sweep.of(plan, points.found(), _looked_at(plan.grid)) for plan, points in grids]
        return running.finished(replace(tuning, sweeps=sweeps), output)


def _looked_at(grid: Grid) -> tuple[str, ...]:
    """Return the metrics of a sweep that are shown: of other sizes the effective cards too."""
    return WHAT_IF if grid.axes[0].path == CARDS else WHAT_IF[:1]


def _plans(
    scenario: Scenario, tier: str | None, blocks: str | Sequence[str], over: Mapping[str, str | Sequence[str]]
) -> list[GridPlan]:
    """Return the sweep of each list of other values; raises ChoiceError for one that cannot be."""
    lists, of_blocks = dict(over), tuned_tier(scenario, tier).path("blocks")
    if blocks and of_blocks in lists:
        raise ChoiceError(f"{of_blocks} has two lists of values, one of them by blocks; put both into one")
    lists = {of_blocks: blocks, **lists} if blocks else lists
    fixed = ended_by_the_clock(scenario, REPLICATIONS)
    return [GridPlan.of(Grid.of([fixed], {path: each}), True, tier) for path, each in lists.items()]


def tuned(
    scenario: Scenario, running: Simulations, name: str | None, candidates: int, simulate: bool
) -> Tuning:
    """Return the best interval of the tier called *name*, of the scenario alone."""
    fixed = ended_by_the_clock(scenario, REPLICATIONS)
    count, tier = fixed.simulation.replications, tuned_tier(fixed, name)
    answer = Tuning(scenario, fixed, count, tier.interval, tier)
    if fixed.mtbf is None:
        return answer
    reason = _why_in_full(fixed, simulate)
    # Fewer are enough to judge: choosing compares many intervals, judging only a few.
    fresh = max(count // 2, min(count, LEAST_FRESH))
    parts = range(count), range(count, count + fresh)
    choose, judge = scores(fixed, tier, parts, running, in_full=reason is not None)
    marks = formulas(fixed, tier)
    search = searched(fixed, tier, choose, [tier.interval, *marks.values()], candidates)
    answer = _judged(answer, marks, search, judge)
    return replace(answer, fresh_replications=fresh, simulated=reason)


def _why_in_full(scenario: Scenario, simulate: bool) -> str | None:
    """Return why every interval is simulated in full; None where all are scored on common outages."""
    return "asked for" if simulate else why_outages_depend(scenario)


def _judged(answer: Tuning, marks: Mapping[str, float], search: Search, judge: Score) -> Tuning:
    """Return the *answer* with the result of the finished *search*, judged on fresh replications."""
    best, flat, given = search.best, search.flat_range(), answer.given
    chosen = rounded(best, flat)
    over = {**marks, "now": answer.now_s}
    at_best, at_chosen, *others = judge([best, chosen, *over.values()])
    gains = [
        Gain(name, at, Worth.of(given, other, given, at_chosen), not flat[0] <= at <= flat[1])
        for (name, at), other in zip(over.items(), others, strict=True)
    ]
    return replace(
        answer,
        young_s=marks.get("young"),
        daly_s=marks.get("daly"),
        exact_s=marks.get("exact"),
        best_s=best,
        recommended_s=chosen,
        range_s=flat,
        boundary=search.boundary,
        ettr_at_best=mean_of(at_best),
        ettr_now=mean_of(others[-1]),
        curve=[Candidate(at, search.estimate(at), search.distinguishable(at)) for at in search.intervals],
        gains=gains,
    )


def formulas(scenario: Scenario, tier: Tier) -> dict[str, float]:
    """Return the intervals of the closed forms (s); none where a save serves no failure.

    One that is shorter than an interval can be is left out, as all are where a save is free.
    """
    mtbf = mtbf_served(scenario, tier.name)
    if mtbf is None:
        return {}
    forms = {"young": theory.young, "daly": theory.daly, "exact": theory.optimal}
    intervals = {name: form(mtbf, tier.blocks) for name, form in forms.items()}
    return {name: interval for name, interval in intervals.items() if interval >= SHORTEST_DURATION}


def rounded(best: float, flat: tuple[float, float]) -> float:
    """Return the round duration nearest to *best* (s), by ratio, among those indistinguishable from it."""
    choices = [number * unit for unit in (DAY, HOUR, MINUTE, 1.0, 1e-3) for number in ROUND]
    within = [choice for choice in choices if flat[0] <= choice <= flat[1]]
    return min(within, key=lambda choice: abs(math.log(choice / best)), default=best)
