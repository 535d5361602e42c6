"""What there was to recover with, in words: spare nodes, copies in several tiers, replicas."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from clustersim.digits import NOTHING, duration, percent, plus_minus, whole
from clustersim.records import PEER
from clustersim_reports.tables import Tile, at, margin

if TYPE_CHECKING:
    from clustersim.results import Results
    from clustersim.scenario.keys.tiers import Tier

Summary = Mapping[str, Any]


class TierCells(NamedTuple):
    """One tier in words: how often it saves, what its copies survive, how often they were loaded.

    `lost` is the training that such a failure throws away on average.
    """

    name: str
    every: str
    survives: str
    loads: str
    lost: str


class Means(NamedTuple):
    """What one scenario had to recover with: tiles on its spares and replicas, and its tiers."""

    tiles: tuple[Tile, ...]
    tiers: tuple[TierCells, ...]


def means(result: Results) -> Means | None:
    """Return what *result* had to recover with, or None where there is nothing to tell."""
    tiles = (*_spares(result), *_replicas(result))
    tiers = tuple(_tiers(result))
    return Means(tiles, tiers) if tiles or tiers else None


def _spares(result: Results) -> Iterator[Tile]:
    """Yield how many nodes are away, how many spares would suffice, and how long somebody waits."""
    summary = result.summary
    block = summary.get("spares")
    if block is None or not (block["away"]["max"] or summary["spare_nodes"]):
        return
    away = block["away"]
    if not away["max"]:
        yield Tile("Spares there are", whole(summary["spare_nodes"]), "and no node ever left the job")
        return
    yield Tile(
        "Nodes away",
        plus_minus(away["mean"], margin(summary, "spares.away.mean")),
        f"on average; {whole(away['p99'])} or fewer for 99 % of the time, {whole(away['max'])} at most",
    )
    if block["sufficient_p99"] is None:
        yield Tile("Spares that suffice", NOTHING, summary["reasons"]["spares.sufficient_p99"])
    else:
        detail = "would have covered all nodes away for 99 % of the time"
        yield Tile("Spares that suffice", whole(block["sufficient_p99"]), detail)
    yield Tile("Spares there are", whole(summary["spare_nodes"]), _enough(summary))
    waiting = percent(block["waiting"], margin(summary, "spares.waiting"))
    who = "a replica" if "replicas" in summary else "the job"
    if block["waiting"]:
        yield Tile("Waiting for a node", waiting, f"of the time {who} waits for one")
    else:
        yield Tile("Waiting for a node", "never", f"{who} always got one at once")


def _enough(summary: Summary) -> str:
    """Return how far the spares went."""
    block, spares = summary["spares"], summary["spare_nodes"]
    if block["short"]:
        share = percent(block["short"], margin(summary, "spares.short"))
        return f"{'fewer than nodes away' if spares else 'nodes away and no spare'} for {share} of the time"
    if block["fewest_idle"]:
        return f"{whole(block['fewest_idle'])} of them idle at any time, in every replication"
    return "enough at any time, though all of them were in use once"


def _replicas(result: Results) -> Iterator[Tile]:
    summary = result.summary
    block = summary.get("replicas")
    if block is not None:
        nodes = whole(summary["nodes"] / block["count"])
        least = f"; at least {whole(block['minimum'])} must be alive" if block["minimum"] > 1 else ""
        yield Tile("Replicas", whole(block["count"]), f"of {nodes} nodes each{least}")
        down = plus_minus(block["down"], margin(summary, "replicas.down"))
        yield Tile("Replicas down", down, "on average: noticing, recovering, or waiting for a node")


def _tiers(result: Results) -> Iterator[TierCells]:
    """Yield each tier, where there are several, and another replica, where there is one to load from."""
    summary, tiers = result.summary, result.scenario.tiers
    lost = lost_by_tier(result)
    peers = "replicas" in summary
    for tier in tiers if len(tiers) > 1 or peers else ():
        every, path = duration(tier.interval, 0.0), f"tiers.{tier.name}.loads"
        yield TierCells(
            tier.name, every, survives(tier), _share(summary, path, len(tiers)), _lost(lost, tier.name)
        )
    if peers:
        reach = "failures that leave a replica alive"
        share = _share(summary, "replicas.peer_loads", 2)
        yield TierCells(PEER, NOTHING, reach, share, _lost(lost, PEER))


def _share(summary: Summary, path: str, tiers: int) -> str:
    """Return how often something was loaded; the only tier is what is left of 100 % by other replicas."""
    if tiers < 2:
        others = at(summary, "replicas.peer_loads")
        share, width = None if others is None else 1 - others, margin(summary, "replicas.peer_loads")
    else:
        share, width = at(summary, path), margin(summary, path)
    return NOTHING if share is None else percent(share, width) if share else "never"


def _lost(lost: Mapping[str, float], name: str) -> str:
    return duration(lost[name]) if name in lost else NOTHING


def survives(tier: Tier) -> str:
    """Return what the copies of *tier* survive, in words."""
    if tier.survives is None:
        return "all failures"
    from clustersim.scenario.keys.tiers import SCOPES

    return ", ".join(word for word in SCOPES if word in tier.survives)


def lost_by_tier(result: Results) -> dict[str, float]:
    """Return the training (s) thrown away on average by a failure after which each tier was loaded."""
    incidents = result.incidents
    if incidents is None:
        return {}
    loaded = incidents[incidents["tier"].astype(str) != ""]
    lost = loaded["lost_s"] + loaded["corrupted_s"]
    means = lost.groupby(loaded["tier"].astype(str)).mean()
    return {str(tier): float(lost) for tier, lost in means.items()}
