"""An interval that follows the failures finds the optimum of a rate that nobody stated, and keeps up."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from clustersim import theory
from clustersim.units import DAY, HOUR
from tests.theory.runs import Spec, outcomes, seconds, spec
from tests.theory.z import mean_se

MTBF, BLOCKS, RESTART = 4 * HOUR, 60.0, 300.0
PAIRS = 12


def job(interval: Any, over_time: dict[str, float]) -> Spec:
    """A job whose rate is that of the MTBF, times factors along the run, of which the MTBF knows nothing."""
    return spec(
        failures={"any": {"per": "cluster", "mtbf": seconds(MTBF), "over_time": over_time}},
        horizon=30 * DAY,
        checkpoint={"interval": interval, "blocks": seconds(BLOCKS)},
        recovery={"stages": {"restart": seconds(RESTART)}},
    )


def shares(document: Spec) -> np.ndarray[Any, np.dtype[np.float64]]:
    """The productive shares of some replications."""
    return np.array([share for share, _ in outcomes(document, PAIRS)])


@pytest.mark.parametrize("factor", [0.2, 1.0, 5.0])
def test_it_finds_the_optimum_of_a_rate_that_is_not_the_stated_one(factor: float) -> None:
    true = MTBF / factor
    best = f"{theory.optimal(true, BLOCKS)} s"
    adaptive = shares(job({"adaptive": {"window": "10 d"}}, {"0 d": factor}))
    lost, se = mean_se(shares(job(best, {"0 d": factor})) - adaptive)
    assert abs(lost) < 5e-4 + 3 * se
    if factor != 1:
        gained, se = mean_se(adaptive - shares(job("optimal", {"0 d": factor})))
        assert gained > 5 * se


def test_it_beats_the_best_formula_for_the_mean_of_a_rate_that_changes() -> None:
    changes = {"0 d": 8.0, "10 d": 0.2}
    mean = MTBF / ((8 * 10 + 0.2 * 20) / 30)
    adaptive = shares(job({"adaptive": {"window": "1 d"}}, changes))
    fixed = shares(job(f"{theory.daly(mean, BLOCKS)} s", changes))
    gained, se = mean_se(adaptive - fixed)
    assert gained > 5 * se
    assert gained > 0.005
