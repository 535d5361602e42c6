"""What the engine and the naive simulator must agree on, and where they do not."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from sim.ledger import Causes, Entry
from sim.records import Doing, Records
from sim.replication import simulate
from sim.scenario.model import Scenario
from tests.oracle.naive import Naive

TOLERANCE = 1e-9
Pair = tuple[str, Any, Any]


def compared(scenario: Scenario, records: Records, naive: Naive) -> Iterator[Pair]:
    """Name, engine's value and oracle's value of all that both say; times in seconds of the whole job."""
    cards, causes = scenario.cluster.gpus, Causes(tuple(scenario.failures)).names
    yield "end", records.end_s, naive.now
    yield "wall-clock", records.wall_s, max(naive.now - scenario.simulation.warm_up, 0.0)
    yield "progress", records.progress_s, naive.kept
    yield "reached", records.reached_s, naive.reached_s
    for entry in Entry:
        yield entry.label, records.ledger[entry.label] / cards, naive.ledger[entry.label]
        for row, cause in enumerate(causes):
            value = float(records.charges[row, entry]) / cards
            yield f"{entry.label} charged to {cause}", value, naive.charges[cause, entry.label]
    yield from _incidents(scenario, records, naive)


def _incidents(scenario: Scenario, records: Records, naive: Naive) -> Iterator[Pair]:
    table, modes = records.incidents, list(scenario.failures)
    rows = naive.incidents
    found = [
        (modes[mode], Doing(doing).label) for mode, doing in zip(table["mode"], table["doing"], strict=True)
    ]
    yield "incidents (mode, doing)", found, [(row["mode"], row["doing"]) for row in rows]
    yield "interruptions", records.interruptions, counted(scenario, rows)
    for name in ("interruption", "transient", "nodes_lost"):
        yield name, table[name].tolist(), [row[name] for row in rows]
    times = ["time_s", "lost_s", "detection_s", "recovery_s", "waiting_s"]
    stages = [f"stage_{stage.name}_s" for stage in scenario.recovery.stages if stage.kind != "detect"]
    for name in [*times, *stages]:
        yield name, table[name], np.array([row.get(name, 0.0) for row in rows])


def counted(scenario: Scenario, rows: list[dict[str, Any]]) -> int:
    """Interruptions after the warm-up."""
    return sum(row["interruption"] and row["time_s"] >= scenario.simulation.warm_up for row in rows)


def differ(engine: Any, oracle: Any, scale: float) -> bool:
    if isinstance(engine, float):
        both_missing = math.isnan(engine) and math.isnan(oracle)
        return not both_missing and not abs(engine - oracle) <= TOLERANCE * scale
    if isinstance(engine, np.ndarray):
        return engine.shape != oracle.shape or bool(np.any(~(np.abs(engine - oracle) <= TOLERANCE * scale)))
    return bool(engine != oracle)


def disagreements(scenario: Scenario, replication: int = 0, odd: bool = False) -> list[str] | None:
    """One line for each figure on which the two do not agree; None where rounding decides an order.

    If the instants are *odd*, rounding may decide wherever two failures nominally fall on one of them.
    """
    naive = Naive(scenario, replication).run()
    pairs = list(compared(scenario, simulate(scenario, replication), naive))
    found = [f"{name}: engine {a!r}, oracle {b!r}" for name, a, b in pairs if differ(a, b, max(naive.now, 1))]
    return None if naive.rounded or (odd and naive.coincided) else found
