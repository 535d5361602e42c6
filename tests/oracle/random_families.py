"""What makes a plain random scenario a special one: each family of mechanisms by itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from clustersim.scenario.model import Scenario
from tests.oracle.author import Author, Spec

SCOPES = ("job", "gpu", "node", "rack", "pod", "replica", "cluster")
SIZES = ("gpu", "node", "rack", "pod")


def _stages(spec: Spec) -> Spec:
    stages: Spec = spec["recovery"]["stages"]
    return stages


def _modes(spec: Spec) -> list[Spec]:
    return list(spec["failures"].values()) if spec["failures"] != "none" else []


def _tiers(author: Author, spec: Spec) -> None:
    """Several tiers, or one whose copies may be unusable; what loads them."""
    if spec["checkpoint"] == "none":
        return
    if not author.maybe(4):
        _stages(spec)["load"] = "checkpoint" if not author.maybe(3) else author.law(0, 60)
    count = author.one_of(1, 2, 2, 3)
    tiers = {name: _tier(author, spec, place) for place, name in enumerate(("a", "b", "c")[:count])}
    last = tiers["abc"[count - 1]]
    last["survives"] = "all"
    spec["checkpoint"] = last if count == 1 else {"tiers": tiers}


def _tier(author: Author, spec: Spec, place: int) -> Spec:
    tier: Spec = {"interval": author.time(10, 150 * (place + 1)), "blocks": author.time(0, 15 * (place + 1))}
    if "step_time" in spec["workload"] and author.maybe():
        tier["interval"] = f"{author.one_of(1, 5, 20)} steps"
    if author.maybe():
        tier["durable_after"] = author.time(0, 250 * (place + 1))
    if "load" in _stages(spec) and author.maybe():
        tier["load"] = author.time(1, 60)
    if not author.maybe(4):
        tier["survives"] = [scope for scope in SCOPES if author.maybe()] or ["job"]
    if "load" in _stages(spec) and author.maybe(3):
        tier["unusable"] = author.one_of("20 %", "60 %")
    if author.maybe(4):
        tier["keep"] = author.one_of(1, 2, 3)
    return tier


def _effects(author: Author, spec: Spec) -> None:
    """Modes that slow, corrupt or make the job stumble, and storage out of reach."""
    for mode in _modes(spec):
        takes_nodes = mode["per"] in SIZES
        effect = author.one_of("as it is", "corrupt", "flap", *(["slow"] * 2 * takes_nodes))
        if effect == "slow":
            mode["effect"] = {"slow": {"factor": author.one_of(0.3, 0.5, 0.9)}}
        elif effect == "corrupt":
            mode.pop("detect", None)
            mode["effect"] = {"corrupt": {"noticed_after": author.law(0, 300)}}
        elif effect == "flap":
            mode["effect"] = {"flap": {"stall": author.law(0, 60)}}
            for key in ("detect", "repair", "transient", "takes_down", "spreads", "relapse"):
                mode.pop(key, None)
    if spec["checkpoint"] != "none" and spec["failures"] != "none" and author.maybe():
        spec["failures"]["storage"] = _storage(author, spec["checkpoint"].get("tiers"))
    if author.maybe(3):
        spec["recovery"]["overhead"] = "7 %"


def _storage(author: Author, tiers: Spec | None) -> Spec:
    mode: Spec = {"per": "cluster", "mtbf": author.time(100, 2000), "repair": author.law(1, 400)}
    named = tiers is not None and author.maybe()
    mode["effect"] = {"storage": {"tiers": [author.one_of(*tiers)]}} if named and tiers else "storage"
    if author.ties and not author.chance:
        mode |= {"lifetime": "constant", "ages": "new"}
    return mode


def _replicas(author: Author, spec: Spec) -> None:
    """The job as several replicas."""
    cluster = spec["cluster"]
    replicas, size = author.one_of(2, 2, 3, 4), author.one_of(1, 1, 2, 3)
    cluster["gpus"] = cluster["gpus_per_node"] * replicas * size
    recovery = spec["recovery"]
    recovery["replicas"] = replicas
    if not author.maybe(4):
        recovery["stall"] = author.time(1, 60)
    if author.maybe():
        recovery["rejoin_stall"] = author.time(1, 60)
    if author.maybe():
        recovery["minimum"] = author.one_of(*range(1, replicas + 1))
    if author.maybe(3):
        recovery["peer_load"] = author.time(0, 40)
        _stages(spec).setdefault("load", author.law(0, 60))
    if author.maybe(4):
        recovery["overhead"] = "7 %"


def _domains(author: Author, spec: Spec) -> None:
    """Failures that take whole domains, and spares that are bound to one."""
    cluster = spec["cluster"]
    levels = ["node", *(["rack"] if "nodes_per_rack" in cluster else [])]
    levels += ["pod"] if "racks_per_pod" in cluster else []
    for mode in _modes(spec):
        if mode["per"] in SIZES and "flap" not in mode.get("effect", {}):
            _reach(author, mode, levels, spec["recovery"].get("replicas", 1))
    if "spares" in cluster:
        _spares(author, cluster, levels)


def _reach(author: Author, mode: Spec, levels: list[str], replicas: int) -> None:
    least = max(SIZES.index(mode["per"]), 1)
    wider = [level for level in levels if SIZES.index(level) >= least]
    if author.maybe():
        mode["takes_down"] = author.one_of(*wider, "job", *(["replica"] if replicas > 1 else []))
    down = mode.get("takes_down", SIZES[least])
    beyond = [level for level in wider if down in SIZES and SIZES.index(level) > SIZES.index(down)]
    if beyond and author.maybe():
        mode["spreads"] = {"to": author.one_of(*beyond), "probability": "40 %"}
        if author.maybe():
            mode["spreads"]["share"] = author.one_of("20 %", "50 %", "90 %")


def _spares(author: Author, cluster: Spec, levels: list[str]) -> None:
    if author.maybe():
        cluster["spare_choice"] = "fewest_failures"
    if author.maybe(3):
        cluster.pop("provision", None)
        cluster |= {"spare_kind": "lent", "preempt": author.time(1, 100)}
    if "rack" in levels and author.maybe(3):
        used = cluster["nodes_per_rack"]
        cluster |= {"used_per_rack": used, "nodes_per_rack": used + author.one_of(1, 2)}
        del cluster["spares"]
    elif len(levels) > 1 and author.maybe():
        cluster["spares_within"] = author.one_of(*levels[1:])


def _nodes(author: Author, spec: Spec) -> None:
    """Nodes that differ, repairs that fail, and diagnoses that are wrong."""
    for mode in _modes(spec):
        if "repair" in mode and mode["per"] in SIZES:
            _repair(author, mode)
        if mode["per"] in ("gpu", "node") and author.maybe(3):
            mode["lemons"] = _lemons(author, mode.get("repair"))
        if mode["per"] in ("gpu", "node") and "repair" in mode and author.maybe() and author.chance:
            mode["relapse"] = {"probability": author.one_of("20 %", "40 %"), "within": author.time(10, 900)}
    repairs = [mode["repair"] for mode in _modes(spec) if "repair" in mode and mode["per"] in SIZES]
    if repairs:
        _diagnosis(author, spec["recovery"], any("false_fix" in repair for repair in repairs))
    lemons = [mode["lemons"] for mode in _modes(spec) if "lemons" in mode]
    if "replacement" in spec["recovery"].get("retire", {}):
        for some in lemons:
            some |= {"in_replacements": author.one_of("0 %", "50 %", "100 %")} if author.maybe() else {}


def _lemons(author: Author, repair: Any) -> Spec:
    """Bad nodes, and what repairs make of them and of good ones."""
    lemons: Spec = {"share": author.one_of("20 %", "50 %"), "factor": author.one_of(2, 5)}
    if repair is None or author.maybe():
        return lemons
    lemons["healed"] = author.one_of("30 %", "100 %")
    if "automatic" in repair and author.maybe():
        lemons["healed"] = {"automatic": "30 %", "manual": "80 %"}
    return lemons | ({"turns_bad": author.one_of("10 %", "40 %")} if author.maybe() else {})


def _diagnosis(author: Author, recovery: Spec, in_vain: bool) -> None:
    """Who is sent away, when what was left shows again, and who never comes back."""
    wrong = author.maybe()
    if wrong:
        recovery |= {"misdiagnosis": author.one_of("5 %", "20 %"), "missed": author.one_of("5 %", "15 %")}
    if (wrong or in_vain) and not (author.ties and author.chance):
        recovery["recurs_after"] = author.law(0, 300)
    if author.maybe(3):
        counts = {"after": 2, "within": author.time(500, 5000)}
        fades = {"score": 1.7, "half_life": author.time(300, 3000)}
        recovery["retire"] = author.one_of(counts, fades)
        if author.maybe():
            recovery["retire"] = recovery["retire"] | {"replacement": author.time(1, 900)}


def _repair(author: Author, mode: Spec) -> None:
    repair = mode["repair"]
    crews = repair.pop("crews", None) if isinstance(repair, dict) else None
    if author.maybe(3):
        repair = {"automatic": author.law(1, 300), "escalates": "50 %", "manual": author.law(1, 900)}
        if author.maybe():
            repair["false_fix"] = {"automatic": "40 %", "manual": "20 %"}
    else:
        repair = dict(repair) if isinstance(repair, dict) else {"constant": repair}
        if author.maybe():
            repair["false_fix"] = "30 %"
    mode["repair"] = {**repair, "crews": crews} if crews else repair


def _groups(author: Author, spec: Spec) -> None:
    """Nodes that differ by make, in one group, in two, or all of them."""
    modes = [mode for mode in _modes(spec) if mode["per"] in ("gpu", "node") and "replay" not in mode]
    if not modes or (author.ties and not author.chance):
        return
    cluster = spec["cluster"]
    counts = author.one_of(["50 %"], [1], ["100 %"], ["30 %", "30 %"], ["60 %", "40 %"], [1, "20 %"])
    groups = {name: {"nodes": count} for name, count in zip(("old", "new"), counts, strict=False)}
    cluster["groups"] = groups
    for mode in [author.one_of(*modes), author.one_of(*modes)]:
        mode["groups"] = {name: author.one_of(0.25, 0.5, 3, 3, 8) for name in groups if author.maybe()}
    modes[0].setdefault("groups", {})
    modes[0]["groups"] |= dict.fromkeys(groups, 2)


def _pools(author: Author, spec: Spec) -> None:
    """Spares in several pools, some of which take time or are lent."""
    cluster = spec["cluster"]
    for key in ("used_per_rack", "spares_within", "spare_kind", "spare_choice", "provision", "preempt"):
        cluster.pop(key, None)
    pools = []
    for name in ("a", "b", "c", "d")[: author.one_of(1, 2, 3, 3, 4)]:
        pool: Spec = {"name": name, "count": author.one_of(0, 1, 1, 2, 3)}
        if author.maybe(3):
            pool |= {"kind": "lent", "takes": author.time(0, 200)}
        elif author.maybe():
            pool["takes"] = author.time(0, 100)
        pools.append(pool)
    if all("kind" in pool for pool in pools):
        pools.append({"name": "own", "count": author.one_of(0, 2)})
    cluster["spares"] = pools


def _racks(author: Author, spec: Spec) -> None:
    """Racks that the job uses in part, and whole ones beside them."""
    cluster = spec["cluster"]
    if isinstance(cluster.get("spares"), list) and author.maybe():
        return
    for key in ("spares", "spares_within", "spare_choice"):
        cluster.pop(key, None)
    used = author.one_of(1, 2, 3)
    cluster |= {"used_per_rack": used, "nodes_per_rack": used + author.one_of(0, 1, 2)}
    cluster["spare_racks"] = author.one_of(1, 1, 2)
    replicas = spec["recovery"].get("replicas", 1)
    if replicas > 1:
        cluster["gpus"] = cluster["gpus_per_node"] * replicas * used * author.one_of(1, 2)


def _stops(author: Author, spec: Spec) -> None:
    """Planned stops: of several kinds, waiting for a failure, or of one replica after another."""
    if author.maybe():
        saves = spec["checkpoint"] != "none"
        spec["maintenance"] = [_entry(author, saves) for _ in range(author.one_of(1, 2, 2, 3))]
        return
    every = author.number(400, 2500)
    stop: Spec = {"every": f"{every!r} s", "takes": author.time(5, min(300, 0.9 * every))}
    stop["if_down"] = author.one_of("shorten", "skip", "postpone")
    if spec["recovery"].get("replicas", 1) > 1 and author.maybe():
        most = 0.9 * every / spec["recovery"]["replicas"] - 60
        stop |= {"rolling": True, "takes": author.time(5, max(min(300, most), 6))}
    else:
        stop["abrupt"] = spec["checkpoint"] == "none" or author.maybe()
        if author.maybe():
            stop["merge_within"] = author.time(1, 0.9 * every)
    spec["maintenance"] = stop


def _entry(author: Author, saves: bool) -> Spec:
    """One of several kinds of planned stops: at regular times, or at given ones, each as long or not."""
    if author.maybe():
        gap = author.number(100, 2500)
        stop: Spec = {"every": f"{gap!r} s"}
    else:
        starts = [author.number(0, 500)]
        gap = author.number(50, 1500)
        for _ in range(author.one_of(0, 1, 3, 6)):
            starts.append(starts[-1] + gap + author.number(0, 400))
        if author.maybe():
            lengths = {f"{start!r} s": author.time(0, min(900, 0.9 * gap)) for start in starts}
            stop = {"at": lengths if len(lengths) > 1 or author.maybe() else list(lengths)}
        else:
            stop = {"at": [f"{start!r} s" for start in starts]}
    if not isinstance(stop.get("at"), dict):
        stop["takes"] = author.time(0, min(600, 0.9 * gap))
    stop |= {"if_down": author.one_of("shorten", "skip", "postpone"), "abrupt": not saves or author.maybe()}
    if author.maybe(3):
        stop["merge_within"] = author.time(1, 0.9 * gap)
    return stop


def _spare_count(cluster: Spec) -> int:
    spares = 0 if "used_per_rack" in cluster else cluster.get("spares", 0)
    return sum(pool["count"] for pool in spares) if isinstance(spares, list) else spares


def _outages(author: Author, spec: Spec) -> None:
    """Outages of the whole site, one or two kinds of them."""
    modes = {} if spec["failures"] == "none" else spec["failures"]
    for name in ("cooling", "power")[: author.one_of(1, 1, 2)]:
        mode: Spec = {"per": "cluster", "mtbf": author.time(300, 3000), "repair": author.law(1, 600)}
        if author.ties and not author.chance:
            mode |= {"lifetime": "constant", "ages": "new"}
        modes[name] = mode
    spec["failures"] = modes


def _notices(author: Author, spec: Spec) -> None:
    """Failures that are announced, for longer or shorter than a save takes; those of a log, too."""
    for mode in _modes(spec):
        crashes = mode.get("effect", "crash") == "crash" and "detect" not in mode
        outage = mode.get("per") == "cluster" and "repair" in mode
        rows = mode.get("replay", [])
        outage |= any("repair" in row and "node" not in row for row in rows)
        if crashes and not outage and not author.maybe(4):
            mode["notice"] = author.time(1, author.one_of(20, 60, 400))
            if author.maybe():
                mode["saves"] = author.one_of("0 %", "30 %", "70 %")


def _trace(author: Author, spec: Spec) -> None:
    """A log of failures beside the random ones."""
    cluster = spec["cluster"]
    nodes = cluster["gpus"] // cluster["gpus_per_node"]
    spares = _spare_count(cluster)
    rows = []
    for _ in range(author.one_of(1, 3, 8)):
        row: Spec = {"time": author.time(0, 6000)}
        if not author.maybe(4):
            row["node"] = author.one_of(*range(nodes + spares))
            if author.maybe():
                row["repair"] = author.time(10, 1500)
        elif author.maybe():
            row["repair"] = author.time(10, 800)
            row["kind"] = "planned" if author.maybe() and not _rolls(spec) else "failure"
        rows.append(row)
    if spec["failures"] == "none":
        spec["failures"] = {}
    spec["failures"]["trace"] = {"replay": rows}


def _rolls(spec: Spec) -> bool:
    stops = spec.get("maintenance")
    return isinstance(stops, dict) and "rolling" in stops


def _overlaps(author: Author, spec: Spec) -> None:
    """Two logs that say of a few nodes again and again that they are away, longer or shorter."""
    cluster = spec["cluster"]
    spares = _spare_count(cluster)
    nodes = range(cluster["gpus"] // cluster["gpus_per_node"] + spares)
    named = sorted({author.one_of(*nodes), author.one_of(*nodes)})
    logs: Spec = {"cause": [], "another": []}
    for _ in range(author.one_of(4, 8, 12)):
        row: Spec = {"time": author.time(0, 4000), "node": author.one_of(*named)}
        if not author.maybe(5):
            row["repair"] = author.time(10, 3000)
        logs[author.one_of(*logs)].append(row)
    modes = {name: {"replay": rows} for name, rows in logs.items() if rows}
    for mode in modes.values():
        mode |= {"detect": author.law(0, 300)} if author.maybe() else {}
    spec["failures"] = modes | ({} if spec["failures"] == "none" else spec["failures"])


def adaptive(author: Author, spec: Spec) -> None:
    """Intervals that follow the failures, where saves cost time and there are failures to follow.

    They make instants odd, so that ties have them only where they have chance.
    """
    if spec["checkpoint"] == "none" or (author.ties and not author.chance):
        return
    for tier in spec["checkpoint"].get("tiers", {"only": spec["checkpoint"]}).values():
        before = tier["interval"]
        tier["interval"] = {"adaptive": {"window": author.time(50, 4000)}}
        if author.maybe(4) or not _is_sound(spec):
            tier["interval"] = before


def _is_sound(spec: Spec) -> bool:
    try:
        Scenario.model_validate(spec)
    except ValueError:
        return False
    return True


FAMILIES: dict[str, Callable[[Author, Spec], Any]] = {
    "replicas": _replicas,
    "tiers": _tiers,
    "effects": _effects,
    "domains": _domains,
    "nodes": _nodes,
    "groups": _groups,
    "pools": _pools,
    "racks": _racks,
    "stops": _stops,
    "outages": _outages,
    "trace": _trace,
    "overlaps": _overlaps,
    "notices": _notices,
    "adaptive": adaptive,
}
