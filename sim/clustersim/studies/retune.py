"""The best interval of a scenario within a larger question: of a lever, or of each value that is tried.

It is chosen on other replications than those on which it is judged, over a fixed time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from clustersim.experiment import Point
from clustersim.scenario.loading import variant
from clustersim.scenario.model import Scenario
from clustersim.studies.change import ended_by_the_clock, tuned_tier
from clustersim.studies.search import CANDIDATES, SEGMENTS, Gap, Search, scores, searched, why_outages_depend
from clustersim.studies.study import Simulations

FEW_CANDIDATES = 12
"""So many intervals are tried where each of them is simulated in full."""


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
    scenarios: Sequence[Scenario],
    count: int,
    running: Simulations,
    simulate: Callable[[Sequence[Point]], None],
    tier: str | None = None,
) -> list[Retuned]:
    """Return each scenario with the best interval of its *tier*, the last one if none is named.

    What can be scored on common outages is simulated for all scenarios at once, so that no worker waits.
    """
    fixed = [ended_by_the_clock(each, count) for each in scenarios]
    shared = [each for each in fixed if each.mtbf is not None and why_outages_depend(each) is None]
    simulate([running.point(each, SEGMENTS, _fresh(count)) for each in shared])
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
