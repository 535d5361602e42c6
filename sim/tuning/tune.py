"""How often to save: the best interval of a scenario as it is, how flat the optimum is, what it is worth."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sim import theory
from sim.estimate import Estimate, mean_of, paired
from sim.experiment import Settings
from sim.records import Records
from sim.scenario.model import Scenario
from sim.store import ChoiceError
from sim.summary import NO_PROGRESS_BELOW
from sim.tuning.histories import histories
from sim.tuning.outages import Outages, schedule_of, why_outages_depend
from sim.tuning.search import Array, Score, Search
from sim.tuning.variants import ended_by_the_clock, variant
from sim.units import DAY, HOUR, MINUTE, YEAR

CANDIDATES = 40
SHORTEST = 1e-3
ROUND = (1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, *(5.0 * number for number in range(2, 20)))


@dataclass(frozen=True, slots=True)
class Candidate:
    """An interval (s) with its ETTR, and whether it can be told from the best."""

    interval_s: float
    ettr: Estimate
    told_apart: bool


@dataclass(frozen=True, slots=True)
class Gain:
    """What the best interval earns over another one, on replications on which it was not chosen."""

    over: str
    interval_s: float
    ettr: Estimate
    effective_gpus: Estimate
    money_per_year: Estimate | None

    @property
    def distinguishable(self) -> bool:
        """Whether there is a gain at all, as far as can be told."""
        return self.ettr.distinguishable


@dataclass(frozen=True)
class Tuning:
    """The answer of `tune`; intervals are seconds of training between saves, `None` where there is no answer.

    `best_s` is the candidate with the highest mean; `range_s` are the intervals that cannot be told from it,
    and `round_s` a round one among them.  `ettr_at_best` and the `gains` come from fresh replications.
    `simulated` says why each candidate was simulated in full, and is `None` where outages were shared.
    """

    scenario: Scenario
    replications: int
    now_s: float
    young_s: float | None = None
    daly_s: float | None = None
    exact_s: float | None = None
    best_s: float | None = None
    round_s: float | None = None
    range_s: tuple[float, float] | None = None
    boundary: str | None = None
    simulated: str | None = None
    ettr_at_best: Estimate | None = None
    ettr_now: Estimate | None = None
    curve: Sequence[Candidate] = ()
    gains: Sequence[Gain] = ()

    @property
    def no_failures(self) -> bool:
        """Whether nothing fails, so that no interval is better than another for this reason."""
        return self.best_s is None

    @property
    def no_progress(self) -> bool:
        """Whether the job makes no progress at any interval."""
        return self.ettr_at_best is not None and self.ettr_at_best.mean < NO_PROGRESS_BELOW


def tune(
    scenario: Scenario,
    *,
    candidates: int = CANDIDATES,
    simulate: bool = False,
    settings: Settings | None = None,
) -> Tuning:
    """Return the best checkpoint interval of *scenario* and what it is worth.

    Twice `simulation.replications` are simulated: on the first half the interval is chosen, on the second it
    is judged.  With *simulate* every candidate is simulated in full, also where sharing the outages is exact.
    Raises ChoiceError where the scenario has no interval to tune, and RunError where the run cannot go on.
    """
    settings, fixed = settings or Settings(), ended_by_the_clock(scenario)
    spec, mtbf = fixed.checkpoint, fixed.mtbf
    if spec is None:
        raise ChoiceError(f"{scenario.name} says checkpoint: none, so it has no interval to tune")
    count = fixed.simulation.replications
    if mtbf is None:
        return Tuning(scenario, count, spec.interval)
    reason = "asked for" if simulate else why_outages_depend(fixed)
    scores = simulated_scores if reason else scored_on_outages
    first, fresh = scores(fixed, count, settings)
    marks = formulas(mtbf, spec.blocks) | {"now": spec.interval}
    search = searched(fixed, first, tuple(marks.values()), candidates)
    best, flat = search.best, search.flat_range()
    return Tuning(
        scenario=fixed,
        replications=count,
        now_s=spec.interval,
        young_s=marks.get("young"),
        daly_s=marks.get("daly"),
        exact_s=marks.get("exact"),
        best_s=best,
        round_s=rounded(best, flat),
        range_s=flat,
        boundary=search.boundary,
        simulated=reason,
        ettr_at_best=mean_of(fresh(best)),
        ettr_now=mean_of(fresh(spec.interval)),
        curve=[Candidate(at, search.estimate(at), search.told_apart(at)) for at in search.intervals],
        gains=[gain(fixed, over, at, fresh(best), fresh(at)) for over, at in marks.items()],
    )


def searched(scenario: Scenario, score: Score, always: Sequence[float], candidates: int) -> Search:
    """Return the finished search for the best interval of *scenario* by *score*."""
    search = Search(score, *limits(scenario))
    search.run(centre(scenario), always, candidates)
    return search


def formulas(mtbf: float, blocks: float) -> dict[str, float]:
    """Return the intervals of the closed forms (s); none where a save is free."""
    if blocks == 0:
        return {}
    return {
        "young": theory.young(mtbf, blocks),
        "daly": theory.daly(mtbf, blocks),
        "exact": theory.optimal(mtbf, blocks),
    }


def centre(scenario: Scenario) -> float:
    """Return where to look first (s): the exact optimum of the scenario's MTBF, were all exponential."""
    spec, mtbf = scenario.checkpoint, scenario.mtbf
    assert spec is not None
    assert mtbf is not None
    return theory.optimal(mtbf, spec.blocks or 1.0)


def limits(scenario: Scenario) -> tuple[float, float]:
    """Return the shortest and the longest interval that make sense (s): a step, and the whole run."""
    return scenario.workload.step_time or SHORTEST, scenario.end_s


def scored_on_outages(scenario: Scenario, count: int, settings: Settings) -> tuple[Score, Score]:
    """Return scores on two halves of replications, from outages that are simulated once."""
    warm_up = scenario.simulation.warm_up

    def keep(records: Records) -> Outages:
        return Outages.of(records, warm_up)

    outages = histories([scenario], range(2 * count), settings, keep)[0]
    return score_on(scenario, outages[:count]), score_on(scenario, outages[count:])


def score_on(scenario: Scenario, outages: Sequence[Outages]) -> Score:
    """Return the score of intervals on recorded *outages*."""

    def score(interval: float) -> Array:
        schedule = schedule_of(scenario, interval)
        return np.array([one.ettr(schedule) for one in outages])

    return score


def simulated_scores(scenario: Scenario, count: int, settings: Settings) -> tuple[Score, Score]:
    """Return scores on two halves of replications, each interval simulated in full on the same failures."""

    def score_of(replications: range) -> Score:
        def score(interval: float) -> Array:
            changed = variant(scenario, {"checkpoint.interval": f"{interval!r} s"})
            return np.array(histories([changed], replications, settings, lambda one: one.ettr)[0])

        return score

    return score_of(range(count)), score_of(range(count, 2 * count))


def gain(scenario: Scenario, over: str, interval: float, best: Array, other: Array) -> Gain:
    """Return what ETTR *best* earns over *other*, pair by pair."""
    difference = paired(best, other)
    return Gain(over, interval, difference, *worth(scenario, difference))


def worth(scenario: Scenario, ettr: Estimate) -> tuple[Estimate, Estimate | None]:
    """Return what a difference in ETTR is in effective cards, and in money per year where cards have a price.

    Money: the card-hours that train instead of standing still, at the price of a card-hour.
    """
    gpus = scenario.cluster.gpus
    cards = ettr.scaled(gpus * scenario.workload.efficiency(gpus))
    if scenario.costs is None:
        return cards, None
    return cards, ettr.scaled(gpus * scenario.costs.price_per_gpu_hour * YEAR / HOUR)


def rounded(best: float, flat: tuple[float, float]) -> float:
    """Return the round duration nearest to *best* (s), by ratio, among those that cannot be told from it."""
    choices = [number * unit for unit in (DAY, HOUR, MINUTE, 1.0, 1e-3) for number in ROUND]
    within = [choice for choice in choices if flat[0] <= choice <= flat[1]]
    return min(within, key=lambda choice: abs(math.log(choice / best)), default=best)
