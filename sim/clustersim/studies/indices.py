"""Which input a function depends on most: elementary effects to screen, then Sobol indices of what is left.

The function may be noisy.  It then gives several values for each point, each with noise of its own, and all
products are taken between values of different noise: the noise is in none of their expectations, so that it
never looks like an interaction of inputs (law of total variance).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from clustersim.arrays import Floats
from clustersim.estimate import CONFIDENCE, Estimate
from clustersim.scenario.keys.uncertain import HIGH, LOW, Quantiles
from clustersim.streams import Streams

Function = Callable[[Floats], Floats]
"""Gives for each row of values, one of each input, a value, or a row of values with noise of their own."""

LEVELS, STEP = 4, 2
"""Of the grid of elementary effects, and how many of them a step goes: half of them, Morris's choice."""
SMALLEST = 0.05
"""Inputs whose mean elementary effect is a smaller share of the largest are left out: squared, 0.25 %."""
RESAMPLED = 1000
"""Bootstrap samples, from which the spread of an index is known to some 2 %."""


@dataclass(frozen=True, slots=True)
class ElementaryEffect:
    """How far a step between the 5 % and 95 % points of an input moves the function, over a whole range.

    `mu_star` is the mean of its size, `sigma` its spread: large where it depends on other inputs.
    """

    path: str
    mu_star: float
    sigma: float
    kept: bool


@dataclass(frozen=True, slots=True)
class SobolIndex:
    """The share of the variance by the inputs that is due to one: by itself, and with all it interacts with.

    `distinguishable` says whether the second is not 0, at 95 % for all inputs together.
    """

    path: str
    first: Estimate
    total: Estimate
    distinguishable: bool


@dataclass(frozen=True, slots=True)
class Variance:
    """That of the function: all of it, what inputs make of it, and chance."""

    total: float
    inputs: float
    chance: float


@dataclass(frozen=True, slots=True)
class Indices:
    """What a function depends on: the effects that screened its inputs, and the indices of what was left.

    `indices` have the largest total index first, `ahead` is by how much the first one's exceeds that of the
    second (None where there is no second), and `evaluations` is at how many points the function was asked.
    """

    screening: Sequence[ElementaryEffect]
    indices: Sequence[SobolIndex]
    ahead: Estimate | None
    variance: Variance
    evaluations: int


def sensitivity_of(
    function: Function,
    laws: Mapping[str, Quantiles],
    *,
    samples: int = 1024,
    trajectories: int = 10,
    most: int | None = None,
    seed: int = 1,
) -> Indices:
    """Return what *function* depends on, whose inputs have these *laws*, by name.

    The function gets a table with a column for each input in their order, and returns a value for each row,
    or several with noise of their own.  So many *trajectories* screen the inputs, of which the *most*
    influential are kept; *samples*, a power of two, is the number of base points of the Sobol indices: it
    takes samples x (inputs + 2) evaluations.
    """
    names, rng = list(laws), Streams(seed, 0)["sensitivity"]
    asked = _Asked(function, list(laws.values()))
    effects = _elementary(asked, names, trajectories, most, rng)
    kept = [place for place, effect in enumerate(effects) if effect.kept]
    base, other, mixed = _saltelli(asked, kept, samples, rng)
    found = _Found.of(base, other, mixed)
    estimates = found.estimates(rng)
    firsts, totals = estimates[: len(kept)], estimates[len(kept) :]
    order = sorted(range(len(kept)), key=lambda place: -totals[place].mean)
    level = 1 - (1 - CONFIDENCE) / max(len(kept), 1)
    indices = [
        SobolIndex(names[kept[place]], firsts[place], totals[place], _is_above(totals[place], level))
        for place in order
    ]
    ahead = found.ahead(order, rng) if len(kept) > 1 else None
    return Indices(effects, indices, ahead, found.variance, asked.count)


class _Asked:
    """A function of values as one of quantiles between 0 and 1, that counts how often it was asked."""

    def __init__(self, function: Function, laws: Sequence[Quantiles]) -> None:
        self._function = function
        self._laws = laws
        self.inputs = len(laws)
        self.count = 0

    def __call__(self, shares: Floats) -> Floats:
        """Return the values at each row of quantiles, a column for each noise."""
        self.count += len(shares)
        columns = zip(self._laws, shares.T, strict=True)
        values = np.column_stack([[law.quantile(share) for share in column] for law, column in columns])
        return np.asarray(self._function(values)).reshape(len(shares), -1)


def _elementary(
    asked: _Asked, names: Sequence[str], trajectories: int, most: int | None, rng: np.random.Generator
) -> list[ElementaryEffect]:
    """Return the elementary effects (Morris, Technometrics 33(2), 1991) of all inputs."""
    count, width = asked.inputs, HIGH - LOW
    walks, moved = list[Floats](), []
    for _ in range(trajectories):
        point, order = rng.integers(0, LEVELS, count), rng.permutation(count)
        walk = [point]
        for place in order:
            point = point.copy()
            point[place] += STEP if point[place] < STEP else -STEP
            walk.append(point)
        walks.append(LOW + width * np.array(walk) / (LEVELS - 1))
        moved.append(order)
    values = asked(np.concatenate(walks)).mean(axis=1).reshape(trajectories, count + 1)
    effects = np.zeros((trajectories, count))
    for row, (path, order) in enumerate(zip(walks, moved, strict=True)):
        ways = np.diff(path, axis=0)[np.arange(count), order] / width
        effects[row, order] = np.diff(values[row]) / ways
    sizes = np.abs(effects).mean(axis=0)
    least = SMALLEST * sizes.max()
    if most is not None and most < count:
        least = max(least, np.sort(sizes)[-most])
    return [
        ElementaryEffect(name, float(size), float(column.std(ddof=1)), bool(size >= least and size > 0))
        for name, size, column in zip(names, sizes, effects.T, strict=True)
    ]


def _saltelli(
    asked: _Asked, kept: Sequence[int], samples: int, rng: np.random.Generator
) -> tuple[Floats, Floats, Floats]:
    """Return the values at two samples of points, and at the first with one input each of the second.

    Inputs that are not kept stay at their medians.
    """
    from scipy.stats.qmc import Sobol

    count = len(kept)
    shares = Sobol(2 * max(count, 1), scramble=True, seed=rng).random_base2((samples - 1).bit_length())
    shares = shares[:samples] + 2.0**-31
    first, second = (np.full((samples, asked.inputs), 0.5) for _ in range(2))
    first[:, kept], second[:, kept] = shares[:, :count], shares[:, count : 2 * count]
    tables = [first, second]
    for place in kept:
        table = first.copy()
        table[:, place] = second[:, place]
        tables.append(table)
    values = asked(np.concatenate(tables)).reshape(count + 2, samples, -1)
    return values[0], values[1], values[2:]


@dataclass(frozen=True)
class _Found:
    """Products of values from which all indices are means, a row each, with a column for each base point.

    The first are the products for first-order indices, then those for total ones (Saltelli and others,
    Computer Physics Communications 181(2), 2010; Jansen's form for the totals); the last three are squares
    and values of both samples.
    """

    products: Floats
    inputs: int
    variance: Variance

    @classmethod
    def of(cls, base: Floats, other: Floats, mixed: Floats) -> _Found:
        """Return the products of these values; what is common to all points with one noise is left out."""
        everything = np.concatenate((base[None], other[None], mixed))
        centre = everything.mean(axis=(0, 1))
        base, other, mixed = base - centre, other - centre, mixed - centre
        firsts = [_cross(other, each - base) for each in mixed]
        totals = [_cross(base - each, base - each) / 2 for each in mixed]
        squares = (_cross(base, base) + _cross(other, other)) / 2
        means = (base.mean(axis=1) + other.mean(axis=1)) / 2
        products = np.array([*firsts, *totals, squares, means])
        # Of inputs that do next to nothing the estimate may be below 0; chance is no more than all there is.
        inputs = max(float(squares.mean() - means.mean() ** 2), 0.0)
        chance = float(everything.var(axis=2, ddof=1).mean()) if everything.shape[2] > 1 else 0.0
        return cls(products, len(mixed), Variance(inputs + chance, inputs, chance))

    def shares(self, means: Floats) -> Floats:
        """Return the indices that such *means* of the products come to, a column each."""
        variance = means[-2] - means[-1] ** 2
        return np.asarray(means[:-2] / np.where(variance > 0, variance, math.inf))

    def resampled(self, rng: np.random.Generator) -> Floats:
        """Return the indices of bootstrap samples of the base points, a column each."""
        count = self.products.shape[1]
        weights = rng.multinomial(count, np.full(count, 1 / count), RESAMPLED) / count
        return self.shares(np.einsum("pn,sn->ps", self.products, weights))

    def estimates(self, rng: np.random.Generator) -> list[Estimate]:
        """Return all indices with their intervals: first-order ones, then totals."""
        values, spread = self.shares(self.products.mean(axis=1)), self.resampled(rng).std(axis=1, ddof=1)
        pairs = zip(values.tolist(), spread.tolist(), strict=True)
        return [_normal(value, width, self.products.shape[1]) for value, width in pairs]

    def ahead(self, order: Sequence[int], rng: np.random.Generator) -> Estimate:
        """Return by how much the largest total index exceeds the second."""
        first, second = (self.inputs + place for place in order[:2])
        values, samples = self.shares(self.products.mean(axis=1)), self.resampled(rng)
        spread = float((samples[first] - samples[second]).std(ddof=1))
        return _normal(float(values[first] - values[second]), spread, self.products.shape[1])


def _cross(values: Floats, others: Floats) -> Floats:
    """Return the mean product of a value and another with a different noise, for each row.

    Where there is one value there is no noise, and it is the product.
    """
    count = values.shape[1]
    products = (values * others).sum(axis=1)
    if count == 1:
        return np.asarray(products)
    return np.asarray((values.sum(axis=1) * others.sum(axis=1) - products) / (count * (count - 1)))


def _normal(value: float, spread: float, count: int) -> Estimate:
    return Estimate(value, _point(CONFIDENCE) * spread, count)


def _is_above(estimate: Estimate, confidence: float) -> bool:
    """Return whether an estimate is above 0 at that *confidence*, two-sided."""
    width = (estimate.half_width or 0.0) * _point(confidence) / _point(CONFIDENCE)
    return estimate.mean > width


def _point(confidence: float) -> float:
    from scipy.special import ndtri

    return float(ndtri((1 + confidence) / 2))
