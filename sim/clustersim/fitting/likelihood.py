"""How probable a log is under a model of its failures, and the model under which it is most probable.

A node of which nothing else is known fails by the hazard of its lifetime law in its own time, the time that
it served.  Own time passes `early` times as fast before an instant of the window (burn-in), and `factor`
times as fast for a `share` of the nodes (lemons).  After a repair a relapse competes with that: with a
`probability`, evenly spread over some time `within`.  That is what the engine simulates, so that each number
found here is a key of a scenario.

A spell of length x that ends with a failure contributes log(h(x) + r(u)) - H(x) - R(u), with the hazard h of
the lifetime and its integral H, and r and R of the relapse at the time u since the return; one that does not
contributes -H(x) - R(u).  A first spell began at an age that nobody knows: it is a residual life of a
renewal process that has run for ever, of density S(x) / mean (Cox, Renewal Theory, 1962, section 5.3), or its
node was new.  A spell that began with the node's late entry needs no more than that: it counts from its
entry.  Of one exponential unit with 3 failures in 300 days the most probable mean is 100 d.

Intervals are those of the profile likelihood: all values that twice the logarithm of the likelihood ratio
tells from the best one by no more than 3.84, the 95 % point of chi squared.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple, Protocol

import numpy as np
from scipy.optimize import minimize
from scipy.special import gammaincc, log_ndtr

from clustersim.arrays import Floats, dot
from clustersim.estimate import ConfidenceInterval
from clustersim.fitting.spells import Spells

HALF = 1.9207
"""Half the 95 % point of chi squared with one degree of freedom."""
AT_BOUND = 0.01
"""So near the end of a `Range`, of what is searched for (a hundredth of a scale), a value is the end."""
STEPS, CLOSE = 12, 0.01
"""How often an end of an interval is tried at most, and how close the root of the fall has to come."""
TINY = 1e-300
SHORTEST = 1.0
"""Seconds: a shorter spell counts as one of this length, as the hazard of an age of 0 may be infinite."""
EXPONENTIAL = "exponential"
NOTHING: Mapping[str, float] = {}


class Curves(NamedTuple):
    """Of a law at given ages: log of its hazard, and log of survival."""

    log_hazard: Floats
    log_survival: Floats


def _exponential(x: Floats, mean: float, shape: float) -> Curves:
    return Curves(np.full(len(x), -math.log(mean)), -x / mean)


def _weibull(x: Floats, mean: float, shape: float) -> Curves:
    log_scale = math.log(mean) - math.lgamma(1 + 1 / shape)
    log_age = np.log(x) - log_scale
    hazard = math.log(shape) - log_scale + (shape - 1) * log_age
    return Curves(hazard, -np.exp(np.minimum(shape * log_age, 500.0)))


def _gamma(x: Floats, mean: float, shape: float) -> Curves:
    age = x * shape / mean
    survival = np.log(np.maximum(gammaincc(shape, age), TINY))
    log_density = (shape - 1) * np.log(age) - age - math.lgamma(shape) + math.log(shape / mean)
    return Curves(log_density - survival, survival)


def _lognormal(x: Floats, mean: float, sigma: float) -> Curves:
    z = (np.log(x) - math.log(mean) + sigma**2 / 2) / sigma
    survival = log_ndtr(-z)
    log_density = -0.5 * z**2 - np.log(x * sigma) - 0.5 * math.log(2 * math.pi)
    return Curves(log_density - survival, survival)


def _weibull_left(x: Floats, mean: float, shape: float) -> Floats:
    scale = mean / math.gamma(1 + 1 / shape)
    return np.asarray(gammaincc(1 / shape, np.exp(np.minimum(shape * np.log(x / scale), 500.0))))


def _gamma_left(x: Floats, mean: float, shape: float) -> Floats:
    age = x * shape / mean
    return np.asarray(gammaincc(shape + 1, age) - x / mean * gammaincc(shape, age))


def _lognormal_left(x: Floats, mean: float, sigma: float) -> Floats:
    z = (np.log(x) - math.log(mean) + sigma**2 / 2) / sigma
    return np.asarray(np.exp(log_ndtr(sigma - z)) - x / mean * np.exp(log_ndtr(-z)))


LAWS: Mapping[str, Callable[[Floats, float, float], Curves]] = {
    EXPONENTIAL: _exponential,
    "weibull": _weibull,
    "gamma": _gamma,
    "lognormal": _lognormal,
}
LEFT: Mapping[str, Callable[[Floats, float, float], Floats]] = {
    "weibull": _weibull_left,
    "gamma": _gamma_left,
    "lognormal": _lognormal_left,
}
"""The integral of survival beyond an age over the mean: the chance that a residual life is longer."""
SPREADS: Mapping[str, Callable[[float], float]] = {
    "weibull": lambda shape: math.sqrt(
        math.exp(math.lgamma(1 + 2 / shape) - 2 * math.lgamma(1 + 1 / shape)) - 1
    ),
    "gamma": lambda shape: 1 / math.sqrt(shape),
    "lognormal": lambda sigma: math.sqrt(math.expm1(sigma**2)),
}
"""The standard deviation of lifetimes over their mean."""
SHAPES = {"weibull": "shape", "gamma": "shape", "lognormal": "sigma"}
"""What the parameter of each law beside its mean is called."""


@dataclass(frozen=True)
class Model:
    """What a model of one cause has: a lifetime law, of nodes that were `new` or not when first seen.

    `lemons`: nodes differ.  `within` (s): repairs relapse within that time.  `until` (s): own time passes at
    another pace before that instant.
    """

    law: str = EXPONENTIAL
    new: bool = False
    lemons: bool = False
    within: float | None = None
    until: float | None = None

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names of its numbers, in the order of a vector of them."""
        wanted = {
            "mtbf_s": True,
            "shape": self.law != EXPONENTIAL,
            "share": self.lemons,
            "factor": self.lemons,
            "probability": self.within is not None,
            "early": self.until is not None,
        }
        return tuple(name for name, there in wanted.items() if there)


class Range(NamedTuple):
    """Where a parameter may lie; a share is searched for by its logit, anything else by its logarithm."""

    low: float
    high: float
    share: bool = False

    def inner(self, value: float) -> float:
        """Return what is searched for."""
        return math.log(value / (1 - value)) if self.share else math.log(value)

    def outer(self, value: float) -> float:
        """Return the parameter."""
        return 1 / (1 + math.exp(-value)) if self.share else math.exp(value)

    def known(self, estimate: ConfidenceInterval) -> ConfidenceInterval:
        """Return an *estimate* without what lies where the range ends: there the search ended, not the log.

        Of 0.01 (0.01 to 0.081) in a range that begins at 0.01 only the upper end is known.
        """
        low = self.outer(self.inner(self.low) + AT_BOUND)
        high = self.outer(self.inner(self.high) - AT_BOUND)
        inside = (each if each is not None and low < each < high else None for each in estimate)
        return ConfidenceInterval(*inside)


RANGES: Mapping[str, Range] = {
    "mtbf_s": Range(1e-3, 1e15),
    "shape": Range(0.1, 50.0),
    "share": Range(0.001, 0.5, share=True),
    "factor": Range(1.01, 1000.0),
    "probability": Range(1e-4, 0.999, share=True),
    "early": Range(0.01, 100.0),
    "median_s": Range(1e-3, 1e12),
    "sigma": Range(0.01, 6.0),
}
STARTS: Mapping[str, tuple[float, ...]] = {
    "shape": (1.0,),
    "share": (0.05, 0.25),
    "factor": (6.0, 3.0),
    "probability": (0.1,),
    "early": (1.5,),
}
"""Where the search for a parameter begins: of lemons twice, as few very bad nodes may be many worse ones."""


class Likelihood:
    """The logarithm of the likelihood of the *spells* of one cause under a model."""

    def __init__(self, spells: Spells, model: Model) -> None:
        self.spells, self.model = spells, model
        self.names = model.parameters
        self._failed = spells.failed
        nodes, self._node = np.unique(spells.node, return_inverse=True)
        self._weight = np.zeros(len(nodes))
        np.maximum.at(self._weight, self._node, spells.weight)
        steady = model.law != EXPONENTIAL and not model.new
        self._unknown = np.flatnonzero(spells.first & steady)
        until = model.until
        early = spells.served_until(until) if until is not None else np.zeros(len(spells.served))
        self._early, self._late = early, np.maximum(spells.served, SHORTEST) - early
        self._early_end = spells.end < (-math.inf if until is None else until)
        since = spells.end - spells.start
        self._since = np.where(spells.repaired, since, math.inf)

    def __repr__(self) -> str:
        return f"Likelihood({self.model})"

    def __call__(self, values: Mapping[str, float]) -> float:
        """Return it for the parameters with these *values*."""
        if not self.model.lemons:
            return dot(self._of_spells(values, 1.0), self.spells.weight)
        share = values["share"]
        good, bad = (
            np.bincount(self._node, self._of_spells(values, pace)) for pace in (1.0, values["factor"])
        )
        mixed = np.logaddexp(math.log1p(-share) + good, math.log(share) + bad)
        return dot(mixed, self._weight)

    def _of_spells(self, values: Mapping[str, float], pace: float) -> Floats:
        """Return it spell by spell, of nodes whose own time passes at that *pace*."""
        early = values.get("early", 1.0)
        own = pace * (early * self._early + self._late)
        shape = values["mtbf_s"], values.get("shape", 1.0)
        law = LAWS[self.model.law](own, *shape)
        hazard, survival = law.log_hazard, law.log_survival
        if self._unknown.size:
            hazard, survival = hazard.copy(), survival.copy()
            left = np.log(np.maximum(LEFT[self.model.law](own[self._unknown], *shape), TINY))
            hazard[self._unknown] = survival[self._unknown] - math.log(values["mtbf_s"]) - left
            survival[self._unknown] = left
        if self.spells.since:
            known = LAWS[self.model.law](np.array([pace * self.spells.since]), *shape).log_survival
            survival = np.where(self.spells.first, survival, survival - known)
        hazard = hazard + math.log(pace) + np.where(self._early_end, math.log(early), 0.0)
        if self.model.within is not None:
            hazard, survival = self._relapsing(hazard, survival, values["probability"], self.model.within)
        return np.asarray(np.where(self._failed, hazard, 0.0) + survival)

    def _relapsing(
        self, hazard: Floats, survival: Floats, probability: float, within: float
    ) -> tuple[Floats, Floats]:
        """Return log of hazard and survival with relapses beside the lifetimes."""
        due = probability * np.minimum(self._since, within) / within
        still = np.where(np.isfinite(self._since), np.log1p(-due), 0.0)
        relapse = np.where(self._since <= within, math.log(probability / within) - still, -math.inf)
        return np.logaddexp(hazard, relapse), survival + still


class Objective(Protocol):
    """The logarithm of a likelihood, as a function of parameters by `names` that are among `RANGES`."""

    names: tuple[str, ...]

    def __call__(self, values: Mapping[str, float]) -> float:
        """Return it for the parameters with these *values*."""


@dataclass(frozen=True)
class Maximum:
    """The most probable parameters: their `values`, and the logarithm of the `likelihood` there, `top`.

    `model` is what they are parameters of, where they are those of failures.
    """

    likelihood: Objective
    values: Mapping[str, float]
    top: float
    model: Model = Model()

    @property
    def aic(self) -> float:
        """Akaike's criterion, of which less is better: 2 k - 2 log L."""
        return 2 * len(self.values) - 2 * self.top

    def interval(self, name: str, *known: str) -> ConfidenceInterval:
        """Return a parameter with the ends of its 95 % interval, by the profile of the likelihood.

        An end that lies beyond what is possible is where that ends.  Parameters that are *known* stay as
        they are.
        """
        fixed = {each: self.values[each] for each in known if each in self.values}
        return ConfidenceInterval(self.values[name], *(_end(self, name, sign, fixed) for sign in (-1, 1)))


def maximise(spells: Spells, model: Model, near: Mapping[str, float]) -> Maximum:
    """Return the most probable parameters of a *model*, sought *near* those of a model that is part of it."""
    likelihood = Likelihood(spells, model)
    best: Maximum | None = None
    new = [name for name in model.parameters if name not in near]
    for attempt in range(max((len(STARTS[name]) for name in new), default=1)):
        start = {
            name: near[name] if name in near else STARTS[name][min(attempt, len(STARTS[name]) - 1)]
            for name in model.parameters
        }
        if "factor" in new:
            start["mtbf_s"] *= 1 + start["share"] * (start["factor"] - 1)
        found = searched(likelihood, start)
        best = found if best is None or found.top > best.top else best
    assert best is not None
    return replace(best, model=model)


def searched(
    likelihood: Objective, start: Mapping[str, float], fixed: Mapping[str, float] = NOTHING
) -> Maximum:
    """Return the maximum over all parameters that are not *fixed*, from *start*."""
    free = [name for name in likelihood.names if name not in fixed]
    ranges = [RANGES[name] for name in free]

    def outer(vector: Floats) -> dict[str, float]:
        return dict(fixed) | {
            name: bounds.outer(value)
            for name, bounds, value in zip(free, ranges, vector.tolist(), strict=True)
        }

    def loss(vector: Floats) -> float:
        value = likelihood(outer(vector))
        return -value if math.isfinite(value) else 1e12

    if not free:
        return Maximum(likelihood, dict(fixed), likelihood(fixed))
    limits = [(bounds.inner(bounds.low), bounds.inner(bounds.high)) for bounds in ranges]
    first = [
        min(max(bounds.inner(start[name]), low + 1e-6), high - 1e-6)
        for name, bounds, (low, high) in zip(free, ranges, limits, strict=True)
    ]
    found = minimize(loss, np.array(first), method="L-BFGS-B", bounds=limits, options={"ftol": 1e-10})
    return Maximum(likelihood, outer(found.x), -float(found.fun))


def _end(best: Maximum, name: str, sign: int, fixed: Mapping[str, float]) -> float:
    """Return where the profile of the likelihood ends the interval, on the side of that *sign*.

    The root of twice the fall is nearly linear in the parameter, so that a few steps of the secant find it.
    """
    bounds, others = RANGES[name], dict(best.values)
    at = bounds.inner(best.values[name])
    limit = bounds.inner(bounds.high if sign > 0 else bounds.low)

    def fall(step: float) -> float:
        nonlocal others
        found = searched(best.likelihood, others, {**fixed, name: bounds.outer(at + sign * step)})
        others = dict(found.values)
        return math.sqrt(max(2 * (best.top - found.top), 0.0))

    target, most = math.sqrt(2 * HALF), abs(limit - at)
    step, low, high = min(_first_step(best, name, sign), most), (0.0, 0.0), (math.inf, math.inf)
    for _ in range(STEPS):
        reached = fall(step)
        if abs(reached - target) < CLOSE:
            break
        if reached > target:
            high = step, reached
        elif step >= most:
            return bounds.high if sign > 0 else bounds.low
        else:
            low = step, reached
        if math.isinf(high[0]):
            step = min(max(step * target / max(reached, 0.05), 1.2 * step), 4 * step, most)
        else:
            part = (target - low[1]) / (high[1] - low[1])
            step = low[0] + (high[0] - low[0]) * min(max(part, 0.1), 0.9)
    return bounds.outer(at + sign * step)


def _first_step(best: Maximum, name: str, sign: int) -> float:
    """Return about how far the end of an interval is: from the fall at a small step with all others fixed."""
    bounds, step = RANGES[name], 0.05
    moved = dict(best.values) | {name: bounds.outer(bounds.inner(best.values[name]) + sign * step)}
    fall = max(best.top - best.likelihood(moved), 1e-4)
    return float(np.clip(1.2 * step * math.sqrt(HALF / fall), 0.01, 5.0))
