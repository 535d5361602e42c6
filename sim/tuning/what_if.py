"""What else moves the best interval: other values of the scenario, each tuned anew."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sim.estimate import Estimate
from sim.experiment import Settings
from sim.scenario.model import Scenario
from sim.tuning.tune import CANDIDATES, tune
from sim.tuning.variants import variant

BLOCKS = "checkpoint.blocks"


@dataclass(frozen=True, slots=True)
class WhatIf:
    """The best interval (s) and its ETTR on fresh replications, were *value* what stands at *path*."""

    path: str
    value: str
    gpus: int
    interval_s: float
    best_s: float | None
    range_s: tuple[float, float] | None
    ettr: Estimate | None


def what_if(
    scenario: Scenario,
    path: str,
    values: Sequence[str],
    *,
    candidates: int = CANDIDATES,
    settings: Settings | None = None,
) -> list[WhatIf]:
    """Return the best interval for each of *values* at the dotted *path*, on common random numbers.

    Raises ScenarioError where a value does not fit.
    """
    changed = [variant(scenario, {path: value}) for value in values]
    found = [tune(one, candidates=candidates, settings=settings) for one in changed]
    return [
        WhatIf(
            path,
            value,
            tuning.scenario.cluster.gpus,
            tuning.now_s,
            tuning.best_s,
            tuning.range_s,
            tuning.ettr_at_best,
        )
        for value, tuning in zip(values, found, strict=True)
    ]
