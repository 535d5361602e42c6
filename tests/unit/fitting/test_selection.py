"""What is a lifetime and what is not: parts that wear out, and an event that many nodes had in common."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest

from clustersim.engine.replication import simulate
from clustersim.fitting.answer import _why
from clustersim.fitting.causes import CauseFit, fit_causes
from clustersim.fitting.histories import history_of
from clustersim.fitting.likelihood import LAWS, SPREADS
from clustersim.fitting.selection import LEAST_SPREAD, features_of
from clustersim.logs.history import History
from clustersim.scenario import loads
from clustersim.units import DAY

WINDOW = 349 * DAY


def one_week(nodes: int, others: Sequence[float] = (), later: int = 0) -> CauseFit:
    """Return the fit of some of 400 nodes that failed in one week, each once, and of others on other days.

    All are watched for the year, but for some that came a day *later*.
    """
    rng = np.random.default_rng(4)
    week = 60 * DAY + np.sort(rng.uniform(0, 6 * DAY, nodes))
    times = np.concatenate((week, np.array(others) * DAY))
    fleet = np.arange(400)
    entered = np.where(fleet < 400 - later, 0.0, DAY)
    log = History.of(times, 400, WINDOW, node=fleet[: len(times)], end_s=times + 5 * DAY, entered_s=entered)
    (found,) = fit_causes(log).values()
    return found


@pytest.mark.parametrize("later", [0, 20, 200])
def test_an_event_in_common_is_no_lifetime(later: int) -> None:
    """Its Weibull shape would be 46, of lemons of which each is one of the 17."""
    others = [104, 111, 112, 161, 269, 285, 299, 330, 332, 340]
    found = one_week(17, others, later)
    assert features_of(found.selection.best.model) == ("trend",)


def test_lifetimes_that_hardly_differ_are_none() -> None:
    """Every node was taken out in one week, which a Weibull law of shape 40 would say of all nodes' ages."""
    found = one_week(400)
    assert found.selection.best.model.law == "exponential"
    refused = found.selection.refused
    assert refused is not None
    assert SPREADS[refused.model.law](refused.values["shape"]) < LEAST_SPREAD
    assert "lifetime" not in found.selection.p_values
    assert "an event that many nodes had in common" in _why(found)


@pytest.mark.parametrize("shape", [2, 4])
@pytest.mark.parametrize("ages", ["steady", "new"])
def test_parts_that_wear_out_are_found(shape: int, ages: str) -> None:
    scenario = loads(f"""
name: fleet
cluster: {{gpus: 1600}}
failures:
  fan: {{per: node, mtbf: 150 d, ages: {ages}, lifetime: {{weibull: {{shape: {shape}}}}}, repair: 20 h}}
checkpoint: none
recovery: {{stages: {{nodes: wait}}}}
simulation: {{horizon: 349 d}}
""")
    (found,) = fit_causes(history_of(scenario, simulate(scenario, 1))).values()
    model = found.selection.best.model
    assert (model.law, model.new) == ("weibull", ages == "new")
    _, low, high = found.values["shape"]
    assert low is not None
    assert high is not None
    assert low < shape < high


@pytest.mark.parametrize(("law", "shape"), [("weibull", 7.9), ("gamma", 44.0), ("lognormal", 0.149)])
def test_the_spread_of_a_law_is_that_of_its_draws(law: str, shape: float) -> None:
    """By its survival: the second moment is twice the integral of age times survival."""
    ages = np.linspace(1e-6, 3.0, 200_001)
    survival = np.exp(LAWS[law](ages, 1.0, shape).log_survival)
    second = 2 * np.trapezoid(ages * survival, ages)
    assert SPREADS[law](shape) == pytest.approx(math.sqrt(second - 1), rel=1e-3)
    assert SPREADS[law](shape) == pytest.approx(LEAST_SPREAD, rel=0.01)
