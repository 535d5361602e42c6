"""Exact intervals of counts, against what others print."""

from __future__ import annotations

import pytest

from clustersim.fitting.rates import exact_count, exact_mean, exact_rate, exact_share


@pytest.mark.parametrize(
    ("count", "low", "high"), [(0, 0.0, 3.689), (1, 0.0253, 5.572), (10, 4.795, 18.39), (21, 13.0, 32.1)]
)
def test_a_count(count: int, low: float, high: float) -> None:
    """Garwood's table of 95 % limits."""
    assert exact_count(count) == pytest.approx((count, low, high), rel=2e-3)


def test_rates_and_means_are_of_the_count() -> None:
    rate, mean = exact_rate(21, 110.592), exact_mean(21, 110.592)
    assert rate == pytest.approx((0.1899, 0.1175, 0.2903), rel=1e-3)
    assert (1 / mean.mean, 1 / mean.high, 1 / mean.low) == pytest.approx(rate)  # type: ignore[operator]


def test_a_share() -> None:
    """The limits of 2 in 20 that Clopper and Pearson's chart shows, and both ends."""
    assert exact_share(2, 20) == pytest.approx((0.1, 0.01235, 0.3170), rel=1e-3)
    assert exact_share(0, 10).low == 0
    assert exact_share(10, 10).high == 1
