"""A million cards for 90 days with everything on: tiers, replicas, lemons, relapse, racks, crews."""

from __future__ import annotations

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


def main() -> None:
    from sim.engine.replication import simulate
    from sim.scenario.model import Scenario

    scenario = Scenario.model_validate(FIDELITY)
    records = simulate(scenario, 1)
    taken = best_of(3, lambda: simulate(scenario, 1))
    print(f"a million cards, 90 days, 100 replicas and two tiers, {records.incident_count:,} failures")
    print(f"  us per failure           {taken / records.incident_count * 1e6:8.1f}")
    print(f"  seconds per replication  {taken:8.2f}   {taken / ALLOWED_SECONDS:5.2f} of what is allowed")
    print(f"  ETTR                     {records.ettr:8.3f}")


if __name__ == "__main__":
    main()
