"""The entries: every key of `summary.json`, in its order there, and metrics that only claims are about."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from clustersim.arrays import Array
from clustersim.engine.ledger import Entry
from clustersim.estimate import awaited, mean_of, percentile, within_draws, without_chance
from clustersim.formatting import NOTHING, duration
from clustersim.metrics import cells
from clustersim.metrics.cells import MetricCell, Summary
from clustersim.metrics.metric import (
    NEARLY_ALWAYS,
    Metric,
    MetricFigure,
    Note,
    about,
    by_draw,
    held,
    held_for,
    mean,
    over,
    ratio,
    scaled,
)
from clustersim.metrics.replications import (
    COSTS,
    FLEET,
    PER_DRAW,
    PRECISION,
    REPLICAS,
    TARGET,
    TIERS,
    TOKENS,
    UNCERTAIN,
    Column,
    Replications,
    ScenarioFacts,
)
from clustersim.units import DAY, HOUR

SCHEMA_VERSION = 2
NO_PROGRESS_BELOW = 0.01
"""Below this ETTR relative figures, such as a price for an effective hour, are noise."""


class MetricSection(NamedTuple):
    """Entries that are about one thing, under the heading that they have in the documentation."""

    heading: str
    entries: tuple[Metric | Note, ...]


def _not_reached(r: Replications) -> str:
    reached, limit = int(r["reached"].sum()), f"{r['horizon_s'] / DAY:.4g} days"
    return f"reached in {reached} of {len(r)} replications within {limit}"


def _not_counted(r: Replications) -> str:
    if r["spares_within"]:
        return f"each spare serves one {r['spares_within']}, not the whole cluster"
    least = held_for(r["away_s"].sum(axis=0), NEARLY_ALWAYS)
    return (
        f"it takes at least {least} for 99 % of the time: while the job waits for nodes, fewer of them fail"
    )


def _waste_by_entry(r: Replications) -> dict[str, dict[str, float]]:
    means = zip(r.facts.names["cause"], r["charges"].mean(axis=0), strict=True)
    return {cause: {each.label: float(row[each]) for each in Entry if row[each]} for cause, row in means}


def _precision(r: Replications) -> dict[str, Any]:
    goal, ettr = r["precision.asked"], r["ettr"]
    reached = (within_draws(ettr, r.per_draw) if r.per_draw else mean_of(ettr)).half_width
    unstruck = awaited(r["precision.stakes"], r["incidents_by_mode"].sum(axis=0), len(r), goal)
    met = reached is not None and reached <= goal and not unstruck
    return {"asked": goal, "reached": reached, "met": met, "unstruck": unstruck}


def _of_cards(summary: Summary) -> str:
    efficiency, of = summary["scaling_efficiency"], f"of {summary['gpus']:,}"
    if spare := summary["spare_nodes"] * summary["gpus"] // summary["nodes"]:
        of += f" and {spare:,} spare"
    return f"{of}, at scaling efficiency {efficiency:.3g}" if efficiency != 1 else of


def _of_cost(summary: Summary) -> MetricCell | str:
    of = f"of {cells.in_unit(summary, 'cost.total', 'money').text} paid"
    if not _unfinished(summary):
        return of
    lost, horizon = cells.in_unit(summary, "cost.lost", "money").text, duration(summary["horizon_s"], 0.0)
    return MetricCell(f"{lost} in {horizon}", f"{of} until then")


def _unfinished(summary: Summary) -> str:
    return (
        "" if summary.get("target_reached", 1.0) == 1 else "the target was not reached in every replication"
    )


def _cost_of_run(summary: Summary) -> MetricCell | str:
    return MetricCell(NOTHING, _unfinished(summary)) if _unfinished(summary) else ""


def _lost(r: Replications) -> Array:
    trained = r["gpus"] * r["ettr"] * r["wall_s"] / HOUR
    return np.asarray(r["paid"] - r["cost.per_gpu_hour"] * trained)


def _share(*entries: Entry) -> Column:
    """Return the column of the time in some entries of the ledger, of all card-time."""
    return lambda r: r["ledger"][:, entries].sum(axis=1)


def _spent(*entries: Entry) -> Column:
    """Return the same in seconds of the whole job."""
    return lambda r: r["ledger"][:, entries].sum(axis=1) * r["wall_s"]


def _p(percent: int) -> Callable[[Array], float]:
    return lambda values: percentile(values, percent / 100)


def _input(percent: int) -> Callable[[Array, int], float]:
    return lambda values, per_draw: percentile(without_chance(values.reshape(-1, per_draw)), percent / 100)


_ETTR = mean("ettr")
_EFFECTIVE = scaled(_ETTR, "ideal_gpus")
_ONE_HISTORY, _NO_LOADS = "one replication has no interval", "nothing was loaded"
_ONE_EACH = "one replication per draw cannot tell chance from inputs; give uncertainty.per_draw: 2"

# fmt: off
# A table: one argument to a line, as the formatter would have it, hides what belongs together.
_JOB = MetricSection("The job", (
    Note("schema_version", "version of this list; it grows when a key changes its meaning",
        lambda r: SCHEMA_VERSION),
    Note("name", "name of the scenario"),
    Note("title", "its title, if it has one"),
    Metric("gpus", "Cards", "cards", "cards of the job", show=lambda s: f"{s['nodes']:,} nodes"),
    Metric("nodes", "Nodes", "nodes", "nodes of the job", heading=None),
    Metric("spare_nodes", "Spare nodes", "nodes", "nodes beyond those of the job", show=cells.spare_nodes),
))
_SIMULATION = MetricSection("What was simulated", (
    Note("seed", "where the random numbers come from"),
    Metric("replications", "Replications", "replications", "independent histories",
        over("replication", len), show=cells.simulated, heading="Simulated"),
    Note("horizon_s", "simulated time, at most"),
    Note("warm_up_s", "first part of it, which does not count"),
    Metric("checkpoint_interval_s", "Checkpoint interval", "s",
        "training between two saves, of the last tier where there are several; that of the start where it"
        " follows the failures", show=cells.save_interval),
    Note("random", "whether any number was drawn at random; where none was, every figure is exact, with one"
        " replication as with many: each margin is 0, and `ettr.low` and `ettr.high` are the mean",
        lambda r: bool(r["drawn"].any()) or r.per_draw > 0),
))
_TIME = MetricSection("Where the time goes", (
    Metric("ettr.mean", "ETTR", "share", "effective training time ratio: productive share of all card-time",
        _ETTR, show=cells.ettr, margin="ettr", better="high"),
    Metric("ettr.low", "ETTR, low", "share", "lower end of its 95 % interval, at least 0",
        about(_ETTR, lambda ettr: ettr.share.low), unknown=_ONE_HISTORY, heading=None),
    Metric("ettr.high", "ETTR, high", "share", "upper end of its 95 % interval, at most 1",
        about(_ETTR, lambda ettr: ettr.share.high), unknown=_ONE_HISTORY, heading=None),
    Metric("ettr.p10", "ETTR, P10", "share", "90 % of replications lie above it, 80 % between it and P90",
        over("ettr", _p(10)), show=cells.spread, heading="ETTR, P10 to P90", better="high"),
    Metric("ettr.p50", "ETTR, P50", "share", "half of the replications lie above it",
        over("ettr", _p(50)), heading=None, better="high"),
    Metric("ettr.p90", "ETTR, P90", "share", "10 % of replications lie above it",
        over("ettr", _p(90)), heading=None, better="high"),
    Metric("ettr.chance.low", "ETTR, low by chance", "share", "lower end of the 95 % interval of chance"
        " alone, the same draws of the inputs given",
        by_draw("ettr", lambda v, n: within_draws(v, n).share.low),
        needs=(UNCERTAIN,), unknown=_ONE_EACH, heading=None),
    Metric("ettr.chance.high", "ETTR, high by chance", "share", "upper end of it",
        by_draw("ettr", lambda v, n: within_draws(v, n).share.high),
        needs=(UNCERTAIN,), unknown=_ONE_EACH, heading=None),
    Metric("ettr.inputs.p5", "ETTR, inputs, 5 %", "share", "5 % point of what the uncertain inputs alone"
        " make of ETTR: of the means of their draws, with the chance taken out", by_draw("ettr", _input(5)),
        needs=(UNCERTAIN,), heading=None),
    Metric("ettr.inputs.p50", "ETTR, inputs, median", "share", "median of it",
        by_draw("ettr", _input(50)), needs=(UNCERTAIN,), heading=None),
    Metric("ettr.inputs.p95", "ETTR, inputs, 95 %", "share", "95 % point of it",
        by_draw("ettr", _input(95)), needs=(UNCERTAIN,), heading=None),
    Note("ettr.draws", "how many draws of the uncertain inputs there are", lambda r: len(r) // r.per_draw,
        needs=(UNCERTAIN,)),
    Note(PER_DRAW, "replications with each of them", needs=(UNCERTAIN,)),
    Metric("half_width", "ETTR, half-width", "share", "of the interval of ETTR before it is cut at 0 and 1;"
        " by chance alone where inputs are uncertain",
        about(_ETTR, lambda ettr: ettr.half_width), heading=None),
    Note("no_progress", f"whether ETTR is below {NO_PROGRESS_BELOW}",
        lambda r: bool(r["ettr"].mean() < NO_PROGRESS_BELOW)),
    Metric("ledger.<entry>", "Share of card-time", "share", "share of an entry of the ledger; they sum to 1",
        mean("ledger"), of="entry", word="share"),
    Metric("availability", "Availability", "share",
        "share of the time in training, kept or not; with replicas, of all card-time",
        mean(_share(Entry.PRODUCTIVE, Entry.LOST, Entry.SLOW, Entry.CORRUPTED)), better="high"),
    Metric("waste_by_cause.<cause>", "Waste", "share",
        "share charged to a failure mode, to `checkpoint`, `maintenance`, `overhead` (of the recovery's"
        " protocol) or `start`; they sum to 1 - ETTR", mean(lambda r: r["charges"].sum(axis=2)), of="cause",
        better="low"),
    Note("waste", "what is charged to each cause, divided by entry of the ledger", _waste_by_entry),
    Metric("recovery_stages.<stage>", "Share of a stage", "share", "share of a stage of the recovery",
        mean("stages"), of="stage"),
    Metric("checkpoint_overhead", "Overhead of saving", "share", "saving / (saving + productive) card-time",
        ratio(_spent(Entry.CHECKPOINT), _spent(Entry.CHECKPOINT, Entry.PRODUCTIVE)), in_summary=False),
))
_YIELD = MetricSection("What the cards yield", (
    Metric("scaling_efficiency", "Scaling efficiency", "factor",
        "speed per card at this size, from the workload", heading=None),
    Metric("effective_gpus", "Effective cards", "cards", "cards × ETTR × scaling efficiency",
        _EFFECTIVE, show=_of_cards, better="high"),
    Metric("throughput.tokens_per_s", "Throughput", "tokens/s", "productive tokens per second, all cards",
        scaled(_EFFECTIVE, "tokens_per_gpu_second"), needs=(TOKENS,),
        else_null=True, unknown="the workload does not say how many tokens a card makes", better="high"),
))
_FAILURES = MetricSection("Failures", (
    Metric("mtbf_s", "MTBF", "s", "mean time between failures of all modes together, from their rates",
        unknown="nothing fails"),
    Metric("interruptions_total", "Interruptions", "interruptions",
        "incidents that ended a training segment, of the job or of a replica, in all replications",
        over("interruptions", np.sum), heading=None),
    Metric("interruptions_per_day", "Interruptions per day", "per day", "failures that stop training",
        ratio("interruptions", "days"), better="low"),
    Metric("mtti_s", "MTTI", "s", "mean time between interruptions of training, on the clock; what stands"
        " still is not interrupted, so that it rises above the MTBF as a job trains less",
        ratio("wall_s", "interruptions"), show=cells.mtti,
        unknown="no interruption in any replication", always=True, word="mtti", better="high"),
    Metric("incidents_per_day", "Incidents per day", "per day",
        "failures that struck the job, interruptions or not",
        ratio("incidents", "days"), heading=None),
    Metric("incidents_by_mode.<mode>", "Incidents per day", "per day",
        "failures of one mode that struck the job",
        ratio("incidents_by_mode", "days"), of="mode"),
    Metric("incidents", "Incidents", "incidents",
        "failures that strike the job in a replication, of one mode or all",
        mean("incidents_by_mode"), of="mode", in_summary=False),
    Metric("interruptions", "Interruptions", "interruptions",
        "incidents of a replication that end a training segment", mean("interruptions"), in_summary=False),
    Metric("mttf", "MTTF", "s",
        "wall clock / incidents; the mean time to the first one where failures have no memory",
        ratio("wall_s", "incidents"), in_summary=False),
    Metric("lost_per_failure", "Lost per failure", "s", "training lost by an interruption, mean",
        ratio("lost_s", "interruptions"), in_summary=False),
    Metric("longest_outage", "Longest outage", "s", "longest time of a replication in which nothing trains",
        mean("longest_outage_s"), in_summary=False),
))
_RECOVERY = MetricSection("Recovery", (
    Metric("fewest_spares", "Fewest idle spares", "nodes", "at any time in any replication",
        over("spares_left", np.min), heading=None),
    Metric("spares.away.mean", "Nodes away", "nodes",
        "in repair, or retired and not yet replaced, mean over time", mean("nodes_away"),
        show=cells.nodes_away, needs=(FLEET,), word="nodes_away"),
    Metric("spares.away.p50", "Nodes away, P50", "nodes", "so many or fewer for half of the time of all"
        " replications", held("away_s", 0.5), needs=(FLEET,), heading=None),
    Metric("spares.away.p99", "Nodes away, P99", "nodes", "so many or fewer for 99 % of the time of all"
        " replications", held("away_s", NEARLY_ALWAYS), needs=(FLEET,), heading=None),
    Metric("spares.away.max", "Most nodes away", "nodes", "most of them at any time in any replication",
        over("most_nodes_away", lambda most: int(most.max())), needs=(FLEET,), heading=None),
    Metric("most_nodes_away", "Most nodes away", "nodes", "most of them at any time of a replication",
        mean("most_nodes_away"), in_summary=False),
    Metric("spares.sufficient_p99", "Spares that suffice", "nodes",
        "for 99 % of the time of all replications; unknown where each serves one rack or pod only, and where"
        " waiting for them kept other nodes from failing: `reasons` then has a lower bound",
        held("away_s", NEARLY_ALWAYS, "spares.known_to"), needs=(FLEET,), unknown=_not_counted, heading=None,
        word="spares_sufficient"),
    Metric("spares.short", "Too few spares", "share", "share of the time in which more nodes were away than"
        " there are spares", mean("short"), needs=(FLEET,), heading=None, better="low"),
    Metric("spares.waiting", "Waiting for a node", "share",
        "share of the time in which the job, or a replica, did",
        mean(lambda r: r["node_wait_s"] / r["wall_s"]), needs=(FLEET,),
        show=lambda s: "" if s["spares"]["waiting"] else MetricCell(NOTHING, "never waited"), better="low"),
    Metric("spares.fewest_idle", "Fewest idle spares", "nodes", "the same as `fewest_spares`",
        over("spares_left", np.min), needs=(FLEET,), heading=None),
    Metric("replicas.count", "Replicas", "replicas", "groups that recover on their own",
        needs=(REPLICAS,),
        show=lambda s: f"{cells.in_unit(s, 'replicas.down').text} of them down on average"),
    Metric("replicas.minimum", "Fewest replicas", "replicas", "that must be alive",
        needs=(REPLICAS,), heading=None),
    Metric("replicas.down", "Replicas down", "replicas",
        "noticing, recovering or waiting for nodes, on average",
        scaled(mean(_share(Entry.DETECTION, Entry.RECOVERY, Entry.WAITING)), "replicas.count"),
        needs=(REPLICAS,), heading=None, better="low"),
    Metric("tiers.<tier>.interval_s", "Checkpoint interval", "s", "training between two saves in a tier;"
        " that of the start where it follows the failures",
        of="tier", needs=(TIERS,)),
    Metric("tiers.<tier>.loads", "Copies loaded", "share", "share of all loads that took a copy from a tier",
        ratio("loads", "all_loads"), of="tier",
        show=cells.copies_loaded, needs=(TIERS,), unknown=_NO_LOADS),
    Metric("replicas.peer_loads", "Loads from a replica", "share",
        "share of all loads that took a copy from another replica",
        ratio(lambda r: r["loads"][:, -1], "all_loads"), needs=(REPLICAS,), unknown=_NO_LOADS, heading=None),
))
_TARGET = MetricSection("The target", (
    Note("target_s", "productive time that the target needs", needs=(TARGET,)),
    Metric("target_reached", "Target reached", "share", "share of the replications that reached it",
        over("reached", np.mean), needs=(TARGET,), heading=None, better="high"),
    Metric("days_to_target.mean", "Time to the target", "days", "wall-clock days",
        mean("days_to_target"), show=cells.days_to_target, needs=(TARGET,), unknown=_not_reached,
        better="low"),
    Metric("days_to_target.p50", "Time to the target, P50", "days", "half of the replications need no longer",
        over("days_to_target", _p(50)), needs=(TARGET,), unknown=_not_reached, heading=None, better="low"),
    Metric("days_to_target.p90", "Time to the target, P90", "days", "90 % of replications need no longer",
        over("days_to_target", _p(90)), needs=(TARGET,), unknown=_not_reached, heading=None, better="low"),
))
_MONEY = MetricSection("Money", (
    Note("currency", "of all prices", needs=(COSTS,)),
    Note("cost.per_gpu_hour", "price of a card for an hour, as it was given", needs=(COSTS,)),
    Metric("cost.per_effective_gpu_hour", "Cost per effective card-hour", "money",
        "total cost with idle spares / effective card-hours",
        ratio("paid", lambda r: r["ideal_gpus"] * r["ettr"] * r["wall_s"] / HOUR),
        show=cells.price, needs=(COSTS,), unknown="no card-hour was effective", better="low"),
    Metric("cost.total", "Cost of the run", "money", "all that is paid, mean over replications",
        mean("paid"), show=_cost_of_run, needs=(COSTS,), better="low"),
    Metric("cost.lost", "Money lost in this run", "money",
        "what is paid for card-hours that train nothing, and for idle spares, mean over replications",
        mean(_lost), show=_of_cost, needs=(COSTS,), better="low"),
    Metric("cost.to_target", "Cost to the target", "money",
        "all that is paid, if every replication reached the target",
        mean(lambda r: np.where(r["reached"], r["paid"], math.inf)), needs=(COSTS, TARGET),
        unknown="the target was not reached in every replication", heading=None, better="low"),
))
_PRECISION = MetricSection("Precision", (
    Note("precision", "half-width of ETTR at which to stop, `asked`, and in the end, `reached`; and whether"
        " that is small enough, `met`, and no mode is `unstruck`: one that has not struck yet and could move"
        " the mean by more than was asked", _precision, (PRECISION,)),
))
# fmt: on

SECTIONS = (_JOB, _SIMULATION, _TIME, _YIELD, _FAILURES, _RECOVERY, _TARGET, _MONEY, _PRECISION)
"""All entries, as they follow each other in the summary."""
_TABLES = (_JOB, _TIME, _YIELD, _TARGET, _MONEY, _FAILURES, _RECOVERY, _SIMULATION)
METRICS = tuple(each for section in SECTIONS for each in section.entries if isinstance(each, Metric))
BY_PATH = {metric.path: metric for metric in METRICS}
CLAIMABLE = {name: metric for metric in METRICS if metric.claimable for name in metric.names}
"""What claims may be about, by what they call it."""


def figures_of(facts: ScenarioFacts) -> dict[str, MetricFigure]:
    """Return the figures that `expect` and studies may name, by path; a mean also without the word."""
    figures = {figure.path: figure for each in METRICS if each.in_summary for figure in each.figures(facts)}
    return {path.removesuffix(".mean"): figure for path, figure in figures.items()} | figures


def table_of(summaries: Sequence[Summary]) -> Iterator[tuple[Metric, list[MetricCell]]]:
    """Yield the metrics of a table with a cell for each summary, without those that none of them has."""
    for metric in (each for section in _TABLES for each in section.entries if isinstance(each, Metric)):
        if metric.in_tables:
            row = [metric.cell(summary) for summary in summaries]
            if metric.always or any(cell.text != NOTHING for cell in row):
                yield metric, row
