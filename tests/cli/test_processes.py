"""The command as a process of its own: signals, pipes, workers, and the module."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from clustersim.store import FINISHED, read_entries
from tests.kills import as_in_a_terminal

BUSY = """
name: busy
cluster: {gpus: 64}
failures: {job: {per: job, mtbf: 1 min}}
checkpoint: {interval: 20 s, blocks: 1 s}
recovery:
  stages: {detect: 1 s, restart: 4 s}
simulation: {horizon: 84 h, replications: 24}
"""
COMMAND = [sys.executable, "-m", "clustersim"]


@pytest.fixture
def busy(tmp_path: Path) -> Path:
    """A folder with a scenario that keeps two workers busy for a few seconds."""
    (tmp_path / "busy.yaml").write_text(BUSY)
    return tmp_path


def clustersim(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *arguments], cwd=folder, capture_output=True, text=True, check=False, timeout=120
    )


@contextmanager
def running(
    folder: Path, finished_first: int, *arguments: str, study: str = "run", before: tuple[str, ...] = ()
) -> Iterator[subprocess.Popen[str]]:
    """Yield a run with two workers that has finished some replications, and has others to do."""
    command = [*before, *COMMAND, study, "busy.yaml", "-o", "stopped", "--workers", "2", *arguments]
    with subprocess.Popen(
        command, cwd=folder, stderr=subprocess.PIPE, text=True, preexec_fn=as_in_a_terminal
    ) as process:
        deadline = time.monotonic() + 60
        while finished(folder) < finished_first and time.monotonic() < deadline:
            time.sleep(0.005)
        assert process.poll() is None, "it was done before it could be stopped"
        yield process


def finished(folder: Path) -> int:
    entries, _ = read_entries(folder / ".stopped.partial" / FINISHED)
    return sum(map(len, entries.values()))


def test_stopped_runs_go_on_to_the_same_bytes(busy: Path) -> None:
    for done, number in enumerate((signal.SIGINT, signal.SIGTERM, signal.SIGHUP), start=1):
        with running(busy, 2 * done, "--resume") as process:
            process.send_signal(number)
            message = process.communicate()[1]
        assert process.returncode == 130, message
        assert "--resume goes on from them" in message
        assert "Traceback" not in message
    with running(busy, finished(busy) + 2, "--resume") as process:
        process.kill()
    assert not (busy / "stopped").exists()
    assert 8 <= finished(busy) < 24
    resumed = clustersim(busy, "run", "busy.yaml", "-o", "stopped", "--resume", "--workers", "2")
    assert "going on from" in resumed.stderr
    assert finished(busy) == 0
    for workers in ("1", "2"):
        undisturbed = clustersim(busy, "run", "busy.yaml", "-o", workers, "--workers", workers)
        assert undisturbed.returncode == 0, undisturbed.stderr
        expected = (busy / workers / "summary.json").read_bytes()
        assert (busy / "stopped/summary.json").read_bytes() == expected


def test_a_run_without_a_terminal_goes_on_when_the_terminal_closes(busy: Path) -> None:
    with running(busy, 2, "--replications", "6", before=("nohup",)) as process:
        process.send_signal(signal.SIGHUP)
        message = process.communicate()[1]
    assert process.returncode == 0, message


def test_a_sweep_that_is_killed_goes_on_to_the_same_bytes(busy: Path) -> None:
    vary = ("--vary", "checkpoint.blocks=1s,2s,3s", "--replications", "4", "--horizon", "60h")
    for done in (2, 5):
        with running(busy, done, *vary, "--resume", study="sweep") as process:
            process.kill()
    for place, workers in (("stopped", "2"), ("whole", "1")):
        done = clustersim(busy, "sweep", "busy.yaml", *vary, "--resume", "-o", place, "--workers", workers)
        assert done.returncode == 0, done.stderr
        assert ("going on from" in done.stderr) == (place == "stopped")
    for name in ("sweep.json", "sweep.csv", "sweep.parquet"):
        assert (busy / "stopped" / name).read_bytes() == (busy / "whole" / name).read_bytes()


def test_a_reader_that_leaves_is_no_drama(busy: Path) -> None:
    with subprocess.Popen([*COMMAND, "schema"], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.read(1)
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode in (0, 1)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_a_standard_output_that_is_full(busy: Path) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [*COMMAND, "schema"], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert done.returncode == 1
    assert done.stderr == "clustersim: standard output: No space left on device\n"


def test_no_colour_and_no_bar_where_there_is_no_terminal(busy: Path) -> None:
    done = clustersim(busy, "run", "busy.yaml", "--replications", "2", "--horizon", "1h", "--set", "title=x")
    assert done.returncode == 0
    assert "\x1b" not in done.stdout + done.stderr


@pytest.mark.skipif(os.name != "posix", reason="needs a pseudo-terminal")
@pytest.mark.parametrize(("variable", "coloured"), [("NO_COLOR", False), ("NOTHING", True)])
def test_a_terminal_has_colour_unless_told(busy: Path, variable: str, coloured: bool) -> None:
    import pty

    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm-256color", variable: "1"}
    command = [*COMMAND, "check", "busy.yaml"]
    done = subprocess.run(
        command, cwd=busy, stdout=theirs, stderr=theirs, env=environment, check=False, timeout=60
    )
    os.close(theirs)
    shown = os.read(ours, 100_000).decode()
    os.close(ours)
    assert done.returncode == 0
    assert "busy is a valid scenario" in shown
    assert ("\x1b[1" in shown) == coloured or not coloured
    assert ("\x1b[3" in shown) <= coloured


@pytest.mark.parametrize(("given", "threads"), [({}, "1"), ({"OPENBLAS_NUM_THREADS": "3"}, "3")])
def test_a_command_keeps_blas_to_one_thread_unless_told(given: dict[str, str], threads: str) -> None:
    """It has to be said before numpy is imported, which nothing does until the command begins."""
    script = "import atexit, os, sys; from clustersim.__main__ import main; assert 'numpy' not in sys.modules"
    script += "; atexit.register(lambda: print(os.environ['OPENBLAS_NUM_THREADS'])); main()"
    rest = {name: value for name, value in os.environ.items() if name != "OPENBLAS_NUM_THREADS"}
    command = [sys.executable, "-c", script, "--version"]
    told = subprocess.run(command, env=rest | given, capture_output=True, text=True, check=True)
    assert told.stdout.splitlines()[-1] == threads
