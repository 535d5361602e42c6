"""Cases worked out by hand: several replicas at one instant, and stops that go from one to the next."""

from __future__ import annotations

from tests.oracle.hand_cases import RESTART, SAVES, Case, Spec, job, log

POWER: Spec = {"per": "node", "mtbf": "100 s", "lifetime": "constant", "ages": "new", "takes_down": "job"}
ROLLING: Spec = {"every": "100 s", "takes": "20 s", "rolling": True}

INSTANTS: dict[str, Case] = {
    "nodes that leave at one instant leave in the order of the replicas: the crew begins with the first": (
        job(
            240,
            2,
            failures={"power": {**POWER, "repair": {"constant": "50 s", "crews": 1}}},
            recovery={**RESTART, "replicas": 2},
        ),
        {"productive": 25 + 10, "lost": 100, "waiting": 25 + 50, "recovery": 15 + 15},
        {"time_s": [100], "waiting_s": [75], "recovery_s": [30]},
    ),
    "nobody loads from a replica that is back since that very instant": (
        job(
            150,
            2,
            failures={"job": log((100, None, None))},
            checkpoint={**SAVES, "load": "0 s"},
            recovery={"stages": {"restart": "30 s", "load": "checkpoint"}, "replicas": 2},
        ),
        {"productive": 80 + 20, "lost": 20, "recovery": 30},
        {"tier": ["checkpoint"], "lost_s": [20]},
    ),
    "a straggler that was repaired meanwhile and is back in its slot slows nobody, and is not sent away": (
        job(
            220,
            failures={
                "slow": log((100, 0, 20), effect={"slow": {"factor": 0.5}}, detect="100 s"),
                "crash": log((110, 0, 20)),
            },
            recovery=RESTART,
        ),
        {"productive": 60, "lost": 100 + 5, "slow": 5, "waiting": 20, "recovery": 30},
        {"interruption": [False, True], "lost_s": [0, 105], "slow_s": [5, 0]},
    ),
}

ROLLED: dict[str, Case] = {
    "who fails while it is out goes down when its stop ends, and the next one waits until it is back": (
        job(
            190,
            2,
            failures={"node": log((110, 0, None))},
            maintenance=ROLLING,
            checkpoint=SAVES,
            recovery={**RESTART, "replicas": 2, "stall": "10 s", "rejoin_stall": "5 s"},
        ),
        {"productive": 100 + 25 + 10 + 10, "maintenance": 20, "recovery": 15, "stall": 10},
        {"doing": ["maintenance"], "interruption": [False], "stall_s": [5], "replica": [0]},
    ),
    "the last one that is up steps out too": (
        job(
            199,
            2,
            failures={"node": log((50, 1, 100))},
            maintenance=ROLLING,
            checkpoint=SAVES,
            recovery={**RESTART, "replicas": 2},
        ),
        {"productive": 50 + 25 + 30 + 19, "maintenance": 10, "waiting": 50, "recovery": 15},
        {"waiting_s": [50], "recovery_s": [30], "down_s": [130]},
    ),
    "the next stop is due although the last one of this failed in it": (
        job(
            239,
            2,
            failures={"node": log((130, 1, None))},
            maintenance=ROLLING,
            checkpoint=SAVES,
            recovery={"stages": {"restart": "100 s"}, "replicas": 2},
        ),
        {"productive": 100 + 20 + 30 + 9.5, "maintenance": 30, "recovery": 49.5},
        {"replica": [1], "recovery_s": [99]},
    ),
    "the last one that held the work fails in its stop: what is durable when it ends counts": (
        job(
            199,
            2,
            failures={"job": log((110, None, None))},
            maintenance={**ROLLING, "takes": "45 s"},
            checkpoint={"interval": "45 s", "blocks": "0 s", "durable_after": "30 s"},
            recovery={"stages": {"restart": "60 s"}, "replicas": 2},
        ),
        {"productive": 90 + 4.5, "lost": 10 + 5, "maintenance": 22.5 + 10, "recovery": 30 + 27},
        {"lost_s": [15], "doing": ["training"], "interruption": [True], "recovery_s": [57]},
    ),
}

CASES: dict[str, Case] = {**INSTANTS, **ROLLED}
