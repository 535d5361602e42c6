"""Scenarios of one question each, for the tests of tuning."""

from __future__ import annotations

from typing import Any

from clustersim.experiment import Settings
from clustersim.scenario.model import Scenario

HERE = Settings(workers=1)
HOUR, MINUTE = 3600.0, 60.0
# mtbf, blocks, restart: the rows of the table on the page of the model
TABLE = [
    (24 * HOUR, 300, 600),
    (2.5 * HOUR, 60, 300),
    (18 * MINUTE, 5, 180),
    (HOUR, 600, 600),
    (HOUR, 3600, 600),
]


def job(
    mtbf: float = HOUR,
    blocks: float = 30,
    restart: float = 300,
    lives: float = 100,
    replications: int = 8,
    interval: str = "daly",
    **more: Any,
) -> Scenario:
    """One job that fails every *mtbf* seconds, simulated for so many of its *lives*; *more* blocks."""
    spec = {
        "name": "job",
        "cluster": {"gpus": 1_000},
        "failures": {"any": {"per": "job", "mtbf": f"{mtbf!r} s", "clock": "calendar"}},
        "checkpoint": {"interval": interval, "blocks": f"{blocks!r} s"},
        "recovery": {"stages": {"start": f"{restart!r} s"}},
        "simulation": {"horizon": f"{lives * mtbf!r} s", "replications": replications},
    }
    return Scenario.model_validate(spec | more)
