"""What tables show of metrics: a cell of text with a remark, on the terminal and in the report alike."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

from clustersim.formatting import (
    NOTHING,
    PrintedShares,
    duration,
    measured,
    money,
    percent,
    plus_minus,
    whole,
)
from clustersim.records import PEER

Summary = Mapping[str, Any]
ABSENT = {
    "cost": "no price given",
    "days_to_target": "no target",
    "replicas": "the job restarts as a whole",
    "spares": "not recorded",
    "checkpoint_interval_s": "no checkpoints",
}
"""Why there is nothing in a block of the summary where the summary itself gives no reason."""
SAME_WHOLE = 1e-6
"""Stages come to the recovery but for this much; those that wait for nodes belong to another entry."""
HARDLY, NEARLY_NEVER = 0.5, 0.1
"""Shares of the time that a job trains, below which its MTTI has to be explained, or is left out."""
FINE = 0.01
"""Half-width of the least certain share of card-time below which all of them have a decimal."""
IN_STEPS = 10
"""In so many steps or more a range of the inputs is printed."""
SIZES = ((1e12, " T"), (1e9, " G"), (1e6, " M"), (1e3, " k"), (0.0, ""))


class MetricCell(NamedTuple):
    """What a table says in one place, and a remark; a dash comes with its reason."""

    text: str
    small: str = ""


def at(summary: Summary, path: str) -> Any:
    """Return the value at a dotted *path* of a summary, None where the summary has none."""
    value: Any = summary
    for part in path.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def number_at(summary: Summary, path: str) -> float | None:
    """Return the number at a dotted *path* (a mapping stands for its `mean`), None where there is none."""
    value = at(summary, path)
    value = value.get("mean") if isinstance(value, Mapping) else value
    return float(value) if isinstance(value, int | float) else None


def margin(summary: Summary, path: str) -> float | None:
    """Return half the 95 % interval of the figure at *path*, None where it is unknown."""
    width = summary["margins"].get(path)
    return None if width is None else float(width)


def parts(summary: Summary, family: str = "ledger") -> PrintedShares:
    """Return the shares of card-time of a *family* as they are printed: with one precision in a run.

    Those of the ledger add up to 100 %, causes of waste to what is not productive, stages to the recovery.
    """
    ledger = summary["ledger"]
    widths = [margin(summary, f"ledger.{entry}") for entry in ledger]
    decimals = 1 if all(width is not None and width < FINE for width in widths) else 0
    entries = PrintedShares.of(ledger, decimals, 1.0)
    if family == "ledger":
        return entries
    within = (
        ("recovery",) if family == "recovery_stages" else [name for name in ledger if name != "productive"]
    )
    shares, total = summary[family], sum(ledger[name] for name in within)
    adds_up = math.isclose(sum(shares.values()), total, abs_tol=SAME_WHOLE)
    return PrintedShares.of(shares, decimals, entries.share(*within) if adds_up else sum(shares.values()))


def in_unit(summary: Summary, path: str, unit: str = "", *, given: bool = False) -> MetricCell:
    """Return the figure at *path* with its interval in its unit, or a dash with the reason."""
    value, width = at(summary, path), 0.0 if given else margin(summary, path)
    if value is None:
        return MetricCell(NOTHING, summary["reasons"].get(path) or ABSENT.get(path.split(".")[0], ""))
    show = partial(worded, unit=unit, currency=summary.get("currency", ""))
    return MetricCell(show(value, width) + inputs(summary, path, show))


def worded(value: float, width: float | None, unit: str, currency: str) -> str:
    """Return a figure with its half-width in its *unit*; whole numbers are counts."""
    if unit == "money":
        return money(value, currency, width)
    if isinstance(value, int):
        return whole(value)
    if unit == "days":
        return f"{plus_minus(value, width)} days"
    if unit == "tokens/s":
        size, word = next((size or 1.0, word) for size, word in SIZES if value >= size)
        return f"{plus_minus(value / size, None if width is None else width / size)}{word} tokens/s"
    shows: Mapping[str, Callable[[float, float | None], str]] = {"share": percent, "s": duration}
    return shows.get(unit, plus_minus)(value, width)


def inputs(
    summary: Summary, path: str, show: Callable[[float, float | None], str] = measured, after: str = ", "
) -> str:
    """Return between which values uncertain inputs alone put the figure at *path* in 90 % of the cases.

    Nothing where none is uncertain, or they make no difference that could be seen.
    """
    points = summary.get("inputs", {}).get(path)
    if points is None:
        return ""
    digits = (points["p95"] - points["p5"]) / IN_STEPS
    low, high = (show(points[name], digits or None).partition(" ±")[0] for name in ("p5", "p95"))
    return f"{after}inputs {low} to {high}" if low != high else ""


def spare_nodes(summary: Summary) -> MetricCell:
    """Return how many spare nodes there are, and how many would suffice."""
    nodes, most_away = summary["spare_nodes"], at(summary, "spares.away.max")
    if not (nodes or most_away):
        return MetricCell(NOTHING, "none, and no node ever left the job")
    if not most_away:
        return MetricCell(whole(nodes), "no node ever left the job" if most_away == 0 else "")
    enough = summary["spares"]["sufficient_p99"]
    suffice = None if enough is None else f"{whole(enough)} would suffice for 99 % of the time"
    return MetricCell(whole(nodes), suffice or summary["reasons"]["spares.sufficient_p99"])


def ettr(summary: Summary) -> MetricCell:
    """Return ETTR with its interval; of a job without progress only the size matters."""
    mean, width = summary["ettr"]["mean"], margin(summary, "ettr")
    if summary["no_progress"]:
        text = "0" if mean == 0 else "below 0.001" if mean < 0.001 else plus_minus(mean, width)
        return MetricCell(text, "no progress")
    text = f"{plus_minus(mean, width)}{inputs(summary, 'ettr')}"
    if width is None:
        each = " per draw: chance is not known" if "inputs" in summary else ": no interval"
        return MetricCell(text, f"one replication{each}")
    return MetricCell(text)


def standing_still(summary: Summary) -> str:
    """Return why times between interruptions say little: the job hardly trains; empty where it does."""
    trains, mtbf = number_at(summary, "availability"), number_at(summary, "mtbf_s")
    if trains is None or mtbf is None or trains >= HARDLY:
        return ""
    return f"it trains {percent(trains)} of the time; something fails every {duration(mtbf, 0.0)}"


def mtti(summary: Summary) -> MetricCell | str:
    """Return no MTTI of a job that stands still nearly always, and say so where it does most of the time.

    What stands still is not interrupted, so that the figure improves as a cluster dies.
    """
    why = standing_still(summary)
    return MetricCell(NOTHING, why) if why and summary["availability"] < NEARLY_NEVER else why


def spread(summary: Summary) -> MetricCell:
    """Return the range in which ETTR lies in eight of ten replications."""
    values = summary["ettr"]
    if not summary.get("random", True):
        return MetricCell(NOTHING, "nothing is random: each replication is the same")
    if summary["replications"] < 2:
        return MetricCell(NOTHING, "one replication")
    if summary["no_progress"] and values["p90"] < 0.001:
        return MetricCell("below 0.001")
    width = (values["p90"] - values["p10"]) / 4
    return MetricCell(f"{measured(values['p10'], width)} to {measured(values['p90'], width)}")


def price(summary: Summary) -> MetricCell | str:
    """Return no price where next to nothing is effective."""
    return MetricCell(NOTHING, "no progress: next to nothing to price") if summary["no_progress"] else ""


def nodes_away(summary: Summary) -> MetricCell | str:
    """Return how many nodes were away nearly always, as a remark; nothing where none ever was."""
    away = summary["spares"]["away"]
    nearly_always = f"{whole(away['p99'])} or fewer for 99 % of the time"
    return nearly_always if away["max"] else MetricCell(NOTHING, "no node ever left the job")


def days_to_target(summary: Summary) -> str:
    """Return by when half and nine in ten of the replications are there."""
    days, width = summary["days_to_target"], margin(summary, "days_to_target.mean")
    ends = f"P50 {measured(days['p50'], width)}, P90 {measured(days['p90'], width)}"
    return ends if summary["replications"] > 1 else ""


def copies_loaded(summary: Summary) -> MetricCell:
    """Return from where the state was loaded after failures."""
    paths = {name: f"tiers.{name}.loads" for name in summary.get("tiers", {})}
    paths |= {PEER: "replicas.peer_loads"} if "replicas" in summary else {}
    texts = {name: in_unit(summary, path, "share").text for name, path in paths.items() if at(summary, path)}
    listed = ", ".join(f"{name} {text}" for name, text in texts.items())
    return MetricCell(listed or NOTHING, "" if listed else "none was loaded" if paths else "only one tier")


def save_interval(summary: Summary) -> MetricCell:
    """Return the training between two saves, of each tier where there are several."""
    if tiers := summary.get("tiers"):
        return MetricCell(
            ", ".join(f"{name} {duration(tier['interval_s'], 0.0)}" for name, tier in tiers.items())
        )
    return in_unit(summary, "checkpoint_interval_s", "s", given=True)


def simulated(summary: Summary) -> MetricCell:
    """Return how many replications of which length there are."""
    most = "at most " if "target_s" in summary else ""
    return MetricCell(f"{whole(summary['replications'])} × {most}{duration(summary['horizon_s'], 0.0)}")
