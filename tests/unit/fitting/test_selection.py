"""What is a lifetime and what is not: parts that wear out, and an event that many nodes had in common."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import minimize

from clustersim.engine.replication import simulate
from clustersim.fitting import selection
from clustersim.fitting.answer import _why
from clustersim.fitting.causes import CauseFit, fit_causes
from clustersim.fitting.histories import history_of
from clustersim.fitting.likelihood import LAWS, SPREADS, Maximum, Model
from clustersim.fitting.selection import (
    LEAST_SPREAD,
    LEMONS,
    LIFETIME,
    RELAPSE,
    TREND,
    _are_no_lifetimes,
    _chance,
    _Search,
    features_of,
    select,
)
from clustersim.fitting.spells import absences_of, spells_of
from clustersim.logs.history import History
from clustersim.scenario import loads
from clustersim.units import DAY
from tests.unit.fitting.made import maximum, spells

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


@pytest.mark.parametrize(
    ("feature", "gain", "tries", "chance"),
    [
        (LIFETIME, 3.841, 1, 0.05),
        (LIFETIME, 6.635, 2, 0.02),
        (LEMONS, 5.991, 1, 0.05),
        (LEMONS, 9.210, 3, 0.01),
        (RELAPSE, 6.635, 3, 0.015),
        (TREND, 6.635, 4, 0.04),
        (TREND, 0.0, 1, 1.0),
        (TREND, -2.0, 1, 1.0),
        (TREND, 2.706, 12, 1.0),
    ],
)
def test_the_chance_of_a_gain(feature: str, gain: float, tries: int, chance: float) -> None:
    """By the usual points of chi squared, of one degree of freedom and (lemons) of two."""
    assert _chance(feature, gain, tries) == pytest.approx(chance, rel=2e-3)


@pytest.mark.parametrize(
    ("count", "repairs", "nodes", "days", "features"),
    [
        (20, 10, 2, 100, (LIFETIME, LEMONS, RELAPSE, TREND)),
        (19, 10, 2, 100, (RELAPSE, TREND)),
        (20, 9, 2, 100, (LIFETIME, LEMONS, TREND)),
        (20, 10, 1, 100, (LIFETIME, TREND)),
        (9, 0, 2, 100, ()),
        (10, 0, 2, 8.75, (TREND,)),
        (10, 0, 2, 8.74, ()),
    ],
)
def test_a_feature_is_looked_for_in_so_many_failures(
    count: int, repairs: int, nodes: int, days: float, features: tuple[str, ...]
) -> None:
    """A burn-in of a week needs a window of 8.75 days, of which it is 80 %."""
    some = spells(count)
    some.repaired[:repairs] = True
    assert selection.testable(some, nodes, days * DAY) == features


@pytest.mark.parametrize(
    ("law", "shape", "none"),
    [
        ("exponential", 1.0, False),
        ("weibull", 0.49, True),
        ("weibull", 0.5, False),
        ("weibull", 7.9, False),
        ("weibull", 8.0, True),
        ("gamma", 0.49, True),
        ("gamma", 44.0, False),
        ("gamma", 45.0, True),
        ("lognormal", 0.4, False),
        ("lognormal", 0.14, True),
        ("lognormal", 3.0, False),
    ],
)
def test_lifetimes_are_none_below_a_half_and_above_a_shape_of_eight(
    law: str, shape: float, none: bool
) -> None:
    assert _are_no_lifetimes(maximum(Model(law), shape=shape)) is none


class Known(_Search):
    """A search among models of which the logarithm of each likelihood is given, 0 unless it is."""

    def __init__(
        self, tops: Mapping[Model, float], ages: float = 100.0, nodes: int = 40, **shapes: float
    ) -> None:
        super().__init__(spells(nodes), 100 * DAY)
        self.nodes = nodes
        self.tops, self.ages, self.shapes = dict(tops), ages, {"shape": 2.0} | shapes

    def fitted(self, model: Model, near: Mapping[str, float]) -> Maximum:
        return replace(maximum(model, **self.shapes), top=self.tops.get(model, 0.0))

    def _gain_of_ages(self, model: Model) -> float:
        assert model.lemons is (self.nodes > 1)
        assert model.within is None
        return self.ages


def start() -> Maximum:
    return maximum(Model())


def test_of_all_places_the_likeliest_is_tried_and_costs_as_many_tries() -> None:
    search = Known({Model(within=3 * DAY): 9.0, Model(within=DAY): 8.0, Model(until=14 * DAY): 7.0})
    relapse, trend = search.added(start(), RELAPSE), search.added(start(), TREND)
    assert relapse.found.model == Model(within=3 * DAY)
    assert relapse.p_value == pytest.approx(_chance(RELAPSE, 18.0, 3))
    assert trend.found.model == Model(until=14 * DAY)
    assert trend.p_value == pytest.approx(_chance(TREND, 14.0, 4))  # 7, 14, 30 and 60 of 100 days.
    lemons = Known({Model(lemons=True): 9.0}).added(start(), LEMONS)
    assert lemons.found.model == Model(lemons=True)
    assert lemons.p_value == pytest.approx(_chance(LEMONS, 18.0, 1))
    lifetime = Known({Model("weibull", new=True): 9.0}).added(start(), LIFETIME)
    assert lifetime.found.model == Model("weibull", new=True)
    assert lifetime.p_value == pytest.approx(_chance(LIFETIME, 18.0, 2))


@pytest.mark.parametrize("nodes", [1, 2, 40])
def test_a_lifetime_has_to_show_where_ages_are_known_as_well(nodes: int) -> None:
    """Beside lemons, of which a single node is none."""
    trial = Known({Model("weibull"): 9.0}, 1.0, nodes).added(start(), LIFETIME)
    assert trial.p_value == pytest.approx(_chance(LIFETIME, 2.0, 2))
    assert not trial.refused
    beside = Known({Model("weibull", within=DAY): 9.0}, ages=1.0).added(maximum(Model(within=DAY)), LIFETIME)
    assert beside.p_value == trial.p_value
    hardly = Known({Model("weibull"): 0.1}, ages=9.0).added(start(), LIFETIME)
    assert hardly.p_value == pytest.approx(_chance(LIFETIME, 0.2, 2))


def gained(lives: np.ndarray, failed: np.ndarray, beyond: np.ndarray) -> float:
    """Return what a Weibull law gains over the exponential for lives (d) that are known *beyond* an age."""

    def loss(vector: Sequence[float], fixed: Sequence[float] = ()) -> float:
        scale, shape = np.exp([*vector, *fixed])
        hazard = np.log(shape / scale) + (shape - 1) * np.log(lives / scale)
        return float(np.sum((lives / scale) ** shape - (beyond / scale) ** shape) - np.sum(hazard[failed]))

    how = {"method": "Nelder-Mead", "options": {"xatol": 1e-6, "fatol": 1e-8}}
    return float(minimize(lambda x: loss(x, [0.0]), [3.0], **how).fun - minimize(loss, [3.0, 0.5], **how).fun)


def test_ages_are_known_of_lives_after_a_repair_and_of_nodes_that_were_new() -> None:
    """Of ten nodes each has three lives after a repair of a day; within a week they say nothing."""
    lives = np.array([[15.0, 5, 14 + node, 30 - node] for node in range(10)])
    times = np.cumsum(lives + 1, axis=1) - 1
    log = History.of(
        times.ravel() * DAY, 10, 90 * DAY, node=np.repeat(np.arange(10), 4), end_s=(times.ravel() + 1) * DAY
    )
    search = _Search(spells_of(log, np.arange(40), absences_of(log)), 90 * DAY)
    later, last = lives[:, 2:].ravel(), 90 - times[:, -1] - 1
    known, over = np.concatenate((later, last)), np.arange(30) < 20
    assert search._gain_of_ages(Model("weibull")) == pytest.approx(
        gained(known, over, np.full(30, 7.0)), abs=1e-3
    )
    new = np.concatenate((known, lives[:, 0])), np.append(over, np.ones(10, bool))
    assert search._gain_of_ages(Model("weibull", new=True)) == pytest.approx(
        gained(*new, np.repeat([7.0, 0.0], [30, 10])), abs=1e-3
    )
    assert _Search(spells(), 100 * DAY)._gain_of_ages(Model("weibull")) == 0.0


@pytest.mark.parametrize(("repairs", "known"), [(9, 0.0), (10, 7.0)])
def test_ten_repairs_may_relapse_within_a_week_which_says_nothing_of_ages_then(
    repairs: int, known: float
) -> None:
    repaired = np.arange(40) < repairs
    some = replace(spells(), first=~repaired, repaired=repaired)
    gain = _Search(some, 100 * DAY)._gain_of_ages(Model("weibull", new=True))
    expected = gained(some.served / DAY, some.failed, np.where(repaired, known, 0.0))
    assert gain == pytest.approx(expected, abs=1e-3)


def test_no_lifetime_stands_beside_a_trend_of_new_nodes_and_none_that_hardly_differs() -> None:
    new = replace(maximum(Model("weibull", new=True)), top=0.0)
    trial = Known({}).added(new, TREND)
    assert (trial.refused, trial.p_value, trial.found) == (True, 1.0, new)
    steep = Known({Model("weibull"): 9.0}, shape=9.0).added(start(), LIFETIME)
    assert (steep.refused, steep.p_value) == (True, 1.0)
    by_chance = Known({Model("weibull"): 0.1}, shape=9.0).added(start(), LIFETIME)
    assert not by_chance.refused
    beside = Known({}).added(maximum(Model(until=7 * DAY)), LIFETIME)
    assert not beside.found.model.new


def test_what_the_others_have_made_needless_goes() -> None:
    """Without its relapse the model loses 0.5, without lemons 9: the relapse goes, and what is left stays."""
    both, lemons, relapse = Model(lemons=True, within=DAY), Model(lemons=True), Model(within=DAY)
    search = Known({both: 20.0, lemons: 19.5, relapse: 11.0})
    assert search.without_needless(search.fitted(both, {}), 0.01).model == lemons
    strict = Known({both: 20.0, lemons: 12.0, relapse: 11.0})
    assert strict.without_needless(strict.fitted(both, {}), 0.01).model == both
    trial = strict.without(strict.fitted(both, {}), RELAPSE)
    assert trial.p_value == pytest.approx(_chance(RELAPSE, 16.0, 3))
    assert trial.found.model == lemons
    assert strict.without_needless(strict.fitted(lemons, {}), 0.0).model == lemons


@pytest.mark.parametrize(("ahead", "law"), [(1.9, "weibull"), (2.1, "gamma")])
def test_another_law_has_to_be_clearly_better_than_the_tested_one(ahead: float, law: str) -> None:
    """Four of Akaike's criterion are two of the logarithm of the likelihood."""
    search = Known({Model("weibull"): 10.0, Model("gamma"): 10.0 + ahead, Model("lognormal"): 8.0})
    assert search.best_law(search.fitted(Model("weibull"), {})).model == Model(law)
    new = Known({Model("weibull"): 10.0, Model("gamma"): 13.0, Model("gamma", new=True): 14.0})
    assert new.best_law(new.fitted(Model("weibull"), {})).model == Model("gamma", new=True)
    steep = Known({Model("weibull"): 10.0, Model("lognormal"): 30.0}, shape=0.14)
    assert steep.best_law(steep.fitted(Model("weibull"), {})).model == Model("weibull")


def test_each_feature_of_the_log_has_its_chance_beside_the_others() -> None:
    """Of 40 nodes each with a life of its own: a lifetime is sure, lemons gain nothing."""
    found = select(spells(), (LIFETIME, LEMONS), 100 * DAY, 5)
    assert found.level == 0.01
    assert found.has(LIFETIME)
    assert not found.has(LEMONS)
    assert found.exponential.model == Model()
    assert found.exponential.values["mtbf_s"] == pytest.approx(20 * DAY, rel=1e-3)
    assert found.p_values[LIFETIME] < 1e-4 < 0.05 < found.p_values[LEMONS]
    assert found.refused is None
    alone = select(spells(), (LEMONS,), 100 * DAY, 0)
    assert (alone.level, alone.best.model, set(alone.p_values)) == (0.05, Model(), {LEMONS})
