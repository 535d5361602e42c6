"""Random scenarios: every mechanism in one of them, small enough for the naive simulator."""

from __future__ import annotations

from typing import Any

from tests.oracle.author import Author, Pick, Spec
from tests.oracle.random_families import FAMILIES

IF_DOWN = ("shorten", "skip", "postpone")


def scenario(pick: Pick, ties: bool, *families: str) -> Spec:
    """Return the document of a whole scenario, with mechanisms of these families beside the plain ones."""
    author = Author(pick, ties, chance=not ties or pick(range(4)) == 0)
    cluster = _cluster(author)
    horizon = author.number(500, 9000)
    spec: Spec = {"name": "random", "cluster": cluster, "failures": _failures(author, cluster)}
    spec["simulation"] = {"horizon": f"{horizon!r} s", "seed": pick(range(1, 10**6)), "replications": 2}
    spec["workload"] = _workload(author)
    spec["checkpoint"] = _checkpoint(author, spec["workload"])
    spec["recovery"] = _recovery(author, spec["checkpoint"] != "none")
    if author.maybe(3):
        every = author.number(100, 2500)
        spec["maintenance"] = {"every": f"{every!r} s", "takes": author.time(5, min(300, 0.9 * every))}
        spec["maintenance"]["abrupt"] = spec["checkpoint"] == "none" or author.maybe()
        spec["maintenance"]["if_down"] = author.one_of(*IF_DOWN)
    if author.maybe(4):
        spec["workload"]["productive"] = author.time(50, 5000)
    elif author.maybe(4):
        spec["simulation"]["warm_up"] = f"{horizon * author.one_of(0.25, 0.5)!r} s"
    for family in families:
        FAMILIES[family](author, spec)
    return spec


def _cluster(author: Author) -> Spec:
    nodes, per_node = author.one_of(1, 2, 3, 4, 6, 7), author.one_of(1, 2, 3)
    spec: Spec = {"gpus": nodes * per_node, "gpus_per_node": per_node}
    if author.maybe():
        spec["nodes_per_rack"] = author.one_of(1, 2, 3)
        if author.maybe():
            spec["racks_per_pod"] = author.one_of(1, 2)
    if not author.maybe(3):
        spec["spares"] = author.one_of(1, 2, 4)
        if author.maybe():
            spec |= {"spare_kind": "cold", "provision": author.time(1, 100)}
        if (author.chance or "nodes_per_rack" not in spec) and author.maybe():
            spec["spare_failures"] = author.one_of("100 %", "50 %", "25 %")
    return spec


def _places(cluster: Spec) -> dict[str, int]:
    """How many units of each kind the job has."""
    nodes = cluster["gpus"] // cluster["gpus_per_node"]
    places = {"gpu": cluster["gpus"], "node": nodes, "cluster": 1, "job": 1}
    if "nodes_per_rack" in cluster:
        places["rack"] = -(-nodes // cluster["nodes_per_rack"])
        if "racks_per_pod" in cluster:
            places["pod"] = -(-places["rack"] // cluster["racks_per_pod"])
    return places


def _failures(author: Author, cluster: Spec) -> Any:
    count = author.one_of(0, 1, 1, 2, 2, 3, 4)
    return {f"mode {index}": _mode(author, _places(cluster)) for index in range(count)} or "none"


def _mode(author: Author, places: dict[str, int]) -> Spec:
    per = author.one_of(*places)
    mode: Spec = {"per": per, **_lifetime(author, places[per], per in ("gpu", "node"))}
    clock = "calendar" if author.ties and author.chance else author.one_of("", "calendar", "training")
    if clock:
        mode["clock"] = clock
    if author.maybe(4):
        changes = {"0 s": 2, author.time(100, 1000): 0.5, author.time(1100, 3000): 1}
        mode["over_time"] = changes
    if author.maybe(3):
        mode["detect"] = author.law(0, 60)
        if author.maybe():
            mode |= {"effect": "hang", "detect": author.law(60, 600)}
    if per in ("gpu", "node", "rack", "pod") and not author.maybe(3):
        mode |= _repair(author)
    return mode


def _lifetime(author: Author, places: int, travels: bool) -> Spec:
    mean = f"{places * author.number(40, 1500)!r} s"
    kinds = ["constant", "empirical"] * (not author.chance or not travels) + ["exponential"] * author.chance
    if not author.ties:
        kinds = ["exponential", "exponential", "constant", "empirical", "weibull", "gamma", "lognormal"]
    kind = author.one_of(*kinds)
    ages = {"ages": "new" if author.ties else author.one_of("new", "steady")}
    if kind == "exponential":
        return {"mtbf": mean, **ages}
    if kind == "constant":
        return {"mtbf": mean, "lifetime": "constant", **ages}
    if kind == "empirical":
        return {
            "lifetime": {"empirical": [f"{places * author.number(30, 2000)!r} s" for _ in range(3)]},
            **ages,
        }
    if ages["ages"] == "new" and author.maybe():
        ages["renews"] = False
    shape = {"sigma": author.one_of(0.5, 1.5)} if kind == "lognormal" else {"shape": author.one_of(0.6, 2.0)}
    return {"mtbf": mean, "lifetime": {kind: shape}, **ages}


def _repair(author: Author) -> Spec:
    law = author.law(1, 1500)
    if author.maybe():
        law = {**({"constant": law} if isinstance(law, str) else law), "crews": author.one_of(1, 2)}
    spec: Spec = {"repair": law}
    if author.maybe():
        spec["transient"] = author.one_of("40 %", "80 %")
    return spec


def _workload(author: Author) -> Spec:
    return {"step_time": author.time(1, 12)} if author.maybe(3) else {}


def _checkpoint(author: Author, workload: Spec) -> Any:
    if author.maybe(6):
        return "none"
    spec: Spec = {"interval": author.time(10, 300), "blocks": author.time(0, 40)}
    if "step_time" in workload and author.maybe():
        spec["interval"] = f"{author.one_of(1, 5, 20)} steps"
    if author.maybe():
        spec["durable_after"] = author.time(0, 500)
    return spec


def _recovery(author: Author, saves: bool) -> Spec:
    stages: Spec = {"detect": author.law(0, 60)}
    if author.maybe():
        stages["diagnose"] = author.law(0, 60)
    if author.maybe(3):
        stages["nodes"] = "wait"
    stages["start"] = author.law(0, 120)
    if author.maybe(3):
        start = stages["start"]
        stages["start"] = {**({"constant": start} if isinstance(start, str) else start), "fails": "30 %"}
    if saves and author.maybe():
        stages["load"] = author.law(0, 60)
    if author.maybe(6):
        stages = {"detect": stages["detect"]}
    spec: Spec = {"stages": stages, "during_recovery": author.one_of("restart", "absorb")}
    if author.maybe(4):
        spec["at_start"] = True
    return spec
