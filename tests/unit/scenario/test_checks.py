"""What just fits together in a scenario loads, and what misses it by the least is refused at its key."""

from __future__ import annotations

import re
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
UNSURE = {"uncertain": "{failures.a.mtbf: 4 to 6 d}", "uncertainty.per_draw": 2}
DRAWS, REPLICATIONS = "uncertainty.draws", "simulation.replications"
FLOPS = "{model_flops_per_token: 1e9, peak_flops_per_gpu: 1e12, mfu: 40 %}"
OLD = {"failures.a.ages": "new", "failures.a.renews": False}
CONSTANT = {"failures.a.lifetime": "constant"}
WEIBULL = {"failures.a.lifetime": "{weibull: {shape: 2}}"}
LISTED = {"failures.a.lifetime": "{empirical: [1 d, 2 d]}", "failures.a.mtbf": None}
RELAPSE = "{probability: 20 %, within: 1 d}"
RACK = {"cluster.nodes_per_rack": 4, "failures.a.per": "rack"}
JOB = {"failures.a.per": "job", "failures.a.repair": None}
RACKS = {"cluster.nodes_per_rack": 5, "cluster.used_per_rack": 4, "cluster.spare_racks": 1}
SMALLER = {"cluster.gpus": 8}
OFTEN = {"cluster.gpus": 64, "failures.a.mtbf": "1 h"}
HALF_LEMONS = "{share: 50 %, factor: 3}"
LESS = {"failures.a.groups": "{old: 0.5}"}
GROUP = {"cluster.groups": "{old: {nodes: 4}}", "failures.a.groups": "{old: 3}"}


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
        (UNSURE | {REPLICATIONS: 4}, UNSURE | {REPLICATIONS: 5}, REPLICATIONS),
        (UNSURE | {REPLICATIONS: 4}, UNSURE | {REPLICATIONS: 2}, REPLICATIONS),
        ({"workload": FLOPS}, {"workload": "{mfu: 40 %}"}, "workload"),
        ({}, {"failures.a.per": None}, "failures.a.per"),
        ({"failures.a.renews": False}, {"failures.a.renews": False} | CONSTANT, "failures.a.renews"),
        (OLD | WEIBULL, OLD | CONSTANT, "failures.a.renews"),
        (LISTED, OLD | LISTED, "failures.a.renews"),
        ({"failures.a.relapse": RELAPSE}, RACK | {"failures.a.relapse": RELAPSE}, "failures.a.relapse"),
        (
            JOB | {"failures.a.transient": "100 %"},
            JOB | {"failures.a.transient": "99 %"},
            "failures.a.transient",
        ),
        (
            {"recovery": "{misdiagnosis: 50 %, missed: 49 %}"},
            {"recovery": "{misdiagnosis: 50 %, missed: 50 %}"},
            "recovery.misdiagnosis",
        ),
    ],
)
def test_what_just_fits_and_what_does_not(fits: dict[str, Any], does_not: dict[str, Any], path: str) -> None:
    loads(SMALL, overrides=fits)
    assert faults(SMALL, does_not) == [path]


@pytest.mark.parametrize(
    ("limit", "there_are", "changes", "path"),
    [
        (
            "MOST_ATTEMPTS",
            2,
            {"recovery.stages": "{restart: {constant: 1 min, fails: 50 %}}"},
            "recovery.stages",
        ),
        ("MOST_SAVES", 24, {}, "checkpoint.interval"),
        ("MOST_STOPS", 3, {"maintenance": "{every: 6 h, takes: 1 s}"}, "maintenance.every"),
        (
            "MOST_STOPS",
            4,
            {"maintenance": "[{every: 6 h, takes: 1 s}, {at: 1 h, takes: 1 s}]"},
            "maintenance",
        ),
        ("MOST_FAILURES", 24, {"failures.a.mtbf": "1 h"}, "failures.a"),
        # Half of the nodes fail thrice as often; where the group may be the lemons, thrice as many again.
        ("MOST_FAILURES", 384, OFTEN | {"failures.a.lemons": HALF_LEMONS}, "failures.a"),
        ("MOST_FAILURES", 384, OFTEN | GROUP, "failures.a"),
        ("MOST_FAILURES", 2304, OFTEN | GROUP | {"failures.a.lemons": HALF_LEMONS}, "failures.a"),
        # A group that fails less often lowers the mean, and lemons are no more of it than of the others.
        ("MOST_FAILURES", 288, OFTEN | GROUP | {"failures.a.lemons": HALF_LEMONS, **LESS}, "failures.a"),
        (
            "MOST_AGES",
            16,
            {"cluster.spares": 1, "failures.a": "{per: gpu, mtbf: 9 d, lifetime: {gamma: {shape: 2}}}"},
            "failures.a.lifetime",
        ),
        (
            "MOST_AGES",
            2,
            {"cluster.spares": 1, "failures.a.lemons": "{share: 5 %, factor: 2}"},
            "failures.a.lemons",
        ),
        (
            "MOST_AT_ONCE",
            4,
            {"cluster": "{gpus: 64, nodes_per_rack: 4}", "failures.a": "{per: rack, mtbf: 9 d, repair: 1 h}"},
            "failures.a",
        ),
    ],
)
def test_as_many_as_the_limit_are_possible_and_one_more_is_not(
    limit: str, there_are: int, changes: dict[str, Any], path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"clustersim.scenario.checks.{limit}", there_are)
    loads(SMALL, overrides=SMALLER | changes)
    monkeypatch.setattr(f"clustersim.scenario.checks.{limit}", there_are - 1)
    assert faults(SMALL, SMALLER | changes) == [path]


def test_how_long_it_takes_is_told_in_three_digits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clustersim.scenario.checks.MOST_STOPS", 3)
    text = SMALL.replace("1 d}", "12_345 min}") + "maintenance: {every: 50 h, takes: 1 s}\n"
    with pytest.raises(
        ScenarioError, match=r":7:22: maintenance\.every: more than 3 stops in 8\.57 d; stop less often"
    ):
        loads(text)


@pytest.mark.parametrize(("end", "beyond"), [("SHORTEST_DURATION", 1 + 1e-9), ("LONGEST_DURATION", 1 - 1e-9)])
def test_a_target_may_take_the_least_or_the_most_time(
    end: str, beyond: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = SMALL.replace("{horizon: 1 d}", "{}") + WORK
    target_s = loads(text).target_s
    assert target_s
    monkeypatch.setattr(f"clustersim.scenario.checks.{end}", target_s)
    loads(text)
    monkeypatch.setattr(f"clustersim.scenario.checks.{end}", target_s * beyond)
    assert faults(text, {}) == ["workload.target"]


def test_the_time_of_a_row_is_told_in_three_digits() -> None:
    text = SMALL.replace("{per: node, mtbf: 5 d, repair: 4 h}", '{replay: "time_s,node\\n12345,12\\n"}')
    with pytest.raises(ScenarioError, match=r"node 12 at 3\.43 h does not exist"):
        loads(text)


def test_a_source_is_no_value_of_the_scenario() -> None:
    text = SMALL + "sources: {failures.a.mtbf: us, sources.failures.a.mtbf: them}\n"
    with pytest.raises(ScenarioError, match=r'such value in this scenario; did you mean "failures\.a\.mtbf"'):
        loads(text)


@pytest.mark.parametrize(
    ("simulation", "rest", "path", "why"),
    [
        (
            "{horizon: 1 d, replications: 8}",
            "uncertain: {failures.a.mtbf: 4 to 6 d}\nuncertainty: {draws: 4}\n",
            "uncertainty.draws",
            "draws and simulation.replications both say how many; leave one out",
        ),
        (
            "{replications: 8, precision: 1 pp}",
            WORK,
            "simulation.precision",
            "replications and precision both say when to stop; leave one out",
        ),
    ],
)
def test_the_number_of_replications_is_said_once(simulation: str, rest: str, path: str, why: str) -> None:
    text = SMALL.replace("{horizon: 1 d}", simulation) + rest
    with pytest.raises(ScenarioError, match=re.escape(f"{path}: {why}")):
        loads(text)
    assert faults(text, {}) == [path]


def test_draws_make_no_more_replications_than_there_may_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clustersim.scenario.checks.MOST_REPLICATIONS", 8)
    loads(SMALL, overrides=UNSURE | {DRAWS: 4})
    assert faults(SMALL, UNSURE | {DRAWS: 5}) == [DRAWS]
