"""Scenarios of one mode or two for the theory tests, and their replications."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from clustersim.engine.replication import simulate
from clustersim.records import Records
from clustersim.scenario.model import Scenario

Spec = dict[str, Any]


def seconds(value: float) -> str:
    return f"{value:.17g} s"


def spec(gpus: int = 8, failures: Any = "none", horizon: float = 1e6, seed: int = 1, **blocks: Any) -> Spec:
    """A scenario document; without more blocks the job neither saves nor takes time to recover."""
    return {
        "name": "theory",
        "cluster": {"gpus": gpus, **blocks.pop("cluster", {})},
        "failures": failures,
        "checkpoint": blocks.pop("checkpoint", "none"),
        "simulation": {"horizon": seconds(horizon), "seed": seed, **blocks.pop("simulation", {})},
        **blocks,
    }


def daly_spec(mtbf: float, blocks: float, restart: float, interval: float, horizon: float, seed: int) -> Spec:
    """The job of Daly's formula: exponential failures at all times, constant restart."""
    return spec(
        failures={"any": {"per": "cluster", "mtbf": seconds(mtbf)}},
        horizon=horizon,
        seed=seed,
        checkpoint={"interval": seconds(interval), "blocks": seconds(blocks)},
        recovery={"stages": {"restart": seconds(restart)}},
    )


def replications(document: Spec, count: int) -> Iterator[Records]:
    """The first replications of a scenario."""
    scenario = Scenario.model_validate(document)
    return (simulate(scenario, index) for index in range(count))


def share(records: Records, *entries: str) -> float:
    """What share of all card-seconds these entries of the ledger have."""
    return sum(records.ledger[entry] for entry in entries) / sum(records.ledger.values())


def outcomes(document: Spec, count: int) -> Iterator[tuple[float, int]]:
    """The productive share and the number of incidents of each of the first replications."""
    return ((records.ettr, records.incident_count) for records in replications(document, count))
