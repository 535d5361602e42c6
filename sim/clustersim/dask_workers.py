"""Simulates on a cluster of Dask's `distributed`: one of its own on this machine, or any scheduler.

Dask is an extra of the package, and imported only where it is asked for.  A task is a bundle of batches that
takes a second or more, because a task costs the scheduler and the client some milliseconds.  A scenario that
several bundles need travels to the cluster once, and on from worker to worker; one that a single bundle needs
travels in it.  Of a study's replications only what it measures comes back.  So many bundles are under way
that no worker waits, and no more: results never pile up here.

Example: 4,000 replications that are expected to take 5 ms each, on 8 threads, are 20 s of computing: bundles
of 200.  If the first ones take half a second, later ones hold 400.

A worker that dies costs the bundles that it had: Dask gives them to others.  Every task looks whether it runs
on the same code and libraries as the client, and refuses to simulate on others.
"""

from __future__ import annotations

import json
import logging
import pickle
import re
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import CancelledError, Future
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from clustersim.records import Records
from clustersim.scenario.model import Scenario
from clustersim.signals import stops_held_back
from clustersim.store import ChoiceError, Measured, Measures, RunError, measured
from clustersim.version import VERSION, state
from clustersim.workers import Batch, Finished, InOrder, without_main, work_anywhere

DASK = "dask"
BUNDLE_S = 1.0
"""Seconds that a task should take at least: then what Dask needs for it is below 1 %."""
MOST_A_SECOND = 200
"""Bundles that should end each second, on all threads together: one scheduler and one client bear a few times
as many, so that on more than 200 threads bundles take longer, 5 s on 1,000."""
AHEAD = 3
"""Bundles under way for each thread of the cluster: one is simulated, the others wait beside it."""
SCHEMES = ("tcp", "tls", "ws", "wss", "ucx", "inproc")
CONNECT_S = 10.0
"""Seconds to wait for a scheduler to answer."""
LOOK_S, SAY_S, WORKERS_S = 2.0, 10.0, 600.0
"""Seconds without a result after which to look whether there are any workers; without workers after which
to say so; and after which to give up: those of a batch system may stand in its queue for a while."""
GO_ON = "what is finished is kept: go on with --resume"

State = Mapping[str, str]
Part = tuple[bytes, Sequence[int]]
"""A scenario with what is measured in it, pickled, and the numbers of replications."""


def refuse_unlike(client: State) -> None:
    """Raise RunError unless this process has the same state as the *client*."""
    here = state()
    for name, wanted in client.items():
        if here.get(name) != wanted:
            raise RunError(
                f"a worker of the cluster differs from this machine: {name} is {here.get(name)} there, and"
                f" {wanted} here; install the same clustersim with the same libraries on both"
            )


def simulated(client: State, parts: Sequence[Part]) -> list[Finished]:
    """Simulate *parts* on a worker; raises RunError where that differs from the *client*."""
    refuse_unlike(client)
    results = []
    for pickled, numbers in parts:
        scenario, measures = pickle.loads(pickled)
        results.append(_worked_off(scenario, measures, numbers))
    return results


def _worked_off(scenario: Scenario, measures: Measures | None, numbers: Sequence[int]) -> Finished:
    """Simulate replications one by one and measure each, so that a kB travels in place of a million."""
    if measures is None:
        return work_anywhere(scenario, numbers)
    found, taken = list[Measured](), 0.0
    for number in numbers:
        (records,), seconds = work_anywhere(scenario, [number])
        assert isinstance(records, Records)
        found.append(measured(measures, records))
        taken += seconds
    return Finished(found, taken)


class Dask:
    """Simulates on the cluster that *where* names.

    That is "dask" for one of its own, of so many *processes* on this machine; "dask:" with the address of a
    scheduler or the path of its file; or a `distributed.Client` of the caller's, which stays open.  It
    connects when there is something to simulate.  What it waits for it *says*.
    """

    lively = BUNDLE_S

    def __init__(self, where: Any, processes: int, say: Callable[[str], None]) -> None:
        self._where = where
        self._own = processes
        self._say = say
        self._client: Any = None if isinstance(where, str) else where
        self._cluster: Any = None
        self._spent = self._expected = 0.0

    @property
    def processes(self) -> int:
        """Number of threads of all workers; raises RunError where there are none for too long."""
        client, since, said = self._connected(), time.monotonic(), False
        while not (threads := sum(self._threads(client))):
            waited = time.monotonic() - since
            if waited > WORKERS_S:
                why = f"no worker has joined the scheduler {self._name} for {WORKERS_S:.0f} s"
                raise RunError(f"{why}; start some (dask worker ADDRESS); {GO_ON}")
            if waited > SAY_S and not said:
                self._say(f"waiting for a worker to join the scheduler {self._name}")
                said = True
            time.sleep(0.1)
        return threads

    def finished(self, batches: Sequence[Batch]) -> InOrder:
        """Yield what is finished; what is not wanted any more is cancelled.

        Raises RunError where the cluster has gone away, or must not be used.
        """
        threads, todo = self.processes, deque(batches)
        share_s = sum(batch.seconds * len(batch.replications) for batch in batches) / (4 * threads)
        tasks = _Tasks(self._client, batches)
        try:
            while todo or tasks.running:
                while todo and len(tasks.running) < AHEAD * threads:
                    tasks.submit(self._bundle(todo, min(share_s, max(BUNDLE_S, threads / MOST_A_SECOND))))
                try:
                    bundle, results = tasks.next(LOOK_S)
                except Empty:
                    threads = self.processes
                    continue
                while bundle:
                    batch, (records, taken) = bundle.pop(0), results.pop(0)
                    self._spent += taken
                    self._expected += batch.seconds * len(batch.replications)
                    yield batch._replace(taken=taken), records
                    del records
        except (CancelledError, OSError) as error:
            raise RunError(f"the scheduler {self._name} has gone away; {GO_ON}") from error
        finally:
            tasks.cancel()

    def _bundle(self, todo: deque[Batch], seconds: float) -> list[Batch]:
        """Take batches off the front of those *todo*: so many that they take so many *seconds* together.

        How long they take is a guess at first; as far as it was off so far, it is taken to be off.
        """
        pace = self._spent / self._expected if self._spent and self._expected else 1.0
        bundle, left = list[Batch](), seconds / pace
        while todo and (not bundle or left > 0):
            left -= todo[0].seconds * len(todo[0].replications)
            bundle.append(todo.popleft())
        return bundle

    @property
    def _name(self) -> str:
        """The address of the scheduler, as far as it is known."""
        return str(self._client.scheduler.address if self._client else self._where)

    def _threads(self, client: Any) -> Sequence[int]:
        try:
            return list(client.nthreads().values())
        except (OSError, RuntimeError, CancelledError) as error:
            raise RunError(f"the scheduler {self._name} has gone away; {GO_ON}") from error

    def _connected(self) -> Any:
        """Return the client, connected; raises ChoiceError or RunError where it cannot be."""
        if self._client is not None:
            return self._client
        try:
            distributed: Any = import_module("distributed")
        except ImportError as error:
            how = "pip install 'clustersim[dask]', or leave the executor out"
            raise ChoiceError(f"executor {self._where}: needs Dask, which is not installed: {how}") from error
        for name in ("distributed", "distributed.client"):  # What matters is said in a sentence.
            logging.getLogger(name).setLevel(logging.CRITICAL)
        if self._where == DASK:
            with stops_held_back(), without_main():
                self._cluster = distributed.LocalCluster(
                    n_workers=self._own,
                    threads_per_worker=1,
                    memory_limit=0,
                    dashboard_address=":0",
                    silence_logs=logging.CRITICAL,
                )
        where = self._cluster or address_of(str(self._where).partition(":")[2])
        try:
            self._client = distributed.Client(where, timeout=CONNECT_S, set_as_default=False)
        except OSError as error:
            self.kill()
            raise RunError(
                f"executor {self._where}: no scheduler answers at {where} within {CONNECT_S:.0f} s;"
                " start one with dask scheduler"
            ) from error
        return self._client

    def close(self) -> None:
        """Leave the cluster, and end it where it is its own; a client of the caller's stays open."""
        if isinstance(self._where, str):
            for each in filter(None, (self._client, self._cluster)):
                with suppress(Exception):  # of what has gone away already
                    each.close(timeout=LOOK_S)
            self._client = self._cluster = None

    kill = close


class _Tasks:
    """Bundles of batches that are under way on a cluster, each a task."""

    def __init__(self, client: Any, batches: Sequence[Batch]) -> None:
        self._client = client
        self._executor = client.get_executor(pure=False)
        self._pickle: Any = import_module("cloudpickle")  # measures are functions, also of no name
        self._uses = Counter((batch.place, id(batch.scenario)) for batch in batches)
        self._sent: dict[tuple[int, int], Any] = {}
        self._done: SimpleQueue[Future[list[Finished]]] = SimpleQueue()
        self.running: dict[Future[list[Finished]], list[Batch]] = {}

    def submit(self, bundle: list[Batch]) -> None:
        """Put one more bundle on its way."""
        parts = [(self._scenario(batch), list(batch.replications)) for batch in bundle]
        future = self._executor.submit(simulated, state(), parts)
        self.running[future] = bundle
        future.add_done_callback(self._done.put)

    def _scenario(self, batch: Batch) -> Any:
        """Return the pickled scenario; where others need it too, as what is in the cluster, sent once.

        It is there as the result of a task, not scattered: so Dask can make it anew if its worker dies.
        """
        key = batch.place, id(batch.scenario)
        if key not in self._sent:
            pickled = self._pickle.dumps((batch.scenario, batch.measures))
            if self._uses[key] == 1:
                return pickled
            self._sent[key] = self._client.submit(bytes, pickled, pure=False)
        return self._sent[key]

    def next(self, seconds: float) -> tuple[list[Batch], list[Finished]]:
        """Return the next bundle that is finished, with its results.

        Raises Empty where there is none for so many *seconds*, CancelledError where the cluster has dropped
        it, and RunError where it cannot be simulated there.
        """
        future = self._done.get(timeout=seconds)
        bundle = self.running.pop(future)
        try:
            return bundle, future.result()
        except Exception as error:
            if type(error).__name__ == "KilledWorker":
                why = "several workers died over the same replications (out of memory?)"
                raise RunError(f"{why}; {GO_ON}, perhaps on workers with more memory") from error
            if isinstance(error.__cause__ or error, ImportError):
                raise RunError(
                    f"a worker of the cluster cannot load clustersim {VERSION} ({error.__cause__ or error});"
                    " install it there, the same as here"
                ) from error
            raise

    def cancel(self) -> None:
        """Cancel what is under way."""
        for future in self.running:
            future.cancel()


def address_of(text: str) -> str:
    """Return the address that *text* is, or that of the scheduler whose file is at that path.

    Raises ChoiceError for a protocol that is none, and RunError where there is no such file of a scheduler.
    """
    scheme, is_address, _ = text.partition("://")
    if is_address and scheme not in SCHEMES:
        raise ChoiceError(f"executor dask:{text}: {scheme} is no protocol of Dask's; write tcp://host:8786")
    if is_address or re.fullmatch(r"[^/\\]+:\d+", text):
        return text
    try:
        return str(json.loads(Path(text).read_text("utf-8"))["address"])
    except OSError as error:
        remedy = "dask scheduler --scheduler-file FILE writes one; an address is written as tcp://host:8786"
        raise RunError(f"{text}: {error.strerror or error}; {remedy}") from error
    except (ValueError, LookupError, TypeError) as error:
        raise RunError(f"{text}: not the file of a Dask scheduler: no address in it") from error
