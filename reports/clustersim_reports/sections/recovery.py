"""What a run recovers with: spare nodes over time, copies in several tiers, replicas."""

from __future__ import annotations

from collections.abc import Iterator

from clustersim.formatting import NOTHING, duration, percent, whole
from clustersim.records import PEER, SCOPES
from clustersim.scenario.keys.recovery import LOAD
from clustersim_reports import drawing
from clustersim_reports.blocks import Block, Data, Fact, Facts, Figure, Row, Section, Table, key, row
from clustersim_reports.drawing import INK, PAPER, Plot
from clustersim_reports.run import Run, Runs

LOADS = "replicas.peer_loads"


def section(runs: Runs) -> Section:
    """Return what each run recovers with; nothing where none has spares, tiers or replicas."""
    return Section(
        "recovery", "Spares, checkpoint tiers and replicas", runs.chapters("recovery", blocks), "Recovery"
    )


def blocks(run: Run) -> list[Block | None]:
    """Return numbers, the nodes away over time, and the copies that failures leave."""
    numbers, copies = [*spare_facts(run), *replica_facts(run)], list(tiers(run))
    columns = ["Saved every", "Survives"]
    columns += ["Loaded after failures", "Training lost each time"] if _loads(run) else []
    caption = f"Copies of {run.name} that failures leave, from the fastest tier to the most durable"
    table = Table(caption, columns, copies, "Copy") if copies else None
    return [Facts(numbers) if numbers else None, figure(run), table]


def spare_facts(run: Run) -> Iterator[Fact]:
    """Yield how many nodes are away, how many spares would suffice, and who waits for one."""
    spares, nodes = run.at("spares"), run.at("spare_nodes")
    if not spares or not spares["away"]["max"]:
        yield from (
            [Fact("Spare nodes", whole(nodes), "and no node ever left the job")] if spares and nodes else ()
        )
        return
    away, enough, short = spares["away"], spares["sufficient_p99"], run.say("spares.short", percent)
    usual = f"on average; {whole(away['p99'])} or fewer for 99 % of the time, {whole(away['max'])} at most"
    yield Fact("Nodes away", run.say("spares.away.mean"), usual)
    suffices = "would cover all nodes away for 99 % of the time"
    if enough is None:
        suffices = run.summary["reasons"].get("spares.sufficient_p99", "")
    yield Fact("Sufficient spares", NOTHING if enough is None else whole(enough), suffices)
    covered = "always enough, though all of them were in use at once"
    if spares["short"]:
        covered = f"{'fewer than nodes away' if nodes else 'nodes away and no spare'} for {short} of the time"
    elif spares["fewest_idle"]:
        covered = f"at least {whole(spares['fewest_idle'])} of them idle at any time, in every replication"
    yield Fact("Spare nodes", whole(nodes), covered)
    who = "a replica" if "replicas" in run.summary else "the job"
    waits = ("never", f"{who} always got one{_ready(run)}")
    if spares["waiting"]:
        waits = run.say("spares.waiting", percent), f"of the time {who} waits for one"
    yield Fact("Waiting for a node", *waits)


def _ready(run: Run) -> str:
    """Return when a spare that is taken serves; what that takes counts as recovery."""
    cluster = run.result.scenario.cluster
    takes = {pool.takes for pool in cluster.pools} or {cluster.delay}
    if longest := max(takes):
        within = "after" if len(takes) == 1 else "within"
        return f", ready {within} {duration(longest, 0.0)}, which counts as recovery"
    return " immediately"


def replica_facts(run: Run) -> Iterator[Fact]:
    """Yield how many replicas there are, and how many of them are down."""
    if replicas := run.at("replicas"):
        least = f"; at least {whole(replicas['minimum'])} must be alive" if replicas["minimum"] > 1 else ""
        each = whole(run.at("nodes") / replicas["count"])
        yield Fact("Replicas", whole(replicas["count"]), f"of {each} nodes each{least}")
        why = "on average: detecting, recovering, or waiting for a node"
        yield Fact("Replicas down", run.say("replicas.down"), why)


def tiers(run: Run) -> Iterator[Row]:
    """Yield each tier, where there are several, and another replica, where there is one to load from.

    Beside other replicas the only tier is loaded where they are not: its share is what is left of 100 %.
    Where no stage loads, nobody counts which copy it was.
    """
    kept = 4 if _loads(run) else 2
    all_tiers, peers, lost = run.result.scenario.tiers, run.at(LOADS), lost_by_tier(run)
    replicas = "replicas" in run.summary
    for tier in all_tiers if len(all_tiers) > 1 or replicas else ():
        path = f"tiers.{tier.name}.loads"
        loads = _often(run.at(path), run.margin(path))
        if len(all_tiers) == 1:
            loads = _often(None if peers is None else 1 - peers, run.margin(LOADS))
        scopes = ", ".join(word for word in SCOPES if tier.survives is not None and word in tier.survives)
        survives = f"{scopes or 'all'} failures"
        cells = duration(tier.interval, 0.0), survives, loads, duration(lost.get(tier.name))
        yield row(tier.name, *cells[:kept])
    if replicas:
        loads, survives = _often(peers, run.margin(LOADS)), "failures that leave another replica alive"
        yield row(PEER, *(NOTHING, survives, loads, duration(lost.get(PEER)))[:kept])


def _loads(run: Run) -> bool:
    """Return whether a stage of the restart loads a copy."""
    return any(stage.kind == LOAD for stage in run.result.scenario.recovery.stages)


def _often(share: float | None, width: float | None) -> str:
    return NOTHING if share is None else percent(share, width) if share else "never"


def lost_by_tier(run: Run) -> dict[str, float]:
    """Return the training (s) lost on average in a failure after which each tier was loaded."""
    incidents = run.result.incidents
    if incidents is None:
        return {}
    tier = incidents["tier"].astype(str)
    means = (incidents["lost_s"] + incidents["corrupted_s"]).groupby(tier).mean()
    return {str(name): float(lost) for name, lost in means.items() if name}


def figure(run: Run) -> Figure | None:
    """Return the nodes away over time, or None where none was, or nobody counted.

    Two lines across mark the spare nodes, and how many are away at most for 99 % of the time.
    """
    block, timeline = run.at("spares"), run.timeline
    if block is None or not block["away"]["max"] or timeline is None or timeline["away_mean"].isna().all():
        return None
    timeline = timeline[timeline[["away_mean", "away_0"]].notna().any(axis=1)]
    end_s = float(timeline["end_s"].iloc[-1])
    size, unit = drawing.time_unit(end_s)
    columns = {f"time_{unit}": timeline["start_s"] / size}
    columns |= {name: timeline[name] for name in ("away_mean", "away_p10", "away_p90")}
    columns |= {"away_replication_0": timeline["away_0"], "idle_mean": timeline["idle_mean"]}
    values = {name: drawing.rounded(map(float, column), 5) for name, column in columns.items()}
    if run.at("replications") < 2:
        values |= dict.fromkeys(("away_p10", "away_p90"), [None] * len(timeline))
    data = Data.of({"scenario": run.name} | values)
    enough, most, spares = block["away"]["p99"], block["away"]["max"], run.at("spare_nodes")
    highest = max(filter(None, (enough, spares, *data["away_replication_0"], *data["away_p90"])))
    upward = drawing.axis(range=[0, 1.14 * highest], nticks=6, tickformat=",d")
    plot = Plot(data, 320, x=drawing.time_axis(end_s), y=upward, hovermode="x unified")
    plot.history(run.at("replications"), "%{y:.4~g}", shape="hv")
    plot.first_finish(run.first_finish_s, size, run.at("replications"))
    plot.legend += [key("across", "spare nodes"), key("across-dash", "so many or fewer for 99 % of the time")]
    plot.corner("nodes away")
    words = f"{whole(spares) if spares else 'no'} spare{'s' * (spares != 1)}"
    for text, nodes, x, side, dash in (
        (words, spares, 0, "left", "solid"),
        (f"99 % of the time {whole(enough)} or fewer", enough, 1, "right", "dash"),
    ):
        plot.note(text, x, nodes, bgcolor=PAPER, opacity=0.9, xref="paper", yshift=1, xanchor=side)
        plot.rule(drawing.stroke(INK, 1.2, dash), (0, 1), (nodes, nodes), xref="paper", layer="above")
    spoken = f"{whole(enough)} nodes or fewer for 99 % of the time, {whole(most)} at most; {spares} spares"
    caption = "Nodes in repair, or retired and not yet replaced."
    return plot.figure(f"spares-{run.anchor}", "Nodes away", caption, spoken)
