"""A log of a million rows: seconds to read and clean it, as CSV and as Parquet, and the peak memory."""

from __future__ import annotations

import random
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time

from timing import peak_megabytes

ROWS, NODES, SECONDS_APART = 1_000_000, 20_000, 31
ALLOWED_SECONDS, ALLOWED_MEGABYTES = 15, 700


def write(folder: Path) -> None:
    """Write the log in both dresses: local dates, names of nodes, thirty causes, ends."""
    import pandas as pd

    draw = random.Random(1)
    begin = datetime.fromisoformat("2025-01-01T00:00:00")
    times = [begin + timedelta(seconds=number * SECONDS_APART) for number in range(ROWS)]
    frame = pd.DataFrame(
        {
            "Start": [time.isoformat() for time in times],
            "Host": [f"gpu-{draw.randrange(NODES):05d}" for _ in times],
            "Reason": [f"xid{draw.randrange(30)}" for _ in times],
            "End": [(time + timedelta(seconds=draw.randrange(100, 200_000))).isoformat() for time in times],
        }
    )
    frame.to_csv(folder / "log.csv", index=False)
    frame.to_parquet(folder / "log.parquet")


def worker(file: str) -> None:
    """Read one file, and print seconds, peak memory and how many rows are failures of their own."""
    from clustersim.logs import read_history

    begun = process_time()
    history = read_history(
        [file], begin="2025-01-01", end="2026-01-01", nodes=NODES, timezone="Europe/Berlin"
    )
    print(process_time() - begun, peak_megabytes(), history.rows["used"])


def main() -> None:
    print(f"a log of {ROWS:,} rows")
    with TemporaryDirectory() as folder:
        write(Path(folder))
        for name in ("log.csv", "log.parquet"):
            command = [sys.executable, __file__, "--worker", str(Path(folder) / name)]
            done = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
            print(f"  {name:<12} seconds     {float(done[0]):8.1f}   (wanted: {ALLOWED_SECONDS})")
            print(f"  {name:<12} MB at most  {float(done[1]):8.0f}   (wanted: {ALLOWED_MEGABYTES})")


if __name__ == "__main__":
    worker(sys.argv[-1]) if "--worker" in sys.argv else main()
