"""Who is charged for waiting, against the exact mix of the nodes that are away.

Nodes fail in two ways, at rates a and b, and are repaired at once, each by itself, in times of means A and B.
However many are away, each of them is so by the first way with probability a A / (a A + b B), whatever the
laws of the repairs (a station with as many servers as customers is insensitive to them; Kelly, Reversibility
and Stochastic Networks, 1979, section 3.3).  So that is its share of the waiting, in equal parts per node.
"""

from __future__ import annotations

from typing import Any

import pytest

from clustersim.engine.ledger import Entry
from tests.theory.runs import replications, spec
from tests.theory.z import assert_z, mean_se

HOUR = 3600.0
LAWS: dict[str, Any] = {
    "exponential": {"exponential": {"mean": "12 h"}},
    "lognormal": {"lognormal": {"mean": "12 h", "sigma": 1.2}},
}


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("spares", [0, 2])
def test_each_failure_mode_is_charged_by_the_nodes_that_it_keeps_away(law: str, spares: int) -> None:
    document = spec(
        gpus=64,
        failures={
            "often": {"per": "node", "mtbf": "50 h", "repair": {"exponential": {"mean": "3 h"}}},
            "long": {"per": "node", "mtbf": "150 h", "repair": LAWS[law]},
            "bug": {"per": "job", "mtbf": "1 h", "clock": "calendar"},
        },
        horizon=6000 * HOUR,
        cluster={"spares": spares},
        simulation={"warm_up": f"{300 * HOUR} s"},
    )
    share, surplus = (3 / 50) / (3 / 50 + 12 / 150), []
    for records in replications(document, 24):
        often, long, bug = records.charges[:3, Entry.WAITING] / (64 * records.wall_s)
        assert bug == 0
        assert often + long > 0
        surplus.append(often - share * (often + long))
    mean, se = mean_se(surplus)
    assert_z(mean, 0.0, se, cases=4)
