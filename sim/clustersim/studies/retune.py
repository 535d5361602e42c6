"""The best interval of a scenario within a larger question: of a lever, or of each value that is tried.

It is chosen on other replications than those on which it is judged, over a fixed time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from clustersim.experiment import Point
from clustersim.scenario.loading import variant
from clustersim.scenario.model import Scenario
from clustersim.studies.change import ended_by_the_clock, tuned_tier
from clustersim.studies.search import SEGMENTS, Search, scores, why_outages_depend
from clustersim.studies.study import Simulations
from clustersim.studies.tune import CANDIDATES, searched

FEW_CANDIDATES = 12
"""So many intervals are tried where each of them is simulated in full."""


def interval_search(by_clock: Scenario, count: int, running: Simulations) -> Search:
    """Return the finished search for the best interval, on the *count* replications after the first *count*.

    Something fails in the scenario, and it runs over a fixed time.
    """
    tier, in_full = tuned_tier(by_clock), why_outages_depend(by_clock) is not None
    (score,) = scores(by_clock, tier, [_fresh(count)], running, in_full=in_full)
    return searched(by_clock, tier, score, (tier.interval,), FEW_CANDIDATES if in_full else CANDIDATES)


def retuned(
    scenarios: Sequence[Scenario],
    count: int,
    running: Simulations,
    simulate: Callable[[Sequence[Point]], None],
) -> list[Scenario]:
    """Return each scenario with its best interval; where nothing fails it stays as it is.

    What can be scored on common outages is simulated for all scenarios at once, so that no worker waits.
    """
    fixed = [ended_by_the_clock(each, count) for each in scenarios]
    shared = [each for each in fixed if each.mtbf is not None and why_outages_depend(each) is None]
    simulate([running.point(each, SEGMENTS, _fresh(count)) for each in shared])
    return [
        each if by_clock.mtbf is None else _with_best_interval(each, by_clock, count, running)
        for each, by_clock in zip(scenarios, fixed, strict=True)
    ]


def _fresh(count: int) -> range:
    return range(count, 2 * count)


def _with_best_interval(scenario: Scenario, by_clock: Scenario, count: int, running: Simulations) -> Scenario:
    best = interval_search(by_clock, count, running).best
    return variant(scenario, {tuned_tier(by_clock).path("interval"): f"{best!r} s"})
