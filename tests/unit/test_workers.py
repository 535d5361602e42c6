"""Worker processes: they end when they should, and need little."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Executor, Future
from pathlib import Path
from typing import Any

import pytest

from clustersim import workers
from clustersim.scenario import load


@pytest.mark.parametrize("piece", [b"", struct.pack("!i", 1000) + b"half of a result"])
def test_workers_can_be_ended_amid_a_result(piece: bytes) -> None:
    pool, busy = workers.Local(1), workers._pool(1)
    pool._executor = busy
    with workers.without_main():
        busy.submit(workers.work, load("chen-1m"), [0])
    os.write(busy._result_queue._writer.fileno(), piece)  # type: ignore[attr-defined]
    ended = threading.Event()
    threading.Thread(target=lambda: (pool.kill(), ended.set()), daemon=True).start()
    assert ended.wait(30)


PROGRAM = """
import os, sys, time
from clustersim import workers
from clustersim.scenario import load
print(os.getpid(), flush=True)
pool, scenario = workers.Local(2), load("chen-100k")
for batch, records in pool.finished([workers.Batch(0, scenario, [n], 1.0) for n in range(10_000)]):
    print(*sorted(p.pid for p in __import__("multiprocessing").active_children()), flush=True)
"""


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks at processes in /proc")
def test_workers_end_with_a_parent_that_is_killed() -> None:
    with subprocess.Popen([sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        parent.stdout.readline()
        pids = [int(pid) for pid in parent.stdout.readline().split()]
        parent.kill()
    assert len(pids) == 2
    deadline = time.monotonic() + 20
    while any(map(alive, pids)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(map(alive, pids))


def test_a_script_without_a_main_guard_may_run(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "from clustersim import run, workers\n"
        "workers.WORTH_A_POOL = 0.0\n"
        "print('once', run('chen-10k', replications=4, horizon='2 d', workers=2).summary['replications'])\n"
    )
    done = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout == "once 4\n"


def test_workers_do_without_the_heavy_libraries() -> None:
    program = "import clustersim.workers, sys; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert {"pandas", "pyarrow", "scipy.stats", "plotly", "rich"} & set(done.stdout.split()) == set()


class Counted(Executor):
    """Counts the replications that it is given, and does them at once."""

    def __init__(self) -> None:
        self.replications = 0

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        self.replications += len(args[-1])
        future: Future[Any] = Future()
        future.set_result(fn(*args, **kwargs))
        return future


@pytest.mark.parametrize(
    ("processes", "guessed", "taken", "count", "by_workers"),
    [
        (2, 10.0, 0.001, 8, 8),  # long ones go to workers at once
        (2, 0.1, 0.001, 40, 0),  # the guess says 4 s, but they are done in a moment
        (2, 0.1, 0.01, 200, 183),  # half of 1.8 s is more than a start takes: 17 are done first
        (2, 0.0001, 0.1, 40, 38),  # the guess says a moment, but they take 4 s
        (2, 0.1, 0.1, 10, 0),  # half of what is left of 1 s is less than a start
        (8, 0.1, 0.1, 10, 8),  # of seven eighths it is not
        (1, 10.0, 10.0, 8, 0),  # one process needs no workers
    ],
)
def test_workers_start_where_they_save_more_than_starting_them_takes(
    monkeypatch: pytest.MonkeyPatch, processes: int, guessed: float, taken: float, count: int, by_workers: int
) -> None:
    def work(scenario: Any, replications: Sequence[int]) -> workers.Finished:
        return workers.Finished(list(replications), taken * len(replications))  # type: ignore[arg-type]

    pool = Counted()
    monkeypatch.setattr(workers, "work_anywhere", work)
    monkeypatch.setattr(workers, "work", work)
    monkeypatch.setattr(workers, "_pool", lambda number: pool)
    numbers = range(count)
    batches = [workers.Batch(0, None, numbers[at : at + 4], guessed) for at in range(0, count, 4)]  # type: ignore[arg-type]
    local = workers.Local(processes)
    found = [number for _, finished in local.finished(batches) for number in finished]
    assert sorted(found) == list(numbers)  # type: ignore[type-var]
    assert pool.replications == by_workers
    local._executor = None
