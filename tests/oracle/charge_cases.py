"""Cases worked out by hand: which failures are charged for waiting."""

from __future__ import annotations

from tests.oracle.hand_cases import RESTART, Case, job, log

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

CASES: dict[str, Case] = {**WAITING}
