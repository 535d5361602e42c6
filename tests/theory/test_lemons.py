"""Bad nodes that are retired, healed or made by repairs, against the rate of a two-state process."""

from __future__ import annotations

import math
from typing import Any

import pytest

from clustersim.scenario import Scenario, loads
from clustersim.scenario.rates import rate
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


CHANGES = [
    ({"share": "100 %", "factor": 6, "healed": "50 %", "turns_bad": "20 %"}, 0.5, 0.2),
    (
        {
            "share": "10 %",
            "factor": 6,
            "healed": {"automatic": "20 %", "manual": "60 %"},
            "turns_bad": "40 %",
        },
        0.5,
        0.4,
    ),
]


@pytest.mark.parametrize("lifetime", ["exponential", {"gamma": {"shape": 1}}], ids=["superposed", "aged"])
@pytest.mark.parametrize(("lemons", "healed", "turns_bad"), CHANGES)
def test_lemons_that_repairs_heal_and_make_settle_where_both_balance(
    lemons: dict[str, Any], healed: float, turns_bad: float, lifetime: Any
) -> None:
    """With repairs of no time, good nodes failing at g and bad ones at b settle at a share of bad ones.

    It is turns_bad g / (turns_bad g + healed b), so that the nodes fail at b for this share, else at g.
    """
    repair: Any = {"automatic": "1 s", "escalates": "75 %", "manual": "1 s"}
    if isinstance(lemons["healed"], str):
        repair = "1 s"
    mode = {"per": "node", "mtbf": f"{MTBF} d", "lifetime": lifetime, "lemons": lemons, "repair": repair}
    warm_up = 4 * MTBF * DAY
    document = spec(
        NODES,
        {"node": mode},
        2 * warm_up,
        cluster={"gpus_per_node": 1, "spares": 2},
        simulation={"warm_up": f"{warm_up} s"},
    )
    good, bad = 1 / MTBF, FACTOR / MTBF
    share = turns_bad * good / (turns_bad * good + healed * bad)
    expected = NODES * (good * (1 - share) + bad * share) * warm_up / DAY
    found, se = mean_se(records.incident_count for records in replications(document, 12))
    assert_z(found, expected, se, 2 * len(CHANGES))


def test_the_first_order_counts_lemons_as_they_change_over_the_run() -> None:
    """From 30 % lemons that are healed on average half of the time: dp/dt = -0.5 F L p."""
    lemons = {"share": "30 %", "factor": FACTOR, "healed": "50 %"}
    document = spec(
        NODES,
        {"node": {"per": "node", "mtbf": f"{MTBF} d", "lemons": lemons, "repair": "1 s"}},
        SPAN * DAY,
        cluster={"gpus_per_node": 1, "spares": 2},
    )
    estimated = rate(Scenario.model_validate(document), "node") * SPAN * DAY
    pace = 0.5 * FACTOR / MTBF * SPAN
    bad = 0.3 * -math.expm1(-pace) / pace
    assert estimated == pytest.approx(NODES / MTBF * SPAN * (1 + (FACTOR - 1) * bad), rel=1e-12)
    found, se = mean_se(records.incident_count for records in replications(document, 40))
    assert_z(found, estimated, math.hypot(se, 0.01 * found))
