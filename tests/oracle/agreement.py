"""What the engine and the naive simulator must agree on, and where they do not."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np

from clustersim.engine.ledger import Causes, Entry
from clustersim.engine.replication import simulate
from clustersim.records import PEER, Phase, Records, StripRow
from clustersim.scenario.model import Scenario
from tests.oracle.naive import Naive, Row

TOLERANCE = 1e-9
TIMES = [f"{what}_s" for what in ("time", "lost", "detection", "recovery", "waiting", "down")]
TIMES += [f"{what}_s" for what in ("stall", "idle", "slow", "corrupted")]
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
        for row, cause in enumerate(causes[: len(records.charges)]):
            value = float(records.charges[row, entry]) / cards
            yield f"{entry.label} charged to {cause}", value, naive.charges[cause, entry.label]
    yield from _incidents(scenario, records, naive)
    yield from _history(scenario, records, naive)
    yield from _fleet(records, naive)


def _incidents(scenario: Scenario, records: Records, naive: Naive) -> Iterator[Pair]:
    table, modes = records.incidents, list(scenario.failures)
    rows = naive.incidents
    found = [
        (modes[mode], Phase(doing).label) for mode, doing in zip(table["mode"], table["doing"], strict=True)
    ]
    yield "incidents (mode, doing)", found, [(row["mode"], row["doing"]) for row in rows]
    yield "interruptions", records.interruptions, sum(row["interruption"] for row in counted(scenario, rows))
    struck = [row["mode"] for row in counted(scenario, rows) if row["doing"] != "idle"]
    yield "incidents", records.incident_count, len(struck)
    yield "incidents by mode", records.incidents_by_mode.tolist(), [struck.count(mode) for mode in modes]
    for name in ("node", "interruption", "transient", "nodes_lost", "replica"):
        if name in table:
            yield name, table[name].tolist(), [row[name] for row in rows]
    if "tier" in table:
        tiers = [*([tier.name for tier in scenario.checkpoint.tiers] if scenario.checkpoint else []), PEER]
        yield (
            "tier",
            table["tier"].tolist(),
            [tiers.index(row["tier"]) if row["tier"] else -1 for row in rows],
        )
    times = [name for name in TIMES if name in table or any(row.get(name) for row in rows)]
    stages = [f"stage_{stage.name}_s" for stage in scenario.recovery.stages if stage.kind != "detect"]
    for name in [*times, *stages]:
        yield name, table.get(name, np.zeros(0)), np.array([row.get(name, 0.0) for row in rows])


def _history(scenario: Scenario, records: Records, naive: Naive) -> Iterator[Pair]:
    """What was done when: the productive time by each instant, and the strip of replication 0."""
    instants = np.linspace(0.0, records.end_s, len(records.curve))
    kept = np.zeros(len(instants))
    for span in naive.spans:
        if span.entry == "productive":
            kept += span.share * (np.clip(instants, span.start, span.end) - span.start)
    yield "curve", records.curve, kept
    if records.strip:
        yield from _strip(scenario, records, naive)


def _strip(scenario: Scenario, records: Records, naive: Naive) -> Iterator[Pair]:
    """How long what is drawn of the job, or of a replica by itself, in the window that is shown."""
    rows = [StripRow(*row) for row in records.strip]
    begin, last = min(row.start for row in rows), max(row.end for row in rows)
    drawn: dict[tuple[int, str, str], float] = defaultdict(float)
    happened: dict[tuple[int, str, str], float] = defaultdict(float)
    for row in rows:
        drawn[row.lane, row.activity, row.detail] += row.end - row.start
    for span in naive.spans:
        lane = span.lane if scenario.recovery.replicas > 1 else -1
        detail = "" if span.entry in ("checkpoint", "maintenance") else span.detail
        seconds = min(span.end, last) - max(span.start, begin)
        if span.entry != "slow" and seconds > 0:
            happened[lane, span.entry, detail] += seconds
    for key in sorted({*drawn, *happened}):
        yield f"{key} in the strip", drawn[key], happened[key]
    for lane in {row.lane for row in rows}:
        ends = [(row.start, row.end) for row in rows if row.lane == lane]
        overlaps = sum(max(before[1] - after[0], 0.0) for before, after in pairwise(sorted(ends)))
        yield f"overlaps in lane {lane} of the strip", overlaps, 0.0


def _fleet(records: Records, naive: Naive) -> Iterator[Pair]:
    """How long how many nodes were away, how long someone waited for one, and both along the run."""
    fleet = records.fleet
    if fleet is None:
        return
    away = np.zeros(max([len(fleet.away_s), *(count[2] + 1 for count in naive.counts)]))
    for _, seconds, nodes, _ in naive.counts:
        away[nodes] += seconds
    yield "away", np.pad(fleet.away_s, (0, len(away) - len(fleet.away_s))), away
    yield "waited for a node", float(fleet.waiting_s), naive.waiting_s
    instants = np.linspace(0.0, records.end_s, len(fleet.away_curve))
    begins = np.array([count[0] for count in naive.counts])
    apart = np.abs(begins[begins > 0, np.newaxis] - instants)
    clear = apart.min(axis=0, initial=np.inf) > 1e-6
    place = np.searchsorted(begins, instants, side="right") - 1
    for name, curve, column in (("away", fleet.away_curve, 2), ("idle", fleet.idle_curve, 3)):
        then = np.array([count[column] for count in naive.counts])[place]
        yield f"{name} along the run", curve[clear][:-1], then[clear][:-1]


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


def unbalanced(records: Records, cards: int) -> Iterator[str]:
    """Name what is not conserved: a card-second is booked once, and charged to somebody or productive."""
    due, charges = records.wall_s * cards, records.charges
    slack, wasted = TOLERANCE * due, due - records.ledger["productive"]
    if abs(math.fsum(records.ledger.values()) - due) > slack:
        yield f"{due} card-seconds are booked as {records.ledger}"
    if abs(charges.sum() - wasted) > slack or charges[:, Entry.PRODUCTIVE].any():
        yield f"{wasted} wasted card-seconds are charged as {charges}"
    if min(charges.min(), *records.ledger.values()) < -slack:
        yield f"less than nothing is booked or charged: {records.ledger}, {charges}"
    if np.any(np.diff(records.curve) < -1e-6):
        yield "productive time is taken back"


def disagreements(scenario: Scenario, replication: int = 0) -> list[str] | None:
    """One line for each figure on which the two do not agree; None if rounding may have decided an order."""
    naive, records = Naive(scenario, replication).run(), simulate(scenario, replication)
    if lost := list(unbalanced(records, scenario.cluster.gpus)):
        return lost
    pairs = list(compared(scenario, records, naive))
    found = [f"{name}: engine {a!r}, oracle {b!r}" for name, a, b in pairs if differ(a, b, max(naive.now, 1))]
    return None if found and naive.rounded else found
