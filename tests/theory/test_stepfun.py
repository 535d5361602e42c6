"""StepFun's fault trace of 400 servers: replayed, and against fleets that are simulated.

The trace is not part of the repository; without it these tests are skipped.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest

from clustersim.engine.replication import simulate
from clustersim.metrics.metric import held_for
from clustersim.scenario import Scenario, load
from tests.theory.faults import Fault, busiest_tenth, faults_of, relapses
from tests.theory.z import mean_se

TRACE = Path(__file__).resolve().parents[3] / "shared" / "data" / "infinitehbd_node_faults.csv"
NODES, DAYS = 400, 348.98
NEAR = 0.15
needs_the_trace = pytest.mark.skipif(not TRACE.exists(), reason="the fault trace is not here")


@pytest.fixture(scope="module")
def trace() -> list[Fault]:
    if not TRACE.exists():
        pytest.skip("the fault trace is not here")
    with TRACE.open(newline="") as file:
        rows = csv.DictReader(file)
        return [Fault(int(row["node"]), float(row["start_day"]), float(row["end_day"])) for row in rows]


@pytest.fixture
def replayed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a scenario that replays the trace: the columns of a log under the names that it has."""
    with TRACE.open(newline="") as file, (tmp_path / "log.csv").open("w", newline="") as log:
        writer = csv.writer(log)
        writer.writerow(["time_d", "node", "cause", "repair_s"])
        for row in csv.DictReader(file):
            seconds = float(row["duration_down_s"])
            writer.writerow([row["start_day"], row["node"], row["class"], f"{seconds!r}" if seconds else ""])
    (tmp_path / "replayed.yaml").write_text(
        "name: replayed\n"
        "cluster: {gpus: 3_200}\n"
        "failures: {trace: {replay: log.csv}}\n"
        "checkpoint: {interval: 1 h, blocks: 5 s}\n"
        "recovery: {stages: {nodes: wait, restart: 4 min, load: checkpoint}}\n"
        f"simulation: {{horizon: {DAYS} d, replications: 1}}\n"
    )
    monkeypatch.chdir(tmp_path)
    return tmp_path / "replayed.yaml"


@needs_the_trace
@pytest.mark.parametrize("spares", [0, 35, 80])
def test_the_replayed_trace_has_its_nodes_down_at_once(replayed: Path, spares: int) -> None:
    cluster = {"cluster.gpus": 8 * (NODES - spares), "cluster.spares": spares}
    scenario = load(replayed, cluster)
    assert len(scenario.failures) == 21
    use = simulate(scenario, 0).fleet
    assert use.away == pytest.approx(9.3, abs=0.05)
    assert use.most_away == 35
    assert held_for(use.away_s, 0.99) == 31


@needs_the_trace
def test_the_replayed_trace_strikes_as_it_did(
    replayed: Path, trace: list[Fault], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = sorted(faults_of(load(replayed), 0, monkeypatch), key=_when)
    possible = _possible(trace)
    assert (len(trace), len(possible)) == (584, 568)
    assert [_when(fault) for fault in found] == [_when(fault) for fault in possible]
    for fault, meant in zip(found, possible, strict=True):
        assert fault.end == pytest.approx(meant.end, abs=1e-4)


def _when(fault: Fault) -> tuple[float, int]:
    """The day on which it begins, as exactly as the trace has it, and its node."""
    return round(fault.begin, 4), fault.node


def _possible(trace: list[Fault]) -> list[Fault]:
    """The times for which nodes are down, in order: faults that overlap are one, to the later end."""
    last: dict[int, int] = {}
    possible: list[Fault] = []
    for fault in sorted(trace, key=_when):
        before = possible[last[fault.node]] if fault.node in last else None
        if before is not None and fault.begin < before.end:
            possible[last[fault.node]] = before._replace(end=max(before.end, fault.end))
        elif fault.end > fault.begin:
            last[fault.node] = len(possible)
            possible.append(fault)
    return possible


def test_the_trace_has_the_shares_that_are_published_of_it(trace: list[Fault]) -> None:
    assert round(busiest_tenth(trace, NODES), 2) == 0.41
    assert round(relapses(trace, 1.0), 2) == 0.22


def test_a_fleet_with_lemons_and_relapse_has_the_shares_of_the_trace(
    trace: list[Fault], monkeypatch: pytest.MonkeyPatch
) -> None:
    scenario = load("stepfun-400")
    assert scenario.cluster.nodes + scenario.cluster.spare_nodes == NODES
    fleets = [faults_of(scenario, number, monkeypatch) for number in range(30)]
    assert _near(fleets, trace) == (True, True)
    count, se = mean_se(len(fleet) for fleet in fleets)
    assert abs(count - len(trace)) < NEAR * len(trace)
    assert se < NEAR * len(trace) / 4
    away, _ = mean_se(_days_down(fleet) / DAYS for fleet in fleets)
    assert away == pytest.approx(9.3, rel=NEAR)
    # what the fleet has not are the bursts of the trace: it would do with half the spares
    assert held_for(simulate(scenario, 0).fleet.away_s, 0.99) < 20


@pytest.mark.parametrize("shape", [0.73, 0.62, 0.5, 0.45, 0.4, 0.35])
def test_lifetimes_that_scatter_alone_do_not_have_them(
    trace: list[Fault], monkeypatch: pytest.MonkeyPatch, shape: float
) -> None:
    """An independent Weibull per node, whatever its shape: enough repeat offenders have too few relapses."""
    fleets = [faults_of(_weibull(shape), number, monkeypatch) for number in range(6)]
    count, _ = mean_se(len(fleet) for fleet in fleets)
    assert abs(count - len(trace)) < NEAR * len(trace)
    assert _near(fleets, trace) != (True, True)


def _weibull(shape: float) -> Scenario:
    """The fleet of stepfun-400 with as many faults, all of its nodes alike and their lives independent."""
    plain: dict[str, Any] = load("stepfun-400").document
    fault = plain["failures"]["fault"]
    for name in ("lemons", "relapse", "mtbf"):
        del fault[name]
    fault |= {"mtbf": "234 d", "lifetime": {"weibull": {"shape": shape}}}
    return Scenario.model_validate(plain | {"sources": {}})


def _near(fleets: list[list[Fault]], trace: list[Fault]) -> tuple[bool, bool]:
    """Whether the mean share on the busiest 10 % of nodes, and that of relapses, are near the trace's."""
    busiest = mean_se(busiest_tenth(fleet, NODES) for fleet in fleets)
    again = mean_se(relapses(fleet, 1.0) for fleet in fleets)
    pairs = ((busiest, busiest_tenth(trace, NODES)), (again, relapses(trace, 1.0)))
    for name, ((mean, se), goal) in zip(("busiest 10 %", "relapses"), pairs, strict=True):
        print(f"{name}: {mean:.3f} (standard error {se:.3f}) against {goal:.3f}")
    return tuple(abs(mean / goal - 1) < NEAR for (mean, _), goal in pairs)  # type: ignore[return-value]


def _days_down(fleet: list[Fault]) -> float:
    return sum(fault.end - fault.begin for fault in fleet)
