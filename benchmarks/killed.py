"""A sweep that is killed at 20 random instants, gone on from each time: the same bytes as an unkilled one."""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import tempfile
from pathlib import Path

VARY = ("--vary", "cluster.gpus=50k..150k:6", "--vary", "recovery.stages.restart=1min..9min:4log")
SWEEP = (
    sys.executable,
    "-m",
    "clustersim",
    "sweep",
    "chen-100k",
    *VARY,
    "--horizon",
    "3d",
    "--replications",
    "8",
)
LONGEST = 6.0
"""Seconds after which it is killed at the latest."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=20)
    kills, chance = parser.parse_args().kills, random.Random(1)
    with tempfile.TemporaryDirectory() as folder:
        killed, whole = Path(folder) / "killed", Path(folder) / "whole"
        for _ in range(kills):
            with subprocess.Popen(
                [*SWEEP, "-o", killed, "--resume", "-q"], stdout=subprocess.DEVNULL
            ) as process:
                try:
                    process.wait(chance.uniform(0.5, LONGEST))
                except subprocess.TimeoutExpired:
                    process.kill()
        subprocess.run([*SWEEP, "-o", killed, "--resume", "-q"], check=True, stdout=subprocess.DEVNULL)
        subprocess.run([*SWEEP, "-o", whole, "-q", "--workers", "1"], check=True, stdout=subprocess.DEVNULL)
        for name in ("sweep.json", "sweep.csv", "sweep.parquet"):
            same = (killed / name).read_bytes() == (whole / name).read_bytes()
            print(f"{name}: {'the same bytes' if same else 'DIFFERENT'} after {kills} kills")


if __name__ == "__main__":
    main()
