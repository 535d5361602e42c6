"""How sure a number is: intervals from independent replications, and when there are enough of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from clustersim.arrays import Floats
from clustersim.formatting import NOTHING, plus_minus

CONFIDENCE = 0.95
FIRST_LOOK = 32
"""With fewer the half-width itself is off by more than a quarter, and runs would often stop too early."""
LOOK_GROWTH = 2
"""Few looks cost little coverage; twice as many replications at most are simulated in vain."""
MOST_REPLICATIONS = 10_000
"""A precision that takes more has most likely been chosen too fine by mistake."""
COCHRAN = 25
"""Times the squared skewness: so many values Student's interval needs to miss the truth in at most 6 %
(Cochran, Sampling Techniques, 3rd edition, 1977, section 2.15)."""
RULE_OF_THREE = 3
SAME = 1e-12
"""Values whose spread is below this share of their size differ by rounding alone."""


class ConfidenceInterval(NamedTuple):
    """A figure with both ends of its 95 % interval; None is what cannot be known."""

    mean: float | None = None
    low: float | None = None
    high: float | None = None

    @property
    def half_width(self) -> float | None:
        """Half of the interval's width."""
        return None if self.low is None or self.high is None else (self.high - self.low) / 2

    def within(self, lowest: float, highest: float) -> ConfidenceInterval:
        """Return the interval with its ends held between *lowest* and *highest*: what the figure can be."""
        if self.low is None or self.high is None:
            return self
        return self._replace(low=max(self.low, lowest), high=min(self.high, highest))


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean and the half-width of its 95 % interval; `None` where one replication cannot tell."""

    mean: float
    half_width: float | None
    count: int

    @property
    def low(self) -> float | None:
        """Lower end of the interval."""
        return None if self.half_width is None else self.mean - self.half_width

    @property
    def high(self) -> float | None:
        """Upper end of the interval."""
        return None if self.half_width is None else self.mean + self.half_width

    @property
    def distinguishable(self) -> bool:
        """Whether the interval leaves 0 out: only then is a difference one."""
        return self.half_width is not None and abs(self.mean) > self.half_width

    @property
    def interval(self) -> ConfidenceInterval:
        """The mean with both ends; nothing is known of a mean that is not finite."""
        known = math.isfinite(self.mean)
        return ConfidenceInterval(self.mean, self.low, self.high) if known else ConfidenceInterval()

    @property
    def share(self) -> ConfidenceInterval:
        """The same for a share: its ends are held between 0 and 1."""
        return self.interval.within(0.0, 1.0)

    def scaled(self, factor: float) -> Estimate:
        """Return the estimate of *factor* times the quantity."""
        width = None if self.half_width is None else abs(factor) * self.half_width
        return Estimate(factor * self.mean, width, self.count)


def in_words(estimate: Estimate | None, show: Callable[[float, float | None], str] = plus_minus) -> str:
    """Return an estimate as text, with the digits that its interval supports; a dash where there is none."""
    return NOTHING if estimate is None else show(estimate.mean, estimate.half_width)


def student(freedom: int, confidence: float = CONFIDENCE) -> float:
    """Return the two-sided quantile of Student's t with *freedom* degrees of freedom."""
    from scipy.special import stdtrit

    return float(stdtrit(freedom, (1 + confidence) / 2))


def mean_of(values: Sequence[float] | Floats) -> Estimate:
    """Return the mean of independent *values* with Student's interval."""
    data = np.asarray(values, dtype=np.float64)
    mean = float(data.mean())
    if data.size < 2:
        return Estimate(mean, None, data.size)
    error = float(data.std(ddof=1)) / math.sqrt(data.size)
    return Estimate(mean, student(data.size - 1) * error, data.size)


def grouped(values: Sequence[float] | Floats, size: int) -> Floats:
    """Return the means of *size* values each, one after another: what is left over does not count.

    Rows of numbers become rows of means.
    """
    table = np.asarray(values, dtype=np.float64)
    whole = len(table) // size * size
    means: Floats = table[:whole].reshape(-1, size, *table.shape[1:]).mean(axis=1)
    return means


def within_draws(values: Sequence[float] | Floats, per_draw: int) -> Estimate:
    """Return the mean of *values*, so many of each draw of the inputs, with the interval of chance alone.

    Values of one draw differ by chance only; their pooled variance is what the half-width is made of.
    Unknown where there is one of each.
    """
    table = np.asarray(values, dtype=np.float64).reshape(-1, per_draw)
    mean, freedom = float(table.mean()), table.shape[0] * (per_draw - 1)
    if not freedom:
        return Estimate(mean, None, table.size)
    error = math.sqrt(float(table.var(axis=1, ddof=1).mean()) / table.size)
    return Estimate(mean, student(freedom) * error, table.size)


def without_chance(table: Floats) -> Floats:
    """Return the means of the draws, a row of *table* each, drawn together as far as chance spreads them.

    The variance between draws is that of the inputs plus a share of the variance within them (analysis of
    variance): the means keep their order, and are left with the first alone.  One value of each draw says
    nothing about chance, and is left as it is.
    """
    means: Floats = table.mean(axis=1)
    count, between = table.shape[1], float(means.var(ddof=1))
    if count < 2 or between <= (SAME * float(np.abs(means).max())) ** 2:
        return means
    inputs = max(between - float(table.var(axis=1, ddof=1).mean()) / count, 0.0)
    centre = means.mean()
    return np.asarray(centre + math.sqrt(inputs / between) * (means - centre))


def inputs_alone(table: Floats) -> dict[str, float] | None:
    """Return the 5 %, 50 % and 95 % points of what uncertain inputs alone give; each draw has a row.

    None where a draw leaves it unknown.
    """
    of_draws = without_chance(table)
    if not np.isfinite(of_draws).all():
        return None
    return {f"p{percent}": percentile(of_draws, percent / 100) for percent in (5, 50, 95)}


class Apart(NamedTuple):
    """A mean over draws of uncertain inputs: the interval of chance alone, and what the inputs alone give.

    `inputs` are the 5 %, 50 % and 95 % points, as p5, p50 and p95; None where a draw leaves them unknown.
    """

    chance: Estimate
    inputs: Mapping[str, float] | None

    @classmethod
    def of(cls, values: Sequence[float] | Floats, per_draw: int) -> Apart:
        """Return both parts of *values*, so many of each draw; what is left over does not count."""
        whole = len(values) // per_draw * per_draw
        table = np.asarray(values[:whole], dtype=np.float64).reshape(-1, per_draw)
        return cls(within_draws(table.reshape(-1), per_draw), inputs_alone(table))

    def to_dict(self) -> dict[str, Any]:
        """Return it as the summary has it."""
        _, low, high = self.chance.interval
        return {"chance": {"low": low, "high": high}, "inputs": self.inputs}


def paired(values: Sequence[float] | Floats, baseline: Sequence[float] | Floats) -> Estimate:
    """Return the mean of *values* - *baseline*, pair by pair, over the replications that both have."""
    count = min(len(values), len(baseline))
    return mean_of(np.asarray(values[:count]) - np.asarray(baseline[:count]))


def beats(best: Floats, other: Floats, among: int) -> bool:
    """Return whether *best*, the best of *among* on common replications, differs from *other* at 95 %.

    Each comparison has Bonferroni's share of the error, so that all of them together hold with at least 95 %.
    """
    return bool(ahead(best, other, among))


def ahead(best: Floats, others: Floats, among: int) -> Any:
    """Return the same for many at once: the replications of each lie along the last axis of *others*."""
    mean, error, freedom = _means_and_errors(best, others)
    if not freedom:
        return np.zeros(mean.shape, np.bool_)
    return mean > error * student(freedom, 1 - (1 - CONFIDENCE) / max(among, 2))


def differ(values: Floats, others: Floats) -> Any:
    """Return whether the means of *values* and *others*, paired along the last axis, differ at 95 %."""
    mean, error, freedom = _means_and_errors(values, others)
    if not freedom:
        return np.zeros(mean.shape, np.bool_)
    return np.abs(mean) > error * student(freedom)


def _means_and_errors(values: Floats, others: Floats) -> tuple[Floats, Floats, int]:
    """Return the means of the differences, their standard errors (0 of a single one), and their freedom.

    What is infinite is unknown: NaN, which is more than nothing and differs from nothing.
    """
    with np.errstate(invalid="ignore"):
        gaps = np.asarray(values - others)
        count = gaps.shape[-1]
        error = gaps.std(axis=-1, ddof=1) / math.sqrt(count) if count > 1 else np.zeros(gaps.shape[:-1])
        return gaps.mean(axis=-1), error, count - 1


def ratio(numerators: Sequence[float] | Floats, denominators: Sequence[float] | Floats) -> Estimate | None:
    """Return sum / sum over replications with its interval, or `None` where the denominators sum to 0.

    The interval is the delta method's: Student's, for the mean of (numerator - ratio x denominator).
    """
    above, below = np.asarray(numerators, dtype=np.float64), np.asarray(denominators, dtype=np.float64)
    total = float(below.sum())
    if total == 0:
        return None
    value = float(above.sum()) / total
    residual = mean_of(above - value * below).half_width
    width = None if residual is None else residual * below.size / abs(total)
    return Estimate(value, width, below.size)


def percentile(values: Sequence[float] | Floats, share: float) -> float:
    """Return the value below which *share* of *values* lie, interpolated; infinite where that is not known.

    An infinite value stands for one that lies beyond what was observed (a target that was not reached).
    """
    ordered = np.sort(np.asarray(values, dtype=np.float64))
    place = share * (ordered.size - 1)
    below, part = int(place), place - int(place)
    if part == 0:
        return float(ordered[below])
    low, high = float(ordered[below]), float(ordered[below + 1])
    return high if math.isinf(high) else low + part * (high - low)


def looks(most: int = MOST_REPLICATIONS, first: int = FIRST_LOOK) -> Iterator[int]:
    """Yield the numbers of replications after which a run for a given precision asks whether it is met.

    They are fixed beforehand (*first*, twice as many, ... up to *most*), so that the answer never depends on
    how many workers there are.  Stopping as soon as the half-width happens to be small stops too early too
    often; the later the first look and the fewer there are, the less (Singham and Schruben, INFORMS Journal
    on Computing 24(4), 2012).  What is left of it is measured by `benchmarks/calibration.py`.
    """
    look = min(first, most)
    while look < most:
        yield look
        look = min(look * LOOK_GROWTH, most)
    yield most


def precise_enough(values: Sequence[float] | Floats, half_width: float, *, surprises: bool = True) -> bool:
    """Return whether the interval of the mean of *values*, shares, is as narrow as *half_width*, and sound.

    Skewed values have to be many.  Where *surprises* are possible, so have values that are all alike: perhaps
    nothing has struck yet, and what did not happen in n replications may still happen in about 3/n of them
    (the rule of three: Hanley and Lippman-Hand, JAMA 249(13), 1983).
    """
    reached, count = mean_of(values).half_width, len(values)
    if reached is None or reached > half_width:
        return False
    skewness = _skewness(values)
    if skewness is None:
        return not surprises or unseen(count) <= half_width
    return count >= COCHRAN * skewness**2


class Stake(NamedTuple):
    """How often a mode `strikes` in a replication on average, and the `share` of it that a strike costs."""

    strikes: float
    share: float


def awaited(stakes: Mapping[str, Stake], struck: Iterable[float], count: int, half_width: float) -> list[str]:
    """Return the modes that have *struck* in none of *count* replications, and could move the mean.

    So few strikes were due that none came by chance, and together they could cost more than *half_width*.
    """
    return [
        mode
        for (mode, stake), strikes in zip(stakes.items(), struck, strict=True)
        if not strikes and stake.strikes * count < RULE_OF_THREE and stake.strikes * stake.share > half_width
    ]


def unseen(count: int) -> float:
    """Return in what share of replications, at 95 %, may happen what happened in none of *count*.

    Where it happens in more of them, none of *count* has it with less than 5 %; about 3 / count.
    """
    return -math.expm1(math.log1p(-CONFIDENCE) / count)


def _skewness(values: Sequence[float] | Floats) -> float | None:
    """Return the skewness of *values*, `None` where all are alike."""
    data = np.asarray(values, dtype=np.float64)
    apart = data - data.mean()
    spread = float(np.sqrt((apart**2).mean()))
    if spread <= SAME * float(np.abs(data).max()):
        return None
    return float((apart**3).mean()) / spread**3
