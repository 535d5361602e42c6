"""Distributions of positive times: lifetimes, repairs, stages of a recovery.

Each knows its mean, draws vectors, and draws the *residual life* of a renewal process that has run for ever:
a length-biased lifetime cut at a uniform point (Cox, Renewal Theory, 1962, section 5.3).  `remaining` maps an
age and a uniform number to the life left at that age, for units that are repaired to the age that they had.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Protocol, runtime_checkable

import numpy as np

from clustersim.arrays import Floats, dot


@runtime_checkable
class Distribution(Protocol):
    """A positive random time in seconds."""

    @property
    def mean(self) -> float:
        """Expected value, in seconds."""

    def sample(self, rng: np.random.Generator, size: int) -> Floats:
        """Return *size* independent draws."""

    def residual(self, rng: np.random.Generator, size: int) -> Floats:
        """Return *size* residual lives in the steady state."""

    def remaining(self, age: float, chance: float) -> float:
        """Return the life left at *age* that is exceeded with probability *chance* (0 < chance <= 1)."""

    def __hash__(self) -> int:
        """Return the hash of its parameters: what is worked out for a law is kept by law."""


@dataclass(frozen=True, slots=True)
class Constant:
    """Always the same time."""

    mean: float

    def sample(self, rng: np.random.Generator, size: int) -> Floats:
        """Return *size* times the constant."""
        return np.full(size, self.mean)

    def residual(self, rng: np.random.Generator, size: int) -> Floats:
        """Return uniform points within the constant."""
        return self.mean * rng.random(size)

    def remaining(self, age: float, chance: float) -> float:
        """Return what is left of the constant."""
        return max(self.mean - age, 0.0)


SMALLEST_CHANCE = 1e-300
"""Stands for a chance of 0, whose quantile is infinite."""


@dataclass(frozen=True, slots=True)
class Exponential:
    """Memoryless, given by its mean."""

    mean: float

    def sample(self, rng: np.random.Generator, size: int) -> Floats:
        """Return *size* independent draws."""
        return self.mean * rng.standard_exponential(size)

    def residual(self, rng: np.random.Generator, size: int) -> Floats:
        """Return draws of the same law: it has no memory."""
        return self.sample(rng, size)

    def remaining(self, age: float, chance: float) -> float:
        """Return a life that does not depend on the age."""
        return -self.mean * math.log(chance)


@dataclass(frozen=True, slots=True)
class Weibull:
    """Given by mean and shape; below 1 infant mortality, above 1 wear-out."""

    mean: float
    shape: float

    @property
    def scale(self) -> float:
        """Characteristic life: 63.2 % of the units fail before it."""
        return self.mean / math.gamma(1 + 1 / self.shape)

    def sample(self, rng: np.random.Generator, size: int) -> Floats:
        """Return *size* independent draws."""
        return self.scale * rng.weibull(self.shape, size)

    def residual(self, rng: np.random.Generator, size: int) -> Floats:
        """Return length-biased draws (a gamma variable to the power 1/shape), each cut at a uniform point."""
        biased = self.scale * rng.gamma(1 + 1 / self.shape, size=size) ** (1 / self.shape)
        return biased * rng.random(size)

    def remaining(self, age: float, chance: float) -> float:
        """Solve S(age + x) = chance x S(age) for x."""
        scale = self.scale
        hazard = (age / scale) ** self.shape - math.log(chance)
        return float(scale * hazard ** (1 / self.shape) - age)


@dataclass(frozen=True, slots=True)
class LogNormal:
    """Given by mean and sigma, the standard deviation of the logarithm."""

    mean: float
    sigma: float

    @classmethod
    def from_median(cls, median: float, sigma: float) -> LogNormal:
        """Return the law of which half the draws exceed *median* seconds."""
        return cls(median * math.exp(sigma**2 / 2), sigma)

    @property
    def mu(self) -> float:
        """Mean of the logarithm."""
        return math.log(self.mean) - self.sigma**2 / 2

    def sample(self, rng: np.random.Generator, size: int) -> Floats:
        """Return *size* independent draws."""
        return rng.lognormal(self.mu, self.sigma, size)

    def residual(self, rng: np.random.Generator, size: int) -> Floats:
        """Return length-biased draws (mu moves up by sigma squared), each cut at a uniform point."""
        return rng.lognormal(self.mu + self.sigma**2, self.sigma, size) * rng.random(size)

    def remaining(self, age: float, chance: float) -> float:
        """Solve S(age + x) = chance x S(age) for x."""
        import scipy.special  # here, since it takes a while; and not `from`, which takes longer each time

        survival = 1.0 if age <= 0 else float(scipy.special.ndtr((self.mu - math.log(age)) / self.sigma))
        return math.exp(self.mu - self.sigma * float(scipy.special.ndtri(chance * survival))) - age

    def quantiles(self, chances: Floats) -> Floats:
        """Return `remaining` at age 0 for all *chances* at once."""
        from scipy.special import ndtri

        mu = self.mu
        return np.array([math.exp(mu - self.sigma * deviate) for deviate in ndtri(chances).tolist()])


@dataclass(frozen=True, slots=True)
class Gamma:
    """Given by mean and shape."""

    mean: float
    shape: float

    def sample(self, rng: np.random.Generator, size: int) -> Floats:
        """Return *size* independent draws."""
        return rng.gamma(self.shape, self.mean / self.shape, size)

    def residual(self, rng: np.random.Generator, size: int) -> Floats:
        """Return length-biased draws (one more in the shape), each cut at a uniform point."""
        return rng.gamma(self.shape + 1, self.mean / self.shape, size) * rng.random(size)

    def remaining(self, age: float, chance: float) -> float:
        """Solve S(age + x) = chance x S(age) for x."""
        import scipy.special

        scale = self.mean / self.shape
        survival = float(scipy.special.gammaincc(self.shape, age / scale))
        return scale * float(scipy.special.gammainccinv(self.shape, chance * survival)) - age

    def quantiles(self, chances: Floats) -> Floats:
        """Return `remaining` at age 0 for all *chances* at once."""
        from scipy.special import gammainccinv

        return np.asarray(self.mean / self.shape * gammainccinv(self.shape, chances))


@dataclass(frozen=True, slots=True)
class Empirical:
    """One of the listed times, each equally likely."""

    values: tuple[float, ...]

    @property
    def mean(self) -> float:
        """Arithmetic mean of the list."""
        return math.fsum(self.values) / len(self.values)

    def sample(self, rng: np.random.Generator, size: int) -> Floats:
        """Return *size* draws with replacement."""
        return np.asarray(self.values)[rng.integers(len(self.values), size=size)]

    def residual(self, rng: np.random.Generator, size: int) -> Floats:
        """Return draws chosen in proportion to their length, each cut at a uniform point."""
        values = np.asarray(self.values)
        bounds = np.cumsum(values)
        chosen = np.searchsorted(bounds, bounds[-1] * rng.random(size))
        return np.asarray(values[chosen] * rng.random(size))

    def remaining(self, age: float, chance: float) -> float:
        """Return the life left at *age* among the listed lives that exceed it (0 beyond the longest)."""
        longer = sorted(value for value in self.values if value > age)
        if not longer:
            return 0.0
        return longer[min(int((1 - chance) * len(longer)), len(longer) - 1)] - age


@dataclass(frozen=True, slots=True)
class Truncated:
    """*inner* on condition that it does not exceed *at_most* seconds: larger draws are drawn again."""

    inner: Distribution
    at_most: float

    @property
    def mean(self) -> float:
        """Conditional mean."""
        return _mean_below(self.inner, self.at_most)

    def sample(self, rng: np.random.Generator, size: int) -> Floats:
        """Return *size* independent draws, none above the bound."""
        return self._redrawn(self.inner.sample, rng, size)

    def residual(self, rng: np.random.Generator, size: int) -> Floats:
        """Return *size* residual lives of the bounded law, length-biased by rejection."""
        return self._redrawn(self._length_biased, rng, size) * rng.random(size)

    def remaining(self, age: float, chance: float) -> float:
        """Solve S(x) = chance for x, with S that of the bounded law; for *age* 0 only."""
        if age:
            raise NotImplementedError("a bounded lifetime has no minimal repair")
        return self.inner.remaining(0.0, 1 - self._share_below() * (1 - chance))

    def _redrawn(self, draw: Callable[..., Floats], rng: np.random.Generator, size: int) -> Floats:
        values = draw(rng, size)
        while (over := np.flatnonzero(values > self.at_most)).size:
            values[over] = draw(rng, over.size)
        return values

    def _length_biased(self, rng: np.random.Generator, size: int) -> Floats:
        values = self.inner.sample(rng, size)
        values[rng.random(size) * self.at_most > values] = math.inf
        return values

    def _share_below(self) -> float:
        return _share_below(self.inner, self.at_most)


@cache
def _share_below(law: Distribution, limit: float) -> float:
    """Return the probability that a draw of *law* does not exceed *limit*, by bisection."""
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        below = law.remaining(0.0, max(1 - middle, SMALLEST_CHANCE)) <= limit
        low, high = (middle, high) if below else (low, middle)
    return low


@cache
def _mean_below(law: Distribution, limit: float) -> float:
    """Return the mean of *law* below *limit*: the mean of the quantiles of 20,000 equal chances."""
    points = (np.arange(20_000) + 0.5) / 20_000
    return math.fsum(_new_lives(law, 1 - _share_below(law, limit) * points).tolist()) / len(points)


def _new_lives(law: Distribution, chances: Floats) -> Floats:
    """Return what `remaining` says of new units for each of *chances*, to the last bit."""
    if isinstance(law, LogNormal | Gamma):  # scipy takes as long for one number as for a hundred
        return law.quantiles(chances)
    return np.array([law.remaining(0.0, chance) for chance in chances.tolist()])


STEPS = 100
"""Quantiles of the body of a law, and again of its tail, that stand for it in a mean up to a bound."""
TAIL, REST = 0.05, 1e-9
_CHANCES = np.concatenate((np.linspace(1.0, TAIL, STEPS + 1), np.geomspace(TAIL, REST, STEPS + 1)[1:]))
_MIDDLES, _WEIGHTS = (_CHANCES[1:] + _CHANCES[:-1]) / 2, -np.diff(_CHANCES)


def mean_within(law: Distribution, limit: float) -> float:
    """Return the mean of a time of which no more than *limit* (s) counts: E[min(X, limit)].

    It is the integral of the quantiles, which lie closer together in the tail; within 1 % or so.
    """
    if isinstance(law, Constant):
        return min(law.mean, limit)
    return dot(_WEIGHTS, np.minimum(_quantiles(law), limit))


def shortened(law: Distribution, rate: float) -> float:
    """Return the constant time that passes undisturbed as often as one of *law*: -log E[exp(-r X)] / r.

    What disturbs comes *rate* times a second, without memory.  The mean where the rate is 0.
    """
    if isinstance(law, Constant):
        return law.mean
    values = _quantiles(law)
    if not rate:
        return dot(_WEIGHTS, values)
    return -math.log1p(dot(_WEIGHTS, np.expm1(-rate * values))) / rate


def variation(law: Distribution) -> float:
    """Return the squared coefficient of variation, about; the far tail of a heavy one is left out."""
    if isinstance(law, Constant):
        return 0.0
    mean = dot(_WEIGHTS, _quantiles(law))
    return dot(_WEIGHTS, np.square(_quantiles(law) / mean - 1))


@cache
def _quantiles(law: Distribution) -> Floats:
    return _new_lives(law, _MIDDLES)
