"""How often to save: the best interval of a scenario as it is, how flat the optimum is, what it is worth."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence

from sim import theory
from sim.estimate import mean_of
from sim.experiment import Settings
from sim.scenario.model import Scenario
from sim.store import ChoiceError
from sim.tuning.outages import why_outages_depend
from sim.tuning.results import Candidate, Gain, Tuning, Worth
from sim.tuning.scores import scored, simulated
from sim.tuning.search import SPAN, Score, Search
from sim.tuning.variants import ended_by_the_clock
from sim.units import DAY, HOUR, MINUTE

CANDIDATES = 40
REPLICATIONS = 64
LEAST_FRESH = 16
SHORTEST = 1.0
ROUND = (1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, *(5.0 * number for number in range(2, 20)))


def tune(
    scenario: Scenario,
    *,
    candidates: int = CANDIDATES,
    simulate: bool = False,
    settings: Settings | None = None,
) -> Tuning:
    """Return the best checkpoint interval of *scenario* and what it is worth.

    `simulation.replications` (64 where it is not said) choose the interval; it is judged on fresh ones, half
    as many, or 16 where there are as many.  With *simulate* every candidate is simulated in full, also where
    sharing the outages is exact.  Raises ChoiceError where the scenario has no interval to tune, and RunError
    where the run cannot go on.
    """
    began, settings = time.perf_counter(), settings or Settings()
    if scenario.checkpoint is None:
        raise ChoiceError(f"{scenario.name} says checkpoint: none, so it has no interval to tune")
    fixed = ended_by_the_clock(scenario, REPLICATIONS)
    count, now = fixed.simulation.replications, scenario.checkpoint.interval
    if fixed.mtbf is None:
        return Tuning(scenario, fixed, count, now)
    reason = "asked for" if simulate else why_outages_depend(fixed)
    scores = simulated if reason else scored
    first, fresh = scores(fixed, (range(count), range(count, count + fresh_ones(count))), settings)
    marks = formulas(fixed)
    search = searched(fixed, first, [now, *marks.values()], candidates)
    return _told(scenario, fixed, now, marks, search, fresh, reason, began)


def fresh_ones(count: int) -> int:
    """Return how many fresh replications judge what *count* have chosen.

    Fewer are enough: choosing compares many intervals, judging only a few.
    """
    return max(count // 2, min(count, LEAST_FRESH))


def _told(
    given: Scenario,
    fixed: Scenario,
    now: float,
    marks: Mapping[str, float],
    search: Search,
    fresh: Score,
    reason: str | None,
    began: float,
) -> Tuning:
    """Return what the finished *search* found, judged on *fresh* replications."""
    best, flat = search.best, search.flat_range()
    chosen = rounded(best, flat)
    over = {**marks, "now": now}
    at_best, at_chosen, *others = fresh([best, chosen, *over.values()])
    gains = [
        Gain(name, at, Worth.of(fixed, other, fixed, at_chosen), not flat[0] <= at <= flat[1])
        for (name, at), other in zip(over.items(), others, strict=True)
    ]
    return Tuning(
        given=given,
        scenario=fixed,
        replications=fixed.simulation.replications,
        fresh_replications=others[-1].size,
        now_s=now,
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


def searched(scenario: Scenario, score: Score, always: Sequence[float], candidates: int) -> Search:
    """Return the finished search for the best interval of *scenario* by *score*."""
    search = Search(score, *limits(scenario))
    search.run(centre(scenario), always, candidates)
    return search


def formulas(scenario: Scenario) -> dict[str, float]:
    """Return the intervals of the closed forms (s); none where nothing fails or a save is free."""
    spec, mtbf = scenario.checkpoint, scenario.mtbf
    if spec is None or mtbf is None or spec.blocks == 0:
        return {}
    forms = {"young": theory.young, "daly": theory.daly, "exact": theory.optimal}
    return {name: form(mtbf, spec.blocks) for name, form in forms.items()}


def centre(scenario: Scenario) -> float:
    """Return where to look first (s): the exact optimum of the scenario's MTBF, were all exponential."""
    spec, mtbf = scenario.checkpoint, scenario.mtbf
    assert spec is not None
    assert mtbf is not None
    return theory.optimal(mtbf, spec.blocks or 1.0)


def limits(scenario: Scenario) -> tuple[float, float]:
    """Return the shortest and the longest interval that make sense (s): a step, or a second, and the run.

    Below a second only where saves are so cheap, or failures so frequent, that the formulas point there.
    """
    shortest = scenario.workload.step_time or min(SHORTEST, centre(scenario) / SPAN)
    return min(shortest, scenario.end_s), scenario.end_s


def rounded(best: float, flat: tuple[float, float]) -> float:
    """Return the round duration nearest to *best* (s), by ratio, among those that cannot be told from it."""
    choices = [number * unit for unit in (DAY, HOUR, MINUTE, 1.0, 1e-3) for number in ROUND]
    within = [choice for choice in choices if flat[0] <= choice <= flat[1]]
    return min(within, key=lambda choice: abs(math.log(choice / best)), default=best)
