"""Laws of repair times: what was seen, which law, where it ends."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats
from scipy.special import ndtri

from clustersim.distributions import LogNormal, Truncated
from clustersim.estimate import ConfidenceInterval
from clustersim.fitting import repairs
from clustersim.fitting.rates import exact_mean
from clustersim.fitting.repairs import (
    RepairLaw,
    RepairsSeen,
    _bounded_mean,
    _LogNormal,
    _matched,
    _with_moments,
    repair_law,
    still_away,
)
from clustersim.units import DAY, HOUR


def law_of(times: np.ndarray, until: float = math.inf) -> RepairLaw:
    law = repair_law(np.minimum(times, until), times <= until)
    assert law is not None
    return law


def test_kaplan_and_meier() -> None:
    """Deaths at 0.8, 3.1, 5.4, 9.2, losses at 1.0, 2.7, 7.0, 12.1: their own example (JASA 53, 1958)."""
    times = np.array([0.8, 1.0, 2.7, 3.1, 5.4, 7.0, 9.2, 12.1])
    done = np.isin(times, (0.8, 3.1, 5.4, 9.2))
    at, shares = still_away(times, done)
    assert at.tolist() == [0.8, 3.1, 5.4, 9.2]
    assert shares == pytest.approx([0.875, 0.7, 0.525, 0.2625])


def test_a_repair_that_is_not_over_lasts_longer_than_one_that_ends_then() -> None:
    """Of three one is over after 2 s, when nobody looks after another any more, and the last after 3 s."""
    at, shares = still_away(np.array([2.0, 2.0, 3.0]), np.array([False, True, True]))
    assert at.tolist() == [2, 3]
    assert shares == pytest.approx([2 / 3, 0])


def test_the_mean_goes_on_where_nodes_are_not_back() -> None:
    """Over after 1 h and 2 h, and two nodes away for 10 h and 30 h: 1 + 3/4 + 28/2 hours up to 30 h."""
    seen = law_of(np.array([1.0, 2.0, 10.0, 30.0]) * HOUR, 2 * HOUR).seen
    assert seen.mean_s == pytest.approx(1.75 * HOUR)
    away, done = np.array([1.0, 2.0, 10.0, 30.0]) * HOUR, np.array([True, True, False, False])
    law = repair_law(away, done)
    assert law is not None
    assert law.seen.mean_s == pytest.approx(15.75 * HOUR)


def test_without_open_repairs_median_and_mean_are_the_usual_ones() -> None:
    times = np.random.default_rng(1).exponential(HOUR, 101)
    seen = law_of(times).seen
    assert (seen.median_s, seen.mean_s) == pytest.approx((np.median(times), times.mean()))
    assert law_of(times[:100]).seen.median_s == pytest.approx(np.median(times[:100]))


@pytest.mark.parametrize(
    ("times", "law"),
    [
        (np.random.default_rng(2).exponential(DAY, 200), "exponential"),
        (np.random.default_rng(2).lognormal(math.log(DAY), 2.0, 200), "lognormal"),
        (np.full(40, 4 * HOUR), "constant"),
        (np.tile([HOUR, 100 * HOUR], 100) + np.arange(200), "empirical"),
        (np.array([HOUR, 9 * HOUR]), "exponential"),
        # The logarithm of the likelihood gains 0.62 and 1.56; one more parameter is worth 1.
        (HOUR * np.exp(1.4 * ndtri((np.arange(8) + 0.5) / 8)), "exponential"),
        (HOUR * np.exp(1.7 * ndtri((np.arange(8) + 0.5) / 8)), "lognormal"),
    ],
)
def test_the_law_that_fits(times: np.ndarray, law: str) -> None:
    found = law_of(times)
    assert found.law == law
    assert found.longer(np.array([0.0]))[0] == pytest.approx(1.0)


def test_a_lognormal_with_open_ends() -> None:
    times = np.random.default_rng(5).lognormal(math.log(20 * HOUR), 1.5, 400)
    found = law_of(times, 40 * HOUR)
    assert found.seen.censored > 80
    assert found.at_most is None
    for name, truth in (("median_s", 20 * HOUR), ("sigma", 1.5)):
        _, low, high = found.parameters[name]
        assert low is not None
        assert high is not None
        assert low < truth < high


def test_a_bounded_law_has_the_mean_of_the_repairs() -> None:
    rng = np.random.default_rng(6)
    times = Truncated(LogNormal.from_median(20 * HOUR, 2.4), 130 * DAY).sample(rng, 600)
    found = law_of(times)
    assert found.at_most == times.max()
    grid = np.linspace(0, times.max(), 200_001)
    assert np.trapezoid(found.longer(grid), grid) == pytest.approx(times.mean(), rel=0.12)


def test_a_law_ends_where_repairs_longer_than_any_would_be_most_of_its_mean() -> None:
    """Thirty repairs of sigma 3.6: without a bound they would take far longer on average than was seen."""
    quantiles = (np.arange(30) + 0.5) / 30
    times = 7 * HOUR * np.exp(3.6 * ndtri(quantiles))
    found = law_of(times)
    assert found.at_most == times.max()
    grid = np.linspace(0, times.max(), 200_001)
    assert np.trapezoid(found.longer(grid), grid) == pytest.approx(times.mean(), rel=0.5)


@pytest.mark.parametrize(
    ("times", "ends"),
    [
        (np.exp(2 * ndtri((np.arange(20) + 0.5) / 20)), False),
        ((-np.log1p(-(np.arange(8) + 0.5) / 8)) ** (1 / 0.55), True),
    ],
)
def test_a_law_ends_where_its_mean_would_be_more_than_twice_the_one_seen(
    times: np.ndarray, ends: bool
) -> None:
    """Of 20 repairs it is 1.3 times that.  Of 8 it is 2.1 times, of a law hardly better than exponential."""
    found = law_of(10 * HOUR * times)
    assert found.law == "lognormal"
    assert found.at_most == (10 * HOUR * times.max() if ends else None)


def test_where_nobody_was_back_there_is_no_law() -> None:
    assert repair_law(np.array([DAY]), np.array([False])) is None


@pytest.mark.parametrize("at_most", [None, 60.0])
def test_the_likelihood_of_repairs_against_scipy(at_most: float | None) -> None:
    """Two that are over and one that is not, of a lognormal of which draws above a bound are drawn again."""
    times, done = np.array([5.0, 40.0, 20.0]), np.array([True, True, False])
    law = stats.lognorm(1.3, scale=15.0)
    end = 1.0 if at_most is None else law.cdf(at_most)
    expected = law.logpdf([5.0, 40.0]).sum() + math.log(end - law.cdf(20.0)) - 3 * math.log(end)
    assert _LogNormal(times, done, at_most)({"median_s": 15.0, "sigma": 1.3}) == pytest.approx(expected)


def estimates(**values: float) -> dict[str, ConfidenceInterval]:
    return {name: ConfidenceInterval(value, None, None) for name, value in values.items()}


def test_how_many_repairs_take_longer() -> None:
    at, seen = np.array([0.0, 10.0, 20.0, 60.0, 90.0]), RepairsSeen(20.0, 30.0, 9, 0)
    beyond, parameters = stats.lognorm(1.3, scale=15.0).sf, estimates(median_s=15.0, sigma=1.3)
    after = beyond(np.maximum(at, 1.0))
    bounded = np.maximum((after - after[3]) / (1 - after[3]), 0.0)
    for law, shares in (
        (RepairLaw("exponential", seen, estimates(mean_s=30.0)), np.exp(-at / 30)),
        (RepairLaw("constant", seen), [1, 1, 0, 0, 0]),
        (RepairLaw("empirical", seen, listed=(10.0, 20.0, 20.0, 70.0)), [1, 0.75, 0.25, 0.25, 0]),
        (RepairLaw("lognormal", seen, parameters), after),
        (RepairLaw("lognormal", seen, parameters, 60.0), bounded),
    ):
        assert law.longer(at) == pytest.approx(np.array(shares, float))
        assert law.longer(at).dtype == np.float64


@pytest.mark.parametrize("bound", [30.0, 200.0])
def test_a_bounded_lognormal_by_its_quantiles(bound: float) -> None:
    """Of draws below the bound: their mean, and the law that has their median and mean."""
    law = stats.lognorm(1.3, scale=15.0)
    draws = law.ppf((np.arange(100_000) + 0.5) / 100_000 * law.cdf(bound))
    assert _bounded_mean(15.0, 1.3, bound) == pytest.approx(draws.mean(), rel=1e-4)
    assert _with_moments(float(np.median(draws)), float(draws.mean()), bound) == pytest.approx(
        (15.0, 1.3), rel=2e-3
    )


def test_no_lognormal_has_every_median_and_mean() -> None:
    assert _with_moments(15.0, 15.0, 200.0) is None
    assert _with_moments(15.0, 190.0, 200.0) is None


def test_eight_repairs_are_enough_for_a_law_and_seven_for_their_mean() -> None:
    times = 5 * HOUR * np.exp(2.5 * ndtri((np.arange(8) + 0.5) / 8))
    assert law_of(times).law == "lognormal"
    few = law_of(times[:7])
    assert few.law == "exponential"
    assert few.parameters == {"mean_s": exact_mean(7, float(times[:7].sum()))}
    assert few.seen == pytest.approx((times[3], times[:7].mean(), 7, 0))


def test_repairs_that_are_not_over_count_in_the_mean_of_an_exponential_law() -> None:
    """Three over after 1 h, 2 h and 3 h, and one not over after 6 h: 12 h for 3 repairs."""
    law = law_of(np.array([1.0, 2.0, 3.0, 6.0]) * HOUR, 5 * HOUR)
    assert law.parameters["mean_s"] == exact_mean(3, 11 * HOUR)
    assert (law.seen.done, law.seen.censored) == (3, 1)


@pytest.mark.parametrize(
    ("times", "until", "law"),
    [
        ([4.0, 4.0], 9.0, "constant"),
        ([4.0], 9.0, "exponential"),
        ([4.0, 4.0, 4.0], 4.0, "constant"),
        ([4.0, 4.0, 6.0], 5.0, "exponential"),
        ([4.0, 4.1], 9.0, "exponential"),
        ([4.0, 4.000001], 9.0, "constant"),
        ([0.0, 0.0], 9.0, "constant"),
    ],
)
def test_repairs_of_one_length_are_constant(times: list[float], until: float, law: str) -> None:
    """A single one says nothing of others, nor do several where one more goes on for longer."""
    assert law_of(np.array(times) * HOUR, until * HOUR).law == law


def test_thirty_repairs_may_be_their_own_law_if_all_are_over() -> None:
    times = np.outer(np.linspace(0.2, 3.0, 15), [HOUR, 100 * HOUR]).ravel()
    found = law_of(times)
    assert (found.law, found.listed, found.parameters) == ("empirical", tuple(np.sort(times)), {})
    some = repair_law(times, np.arange(30) > 0)
    assert some is not None
    assert (law_of(times[:29]).law, some.law) == ("lognormal", "exponential")


def test_thirty_repairs_that_no_law_is_near_are_their_own_law() -> None:
    """Two of three take about an hour, one 30 h: there is none between, where a law has many."""
    times = np.concatenate((np.linspace(0.9, 1.1, 20), np.linspace(27, 33, 10))) * HOUR
    assert (law_of(times).law, law_of(times[:29]).law) == ("empirical", "lognormal")


def test_of_very_many_repairs_200_are_listed() -> None:
    """Of 600 the one in the middle of each three."""
    times = np.sort(np.tile([HOUR, 100 * HOUR], 300) + np.arange(600))
    assert law_of(times).listed == tuple(times[1::3])


@pytest.mark.parametrize(
    ("times", "done", "median"),
    [
        ([1, 3], [1, 1], 2),
        ([1, 2, 3], [1, 1, 1], 2),
        ([1, 2, 3, 5], [1, 1, 1, 1], 2.5),
        ([1, 2, 3, 5], [1, 0, 0, 0], 1),
        ([1, 2, 3, 5], [1, 1, 0, 0], 2),
        ([1, 2, 3, 5], [1, 0, 1, 1], 3),
        ([2, 2, 2, 2, 1], [1, 0, 1, 1, 1], 2),
    ],
)
def test_the_median_is_where_half_of_them_are_over(
    times: list[float], done: list[int], median: float
) -> None:
    """The last one that is over where more than half are not; one that is not over at 2 is so beyond it."""
    law = repair_law(np.array(times) * HOUR, np.array(done, bool))
    assert law is not None
    assert law.seen.median_s == pytest.approx(median * HOUR)


def test_a_bounded_law_that_would_miss_the_mean_is_given_median_and_mean() -> None:
    """A tenth is of another kind.  Intervals are of repairs drawn again: half as wide for 4 times as many."""
    usual, widths = HOUR * np.exp(2 * ndtri((np.arange(360) + 0.5) / 360)), []
    for times in (np.repeat(np.concatenate((usual, np.linspace(100, 200, 40) * HOUR)), n) for n in (1, 4)):
        found = law_of(times)
        assert found.at_most == times.max()
        grid = np.linspace(0, times.max(), 400_001)
        shares = found.longer(grid)
        assert np.trapezoid(shares, grid) == pytest.approx(times.mean(), rel=0.01)
        assert np.interp(0.5, 1 - shares, grid) == pytest.approx(np.median(times), rel=0.01)
        for mean, low, high in found.parameters.values():
            assert low < mean < high  # type: ignore[operator]
        sigma = found.parameters["sigma"]
        widths.append(sigma.high - sigma.low)  # type: ignore[operator]
    assert widths[1] / widths[0] == pytest.approx(0.5, abs=0.15)


@pytest.mark.parametrize(("away", "stays"), [(-0.6, False), (-0.4, True), (0.4, True), (0.6, False)])
def test_a_bounded_law_stays_whose_mean_is_within_two_standard_errors(away: float, stays: bool) -> None:
    """Of sixteen repairs with a standard deviation of 1 s the error is 0.25 s."""
    mean = _bounded_mean(15.0, 1.3, 200.0)
    times, seen = np.tile([mean - 1, mean + 1], 8), RepairsSeen(15.0, mean + away, 16, 0)
    assert (_matched({"median_s": 15.0, "sigma": 1.3}, 200.0, times, seen) is None) is stays


def test_intervals_of_a_matched_law_leave_a_fortieth_of_the_draws_on_either_side(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of laws numbered 1 to 199, beside one of which there is none, those are 5.95 and 194.05."""
    times, seen = np.array([1.0, 2.0, 6.0]), RepairsSeen(2.0, 3.0, 3, 0)
    laws = iter([(7.0, 0.5), None, *((number, number / 100) for number in range(1, 200))])
    with monkeypatch.context() as patch:
        patch.setattr(repairs, "_with_moments", lambda *_: next(laws))
        found = _matched({"median_s": 15.0, "sigma": 1.3}, 200.0, times, seen)
    assert found is not None
    assert found["median_s"] == pytest.approx((7.0, 5.95, 194.05))
    assert found["sigma"] == pytest.approx((0.5, 0.0595, 1.9405))
    monkeypatch.setattr(repairs, "RESAMPLES", 20)
    once, again = (_matched({"median_s": 15.0, "sigma": 1.3}, 20.0, times, seen) for _ in range(2))
    assert once is not None
    assert once == again


@pytest.mark.parametrize("draws", [0, 200])
def test_where_no_law_has_median_and_mean_there_is_none(monkeypatch: pytest.MonkeyPatch, draws: int) -> None:
    """Nor is there one without an interval, where none has those of any draw."""
    laws = iter([(7.0, 0.5)] * (draws > 0) + [None] * 200)
    monkeypatch.setattr(repairs, "_with_moments", lambda *_: next(laws))
    seen = RepairsSeen(2.0, 3.0, 3, 0)
    assert _matched({"median_s": 15.0, "sigma": 1.3}, 200.0, np.array([1.0, 2.0, 6.0]), seen) is None


@pytest.mark.parametrize("count", [16, 29, 200])
def test_repairs_of_two_lengths_and_none_between_are_listed(count: int) -> None:
    """The lognormal that ends at the longest of them would have its median beyond it."""
    times = np.where(np.arange(count) % 2, 1.0, 100.0) * HOUR + np.arange(count)
    found = law_of(times)
    assert (found.law, found.listed, found.at_most) == ("empirical", tuple(np.sort(times)), None)
    few = repair_law(times, np.arange(count) != 1)  # of one it is not known when it is over
    assert few is not None
    assert few.law == "exponential"
    if count == 29:
        assert _with_moments(found.seen.median_s, found.seen.mean_s, float(times.max())) is None
