"""What is fitted to the log of a known fleet is what the fleet has: a quick look, and the whole when asked.

The whole takes an hour: `python -m pytest -m slow tests/calibration/test_fitting.py`.
"""

from __future__ import annotations

import pytest
from fitting import CASES, CLAIMED, HELD, REPETITIONS, tally
from scipy.stats import binom

from clustersim.fitting.selection import FEATURES

FEW = 10
QUICK = ("exponential", "lemons and relapse", "rack bursts", "burn-in")
ONE_IN = 0.001 / (4 * len(QUICK))
"""The chance of each comparison to fail where intervals hold in 90 %, and claims are false in 5 %."""


@pytest.mark.parametrize("name", QUICK)
def test_what_is_there_is_found_and_nothing_else(name: str) -> None:
    case = CASES[name]()
    counts = tally(case, FEW)
    for parameter in case.truth:
        assert counts.held[parameter] >= binom.ppf(ONE_IN, FEW, 0.9), parameter
    for feature in set(FEATURES) - set(case.features):
        assert counts.claimed[feature] <= binom.isf(ONE_IN, FEW, 0.05), feature


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_intervals_hold_and_false_claims_are_rare(name: str) -> None:
    case = CASES[name]()
    counts = tally(case, REPETITIONS)
    for parameter in case.truth:
        assert HELD[0] <= counts.held[parameter] / REPETITIONS <= HELD[1], parameter
    for feature in set(FEATURES) - set(case.features):
        assert counts.claimed[feature] / REPETITIONS <= CLAIMED, feature
