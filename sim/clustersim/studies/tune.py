"""How often to save: the best interval of a scenario as it is, how flat the optimum is, what it is worth."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from clustersim import theory
from clustersim.estimate import mean_of
from clustersim.scenario.consistency import MOST_SAVES
from clustersim.scenario.keys.quantities import SHORTEST_DURATION
from clustersim.scenario.loading import variant
from clustersim.scenario.model import Scenario, Tier
from clustersim.scenario.rates import mtbf_served
from clustersim.settings import Output, ScenarioSource, Settings, merged
from clustersim.studies.change import ended_by_the_clock, tuned_tier
from clustersim.studies.outages import scores, why_outages_depend
from clustersim.studies.search import SPAN, Score, Search
from clustersim.studies.simulating import Simulations, on_a_fixed_number, simulations
from clustersim.studies.study import Worth, effective
from clustersim.studies.tuning import Candidate, Gain, Tuning, WhatIf
from clustersim.units import DAY, HOUR, MINUTE

CANDIDATES = 40
REPLICATIONS = 64
"""So many choose the interval where nobody says how many: the flat range is then known to some per cent."""
LEAST_FRESH = 16
"""So many judge it at least, where as many have chosen it."""
SHORTEST = 1.0
"""No interval below a second (s) is tried, unless the formulas point there."""
ROUND = (1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, *(5.0 * number for number in range(2, 20)))
THOUSANDS = {"k": 10**3, "M": 10**6}


def tune(
    scenario: ScenarioSource,
    output: Output = None,
    *,
    tier: str | None = None,
    candidates: int = CANDIDATES,
    simulate: bool = False,
    blocks: Sequence[str] = (),
    over: Mapping[str, Sequence[str]] | None = None,
    settings: Settings | None = None,
    **keywords: Any,
) -> Tuning:
    """Find the checkpoint interval of a scenario, how flat the optimum is, and what it is worth.

    With *output*, `tune.json` is written to that folder.  Of several tiers of checkpoints *tier* names the
    one to tune; it is the last one otherwise.  *blocks* ("1 s", "5 s") and *over* ({"cluster.gpus": ["10k",
    "100k"]}) ask what else would move it, one value at a time.  *simulate* simulates every one of the
    *candidates* in full, also where scoring them on common outages is exact.

    64 replications choose the interval unless the scenario or the settings say how many; it is judged on
    fresh ones, half as many, or 16 where there are as many.  A target is left out.  Keywords are fields of
    `Settings`.  Raises ScenarioError for a faulty scenario, before anything is simulated, and RunError where
    there is no interval to tune, or the run cannot go on.
    """
    how = merged(settings, keywords)
    loaded = on_a_fixed_number(how).load(scenario)
    others = list(_others(loaded, tuned_tier(loaded, tier), blocks, over or {}))
    with simulations(how, output, "tune", loaded) as running:
        what_ifs = [
            _what_if(path, value, tuned(other, running, tier, candidates)) for other, path, value in others
        ]
        tuning = replace(tuned(loaded, running, tier, candidates, simulate), what_ifs=what_ifs)
    if output is not None:
        tuning.save(output)
    return tuning


def tuned(
    scenario: Scenario,
    running: Simulations,
    name: str | None = None,
    candidates: int = CANDIDATES,
    simulate: bool = False,
) -> Tuning:
    """Return the best interval of the tier called *name*, of the scenario alone."""
    began, fixed = time.perf_counter(), ended_by_the_clock(scenario, REPLICATIONS)
    count, tier = fixed.simulation.replications, tuned_tier(fixed, name)
    answer = Tuning(scenario, fixed, count, tier.interval, tier)
    if fixed.mtbf is None:
        return answer
    reason = "asked for" if simulate else why_outages_depend(fixed)
    # Fewer are enough to judge: choosing compares many intervals, judging only a few.
    fresh = max(count // 2, min(count, LEAST_FRESH))
    parts = range(count), range(count, count + fresh)
    choose, judge = scores(fixed, tier, parts, running, in_full=reason is not None)
    marks = formulas(fixed, tier)
    search = searched(fixed, tier, choose, [tier.interval, *marks.values()], candidates)
    answer = _judged(answer, marks, search, judge)
    return replace(answer, fresh_replications=fresh, simulated=reason, wall_s=time.perf_counter() - began)


def _judged(answer: Tuning, marks: Mapping[str, float], search: Search, judge: Score) -> Tuning:
    """Return the *answer* with the result of the finished *search*, judged on fresh replications."""
    best, flat, fixed = search.best, search.flat_range(), answer.scenario
    chosen = rounded(best, flat)
    over = {**marks, "now": answer.now_s}
    at_best, at_chosen, *others = judge([best, chosen, *over.values()])
    gains = [
        Gain(name, at, Worth.of(fixed, other, fixed, at_chosen), not flat[0] <= at <= flat[1])
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
        curve=[Candidate(at, search.estimate(at), search.told_apart(at)) for at in search.intervals],
        gains=gains,
    )


def _others(
    scenario: Scenario, tier: Tier, blocks: Sequence[str], over: Mapping[str, Sequence[str]]
) -> Iterator[tuple[Scenario, str, str]]:
    """Yield each variant of *scenario* that is to be tuned too, with the path and the value that make it."""
    for path, values in {**({tier.path("blocks"): blocks} if blocks else {}), **over}.items():
        for value in values:
            yield variant(scenario, {path: plain_count(value)}), path, value


def _what_if(path: str, value: str, tuning: Tuning) -> WhatIf:
    ettr = tuning.ettr_at_best
    cards = None if ettr is None else ettr.scaled(effective(tuning.scenario))
    gpus = tuning.scenario.cluster.gpus
    return WhatIf(path, value, gpus, tuning.now_s, tuning.best_s, tuning.range_s, ettr, cards)


def plain_count(value: str) -> str:
    """Return a count such as `10k` or `1.5M` written out; anything else as it is."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([kM])", value.strip())
    if not match:
        return value
    count = float(match[1]) * THOUSANDS[match[2]]
    return str(int(count)) if count.is_integer() else value


def searched(
    scenario: Scenario, tier: Tier, score: Score, always: Sequence[float], candidates: int
) -> Search:
    """Return the finished search for the best interval of *tier* of *scenario* by *score*."""
    search = Search(score, *limits(scenario, tier))
    search.run(centre(scenario, tier), always, candidates)
    return search


def formulas(scenario: Scenario, tier: Tier) -> dict[str, float]:
    """Return the intervals of the closed forms (s); none where a save is free or serves no failure.

    One that is shorter than an interval can be is left out.
    """
    mtbf, blocks = mtbf_served(scenario, tier.name), tier.blocks
    if mtbf is None or blocks == 0:
        return {}
    forms = {"young": theory.young, "daly": theory.daly, "exact": theory.optimal}
    found = {name: form(mtbf, blocks) for name, form in forms.items()}
    return {name: interval for name, interval in found.items() if interval >= SHORTEST_DURATION}


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


def rounded(best: float, flat: tuple[float, float]) -> float:
    """Return the round duration nearest to *best* (s), by ratio, among those that cannot be told from it."""
    choices = [number * unit for unit in (DAY, HOUR, MINUTE, 1.0, 1e-3) for number in ROUND]
    within = [choice for choice in choices if flat[0] <= choice <= flat[1]]
    return min(within, key=lambda choice: abs(math.log(choice / best)), default=best)
