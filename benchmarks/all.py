"""Run every benchmark, one after the other."""

from __future__ import annotations

import million
import per_failure
import startup

if __name__ == "__main__":
    for benchmark in (startup, per_failure, million):
        benchmark.main()
        print()
