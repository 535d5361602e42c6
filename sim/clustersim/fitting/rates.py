"""Exact intervals of counts: 21 failures in 110,592 node-days are 0.19 per 1000 node-days, 0.12 to 0.29."""

from __future__ import annotations

from scipy.special import betaincinv, gammaincinv

from clustersim.estimate import CONFIDENCE, ConfidenceInterval

LEVEL = 1 - CONFIDENCE


def exact_count(count: int) -> ConfidenceInterval:
    """Return the mean number of events of which *count* were seen (Garwood, Biometrika 28, 1936)."""
    low = float(gammaincinv(count, LEVEL / 2)) if count else 0.0
    return ConfidenceInterval(float(count), low, float(gammaincinv(count + 1, 1 - LEVEL / 2)))


def exact_rate(count: int, exposure: float) -> ConfidenceInterval:
    """Return events per unit of *exposure*."""
    mean, low, high = exact_count(count)
    return ConfidenceInterval(*(None if end is None else end / exposure for end in (mean, low, high)))


def exact_mean(count: int, exposure: float) -> ConfidenceInterval:
    """Return the mean *exposure* per event, of one or more events."""
    mean, low, high = exact_count(count)
    assert mean
    assert low
    assert high
    return ConfidenceInterval(exposure / mean, exposure / high, exposure / low)


def exact_share(count: int, trials: int) -> ConfidenceInterval:
    """Return the probability of an event that came *count* times in *trials* (Clopper and Pearson, 1934)."""
    low = float(betaincinv(count, trials - count + 1, LEVEL / 2)) if count else 0.0
    high = float(betaincinv(count + 1, trials - count, 1 - LEVEL / 2)) if count < trials else 1.0
    return ConfidenceInterval(count / trials, low, high)
