"""The time that taking spares from a second pool costs, against a Markov renewal process solved exactly here.

So many nodes stand by.  When none does, a stop takes one from a second pool of ours, which costs a constant
time and lets the first pool be full again; nodes that come back from exponential repairs stand by first.  All
failures are on the training clock, so that nothing fails in a stop while repairs go on.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy import stats

from tests.theory.runs import replications, share, spec
from tests.theory.z import assert_z, mean_se

HOUR = 3600.0
FAILURES, REPAIR, TAKES, MOST = 0.5, 8.0, 0.75, 40
"""Failures per hour of training, mean repair and what taking costs (h), and more nodes than are ever away."""


def share_of_taking(standby: int) -> float:
    """Share of all time spent in taking nodes from the second pool, with so many that stand by.

    A state of training is (nodes that stand by, nodes away).  From k away, with all standing by, it trains
    for a mean time until the next taking, when l are away with some chance; the taking leaves each of them
    away with the chance exp(-takes / repair).
    """
    states = [(ready, away) for ready in range(standby + 1) for away in range(MOST + 1)]
    number = {state: index for index, state in enumerate(states)}
    rates = np.zeros((len(states), len(states)))
    ends = np.zeros((len(states), MOST + 1))
    for (ready, away), index in number.items():
        more = min(away + 1, MOST)
        if ready:
            rates[index, number[ready - 1, more]] += FAILURES
        else:
            ends[index, more] += FAILURES
        if away:
            rates[index, number[min(ready + 1, standby), away - 1]] += away / REPAIR
    inner = np.diag(rates.sum(axis=1) + ends.sum(axis=1)) - rates
    full = [number[standby, away] for away in range(MOST + 1)]
    trains = np.linalg.solve(inner, np.ones(len(states)))[full]
    away_then = np.linalg.solve(inner, ends)[full]
    stays = math.exp(-TAKES / REPAIR)
    left = np.array([stats.binom(away, stays).pmf(np.arange(MOST + 1)) for away in range(MOST + 1)])
    step = away_then @ left
    system = np.vstack([step.T - np.eye(MOST + 1), np.ones(MOST + 1)])
    begins, *_ = np.linalg.lstsq(system, np.append(np.zeros(MOST + 1), 1.0), rcond=None)
    return float(TAKES / (begins @ trains + TAKES))


@pytest.mark.parametrize("standby", [0, 1, 3])
def test_taking_from_a_second_pool_costs_what_a_markov_renewal_process_says(standby: int) -> None:
    pools: list[dict[str, Any]] = [
        {"name": "standby", "count": standby},
        {"name": "own", "count": MOST, "takes": f"{TAKES} h"},
    ]
    document = spec(
        8 * 20,
        {
            "node": {
                "per": "node",
                "mtbf": f"{20 / FAILURES} h",
                "clock": "training",
                "repair": {"exponential": {"mean": f"{REPAIR} h"}},
            }
        },
        3000 * HOUR,
        7,
        cluster={"spares": pools},
        simulation={"warm_up": f"{100 * HOUR} s"},
    )
    found, se = mean_se(share(records, "recovery") for records in replications(document, 30))
    assert se < 0.003
    assert_z(found, share_of_taking(standby), se, 3)
