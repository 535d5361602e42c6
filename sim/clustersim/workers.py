"""Worker processes that simulate replications; this is all that they import of what lies above the engine.

Each worker gets the scenarios once, when it starts.  A worker ends with its parent, even one that is killed.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import sys
import threading
import time
import types
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from typing import NamedTuple

from clustersim.engine.replication import simulate
from clustersim.records import Records
from clustersim.scenario.model import Scenario

PARENT_KILLED = 1
WORTH_A_POOL = 1.0
"""Expected seconds of simulating below which starting workers takes longer than it saves."""
WORTH_TIDYING = 0.1
"""Expected seconds of a replication from which on what the last one left behind is worth looking for."""

_scenarios: Sequence[Scenario] = ()


class Batch(NamedTuple):
    """Some replications of the scenario in one place of a list: what a worker does in one go.

    `seconds` is about what one replication takes, `taken` what all of them took, once they are finished.
    """

    place: int
    replications: Sequence[int]
    seconds: float = 0.0
    taken: float = 0.0


class Finished(NamedTuple):
    """Replications that are finished, and the seconds of one core that simulating them took."""

    records: list[Records]
    taken: float


def begin(scenarios: Sequence[Scenario]) -> None:
    """Start a worker: keep the scenarios, leave Ctrl-C to the parent, and watch for its end."""
    global _scenarios
    _scenarios = scenarios
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(PARENT_KILLED)


def work(batch: Batch) -> Finished:
    """Simulate the replications of a batch, in a worker that `begin` has started."""
    if batch.seconds > WORTH_TIDYING:
        gc.collect()
    return work_anywhere(_scenarios[batch.place], batch.replications)


def work_anywhere(scenario: Scenario, replications: Sequence[int]) -> Finished:
    """Simulate some replications of *scenario*, in a worker of which nothing is known."""
    started = time.thread_time()
    records = [simulate(scenario, replication) for replication in replications]
    return Finished(records, time.thread_time() - started)


class InProcess:
    """Simulates in this process, one replication after the other."""

    def __init__(self, scenarios: Sequence[Scenario]) -> None:
        self._scenarios = scenarios

    def finished(self, batches: Sequence[Batch]) -> Iterator[tuple[Batch, list[Records]]]:
        """Yield each replication as it is finished."""
        for batch in batches:
            for replication in batch.replications:
                done = work_anywhere(self._scenarios[batch.place], [replication])
                yield batch._replace(taken=done.taken), done.records


class Local:
    """Simulates on this machine: in this process what is done in a moment, in worker processes the rest."""

    def __init__(self, scenarios: Sequence[Scenario], workers: int) -> None:
        self._scenarios = scenarios
        self._workers = workers
        self._pool: Pool | None = None

    def finished(self, batches: Sequence[Batch]) -> Iterator[tuple[Batch, list[Records]]]:
        """Yield batches, or replications, in the order in which they are finished."""
        expected = sum(batch.seconds * len(batch.replications) for batch in batches)
        if self._workers == 1 or (self._pool is None and expected < WORTH_A_POOL):
            return InProcess(self._scenarios).finished(batches)
        self._pool = self._pool or Pool(self._scenarios, self._workers)
        return self._pool.finished(batches)

    def close(self) -> None:
        """Let the workers end: they have nothing left to do."""
        if self._pool:
            self._pool.close()
            self._pool = None

    def kill(self) -> None:
        """End the workers at once, whatever they do."""
        if self._pool:
            self._pool.kill()


class Outside:
    """Simulates on an executor that somebody else made and will close; scenarios travel with each batch."""

    def __init__(self, scenarios: Sequence[Scenario], executor: Executor) -> None:
        self._scenarios = scenarios
        self._executor = executor

    def finished(self, batches: Sequence[Batch]) -> Iterator[tuple[Batch, list[Records]]]:
        """Yield batches in the order in which they are finished; what is not wanted any more is cancelled."""
        futures = {
            self._executor.submit(work_anywhere, self._scenarios[batch.place], batch.replications): batch
            for batch in batches
        }
        try:
            yield from _as_finished(futures)
        finally:
            for future in futures:
                future.cancel()


class Pool:
    """Simulates in worker processes of its own, forked from a server that has the engine loaded."""

    def __init__(self, scenarios: Sequence[Scenario], workers: int) -> None:
        method = "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"
        context = multiprocessing.get_context(method)
        if method == "forkserver":
            context.set_forkserver_preload([__name__])
        self._others = set(multiprocessing.active_children())
        self._executor = ProcessPoolExecutor(workers, context, begin, (scenarios,))

    def finished(self, batches: Sequence[Batch]) -> Iterator[tuple[Batch, list[Records]]]:
        """Yield batches in the order in which they are finished."""
        with without_main():
            futures = {self._executor.submit(work, batch): batch for batch in batches}
        yield from _as_finished(futures)

    def close(self) -> None:
        """Let the workers end: they have nothing left to do."""
        self._executor.shutdown()

    def kill(self) -> None:
        """End the workers at once, whatever they do.

        Nothing is cancelled first: an executor whose workers are gone cannot cope with cancelled work.
        """
        for process in multiprocessing.active_children():
            if process not in self._others:
                process.terminate()
        # A worker may have ended amid a result. As long as this process could write to their pipe as well,
        # the executor would wait for the rest of it, and shutdown for the executor, for ever.
        self._executor._result_queue._writer.close()  # type: ignore[attr-defined]
        self._executor.shutdown()


def _as_finished(futures: dict[Future[Finished], Batch]) -> Iterator[tuple[Batch, list[Records]]]:
    """Yield what is finished, and hold on to none of it: a future keeps its result as long as it lives."""
    while futures:
        done = wait(futures, return_when=FIRST_COMPLETED).done
        while done:
            future = done.pop()
            batch, (records, taken) = futures.pop(future), future.result()
            del future
            yield batch._replace(taken=taken), records
            del records


@contextmanager
def without_main() -> Iterator[None]:
    """Hide the main module while processes start, so that they do not import the user's script.

    They need nothing of it, and a script without `if __name__ == "__main__":` would run again in each.
    """
    main = sys.modules["__main__"]
    sys.modules["__main__"] = types.ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main
