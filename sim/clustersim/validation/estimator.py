"""Where the first-order estimator of ETTR fails: by size, beside Daly's formula and simulation.

Meta's two research clusters, carried on from 1,000 to 1,000,000 cards at their rates of failure, with the
inputs that the estimator's authors take (Kokolis et al., arXiv 2410.21680v2): saves that stop training for
five minutes, each hour or as often as their optimum says; five minutes from a failure to training again.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from clustersim import theory
from clustersim.arrays import Floats
from clustersim.estimate import ConfidenceInterval, mean_of
from clustersim.scenario import load
from clustersim.scenario.loading import variant
from clustersim.scenario.model import Scenario
from clustersim.scenario.published_rates import PUBLISHED
from clustersim.units import DAY, HOUR, MINUTE

SCENARIO = "published/rsc-estimator"
RATES = {each.system: each.per_1000_node_days for each in PUBLISHED if each.system.startswith("RSC")}
"""Failures per 1000 node-days (Kokolis et al., section III)."""
HOURLY, OPTIMAL = "a save each hour", "saves at the estimator's own optimum"
POLICIES = (HOURLY, OPTIMAL)
SIZES = (1_000, 4_000, 16_384, 40_000, 100_000, 300_000, 1_000_000)
BLOCKS, RESTART, GPUS_PER_NODE = 5 * MINUTE, 5 * MINUTE, 8
FAILURES, REPLICATIONS, STEPS = 600, 8, 121
"""So many failures in each replication make all sizes equally sure; so many steps draw a smooth line."""


@dataclass(frozen=True, slots=True)
class EstimatorPoint:
    """One size on a curve: what the estimator, the exact formula and the simulation say of its ETTR.

    The line between the marks has none simulated.
    """

    gpus: float
    mtbf_s: float
    interval_s: float
    estimator: float
    exact: float
    simulated: ConfidenceInterval | None = None


@dataclass(frozen=True, slots=True)
class EstimatorCurve:
    """One cluster's rate of failure (per 1000 node-days) and one way to save, by size.

    `marks` are the sizes that were simulated, `line` many sizes between them for the formulas alone.
    """

    cluster: str
    rate: float
    policy: str
    marks: tuple[EstimatorPoint, ...]
    line: tuple[EstimatorPoint, ...]


class Survey:
    """A curve for each cluster and each way to save, and the scenarios to be simulated for their marks.

    A few seconds of simulating in all.
    """

    def __init__(self, seed: int) -> None:
        self._empty = [_curve(cluster, policy) for policy in POLICIES for cluster in RATES]
        base = load(SCENARIO)
        marks = [(curve, mark) for curve in self._empty for mark in curve.marks]
        self.scenarios = [_scenario(base, *mark, seed + order) for order, mark in enumerate(marks)]

    def curves(self, ettrs: Iterable[Sequence[float] | Floats]) -> tuple[EstimatorCurve, ...]:
        """Return the curves; *ettrs* holds, for each scenario, ETTR of its replications."""
        values = iter(ettrs)
        return tuple(
            replace(curve, marks=tuple(_with(mark, next(values)) for mark in curve.marks))
            for curve in self._empty
        )


def _with(mark: EstimatorPoint, ettr: Sequence[float] | Floats) -> EstimatorPoint:
    return replace(mark, simulated=mean_of(ettr).share)


def _curve(cluster: str, policy: str) -> EstimatorCurve:
    bare = EstimatorCurve(cluster, RATES[cluster], policy, (), ())
    between = np.geomspace(SIZES[0], SIZES[-1], STEPS)
    marks = tuple(_mark(bare, size) for size in SIZES)
    return EstimatorCurve(
        cluster, bare.rate, policy, marks, tuple(_mark(bare, float(size)) for size in between)
    )


def _mark(curve: EstimatorCurve, gpus: float) -> EstimatorPoint:
    mtbf = 1000 * DAY / (curve.rate * gpus / GPUS_PER_NODE)
    interval = HOUR if curve.policy == HOURLY else theory.young(mtbf, BLOCKS)
    values = interval, mtbf, BLOCKS, RESTART
    return EstimatorPoint(gpus, mtbf, interval, theory.kokolis(*values), theory.efficiency(*values))


def _scenario(base: Scenario, curve: EstimatorCurve, mark: EstimatorPoint, seed: int) -> Scenario:
    """Return the scenario of one size: as many failures at each, so that all are as sure and as quick.

    Each has a seed of its own: the same failures, only closer together, would move all sizes by one streak
    of luck.
    """
    changes: dict[str, Any] = {
        "cluster.gpus": int(mark.gpus),
        "failures.node.rate": f"{curve.rate} / 1000 node-days",
        "checkpoint.interval": f"{mark.interval_s!r} s",
        "checkpoint.blocks": f"{BLOCKS!r} s",
        "recovery.stages.restart": f"{RESTART!r} s",
        "simulation.horizon": f"{math.ceil(FAILURES * mark.mtbf_s)} s",
        "simulation.replications": REPLICATIONS,
        "simulation.seed": seed,
    }
    return variant(base, changes)


def curves_as_list(curves: tuple[EstimatorCurve, ...]) -> list[dict[str, Any]]:
    """Return the marks of all curves as rows of plain data."""
    return [
        {
            "cluster": curve.cluster,
            "failures_per_1000_node_days": curve.rate,
            "saves": curve.policy,
            "gpus": int(mark.gpus),
            "mtbf_s": mark.mtbf_s,
            "interval_s": mark.interval_s,
            "estimator": mark.estimator,
            "exact": mark.exact,
            "simulated": mark.simulated and mark.simulated._asdict(),
        }
        for curve in curves
        for mark in curve.marks
    ]
