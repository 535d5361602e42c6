"""Forty intervals scored on common outages, against simulating each; the share of scoring; a whole `tune`."""

from __future__ import annotations

import time
from collections.abc import Callable

from timing import best_of

CANDIDATES = 40
SHORT = {"simulation.horizon": "5 d", "simulation.replications": "32"}
WHOLE = {"simulation.horizon": "30 d", "simulation.replications": "64"}


def ratio() -> float:
    """Return how many times longer simulating each of 40 intervals takes than scoring them, end to end."""
    from clustersim import load
    from clustersim.settings import Settings
    from clustersim.studies.tune import tune

    scenario, here = load("chen-100k", SHORT), Settings(workers=1)
    scored = best_of(3, lambda: tune(scenario, candidates=CANDIDATES, settings=here))
    return best_of(1, lambda: tune(scenario, candidates=CANDIDATES, simulate=True, settings=here)) / scored


def share_of_scoring() -> float:
    """Return the time that scoring 40 intervals takes over the time that simulating their outages takes."""
    import numpy as np

    from clustersim import load
    from clustersim.engine.replication import simulate
    from clustersim.store import Measurements
    from clustersim.studies.search import SEGMENTS, Outages, schedule_of

    scenario = load("chen-100k", SHORT)
    replications = range(scenario.simulation.replications)
    store = Measurements(SEGMENTS)
    for replication in replications:
        store.put(simulate(scenario, replication))
    simulating = best_of(3, lambda: [simulate(scenario, replication) for replication in replications])
    outages = Outages.of(store.first(len(replications)), 0.0)
    intervals = np.geomspace(10.0, 600.0, CANDIDATES).tolist()
    scoring = best_of(5, lambda: [outages.ettr(schedule_of(scenario, interval)) for interval in intervals])
    return scoring / simulating


def whole(workers: int | None, clock: Callable[[], float]) -> float:
    """Return the seconds of `tune chen-100k` with 64 replications of 30 days and as many *workers*."""
    from clustersim import load
    from clustersim.settings import Settings
    from clustersim.studies.tune import tune

    scenario, settings = load("chen-100k", WHOLE), Settings(workers=workers)
    return best_of(1, lambda: tune(scenario, candidates=CANDIDATES, settings=settings), clock)


def main() -> None:
    print(f"chen-100k, {CANDIDATES} intervals")
    print(f"  simulating each / scoring on common outages   {ratio():5.1f} (25 wanted)")
    print(f"  scoring / simulating the outages              {share_of_scoring():6.2%} (5 % allowed)")
    alone, together = whole(1, time.process_time), whole(None, time.perf_counter)
    print(f"  64 replications of 30 d and 32 fresh ones     {alone:5.1f} s of computing on one core")
    print(f"  the same on all cores, by the clock           {together:5.1f} s (5 s wanted on 2 cores)")


if __name__ == "__main__":
    main()
