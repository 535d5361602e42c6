"""Worker processes that simulate replications; this is all that they import of what lies above the engine.

The scenario travels with each batch, a few kB, so that a worker serves whatever comes.  A worker ends with
its parent, even one that is killed.
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
"""Seconds of a replication from which on what the last one left behind is worth looking for."""

_slow = False


class Batch(NamedTuple):
    """Some replications of a scenario, in one place of a list: what a worker does in one go.

    `seconds` is about what one replication takes, `taken` what all of them took, once they are finished.
    """

    place: int
    scenario: Scenario
    replications: Sequence[int]
    seconds: float = 0.0
    taken: float = 0.0


class Finished(NamedTuple):
    """Replications that are finished, and the seconds of one core that simulating them took."""

    records: list[Records]
    taken: float


def begin() -> None:
    """Start a worker: leave Ctrl-C to the parent, and watch for its end."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(PARENT_KILLED)


def work(scenario: Scenario, replications: Sequence[int]) -> Finished:
    """Simulate some replications of *scenario*, in a worker of our own."""
    global _slow
    if _slow:
        gc.collect()
    finished = work_anywhere(scenario, replications)
    _slow = finished.taken > WORTH_TIDYING * len(replications)
    return finished


def work_anywhere(scenario: Scenario, replications: Sequence[int]) -> Finished:
    """Simulate some replications of *scenario*, in a worker of which nothing is known."""
    started = time.thread_time()
    records = [simulate(scenario, replication) for replication in replications]
    return Finished(records, time.thread_time() - started)


InOrder = Iterator[tuple[Batch, list[Records]]]
"""Batches, or single replications of them, in the order in which they are finished."""


class Outside:
    """Simulates on an executor that somebody else made and will close."""

    def __init__(self, executor: Executor) -> None:
        self._executor = executor

    def finished(self, batches: Sequence[Batch]) -> InOrder:
        """Yield what is finished; what is not wanted any more is cancelled."""
        futures = {
            self._executor.submit(work_anywhere, batch.scenario, batch.replications): batch
            for batch in batches
        }
        try:
            yield from _as_finished(futures)
        finally:
            for future in futures:
                future.cancel()


class Local:
    """Simulates on this machine: in this process what is done in a moment, in worker processes the rest.

    The workers are forked from a server that has the engine loaded, and end with `close` or `kill`.
    """

    def __init__(self, workers: int) -> None:
        self._workers = workers
        self._executor: ProcessPoolExecutor | None = None
        self._others = set(multiprocessing.active_children())

    def finished(self, batches: Sequence[Batch]) -> InOrder:
        """Yield what is finished."""
        expected = sum(batch.seconds * len(batch.replications) for batch in batches)
        if self._workers == 1 or (self._executor is None and expected < WORTH_A_POOL):
            for batch in batches:
                for replication in batch.replications:
                    done = work_anywhere(batch.scenario, [replication])
                    yield batch._replace(taken=done.taken), done.records
            return
        with without_main():
            pool = self._executor = self._executor or _pool(self._workers)
            futures = {pool.submit(work, batch.scenario, batch.replications): batch for batch in batches}
        yield from _as_finished(futures)

    def close(self) -> None:
        """Let the workers end: they have nothing left to do."""
        if self._executor:
            self._executor.shutdown()
            self._executor = None

    def kill(self) -> None:
        """End the workers at once, whatever they do.

        Nothing is cancelled first: an executor whose workers are gone cannot cope with cancelled work.
        """
        if self._executor is None:
            return
        for process in multiprocessing.active_children():
            if process not in self._others:
                process.terminate()
        # A worker may have ended amid a result. As long as this process could write to their pipe as well,
        # the executor would wait for the rest of it, and shutdown for the executor, for ever.
        self._executor._result_queue._writer.close()  # type: ignore[attr-defined]
        self._executor.shutdown()


def _pool(workers: int) -> ProcessPoolExecutor:
    method = "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"
    context = multiprocessing.get_context(method)
    if method == "forkserver":
        context.set_forkserver_preload([__name__])
    return ProcessPoolExecutor(workers, context, begin)


def _as_finished(futures: dict[Future[Finished], Batch]) -> InOrder:
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
