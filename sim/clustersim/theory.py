"""Closed forms for one job that saves, fails and restarts: exponential failures, every duration in seconds.

The interval is the training between two saves, without the save itself.  `mtbf` is the mean time between the
failures that stop training, `blocks` the time for which a save stops it, `restart` the time from a failure to
training again.  Failures strike during saves and restarts too; `calendar` is the share of them that do, where
the others strike only while the job trains or saves.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np

from clustersim.arrays import Array, Floats

BRANCH = 1e-14
"""So near its branch point -1/e Lambert's function is lost in rounding, or no number at all."""


def young(mtbf: float, blocks: float) -> float:
    """Return Young's interval sqrt(2 d M) (CACM 17(9), 1974): first order, for d much smaller than M."""
    return math.sqrt(2 * blocks * mtbf)


def daly(mtbf: float, blocks: float) -> float:
    """Return Daly's higher-order interval (FGCS 22(3), 2006, equation 37); M where d >= 2 M."""
    if blocks >= 2 * mtbf:
        return mtbf
    ratio = blocks / (2 * mtbf)
    return young(mtbf, blocks) * (1 + math.sqrt(ratio) / 3 + ratio / 9) - blocks


def optimal(mtbf: float, blocks: float) -> float:
    """Return the exact optimum M (1 + W0(-exp(-d/M - 1))), W0 being Lambert's function.

    It is the stationary point of `efficiency`; the restart time cancels.  Zero for a free save.  Near W0's
    branch point (d much smaller than M) a library value keeps half its digits, so two Newton steps on the
    stationarity condition t/M = 1 - exp(-(t + d)/M) restore them.  Where it has none left Young's interval is
    right to 7 digits: its error is that of the next order, sqrt(2 d/M) / 3.
    """
    if blocks == 0:
        return 0.0
    cost = blocks / mtbf
    if cost < BRANCH:
        return young(mtbf, blocks)
    from scipy.special import lambertw

    ratio = 1 + float(lambertw(-math.exp(-cost - 1)).real)
    for _ in range(2):
        exponent = math.expm1(-(ratio + cost))
        ratio += (ratio + exponent) / exponent
    return mtbf * ratio


def usable_share(nodes: int, segment: int, away: float) -> float:
    """Return the share of all nodes that whole segments of a rack can use, where a share of nodes is *away*.

    A rack of so many *nodes* has room for as many segments as its healthy nodes fill; each node is away by
    itself, so that these are binomial.  At 1 % away a rack of 18 can use 88.8 % of its nodes in a segment of
    16, 83.5 % in one of 18 and 91.7 % in segments of 9.
    """
    healthy = range(segment, nodes + 1)
    chances = (math.comb(nodes, k) * (1 - away) ** k * away ** (nodes - k) for k in healthy)
    whole = math.fsum(k // segment * chance for k, chance in zip(healthy, chances, strict=True))
    return segment * whole / nodes


def saxena_cycle(mtbf: float, blocks: float, restart: float) -> float:
    """Return the cycle T_c = T_s + sqrt(T_s^2 + 2 T_s (T_f + T_r)) of Saxena et al. (arXiv 2410.18124).

    From the beginning of one save to that of the next, the save included: *blocks* is T_s, *mtbf* T_f, the
    training between failures, *restart* T_r.  It maximises (1 - T_s/T_c) / (1 + T_c / (2 (T_f + T_r))), which
    is first order in T_c, so it is meant for cycles much shorter than T_f.
    """
    return blocks + math.sqrt(blocks**2 + 2 * blocks * (mtbf + restart))


def efficiency(interval: float, mtbf: float, blocks: float, restart: float, calendar: float = 1.0) -> float:
    """Return the share of time that is productive: t / (M S (exp((t + d)/M) - 1)), S that of `slowdown`.

    Where all failures strike at all times S is exp(R/M) (Daly, FGCS 2006).  Zero where the exponentials
    exceed what a float can hold.
    """
    try:
        return interval / (mtbf * slowdown(mtbf, restart, calendar) * math.expm1((interval + blocks) / mtbf))
    except OverflowError:
        return 0.0


def slowdown(mtbf: float, restart: float, calendar: float = 1.0, detection: float = 0.0) -> float:
    """Return how many times as long everything takes because of restarts: 1 + (exp(c R/M) - 1) / c.

    A failure that strikes in a restart, one of the share c, begins it again, so that it lasts
    M/c (exp(c R/M) - 1) on average: exp(R/M) times as long in all where every failure can (c = 1), and
    1 + R/M where none can (renewal reward).  One that strikes in the *detection* D, with which the restart
    begins, is found with the failure before and delays nothing: (1 + D/M) exp((R - D)/M) times as long for
    c = 1.  Infinite where that exceeds what a float can hold.
    """
    noticed, rest = detection / mtbf, (restart - detection) / mtbf
    try:
        again = math.expm1(calendar * rest) / calendar if calendar else rest
    except OverflowError:
        return math.inf
    return 1 + noticed + again * (1 + calendar * noticed)


def restart_for(
    share: float, mtbf: float, blocks: float, calendar: float = 1.0, detection: float = 0.0
) -> float | None:
    """Return the longest restart with which the best interval has that efficiency; None where none has.

    It begins with the *detection*, or is all detection where it is shorter than that.
    """
    without = _best_efficiency(mtbf, blocks, 0.0, calendar, 0.0)
    if without <= share:
        return None
    slower = without / share - 1
    noticed = min(detection / mtbf, slower)
    rest = (slower - noticed) / (1 + calendar * noticed)
    return mtbf * (noticed + (math.log1p(calendar * rest) / calendar if calendar else rest))


def mtbf_for(
    share: float, blocks: float, restart: float, calendar: float = 1.0, detection: float = 0.0
) -> float:
    """Return the shortest MTBF with which the best interval has that efficiency."""

    def is_short(mtbf: float) -> bool:
        return _best_efficiency(mtbf, blocks, restart, calendar, detection) < share

    low = high = max(restart, blocks, 1.0)
    while is_short(high):
        high *= 2
    while not is_short(low) and low > 1e-3:
        low /= 2
    for _ in range(50):
        middle = math.sqrt(low * high)
        low, high = (middle, high) if is_short(middle) else (low, middle)
    return high


def _best_efficiency(mtbf: float, blocks: float, restart: float, calendar: float, detection: float) -> float:
    trains = efficiency(optimal(mtbf, blocks), mtbf, blocks, 0.0) if blocks else 1.0
    return trains / slowdown(mtbf, restart, calendar, detection)


def kokolis(interval: float, mtbf: float, blocks: float, restart: float) -> float:
    """Return the expected ETTR (1 - (R + t/2) / M) / (1 + d/t) of Kokolis et al. (arXiv 2410.21680v2).

    There M is 1 / (N_nodes r_f), R is u_0, t the interval and d is w_cp; time in queues is left out.  It is
    the first order in 1 / M of `efficiency`, but for failures in a save, which cost d / (2 M) more: meant for
    R + t/2 much smaller than M, and negative beyond it.
    """
    return (1 - (restart + interval / 2) / mtbf) / (1 + blocks / interval)


class Leaving(NamedTuple):
    """Failures of one kind that send so many `nodes` to repair together.

    `load` failures are in repair at a time, on average, where nothing holds them up: failures per second
    times the time away.  `in_training` ones strike only while no node is missing.  The nodes of a failure are
    repaired by one of the `crews`, first come first served (None: as many as needed); `variation` is the
    squared coefficient of variation of its time.
    """

    load: float
    nodes: int = 1
    in_training: bool = False
    crews: int | None = None
    variation: float = 1.0


DEVIATIONS, TAIL = 10.0, 30.0
"""So many standard deviations above its mean, and where a queue is down to exp(-30), numbers of nodes end."""
LARGEST = 1e200
"""A weight above this would soon exceed what a float can hold, so that all are scaled down."""


def nodes_away(kinds: Sequence[Leaving], job: int, spares: int, idle_rate: float = 0.0) -> Floats:
    """Return the shares of time for which 0, 1, 2, ... nodes are away: in repair, or waiting for a crew.

    A *job* of so many nodes, and *spares* that fail *idle_rate* times as often while they are idle.  While
    more are away than there are spares the job waits: fewer nodes are at work, and nothing `in_training`
    fails.  Without crews it is the recursion of Kaufman and Roberts (IEEE Trans. Commun. 29(10), 1981),
    k q(k) = sum of load x nodes x q(k - nodes): exact for any law of repair, by its mean alone, where one
    node leaves at a time (a birth-death process), and where failures do not slow down.  Each kind with crews
    is a queue of its own, whose failures go on at their full rate; its load has to be less than its crews.
    """
    most = _most(kinds, job + spares)
    sizes = _by_size(kind for kind in kinds if kind.crews is None)

    def flow(size: _Size, away: Array) -> Floats:
        """Return the nodes that leave per time of a repair while so many are *away*."""
        missing = np.maximum(away - spares, 0)
        pace = (job - missing + idle_rate * np.maximum(spares - away, 0)) / job
        return np.asarray(np.where(missing, size.always, size.always + size.training) * pace)

    # Several sizes need all numbers from 0: from a start near the middle the recursion could not tell how
    # many nodes of each size are away.
    first, last = _bulk(sizes[0].nodes, partial(flow, sizes[0]), most) if len(sizes) == 1 else (0, most)
    flows = [(size.nodes, flow(size, np.arange(first, last)).tolist()) for size in sizes]
    weights, scaled = [1.0], (0, 0)
    for more in range(1, last - first + 1):
        into = 0.0
        for nodes, leaving in flows:
            if nodes <= more:
                into += leaving[more - nodes] * weights[more - nodes]
        weights.append(into / (first + more))
        if weights[-1] > LARGEST:
            # What is two scalings old is nothing beside the others already.
            weights[scaled[0] :] = [weight / LARGEST for weight in weights[scaled[0] :]]
            scaled = scaled[1], len(weights)
    likely = _shares(weights)
    for kind in kinds:
        if kind.crews is not None:
            queue = _queue(kind, kind.crews, _most([kind], most))
            likely = _shares(np.convolve(likely, queue)[: most + 1 - first])
    return np.concatenate((np.zeros(first), likely))


class _Size(NamedTuple):
    """Failures of so many `nodes` each: nodes in repair, of failures at any time and of those in training."""

    nodes: int
    always: float
    training: float


def _by_size(kinds: Iterable[Leaving]) -> list[_Size]:
    """Return failures by the nodes that they take: those of one size are one kind."""
    found: dict[int, list[float]] = {}
    for kind in kinds:
        found.setdefault(kind.nodes, [0.0, 0.0])[kind.in_training] += kind.load * kind.nodes
    return [_Size(nodes, *loads) for nodes, loads in found.items()]


def _bulk(nodes: int, flow: Callable[[Array], Floats], most: int) -> tuple[int, int]:
    """Return numbers of nodes away that hold nearly all of the time, where *nodes* leave at a time.

    q(k) / q(k - nodes) is the *flow* at k - nodes, divided by k.  It falls with k and passes 1 at the mode,
    around which the numbers lie at least as close together as those of a Poisson distribution.  Where a
    million nodes are away on average, 20,000 numbers hold nearly all of the time.
    """
    low, high = 0, most // nodes + 1
    while high - low > 1:
        middle = (low + high) // 2
        rises = flow(np.array((middle - 1) * nodes)) >= middle * nodes
        low, high = (middle, high) if rises else (low, middle)
    mode = low * nodes
    reach = DEVIATIONS * math.sqrt((mode + nodes) * nodes) + 3 * nodes
    return max(math.floor((mode - reach) / nodes), 0) * nodes, min(math.ceil(mode + reach), most)


def _most(kinds: Sequence[Leaving], all_nodes: int) -> int:
    """Return a number of nodes away that is hardly ever exceeded."""
    mean = math.fsum(kind.load * kind.nodes for kind in kinds)
    spread = math.sqrt(math.fsum(kind.load * kind.nodes**2 for kind in kinds))
    most = mean + DEVIATIONS * spread + 2 * max((kind.nodes for kind in kinds), default=0)
    for kind in kinds:
        if kind.crews is not None and kind.load:
            most += kind.nodes * TAIL * (1 + kind.variation) / math.log(kind.crews / kind.load)
    return min(math.ceil(most), all_nodes)


def _queue(kind: Leaving, crews: int, most: int) -> Floats:
    """Return the shares of time for which 0, 1, 2, ... nodes are in a queue.

    All crews are busy as often as in M/M/c; beyond that there is a geometric tail, such that the mean queue
    is (1 + v) / 2 times as long where the squared coefficient of variation of a repair is v (Allen and
    Cunneen; exact for one crew).
    """
    busy, factor = kind.load / crews, (1 + kind.variation) / 2
    tail = busy * factor / (1 - busy + busy * factor)
    weights = [1.0]
    for orders in range(1, most // kind.nodes + 1):
        weights.append(weights[-1] * (kind.load / orders if orders <= crews else tail))
        if orders == crews:
            weights[-1] *= (1 - tail) / (1 - busy)
        if weights[-1] > LARGEST:
            weights = [weight / LARGEST for weight in weights]
    nodes = np.zeros(most + 1)
    nodes[:: kind.nodes] = weights
    return _shares(nodes)


def _shares(weights: Sequence[float] | Floats) -> Floats:
    values = np.asarray(weights, dtype=np.float64)
    return np.asarray(values / values.sum())
