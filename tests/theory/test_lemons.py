"""Bad nodes that are retired, and what takes their place, against the rate of a two-state process."""

from __future__ import annotations

import math
from typing import Any

import pytest

from clustersim.scenario import loads
from tests.theory.runs import replications, spec
from tests.theory.z import assert_z, mean_se

DAY = 86_400.0
NODES, MTBF, FACTOR, SPAN = 100, 60.0, 6.0, 120.0

RETIRED = """
name: lemons-retired
cluster: {gpus: 100, gpus_per_node: 1, spares: 20}
failures: {node: {per: node, mtbf: 60 d, lemons: {share: 100 %, factor: 6}, repair: 1 h}}
checkpoint: {interval: 1 h, blocks: 0 s}
recovery:
  retire: {after: 1, within: 1 y, replacement: 1 h}
  stages: {detect: 0 s, nodes: wait, restart: 0 s}
simulation: {horizon: 120 d}
"""


def test_where_all_nodes_are_lemons_retiring_them_changes_nothing() -> None:
    found, se = mean_se(records.incident_count for records in replications(loads(RETIRED).document, 12))
    assert_z(found, NODES * FACTOR / MTBF * SPAN, se)


def failures(share: float, in_replacements: float) -> float:
    """Expected failures where each node leaves for good with its first, replaced at once.

    A place holds a lemon with a probability p that begins at the share and changes with each failure:
    dp/dt = L (r (1 - p) - F (1 - r) p); it fails at the rate L (1 + (F - 1) p).
    """
    to_good, to_bad = FACTOR * (1 - in_replacements) / MTBF, in_replacements / MTBF
    settled, pace = to_bad / (to_good + to_bad), to_good + to_bad
    bad = settled * SPAN + (share - settled) * -math.expm1(-pace * SPAN) / pace
    return NODES / MTBF * (SPAN + (FACTOR - 1) * bad)


CASES = [(1.0, None), (1.0, 0.0), (0.3, None), (0.3, 1.0), (0.5, 0.2)]


@pytest.mark.parametrize(("share", "in_replacements"), CASES)
def test_replacements_are_lemons_with_their_share(share: float, in_replacements: float | None) -> None:
    lemons: dict[str, Any] = {"share": f"{100 * share} %", "factor": FACTOR}
    if in_replacements is not None:
        lemons["in_replacements"] = f"{100 * in_replacements} %"
    document = spec(
        NODES,
        {"node": {"per": "node", "mtbf": f"{MTBF} d", "lemons": lemons, "repair": "1 s"}},
        SPAN * DAY,
        cluster={"gpus_per_node": 1},
        recovery={"retire": {"after": 1, "within": "1 y", "replacement": "1 s"}},
    )
    found, se = mean_se(records.incident_count for records in replications(document, 40))
    assert_z(found, failures(share, share if in_replacements is None else in_replacements), se, len(CASES))
