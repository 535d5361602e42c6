"""Microseconds per failure from 10,000 to 4,000,000 cards, against a bare SimPy loop of five timeouts."""

from __future__ import annotations

from typing import Any

from timing import best_of

SIZES = (10_000, 100_000, 1_000_000, 4_000_000)
FAILURES = 20_000
GAP_MIN, HORIZON_MIN = 30, 30 * FAILURES


def scenario(gpus: int) -> dict[str, Any]:
    """Return a cluster that fails every half hour whatever its size, by failures that cost no node."""
    return {
        "name": f"cards-{gpus}",
        "cluster": {"gpus": gpus},
        "failures": {"any": {"per": "node", "mtbf": f"{GAP_MIN * gpus // 8} min"}},
        "checkpoint": {"interval": "10 min", "blocks": "5 s", "load": "30 s"},
        "recovery": {"stages": {"detect": "30 s", "nodes": "wait", "restart": "4 min", "load": "checkpoint"}},
        "simulation": {"horizon": f"{HORIZON_MIN} min"},
    }


def per_failure(gpus: int) -> float:
    """Return microseconds per failure of one replication."""
    from clustersim.engine.replication import simulate
    from clustersim.scenario.model import Scenario

    model = Scenario.model_validate(scenario(gpus))
    failures = simulate(model, 1).incident_count
    return best_of(5, lambda: simulate(model, 1)) / failures * 1e6


def bare_loop() -> None:
    import simpy

    env = simpy.Environment()

    def job() -> Any:
        for _ in range(FAILURES):
            for _ in range(5):
                yield env.timeout(1.0)

    env.process(job())
    env.run()


def main() -> None:
    bare = best_of(5, bare_loop) / FAILURES * 1e6
    taken = {gpus: per_failure(gpus) for gpus in SIZES}
    print(f"about {FAILURES:,} transient failures; five bare SimPy timeouts take {bare:.2f} us")
    for gpus, us in taken.items():
        print(f"  {gpus:>9,} cards  {us:6.2f} us per failure   {us / bare:5.2f} of the bare loop (5 allowed)")
    spread = max(taken.values()) / min(taken.values())
    print(f"  slowest / fastest size   {spread:5.2f} (1.5 allowed)")


if __name__ == "__main__":
    main()
