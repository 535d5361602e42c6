"""What a Dask cluster costs, against worker processes of this machine; and the load that a scheduler bears.

A replication of `small` takes some milliseconds, so that all that is not simulating shows.  The stub task
stands for a bundle: it has the arguments and the result of one, and does nothing.
"""

from __future__ import annotations

import pickle
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from statistics import median
from typing import Any

MANY, FEW, STUBS = 10_000, 1_000, 5_000
WORKERS = 2
SPEC: dict[str, Any] = {
    "name": "small",
    "cluster": {"gpus": 64},
    "failures": {"job": {"per": "job", "mtbf": "1 h", "clock": "calendar"}},
    "checkpoint": {"interval": "30 min", "blocks": "1 min"},
    "recovery": {"stages": {"detect": "1 min", "restart": "4 min"}},
    "simulation": {"horizon": "4 d", "seed": 1},
}
RESULT = b"x" * 1_100
"""About what a study keeps of a replication of a million cards."""


def stub(payload: bytes, numbers: Sequence[int]) -> list[bytes]:
    """Stand for a bundle of replications."""
    return [RESULT for _ in numbers]


def seconds(work: Callable[[], object]) -> float:
    """Return how long *work* takes by the clock."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def measured(executor: Any, count: int) -> Callable[[], object]:
    """Return a study of *count* replications of the scenario: its ETTR, nothing on disk."""
    from clustersim.scenario.model import Scenario
    from clustersim.settings import Settings
    from clustersim.studies.study import simulations

    given, settings = Scenario.model_validate(SPEC), Settings(workers=WORKERS, executor=executor)

    def work() -> None:
        with simulations(settings, None, "benchmark", given) as running:
            running.ettr([given], range(count))

    return work


def small_replications(client: Any) -> None:
    """Print what many small replications take on processes of this machine, and through Dask."""
    ratios = []
    for _ in range(3):
        local, dask = (seconds(measured(executor, MANY)) for executor in (None, client))
        ratios.append(dask / local)
        each = (dask - local) / MANY * 1e3
        print(f"  {MANY:,} small replications  local {local:6.1f} s, Dask {dask:6.1f} s, {each:+.2f} ms each")
    print(f"  Dask over local            {median(ratios):.2f} (at most 2 wanted)")


def one_by_one(client: Any) -> None:
    """Print what a bundle costs: as many of them as replications, against bundles of a second."""
    from clustersim import dask_workers

    together, usual = seconds(measured(client, FEW)), dask_workers.BUNDLE_S
    dask_workers.BUNDLE_S = dask_workers.Dask.lively = 0.0
    apart = seconds(measured(client, FEW))
    dask_workers.BUNDLE_S = dask_workers.Dask.lively = usual
    print(f"  a bundle                   {(apart - together) / FEW * 1e3:6.2f} ms more than within another")


def scheduler_load(client: Any) -> None:
    """Print how many empty bundles a second a scheduler and a client come by, and what each costs them."""
    from clustersim.scenario.model import Scenario

    payload = pickle.dumps((Scenario.model_validate(SPEC), None))
    executor = client.get_executor(pure=False)
    before = client.run_on_scheduler(time.process_time), time.process_time()
    taken = seconds(
        lambda: [each.result() for each in [executor.submit(stub, payload, range(4)) for _ in range(STUBS)]]
    )
    after = client.run_on_scheduler(time.process_time), time.process_time()
    there, here = (1e3 * (last - first) / STUBS for first, last in zip(before, after, strict=True))
    print(f"  {STUBS:,} empty bundles        {STUBS / taken:6.0f} a second")
    print(f"  computing for each         {there:6.2f} ms by the scheduler, {here:.2f} ms by the client")


@contextmanager
def cluster() -> Iterator[Any]:
    """Yield a client of a scheduler and workers that are processes of their own."""
    from distributed import Client

    with tempfile.TemporaryDirectory() as folder:
        file = f"{folder}/scheduler.json"
        common = ["--scheduler-file", file, "--no-dashboard"]
        counts = ["--nworkers", str(WORKERS), "--nthreads", "1", "--memory-limit", "0"]
        commands = ["dask_scheduler", "--port", "0", *common], ["dask_worker", *counts, *common]
        started = [
            subprocess.Popen(
                [sys.executable, "-m", f"distributed.cli.{name}", *arguments], stderr=subprocess.DEVNULL
            )
            for name, *arguments in commands
        ]
        try:
            with Client(scheduler_file=file) as client:
                client.wait_for_workers(WORKERS)
                yield client
        finally:
            for process in reversed(started):
                process.terminate()
                process.wait()


def main() -> None:
    with cluster() as client:
        print(f"Dask on {WORKERS} worker processes of one thread each, on this machine")
        small_replications(client)
        one_by_one(client)
        scheduler_load(client)


if __name__ == "__main__":
    main()
