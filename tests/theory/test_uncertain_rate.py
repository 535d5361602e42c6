"""A failure rate that is known from a count: what it makes of ETTR, against Daly's formula, integrated."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats

from clustersim import theory
from clustersim.experiment import run
from clustersim.scenario import Scenario

SEEN, HOURS = 12, 12
INTERVAL, BLOCKS, RESTART = 450.0, 30.0, 300.0
DRAWS = 100
PLAIN: dict[str, Any] = {
    "name": "counted",
    "cluster": {"gpus": 8},
    "failures": {"any": {"per": "job", "mtbf": "1 h", "clock": "calendar"}},
    "checkpoint": {"interval": f"{INTERVAL} s", "blocks": f"{BLOCKS} s"},
    "recovery": {"stages": {"detect": "0 s", "restart": f"{RESTART} s"}},
    "simulation": {"horizon": "12 d"},
    "uncertain": {"failures.any.mtbf": {"counted": f"{SEEN} in {HOURS} job-hours"}},
    "uncertainty": {"draws": DRAWS},
}


def distribution(values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return the probability that ETTR is at most each of *values*: the gamma density, summed."""
    rates = np.linspace(1e-7, 4 * SEEN / HOURS / 3600, 20_001)
    density = stats.gamma(SEEN + 0.5, scale=1 / (HOURS * 3600)).pdf(rates)
    ettr = np.array([theory.efficiency(INTERVAL, 1 / rate, BLOCKS, RESTART) for rate in rates])
    weights = density * (rates[1] - rates[0])
    return np.array([weights[ettr <= value].sum() for value in values])


def test_the_points_of_the_inputs_are_those_of_dalys_formula_integrated_over_the_rate() -> None:
    inputs = run(Scenario.model_validate(PLAIN), workers=1).summary["ettr"]["inputs"]
    shares = distribution(np.array([inputs["p5"], inputs["p50"], inputs["p95"]]))
    # Two standard errors of a share of so many draws, were they not spread evenly.
    for share, wanted in zip(shares, (0.05, 0.50, 0.95), strict=True):
        assert share == pytest.approx(wanted, abs=2 * np.sqrt(wanted * (1 - wanted) / DRAWS))
