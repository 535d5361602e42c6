"""How long `clustersim --help` takes, against a bare interpreter."""

from __future__ import annotations

import subprocess
import sys
import time

from timing import best_of


def program(*arguments: str) -> float:
    command = [sys.executable, *arguments]
    return best_of(
        7, lambda: subprocess.run(command, stdout=subprocess.DEVNULL, check=True), time.perf_counter
    )


def main() -> None:
    bare, light, asked = (
        program("-c", "pass"),
        program("-c", "import clustersim"),
        program("-m", "clustersim", "--help"),
    )
    print("start-up")
    print(f"  bare interpreter   {bare:6.3f} s")
    print(f"  import clustersim  {light:6.3f} s   {light / bare:5.2f} of the bare one")
    print(f"  clustersim --help  {asked:6.3f} s   {asked / bare:5.2f} of the bare one (about 0.1 s wanted)")


if __name__ == "__main__":
    main()
