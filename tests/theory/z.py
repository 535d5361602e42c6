"""Comparison with a known value on the scale of the standard error; the threshold counts the cases."""

from __future__ import annotations

import math
from collections.abc import Iterable
from statistics import NormalDist

import numpy as np

AT_LEAST = 3.5


def threshold(cases: int) -> float:
    """How many standard errors a family of so many cases exceeds in one of a thousand honest runs of it."""
    return max(AT_LEAST, NormalDist().inv_cdf(1 - 0.0005 / cases))


def assert_z(value: float, expected: float, se: float, cases: int = 1) -> None:
    """Fail if *value* is further from *expected* than chance explains for one of *cases* comparisons."""
    assert se > 0
    z = (value - expected) / se
    print(f"z = {z:+.2f} ({value:.6g} against {expected:.6g}, standard error {se:.2g})")
    assert abs(z) <= threshold(cases), f"{value} is {z:+.2f} standard errors ({se}) from {expected}"


def mean_se(values: Iterable[float]) -> tuple[float, float]:
    """Mean and its standard error."""
    data = np.asarray(list(values), dtype=float)
    return float(data.mean()), float(data.std(ddof=1) / math.sqrt(data.size))


def controlled(pairs: Iterable[tuple[float, float]], expected: float) -> tuple[float, float]:
    """Mean and standard error of the first numbers, once what the second explain of them is taken away.

    The mean of the second is known to be *expected* (a control variate; Glasserman, Monte Carlo Methods in
    Financial Engineering, 2003, section 4.1).
    """
    values, controls = np.asarray(list(pairs), dtype=float).T
    slope = np.cov(values, controls)[0, 1] / controls.var(ddof=1)
    rest = values - slope * (controls - expected)
    return float(rest.mean()), float(rest.std(ddof=2) / math.sqrt(rest.size))
