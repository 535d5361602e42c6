"""Cases small enough to be worked out by hand: a scenario, its ledger in seconds, and what its lines say."""

from __future__ import annotations

from typing import Any

Spec = dict[str, Any]
Case = tuple[Spec, dict[str, float], dict[str, list[Any]]]
SAVES: Spec = {"interval": "40 s", "blocks": "0 s"}
RESTART: Spec = {"stages": {"restart": "30 s"}}


def job(horizon: int, nodes: int = 1, **blocks: Any) -> Spec:
    return {
        "name": "by hand",
        "cluster": {"gpus": nodes, "gpus_per_node": 1, **blocks.pop("cluster", {})},
        "failures": blocks.pop("failures", "none"),
        "checkpoint": "none",
        "simulation": {"horizon": f"{horizon} s"},
        **blocks,
    }


def log(*rows: tuple[int, int | None, int | None], **more: Any) -> Spec:
    """A mode from a log: instant, node (None: the job), time in repair (None: a restart is enough)."""
    replay = []
    for time, node, repair in rows:
        row: Spec = {"time": f"{time} s"}
        row |= {} if node is None else {"node": node}
        row |= {} if repair is None else {"repair": f"{repair} s"}
        replay.append(row)
    return {"replay": replay, **more}


MEMORY = {"interval": "40 s", "blocks": "2 s", "load": "5 s", "survives": ["job", "gpu"]}
STORAGE = {"interval": "100 s", "blocks": "10 s", "durable_after": "20 s", "load": "30 s", "survives": "all"}
QUICK = {"interval": "40 s", "blocks": "0 s", "survives": ["job"]}
SURE = {"interval": "100 s", "blocks": "0 s", "survives": "all"}

COPIES: dict[str, Case] = {
    "a node takes its memory along, a restart does not": (
        job(
            400,
            2,
            cluster={"spares": 1},
            failures={"node": log((190, 0, 50), (300, 1, None))},
            checkpoint={"tiers": {"memory": MEMORY, "storage": STORAGE}},
            recovery={"stages": {"detect": "10 s", "load": "checkpoint"}},
        ),
        {"productive": 213, "lost": 72 + 28, "checkpoint": 32, "detection": 20, "recovery": 30 + 5},
        {"lost_s": [72, 28], "tier": ["storage", "memory"], "transient": [False, True]},
    ),
    "a later failure that kills the copy makes the job fall further": (
        job(
            200,
            2,
            cluster={"spares": 1},
            failures={"job": log((130, None, None)), "node": log((150, 0, 500))},
            checkpoint={"tiers": {"quick": QUICK, "sure": SURE}},
            recovery=RESTART,
        ),
        {"productive": 120, "lost": 10 + 20, "recovery": 20 + 30},
        {"lost_s": [10, 20], "mode": ["job", "node"], "recovery_s": [20, 30]},
    ),
    "copies that cannot be read are tried one after the other, as many as are kept": (
        job(
            200,
            failures={"job": log((170, None, None))},
            checkpoint={
                "interval": "40 s",
                "blocks": "10 s",
                "load": "7 s",
                "keep": 2,
                "unusable": "99.9999999 %",
            },
            recovery={"stages": {"load": "checkpoint"}},
        ),
        {"productive": 9, "lost": 140, "checkpoint": 30, "recovery": 3 * 7},
        {"lost_s": [140], "recovery_s": [21]},
    ),
    "storage out of reach: copies are void and the load waits": (
        job(
            135,
            failures={
                "outage": {
                    "per": "cluster",
                    "mtbf": "70 s",
                    "lifetime": "constant",
                    "ages": "new",
                    "effect": "storage",
                    "repair": "60 s",
                },
                "job": log((120, None, None)),
            },
            checkpoint={"interval": "40 s", "blocks": "10 s", "durable_after": "25 s", "load": "4 s"},
            recovery={"stages": {"restart": "5 s", "load": "checkpoint"}},
        ),
        {"productive": 1, "lost": 100, "checkpoint": 20, "recovery": 5 + 5 + 4},
        {"interruption": [False, True], "lost_s": [0, 100]},
    ),
}

OUTAGE: Spec = {"per": "cluster", "mtbf": "60 s", "lifetime": "constant", "ages": "new", "repair": "20 s"}
COPIES["a save that an outage made worthless is waited for anew, whatever a stop did to the next one"] = (
    job(
        155,
        failures={"job": log((110, None, None)), "out": OUTAGE | {"effect": "storage"}},
        checkpoint={
            "tiers": {
                "memory": {"interval": "30 s", "blocks": "0 s", "survives": ["job"]},
                "storage": {"interval": "40 s", "blocks": "1 s", "durable_after": "30 s"},
            }
        },
        maintenance={"every": "100 s", "takes": "9 s"},
        recovery={"stages": {"restart": "10 s"}},
    ),
    {"productive": 90 + 35, "lost": 8, "checkpoint": 2 + 10, "recovery": 10},
    {},
)

EFFECTS: dict[str, Case] = {
    "a straggler costs time until it is noticed, then it is replaced": (
        job(
            200,
            cluster={"spares": 1},
            failures={"slow": log((100, 0, 50), effect={"slow": {"factor": 0.5}}, detect="20 s")},
            checkpoint={"interval": "50 s", "blocks": "0 s"},
            recovery=RESTART,
        ),
        {"productive": 150, "slow": 10, "lost": 10, "recovery": 30},
        {"time_s": [100], "slow_s": [10], "lost_s": [10], "detection_s": [0], "interruption": [True]},
    ),
    "silent corruption reaches behind the copies made since": (
        job(
            250,
            failures={"flip": log((110, None, None), effect={"corrupt": {"noticed_after": "70 s"}})},
            checkpoint=SAVES,
            recovery=RESTART,
        ),
        {"productive": 120, "corrupted": 100, "recovery": 30},
        {"corrupted_s": [100], "lost_s": [0], "detection_s": [0]},
    ),
    "corruption that was thrown away by another failure is never noticed": (
        job(
            250,
            failures={
                "flip": log((110, None, None), effect={"corrupt": {"noticed_after": "70 s"}}),
                "job": log((115, None, None)),
            },
            checkpoint=SAVES,
            recovery=RESTART,
        ),
        {"productive": 185, "lost": 35, "recovery": 30},
        {"corrupted_s": [0, 0], "lost_s": [0, 35], "interruption": [False, True]},
    ),
    "a flap loses nothing, and the copy in flight goes on": (
        job(
            200,
            failures={
                "flap": log((65, None, None), effect={"flap": {"stall": "20 s"}}),
                "job": log((130, None, None)),
            },
            checkpoint={"interval": "40 s", "blocks": "10 s", "durable_after": "30 s"},
            recovery=RESTART,
        ),
        {"productive": 80, "lost": 50, "checkpoint": 20, "stall": 20, "recovery": 30},
        {"stall_s": [20, 0], "lost_s": [0, 50], "interruption": [True, True]},
    ),
    "a flap in a block: it is done again at once afterwards": (
        job(
            100,
            failures={"flap": log((45, None, None), effect={"flap": {"stall": "20 s"}})},
            checkpoint={"interval": "40 s", "blocks": "10 s"},
        ),
        {"productive": 65, "checkpoint": 15, "stall": 20},
        {"doing": ["saving"], "stall_s": [20]},
    ),
}

META = [(1080 * k, 0, None) for k in range(1, 11)]
REPLICAS: dict[str, Case] = {
    "Meta's arithmetic: a failure each 18 min, stall 3 min, own recovery 10 min, 12 replicas": (
        job(
            1080 * 11,
            12,
            failures={"node": log(*META)},
            recovery={"stages": {"restart": "10 min"}, "replicas": 12, "stall": "3 min"},
        ),
        {
            "productive": 1080 + 600 * (7 * 11 / 12 + 8),
            "stall": 600 * 3 * 11 / 12,
            "recovery": 600 * 10 / 12,
        },
        {
            "replica": [0] * 10,
            "stall_s": [165.0] * 10,
            "recovery_s": [600] * 10,
            "interruption": [True] * 10,
        },
    ),
    "fewer than the minimum: everyone is held back": (
        job(
            200,
            2,
            failures={"node": log((100, 0, None))},
            recovery={
                "stages": {"restart": "60 s"},
                "replicas": 2,
                "stall": "20 s",
                "rejoin_stall": "10 s",
                "minimum": 2,
            },
        ),
        {"productive": 130, "stall": 10 + 10, "idle": 20, "recovery": 30},
        {"stall_s": [20], "idle_s": [20], "lost_s": [0]},
    ),
    "the step in flight is lost by all": (
        job(
            200,
            2,
            workload={"step_time": "30 s"},
            failures={"node": log((100, 1, None))},
            recovery={"stages": {"restart": "60 s"}, "replicas": 2, "stall": "20 s"},
        ),
        {"productive": 150, "lost": 10, "stall": 10, "recovery": 30},
        {"replica": [1], "lost_s": [10]},
    ),
    "all replicas gone: back to the checkpoint, and together again at once": (
        job(
            150,
            2,
            failures={"job": log((100, None, None))},
            checkpoint=SAVES,
            recovery={**RESTART, "replicas": 2, "stall": "20 s", "rejoin_stall": "10 s"},
        ),
        {"productive": 100, "lost": 20, "recovery": 30},
        {"replica": [-1], "lost_s": [20], "recovery_s": [30]},
    ),
    "who rejoins while the others stand still anyway: everyone waits for the later deadline": (
        job(
            150,
            3,
            failures={"node": log((100, 0, None))},
            recovery={
                "stages": {"restart": "15 s"},
                "replicas": 3,
                "stall": "20 s",
                "rejoin_stall": "10 s",
            },
        ),
        {"productive": 125, "stall": 20, "recovery": 5},
        {"stall_s": [20], "recovery_s": [15]},
    ),
    "the last one that trained fails while another is ready: nothing is lost": (
        job(
            250,
            2,
            failures={"node": log((100, 0, None), (140, 1, None))},
            recovery={**RESTART, "replicas": 2, "stall": "20 s", "rejoin_stall": "50 s"},
        ),
        {"productive": 135, "stall": 10 + 10 + 15 + 50, "recovery": 30},
        {"stall_s": [35, 50], "lost_s": [0, 0], "doing": ["training", "stall"], "replica": [0, 1]},
    ),
    "what the protocol costs, and a straggler beside it": (
        job(
            200,
            2,
            failures={"slow": log((100, 0, None), effect={"slow": {"factor": 0.5}}, detect="1 h")},
            recovery={"replicas": 2, "overhead": "10 %"},
        ),
        {"productive": 90 + 45, "slow": 10 + 10 + 45},
        {"slow_s": [45]},
    ),
}

STOPS: dict[str, Case] = {
    "one replica after another": (
        job(
            200,
            2,
            maintenance={"every": "100 s", "takes": "20 s", "rolling": True},
            recovery={"replicas": 2, "rejoin_stall": "5 s"},
            checkpoint=SAVES,
        ),
        {"productive": 170, "maintenance": 20, "stall": 10},
        {},
    ),
    "a replica that is struck in a stop goes down when the stop is over": (
        job(
            199,
            2,
            failures={"node": log((110, 1, None))},
            maintenance={"every": "100 s", "takes": "30 s", "abrupt": True},
            checkpoint=SAVES,
            recovery={**RESTART, "replicas": 2, "stall": "10 s"},
        ),
        {"productive": 80 + 10 + 39, "lost": 20, "maintenance": 30, "stall": 5, "recovery": 15},
        {"doing": ["maintenance"], "interruption": [False], "replica": [1], "stall_s": [5]},
    ),
    "a stop that is done within a recovery costs nothing": (
        job(
            229,
            failures={"job": log((125, None, None))},
            maintenance={"every": "100 s", "takes": "20 s", "abrupt": True, "merge_within": "30 s"},
            checkpoint=SAVES,
            recovery={"stages": {"restart": "25 s"}},
        ),
        {"productive": 199, "lost": 5, "recovery": 25},
        {"lost_s": [5]},
    ),
}

LEMONS: Spec = {"share": "100 %", "factor": 2}
FEWER: Spec = {**LEMONS, "in_replacements": "0 %"}
SOUR: Spec = {
    "per": "node",
    "mtbf": "100 s",
    "lifetime": "constant",
    "ages": "new",
    "lemons": LEMONS,
    "repair": "10 s",
}
RETIRED: Spec = {
    "stages": {"restart": "5 s"},
    "retire": {"after": 1, "within": "1000 s", "replacement": "20 s"},
}

NODES: dict[str, Case] = {
    "a fault that nobody finds comes back after some training": (
        job(
            195,
            failures={
                "node": {
                    "per": "node",
                    "mtbf": "100 s",
                    "lifetime": "constant",
                    "ages": "new",
                    "repair": "50 s",
                }
            },
            recovery={
                "stages": {"detect": "10 s", "restart": "20 s"},
                "missed": "99.9999 %",
                "recurs_after": "15 s",
            },
        ),
        {"lost": 130, "detection": 25, "recovery": 40},
        {"time_s": [100, 145, 190], "nodes_lost": [0, 0, 1], "lost_s": [100, 15, 15]},
    ),
    "a rack takes its own spares along, and no other rack's spare helps": (
        job(
            200,
            4,
            cluster={"nodes_per_rack": 3, "used_per_rack": 2},
            failures={"rack": log((100, 0, 50), takes_down="rack")},
            recovery={"stages": {"detect": "10 s", "restart": "20 s"}},
        ),
        {"productive": 20, "lost": 100, "detection": 10, "waiting": 50, "recovery": 20},
        {"doing": ["idle", "training"], "node": [4, 0], "nodes_lost": [1, 2]},
    ),
    "the crew takes up the manual parts one after the other": (
        job(
            200,
            2,
            failures={
                "node": {
                    "per": "node",
                    "mtbf": "100 s",
                    "lifetime": "constant",
                    "ages": "new",
                    "repair": {"automatic": "10 s", "escalates": "100 %", "manual": "30 s", "crews": 1},
                }
            },
            recovery={"stages": {"restart": "10 s"}},
        ),
        {"productive": 20, "lost": 100, "waiting": 70, "recovery": 10},
        {"time_s": [100, 100], "waiting_s": [20, 20 + 30], "down_s": [0, 80]},
    ),
    "of lent spares the one with the fewest failures is taken": (
        job(
            200,
            cluster={
                "spares": 2,
                "spare_kind": "lent",
                "preempt": "5 s",
                "spare_choice": "fewest_failures",
            },
            failures={"node": log((10, 2, 5), (20, 2, 5), (50, 0, 10), (100, 1, 10), (150, 0, 10))},
            recovery={"stages": {"restart": "10 s"}},
        ),
        {"productive": 35, "lost": 50 + 35 + 35, "recovery": 45},
        {"doing": ["idle", "idle", "training", "training", "training"], "nodes_lost": [1] * 5},
    ),
    "the second failure retires the node, and a new one comes": (
        job(
            200,
            failures={"node": log((50, 0, 10), (100, 0, 10))},
            recovery={
                "stages": {"restart": "5 s"},
                "retire": {"after": 2, "within": "1000 s", "replacement": "40 s"},
            },
        ),
        {"productive": 45, "lost": 50 + 35, "waiting": 10 + 50, "recovery": 10},
        {"waiting_s": [10, 50], "node": [0, 0]},
    ),
    "a replacement is a lemon like the node that it replaces": (
        job(200, failures={"node": SOUR}, recovery=RETIRED),
        {"productive": 35, "lost": 50 + 45, "waiting": 30 + 30, "recovery": 5 + 5},
        {"time_s": [50, 130]},
    ),
    "a replacement is no lemon where none of them is": (
        job(200, failures={"node": {**SOUR, "lemons": FEWER}}, recovery=RETIRED),
        {"lost": 50 + 95, "waiting": 30 + 20, "recovery": 5},
        {"time_s": [50, 180]},
    ),
}

CASES: dict[str, Case] = {**COPIES, **EFFECTS, **REPLICAS, **STOPS, **NODES}
