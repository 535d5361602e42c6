"""The search alone, on curves whose maximum is known."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import pytest

from clustersim import theory
from clustersim.arrays import Floats
from clustersim.scenario.model import Scenario
from clustersim.studies.search import Search, limits
from tests.unit.studies.clusters import job

REPLICATIONS = 30
SHIFT = np.array([0.0, 0.1, -0.1, 0.05])


def search(
    curve: Callable[[float], float], noise: float = 0.0, limits: tuple[float, float] = (1e-3, 1e6)
) -> Search:
    """A search on a curve; each replication shifts it by the same for all intervals, and jitters it a bit."""
    generator = np.random.default_rng(7)
    shift = generator.normal(0, 0.1, REPLICATIONS)

    def score(intervals: Sequence[float]) -> list[Floats]:
        return [curve(at) + shift + generator.normal(0, noise, REPLICATIONS) for at in intervals]

    return Search(score, *limits)


def hill(top: float, width: float = 1.0) -> Callable[[float], float]:
    return lambda interval: 1 - (math.log(interval / top) / width) ** 2 / 10


@pytest.mark.parametrize("top", [10.0, 100.0, 1000.0, 30_000.0, 0.02])
def test_the_maximum_is_found_wherever_it_lies(top: float) -> None:
    found = search(hill(top))
    found.run(100.0, [77.0], 40)
    assert found.best == pytest.approx(top, rel=0.04)
    assert found.boundary is None
    assert len(found.intervals) <= 40
    assert 77.0 in found.intervals


@pytest.mark.parametrize(("slope", "boundary", "at"), [(1, "longest", 5000.0), (-1, "shortest", 2.0)])
def test_a_maximum_at_a_limit_is_said_to_be_one(slope: int, boundary: str, at: float) -> None:
    found = search(lambda interval: slope * math.log(interval) / 100, limits=(2.0, 5000.0))
    found.run(100.0, [], 40)
    assert (found.boundary, found.best) == (boundary, at)


@pytest.mark.parametrize(
    ("scenario", "shortest"),
    [
        (job(), 1.0),
        (job(workload={"step_time": "8 s"}), 8.0),
        (job(mtbf=60, blocks=0.01), theory.optimal(60, 0.01) / 16),
        (job(mtbf=0.02, blocks=0.001), 0.001),
        (job(mtbf=1e12, lives=36), 36.0),
    ],
)
def test_no_interval_is_tried_that_is_shorter_than_makes_sense(scenario: Scenario, shortest: float) -> None:
    """A step, or a second; where saves are cheap, a sixteenth of the best; 10^12 saves in a run are most."""
    assert limits(scenario, scenario.tiers[0]) == pytest.approx((shortest, scenario.end_s))


def test_intervals_outside_the_limits_count_as_the_limit() -> None:
    found = search(hill(100.0), limits=(50.0, 200.0))
    found.run(100.0, [1.0, 1e9], 20)
    assert found.intervals[0] == 50.0
    assert found.intervals[-1] == 200.0
    assert found.ettr(1.0) is found.scores[50.0]


def test_the_range_holds_the_maximum_and_narrows_with_the_noise() -> None:
    widths = []
    for noise in (0.03, 0.003, 0.0003):
        found = search(hill(100.0), noise)
        found.run(100.0, [], 40)
        low, high = found.flat_range()
        assert low <= 100.0 * 1.02
        assert high >= 100.0 / 1.02
        widths.append(high / low)
    assert widths == sorted(widths, reverse=True)


def test_the_ends_of_the_range_are_known_to_a_few_per_cent() -> None:
    found = search(hill(100.0), 0.01)
    found.run(100.0, [], 40)
    low, high = found.flat_range()
    candidates = found.intervals
    assert low / candidates[candidates.index(low) - 1] < 1.09
    assert candidates[candidates.index(high) + 1] / high < 1.09


def test_a_plateau_is_the_range_as_a_whole() -> None:
    found = search(lambda interval: 0.5 if 20 <= interval <= 500 else 0.4, 0.001)
    found.run(100.0, [], 40)
    low, high = found.flat_range()
    assert low == pytest.approx(20.0, rel=0.1)
    assert high == pytest.approx(500.0, rel=0.1)


def test_the_range_ends_before_the_first_that_is_told_apart() -> None:
    """Of four, 0.5 above on average, the second is surely worse, and the last two may be as good."""
    scores = {100.0: 0.5 + SHIFT, 200.0: 0.4 + SHIFT, 400.0: 0.49 - SHIFT, 50.0: 0.49 - SHIFT}
    found = Search(lambda _: pytest.fail("all are scored"), 1.0, 1e4, scores)
    assert not found.distinguishable(400.0)
    assert found.flat_range() == (50.0, 100.0)


def test_intervals_within_one_per_cent_are_one() -> None:
    scores = {at: (0.5 if at == 100.0 else 0.4) + SHIFT for at in (98.0, 99.5, 100.0, 100.5, 102.0)}
    found = Search(lambda _: pytest.fail("all are scored"), 1.0, 1e4, scores)
    assert [at for at in found.intervals if found.distinguishable(at)] == [98.0, 102.0]


@pytest.mark.parametrize(("best", "other"), [(100.0, 101.0), (1.01, 1.0)])
def test_intervals_one_per_cent_apart_are_two(best: float, other: float) -> None:
    found = Search(lambda _: pytest.fail("all are scored"), 0.1, 1e4, {best: 0.5 + SHIFT, other: 0.4 + SHIFT})
    assert found.distinguishable(other)


@pytest.mark.parametrize(("candidates", "grid"), [(40, 20), (12, 6), (8, 5)])
def test_half_of_the_candidates_are_the_first_grid_of_five_or_more(candidates: int, grid: int) -> None:
    """One that is wanted in any case counts too."""
    asked: list[Sequence[float]] = []

    def score(intervals: Sequence[float]) -> list[Floats]:
        asked.append(intervals)
        return [np.array([hill(100.0)(at)]) for at in intervals]

    found = Search(score, 1e-3, 1e6)
    found.run(100.0, [77.0], candidates)
    assert asked[0] == pytest.approx([77.0, *np.geomspace(100 / 16, 1600, grid)])
    assert all(asked)
    assert sum(map(len, asked)) == len(found.intervals) == candidates


def test_nothing_can_be_told_from_one_replication() -> None:
    found = Search(lambda intervals: [np.array([hill(100.0)(at)]) for at in intervals], 1.0, 1e4)
    found.run(100.0, [], 30)
    assert not any(found.distinguishable(at) for at in found.intervals)


def test_the_true_optimum_is_nearly_always_in_the_range() -> None:
    missed = 0
    for seed in range(60):
        generator = np.random.default_rng(seed)

        def score(intervals: Sequence[float], generator: np.random.Generator = generator) -> list[Floats]:
            return [hill(100.0)(at) + generator.normal(0, 0.02, 12) for at in intervals]

        found = Search(score, 1.0, 1e4)
        found.run(100.0, [100.0], 30)
        low, high = found.flat_range()
        missed += not low <= 100.0 <= high
    assert missed <= 6


def scored(alike: Sequence[float], worse: Sequence[float]) -> dict[float, Floats]:
    """Scores with their maximum at 100: those *alike* can not be told from it, the *worse* ones can."""
    same = {float(at): hill(100.0)(at) - SHIFT for at in alike}
    return same | {float(at): 0.5 + SHIFT for at in worse} | {100.0: 1.0 + SHIFT}


def wanted_next(scores: dict[float, Floats], more: int) -> list[float]:
    """What is asked for after these intervals; the first grid lies at a limit that has its score."""
    asked: list[float] = []

    def score(intervals: Sequence[float]) -> list[Floats]:
        asked.extend(intervals)
        return [SHIFT for _ in intervals]

    found = Search(score, 1.0, 10_000.0, scores=dict(scores))
    found.run(1e9 if 10_000 in scores else 1e-9, [], len(scores) + more)
    return asked


@pytest.mark.parametrize(
    ("alike", "worse", "wanted"),
    [
        # Twice and half the best, where it is the last candidate, whatever else is wide.
        ([], [250, 10_000], [50]),
        ([], [1, 40], [200]),
        # The middles beside the best, before those at the ends of the range.
        ([50, 97, 225], [10, 10_000], [150]),
        ([64, 225], [1, 9, 10_000], [80, 150]),
        # Beyond the range, where it ends with the candidates.
        ([97, 103], [10_000], [48.5, 1014.9]),
        ([97, 103], [1], [206, 9.849]),
        # In the gaps at its ends.
        ([97, 103], [1, 48.5, 206, 10_000], [68.59, 145.66]),
    ],
)
def test_candidates_go_to_the_best_first_and_then_to_the_ends_of_the_range(
    alike: Sequence[float], worse: Sequence[float], wanted: Sequence[float]
) -> None:
    assert wanted_next(scored(alike, worse), len(wanted)) == pytest.approx(wanted, rel=1e-3)


@pytest.mark.parametrize(
    ("others", "gap"), [((25, 50, 300, 400), (104, 300)), ((25, 50, 300, 1000), (300, 1000))]
)
def test_what_is_left_goes_to_the_widest_gap_within_a_factor_of_four_of_the_best(
    others: Sequence[float], gap: tuple[float, float]
) -> None:
    """One replication tells nothing apart, and no gap beside the best is wider than 4 %."""
    scores = {float(at): np.array([hill(100.0)(at)]) for at in (1, 97, 100, 104, 10_000, *others)}
    assert wanted_next(scores, 1) == [pytest.approx(math.sqrt(gap[0] * gap[1]))]
