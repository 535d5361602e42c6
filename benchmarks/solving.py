"""Does the interval of `solve` hold the exact answer in 95 of 100 experiments?  With four exact answers.

The expected ETTR of `known_answers.Plant`, exact for a finite run, is inverted for the restart, the cost of a
save, and the time between failures; the machine-repairman queue of `tests/theory` for the spares with which a
node is missing in at most 5 % of the time.  By itself: half an hour.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from known_answers import Plant
from scipy.optimize import brentq

from clustersim.scenario.model import Scenario
from clustersim.settings import Settings
from clustersim.studies.solve import solve

EXPERIMENTS = 400
BAND = 0.91, 0.9825
"""Of 400 intervals that hold the truth in 95 of 100 so many do, with probability 0.999."""
PLANT = Plant(horizon=20 * 3600.0, interval=900.0)
WANTED = 0.75
HERE = Settings(workers=1)
MISSING = 0.05
NAMES = {
    "recovery.stages.restart": "restart",
    "checkpoint.blocks": "blocks",
    "failures.any.mtbf": "mtbf",
}
ENDS = {"restart": (1.0, 3600.0), "blocks": (0.1, 900.0), "mtbf": (1000.0, 50_000.0)}


def exact(name: str) -> float:
    """Return the value with which the plant's expected ETTR is the wanted one."""
    return float(brentq(lambda x: replace(PLANT, **{name: x}).ettr - WANTED, *ENDS[name], xtol=1e-9))


def plant(path: str, number: int) -> tuple[float, float]:
    """Return the interval of one experiment on the plant."""
    scenario = Scenario.model_validate(PLANT.document(1000 + number, replications=8))
    low, high = ENDS[NAMES[path]]
    found = solve(scenario, path=path, until=f"ettr >= {WANTED}", between=f"{low} s..{high} s", settings=HERE)
    return ends(found)


def ends(found: Any) -> tuple[float, float]:
    """Return the ends of an interval, infinite where they lie beyond all that was tried."""
    low = -math.inf if found.low is None else found.low.si
    return low, math.inf if found.high is None else found.high.si


def fleet(spares: int) -> Any:
    """Return the queue with so many spares: constant failures of 12 nodes, three crews, no other delay."""
    import sys

    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    from tests.theory.test_queues import Fleet

    return Fleet(nodes=12, spares=spares, crews=3, spare_failures=1.0, mtbf=100.0, repair=10.0)


def spares(number: int) -> tuple[float, float]:
    """Return the interval of one experiment on the queue."""
    document = fleet(0).document()
    few = {"horizon": "2000 h", "warm_up": "300 h", "replications": 8, "seed": 1000 + number}
    document["simulation"] |= few
    scenario = Scenario.model_validate(document)
    until = f"spares.waiting <= {MISSING}"
    return ends(solve(scenario, path="cluster.spares", until=until, between="0..16", settings=HERE))


def cases() -> Iterator[tuple[str, float, Callable[[int], tuple[float, float]], tuple[float, float]]]:
    """Yield the path of each value, its exact answer, the experiment, and how often it should be held."""
    for path, name in NAMES.items():
        yield path, exact(name), partial(plant, path), BAND
    enough = next(count for count in range(99) if fleet(count).waits <= MISSING)
    yield "cluster.spares", float(enough), spares, (BAND[0], 1.0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--experiments", type=int, default=EXPERIMENTS)
    parser.add_argument("--workers", type=int)
    given = parser.parse_args()
    with ProcessPoolExecutor(given.workers) as pool:
        for path, truth, experiment, (low, high) in cases():
            found = list(pool.map(experiment, range(given.experiments), chunksize=4))
            held = sum(first <= truth <= last for first, last in found) / len(found)
            widths = sorted((last - first) / truth for first, last in found)
            verdict = "as wanted" if low <= held <= high else "NOT as wanted"
            print(
                f"{path:<26}exact {truth:10.4g}   held in {held:6.2%} of {len(found)}"
                f" ({low:.1%} to {high:.2%} wanted: {verdict}), half of them narrower than"
                f" {widths[len(widths) // 2]:.1%}",
                flush=True,
            )


if __name__ == "__main__":
    main()
