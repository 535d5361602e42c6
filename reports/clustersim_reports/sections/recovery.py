"""What a run recovers with: spare nodes over time, copies in several tiers, replicas."""

from __future__ import annotations

from collections.abc import Iterator

from clustersim.formatting import NOTHING, duration, percent, whole
from clustersim.records import PEER
from clustersim_reports import drawing
from clustersim_reports.blocks import Block, Cell, Data, Fact, Facts, Figure, Row, Section, Table, key
from clustersim_reports.drawing import INK, PAPER, Json
from clustersim_reports.run import Run, Runs
from clustersim_reports.sections.throughput import bands, keys


def section(runs: Runs) -> Section | None:
    """Return what each run recovers with, or None where none has spares, tiers or replicas."""
    chapters = runs.chapters("recovery", _blocks)
    return (
        Section("recovery", "Recovery", "Spares, checkpoint tiers and replicas", chapters)
        if chapters
        else None
    )


def _blocks(run: Run) -> list[Block]:
    numbers, spares, copies = list(facts(run)), figure(run), list(tiers(run))
    columns = ("Saved every", "Survives", "Loaded after failures", "Training lost each time")
    caption = f"Copies of {run.name} that failures leave, from the fastest tier to the most durable"
    blocks: list[Block] = [Facts(numbers)] if numbers else []
    blocks += [spares] if spares else []
    return [*blocks, *([Table(caption, columns, copies, "Copy")] if copies else [])]


def facts(run: Run) -> Iterator[Fact]:
    """Yield how many nodes are away, how many spares would suffice, who waits, how many replicas are down."""
    spares, nodes, replicas = run.at("spares"), run.at("spare_nodes"), run.at("replicas")
    away = spares["away"] if spares else {"max": 0}
    if spares and nodes and not away["max"]:
        yield Fact("Spare nodes", whole(nodes), "and no node ever left the job")
    if away["max"]:
        usual = (
            f"on average; {whole(away['p99'])} or fewer for 99 % of the time, {whole(away['max'])} at most"
        )
        yield Fact("Nodes away", run.say("spares.away.mean"), usual)
        missing, enough = run.summary["reasons"].get("spares.sufficient_p99", ""), spares["sufficient_p99"]
        suffices = missing if enough is None else "would cover all nodes away for 99 % of the time"
        yield Fact("Sufficient spares", NOTHING if enough is None else whole(enough), suffices)
        yield Fact("Spare nodes", whole(nodes), _enough(run))
        who = "the job" if replicas is None else "a replica"
        share, never = run.say("spares.waiting", percent), f"{who} always got one immediately"
        waits = (share, f"of the time {who} waits for one") if spares["waiting"] else ("never", never)
        yield Fact("Waiting for a node", *waits)
    if replicas is not None:
        least = f"; at least {whole(replicas['minimum'])} must be alive" if replicas["minimum"] > 1 else ""
        each = whole(run.at("nodes") / replicas["count"])
        yield Fact("Replicas", whole(replicas["count"]), f"of {each} nodes each{least}")
        why = "on average: detecting, recovering, or waiting for a node"
        yield Fact("Replicas down", run.say("replicas.down"), why)


def _enough(run: Run) -> str:
    """Return how far the spares went."""
    block, spares = run.at("spares"), run.at("spare_nodes")
    if block["short"]:
        share = run.say("spares.short", percent)
        return f"{'fewer than nodes away' if spares else 'nodes away and no spare'} for {share} of the time"
    if block["fewest_idle"]:
        return f"at least {whole(block['fewest_idle'])} of them idle at any time, in every replication"
    return "always enough, though all of them were in use at once"


def tiers(run: Run) -> Iterator[Row]:
    """Yield each tier, where there are several, and another replica, where there is one to load from.

    Beside other replicas the only tier is loaded where they are not: its share is what is left of 100 %.
    """
    from clustersim.scenario.keys.tiers import SCOPES

    all_tiers, peers, path = run.result.scenario.tiers, run.at("replicas.peer_loads"), "replicas.peer_loads"
    lost = lost_by_tier(run)
    for tier in all_tiers if len(all_tiers) > 1 or "replicas" in run.summary else ():
        scopes = [word for word in SCOPES if tier.survives is not None and word in tier.survives]
        loads = _often(run.at(f"tiers.{tier.name}.loads"), run.margin(f"tiers.{tier.name}.loads"))
        if len(all_tiers) == 1:
            loads = _often(None if peers is None else 1 - peers, run.margin(path))
        survives = f"{', '.join(scopes)} failures" if scopes else "all failures"
        cells = duration(tier.interval, 0.0), survives, loads, duration(lost.get(tier.name))
        yield Row(Cell(tier.name), [Cell(text) for text in cells])
    if "replicas" in run.summary:
        loads, survives = _often(peers, run.margin(path)), "failures that leave another replica alive"
        yield Row(Cell(PEER), [Cell(text) for text in (NOTHING, survives, loads, duration(lost.get(PEER)))])


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
    """Return the nodes away over time, or None where none was, or nobody counted."""
    block, timeline = run.at("spares"), run.result.timeline
    if block is None or not block["away"]["max"] or timeline is None or timeline["away_mean"].isna().all():
        return None
    end_s = float(timeline["end_s"].iloc[-1])
    size, unit = drawing.time_unit(end_s)
    names = ("away_mean", "away_p10", "away_p90", "away_0", "idle_mean")
    given = [timeline["start_s"] / size, *(timeline[name] for name in names)]
    curves = [drawing.rounded(column) for column in given]
    if run.at("replications") < 2:
        curves[2] = curves[3] = [None] * len(timeline)
    columns = ("scenario", f"time_{unit}", *names[:3], "away_replication_0", "idle_mean")
    data = Data(columns, [(run.name, *row) for row in zip(*curves, strict=True)])
    enough, most, spares = block["away"]["p99"], block["away"]["max"], run.at("spare_nodes")
    caption = "Nodes in repair, or retired and not yet replaced."
    spoken = f"{whole(enough)} nodes or fewer for 99 % of the time, {whole(most)} at most; {spares} spares"
    legend = [*keys(run), key("across", "spare nodes"), key("across-dash", "enough for 99 % of the time")]
    panel = _drawing(run, data, drawing.time_axis(end_s, "the start"))
    return Figure(f"spares-{run.anchor}", "Nodes away", caption, spoken, legend, panel, data)


def _drawing(run: Run, data: Data, across: Json) -> Json:
    """Return the nodes away as curves with their band; two lines across: spare nodes, sufficient ones."""
    spares, enough = run.at("spare_nodes"), run.at("spares.away.p99")
    top = 1.14 * max(enough, spares, *filter(None, data["away_replication_0"] + data["away_p90"]))
    words = f"{whole(spares) if spares else 'no'} spare{'s' * (spares != 1)}"
    labels = (
        (words, 0, spares, "left", "solid"),
        (f"99 % of the time {whole(enough)} or fewer", 1, enough, "right", "dash"),
    )
    look: Json = {"bgcolor": PAPER, "opacity": 0.9, "xref": "paper", "yshift": 1}
    return drawing.sheet(
        bands(run, data, "%{y:.4~g}", shape="hv"),
        320,
        annotations=[
            drawing.corner("nodes away"),
            *(drawing.note(words, x, y, **(look | {"xanchor": side})) for words, x, y, side, _ in labels),
        ],
        hovermode="x unified",
        shapes=[
            drawing.rule(drawing.stroke(INK, 1.2, dash), (0, 1), (nodes, nodes), xref="paper", layer="above")
            for _, _, nodes, _, dash in labels
        ],
        xaxis=across,
        yaxis=drawing.axis(range=[0, top], nticks=6, tickformat=",d"),
    )
