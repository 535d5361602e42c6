"""A made-up run that has everything: tiers, replicas, spares, a log, and every entry of the ledger."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from ruamel.yaml import YAML

from clustersim.engine.ledger import RESERVED_CAUSES, Entry
from clustersim.records import FleetUse, Phase, Records, StripRow
from clustersim.results import Results
from clustersim.scenario import Scenario

DAYS = 30
DAY, HOUR = 86_400.0, 3600.0
EVERYTHING: dict[str, Any] = YAML(typ="safe").load("""
name: everything
title: Everything at once
cluster: {gpus: 4096, nodes_per_rack: 8, spares: 6}
failures:
  gpu: {per: gpu, mtbf: 10 y, repair: 20 h, lemons: {share: 5 %, factor: 8}}
  rack power: {per: rack, mtbf: 3 y, repair: 6 h}
  straggler: {per: node, mtbf: 2 y, effect: {slow: {factor: 0.7}}, detect: 20 min}
  silent: {per: node, mtbf: 20 y, effect: {corrupt: {noticed_after: 2 h}}}
  link: {per: node, mtbf: 1 y, effect: {flap: {stall: 40 s}}}
  log: {replay: [{time: 3 h, node: 12, repair: 20 h}, {time: 40 h, node: 7}]}
checkpoint:
  tiers:
    peer: {interval: 1 min, blocks: 0.3 s, load: 10 s, survives: [job, gpu, node]}
    storage: {interval: 30 min, blocks: 5 s, load: 2 min}
recovery:
  stages: {detect: 1 min, restart: 4 min, load: checkpoint}
  replicas: 8
  stall: 2 min
  minimum: 6
  overhead: 1 %
maintenance: {every: 10 d, takes: 30 min}
simulation: {horizon: 30 d}
""")
SHARES = {
    "productive": 0.79,
    "lost": 0.01,
    "checkpoint": 0.015,
    "detection": 0.01,
    "recovery": 0.035,
    "waiting": 0.02,
    "stall": 0.05,
    "idle": 0.012,
    "slow": 0.033,
    "corrupted": 0.02,
    "maintenance": 0.005,
}
BLAME = {"checkpoint": "checkpoint", "maintenance": "maintenance", "corrupted": "silent", "slow": "straggler"}


@cache
def everything(replications: int = 4, name: str = "everything") -> Results:
    """Return the made-up run."""
    scenario = Scenario.model_validate(EVERYTHING | {"name": name})
    made = {"tool": "clustersim", "version": "0.1.0", "wall_s": 1.0, "incidents": True}
    return Results.of(scenario, [_records(scenario, number) for number in range(replications)], made)


def _records(scenario: Scenario, number: int) -> Records:
    rng = np.random.default_rng(number)
    shares = SHARES | {"productive": 0.79 + 0.002 * number, "recovery": 0.035 - 0.002 * number}
    cards = scenario.cluster.gpus * DAYS * DAY
    away = np.maximum(0, np.cumsum(rng.integers(-1, 2, 400)) + 3)
    causes = [*scenario.failures, *RESERVED_CAUSES]
    charges = np.zeros((len(causes), len(Entry)))
    for entry in list(Entry)[1:]:
        charges[causes.index(BLAME.get(entry.label, "gpu")), entry] = cards * shares[entry.label]
    return Records(
        replication=number,
        end_s=DAYS * DAY,
        wall_s=DAYS * DAY,
        ledger={label: cards * share for label, share in shares.items()},
        charges=charges,
        stages=cards * shares["recovery"] * np.array([0.0, 0.8, 0.2]),
        progress_s=DAYS * DAY * shares["productive"],
        reached_s=np.nan,
        interruptions=90,
        incident_count=120,
        incidents_by_mode=np.array([90, 2, 10, 1, 15, 2]),
        spares_left=0,
        curve=np.linspace(0, DAYS * DAY * shares["productive"], 401),
        incidents=_incidents(rng, number, 120),
        segments={},
        strip=_strip() if number == 0 else (),
        fleet=FleetUse(
            away_s=np.bincount(away, weights=np.full(400, DAYS * DAY / 400)),
            waiting_s=0.06 * DAYS * DAY,
            away_curve=np.append(away, away[-1]),
            idle_curve=np.append(np.maximum(6 - away, 0), 0),
        ),
    )


def _incidents(rng: np.random.Generator, number: int, count: int) -> dict[str, Any]:
    stops = rng.random(count) < 0.8
    return {
        "replication": np.full(count, number, np.int32),
        "time_s": np.sort(rng.uniform(0, DAYS * DAY, count)),
        "mode": rng.choice(6, count, p=[0.7, 0.02, 0.1, 0.02, 0.14, 0.02]).astype(np.int16),
        "node": rng.integers(0, 512, count).astype(np.int32),
        "rack": rng.integers(0, 64, count).astype(np.int32),
        "replica": rng.integers(0, 8, count).astype(np.int32),
        "doing": np.where(stops, Phase.TRAINING, Phase.STALL).astype(np.int8),
        "interruption": stops,
        "transient": np.zeros(count, np.bool_),
        "nodes_lost": np.ones(count, np.int32),
        "lost_s": rng.uniform(0, 60, count),
        "detection_s": np.full(count, 60.0),
        "recovery_s": (recovery := rng.uniform(240, 400, count)),
        "waiting_s": (waiting := np.where(rng.random(count) < 0.1, 3000.0, 0.0)),
        "down_s": 60.0 + recovery + waiting,
        "stall_s": np.full(count, 120.0),
        "corrupted_s": np.where(rng.random(count) < 0.1, 7200.0, 0.0),
        "tier": np.where(stops, rng.choice(3, count, p=[0.2, 0.1, 0.7]), -1).astype(np.int16),
    }


def _strip() -> tuple[StripRow, ...]:
    """Return a few hours in which replicas go down one after the other, two of them at once."""
    spans = [(0.0, 0.9, "productive", ""), (0.9, 0.935, "stall", "gpu"), (0.935, 2.0, "productive", "")]
    spans += [(2.0, 2.035, "stall", "rack power"), (2.035, 2.4, "idle", "gpu"), (2.4, 4.0, "productive", "")]
    rows = [StripRow(begin * HOUR, end * HOUR, *what) for begin, end, *what in spans]
    for begin, replica, wait in ((0.9, 3, 0.0), (2.0, 5, 0.4), (2.0, 6, 0.2)):
        first, up = begin * HOUR, begin * HOUR + max(60, wait * HOUR)
        stages = [("detection", "gpu", first + 60), ("waiting", "gpu", up), ("recovery", "restart", up + 240)]
        for activity, detail, end in (*stages, ("recovery", "load", up + 260)):
            rows += [StripRow(first, end, activity, detail, replica)] if end > first else []
            first = end
    return tuple(sorted(rows))
