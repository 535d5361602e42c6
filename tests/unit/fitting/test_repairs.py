"""Laws of repair times: what was seen, which law, where it ends."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.special import ndtri

from clustersim.distributions import LogNormal, Truncated
from clustersim.fitting.repairs import RepairLaw, repair_law, still_away
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


def test_where_nobody_was_back_there_is_no_law() -> None:
    assert repair_law(np.array([DAY]), np.array([False])) is None
