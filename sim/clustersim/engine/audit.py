"""From the journal of a finished run to its records, with the ledger closed.

A job of 8 cards runs to 10,000 s with a warm-up of 1,000 s.  The ledger must then add up to 8 x 9,000
card-seconds, or `LedgerError` is raised; a failure at 500 s keeps its row in the table of incidents but is
not counted.  The curve of productive time shows the run from 0 s on, warm-up included.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from clustersim.arrays import Array
from clustersim.engine.fleet import FleetLog, charged_waiting, fleet_use, returns
from clustersim.engine.incidents import incident_table
from clustersim.engine.journal import NOBODY, Journal
from clustersim.engine.ledger import Causes, book
from clustersim.engine.segments import Segments, Training, sums
from clustersim.engine.timeline import TimelineWindow, curve, curve_instants
from clustersim.records import Phase, Records
from clustersim.scenario.model import Scenario


class Outcome(NamedTuple):
    """When a run ended (s), when it reached its target (s, NaN if never), the fewest spares ever idle.

    `drawn` says whether any number was drawn at random on the way.
    """

    end_s: float
    reached_s: float
    spares_left: int
    drawn: bool


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
    ledger = book(phases, training.book, causes, by_mode, cards=cards, stages=len(stages), warm_up=warm_up)
    ledger.close(cards, end - warm_up)
    incidents = incident_table(lines, phases, training, waiting.charged, stages, replication)
    incidents |= returns(log, len(lines.time))
    counts = _counts(incidents, warm_up, modes)
    window = TimelineWindow.of_interruptions(end, counts["interruptions"], stages, causes.names)
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
        strip=window.rows(phases, training) if replication == 0 else (),
        fleet=fleet_use(log, phases, curve_instants(end), warm_up, end),
    )


def _counts(incidents: Mapping[str, Array], warm_up: float, modes: int) -> dict[str, Any]:
    """Count the failures that hit the job after the warm-up; those of idle spares do not."""
    counted = (incidents["time_s"] >= warm_up) & (incidents["doing"] != Phase.IDLE)
    return {
        "interruptions": int(np.count_nonzero(counted & incidents["interruption"])),
        "incident_count": int(np.count_nonzero(counted)),
        "incidents_by_mode": np.bincount(incidents["mode"][counted], minlength=modes),
    }


def _table(segments: Segments) -> dict[str, Array]:
    """Return the segments by column; `broken` are those whose unsaved work was lost."""
    start, end, _, kept, _, cause, _ = segments
    return {"start": start, "end": end, "kept": kept, "broken": cause != NOBODY}
