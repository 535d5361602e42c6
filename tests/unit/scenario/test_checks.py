"""What just fits together in a scenario loads, and what misses it by the least is refused at its key."""

from __future__ import annotations

from typing import Any

import pytest

from clustersim.scenario import ScenarioError, loads

SMALL = """
name: small
cluster: {gpus: 96}
failures: {a: {per: node, mtbf: 5 d, repair: 4 h}}
checkpoint: {interval: 1 h, blocks: 1 s}
simulation: {horizon: 1 d}
"""
LEMONS = {"failures.a.lemons": "{share: 5 %, factor: 3, in_replacements: 2 %}"}
WITHOUT = {"recovery.retire": "{after: 3, within: 30 d}"}
RECURS = {"recovery": "{recurs_after: 1 h, missed: 5 %}"}
BANDWIDTHS = {"checkpoint": "{interval: 1 h, state: 1 GB, write: 1 GB/s, read: 1 GB/s}"}
RESTART = {"recovery.stages": "{restart: 1 min}"}
LOADS = {"recovery.stages": "{restart: 1 min, load: checkpoint}"}
WORK = "workload: {tokens_per_gpu_second: 100, target: 4 G tokens}\n"
RACKS = {"cluster.nodes_per_rack": 5, "cluster.used_per_rack": 4, "cluster.spare_racks": 1}


def faults(text: str, changes: dict[str, Any]) -> list[str]:
    """Return the paths of what is wrong with a scenario in which something is changed."""
    with pytest.raises(ScenarioError) as caught:
        loads(text, overrides=changes)
    return [problem.path for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("fits", "does_not", "path"),
    [
        (
            {**RACKS, "cluster.gpus": 128, "recovery.replicas": 2},
            {**RACKS, "recovery.replicas": 2},
            "recovery.replicas",
        ),
        (
            LEMONS | {"recovery.retire": "{after: 3, within: 30 d, replacement: 14 d}"},
            LEMONS | WITHOUT,
            "failures.a.lemons.in_replacements",
        ),
        (BANDWIDTHS | LOADS, BANDWIDTHS | RESTART, "checkpoint.read"),
        (RECURS, {"recovery": "{recurs_after: 1 h}"}, "recovery.recurs_after"),
        (
            {"recovery.replicas": 2, "maintenance": "{every: 6 h, takes: 2.9 h, rolling: true}"},
            {"recovery.replicas": 2, "maintenance": "{every: 6 h, takes: 3 h, rolling: true}"},
            "maintenance.takes",
        ),
        (
            {"cluster.groups": "{old: {nodes: 12}}", "failures.a.groups": "{old: 3}"},
            {"cluster.groups": "{old: {nodes: 13}}", "failures.a.groups": "{old: 3}"},
            "cluster.groups",
        ),
    ],
)
def test_what_just_fits_and_what_does_not(fits: dict[str, Any], does_not: dict[str, Any], path: str) -> None:
    loads(SMALL, overrides=fits)
    assert faults(SMALL, does_not) == [path]


@pytest.mark.parametrize(("end", "past"), [("SHORTEST_DURATION", -1e-9), ("LONGEST_DURATION", 1e-9)])
def test_a_target_may_take_the_least_or_the_most_time(
    end: str, past: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = SMALL.replace("{horizon: 1 d}", "{}") + WORK
    target_s = loads(text).target_s
    assert target_s
    monkeypatch.setattr(f"clustersim.scenario.checks.{end}", target_s)
    loads(text)
    monkeypatch.setattr(f"clustersim.scenario.checks.{end}", target_s * (1 - past))
    assert faults(text, {}) == ["workload.target"]


def test_the_time_of_a_row_is_told_in_three_digits() -> None:
    text = SMALL.replace("{per: node, mtbf: 5 d, repair: 4 h}", '{replay: "time_s,node\\n12345,12\\n"}')
    with pytest.raises(ScenarioError, match=r"node 12 at 3\.43 h does not exist"):
        loads(text)


def test_a_source_is_no_value_of_the_scenario() -> None:
    text = SMALL + "sources: {failures.a.mtbf: us, sources.failures.a.mtbf: them}\n"
    with pytest.raises(ScenarioError, match=r'such value in this scenario; did you mean "failures\.a\.mtbf"'):
        loads(text)
