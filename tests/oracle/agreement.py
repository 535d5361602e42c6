"""What the engine and the naive simulator must agree on, and where they do not."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np

from sim.engine.ledger import Causes, Entry
from sim.engine.replication import simulate
from sim.records import Doing, Records
from sim.scenario.model import Scenario
from tests.oracle.naive import Naive, Row

TOLERANCE = 1e-9
Pair = tuple[str, Any, Any]


def compared(scenario: Scenario, records: Records, naive: Naive) -> Iterator[Pair]:
    """Name, engine's value and oracle's value of all that both say; times in seconds of the whole job."""
    cards, causes = scenario.cluster.gpus, Causes(tuple(scenario.failures)).names
    yield "end", records.end_s, naive.now
    yield "wall-clock", records.wall_s, max(naive.now - scenario.simulation.warm_up, 0.0)
    yield "progress", records.progress_s, naive.kept
    yield "reached", records.reached_s, naive.reached_s
    yield "fewest spares", records.spares_left, naive.fleet.fewest_idle
    stages = [stage.name for stage in scenario.recovery.stages if stage.kind != "detect"]
    yield "recovery by stage", records.stages / cards, np.array([naive.stages[name] for name in stages])
    for entry in Entry:
        yield entry.label, records.ledger[entry.label] / cards, naive.ledger[entry.label]
        for row, cause in enumerate(causes):
            value = float(records.charges[row, entry]) / cards
            yield f"{entry.label} charged to {cause}", value, naive.charges[cause, entry.label]
    yield from _incidents(scenario, records, naive)
    yield from _history(records, naive)


def _incidents(scenario: Scenario, records: Records, naive: Naive) -> Iterator[Pair]:
    table, modes = records.incidents, list(scenario.failures)
    rows = naive.incidents
    found = [
        (modes[mode], Doing(doing).label) for mode, doing in zip(table["mode"], table["doing"], strict=True)
    ]
    yield "incidents (mode, doing)", found, [(row["mode"], row["doing"]) for row in rows]
    yield "interruptions", records.interruptions, sum(row["interruption"] for row in counted(scenario, rows))
    struck = [row["mode"] for row in counted(scenario, rows) if row["doing"] != "idle"]
    yield "incidents", records.incident_count, len(struck)
    yield "incidents by mode", records.incidents_by_mode.tolist(), [struck.count(mode) for mode in modes]
    for name in ("interruption", "transient", "nodes_lost"):
        yield name, table[name].tolist(), [row[name] for row in rows]
    times = ["time_s", "lost_s", "detection_s", "recovery_s", "waiting_s"]
    stages = [f"stage_{stage.name}_s" for stage in scenario.recovery.stages if stage.kind != "detect"]
    for name in [*times, *stages]:
        yield name, table[name], np.array([row.get(name, 0.0) for row in rows])


def _history(records: Records, naive: Naive) -> Iterator[Pair]:
    """What was done when: the productive time by each instant, and the strip of replication 0."""
    instants = np.linspace(0.0, records.end_s, len(records.curve))
    productive = [(start, end) for start, end, entry, _ in naive.spans if entry == "productive"]
    kept = sum((np.clip(instants, start, end) - start for start, end in productive), np.zeros(len(instants)))
    yield "curve", records.curve, kept
    if not records.strip:
        return
    begin, last = records.strip[0][0], records.strip[-1][1]
    gaps = [after[0] - before[1] for before, after in pairwise(records.strip)]
    yield "gaps in the strip", np.array(gaps), np.zeros(len(gaps))
    for entry in Entry:
        drawn = sum(end - start for start, end, activity, _ in records.strip if activity == entry.label)
        inside = ((max(start, begin), min(end, last)) for start, end, *_ in _spans(naive, entry.label))
        yield f"{entry.label} in the strip", float(drawn), sum(max(b - a, 0.0) for a, b in inside)


def _spans(naive: Naive, entry: str) -> list[tuple[float, float, str, str]]:
    return [span for span in naive.spans if span[2] == entry]


def counted(scenario: Scenario, rows: list[Row]) -> list[Row]:
    """Incidents after the warm-up."""
    return [row for row in rows if row["time_s"] >= scenario.simulation.warm_up]


def differ(engine: Any, oracle: Any, scale: float) -> bool:
    if isinstance(engine, float):
        both_missing = math.isnan(engine) and math.isnan(oracle)
        return not both_missing and not abs(engine - oracle) <= TOLERANCE * scale
    if isinstance(engine, np.ndarray):
        return engine.shape != oracle.shape or bool(np.any(~(np.abs(engine - oracle) <= TOLERANCE * scale)))
    return bool(engine != oracle)


def disagreements(scenario: Scenario, replication: int = 0, odd: bool = False) -> list[str] | None:
    """One line for each figure on which the two do not agree; None where rounding decides an order.

    If the instants are *odd*, rounding may decide wherever a failure nominally falls on one of them with
    another failure or a completion.
    """
    naive = Naive(scenario, replication).run()
    pairs = list(compared(scenario, simulate(scenario, replication), naive))
    found = [f"{name}: engine {a!r}, oracle {b!r}" for name, a, b in pairs if differ(a, b, max(naive.now, 1))]
    return None if naive.rounded or (odd and naive.coincided) else found
