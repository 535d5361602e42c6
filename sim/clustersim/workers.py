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
from typing import NamedTuple, Protocol

from clustersim.engine.replication import simulate
from clustersim.records import Records
from clustersim.scenario.model import Scenario
from clustersim.signals import stops_held_back
from clustersim.store import Measured, Measures

PARENT_KILLED = 1
WORTH_A_POOL = 0.65
"""Seconds that starting workers takes, on one core of 2026: the engine and its libraries are imported anew.
With n workers a run has to have more than n / (n - 1) times as much left before they save any time."""
PROBED = 0.25
"""Share of that time to simulate here first: then what is left is known better than from the scenario alone.
Only a replication that is expected to take as long as a start goes to a worker at once."""
WORTH_TIDYING = 0.1
"""Seconds of a replication from which on what the last one left behind is worth looking for."""
LIVELY = 0.5
"""Seconds of simulating in a batch: so often a progress bar moves, and so little is lost by Ctrl-C."""

_slow = False


class Batch(NamedTuple):
    """Some replications of a scenario, in one place of a list: what a worker does in one go.

    `seconds` is about what one replication takes, `taken` what all of them took, once they are finished.
    `measures` are what is kept of each, if it is not all: who sends results far may measure before.
    """

    place: int
    scenario: Scenario
    replications: Sequence[int]
    seconds: float = 0.0
    taken: float = 0.0
    measures: Measures | None = None


class Finished(NamedTuple):
    """Replications that are finished, and the seconds of one core that simulating them took."""

    records: Sequence[Records | Measured]
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


InOrder = Iterator[tuple[Batch, Sequence[Records | Measured]]]
"""Batches, or single replications of them, in the order in which they are finished."""


class Hands(Protocol):
    """Whatever simulates batches: processes of this machine, an executor of the caller's, a cluster.

    `lively` are the seconds that a batch should take.
    """

    lively: float

    @property
    def processes(self) -> int:
        """How many batches are simulated at the same time."""

    def finished(self, batches: Sequence[Batch]) -> InOrder:
        """Yield what is finished."""

    def close(self) -> None:
        """Nothing is left to do."""

    def kill(self) -> None:
        """End at once."""


class Outside:
    """Simulates on an executor that somebody else made and will close."""

    lively = LIVELY

    def __init__(self, executor: Executor, processes: int) -> None:
        self._executor = executor
        self.processes = processes

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

    def close(self) -> None:
        """Leave it to its owner."""

    kill = close


class Local:
    """Simulates on this machine: in this process what is done in a moment, in worker processes the rest.

    The workers are forked from a server that has the engine loaded, and end with `close` or `kill`.
    """

    lively = LIVELY

    def __init__(self, processes: int) -> None:
        self.processes = processes
        self._executor: ProcessPoolExecutor | None = None
        self._spent = self._expected = 0.0
        self._others = set(multiprocessing.active_children())

    def finished(self, batches: Sequence[Batch]) -> InOrder:
        """Yield what is finished."""
        waiting = list(batches)
        if self._executor is None:
            yield from self._here(waiting)
        if not waiting:
            return
        # A worker that is half started could not be ended: it would end by itself, with a traceback.
        with stops_held_back(), without_main():
            pool = self._executor = self._executor or _pool(self.processes)
            futures = {pool.submit(work, batch.scenario, batch.replications): batch for batch in waiting}
        yield from _as_finished(futures)

    def _here(self, waiting: list[Batch]) -> InOrder:
        """Simulate in this process, one by one, until workers would pay for what is still *waiting*."""
        while waiting and not self._workers_pay(waiting):
            batch = waiting.pop(0)
            first, rest = batch.replications[:1], batch.replications[1:]
            if rest:
                waiting.insert(0, batch._replace(replications=rest))
            done = work_anywhere(batch.scenario, first)
            self._spent += done.taken
            self._expected += batch.seconds
            yield batch._replace(replications=first, taken=done.taken), done.records

    def _workers_pay(self, waiting: Sequence[Batch]) -> bool:
        """Return whether workers save more time than starting them takes.

        How long a replication takes is a guess at first, and too rough a one: as far as that is off in what
        was simulated here, it is taken to be off in what is left.
        """
        known = self._spent >= PROBED * WORTH_A_POOL
        if self.processes == 1 or not (known or waiting[0].seconds >= WORTH_A_POOL):
            return False
        left = sum(batch.seconds * len(batch.replications) for batch in waiting)
        pace = self._spent / self._expected if known and self._expected else 1.0
        return left * pace * (1 - 1 / self.processes) > WORTH_A_POOL

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
