"""The figures of the report with their words: title, caption, what a listener hears, legend, and data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from clustersim.digits import duration, measured, percent, plus_minus, whole
from clustersim_reports.figures import base
from clustersim_reports.figures.causes import CausesData, causes_data, causes_figure, causes_table
from clustersim_reports.figures.ledger import LedgerData, ledger_data, ledger_figure, ledger_table
from clustersim_reports.figures.outages import outages_data, outages_figure, outages_table
from clustersim_reports.figures.size import SizeData, size_data, size_table
from clustersim_reports.figures.size_drawing import size_figure
from clustersim_reports.figures.spares import SparesData, spares_data, spares_figure, spares_table
from clustersim_reports.figures.spread import SpreadData, spread_data, spread_figure, spread_table
from clustersim_reports.figures.strip import StripData, strip_data, strip_figure, strip_table
from clustersim_reports.figures.throughput import (
    ThroughputData,
    throughput_data,
    throughput_figure,
    throughput_table,
)

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from clustersim.results import Results, Step


class Key(NamedTuple):
    """One item of a legend: a sign (a ledger entry, or `line`, `band`, `thin`, `tick`, ...) and its word."""

    sign: str
    word: str


class Exhibit(NamedTuple):
    """One figure as the page shows it; `name` is stable and names the anchor and the CSV file."""

    name: str
    title: str
    caption: str
    spoken: str
    legend: tuple[Key, ...]
    height: int
    figure: dict[str, Any]
    table: base.Table


def exhibit(
    name: str,
    words: tuple[str, str, str],
    legend: Sequence[Key],
    figure: go.Figure,
    table: base.Table,
) -> Exhibit:
    """Return a figure with its words: title, caption, and what a listener hears."""
    return Exhibit(name, *words, tuple(legend), int(figure.layout.height), base.plain(figure), table)


def _entries(entries: Sequence[str]) -> list[Key]:
    return [Key(entry, entry) for entry in entries]


def ledger(results: Sequence[Results]) -> Exhibit:
    """Return where the time goes."""
    data = ledger_data(results)
    spoken = "; ".join(_spoken_ledger(data, row) for row in range(len(data.names)))
    caption = "Every card-hour of the job is in exactly one part; each bar adds up to 100 %."
    figure, table = ledger_figure(data), ledger_table(data)
    return exhibit("ledger", ("Where the time goes", caption, spoken), _entries(data.entries), figure, table)


def _spoken_ledger(data: LedgerData, row: int) -> str:
    parts = [
        f"{entry} {percent(share)}"
        for entry, share in zip(data.entries, data.shares[row], strict=True)
        if share
    ]
    return f"{data.names[row]}: {', '.join(parts)}"


def size(results: Sequence[Results], steps: Sequence[Step]) -> Exhibit | None:
    """Return cards against effective cards, or None where all scenarios are of one size."""
    data = size_data(results, steps)
    if data is None:
        return None
    keys = [
        Key("dot", "effective cards"),
        Key("dash", "every card trains, at full speed"),
        *([Key("cross", "no progress")] if any(point.effective is None for point in data.points) else []),
        *([Key("diamond", "cost per effective card-hour")] if any(p.price for p in data.points) else []),
    ]
    caption = (
        "Both axes are logarithmic: a step to the right is ten times the cards, the dashed diagonal is "
        "what they would do if none ever stood still."
    )
    words = ("What more cards add", caption, _spoken_size(data))
    return exhibit("size", words, keys, size_figure(data), size_table(data))


def _spoken_size(data: SizeData) -> str:
    points = [
        f"{point.name}, {whole(point.gpus)} cards: "
        + ("no progress" if point.effective is None else f"{measured(point.effective, None)} effective")
        for point in data.points
    ]
    return "; ".join(points)


def throughput(result: Results) -> Exhibit | None:
    """Return the throughput over time, or None where the run holds no timeline."""
    data = throughput_data(result)
    if data is None:
        return None
    many = data.replications > 1
    keys = [
        Key("line", "mean of all replications"),
        Key("band", "eight in ten replications"),
        Key("thin", "replication 0"),
    ]
    keys = keys if many else [Key("line", "the one replication")]
    keys += [Key("tick", "incidents of replication 0, by cause")] if data.marks else []
    words = ("Share of the cards that train", _throughput_caption(data), _spoken_throughput(data))
    name = f"throughput-{slug(data.name)}"
    return exhibit(name, words, keys, throughput_figure(data), throughput_table(data))


def _throughput_caption(data: ThroughputData) -> str:
    words = "Training that counts, along the run."
    if any(max(marks.counts) > 1 for marks in data.marks):
        words += " Where incidents are too many to draw, a stroke stands for several, longer for more."
    if data.left_out:
        words += f" {data.left_out} rarer causes are left out."
    return words


def _spoken_throughput(data: ThroughputData) -> str:
    return (
        f"share of cards that train over {duration(data.end_s, 0.0)}; "
        f"mean {percent(sum(data.mean) / len(data.mean))}"
    )


def strip(result: Results) -> Exhibit | None:
    """Return a few hours in lanes, or None where the run recorded none."""
    data = strip_data(result)
    if data is None:
        return None
    keys = [Key("drop", "failure that stops training")] if data.failures else []
    words = ("A closer look", _strip_caption(data), _spoken_strip(data))
    name = f"strip-{slug(data.name)}"
    return exhibit(name, words, [*keys, *_entries(data.entries)], strip_figure(data), strip_table(data))


def _strip_caption(data: StripData) -> str:
    begin = f"{duration(data.start)} after its start" if data.start >= 1 else "its start"
    words = f"{duration(data.end - data.start)} of replication 0 from {begin} on, activity by activity"
    words += "; below, the replicas that were down, each in a lane of its own." if data.replicas else "."
    if data.left_out:
        words += f" {data.left_out} more replicas were down, and are left out."
    return words + (f" Cut after {len(data.spans)} activities." if data.cut else "")


def _spoken_strip(data: StripData) -> str:
    length = duration(data.end - data.start)
    return f"{length} with {len(data.failures)} failures that stop training; lanes: {', '.join(data.lanes)}"


def causes(result: Results) -> Exhibit | None:
    """Return the waste by cause, or None where nothing is wasted."""
    data = causes_data(result)
    if data is None:
        return None
    words = ("Waste by cause", _causes_caption(data), _spoken_causes(data))
    name = f"causes-{slug(data.name)}"
    return exhibit(name, words, _entries(data.entries), causes_figure(data), causes_table(data))


def _causes_caption(data: CausesData) -> str:
    few = next(
        place for place, row in enumerate(data.rows, 1) if row.cumulative >= 0.8 * data.rows[-1].cumulative
    )
    words = "All failures are recorded ones. " if data.all_recorded else ""
    words += "Every card-hour that does not count is charged to one cause."
    if few == 1 or few == len(data.rows):
        return words
    return f"{words} {few} of {len(data.rows)} causes make up four fifths of the waste."


def _spoken_causes(data: CausesData) -> str:
    return "; ".join(f"{row.cause} {percent(row.share, row.half_width)}" for row in data.rows[:6])


def outages(result: Results) -> Exhibit | None:
    """Return how long outages last, or None where there were none."""
    data = outages_data(result)
    if data is None:
        return None
    caption = (
        f"{whole(data.total)} outages in all replications: half are over within {duration(data.p50)}, "
        f"nine in ten within {duration(data.p90)}."
    )
    title = "How long a replica is down" if data.replicas else "How long an outage lasts"
    keys = [Key("recovery", "share of outages")]
    name = f"outages-{slug(data.name)}"
    return exhibit(name, (title, caption, caption), keys, outages_figure(data), outages_table(data))


def spares(result: Results) -> Exhibit | None:
    """Return the nodes away over time, or None where none was, or nobody counted."""
    data = spares_data(result)
    if data is None:
        return None
    many = data.p90 is not None
    keys = [
        Key("line", "mean of all replications"),
        Key("band", "eight in ten"),
        Key("thin", "replication 0"),
    ]
    keys = keys if many else [Key("line", "the one replication")]
    keys += [
        Key("across", "spares that there are"),
        Key("across-dash", "so many or fewer for 99 % of the time"),
    ]
    words = ("Nodes away", "Nodes in repair, or retired and not yet replaced.", _spoken_spares(data))
    return exhibit(f"spares-{slug(data.name)}", words, keys, spares_figure(data), spares_table(data))


def _spoken_spares(data: SparesData) -> str:
    return (
        f"{whole(data.held)} nodes or fewer for 99 % of the time, {whole(data.most)} at most; "
        f"spares: {whole(data.spares)}"
    )


def spread(result: Results) -> Exhibit:
    """Return the ETTR of all replications."""
    data = spread_data(result)
    caption = (
        _spread_caption(data) if result.is_random else "Nothing is random: each replication is the same."
    )
    keys = [Key("dot", "one replication"), Key("mean", "mean, with its 95 % interval")]
    keys = keys if data.low is not None else [Key("dot", "the one replication")]
    words = ("ETTR of every replication", caption, caption)
    return exhibit(f"spread-{slug(data.name)}", words, keys, spread_figure(data), spread_table(data))


def _spread_caption(data: SpreadData) -> str:
    count = len(data.values)
    if data.low is None or data.high is None:
        return "One replication tells nothing about chance: ask for more."
    width = (data.high - data.low) / 2
    return (
        f"{count} independent replications; the mean is {plus_minus(data.mean, width)} with 95 % confidence."
    )


def slug(name: str) -> str:
    """Return *name* as part of an anchor: lower case letters, digits and hyphens."""
    letters = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in name.lower())
    return "-".join(part for part in letters.split("-") if part) or "scenario"
