"""Spares and crews against the finite-source machine-repairman queue, solved exactly here.

Nodes at work fail at rate 1/mtbf each, idle spares at a share of that rate; at most so many crews repair one
failed node each, in exponential times (Gross and Harris, Fundamentals of Queueing Theory, section 2.7).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from clustersim.records import Records
from tests.theory.runs import Spec, replications, share, spec
from tests.theory.z import assert_z, mean_se

HOUR = 3600.0
LONG, WARM_UP = 12_000 * HOUR, 1000 * HOUR


@dataclass(frozen=True)
class Fleet:
    """So many nodes of the job and spares; MTBF and mean repair in hours."""

    nodes: int
    spares: int
    crews: int
    spare_failures: float
    mtbf: float
    repair: float
    clock: str = "calendar"
    pools: tuple[int, ...] = ()

    def births(self, away: int) -> float:
        """Failures per hour while so many nodes are in repair."""
        working = min(self.nodes, self.nodes + self.spares - away)
        if self.clock == "training" and away > self.spares:
            return 0.0
        return (working + self.spare_failures * max(self.spares - away, 0)) / self.mtbf

    def chain(self) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        """Probability of each number of nodes in repair, by detailed balance."""
        weights = [1.0]
        for away in range(self.nodes + self.spares):
            weights.append(weights[-1] * self.births(away) / (min(away + 1, self.crews) / self.repair))
        return np.array(weights) / sum(weights)

    @property
    def waits(self) -> float:
        """Share of the time in which the job lacks a node."""
        return float(self.chain()[self.spares + 1 :].sum())

    @property
    def failures_per_hour(self) -> float:
        return float(sum(p * self.births(away) for away, p in enumerate(self.chain())))

    def document(self) -> Spec:
        repair = {"exponential": {"mean": f"{self.repair} h"}, "crews": self.crews}
        mode = {"per": "node", "mtbf": f"{self.mtbf} h", "repair": repair, "clock": self.clock}
        pools = [{"name": f"pool {n}", "count": count} for n, count in enumerate(self.pools)]
        cluster = {"spares": pools or self.spares, "spare_failures": f"{100 * self.spare_failures} %"}
        warm_up = {"warm_up": f"{WARM_UP} s"}
        gpus = 8 * self.nodes
        return spec(gpus, {"node": mode}, LONG, 11, cluster=cluster, simulation=warm_up)


FLEETS = [
    Fleet(nodes=12, spares=0, crews=100, spare_failures=0.0, mtbf=100.0, repair=10.0),
    Fleet(nodes=12, spares=3, crews=2, spare_failures=0.0, mtbf=100.0, repair=10.0),
    Fleet(nodes=12, spares=3, crews=2, spare_failures=1.0, mtbf=100.0, repair=10.0),
    Fleet(nodes=12, spares=3, crews=100, spare_failures=1.0, mtbf=100.0, repair=15.0),
    Fleet(nodes=12, spares=4, crews=1, spare_failures=0.5, mtbf=150.0, repair=10.0),
    Fleet(nodes=12, spares=2, crews=1, spare_failures=0.0, mtbf=100.0, repair=10.0, clock="training"),
    Fleet(nodes=12, spares=2, crews=1, spare_failures=1.0, mtbf=100.0, repair=10.0, clock="training"),
    Fleet(nodes=12, spares=4, crews=1, spare_failures=0.5, mtbf=150.0, repair=10.0, pools=(1, 3)),
]


def measured(records: Records) -> tuple[float, float]:
    """Share of waiting, and failures per hour after the warm-up, spares included."""
    counted = int((records.incidents["time_s"] >= WARM_UP).sum())
    return share(records, "waiting"), counted / (LONG - WARM_UP) * HOUR


@pytest.mark.parametrize("case", range(len(FLEETS)))
def test_waiting_and_failures_are_those_of_the_queue(case: int) -> None:
    fleet = FLEETS[case]
    waits, rates = zip(*map(measured, replications(fleet.document(), 40)), strict=True)
    mean, se = mean_se(waits)
    assert se < 0.008
    assert_z(mean, fleet.waits, se, 2 * len(FLEETS))
    rate, rate_se = mean_se(rates)
    assert_z(rate, fleet.failures_per_hour, rate_se, 2 * len(FLEETS))


def test_the_queue_without_spares_and_with_a_crew_each_is_binomial() -> None:
    fleet = FLEETS[0]
    assert fleet.waits == pytest.approx(1 - (100 / 110) ** 12, rel=1e-12)
