"""The likelihood of a log: against closed forms, scipy's fit of censored data, and its own integral."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy import stats
from scipy.integrate import quad

from clustersim.estimate import ConfidenceInterval
from clustersim.fitting import likelihood as module
from clustersim.fitting.likelihood import (
    LAWS,
    RANGES,
    SHORTEST,
    Likelihood,
    Maximum,
    Model,
    maximise,
    searched,
)
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


def test_of_spells_beyond_an_age_only_that_beyond_counts() -> None:
    """Of a later spell that was served for 90 d, known because it is beyond 30 d: S(90) / S(30)."""
    values, model = {"mtbf_s": 100.0, "shape": 0.7}, Model("weibull")
    survival = np.exp(LAWS["weibull"](np.array([30.0, 90.0]), 100.0, 0.7).log_survival)
    later = replace(one_spell(90.0, False, repaired=True), since=30.0)
    assert Likelihood(later, model)(values) == pytest.approx(math.log(survival[1] / survival[0]))
    first = replace(one_spell(90.0, False), since=30.0)
    assert Likelihood(first, Model("weibull", new=True))(values) == pytest.approx(math.log(survival[1]))


@pytest.mark.parametrize("back", [40.0, 50.0])
def test_a_relapse_is_due_since_the_return_and_a_lifetime_counts_service(back: float) -> None:
    """Back for 40 d, of which 30 d in service: hazard 1/100 + 0.3/50 / (1 - 0.3 * 40/50)."""
    begin = np.array([5.0])
    spell = one_spell(back, True, repaired=True)
    spells = replace(spell, start=begin, end=begin + back, served=np.array([30.0]))
    hazard = 1 / 100 + 0.3 / 50 / (1 - 0.3 * back / 50)
    found = Likelihood(spells, Model(within=50.0))({"mtbf_s": 100.0, "probability": 0.3})
    assert found == pytest.approx(math.log(hazard) - 30 / 100 + math.log(1 - 0.3 * back / 50))


def test_a_node_is_a_lemon_in_all_of_its_spells() -> None:
    """Node 0 fails after 10 d and survives 20 d more; three others like each other survive 30 d."""
    end = np.array([10.0, 30.0, 30.0])
    spells = Spells(
        np.array([0, 0, 4]),
        np.array([0.0, 10.0, 0.0]),
        end,
        np.array([10.0, 20.0, 30.0]),
        np.array([True, False, False]),
        np.array([True, False, True]),
        np.array([False, True, False]),
        np.array([1.0, 1.0, 3.0]),
        one_spell(1.0, False).absences,
    )

    def of_node(failures: int, served: float) -> float:
        pace = {1.0: 0.8, 5.0: 0.2}
        return sum(share * (p / 100) ** failures * math.exp(-p * served / 100) for p, share in pace.items())

    found = Likelihood(spells, Model(lemons=True))({"mtbf_s": 100.0, "share": 0.2, "factor": 5.0})
    assert found == pytest.approx(math.log(of_node(1, 30.0)) + 3 * math.log(of_node(0, 30.0)))


def test_own_time_passes_faster_before_an_instant_and_for_lemons() -> None:
    """Served 60 d at 3 times the pace and 30 d at the usual one: 210 d of age, of a lemon five times that."""
    values = {"mtbf_s": 100.0, "shape": 1.4, "early": 3.0, "share": 0.2, "factor": 5.0}
    model = Model("weibull", new=True, lemons=True, until=60.0)
    law = LAWS["weibull"](np.array([210.0, 1050.0]), 100.0, 1.4)
    densities = np.exp(law.log_hazard + law.log_survival) * [1.0, 5.0]
    found = Likelihood(one_spell(90.0, True), model)(values)
    assert found == pytest.approx(math.log(densities @ [0.8, 0.2]))
    at_once = Likelihood(one_spell(60.0, True), Model(until=60.0))(values)
    assert at_once == pytest.approx(
        -math.log(100) - 180 / 100
    )  # At the instant itself the pace is the usual.


def test_a_spell_of_no_length_counts_as_one_second() -> None:
    found = Likelihood(one_spell(0.0, True), Model("weibull", new=True))({"mtbf_s": 100.0, "shape": 0.5})
    law = LAWS["weibull"](np.array([SHORTEST]), 100.0, 0.5)
    assert found == pytest.approx(float(law.log_hazard[0] + law.log_survival[0]))


class Normal:
    """The logarithm of a normal density of two parameters, as they are searched for."""

    names = ("mtbf_s", "share")
    at: Mapping[str, float] = {"mtbf_s": 1e6, "share": 0.1}

    def __init__(self, correlation: float, widths: tuple[float, float] = (0.2, 0.5)) -> None:
        self.correlation, self.widths = correlation, dict(zip(self.names, widths, strict=True))

    def __call__(self, values: Mapping[str, float]) -> float:
        x, y = (
            (RANGES[name].inner(values[name]) - RANGES[name].inner(self.at[name])) / self.widths[name]
            for name in self.names
        )
        r = self.correlation
        return -(x * x - 2 * r * x * y + y * y) / (2 * (1 - r * r))


@pytest.mark.parametrize("widths", [(0.2, 0.5), (0.002, 0.005), (1.5, 0.7)])
@pytest.mark.parametrize("name", Normal.names)
def test_an_interval_is_that_of_the_profile_whatever_the_others_are(
    name: str, widths: tuple[float, float]
) -> None:
    """That of a normal density has 1.96 standard deviations on each side; with the other known, fewer."""
    best = Maximum(Normal(0.8, widths), Normal.at, 0.0)
    (other,) = set(Normal.names) - {name}
    for known, part in (((), 1.0), ((other,), 0.6), (("shape",), 1.0)):
        mean, low, high = best.interval(name, *known)
        assert mean == Normal.at[name]
        assert low is not None
        assert high is not None
        middle = RANGES[name].inner(mean)
        for end, side in ((low, -1), (high, 1)):
            deviations = (RANGES[name].inner(end) - middle) / best.likelihood.widths[name]  # type: ignore[attr-defined]
            assert side * deviations == pytest.approx(1.96 * part, abs=0.011 * part)


@pytest.mark.parametrize(
    ("widths", "share_low"), [((1e3, 1e3), None), ((15.0, 3.0), None), ((15.0, 2.0), math.log(1 / 9) - 3.92)]
)
def test_an_interval_ends_at_the_latest_where_its_search_does(
    widths: tuple[float, float], share_low: float | None
) -> None:
    """The logarithm of the mean may be 20.7 away on either side, the logit of the share 4.7 and 2.2."""
    best = Maximum(Normal(0.0, widths), Normal.at, 0.0)
    assert best.interval("mtbf_s") == (1e6, 1e-3, 1e15)
    _, low, high = best.interval("share")
    assert high == 0.5
    assert low is not None
    assert RANGES["share"].inner(low) == pytest.approx(share_low or math.log(1 / 999), abs=0.02)


@pytest.mark.parametrize("correlation", [0.0, 0.8, 0.95])
@pytest.mark.parametrize("name", Normal.names)
@pytest.mark.parametrize("widths", [(0.1, 0.3), (0.9, 0.4)])
def test_an_end_of_a_normal_density_is_found_at_the_second_try(
    correlation: float, name: str, widths: tuple[float, float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The root of the fall is linear in the parameter, so that one step tells where the end is."""
    real, tries = module.searched, list[Mapping[str, float]]()

    def counted(*given: Any) -> Maximum:
        tries.append(given[2])
        return real(*given)

    monkeypatch.setattr(module, "searched", counted)
    Maximum(Normal(correlation, widths), Normal.at, 0.0).interval(name)
    assert len(tries) == 4


@pytest.mark.parametrize("beyond", [math.nan, -math.inf])
def test_a_likelihood_that_is_no_number_somewhere_is_searched_elsewhere(beyond: float) -> None:
    class Broken(Normal):
        def __call__(self, values: Mapping[str, float]) -> float:
            return beyond if values["mtbf_s"] > 5e6 else super().__call__(values)

    found = searched(Broken(0.0), {"mtbf_s": 1e4, "share": 0.2})
    assert found.values == pytest.approx(Normal.at, rel=1e-4)


@pytest.mark.parametrize("tops", [(1.0, 2.0), (2.0, 1.0)])
def test_lemons_are_sought_from_few_bad_nodes_and_from_many(
    tops: tuple[float, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a mean of good nodes of which all fail as often: (0.95 + 0.05 * 6) / 125 = 1 / 100."""
    starts: list[Mapping[str, float]] = []

    def noted(likelihood: Likelihood, start: Mapping[str, float]) -> Maximum:
        starts.append(dict(start))
        return Maximum(likelihood, start, tops[len(starts) - 1])

    monkeypatch.setattr(module, "searched", noted)
    found = maximise(one_spell(90.0, True), Model(lemons=True, until=60.0), {"mtbf_s": 100.0})
    assert starts == [
        pytest.approx({"mtbf_s": 125.0, "share": 0.05, "factor": 6.0, "early": 1.5}),
        pytest.approx({"mtbf_s": 150.0, "share": 0.25, "factor": 3.0, "early": 1.5}),
    ]
    assert found.values == starts[tops.index(2.0)]
    starts.clear()
    maximise(one_spell(90.0, True), Model(), {"mtbf_s": 100.0})
    assert len(starts) == 1


def test_the_criterion_of_akaike() -> None:
    assert Maximum(Normal(0.0), Normal.at, -3.0).aic == 2 * 2 + 2 * 3
