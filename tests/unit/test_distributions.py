"""Distributions against their moments, their residual lives and their conditional survival."""

import math

import numpy as np
import pytest
from scipy import integrate, stats

from clustersim.distributions import (
    Constant,
    Distribution,
    Empirical,
    Exponential,
    Gamma,
    LogNormal,
    Truncated,
    Weibull,
    mean_within,
    shortened,
    variation,
)
from tests.theory.z import assert_z

DRAWS = 200_000
LAWS: list[tuple[Distribution, object]] = [
    (Exponential(50.0), stats.expon(scale=50.0)),
    (Weibull(50.0, 0.7), stats.weibull_min(0.7, scale=50.0 / math.gamma(1 + 1 / 0.7))),
    (Weibull(50.0, 3.0), stats.weibull_min(3.0, scale=50.0 / math.gamma(1 + 1 / 3.0))),
    (LogNormal(50.0, 0.8), stats.lognorm(0.8, scale=50.0 * math.exp(-0.32))),
    (Gamma(50.0, 0.5), stats.gamma(0.5, scale=100.0)),
    (Gamma(50.0, 4.0), stats.gamma(4.0, scale=12.5)),
]
SECOND_MOMENT_KNOWN: list[tuple[Distribution, float]] = [
    *((law, float(known.moment(2))) for law, known in LAWS),  # type: ignore[attr-defined]
    (Constant(50.0), 2500.0),
    (Empirical((20.0, 60.0, 70.0)), (400 + 3600 + 4900) / 3),
]


def generator(name: int) -> np.random.Generator:
    return np.random.default_rng([20_240, name])


@pytest.mark.parametrize("case", range(len(SECOND_MOMENT_KNOWN)))
def test_the_mean_of_samples_is_the_mean(case: int) -> None:
    law, second = SECOND_MOMENT_KNOWN[case]
    values = law.sample(generator(case), DRAWS)
    assert law.mean == 50.0
    assert values.shape == (DRAWS,)
    if isinstance(law, Constant):
        assert set(values) == {50.0}
    else:
        assert_z(values.mean(), law.mean, math.sqrt((second - 2500) / DRAWS), len(SECOND_MOMENT_KNOWN))


@pytest.mark.parametrize("case", range(len(SECOND_MOMENT_KNOWN)))
def test_residual_lives_have_the_mean_of_renewal_theory(case: int) -> None:
    law, second = SECOND_MOMENT_KNOWN[case]
    values = law.residual(generator(100 + case), DRAWS)
    expected = second / (2 * law.mean)
    se = values.std(ddof=1) / math.sqrt(DRAWS)
    assert_z(values.mean(), expected, se, len(SECOND_MOMENT_KNOWN))


@pytest.mark.parametrize("case", range(len(LAWS)))
def test_samples_follow_the_law(case: int) -> None:
    law, known = LAWS[case]
    found = stats.kstest(law.sample(generator(200 + case), 20_000), known.cdf)  # type: ignore[attr-defined]
    assert found.pvalue > 0.001 / len(LAWS)


@pytest.mark.parametrize("case", range(len(LAWS)))
def test_residual_lives_follow_the_integrated_survival(case: int) -> None:
    law, known = LAWS[case]
    grid = np.concatenate(([0.0], np.geomspace(1e-3, 1e5, 20_000)))
    covered = integrate.cumulative_trapezoid(known.sf(grid), grid, initial=0) / law.mean  # type: ignore
    values = law.residual(generator(300 + case), 20_000)
    found = stats.kstest(values, lambda x: np.interp(x, grid, covered))
    assert found.pvalue > 0.001 / len(LAWS)


@pytest.mark.parametrize("age", [0.0, 1.0, 40.0, 200.0])
@pytest.mark.parametrize("case", range(len(LAWS)))
def test_the_life_left_at_an_age_inverts_the_conditional_survival(case: int, age: float) -> None:
    law, known = LAWS[case]
    for chance in (1.0, 0.9, 0.5, 0.01):
        left = law.remaining(age, chance)
        survival = known.sf(age + left) / known.sf(age)  # type: ignore[attr-defined]
        assert survival == pytest.approx(chance, rel=1e-6)


@pytest.mark.parametrize("case", range(len(LAWS)))
def test_the_life_left_at_age_0_is_a_sample_of_the_law(case: int) -> None:
    law, known = LAWS[case]
    chances = 1 - generator(400 + case).random(2_000)
    lives = [law.remaining(0.0, float(chance)) for chance in chances]
    assert stats.kstest(lives, known.cdf).pvalue > 0.001 / len(LAWS)  # type: ignore[attr-defined]


@pytest.mark.parametrize("case", [3, 4, 5])
def test_quantiles_are_the_lives_that_so_many_outlive(case: int) -> None:
    law, known = LAWS[case]
    assert isinstance(law, LogNormal | Gamma)
    chances = np.array([0.9, 0.5, 0.01])
    assert known.sf(law.quantiles(chances)) == pytest.approx(chances, rel=1e-6)  # type: ignore[attr-defined]


def test_the_life_left_of_a_constant_or_of_a_list() -> None:
    assert Constant(50.0).remaining(20.0, 0.3) == 30.0
    assert Constant(50.0).remaining(80.0, 0.3) == 0.0
    law = Empirical((10.0, 20.0, 40.0))
    assert [law.remaining(15.0, chance) for chance in (1.0, 0.6, 0.4, 0.01)] == [5.0, 5.0, 25.0, 25.0]
    assert [law.remaining(10.0, chance) for chance in (1.0, 1e-300)] == [10.0, 30.0]
    assert law.remaining(40.0, 0.5) == 0.0


def test_a_weibull_of_shape_1_is_exponential() -> None:
    assert Weibull(50.0, 1.0).scale == 50.0
    assert Weibull(50.0, 1.0).remaining(30.0, 0.5) == pytest.approx(50.0 * math.log(2))


def test_half_of_a_lognormal_exceeds_its_median() -> None:
    law = LogNormal.from_median(72_000.0, 2.5)
    assert law.mean == pytest.approx(72_000.0 * math.exp(2.5**2 / 2))
    assert law.mu == pytest.approx(math.log(72_000.0))
    above = int((law.sample(generator(1), DRAWS) > 72_000.0).sum())
    assert_z(above / DRAWS, 0.5, 0.5 / math.sqrt(DRAWS))


BOUNDED = [
    Truncated(Exponential(50.0), 80.0),
    Truncated(LogNormal.from_median(20.0, 2.5), 3000.0),
    Truncated(Weibull(50.0, 0.6), 30.0),
]
UNBOUNDED = [
    stats.expon(scale=50.0),
    stats.lognorm(2.5, scale=20.0),
    stats.weibull_min(0.6, scale=50.0 / math.gamma(1 + 1 / 0.6)),
]


def conditional_moment(case: int, power: int) -> float:
    known, bound = UNBOUNDED[case], BOUNDED[case].at_most
    total, _ = integrate.quad(lambda q: known.ppf(q) ** power, 0, known.cdf(bound), limit=200)
    return float(total / known.cdf(bound))


@pytest.mark.parametrize("case", range(len(BOUNDED)))
def test_a_bound_makes_the_law_conditional(case: int) -> None:
    law, known = BOUNDED[case], UNBOUNDED[case]
    values = law.sample(generator(500 + case), DRAWS)
    mean, second = conditional_moment(case, 1), conditional_moment(case, 2)
    assert values.max() <= law.at_most
    assert law.mean == pytest.approx(mean, rel=1e-3)
    assert_z(values.mean(), mean, math.sqrt((second - mean**2) / DRAWS), len(BOUNDED))
    share = known.cdf(law.at_most)
    assert stats.kstest(values[:20_000], lambda x: known.cdf(x) / share).pvalue > 0.001 / len(BOUNDED)


@pytest.mark.parametrize("case", range(len(BOUNDED)))
def test_residual_lives_of_a_bounded_law_have_the_mean_of_renewal_theory(case: int) -> None:
    mean, second = conditional_moment(case, 1), conditional_moment(case, 2)
    values = BOUNDED[case].residual(generator(600 + case), DRAWS)
    assert_z(values.mean(), second / 2 / mean, values.std(ddof=1) / math.sqrt(DRAWS), len(BOUNDED))


@pytest.mark.parametrize("case", range(len(BOUNDED)))
def test_a_new_life_of_a_bounded_law_inverts_the_conditional_survival(case: int) -> None:
    law, known = BOUNDED[case], UNBOUNDED[case]
    for chance in (1.0, 0.9, 0.5, 0.01):
        below = known.cdf(law.remaining(0.0, chance)) / known.cdf(law.at_most)
        assert 1 - below == pytest.approx(chance, rel=1e-6)


def test_a_time_that_is_the_bound_itself_is_within_it() -> None:
    law = Truncated(Empirical((1.0, 2.0, 3.0)), 2.0)
    assert set(law.sample(generator(800), 1000)) == {1.0, 2.0}
    assert (law.mean, Truncated(Constant(2.0), 2.0).mean) == pytest.approx((1.5, 2.0))


def test_a_bounded_lifetime_has_no_minimal_repair() -> None:
    with pytest.raises(NotImplementedError, match="minimal repair"):
        BOUNDED[0].remaining(1.0, 0.5)


@pytest.mark.parametrize("law", [law for law, _ in SECOND_MOMENT_KNOWN] + BOUNDED)
def test_every_law_is_a_distribution_of_positive_times(law: Distribution) -> None:
    assert isinstance(law, Distribution)
    assert law.sample(generator(700), 1000).min() >= 0
    assert law.residual(generator(701), 1000).min() >= 0


def test_a_bound_that_nothing_ever_reaches_changes_nothing() -> None:
    assert Truncated(Exponential(4.0), 900.0).mean == pytest.approx(4.0, rel=1e-3)


@pytest.mark.parametrize("case", range(len(LAWS)))
def test_what_quantiles_stand_for_in_a_mean_is_known_within_some_per_cent(case: int) -> None:
    """The square takes most from the far tail, which is left out."""
    law, known = LAWS[case]
    squared = known.var() / known.mean() ** 2  # type: ignore[attr-defined]
    assert variation(law) == pytest.approx(squared, rel=0.02)
    within = integrate.quad(known.sf, 0, 70.0)[0]  # type: ignore[attr-defined]
    assert mean_within(law, 70.0) == pytest.approx(within, rel=0.01)
    undisturbed = known.expect(lambda x: math.exp(-x / 40))  # type: ignore[attr-defined]
    assert shortened(law, 1 / 40) == pytest.approx(-40 * math.log(undisturbed), rel=0.01)
    assert shortened(law, 0.0) == pytest.approx(50.0, rel=0.01)


def test_a_constant_time_varies_by_nothing_and_is_as_long_as_it_says() -> None:
    law = Constant(50.0)
    assert (variation(law), shortened(law, 0.1)) == (0, 50)
    assert [mean_within(law, limit) for limit in (30.0, 70.0)] == [30, 50]
