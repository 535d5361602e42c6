"""Cases worked out by hand: which failures are charged for waiting, and which alarm ends a detection."""

from __future__ import annotations

from tests.oracle.hand_cases import RESTART, SAVES, Case, job, log

AGAIN = {"node": log((50, 0, 10), (100, 0, 10), (150, 1, 20))}

WAITING: dict[str, Case] = {
    "a failure that took no node is charged the recovery that it begins again, never the waiting": (
        job(
            200,
            2,
            failures={"node": log((50, 0, 100)), "bug": log((80, None, None))},
            recovery=RESTART,
        ),
        {"productive": 20, "lost": 50, "waiting": 100, "recovery": 30},
        {"waiting_s": [100, 0], "recovery_s": [0, 30], "down_s": [30, 100]},
    ),
    "a spare that is away is charged too": (
        job(
            200,
            2,
            cluster={"spares": 1},
            failures={"node": log((10, 2, 100), (50, 0, 20))},
            recovery=RESTART,
        ),
        {"productive": 100, "lost": 50, "waiting": 20, "recovery": 30},
        {"doing": ["idle", "training"], "waiting_s": [10, 10], "down_s": [0, 50]},
    ),
    "in equal parts per node": (
        job(
            200,
            3,
            cluster={"nodes_per_rack": 2},
            failures={"rack": log((50, 0, 60), takes_down="rack"), "node": log((50, 2, 60))},
            recovery=RESTART,
        ),
        {"productive": 60, "lost": 50, "waiting": 60, "recovery": 30},
        {"nodes_lost": [2, 1], "waiting_s": [40, 20], "down_s": [0, 90]},
    ),
    "a spare that fails before it is ready is not awaited once a quicker one has taken its slot": (
        job(
            200,
            cluster={"spares": [{"name": "slow", "count": 1, "takes": "60 s"}, {"name": "hot", "count": 1}]},
            failures={"node": log((50, 0, 500), (80, 1, 500))},
            recovery={"during_recovery": "absorb"},
        ),
        {"productive": 120, "lost": 50, "recovery": 30},
        {"time_s": [50, 80], "recovery_s": [30, 0]},
    ),
    "a node that retired and is not replaced is away for good": (
        job(200, 2, failures=AGAIN, recovery={"retire": {"after": 2, "within": "1000 s"}}),
        {"lost": 50 + 40, "waiting": 10 + 100},
        {"waiting_s": [10, 90, 10], "down_s": [10, 50, 50]},
    ),
    "one that is replaced is away until its replacement comes": (
        job(
            200,
            2,
            failures=AGAIN,
            recovery={"retire": {"after": 2, "within": "1000 s", "replacement": "60 s"}},
        ),
        {"productive": 30, "lost": 50 + 40, "waiting": 10 + 70},
        {"waiting_s": [10, 50 + 10, 10], "down_s": [10, 50, 20]},
    ),
    "what was waited before the end of the warm-up is not booked": (
        job(
            200,
            failures={"node": log((50, 0, 100))},
            recovery=RESTART,
            simulation={"horizon": "200 s", "warm_up": "100 s"},
        ),
        {"productive": 20, "waiting": 50, "recovery": 30},
        {"waiting_s": [100]},
    ),
    "the node of the second failure goes to the replica that has waited longest": (
        job(
            200,
            2,
            failures={"node": log((50, 0, 100), (70, 1, 20))},
            recovery={**RESTART, "replicas": 2},
        ),
        {"productive": 30 + 20, "lost": 50 + 10, "waiting": 20 + 40, "recovery": 15 + 15},
        {"waiting_s": [10 + 10 + 30, 10], "down_s": [40 + 30, 80 + 30]},
    ),
}

CRASH = {"detect": "10 s"}
HANG = {"effect": "hang", "detect": "30 min"}

ALARMS: dict[str, Case] = {
    "a hang does not delay the alarm of the crash before it, and is found with it": (
        job(
            200,
            2,
            failures={"crash": log((50, 0, 20), **CRASH), "hang": log((55, 1, 30), **HANG)},
            recovery=RESTART,
        ),
        {"productive": 80, "lost": 50, "detection": 10, "waiting": 30, "recovery": 30},
        {"detection_s": [5, 5], "waiting_s": [10, 10 + 10], "recovery_s": [0, 30], "nodes_lost": [1, 1]},
    ),
    "a crash in the detection of a hang ends it with its own alarm": (
        job(
            200,
            2,
            failures={"hang": log((50, 0, 20), **HANG), "crash": log((55, 1, 30), **CRASH)},
            recovery=RESTART,
        ),
        {"productive": 75, "lost": 50, "detection": 15, "waiting": 30, "recovery": 30},
        {"detection_s": [5, 10], "waiting_s": [10, 10 + 10], "recovery_s": [0, 30]},
    ),
    "the alarm of a failure that is absorbed ends the detection too": (
        job(
            200,
            2,
            failures={"hang": log((50, 0, None), **HANG), "crash": log((55, 1, 30), **CRASH)},
            recovery={**RESTART, "during_recovery": "absorb"},
        ),
        {"productive": 75, "lost": 50, "detection": 15, "waiting": 30, "recovery": 30},
        {"detection_s": [15, 0], "waiting_s": [0, 30], "recovery_s": [30, 0], "down_s": [75, 0]},
    ),
    "after its alarm a failure is no longer pending": (
        job(
            200,
            failures={
                "crash": log((50, None, None), **CRASH),
                "hang": log((65, None, None), effect="hang", detect="40 s"),
            },
            recovery=RESTART,
        ),
        {"productive": 65, "lost": 50, "detection": 10 + 40, "recovery": 5 + 30},
        {"detection_s": [10, 40], "recovery_s": [5, 30]},
    ),
    "of what strikes in a planned stop the earliest alarm counts, from its end on": (
        job(
            199,
            failures={"crash": log((110, None, None), **CRASH), "hang": log((115, None, None), **HANG)},
            maintenance={"every": "100 s", "takes": "30 s", "abrupt": True},
            checkpoint=SAVES,
            recovery=RESTART,
        ),
        {"productive": 80 + 29, "lost": 20, "maintenance": 30, "detection": 10, "recovery": 30},
        {"detection_s": [0, 10], "recovery_s": [0, 30], "doing": ["maintenance"] * 2},
    ),
    "what one replica hears is not heard in another": (
        job(
            200,
            2,
            failures={
                "hang": log((50, 0, None), effect="hang", detect="100 s"),
                "crash": log((60, 1, None), **CRASH),
            },
            recovery={**RESTART, "replicas": 2},
        ),
        {"productive": 50 + 10, "lost": 55, "detection": 50 + 5, "recovery": 15 + 15},
        {"detection_s": [100, 10], "recovery_s": [30, 30], "lost_s": [0, 55]},
    ),
    "a straggler that is noticed while a hang is not known yet ends its detection": (
        job(
            200,
            2,
            failures={
                "slow": log((20, 1, None), effect={"slow": {"factor": 0.5}}, detect="50 s"),
                "hang": log((50, 0, None), **HANG),
            },
            recovery=RESTART,
        ),
        {"productive": 100, "lost": 20 + 15, "slow": 15, "detection": 20, "recovery": 30},
        {"detection_s": [0, 20], "recovery_s": [30, 0], "lost_s": [0, 35], "interruption": [False, True]},
    ),
    "what struck a replica in its stop is over once corruption has taken it down; the other is passed over": (
        job(
            299,
            2,
            failures={
                "flip": log((90, 0, None), effect={"corrupt": {"noticed_after": "30 s"}}),
                "node": log((110, 0, None), **CRASH),
            },
            maintenance={"every": "100 s", "takes": "45 s", "rolling": True},
            checkpoint=SAVES,
            recovery={**RESTART, "replicas": 2},
        ),
        {
            "productive": 80 + 7.5 + 35 + 45 + 9,
            "corrupted": 20 + 10,
            "maintenance": 10 + 7.5 + 45,
            "recovery": 30,
        },
        {"corrupted_s": [30, 0], "interruption": [True, False], "doing": ["training", "maintenance"]},
    ),
}

OVERLAPS: dict[str, Case] = {
    "absences of one node that overlap are one, to the later end": (
        job(240, failures={"node": log((10, 0, 2), (11, 0, 100), (50, 0, 3))}, recovery=RESTART),
        {"productive": 99, "lost": 10, "waiting": 101, "recovery": 30},
        {"time_s": [10], "waiting_s": [101], "nodes_lost": [1]},
    ),
    "whatever the cause; it is charged to the failure that took the node": (
        job(200, failures={"b": log((60, 0, 50)), "a": log((50, 0, 20))}, recovery=RESTART),
        {"productive": 60, "lost": 50, "waiting": 60, "recovery": 30},
        {"mode": ["a"], "waiting_s": [60]},
    ),
    "a node that has failed but not left is away, and so is one that the log has back sooner": (
        job(
            300,
            failures={"node": log((50, 0, 20), (55, 0, 40), (92, 0, 30), (170, 0, 20), (195, 0, 2), **CRASH)},
            recovery=RESTART,
        ),
        {"productive": 70, "lost": 50 + 18, "detection": 10 + 10, "waiting": 62 + 20, "recovery": 30 + 30},
        {"time_s": [50, 170], "waiting_s": [62, 20]},
    ),
    "of the nodes of a rack only the one that is named stays away": (
        job(
            200,
            2,
            cluster={"nodes_per_rack": 2, "spares": 1},
            failures={"rack": log((50, 0, 20), takes_down="rack"), "node": log((60, 1, 60))},
            recovery=RESTART,
        ),
        {"productive": 100, "lost": 50, "waiting": 20, "recovery": 30},
        {"nodes_lost": [2], "waiting_s": [20]},
    ),
}

CASES: dict[str, Case] = {**WAITING, **ALARMS, **OVERLAPS}
