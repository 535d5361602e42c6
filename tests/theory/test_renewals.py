"""Lifetimes with an age against renewal theory, and rates that change along the run."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import numpy as np
import pytest
from scipy import stats

from tests.theory.runs import replications, spec
from tests.theory.z import assert_z, mean_se

DAY = 86_400.0
NODES, MEAN, SPAN = 64, 100.0, 30.0
QUOTED = {0.5: 61.21, 1.0: 19.20, 2.0: 4.42, 3.0: 1.22}


def weibull(shape: float) -> Any:
    return stats.weibull_min(shape, scale=MEAN / math.gamma(1 + 1 / shape))


def renewals(shape: float, terms: int = 50) -> float:
    """Expected renewals of one new unit by the time SPAN: the renewal equation solved as a power series.

    W. L. Smith and M. R. Leadbetter, On the renewal function for the Weibull distribution, Technometrics 5
    (1963).
    """
    powers = [math.exp(math.lgamma(1 + n * shape) - math.lgamma(1 + n)) for n in range(terms + 1)]
    factors = [0.0]
    for n in range(1, terms + 1):
        factors.append(powers[n] - sum(powers[j] * factors[n - j] for j in range(1, n)))
    scaled = SPAN / MEAN * math.gamma(1 + 1 / shape)
    return sum(
        -((-1) ** n) * factors[n] * scaled ** (n * shape) / math.gamma(1 + n * shape)
        for n in range(1, terms + 1)
    )


def fleet(lifetime: Any, ages: str, horizon: float = SPAN, **mode: Any) -> dict[str, Any]:
    """64 nodes that are fine at once after a failure."""
    part = {"per": "node", "mtbf": f"{MEAN} d", "lifetime": lifetime, "ages": ages, **mode}
    return spec(8 * NODES, {"node": part}, horizon * DAY, seed=21)


def counts(document: dict[str, Any], replicas: int) -> list[int]:
    return [records.incident_count for records in replications(document, replicas)]


@pytest.mark.parametrize("shape", QUOTED)
def test_the_renewal_equation_gives_the_figures_of_the_model(shape: float) -> None:
    assert round(NODES * renewals(shape), 2) == QUOTED[shape]


@pytest.mark.parametrize("shape", QUOTED)
def test_new_units_renew_as_the_renewal_equation_says(shape: float) -> None:
    document = fleet({"weibull": {"shape": shape}}, "new")
    found, se = mean_se(counts(document, 400))
    assert_z(found, NODES * renewals(shape), se, len(QUOTED))


LIFETIMES = [
    "exponential",
    "constant",
    {"weibull": {"shape": 0.5}},
    {"weibull": {"shape": 3}},
    {"lognormal": {"sigma": 1.2}},
    {"gamma": {"shape": 2}},
]


@pytest.mark.parametrize("case", range(len(LIFETIMES)))
def test_in_the_steady_state_units_fail_at_their_mean_rate_from_the_start(case: int) -> None:
    for horizon in (5.0, 150.0):
        found, se = mean_se(counts(fleet(LIFETIMES[case], "steady", horizon), 200))
        assert_z(found, NODES * horizon / MEAN, se, 2 * len(LIFETIMES))


def test_listed_lifetimes_fail_at_the_rate_of_their_mean() -> None:
    listed = {"per": "node", "lifetime": {"empirical": ["10 d", "40 d", "250 d"]}}
    document = spec(8 * NODES, {"node": listed}, 60 * DAY, seed=5)
    found, se = mean_se(counts(document, 200))
    assert_z(found, NODES * 60 / 100, se)


@pytest.mark.parametrize("shape", [0.5, 2.0])
def test_units_repaired_to_their_age_fail_as_a_poisson_process_of_the_hazard(shape: float) -> None:
    found, se = mean_se(counts(fleet({"weibull": {"shape": shape}}, "new", renews=False), 400))
    hazard = -float(weibull(shape).logsf(SPAN))
    assert_z(found, NODES * hazard, se, 2)
    assert_z(se, math.sqrt(NODES * hazard / 400), se / math.sqrt(2 * 400), 2)


@pytest.mark.parametrize("clock", ["calendar", "training"])
def test_a_rate_that_changes_gives_its_share_of_failures_to_each_period(clock: str) -> None:
    changes = {"0 d": 3, "14 d": 1, "20 d": 0.5}
    document = fleet("exponential", "steady", over_time=changes, clock=clock)
    expected = [NODES / MEAN * days * factor for days, factor in ((14, 3), (6, 1), (10, 0.5))]
    for found, se, due in zip(*_by_period(document, (0, 14, 20, 30)), expected, strict=True):
        assert_z(found, due, se, 6)


def _by_period(document: dict[str, Any], borders: tuple[int, ...]) -> tuple[list[float], list[float]]:
    """Mean and standard error of the failures in each period, over 300 replications."""
    edges = np.array(borders) * DAY
    rows = [np.histogram(records.incidents["time_s"], edges)[0] for records in replications(document, 300)]
    pairs = [mean_se(column) for column in np.array(rows).T]
    return [mean for mean, _ in pairs], [se for _, se in pairs]


def test_a_faster_clock_ages_units_faster() -> None:
    shape, changes = 2.0, {"0 d": 2, "10 d": 0.5}
    document = fleet({"weibull": {"shape": shape}}, "new", over_time=changes)
    plain = fleet({"weibull": {"shape": shape}}, "new")
    # 10 days at twice the speed and 20 at half of it are 30 days of the units' own time
    assert counts(document, 50) == counts(plain, 50)


def test_units_are_struck_equally_often() -> None:
    struck: Counter[int] = Counter()
    for records in replications(fleet("exponential", "steady", 3000), 4):
        struck.update(records.incidents["node"].tolist())
    observed = [struck[node] for node in range(NODES)]
    assert stats.chisquare(observed).pvalue > 0.001


def test_a_failure_of_one_node_does_not_make_another_younger() -> None:
    failures = {
        "wear": {"per": "node", "mtbf": "100 d", "lifetime": "constant", "ages": "new"},
        "crash": {"per": "node", "mtbf": "5 d"},
    }
    document = spec(8 * NODES, failures, 350 * DAY, seed=9)
    (records,) = replications(document, 1)
    wear = records.incidents["time_s"][records.incidents["mode"] == 0]
    assert Counter((wear / DAY).round(9)) == {100.0: NODES, 200.0: NODES, 300.0: NODES}
