"""From the journal of a finished run to its records, with the books closed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from clustersim.engine.fleet import FleetLog, curves, seconds_away
from clustersim.engine.incidents import incident_table
from clustersim.engine.journal import NOBODY, Journal, Phases
from clustersim.engine.ledger import Causes, book
from clustersim.engine.segments import Segments, Training, sums
from clustersim.engine.timeline import POINTS, Strip, curve
from clustersim.engine.waiting import charged_waiting
from clustersim.records import FleetUse, Phase, Records
from clustersim.scenario.model import Scenario

Array = np.ndarray[Any, np.dtype[Any]]


class Outcome(NamedTuple):
    """How a run ended: when, when it reached its target, the fewest spares that were idle.

    And whether any number was `drawn` at random on the way.
    """

    end_s: float
    reached_s: float
    spares_left: int
    drawn: bool


def fleet_use(log: FleetLog, phases: Phases, warm_up: float, end: float) -> FleetUse:
    """Return how many nodes were away, and how long anyone waited for one."""
    away, idle = curves(log, np.linspace(0.0, end, POINTS + 1))
    waiting = phases.phase == Phase.WAITING
    start, stop = np.maximum(phases.start[waiting], warm_up), np.maximum(phases.end[waiting], warm_up)
    order = np.argsort(start, kind="stable")
    start, stop = start[order], stop[order]
    covered = np.concatenate(([warm_up], np.maximum.accumulate(stop)[:-1])) if stop.size else stop
    waited = np.maximum(stop - np.maximum(start, covered), 0.0).sum()
    return FleetUse(seconds_away(log, warm_up, end), float(waited), away, idle)


def audit(
    scenario: Scenario,
    replication: int,
    outcome: Outcome,
    causes: Causes,
    journal: Journal,
    training: Training,
    log: FleetLog,
    stages: Sequence[str],
) -> Records:
    """Return the records of a run; raise `LedgerError` where its ledger does not add up."""
    warm_up, cards, end = scenario.simulation.warm_up, scenario.cluster.gpus, outcome.end_s
    phases, segments, lines = journal.phases, training.segments, journal.incidents
    modes = len(scenario.failures)
    waiting = charged_waiting(log, phases, len(lines.time), warm_up)
    by_mode = sums(lines.mode, waiting.counted, modes)
    ledger = book(phases, training, causes, by_mode, cards=cards, stages=len(stages), warm_up=warm_up)
    ledger.close(cards, end - warm_up)
    incidents = incident_table(lines, phases, training, waiting.charged, stages, replication)
    counts = _counts(incidents, warm_up, modes)
    strip = Strip.of_interruptions(end, counts["interruptions"], stages, causes.names)
    return Records(
        replication=replication,
        **outcome._asdict(),
        **counts,
        wall_s=end - warm_up,
        progress_s=float(segments.kept.sum()),
        ledger=ledger.entries,
        charges=ledger.charges,
        stages=ledger.stages,
        curve=curve(training, end),
        incidents=incidents,
        segments=_table(segments),
        strip=strip.rows(phases, training) if replication == 0 else (),
        fleet=fleet_use(log, phases, warm_up, end),
    )


def _counts(incidents: Mapping[str, Array], warm_up: float, modes: int) -> dict[str, Any]:
    """Count what struck the job after the warm-up."""
    counted = (incidents["time_s"] >= warm_up) & (incidents["doing"] != Phase.IDLE)
    return {
        "interruptions": int(np.count_nonzero(counted & incidents["interruption"])),
        "incident_count": int(np.count_nonzero(counted)),
        "incidents_by_mode": np.bincount(incidents["mode"][counted], minlength=modes),
    }


def _table(segments: Segments) -> dict[str, Array]:
    """Return the segments by column; those are broken that lost what was not saved."""
    start, end, _, kept, _, cause, _ = segments
    return {"start": start, "end": end, "kept": kept, "broken": cause != NOBODY}
