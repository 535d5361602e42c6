"""Scenarios of one question each, for the tests of tuning."""

from __future__ import annotations

from typing import Any

from clustersim.scenario.model import Scenario
from clustersim.settings import Settings

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


TIERS = """\
name: two
cluster: {gpus: 64, nodes_per_rack: 2}
failures:
  node: {per: node, mtbf: 8 d}
  rack: {per: rack, mtbf: 40 d, repair: 1 d}
checkpoint:
  tiers:
    peer: {interval: 10 min, blocks: 5 s, load: 10 s, survives: [job, gpu, node]}   # quick
    storage: {interval: 3 h, blocks: 1 min, load: 5 min}
recovery: {stages: {detect: 30 s, start: 4 min, load: checkpoint}}
simulation: {horizon: 10 d, replications: 4}
sources: {checkpoint.tiers.peer.interval: a guess, failures.node.mtbf: a log}
"""

FULL: dict[str, Any] = {
    "name": "full",
    "cluster": {"gpus": 64, "spares": 1, "nodes_per_rack": 2},
    "failures": {
        "node": {"per": "node", "rate": "1 / 100 node-days", "repair": "1 d"},
        "rack": {"per": "rack", "mtbf": "90 d"},
        "hang": {
            "per": "job",
            "lifetime": {"empirical": ["3 d", "9 d"]},
            "effect": "hang",
            "detect": "10 min",
        },
    },
    "checkpoint": {"interval": "1 h", "blocks": "20 s", "durable_after": "3 min", "load": "2 min"},
    "recovery": {
        "stages": {
            "detect": "1 min",
            "start": {"lognormal": {"median": "4 min", "sigma": 1, "at_most": "1 h"}, "fails": "10 %"},
            "collectives": {"over_gpus": {16: "10 s", 1024: "80 s"}},
            "load": "checkpoint",
        }
    },
    "simulation": {"horizon": "20 d", "replications": 4},
}
"""A scenario with something of all that is offered to be changed."""


def full(**blocks: Any) -> Scenario:
    """The full scenario with other *blocks*."""
    return Scenario.model_validate(FULL | blocks)
