"""Run every benchmark, one after the other."""

from __future__ import annotations

import fidelity
import million
import per_failure
import startup
import tuning

if __name__ == "__main__":
    for benchmark in (startup, per_failure, million, fidelity, tuning):
        benchmark.main()
        print()
