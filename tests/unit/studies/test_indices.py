"""Sensitivity indices against functions whose indices are known, against SALib, and under noise."""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import Any

import numpy as np
import pytest
from calibration import idle_found, noisy

from clustersim.estimate import Estimate
from clustersim.scenario.keys.uncertain import Uniform
from clustersim.studies.indices import (
    Indices,
    Variance,
    _Asked,
    _cross,
    _Found,
    _is_above,
    _saltelli,
    sensitivity_of,
)

ANGLES = {name: Uniform(-math.pi, math.pi) for name in ("x", "y", "z")}
Array = np.ndarray[Any, np.dtype[np.float64]]


def ishigami(values: Array) -> Array:
    x, y, z = values.T
    return np.asarray(np.sin(x) + 7 * np.sin(y) ** 2 + 0.1 * z**4 * np.sin(x))


def known_ishigami() -> dict[str, tuple[float, float]]:
    """First-order and total indices (Ishigami and Homma, 1990)."""
    x = (1 + 0.1 * math.pi**4 / 5) ** 2 / 2
    y, xz = 49 / 8, 0.01 * math.pi**8 * (1 / 18 - 1 / 50)
    whole = x + y + xz
    return {"x": (x / whole, (x + xz) / whole), "y": (y / whole, y / whole), "z": (0.0, xz / whole)}


WEIGHTS = (0.0, 1.0, 4.5, 9.0)


def sobol_g(values: Array) -> Array:
    weights = np.array(WEIGHTS)
    return np.asarray(((np.abs(4 * values - 2) + weights) / (1 + weights)).prod(axis=1))


def known_g() -> dict[str, tuple[float, float]]:
    parts = [1 / 3 / (1 + weight) ** 2 for weight in WEIGHTS]
    whole = math.prod(1 + part for part in parts) - 1
    total = [part * (whole + 1) / (1 + part) / whole for part in parts]
    return {str(n): (part / whole, total[n]) for n, part in enumerate(parts)}


def by_name(found: Indices) -> dict[str, Any]:
    return {index.path: index for index in found.indices}


@pytest.mark.parametrize(
    ("function", "laws", "known"),
    [
        (ishigami, ANGLES, known_ishigami()),
        (sobol_g, {str(n): Uniform(0, 1) for n in range(4)}, known_g()),
    ],
)
def test_indices_of_known_functions_lie_within_their_intervals(function: Any, laws: Any, known: Any) -> None:
    found = sensitivity_of(function, laws)
    assert {index.path for index in found.indices} <= set(known)
    for index in found.indices:
        for estimate, truth in zip((index.first, index.total), known[index.path], strict=True):
            assert estimate.low - 1e-3 <= truth <= estimate.high + 1e-3
            assert estimate.half_width < 0.15
    assert found.variance.chance == 0
    first, second = (known[index.path][1] for index in found.indices[:2])
    assert found.ahead is not None
    assert found.ahead.low - 1e-3 <= first - second <= found.ahead.high + 1e-3  # type: ignore[operator]
    totals = [index.total.mean for index in found.indices]
    assert totals == sorted(totals, reverse=True)
    assert found.evaluations == 10 * (len(laws) + 1) + 1024 * (len(found.indices) + 2)


def test_indices_are_those_of_salib_on_the_same_points() -> None:
    sobol = pytest.importorskip("SALib.analyze.sobol")
    asked = _Asked(ishigami, list(ANGLES.values()))
    base, other, mixed = _saltelli(asked, range(3), 256, np.random.default_rng(5))
    ours = _Found.of(base, other, mixed)
    firsts, totals = np.split(ours.shares(ours.products.mean(axis=1)), 2)
    rows = np.column_stack([base, *mixed, other]).reshape(-1)
    problem = {"num_vars": 3, "names": list(ANGLES), "bounds": [[-math.pi, math.pi]] * 3}
    theirs = sobol.analyze(problem, rows, calc_second_order=False, seed=1)
    assert firsts == pytest.approx(theirs["S1"], abs=1e-6)
    assert totals == pytest.approx(theirs["ST"], abs=1e-12)


def test_what_does_not_matter_is_screened_out() -> None:
    laws = {str(n): Uniform(0, 1) for n in range(5)}
    found = sensitivity_of(lambda values: values @ np.array([5, 3, 0.01, 0.0, 1]), laws, samples=64)
    assert [effect.kept for effect in found.screening] == [True, True, False, False, True]
    width = 0.9
    sizes = [effect.mu_star for effect in found.screening]
    assert sizes == pytest.approx([5 * width, 3 * width, 0.01 * width, 0, width])
    assert [effect.sigma for effect in found.screening] == pytest.approx([0.0] * 5, abs=1e-9)
    few = sensitivity_of(lambda values: values @ np.array([5, 3, 0.01, 0.0, 1]), laws, samples=64, most=1)
    assert [index.path for index in few.indices] == ["0"]
    assert few.ahead is None


def asked_at(weights: list[float], **more: Any) -> tuple[Indices, Array]:
    """The indices of a linear function, and all points at which it was asked."""
    points = list[Array]()

    def function(values: Array) -> Array:
        points.append(values)
        return np.asarray(values @ np.array(weights))

    laws = {str(n): Uniform(0, 1) for n in range(len(weights))}
    return sensitivity_of(function, laws, **more), np.concatenate(points)


def test_walks_begin_and_end_at_all_four_levels_and_what_is_left_out_stays_at_its_median() -> None:
    """10 walks of 4 points each, then 4 base points with two tables and one for each input that is kept."""
    found, points = asked_at([5, 3, 0], samples=4)
    assert len(points) == found.evaluations == 40 + 4 * 4
    levels = [0.05, 0.35, 0.65, 0.95]
    assert np.unique(points[:40].round(9)).tolist() == np.unique(points[0:40:4].round(9)).tolist() == levels
    assert points[40:, 2].tolist() == [0.5] * 16
    two, points = asked_at([5, 3, 0], samples=2)
    assert two.evaluations == 40 + 2 * 4
    assert points[40].tolist() != points[41].tolist()


def test_nothing_is_kept_of_what_does_nothing() -> None:
    found, points = asked_at([0, 0], samples=4)
    assert (found.indices, found.ahead, len(points)) == ([], None, 10 * 3 + 2 * 4)
    assert not any(effect.kept for effect in found.screening)


def test_the_spread_of_effects_is_that_of_a_sample() -> None:
    """Of x squared a step from a to b is worth a + b, times 0.9 for all of the range: 0.63 or 1.17."""
    (effect,) = sensitivity_of(lambda values: values[:, 0] ** 2, {"x": Uniform(0, 1)}, samples=4).screening
    low = round((1.17 - effect.mu_star) / 0.054)
    assert 0 < low < 10
    assert effect.mu_star == pytest.approx((low * 0.63 + (10 - low) * 1.17) / 10)
    assert effect.sigma == pytest.approx(0.54 * math.sqrt(low * (10 - low) / (10 * 9)))


def test_the_larger_input_is_first_and_the_answer_that_of_its_seed() -> None:
    found, points = asked_at([1, 2], samples=4)
    assert [index.path for index in found.indices] == ["1", "0"]
    assert found.ahead is not None
    assert np.array_equal(points, asked_at([1, 2], samples=4, seed=1)[1])
    assert not np.array_equal(points, asked_at([1, 2], samples=4, seed=2)[1])


def test_of_two_that_are_alike_at_each_point_none_is_ahead_in_any_resample() -> None:
    alike = np.random.default_rng(1).normal(1, 1, 8)
    products = np.array([0 * alike, 0 * alike, alike, alike, 1 + 0 * alike, 0 * alike])
    ahead = _Found(products, 2, Variance(1.0, 1.0, 0.0)).ahead([0, 1], np.random.default_rng(2))
    assert (ahead.mean, ahead.half_width) == (0.0, 0.0)


@pytest.mark.parametrize("count", [1, 3])
def test_all_inputs_together_are_told_from_nothing_at_95_percent(
    count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    levels = list[float]()
    monkeypatch.setattr("clustersim.studies.indices._is_above", lambda _, level: levels.append(level))
    asked_at([1] * count, samples=4)
    assert levels == pytest.approx([1 - 0.05 / count] * count)


@pytest.mark.parametrize(
    ("mean", "width", "above"), [(0.131, 0.1, False), (0.132, 0.1, True), (0.1, 0.0, True), (0.0, 0.0, False)]
)
def test_above_nothing_at_99_percent_is_what_exceeds_the_wider_interval(
    mean: float, width: float, above: bool
) -> None:
    """A half-width of 0.1 at 95 % is one of 0.1314 at 99 %."""
    ninety_nine = NormalDist().inv_cdf(0.995) / NormalDist().inv_cdf(0.975)
    assert ninety_nine == pytest.approx(1.3143, abs=1e-4)
    assert _is_above(Estimate(mean, width, 32), 0.99) == above


def test_products_are_between_values_of_different_noise() -> None:
    """(1 + 2 + 3) (4 + 5 + 6) without the three of the same noise, 32, are 58 for six pairs."""
    assert _cross(np.array([[1.0, 2, 3]]), np.array([[4.0, 5, 6]])) == pytest.approx([58 / 6])


def test_the_variance_by_inputs_is_that_of_both_samples_and_none_gives_no_shares() -> None:
    """0, 2, 4 and 6 have a variance of 5, whatever the mixed points are."""
    base, other, mixed = (np.array(each)[..., None] for each in ([0.0, 2], [4.0, 6], [[9.0, 9]]))
    assert _Found.of(base, other, mixed).variance.inputs == pytest.approx(5.0)
    none = _Found.of(base * 0, other * 0, mixed * 0)
    assert none.shares(none.products.mean(axis=1)).tolist() == [0.0, 0.0]


def test_what_all_points_with_one_noise_have_in_common_is_no_part_of_the_inputs() -> None:
    def shifted(values: Array) -> Array:
        return np.asarray(values[:, :1] + np.array([100.0, -100.0]))

    found = sensitivity_of(shifted, {"x": Uniform(0, 1)}, samples=256)
    assert found.variance.inputs == pytest.approx(1 / 12, rel=0.01)


def test_noise_is_told_from_inputs_and_never_an_interaction() -> None:
    laws = {str(n): Uniform(0, 1) for n in range(3)}
    found = sensitivity_of(noisy(np.random.default_rng(1), 1.0, [3, 2, 1]), laws, samples=2048)
    assert found.variance.chance == pytest.approx(1.0, rel=0.05)
    assert found.variance.inputs == pytest.approx(14 / 12, rel=0.1)
    assert found.variance.total == found.variance.inputs + found.variance.chance
    for index, known in zip(found.indices, (9 / 14, 4 / 14, 1 / 14), strict=True):
        assert index.total.low <= known <= index.total.high
        assert abs(index.total.mean - index.first.mean) < 3 * (index.first.half_width or 0.0)
    assert found.ahead is not None
    assert found.ahead.distinguishable


@pytest.mark.parametrize("seed", [1, 2])
def test_chance_is_never_more_than_all_of_the_variance(seed: int) -> None:
    """The estimate of the rest is below 0 in both cases, as it is in half of all where there is none."""
    noise = noisy(np.random.default_rng(seed), 1.0, [0.05])
    variance = sensitivity_of(noise, {"x": Uniform(0, 1)}, samples=32, seed=seed).variance
    assert (variance.inputs, variance.total) == (0.0, variance.chance)


def test_an_idle_input_is_hardly_ever_told_from_nothing() -> None:
    """A short look; `benchmarks/calibration.py inputs` has 200 experiments, of which 21 may tell it."""
    assert idle_found(40) <= 4
