"""A sweep of `chen-100k` over 20 sizes and 10 restart times: points per second; memory of many points."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable

from timing import best_of, peak_megabytes

GRID = {"cluster.gpus": "10k..200k:20", "recovery.stages.restart": "1min..10min:10log"}
WHOLE = {"simulation.horizon": "10 d", "simulation.replications": "16"}
SHORT = {"simulation.horizon": "10 min", "simulation.replications": "2"}
MANY = {"cluster.gpus": "10k..200k:100", "recovery.stages.restart": "1min..10min:100log"}


def whole(workers: int | None, clock: Callable[[], float], retune: bool = False) -> float:
    """Return the seconds of the sweep on so many *workers*."""
    from clustersim import load
    from clustersim.settings import Settings
    from clustersim.studies.sweep import sweep

    scenario, settings = load("chen-100k", WHOLE), Settings(workers=workers)
    return best_of(1, lambda: sweep(scenario, vary=GRID, retune=retune, settings=settings), clock)


def memory() -> None:
    """Print the peak memory of a sweep of 10,000 points, short ones: what is kept does not depend on that."""
    import tempfile

    from clustersim import load
    from clustersim.settings import Settings
    from clustersim.studies.sweep import sweep

    with tempfile.TemporaryDirectory() as folder:
        sweep(load("chen-100k", SHORT), f"{folder}/sweep", vary=MANY, settings=Settings(workers=1))
    print(f"{peak_megabytes():.0f}")


def main() -> None:
    alone, together = whole(1, time.process_time), whole(None, time.perf_counter)
    retuned = whole(1, time.process_time, retune=True)
    print("chen-100k, 20 sizes x 10 restart times x 16 replications of 10 days")
    print(f"  on one core            {alone:5.1f} s of computing, {200 / alone:.1f} points a second")
    print(f"  on all cores           {together:5.1f} s by the clock (60 s wanted on 2 cores)")
    print(f"  each point retuned     {retuned:5.1f} s of computing on one core")
    command = [sys.executable, __file__, "memory"]
    peak = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    print(f"  peak memory of 10,000 points  {peak.strip()} MB (500 MB allowed)")


if __name__ == "__main__":
    memory() if sys.argv[1:] == ["memory"] else main()
