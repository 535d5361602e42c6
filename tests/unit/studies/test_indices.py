"""Sensitivity indices against functions whose indices are known, against SALib, and under noise."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from calibration import idle_found, noisy

from clustersim.scenario.keys.uncertain import Uniform
from clustersim.studies.indices import Indices, _Asked, _Found, _saltelli, sensitivity_of

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
    found = sensitivity_of(function, laws, samples=1024)
    assert {index.path for index in found.indices} <= set(known)
    for index in found.indices:
        for estimate, truth in zip((index.first, index.total), known[index.path], strict=True):
            assert estimate.low - 1e-3 <= truth <= estimate.high + 1e-3
            assert estimate.half_width < 0.15
    assert found.variance.chance == 0
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
