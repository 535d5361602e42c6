"""How often to save: the best interval of a scenario as it is, how flat the optimum is, what it is worth."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace

from clustersim import theory
from clustersim.estimate import mean_of
from clustersim.experiment import Settings
from clustersim.scenario.consistency import MOST_SAVES
from clustersim.scenario.keys.quantities import SHORTEST_DURATION
from clustersim.scenario.model import Scenario
from clustersim.tuning.outages import why_outages_depend
from clustersim.tuning.places import Place, place_of
from clustersim.tuning.results import Candidate, Gain, Tuning, Worth
from clustersim.tuning.scores import scored, simulated
from clustersim.tuning.search import SPAN, Score, Search
from clustersim.tuning.variants import ended_by_the_clock
from clustersim.units import DAY, HOUR, MINUTE

CANDIDATES = 40
REPLICATIONS = 64
LEAST_FRESH = 16
SHORTEST = 1.0
ROUND = (1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, *(5.0 * number for number in range(2, 20)))


def tune(
    scenario: Scenario,
    *,
    tier: str | None = None,
    candidates: int = CANDIDATES,
    simulate: bool = False,
    settings: Settings | None = None,
) -> Tuning:
    """Return the best checkpoint interval of *scenario* and what it is worth.

    Of several tiers *tier* names the one that is tuned, the others as they are; it is the last otherwise.
    `simulation.replications` (64 where it is not said) choose the interval; it is judged on fresh ones, half
    as many, or 16 where there are as many.  With *simulate* every candidate is simulated in full, also where
    sharing the outages is exact.  Raises ChoiceError where the scenario has no interval to tune, and RunError
    where the run cannot go on.
    """
    began, settings, place = time.perf_counter(), settings or Settings(), place_of(scenario, tier)
    fixed = ended_by_the_clock(scenario, REPLICATIONS)
    count, now = fixed.simulation.replications, place.of(scenario).interval
    if fixed.mtbf is None:
        return Tuning(scenario, fixed, count, now, place)
    reason = "asked for" if simulate else why_outages_depend(fixed)
    parts = range(count), range(count, count + fresh_ones(count))
    first, fresh = simulated(fixed, parts, settings, place) if reason else scored(fixed, parts, settings)
    marks = formulas(fixed, place)
    search = searched(fixed, place, first, [now, *marks.values()], candidates)
    return _told(Tuning(scenario, fixed, count, now, place), marks, search, fresh, reason, began)


def fresh_ones(count: int) -> int:
    """Return how many fresh replications judge what *count* have chosen.

    Fewer are enough: choosing compares many intervals, judging only a few.
    """
    return max(count // 2, min(count, LEAST_FRESH))


def _told(
    asked: Tuning,
    marks: Mapping[str, float],
    search: Search,
    fresh: Score,
    reason: str | None,
    began: float,
) -> Tuning:
    """Return what the finished *search* found of what was *asked*, judged on *fresh* replications."""
    best, flat, fixed = search.best, search.flat_range(), asked.scenario
    chosen = rounded(best, flat)
    over = {**marks, "now": asked.now_s}
    at_best, at_chosen, *others = fresh([best, chosen, *over.values()])
    gains = [
        Gain(name, at, Worth.of(fixed, other, fixed, at_chosen), not flat[0] <= at <= flat[1])
        for (name, at), other in zip(over.items(), others, strict=True)
    ]
    return replace(
        asked,
        fresh_replications=others[-1].size,
        young_s=marks.get("young"),
        daly_s=marks.get("daly"),
        exact_s=marks.get("exact"),
        best_s=best,
        recommended_s=chosen,
        range_s=flat,
        boundary=search.boundary,
        simulated=reason,
        ettr_at_best=mean_of(at_best),
        ettr_now=mean_of(others[-1]),
        curve=[Candidate(at, search.estimate(at), search.told_apart(at)) for at in search.intervals],
        gains=gains,
        wall_s=time.perf_counter() - began,
    )


def searched(
    scenario: Scenario, place: Place, score: Score, always: Sequence[float], candidates: int
) -> Search:
    """Return the finished search for the best interval at *place* of *scenario* by *score*."""
    search = Search(score, *limits(scenario, place))
    search.run(centre(scenario, place), always, candidates)
    return search


def formulas(scenario: Scenario, place: Place) -> dict[str, float]:
    """Return the intervals of the closed forms (s); none where a save is free or serves no failure.

    One that is shorter than an interval can be is left out.
    """
    mtbf, blocks = place.mtbf(scenario), place.of(scenario).blocks
    if mtbf is None or blocks == 0:
        return {}
    forms = {"young": theory.young, "daly": theory.daly, "exact": theory.optimal}
    found = {name: form(mtbf, blocks) for name, form in forms.items()}
    return {name: interval for name, interval in found.items() if interval >= SHORTEST_DURATION}


def centre(scenario: Scenario, place: Place) -> float:
    """Return where to look first (s): the exact optimum of the tier's MTBF, were all exponential.

    Where no failure is left for the tier, that of all failures.
    """
    mtbf = place.mtbf(scenario) or scenario.mtbf
    assert mtbf is not None
    return theory.optimal(mtbf, place.of(scenario).blocks or 1.0)


def limits(scenario: Scenario, place: Place) -> tuple[float, float]:
    """Return the shortest and the longest interval that make sense (s): a step, or a second, and the run.

    Below a second only where saves are so cheap, or failures so frequent, that the formulas point there.
    """
    shortest = scenario.workload.step_time or min(SHORTEST, centre(scenario, place) / SPAN)
    possible = max(shortest, SHORTEST_DURATION, scenario.end_s / MOST_SAVES)
    return min(possible, scenario.end_s), scenario.end_s


def rounded(best: float, flat: tuple[float, float]) -> float:
    """Return the round duration nearest to *best* (s), by ratio, among those that cannot be told from it."""
    choices = [number * unit for unit in (DAY, HOUR, MINUTE, 1.0, 1e-3) for number in ROUND]
    within = [choice for choice in choices if flat[0] <= choice <= flat[1]]
    return min(within, key=lambda choice: abs(math.log(choice / best)), default=best)
