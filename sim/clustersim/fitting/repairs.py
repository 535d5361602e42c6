"""How long nodes are away: the law of the repair times of one cause, with those that are not over yet.

Of 20 repairs 18 took 5 h to 300 h, and 2 nodes have been away for 40 h and 90 h when the log ends: these say
that their repairs take longer, no more (right censoring).  Median and mean of what was seen are those of the
Kaplan-Meier curve.  The law is the exponential or the lognormal, whichever Akaike's criterion prefers; the
lognormal ends at the longest repair where it would hardly be so short without a bound: the chance that all n
draws of a law lie below b is F(b)^n.  It ends there too where its mean would be more than twice the one seen,
owed to repairs that are longer than any of the log.  Where neither fits 30 or more, the repairs
themselves are the law, if all are over.  They are it too where the lognormal would have its median beyond its
end; if some are not over, it is the exponential then.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from scipy.optimize import brentq
from scipy.special import log_ndtr, ndtr

from clustersim.arrays import Array, Floats, dot
from clustersim.estimate import ConfidenceInterval
from clustersim.fitting.likelihood import searched
from clustersim.fitting.rates import LEVEL, exact_mean

FEWEST = 8
"""Finished repairs below which only their mean is estimated."""
FEWEST_LISTED, MOST_LISTED = 30, 200
MISFIT = 0.15
"""Largest distance between a law and what was seen, of shares of the repairs, beyond which it is no law."""
FAR = 2.0
"""Times the mean that was seen: a mean beyond that is owed to repairs longer than any in the log."""
SHORTEST = 1.0
SIGMAS = 0.05, 5.0
RESAMPLES = 200


class RepairsSeen(NamedTuple):
    """Median and mean of the repairs seen (s), so many of them `done` and others not over (`censored`)."""

    median_s: float
    mean_s: float
    done: int
    censored: int


@dataclass(frozen=True)
class RepairLaw:
    """The law of the repair times of one cause, in seconds.

    `law` is `exponential`, `lognormal`, `constant` or `empirical`, `parameters` are estimates by name (a
    mean; a median and a sigma), `at_most` is the bound of a lognormal.  `seen` is what the law is of,
    `listed` are the times of an empirical one.
    """

    law: str
    seen: RepairsSeen
    parameters: Mapping[str, ConfidenceInterval] = field(default_factory=dict)
    at_most: float | None = None
    listed: tuple[float, ...] = ()

    def longer(self, times: Floats) -> Floats:
        """Return the share of repairs that take longer than each of *times* (s)."""
        if self.law == "empirical":
            return np.asarray(1 - np.searchsorted(self.listed, times, side="right") / len(self.listed))
        if self.law == "constant":
            return np.asarray(times < self.seen.median_s, dtype=np.float64)
        if self.law == "exponential":
            return np.asarray(np.exp(-times / _value(self.parameters["mean_s"])))
        median, sigma = (_value(self.parameters[name]) for name in ("median_s", "sigma"))
        return _longer(np.maximum(times, SHORTEST), median, sigma, self.at_most)


def _value(estimate: ConfidenceInterval) -> float:
    assert estimate.mean is not None
    return estimate.mean


class _LogNormal:
    """The logarithm of the likelihood of repair times under a lognormal that ends *at_most*, or nowhere."""

    names: tuple[str, ...] = ("median_s", "sigma")

    def __init__(self, times: Floats, done: Array, at_most: float | None) -> None:
        self._log, self._done, self._at_most = np.log(np.maximum(times, SHORTEST)), done, at_most

    def __call__(self, values: Mapping[str, float]) -> float:
        """Return it for a median (s) and a sigma."""
        median, sigma = values["median_s"], values["sigma"]
        z = (self._log - math.log(median)) / sigma
        density = -0.5 * z**2 - self._log - math.log(sigma) - 0.5 * math.log(2 * math.pi)
        if self._at_most is None:
            return float(np.where(self._done, density, log_ndtr(-z)).sum())
        bound = (math.log(self._at_most) - math.log(median)) / sigma
        below = max(float(ndtr(bound)), 1e-300)
        longer = np.log(np.maximum(below - ndtr(z), 1e-300))
        return float(np.where(self._done, density, longer).sum()) - len(z) * math.log(below)


def repair_law(away_s: Floats, done: Array) -> RepairLaw | None:
    """Return the law of nodes that were away for *away_s*, until they were back where it is *done*.

    None where nobody was back.
    """
    count = int(done.sum())
    if not count:
        return None
    levels, shares = still_away(away_s, done)
    mean = _mean(levels, shares, float(away_s.max()))
    seen = RepairsSeen(_median(levels, shares), mean, count, len(away_s) - count)
    if count > 1 and np.ptp(away_s[done]) <= 1e-6 * away_s[done].max() and away_s.max() <= away_s[done].max():
        return RepairLaw("constant", seen)
    memoryless = RepairLaw("exponential", seen, {"mean_s": exact_mean(count, float(away_s.sum()))})
    if count < FEWEST:
        return memoryless
    normal, gain = _lognormal(away_s, done, seen)
    law = normal if gain > 1 else memoryless
    # Repairs of two lengths and none between pull the median beyond all that was seen: no law to be read.
    is_absurd = law.at_most is not None and _value(law.parameters["median_s"]) > law.at_most
    if is_absurd:
        law = memoryless
    is_misfit = count >= FEWEST_LISTED and _distance(law, levels, shares) > MISFIT
    if seen.censored == 0 and (is_absurd or is_misfit):
        points = (np.arange(min(count, MOST_LISTED)) + 0.5) / min(count, MOST_LISTED)
        listed = tuple(np.quantile(away_s, points, method="inverted_cdf").tolist())
        return RepairLaw("empirical", seen, listed=listed)
    return law


def _lognormal(away_s: Floats, done: Array, seen: RepairsSeen) -> tuple[RepairLaw, float]:
    """Return the lognormal law, and by how much its log-likelihood is above that of the exponential."""
    logs, total = np.log(np.maximum(away_s[done], SHORTEST)), float(away_s.sum())
    near = {"median_s": math.exp(float(logs.mean())), "sigma": max(float(logs.std()), 0.05)}
    best, bound = searched(_LogNormal(away_s, done, None), near), None
    longest = float(away_s[done].max())
    median, sigma = best.values["median_s"], best.values["sigma"]
    below = float(ndtr(math.log(longest / median) / sigma))
    hardly = len(logs) * math.log(max(below, 1e-300)) < math.log(LEVEL)
    memoryless = len(logs) * math.log(len(logs) / total) - len(logs)
    is_better = best.top - memoryless > 1
    is_far = is_better and math.log(median) + sigma**2 / 2 > math.log(FAR * seen.mean_s)
    if away_s.max() <= longest and (hardly or is_far):
        bound = longest
        best = searched(_LogNormal(away_s, done, bound), best.values)
    parameters: Mapping[str, ConfidenceInterval] = {name: best.interval(name) for name in best.values}
    if bound is not None and (matched := _matched(best.values, bound, away_s[done], seen)):
        parameters = matched
    law = RepairLaw("lognormal", seen, parameters, bound)
    return law, best.top - memoryless


def _matched(
    values: Mapping[str, float], bound: float, times: Floats, seen: RepairsSeen
) -> Mapping[str, ConfidenceInterval] | None:
    """Return the parameters with the median and the mean of the repairs; None where those at hand have them.

    Their intervals are those of repairs drawn again (bootstrap).  None too where no law has them, or those
    of any draw: half the repairs are short, half are long, and a draw's median is hardly ever between them.
    """
    error = float(times.std()) / math.sqrt(len(times))
    if abs(_bounded_mean(values["median_s"], values["sigma"], bound) - seen.mean_s) <= 2 * error:
        return None
    best = _with_moments(seen.median_s, seen.mean_s, bound)
    if best is None:
        return None
    rng = np.random.default_rng(0)
    drawn = (rng.choice(times, len(times)) for _ in range(RESAMPLES))
    tried = (_with_moments(float(np.median(each)), float(each.mean()), bound) for each in drawn)
    found = [each for each in tried if each]
    if not found:
        return None
    ends = np.percentile(found, (2.5, 97.5), axis=0)
    return {
        name: ConfidenceInterval(best[at], float(ends[0, at]), float(ends[1, at]))
        for at, name in enumerate(("median_s", "sigma"))
    }


def _bounded_mean(median: float, sigma: float, bound: float) -> float:
    """Return the mean of a lognormal of which draws above *bound* are drawn again."""
    end = math.log(bound / median) / sigma
    return math.exp(math.log(median) + sigma**2 / 2 + float(log_ndtr(end - sigma)) - float(log_ndtr(end)))


def _with_moments(median: float, mean: float, bound: float) -> tuple[float, float] | None:
    """Return median and sigma of the lognormal that has this median and mean with its *bound*.

    None where there is none, as of a median that is hardly below the bound.
    """

    def unbounded(sigma: float) -> float:
        """Return the median that the law has without the bound, NaN for none."""

        def excess(log_median: float) -> float:
            below, end = ((math.log(each) - log_median) / sigma for each in (median, bound))
            return float(log_ndtr(below)) - float(log_ndtr(end)) + math.log(2)

        middle = math.log(median)
        farthest = middle + 40 * sigma
        if excess(middle) <= 0:
            return median
        return math.exp(brentq(excess, middle, farthest)) if excess(farthest) < 0 else math.nan

    def gap(sigma: float) -> float:
        return _bounded_mean(unbounded(sigma), sigma, bound) - mean

    if not gap(SIGMAS[0]) < 0 < gap(SIGMAS[1]):
        return None
    sigma = float(brentq(gap, *SIGMAS))
    return unbounded(sigma), sigma


def still_away(away_s: Floats, done: Array) -> tuple[Floats, Floats]:
    """Return times (s) and the share of nodes still away after each (Kaplan and Meier, JASA 53, 1958)."""
    order = np.lexsort((~done, away_s))
    times: Floats = away_s[order]
    over = done[order]
    at_risk = len(times) - np.arange(len(times))
    shares: Array = np.cumprod(np.where(over, 1 - 1 / at_risk, 1.0))
    return np.asarray(times[over]), shares[over]


def _median(times: Floats, shares: Floats) -> float:
    below = np.flatnonzero(shares <= 0.5 + 1e-12)
    if not below.size:
        return float(times[-1])
    first = int(below[0])
    even = abs(shares[first] - 0.5) < 1e-9 and first + 1 < len(times)
    return float((times[first] + times[first + 1]) / 2 if even else times[first])


def _mean(times: Floats, shares: Floats, longest: float) -> float:
    """Return the mean up to the *longest* absence (s): too short a mean where that is not over."""
    return dot(np.diff(times, prepend=0.0, append=longest), np.concatenate(([1.0], shares)))


def _distance(law: RepairLaw, times: Floats, shares: Floats) -> float:
    return float(np.abs(law.longer(times) - shares).max())


def _longer(times: Floats, median: float, sigma: float, at_most: float | None) -> Floats:
    longer = ndtr(-np.log(times / median) / sigma)
    if at_most is None:
        return np.asarray(longer)
    beyond = float(ndtr(-math.log(at_most / median) / sigma))
    return np.asarray(np.maximum((longer - beyond) / (1 - beyond), 0.0))
