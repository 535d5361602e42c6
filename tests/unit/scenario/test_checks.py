"""What must hold between the blocks of a scenario: each limit, and what no metric can meet."""

from __future__ import annotations

from typing import Any

import pytest

from clustersim.scenario import ScenarioError, loads
from clustersim.scenario.checks import why_impossible

SMALL = """
name: small
cluster: {gpus: 16, nodes_per_rack: 2}
failures: {a: {per: node, mtbf: 8192 s, repair: 1 h}}
checkpoint: {interval: 1 h, blocks: 1 s}
simulation: {horizon: 4096 s}
"""
EVERY = {"every": "1024 s", "takes": "1 s"}
AGES = {"per": "gpu", "mtbf": "8192 s", "repair": "1 h", "lifetime": {"weibull": {"shape": 2}}}
HALF = {"constant": "1 s", "fails": "50 %"}
LEMONS = {"share": "50 %", "factor": 3}  # a node fails twice as often on average


@pytest.mark.parametrize(
    ("limit", "most", "changes", "where"),
    [
        ("FAILURES", 1, {}, "failures.a: about 1.0e\\+00 failures in 1.14 h,"),
        ("ATTEMPTS", 2, {"recovery.stages": {"start": HALF}}, "recovery.stages: about 2.0e"),
        ("SAVES", 4, {"checkpoint.interval": "1024 s"}, "checkpoint.interval: about 4.0e"),
        ("STOPS", 3, {"maintenance": EVERY}, "maintenance.every: more than 2 stops in 1.14 h"),
        ("STOPS", 6, {"maintenance": [EVERY, EVERY]}, "maintenance: more than 5 stops"),
        ("AGES", 24, {"cluster.spares": 1, "failures.a": AGES}, "failures.a.lifetime: 24 ages"),
        ("AGES", 2, {"failures.a.lemons": LEMONS}, "failures.a.lemons: 2 nodes"),
        ("AT_ONCE", 2, {"failures.a.per": "rack"}, "failures.a: one failure takes 2 nodes"),
    ],
)
def test_as_much_as_the_limit_is_possible_and_no_more(
    limit: str, most: int, changes: dict[str, Any], where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"clustersim.scenario.checks.MOST_{limit}", most)
    loads(SMALL, overrides=changes)
    monkeypatch.setattr(f"clustersim.scenario.checks.MOST_{limit}", most - 1)
    with pytest.raises(ScenarioError, match=f": {where}"):
        loads(SMALL, overrides=changes)


@pytest.mark.parametrize(
    ("lemons", "groups", "failures"),
    [
        (False, {"old": 3}, "2.0e\\+00"),
        (True, {}, "2.0e\\+00"),
        (True, {"old": 3}, "1.2e\\+01"),
        (True, {"old": 0.5}, "1.5e\\+00"),
    ],
)
def test_where_each_may_be_a_lemon_all_may_be_of_the_group_that_fails_most(
    lemons: bool, groups: dict[str, float], failures: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("clustersim.scenario.checks.MOST_FAILURES", 0)
    changes: dict[str, Any] = {"failures.a.lemons": LEMONS} if lemons else {}
    if groups:
        changes |= {"cluster.groups": {"old": {"nodes": 1}}, "failures.a.groups": groups}
    with pytest.raises(ScenarioError, match=f": failures.a: about {failures} failures"):
        loads(SMALL, overrides=changes)


@pytest.mark.parametrize(
    ("text", "highest", "why"),
    [
        (">= 0", 1, ""),
        (">= 100 %", 1, ""),
        (">= 1.5", 1, "it is a share, between 0 and 1; write >= 1.5 %"),
        (">= 100", 1, "it is a share, between 0 and 1; write >= 100 %"),
        (">= 101", 1, "it is a share, between 0 and 1; give a threshold that it may meet or miss"),
        ("< 0", 9, "it is never below 0; give a threshold that it may meet or miss"),
    ],
)
def test_a_threshold_that_no_value_meets_or_misses_is_told(text: str, highest: float, why: str) -> None:
    assert why_impossible(text, highest) == why
