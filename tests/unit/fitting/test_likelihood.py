"""The likelihood of a log: against closed forms, scipy's fit of censored data, and its own integral."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import pytest
from scipy import stats
from scipy.integrate import quad

from clustersim.estimate import ConfidenceInterval
from clustersim.fitting.likelihood import LAWS, RANGES, Likelihood, Maximum, Model, maximise
from clustersim.fitting.spells import Absences, Spells, absences_of, spells_of
from clustersim.logs.history import History
from clustersim.units import DAY


def spells_from(times: list[float], ends: list[float], nodes: list[int], fleet: int, window: float) -> Spells:
    log = History.of(times, fleet, window, node=nodes, end_s=ends)
    return spells_of(log, np.arange(len(times)), absences_of(log))


def test_one_exponential_unit_with_three_failures() -> None:
    spells = spells_from([50 * DAY, 90 * DAY, 200 * DAY], [math.nan] * 3, [0, 0, 0], 1, 300 * DAY)
    found = maximise(spells, Model(), {"mtbf_s": DAY})
    assert found.values["mtbf_s"] == pytest.approx(100 * DAY, rel=1e-3)
    assert found.top == pytest.approx(-3 * math.log(100 * DAY) - 3)
    low, high = found.interval("mtbf_s")[1:]
    for end in (low, high):
        assert end is not None
        assert found.top - found.likelihood({"mtbf_s": end}) == pytest.approx(1.9207, abs=0.03)


@pytest.mark.parametrize("law", ["weibull", "gamma", "lognormal"])
def test_new_units_against_scipy(law: str) -> None:
    """Units that were new when they were first seen, each until its failure or the end of the window."""
    rng = np.random.default_rng(3)
    draws = {
        "weibull": rng.weibull(0.7, 300),
        "gamma": rng.gamma(2, 0.5, 300),
        "lognormal": rng.lognormal(0, 1, 300),
    }
    lives, window = draws[law] * 100 * DAY, 120 * DAY
    failed = lives < window
    nodes = np.flatnonzero(failed)
    gone = [math.inf] * len(nodes)
    spells = spells_from(lives[failed].tolist(), gone, nodes.tolist(), 300, window)
    found = maximise(spells, Model(law, new=True), {"mtbf_s": 80 * DAY})
    data = stats.CensoredData(uncensored=lives[failed] / DAY, right=np.full(300 - len(nodes), window / DAY))
    fits = {"weibull": stats.weibull_min, "gamma": stats.gamma, "lognormal": stats.lognorm}
    shape, _, scale = fits[law].fit(data, floc=0)
    mean = fits[law].mean(shape, scale=scale)
    assert found.values["shape"] == pytest.approx(shape, rel=5e-3)
    assert found.values["mtbf_s"] == pytest.approx(mean * DAY, rel=1e-2)


def one_spell(length: float, failed: bool, repaired: bool = False) -> Spells:
    """Return one spell, the first of its node unless it follows a repair."""
    none = np.zeros(0)
    flags = (np.array([flag]) for flag in (failed, not repaired, repaired))
    times = np.zeros(1), np.array([length]), np.array([length])
    return Spells(np.zeros(1, int), *times, *flags, np.ones(1), Absences(none.astype(int), none, none))


CASES: list[tuple[Model, dict[str, float], bool]] = [
    *((Model(law), {"mtbf_s": 100.0, "shape": 0.8}, False) for law in LAWS),
    *((Model(law, new=True), {"mtbf_s": 100.0, "shape": 1.4}, False) for law in LAWS),
    (Model(lemons=True), {"mtbf_s": 100.0, "share": 0.2, "factor": 5.0}, False),
    (Model(within=50.0), {"mtbf_s": 100.0, "probability": 0.3}, True),
    (Model("gamma", within=50.0), {"mtbf_s": 100.0, "shape": 2.0, "probability": 0.3}, True),
    (Model(until=60.0), {"mtbf_s": 100.0, "early": 3.0}, False),
]


@pytest.mark.parametrize(("model", "values", "repaired"), CASES)
def test_a_spell_ends_somewhere(model: Model, values: Mapping[str, float], repaired: bool) -> None:
    """The density of failures integrates to what survival has lost: hazard and survival are of one law."""

    def density(length: float) -> float:
        return math.exp(Likelihood(one_spell(length, True, repaired), model)(values))

    start, end = 2.0, 90.0
    breaks = [50.0, 60.0]
    failed = quad(density, start, end, points=breaks, limit=200)[0]
    survived = [math.exp(Likelihood(one_spell(at, False, repaired), model)(values)) for at in (start, end)]
    assert failed == pytest.approx(survived[0] - survived[1], rel=1e-5)


def test_the_interval_of_a_share_near_nothing_ends_where_shares_end() -> None:
    times = (np.arange(1, 41) * 7.0 * DAY).tolist()
    spells = spells_from(times, [time + DAY for time in times], list(range(40)), 40, 300 * DAY)
    found: Maximum = maximise(spells, Model(within=DAY), {"mtbf_s": 100 * DAY})
    assert found.values["probability"] < 0.01
    assert found.interval("probability").low == pytest.approx(1e-4)
    low, high = RANGES["probability"].known(found.interval("probability"))[1:]
    assert low is None
    assert high == found.interval("probability").high
    assert RANGES["probability"].known(ConfidenceInterval(0.9, 0.0, 1.0)) == (0.9, None, None)
