import math
from collections.abc import Callable
from itertools import pairwise, takewhile
from typing import Any

import numpy as np
import pytest

from clustersim.estimate import (
    FIRST_LOOK,
    Apart,
    Estimate,
    Stake,
    ahead,
    awaited,
    beats,
    differ,
    grouped,
    in_words,
    inputs_alone,
    looks,
    mean_of,
    paired,
    percentile,
    precise_enough,
    ratio,
    student,
    unseen,
    within_draws,
    without_chance,
)


@pytest.mark.parametrize(("freedom", "quantile"), [(1, 12.7062), (4, 2.7764), (31, 2.0395), (1000, 1.9623)])
def test_students_quantiles_are_those_of_the_tables(freedom: int, quantile: float) -> None:
    assert student(freedom) == pytest.approx(quantile, abs=5e-5)


def test_the_interval_of_a_mean_worked_by_hand() -> None:
    estimate = mean_of([1.0, 2.0, 3.0, 4.0, 5.0])
    assert estimate.mean == 3.0
    assert estimate.half_width == pytest.approx(2.7764 * math.sqrt(2.5 / 5), rel=1e-4)
    assert (estimate.low, estimate.high) == (3.0 - estimate.half_width, 3.0 + estimate.half_width)
    assert mean_of([1.0, 3.0]).half_width == pytest.approx(12.7062, abs=5e-5)


def test_one_replication_has_no_interval() -> None:
    estimate = mean_of([0.5])
    assert estimate == Estimate(0.5, None, 1)
    assert estimate.low is None
    assert estimate.high is None
    assert estimate.share == (estimate.mean, None, None)
    assert not estimate.distinguishable
    assert not precise_enough([0.5], 1.0)


def test_an_interval_is_held_within_what_is_possible() -> None:
    assert Estimate(0.99, 0.05, 4).share == (0.99, 0.94, 1)
    assert Estimate(0.01, 0.05, 4).share.low == 0


def test_pairs_take_away_what_both_share() -> None:
    luck = np.random.default_rng(1).normal(0.5, 0.1, 20)
    difference = paired(luck + 0.01, luck)
    assert difference.mean == pytest.approx(0.01)
    assert difference.half_width == pytest.approx(0, abs=1e-12)
    assert difference.distinguishable


def test_pairs_are_those_that_both_have() -> None:
    assert paired([1.0, 2.0, 30.0], [0.0, 0.0]).mean == 1.5
    assert paired([1.0, 2.0], [0.0, 0.0, 99.0]).count == 2


def test_no_difference_is_not_distinguishable() -> None:
    assert not paired([1.0, 2.0, 3.0], [1.0, 2.0, 3.0]).distinguishable
    assert not paired([1.0, 2.0, 3.0], [2.0, 1.0, 3.5]).distinguishable


def test_a_ratio_is_pooled_and_its_interval_is_the_delta_methods() -> None:
    rng = np.random.default_rng(5)
    below = rng.uniform(5, 15, 4000)
    above = 3 * below + rng.normal(0, 1, 4000)
    estimate = ratio(above, below)
    assert estimate is not None
    assert estimate.mean == pytest.approx(above.sum() / below.sum())
    assert estimate.half_width == pytest.approx(1.96 / 10 / math.sqrt(4000), rel=0.05)


def test_a_ratio_to_nothing_is_unknown() -> None:
    assert ratio([1.0, 2.0], [0.0, 0.0]) is None


def test_a_scaled_estimate_keeps_a_positive_width() -> None:
    assert Estimate(2.0, 0.5, 9).scaled(-10) == Estimate(-20.0, 5.0, 9)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.25])
def test_percentiles_agree_with_numpy(share: float) -> None:
    values = np.random.default_rng(3).normal(size=23)
    assert percentile(values, share) == pytest.approx(np.quantile(values, share))


def test_a_percentile_beyond_what_was_observed_is_infinite() -> None:
    days = [30.0, 31.0, 32.0, math.inf]
    assert percentile(days, 0.5) == 31.5
    assert math.isinf(percentile(days, 0.9))
    assert math.isinf(percentile([30.0, math.inf, math.inf], 0.75))


def test_looks_are_a_fixed_growing_list_that_ends_at_the_cap() -> None:
    schedule = list(looks(1000))
    assert schedule[0] == FIRST_LOOK
    assert schedule[-1] == 1000
    assert all(before < after <= 2 * before for before, after in pairwise(schedule))
    assert list(looks(5)) == [5]
    shorter = list(takewhile(lambda look: look < 100, looks(10_000)))
    assert shorter == [look for look in schedule if look < 100]


LAWS: dict[str, tuple[float, float, Callable[[np.random.Generator], Any]]] = {
    "normal": (0.9, 0.003, lambda rng: rng.normal(0.9, 0.01, 2048)),
    "skewed": (0.9, 0.003, lambda rng: 0.91 - rng.exponential(0.01, 2048)),
    "rare": (0.95, 0.03, lambda rng: 1 - (rng.random(2048) < 0.1) * rng.random(2048)),
}


@pytest.mark.parametrize("law", LAWS)
def test_stopping_covers_the_truth_nearly_as_often_as_it_says(law: str) -> None:
    truth, width, draw = LAWS[law]
    rng = np.random.default_rng(11)
    hits = 0
    for _ in range(1000):
        values = draw(rng)
        used = next(n for n in looks(2048) if n == 2048 or precise_enough(values[:n], width))
        estimate = mean_of(values[:used])
        assert estimate.half_width is not None
        hits += abs(estimate.mean - truth) <= estimate.half_width
    assert 915 <= hits <= 970


def test_skewed_values_have_to_be_many() -> None:
    rare = np.where(np.arange(64) < 2, 0.0, 1.0)
    width = mean_of(rare).half_width
    assert width is not None
    assert not precise_enough(rare, width)
    assert precise_enough(np.tile(rare, 16), width)
    even = np.where(np.arange(64) < 32, 0.0, 1.0)
    assert precise_enough(even, mean_of(even).half_width or 0.0)
    assert not precise_enough(1e-9 * rare, 1e-9 * width, surprises=False)


def test_where_nothing_happened_yet_something_still_may() -> None:
    assert (1 - unseen(32)) ** 32 == pytest.approx(0.05)
    assert 3 / 1000 - unseen(1000) == pytest.approx(0.0, abs=1e-5)
    assert unseen(1) == pytest.approx(0.95)
    assert not precise_enough([1.0] * 32, 0.05)
    assert precise_enough([1.0] * 64, 0.05)
    assert precise_enough([0.0] * 64, 0.05)
    assert precise_enough([1.0] * 32, unseen(32))
    assert precise_enough([1.0] * 32, 0.05, surprises=False)
    assert not precise_enough([1.0], 1.0, surprises=False)


def test_a_mode_is_awaited_while_its_absence_may_be_chance_and_its_cost_could_matter() -> None:
    stakes = {"rare": Stake(0.01, 0.5), "cheap": Stake(0.01, 0.1), "frequent": Stake(2.0, 0.5)}
    assert awaited(stakes, [0, 0, 40], 32, 0.002) == ["rare"]
    assert awaited(stakes, [1, 0, 40], 32, 0.002) == []
    assert awaited(stakes, [0, 0, 40], 32, 0.0005) == ["rare", "cheap"]
    assert awaited(stakes, [0, 0, 40], 300, 0.002) == []
    assert awaited(stakes, [0, 0, 40], 32, 0.005) == []


TWO_DRAWS = np.array([[1.0, 3.0], [10.0, 14.0]])
"""Means 2 and 12, so that the variance between draws is 50; variances within 2 and 8, 5 on average."""


def test_means_of_groups_leave_out_what_is_left_over() -> None:
    assert list(grouped([1.0, 3.0, 5.0, 7.0, 100.0], 2)) == [2.0, 6.0]
    rows = [[1.0, 10.0], [3.0, 30.0], [5.0, 50.0]]
    assert grouped(rows, 2).tolist() == [[2.0, 20.0]]
    assert grouped(rows, 1).tolist() == rows


def test_the_interval_of_chance_is_made_of_what_differs_within_a_draw() -> None:
    found = within_draws(TWO_DRAWS.reshape(-1), 2)
    assert (found.mean, found.count) == (7.0, 4)
    assert found.half_width == pytest.approx(4.3027 * math.sqrt(5 / 4), rel=1e-4)
    three = within_draws([*TWO_DRAWS.reshape(-1), 5.0, 7.0], 2)  # variances 2, 8 and 2, of one freedom each
    assert three.half_width == pytest.approx(3.1824 * math.sqrt(4 / 6), rel=1e-4)
    assert within_draws([1.0, 3.0], 1) == Estimate(2.0, None, 2)
    both = Apart.of([*TWO_DRAWS.reshape(-1), 99.0], 2)
    assert both.chance == found
    assert both.inputs == inputs_alone(TWO_DRAWS)
    assert both.to_dict() == {"chance": {"low": found.low, "high": found.high}, "inputs": both.inputs}


def test_means_of_draws_are_drawn_together_as_far_as_chance_spreads_them() -> None:
    apart = 5 * math.sqrt((50 - 5 / 2) / 50)
    assert without_chance(TWO_DRAWS) == pytest.approx([7 - apart, 7 + apart])
    points = inputs_alone(TWO_DRAWS)
    assert points == pytest.approx({"p5": 7 - 0.9 * apart, "p50": 7.0, "p95": 7 + 0.9 * apart})
    assert without_chance(np.array([[1.0, 9.0], [2.0, 10.0]])) == pytest.approx([5.5, 5.5])
    assert list(without_chance(np.array([[1.0], [4.0]]))) == [1.0, 4.0]
    assert list(without_chance(np.array([[1.0, 3.0], [2.0, 2.0]]))) == [2.0, 2.0]
    assert list(without_chance(np.zeros((2, 2)))) == [0.0, 0.0]


@pytest.mark.parametrize(("centre", "size"), [(0.0, 1e-9), (1.0, 1e-7), (1e6, 1.0)])
def test_chance_is_taken_off_whatever_the_size_of_the_values(centre: float, size: float) -> None:
    found = (without_chance(centre + size * TWO_DRAWS) - centre) / size
    assert found == pytest.approx(without_chance(TWO_DRAWS), rel=1e-6)


def test_what_a_draw_leaves_unknown_is_unknown() -> None:
    with np.errstate(invalid="ignore"):
        assert inputs_alone(np.array([[1.0, math.inf], [2.0, 3.0]])) is None


def test_the_best_of_many_beats_one_by_more_than_a_difference_of_two_needs() -> None:
    """Bonferroni: at 95 % a mean has to be 3.18 standard errors, the best of two 4.18, of five 5.84."""
    others, best = np.zeros(4), np.array([1.0, 2.0, 3.0, 4.0])  # 3.87 standard errors
    assert differ(best, others)
    assert differ(others, best)
    assert not differ(best, best)
    assert not differ(best - 0.65, others)  # 2.87
    assert not differ(np.array([1.0, 1.5]), np.zeros(2))  # 5 standard errors of two, which takes 12.7
    assert not beats(best, others, 2)
    assert beats(best + 0.3, others, 2)  # 4.34
    assert beats(best + 0.3, others, 1)
    assert not beats(others, best + 0.3, 2)
    assert beats(best + 1, others, 3)  # 5.42
    assert not beats(best + 1, others, 5)
    assert list(ahead(best, np.array([others, others - 2, best]), 3)) == [False, True, False]


def test_one_pair_tells_no_difference_and_what_is_infinite_is_none() -> None:
    one = np.array([1.0])
    assert not beats(one, np.zeros(1), 2)
    assert not differ(one, np.zeros(1))
    many = np.zeros((3, 1))
    assert not many[ahead(one, many, 3)].size
    assert not many[differ(one, many)].size
    unknown = np.array([math.inf, 1.0, 2.0])
    assert not beats(unknown, unknown, 2)
    assert not differ(unknown, unknown)


def test_an_estimate_in_words_is_a_dash_where_there_is_none() -> None:
    assert in_words(None) == "—"
    assert in_words(Estimate(0.52937, 0.0041, 9)) == "0.529 ± 0.004"


def test_a_difference_is_one_only_beyond_its_interval() -> None:
    assert not Estimate(0.5, 0.5, 4).distinguishable
    assert Estimate(-0.51, 0.5, 4).distinguishable
    assert Estimate(math.inf, 0.5, 4).interval == (None, None, None)
