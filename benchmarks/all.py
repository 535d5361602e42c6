"""Run every benchmark, one after the other."""

from __future__ import annotations

import million
import per_failure
import startup
import tuning

if __name__ == "__main__":
    for benchmark in (startup, per_failure, million, tuning):
        benchmark.main()
        print()
