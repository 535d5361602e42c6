"""What all benchmarks share: the best of several runs, and the peak memory of this process."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable
from pathlib import Path


def best_of(times: int, work: Callable[[], object], clock: Callable[[], float] = time.process_time) -> float:
    """Return the shortest of so many runs, in seconds: the one that was disturbed least.

    The clock is that of this process's own computing, which other programs disturb less than the wall's.
    """
    return min(_seconds(work, clock) for _ in range(times))


def _seconds(work: Callable[[], object], clock: Callable[[], float]) -> float:
    start = clock()
    work()
    return clock() - start


def peak_megabytes() -> float:
    """Return the largest resident size that this process ever had, in MB.

    Linux keeps it per program in /proc; getrusage would count the parent's memory before the program began.
    """
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024 / 1e6
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
