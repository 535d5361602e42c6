"""Kills at random instants: with --resume the same bytes come out, and nothing else in the folder is lost.

    python -m tests.kills --kills 150 --seed 1

Each command (run, compare, tune, sweep, solve, sensitivity, validate) writes to a plain folder, through a
link, and to a mount point (a small file system in memory, where the user may mount one), in which studies
and a report lie already, and for `run` in turn the same run, and another one. It is killed (KILL, TERM, INT,
HUP) at a random instant, and started again with --resume, until it ends by itself. A finding is a figure
that differs from those of an undisturbed command, a study that is gone, a traceback, or another exit code
than that of the signal.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

SCENARIO = """
name: {name}
cluster: {{gpus: 64}}
failures: {{job: {{per: job, mtbf: 2 min}}}}
checkpoint: {{interval: 20 s, blocks: 1 s}}
recovery: {{stages: {{detect: 1 s, restart: 4 s}}}}
simulation: {{horizon: 40 h, replications: 10}}
published:
  source: "nobody"
  claims:
    time: {{says: "some", kind: band, figure: ettr, at_least: 0.1}}
"""
COMMANDS = {
    "run": (["run", "a.yaml"], ["summary.json", "scenario.yaml"]),
    "compare": (["compare", "a.yaml", "b.yaml"], ["comparison.json", "a/summary.json", "b/summary.json"]),
    "tune": (["tune", "a.yaml", "--candidates", "5"], ["tune.json"]),
    "sweep": (
        ["sweep", "a.yaml", "--vary", "recovery.stages.restart=1s..9s:5", "--retune"],
        ["sweep.json", "sweep.csv", "sweep.parquet"],
    ),
    "solve": (["solve", "a.yaml", "--for", "checkpoint.blocks", "--until", "ettr >= 0.7"], ["solve.json"]),
    "sensitivity": (["sensitivity", "a.yaml", "--range", "30 %", "--samples", "8"], ["sensitivity.json"]),
    "validate": (["validate", "a.yaml"], ["validation.json"]),
}
PLACES = ("plain", "link", "mount")
ENDS = {
    signal.SIGKILL: (-9,),
    signal.SIGTERM: (130, -15, -2),
    signal.SIGINT: (130, -2),
    signal.SIGHUP: (130, -1, -2),
}
"""Exit codes by signal; a process that has not yet come to its first line ends by the signal itself.

-2 is 130 in a shell: under `python -m` CPython ends itself by SIGINT where an interrupt, though it was
caught, came within an exec of a text, by which dataclasses are made while modules are loaded.
"""
PRECIOUS = {"tune/tune.json": '{"scenario_hash": "old"}', "levers/levers.json": "{}", "notes.txt": "mine"}


def as_in_a_terminal() -> None:
    """Let signals stop a process, also where this one runs under nohup or behind a shell's `&`."""
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


def clustersim(folder: Path, arguments: Sequence[str]) -> subprocess.Popen[str]:
    """Start a command."""
    command = [sys.executable, "-m", "clustersim", *arguments, "--workers", "2"]
    return subprocess.Popen(
        command,
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        preexec_fn=as_in_a_terminal,
    )


@contextlib.contextmanager
def place(folder: Path, kind: str) -> Iterator[Path | None]:
    """Yield a folder of that *kind* for results; None where there can be none."""
    target = folder / kind
    (folder / "real").mkdir(exist_ok=True) if kind == "link" else target.mkdir(exist_ok=True)
    if kind == "link":
        target.symlink_to("real")
    if (
        kind == "mount"
        and subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=32m", "tmpfs", str(target)], capture_output=True, check=False
        ).returncode
    ):
        yield None
        return
    try:
        yield target
    finally:
        if kind == "mount":
            subprocess.run(["umount", str(target)], check=True)


class Killer:
    """Kills one command after another, and notes what comes of it."""

    def __init__(self, seed: int, folder: Path) -> None:
        self.dice, self.folder = random.Random(seed), folder
        self.count: Counter[str] = Counter()
        self.findings: list[str] = []
        self.expected: dict[str, list[bytes]] = {}
        self.takes = dict.fromkeys(COMMANDS, 0.0)
        for name in ("a", "b"):
            (folder / f"{name}.yaml").write_text(SCENARIO.format(name=name))

    def undisturbed(self, name: str) -> None:
        """Run a command to its end, and remember what it wrote, and how long it took."""
        arguments, files = COMMANDS[name]
        started = time.monotonic()
        process = clustersim(self.folder, [*arguments, "-o", f"expected-{name}"])
        said = process.communicate()[1]
        if process.returncode:
            raise AssertionError(f"{name} fails undisturbed: {said}")
        self.takes[name] = time.monotonic() - started
        self.expected[name] = [(self.folder / f"expected-{name}" / file).read_bytes() for file in files]

    def prepared(self, name: str, target: Path) -> None:
        """Put into the folder what must not be lost; before a `run` an earlier run too, or another one."""
        earlier = self.count[f"{name} rounds"] % 3 if name == "run" else 0
        if earlier:
            more = [] if earlier == 1 or os.path.ismount(target) else ["--seed", "99"]
            clustersim(self.folder, ["run", "a.yaml", "-o", str(target), *more]).communicate()
        if name in ("run", "compare"):
            for path, text in PRECIOUS.items():
                if earlier or path != "notes.txt":
                    (target / path).parent.mkdir(parents=True, exist_ok=True)
                    (target / path).write_text(text, "utf-8")

    def round(self, name: str, kind: str, most: int) -> None:
        """Kill a command at most so many times, and look at what it has written in the end."""
        room = Path(tempfile.mkdtemp(dir=self.folder))
        with place(room, kind) as target:
            if target is None:
                self.count["no mount"] += 1
                return
            self.prepared(name, target)
            precious = {
                path.name for path in target.rglob("*") if path.is_file() and path.name in str(PRECIOUS)
            }
            arguments = [*COMMANDS[name][0], "-o", str(target), "--resume"]
            arguments += ["--force"] if name in ("run", "compare") else []
            while self.killed(name, arguments, most):
                most -= 1
            self.looked_at(name, target, room, precious)
        self.count[f"{name} rounds"] += 1
        shutil.rmtree(room, ignore_errors=True)

    def killed(self, name: str, arguments: Sequence[str], left: int) -> bool:
        """Start the command and return whether it was killed before it ended."""
        process = clustersim(self.folder, arguments)
        number = self.dice.choice(list(ENDS))
        if left > 0:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(self.dice.uniform(0, self.takes[name] * 1.1))
        hit = left > 0 and process.poll() is None
        if hit:
            process.send_signal(number)
        said = process.communicate()[1]
        hit = hit and process.returncode != 0
        self.count["kills"] += hit
        too_early = hit and said.endswith("KeyboardInterrupt\n") and "in main" not in said
        if too_early:
            self.count["too early"] += 1  # Python itself was starting, and says so in its own way
        elif "Traceback" in said or process.returncode not in (ENDS[number] if hit else (0,)):
            self.findings.append(f"{name} after {number.name}: exit code {process.returncode}, {said}")
        return hit

    def looked_at(self, name: str, target: Path, room: Path, precious: set[str]) -> None:
        """Compare what was written, and what was there before."""
        for file, expected in zip(COMMANDS[name][1], self.expected[name], strict=True):
            path = target / file
            if not path.is_file() or path.read_bytes() != expected:
                self.findings.append(f"{name} in {target}: {file} differs, or is not there")
        kept = {path.name for path in room.rglob("*") if path.is_file()}
        if precious - kept:
            self.findings.append(f"{name} in {target}: {precious - kept} lost")
        left = [path.name for path in room.rglob(".*") if path.name != ".tune.partial"]
        if left or (target.name == "link" and not target.is_symlink()):
            self.findings.append(f"{name} in {target}: {left} left over, or no link any more")


def main(arguments: Sequence[str] | None = None) -> int:
    """Kill until there are enough kills; print numbers and findings, return 1 where there are any."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kills", type=int, default=150)
    parser.add_argument("--of", choices=COMMANDS, nargs="*", default=list(COMMANDS), help="[all]")
    chosen = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        killer = Killer(chosen.seed, Path(folder))
        for name in chosen.of:
            killer.undisturbed(name)
        while killer.count["kills"] < chosen.kills:
            for kind in PLACES:
                for name in chosen.of:
                    known = len(killer.findings)
                    killer.round(name, kind, 4)
                    print(f"{dict(killer.count)}, {len(killer.findings)} findings", flush=True)
                    print("".join(f"{each}\n" for each in killer.findings[known:]), end="", flush=True)
    print(f"seed {chosen.seed}: {dict(killer.count)}, {len(killer.findings)} findings")
    return 1 if killer.findings else 0


if __name__ == "__main__":
    sys.exit(main())
