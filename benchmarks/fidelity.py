"""A million cards for 90 days with everything on: tiers, replicas, lemons, relapse, racks, crews."""

from __future__ import annotations

from statistics import median

from million import ALLOWED_SECONDS as PLAIN_SECONDS
from million import SCENARIO
from timing import best_of

REPAIR = {
    "automatic": "2 h",
    "escalates": "40 %",
    "manual": {"lognormal": {"median": "20 h", "sigma": 1.5, "at_most": "60 d"}},
    "false_fix": {"automatic": "10 %", "manual": "5 %"},
    "crews": 200,
}
FIDELITY = SCENARIO | {
    "name": "fidelity",
    "failures": {
        "gpu": {
            "per": "gpu",
            "rate": "268 / 884_736 gpu-days",
            "transient": "30 %",
            "repair": REPAIR,
            "lemons": {"share": "2 %", "factor": 5},
            "relapse": {"probability": "10 %", "within": "1 d"},
        },
        "host": {
            "per": "node",
            "rate": "116 / 110_592 node-days",
            "repair": {"exponential": {"mean": "2 d"}},
        },
        "rack": {"per": "rack", "mtbf": "30 y", "repair": "4 h"},
    },
    "checkpoint": {
        "tiers": {
            "peer": {
                "interval": "1 min",
                "blocks": "100 ms",
                "durable_after": "5 s",
                "load": "5 s",
                "survives": ["job", "gpu", "node"],
            },
            "storage": {"interval": "10 min", "blocks": "1 s", "durable_after": "2 min", "load": "1 min"},
        }
    },
    "recovery": {
        "stages": {"detect": "10 s", "nodes": "wait", "restart": "1 min", "load": "checkpoint"},
        "replicas": 100,
        "stall": "5 s",
        "rejoin_stall": "5 s",
        "misdiagnosis": "2 %",
    },
}
ALLOWED_SECONDS = 3.0
ALLOWED_RATIO = ALLOWED_SECONDS / PLAIN_SECONDS


def main() -> None:
    from clustersim.engine.replication import simulate
    from clustersim.scenario.model import Scenario

    scenario, plain = Scenario.model_validate(FIDELITY), Scenario.model_validate(SCENARIO)
    records = simulate(scenario, 1)
    pairs = [
        (best_of(1, lambda: simulate(scenario, 1)), best_of(1, lambda: simulate(plain, 1))) for _ in range(5)
    ]
    taken, ratio = min(pairs)[0], median(one / other for one, other in pairs)
    print(f"a million cards, 90 days, 100 replicas and two tiers, {records.incident_count:,} failures")
    print(f"  us per failure           {taken / records.incident_count * 1e6:8.1f}")
    print(f"  seconds per replication  {taken:8.2f}   {taken / ALLOWED_SECONDS:5.2f} of what is allowed")
    print(f"  times the plain million  {ratio:8.2f}   {ratio / ALLOWED_RATIO:5.2f} of what is allowed")
    print(f"  ETTR                     {records.ettr:8.3f}")


if __name__ == "__main__":
    main()
