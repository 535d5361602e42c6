"""How often nodes of each group sit in the job, to first order: nodes that fail more often idle more.

A node that fails leaves the job, and comes back as the last of the spares: it idles until all before it have
been taken, and that takes the same time W for every node.  A node of group g that leaves a times a second
works for 1 / a between two such waits, so it is in the job for the share 1 / (1 + a W) of the time.  W is the
time with which these shares fill the job.  At the beginning all nodes are in it equally often, and they reach
those shares at the pace a + 1 / W.

With 40 nodes at work, 8 spares, and a group of 6 nodes that leave every 6 days where the others leave every
30, W is 4.5 days: the 6 nodes are in the job for 57 % of the time, where the mean is 83 %.
"""

from __future__ import annotations

import math

from clustersim.scenario.keys.failure import FailureMode
from clustersim.scenario.system import System

STEPS = 60
"""Halvings until W is known to rounding."""


def group_factor(system: System, mode: FailureMode) -> float:
    """Return the mode's mean rate over the job's nodes and the run, relative to that of nodes in no group."""
    if not mode.groups:
        return 1.0
    return math.fsum(
        share * often for share, often in zip(_shares(system), _factors(system, mode), strict=True)
    )


def _factors(system: System, mode: FailureMode) -> list[float]:
    """Return how often the mode strikes the nodes in no group, and those of each, times its own rate."""
    by_name = dict(mode.groups)
    return [1.0, *(by_name.get(group.name, 1.0) for group in system.cluster.groups)]


def _shares(system: System) -> list[float]:
    """Return the share of slots with nodes of no group, and of each group, the mean over the run."""
    cluster = system.cluster
    fleet = cluster.nodes + cluster.spare_nodes
    counts = [float(group.nodes) for group in cluster.groups]
    counts = [fleet - math.fsum(counts), *counts]
    leaving, away = [0.0] * len(counts), 0.0
    for mode in system.failures.values():
        if not mode.takes_nodes or mode.repair_plan is None or mode.recorded is not None:
            continue
        own = (1 - mode.transient) * system.units_per_node(mode) / mode.mtbf
        factors = _factors(system, mode)
        leaving = [rate + own * often for rate, often in zip(leaving, factors, strict=True)]
        mean = math.fsum(count * often for count, often in zip(counts, factors, strict=True)) / fleet
        away += cluster.nodes * own * mean * mode.repair_plan.whole.mean
    equally = [count / fleet for count in counts]
    idle = cluster.spare_nodes - away
    if idle <= 0 or not any(leaving):
        return equally
    there = cluster.nodes + idle
    wait = _wait(cluster.nodes, [there * share for share in equally], leaving)
    return _mean_over_run(system, equally, leaving, wait, there / cluster.nodes)


def _wait(slots: float, nodes: list[float], leaving: list[float]) -> float:
    """Return the wait W (s) with which so many *nodes* of each group fill the *slots*, by bisection."""
    low, high = 0.0, 1 / min(rate for rate in leaving if rate)
    while math.fsum(count / (1 + rate * high) for count, rate in zip(nodes, leaving, strict=True)) > slots:
        if high > 1e30:
            return high
        high *= 2
    for _ in range(STEPS):
        middle = (low + high) / 2
        filled = math.fsum(count / (1 + rate * middle) for count, rate in zip(nodes, leaving, strict=True))
        low, high = (middle, high) if filled > slots else (low, middle)
    return high


def _mean_over_run(
    system: System, equally: list[float], leaving: list[float], wait: float, there: float
) -> list[float]:
    """Return the shares of slots between the begin, when they are *equally* held, and what they settle at."""
    lasts = min(system.end_s, system.target_s or math.inf)
    shares = []
    for share, rate in zip(equally, leaving, strict=True):
        settled, way = there * share / (1 + rate * wait), (rate + 1 / wait) * lasts
        shares.append(settled + (share - settled) * -math.expm1(-way) / way)
    total = math.fsum(shares)
    return [share / total for share in shares]
