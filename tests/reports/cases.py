"""Results for the tests of the report: real runs of small clusters, and hand-made ones with known values."""

from __future__ import annotations

from functools import cache
from types import SimpleNamespace
from typing import Any

import pandas as pd
from ruamel.yaml import YAML

from clustersim.engine.replication import simulate
from clustersim.results import Results
from clustersim.scenario import Scenario
from clustersim.studies.compare import Comparison
from clustersim_reports.blocks import Cell, Figure
from clustersim_reports.run import Run, Runs
from clustersim_reports.sections import ledger

HOSTILE = "<script>alert(1)</script> & <b>bold</b> %{x} <a href='https://evil.example/'>x</a>"
PLAIN: dict[str, Any] = YAML(typ="safe").load("""
name: plain
cluster: {gpus: 1024}
failures: {gpu: {per: gpu, rate: 5 / 1000 gpu-days}}
checkpoint: {interval: 10 min, blocks: 5 s, load: 30 s}
recovery: {stages: {detect: 1 min, restart: 3 min, load: checkpoint}}
simulation: {horizon: 20 d}
""")
CHANGES: dict[str, dict[str, Any]] = YAML(typ="safe").load("""
plain: {}
large: {cluster: {gpus: 8192}, title: Eight times the cards}
stuck: {cluster: {gpus: 65536}, failures: {any: {per: cluster, mtbf: 20 s}}}
calm: {failures: none}
unsaved: {checkpoint: none, recovery: {stages: {detect: 1 min}}}
target:
  workload: {tokens_per_gpu_second: 160, target: 50 G tokens, scaling_efficiency: {2048: 0.9}}
  costs: {gpu_hour: 2.50 USD}
expecting:
  workload: {tokens_per_gpu_second: 160, target: 50 G tokens}
  costs: {gpu_hour: 2.50 USD}
  expect: {ettr: ">= 0.99", mtti_s: ">= 1", days_to_target.p90: "<= 4"}
hostile:
  cluster: {gpus: 1024, nodes_per_rack: 4, spares: 6}
  failures:
    a mode name as long as a mode name may:
      {per: gpu, rate: 5 / 1000 gpu-days, repair: {lognormal: {median: 5 h, sigma: 1, at_most: 9 d}}}
    rack power: {per: rack, mtbf: 3 y, repair: 6 h}
    hang: {per: job, mtbf: 2 d, effect: hang, detect: 30 min}
  maintenance: {every: 3 d, takes: 1 h}
""")
CHANGES["many"] = {"failures": {f"cause {n}": {"per": "node", "mtbf": f"{90 + n} d"} for n in range(130)}}
CHANGES["hostile"] |= {
    "title": HOSTILE,
    "about": HOSTILE,
    "sources": {"cluster.gpus": HOSTILE, "failures.hang.mtbf": f"assumption: {HOSTILE}"},
}


def scenario(name: str) -> Scenario:
    """Return one of the scenarios of the tests."""
    return Scenario.model_validate(PLAIN | {"name": name} | CHANGES[name])


@cache
def run(name: str, replications: int = 4) -> Results:
    """Return a real run of one of the scenarios of the tests."""
    spec = scenario(name)
    made = {
        "tool": "clustersim",
        "version": "0.1.0",
        "command": None,
        "wall_s": 1.5,
        "finished": "2026-01-02T03:04:05+00:00",
        "incidents": True,
        "libraries": {"numpy": "2.4", "simpy": "4.1"},
    }
    return Results.of(spec, [simulate(spec, number) for number in range(replications)], made)


def fake(**values: Any) -> Any:
    """Return something with the attributes of results that a figure asks for."""
    summary = {"name": "fake", "gpus": 100, "margins": {}, "reasons": {}} | values.pop("summary", {})
    spec = SimpleNamespace(name=summary["name"], failures={}, tiers=())
    return SimpleNamespace(**({"scenario": spec, "summary": summary, "is_random": True} | values))


def incidents(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Return a table of incidents with what the rows leave out filled in."""
    usual = {
        "replication": 0,
        "replica": -1,
        "mode": "gpu",
        "doing": "training",
        "interruption": True,
        "detection_s": 0.0,
        "recovery_s": 0.0,
        "waiting_s": 0.0,
        "down_s": 0.0,
    }
    return pd.DataFrame([usual | row for row in rows])


def one(**attributes: Any) -> Run:
    """Return a hand-made run with these attributes."""
    return Run("fake", fake(**attributes))


def several(*names: str) -> Runs:
    """Return real runs by their names, compared where there are several."""
    results = [run(name) for name in names]
    return Runs(list(map(Run, names, results)), Comparison(results) if len(names) > 1 else None)


def measures(*names: str) -> dict[str, list[Cell]]:
    """Return the table of measures of these runs, by the heads of its rows."""
    return {row.head.text: list(row.cells) for row in ledger.measures(several(*names))}


def made(figure: Figure | None) -> Figure:
    """Return a figure that is there."""
    assert figure is not None
    return figure
