"""Cases worked out by hand: planned stops that fall due while the job is down, and what they do not save."""

from __future__ import annotations

from typing import Any

from tests.oracle.hand_cases import SAVES, Case, Spec, job, log

SLOW_SAVES: Spec = {"interval": "40 s", "blocks": "10 s"}
BUG = log((90, None, None))
TWO: Spec = {"stages": {"restart": "15 s"}, "replicas": 2}


def stop(every: int, takes: int, **more: Any) -> Spec:
    return {"every": f"{every} s", "takes": f"{takes} s", **more}


def restart(seconds: int, **more: Any) -> Spec:
    return {"stages": {"restart": f"{seconds} s"}, **more}


def bug_before_a_stop(**more: Any) -> Spec:
    """A bug at 90 s keeps the job from training until 120 s; a stop of 30 s is due at 100 s."""
    maintenance = stop(100, 30, **more)
    return job(199, failures={"bug": BUG}, maintenance=maintenance, checkpoint=SAVES, recovery=restart(30))


def one_replica_down(if_down: str) -> Spec:
    """The first replica recovers from 95 s to 110 s; the round begins at 100 s."""
    maintenance = stop(100, 20, rolling=True, if_down=if_down)
    failures = {"node": log((95, 0, None))}
    return job(199, 2, failures=failures, maintenance=maintenance, checkpoint=SAVES, recovery=TWO)


IN_AN_OUTAGE: dict[str, Case] = {
    "what is left of a stop when the job is ready is done then": (
        bug_before_a_stop(),
        {"productive": 80 + 69, "lost": 10, "recovery": 30, "maintenance": 10},
        {},
    ),
    "nothing is lost by it, even if it is abrupt": (
        bug_before_a_stop(abrupt=True, if_down="shorten"),
        {"productive": 80 + 69, "lost": 10, "recovery": 30, "maintenance": 10},
        {},
    ),
    "or all of it": (
        bug_before_a_stop(if_down="postpone"),
        {"productive": 80 + 49, "lost": 10, "recovery": 30, "maintenance": 30},
        {},
    ),
    "or nothing": (
        bug_before_a_stop(if_down="skip"),
        {"productive": 80 + 79, "lost": 10, "recovery": 30},
        {},
    ),
    "of several that fall due in one outage the last one counts": (
        job(
            199,
            failures={"bug": BUG},
            maintenance=stop(50, 30),
            checkpoint=SAVES,
            recovery=restart(75),
        ),
        {"productive": 50 + 19, "lost": 10, "recovery": 75, "maintenance": 30 + 15},
        {},
    ),
    "a stop that waited for a failure begins with it": (
        job(
            199,
            failures={"bug": log((125, None, None))},
            maintenance=stop(100, 20, merge_within="30 s"),
            checkpoint=SAVES,
            recovery=restart(15),
        ),
        {"productive": 120 + 54, "lost": 5, "recovery": 15, "maintenance": 5},
        {},
    ),
    "a stop whose save a failure breaks is due from then": (
        job(
            199,
            failures={"bug": log((125, None, None))},
            maintenance=stop(120, 20),
            checkpoint=SLOW_SAVES,
            recovery=restart(4),
        ),
        {
            "productive": 80 + 44,
            "lost": 20,
            "checkpoint": 10 + 10 + 5 + 10,
            "recovery": 4,
            "maintenance": 16,
        },
        {"doing": ["saving"]},
    ),
    "it begins again as soon as the replicas that are left train": (
        job(
            199,
            2,
            failures={"node": log((125, 1, None))},
            maintenance=stop(120, 20),
            checkpoint=SLOW_SAVES,
            recovery=restart(4, replicas=2),
        ),
        {
            "productive": 100 + 40,
            "checkpoint": 20 + 5 + 2 + 6 + 4,
            "recovery": 2,
            "maintenance": 20,
        },
        {"doing": ["saving"], "replica": [1]},
    ),
}

SAVED_ALREADY: dict[str, Case] = {
    "a stop at the instant at which a save ends does not save again": (
        job(199, maintenance=stop(100, 30), checkpoint=SLOW_SAVES),
        {"productive": 80 + 59, "checkpoint": 20 + 10, "maintenance": 30},
        {},
    ),
    "it waits for the copy that is on its way": (
        job(199, maintenance=stop(100, 30), checkpoint={**SLOW_SAVES, "durable_after": "15 s"}),
        {"productive": 80 + 44, "checkpoint": 20 + 15 + 10, "maintenance": 30},
        {},
    ),
    "a job that has just recovered has nothing to save": (
        job(
            199,
            failures={"bug": log((70, None, None))},
            maintenance=stop(100, 30),
            checkpoint=SLOW_SAVES,
            recovery=restart(30),
        ),
        {"productive": 40 + 59, "lost": 20, "checkpoint": 10 + 10, "recovery": 30, "maintenance": 30},
        {},
    ),
    "unless what it has loaded is in another tier": (
        job(
            199,
            failures={"bug": log((70, None, None))},
            maintenance=stop(100, 30),
            checkpoint={
                "tiers": {
                    "memory": {"interval": "40 s", "blocks": "0 s", "survives": ["job"]},
                    "storage": {"interval": "90 s", "blocks": "10 s", "survives": "all"},
                }
            },
            recovery=restart(30),
        ),
        {"productive": 40 + 59, "lost": 30, "checkpoint": 10, "recovery": 30, "maintenance": 30},
        {"lost_s": [30]},
    ),
}

ROLLING: dict[str, Case] = {
    "a replica that is down when its turn comes does what is left when it has recovered": (
        one_replica_down("shorten"),
        {"productive": 95 + 2.5 + 79, "recovery": 7.5, "maintenance": 10 + 5},
        {},
    ),
    "or all of its stop, while the others train": (
        one_replica_down("postpone"),
        {"productive": 95 + 2.5 + 5 + 69, "recovery": 7.5, "maintenance": 10 + 10},
        {},
    ),
    "or nothing, and comes back": (
        one_replica_down("skip"),
        {"productive": 95 + 2.5 + 5 + 79, "recovery": 7.5, "maintenance": 10},
        {},
    ),
    "all replicas that are down have their turn at once": (
        job(
            199,
            2,
            failures={"bug": BUG},
            maintenance=stop(100, 30, rolling=True),
            checkpoint=SAVES,
            recovery=restart(30, replicas=2),
        ),
        {"productive": 80 + 69, "lost": 10, "recovery": 30, "maintenance": 10},
        {},
    ),
    "one that is ready and waits for others steps out": (
        job(
            199,
            2,
            failures={"node": log((90, 0, None), (90, 1, 40))},
            maintenance=stop(100, 20, rolling=True),
            checkpoint=SAVES,
            recovery=restart(5, replicas=2, minimum=2),
        ),
        {
            "productive": 80 + 64,
            "lost": 10,
            "recovery": 2.5 + 2.5,
            "idle": 2.5 + 7.5,
            "maintenance": 10,
            "waiting": 20,
        },
        {"waiting_s": [0, 20]},
    ),
}


def at(instant: int, takes: int, **more: Any) -> Spec:
    return {"at": [f"{instant} s"], "takes": f"{takes} s", **more}


def several(*stops: Spec, **blocks: Any) -> Spec:
    """Planned stops of several kinds, and saves that cost no time."""
    return job(199, **{"maintenance": list(stops), "checkpoint": SAVES, **blocks})


SEVERAL: dict[str, Case] = {
    "stops at given instants, each as long as it says": (
        job(199, maintenance={"at": {"50 s": "20 s", "150 s": "10 s"}}, checkpoint=SAVES),
        {"productive": 169, "maintenance": 30},
        {},
    ),
    "one that falls due within another is done until it would be over": (
        several(stop(100, 20), at(110, 30)),
        {"productive": 159, "maintenance": 40},
        {},
    ),
    "or all of it after the other": (
        several(stop(100, 20), at(110, 30, if_down="postpone")),
        {"productive": 149, "maintenance": 50},
        {},
    ),
    "or not at all": (
        several(stop(100, 20), at(110, 30, if_down="skip")),
        {"productive": 179, "maintenance": 20},
        {},
    ),
    "those of one instant are done together, and neither is skipped": (
        several(stop(100, 20, if_down="skip"), at(100, 30, if_down="skip")),
        {"productive": 169, "maintenance": 30},
        {},
    ),
    "one that waits for a failure is done with another": (
        several(stop(100, 20, merge_within="50 s"), at(120, 5)),
        {"productive": 179, "maintenance": 20},
        {},
    ),
    "the job saves first unless all of them are abrupt": (
        job(99, maintenance=[at(60, 10, abrupt=True), at(60, 5)], checkpoint=SLOW_SAVES),
        {"productive": 40 + 10 + 19, "checkpoint": 20, "maintenance": 10},
        {},
    ),
    "in an outage the one that is over last decides": (
        several(stop(100, 30), at(105, 40), failures={"bug": BUG}, recovery=restart(30)),
        {"productive": 80 + 54, "lost": 10, "recovery": 30, "maintenance": 25},
        {},
    ),
    "one that falls due in a save that a failure breaks is due still, another is skipped": (
        several(
            stop(120, 20, if_down="skip"),
            at(125, 5, abrupt=True),
            failures={"bug": log((126, None, None))},
            checkpoint=SLOW_SAVES,
            recovery=restart(4),
        ),
        {"productive": 80 + 40 + 18, "lost": 20, "checkpoint": 20 + 6 + 10, "recovery": 4, "maintenance": 1},
        {"doing": ["saving"]},
    ),
    "a log says when it was planned, and for how long": (
        job(
            199,
            failures={
                "log": {
                    "replay": [{"time": "60 s", "repair": "20 s", "kind": "planned"}, {"time": "130 s"}],
                }
            },
            checkpoint=SAVES,
            recovery=restart(4),
        ),
        {"productive": 60 + 40 + 65, "lost": 10, "recovery": 4, "maintenance": 20},
        {"mode": ["log"]},
    ),
}

CASES: dict[str, Case] = {**IN_AN_OUTAGE, **SAVED_ALREADY, **ROLLING, **SEVERAL}
