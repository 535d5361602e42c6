"""The pools of standby machines of ByteRobust (arXiv:2509.16293, Table 5) from the simulator's own spares.

A job of so many machines keeps a pool that suffices for 99 % of the time.  With each machine down for a share
p = 0.0012 of the time, the 99th percentile of a binomial law is what the table prints.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from clustersim.engine.replication import simulate
from clustersim.metrics.metric import held_for
from clustersim.records import Records
from clustersim.results import summarise
from clustersim.scenario.model import Scenario
from tests.theory.runs import Spec, spec
from tests.theory.z import assert_z

DOWN = 0.0012
REPAIR = 3600.0
PUBLISHED = {128: 2, 256: 2, 512: 3, 1024: 4}
REPAIRS = {128: 200_000, 256: 30_000, 512: 30_000, 1024: 40_000}
"""Repair times that a history lasts: as many as it takes to tell the percentiles from their neighbours."""


def fleet(machines: int) -> Spec:
    """A job with spares enough; a machine works for (1 - p) / p repairs on average, then it is in repair."""
    mtbf = REPAIR * (1 - DOWN) / DOWN
    mode = {"per": "node", "mtbf": f"{mtbf!r} s", "repair": f"{REPAIR} s"}
    horizon = REPAIRS[machines] * REPAIR
    more = {"warm_up": "10 h", "replications": 1}
    return spec(8 * machines, {"machine": mode}, horizon, 5, cluster={"spares": 20}, simulation=more)


@pytest.fixture(scope="module")
def histories() -> dict[int, tuple[Scenario, Records]]:
    scenarios = {machines: Scenario.model_validate(fleet(machines)) for machines in PUBLISHED}
    return {machines: (scenario, simulate(scenario, 0)) for machines, scenario in scenarios.items()}


@pytest.mark.parametrize("machines", PUBLISHED)
def test_the_pools_of_the_table_suffice_for_99_per_cent_of_the_time(
    histories: dict[int, tuple[Scenario, Records]], machines: int
) -> None:
    scenario, records = histories[machines]
    assert summarise(scenario, [records])["spares"]["sufficient_p99"] == PUBLISHED[machines]
    assert stats.binom(machines, DOWN).ppf(0.99) == PUBLISHED[machines]
    assert held_for(records.fleet.away_s, 0.99) == PUBLISHED[machines]


@pytest.mark.parametrize("machines", PUBLISHED)
def test_the_machines_away_are_those_of_a_queue_with_a_crew_for_each(
    histories: dict[int, tuple[Scenario, Records]], machines: int
) -> None:
    """A spare takes over at once, so that failures are Poisson and the number away is too (M/G/infinity)."""
    away_s = histories[machines][1].fleet.away_s
    shares = np.cumsum(away_s) / away_s.sum()
    law = stats.poisson(machines * DOWN / (1 - DOWN))
    for pool in range(PUBLISHED[machines] - 1, PUBLISHED[machines] + 1):
        short = law.sf(pool)
        se = math.sqrt(short * (1 - short) / REPAIRS[machines])
        assert_z(1 - shares[pool], short, se, 2 * len(PUBLISHED))
