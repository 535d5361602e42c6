"""Replications of several scenarios at once, of which only what is asked for is kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from clustersim.experiment import Settings, simulator
from clustersim.records import Records
from clustersim.scenario.describe import replication_s
from clustersim.scenario.model import Scenario
from clustersim.workers import Batch

Kept = TypeVar("Kept")

BATCHES_PER_WORKER = 4


def histories(
    scenarios: Sequence[Scenario],
    replications: Sequence[int],
    settings: Settings,
    keep: Callable[[Records], Kept],
) -> list[list[Kept]]:
    """Return, for each scenario, what *keep* makes of each of the *replications*, in their order.

    The same replication meets the same failures in every scenario.  Raises RunError where a worker dies.
    """
    found: list[dict[int, Kept]] = [{} for _ in scenarios]
    wanted = len(scenarios) * len(replications)
    with simulator(scenarios, settings) as machine:
        for batch, finished in machine.finished(_batches(scenarios, replications, settings.processes)):
            found[batch.place] |= {records.replication: keep(records) for records in finished}
            settings.progress.advance(sum(len(kept) for kept in found), wanted)
    return [[kept[replication] for replication in replications] for kept in found]


def _batches(scenarios: Sequence[Scenario], replications: Sequence[int], workers: int) -> list[Batch]:
    """Return all replications of all scenarios in batches that keep the workers busy to the end."""
    size = max(len(scenarios) * len(replications) // (BATCHES_PER_WORKER * workers), 1)
    size = min(size, len(replications))
    return [
        Batch(place, replications[start : start + size], replication_s(scenario))
        for place, scenario in enumerate(scenarios)
        for start in range(0, len(replications), size)
    ]
