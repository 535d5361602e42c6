"""What fails and what it costs: waste by cause, the largest first, and how long an outage lasts."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence

import numpy as np

from clustersim.arrays import Floats
from clustersim.formatting import NOTHING, PrintedShares, duration, plus_minus, whole
from clustersim.units import DAY
from clustersim_reports import blocks, drawing, theme
from clustersim_reports.blocks import Cell, Data, Figure, Json, Section, Table, Text, key, row
from clustersim_reports.drawing import INK, ORANGE, Plot
from clustersim_reports.run import Run, Runs

MOST_CAUSES, BAR = 12, 44
"""Bars in the figure, the last of them for all other causes; pixels per bar."""
BINS_PER_DECADE, MOST_TICKS = 12, 5
ALIKE = 0.005
"""Difference of outages, as a share of their length, below which all of them are printed alike."""
CUT_SHORT = 0.003
"""Share of the outages that may lie below the axis, in its first bin: the end of a run cuts one short."""
RESERVED = {
    "checkpoint": "saves",
    "maintenance": "planned",
    "overhead": "recovery protocol",
    "start": "at time 0",
}


def section(runs: Runs) -> Section:
    """Return what fails in each run, what that costs, and how long it takes."""
    chapters = runs.chapters("failures", lambda run: list(_blocks(run)))
    return Section("failures", "What fails and what it costs", chapters, "What fails")


def _blocks(run: Run) -> Iterator[blocks.Block]:
    causes = causes_of(run)
    if causes:
        wasted = [cause for cause in causes if run.at("waste_by_cause")[cause]]
        figures = [waste(run, wasted) if wasted else None, outages(run)]
        yield blocks.Group([*filter(None, figures)], look="pair")
        columns = ("Incidents per day", "Mean time between", "Share of all card-hours", "Cumulative")
        yield Table(f"Causes of waste of {run.name}", columns, list(rows(run, causes)), "Cause")
    else:
        yield Text("Nothing failed and nothing was wasted.", "absent")
    if not run.at("interruptions_total"):
        yield Text("No failure interrupted training, so there are no outages to show.", "absent")
    elif run.result.incidents is None:
        words = "This run kept no table of incidents, so outages and single failures cannot be shown."
        yield Text(words, "absent")


def causes_of(run: Run) -> list[str]:
    """Return the causes of waste and all failure modes that struck, the most expensive first."""
    waste, rates = run.at("waste_by_cause"), run.at("incidents_by_mode")
    ordered = sorted(waste, key=lambda cause: (-waste[cause], cause))
    return [cause for cause in ordered if waste[cause] or rates.get(cause)]


def label(run: Run, cause: str) -> str:
    """Return the name of a cause, with what it is where it is reserved, or from a log unlike others."""
    modes = run.result.scenario.failures
    mixed = any(mode.recorded is None for mode in modes.values())
    recorded = mixed and cause in modes and modes[cause].recorded is not None
    what = "recorded" if recorded else RESERVED.get(cause)
    return f"{cause} ({what})" if what else cause


def rows(run: Run, causes: Sequence[str]) -> Iterator[blocks.Row]:
    """Yield how often each cause strikes, its share of all card-hours, and the sum so far."""
    modes, shares = run.result.scenario.failures, run.shares("waste_by_cause")
    for number, cause in enumerate(causes, 1):
        rate, width = run.at("incidents_by_mode").get(cause), run.margin(f"incidents_by_mode.{cause}")
        often, between = NOTHING if rate is None else plus_minus(rate, width), NOTHING
        if rate:
            certain = None if width is None else min(width / rate, 0.5) * DAY / rate
            between = duration(DAY / rate, certain)
        texts = shares.text(cause), shares.text(*causes[:number])
        effect = modes[cause].effect.does if cause in modes else ""
        yield row(Cell(label(run, cause), effect), often, between, *texts)


def waste(run: Run, causes: Sequence[str]) -> Figure:
    """Return one bar per cause that wastes card-hours, with its name and share above it.

    Where they are many, the last bar is that of the rarest together; the data hold each.
    """
    parts, rates, total = run.at("waste"), run.at("incidents_by_mode"), 0.0
    used = {entry for cause in causes for entry, share in parts[cause].items() if share}
    entries, points = [entry for entry in theme.STYLES if entry in used], []
    for cause in causes:
        share = run.at("waste_by_cause")[cause]
        total += share
        point: Json = {"scenario": run.name, "cause": cause, "share_of_card_hours": share}
        point |= {"cumulative_share": total, "incidents_per_day": rates.get(cause)}
        points.append(point | {entry: parts[cause].get(entry, 0.0) for entry in entries})
    bars = _bars(run, causes, entries)
    names = [name for name, _, _ in bars]
    heads = [f"{drawing.text(name, 30)} · <b>{drawing.text(share)}</b>" for name, share, _ in bars]
    longest = 104 * max(sum(of.shares.values()) for _, _, of in bars)
    across = drawing.axis("share of all card-hours", range=[0, longest], ticksuffix=" %", nticks=6)
    data = Data(points)
    plot = Plot.rows(data, heads, BAR, across)
    for entry in entries:
        texts = [of.text(entry) for _, _, of in bars]
        plot.shares(entry, [of.shares[entry] for _, _, of in bars], names, texts)
    modes = run.result.scenario.failures.values()
    few = sum(share < 0.8 * total for share in data["cumulative_share"]) + 1
    caption = "All failures come from a log. " if modes and all(mode.recorded for mode in modes) else ""
    caption += "Every card-hour without progress is charged to one cause."
    if 1 < few < len(causes):
        caption += f" {few} of {len(causes)} causes make up at least 80 % of the waste."
    spoken = "; ".join(f"{name} {share}" for name, share, _ in bars[:6])
    return plot.figure(f"causes-{run.anchor}", "Waste by cause", caption, spoken)


def _bars(run: Run, causes: Sequence[str], entries: Sequence[str]) -> list[tuple[str, str, PrintedShares]]:
    """Return a bar for each cause, the last one for all beyond those that are drawn.

    Each has its name, its share as it is printed, and the *entries* of the ledger that add up to it.
    """
    shown = len(causes) if len(causes) <= MOST_CAUSES else MOST_CAUSES - 1
    groups = {label(run, cause): [cause] for cause in causes[:shown]}
    groups |= {f"{len(causes) - shown} other causes": [*causes[shown:]]} if causes[shown:] else {}
    parts, printed, bars = run.at("waste"), run.shares("waste_by_cause"), []
    for name, group in groups.items():
        sums = {entry: sum(parts[cause].get(entry, 0.0) for cause in group) for entry in entries}
        divided = PrintedShares.of(sums, printed.decimals, printed.share(*group))
        bars.append((name, printed.text(*group), divided))
    return bars


def outages(run: Run) -> Figure | Text | None:
    """Return the lengths of all outages, in words where they are alike, or None where there was none.

    None as well where the run holds no incidents.
    """
    lengths = lengths_of(run)
    if not len(lengths):
        return None
    p10, p50, p90 = (float(length) for length in np.percentile(lengths, [10, 50, 90]))
    if lengths.max() - np.quantile(lengths, CUT_SHORT) <= ALIKE * p50:
        each = f"each lasts {duration(p50, 0.0)}, from the failure until training goes on"
        return Text(f"Outages: {whole(len(lengths))} in all replications; {each}.")
    edges = _edges(float(np.quantile(lengths, CUT_SHORT)), float(lengths.max()))
    counts = np.histogram(np.clip(lengths, edges[0], edges[-1]), bins=np.array(edges))[0].tolist()
    points, lines = [], []
    for (low, high), count in zip(itertools.pairwise(drawing.rounded(edges, 5)), counts, strict=True):
        points.append({"scenario": run.name, "from_s": low, "to_s": high, "outages": count})
        lines.append((f"{duration(low)} to {duration(high)}", f"{count} outages"))
    replicas = "replicas" in run.summary
    until = "the replica can train again" if replicas else "the job trains again"
    look = {"title": f"from the failure until {until}", "showgrid": False}
    across = drawing.duration_axis(edges[0], edges[-1], MOST_TICKS, **look)
    upward = drawing.axis(rangemode="tozero", ticksuffix=" %", nticks=5)
    plot = Plot(Data(points), 270, x=across, y=upward, bargap=0)
    bins = [(low + high) / 2 for low, high in itertools.pairwise(edges)]
    widths = [high - low for low, high in itertools.pairwise(edges)]
    shares, look = [100 * count / len(lengths) for count in counts], drawing.framed(ORANGE)
    sign = key("recovery", "share of outages")
    plot.add("bar", bins, shares, hover=lines, marker=look, width=widths, sign=sign)
    plot.upright(p50, INK, 1.5, layer="above")
    side = "right" if plot.share(p50) > 0.5 else "left"
    plot.note(f"P50 {duration(p50)}", p50, 1, yref="paper", xanchor=side)
    spread = f"P10 {duration(p10)}, P50 {duration(p50)}, P90 {duration(p90)}"
    if p90 - p10 <= ALIKE * p50:
        spread = f"eight in ten last {duration(p50, 0.0)}, the longest {duration(float(lengths.max()))}"
    caption = f"{whole(len(lengths))} outages in all replications: {spread}."
    title = "How long a replica is down" if replicas else "How long an outage lasts"
    return plot.figure(f"outages-{run.anchor}", title, caption, caption)


def lengths_of(run: Run) -> Floats:
    """Return how long each outage lasted (s).

    An outage is the time down of an interruption and of the incidents that restart its recovery before the
    next interruption, of the job or of the same replica.
    """
    incidents = run.result.incidents
    if incidents is None or incidents.empty or "down_s" not in incidents:
        return np.array([])
    job = incidents[incidents["doing"] != "idle"].sort_values(["replication", "time_s"], kind="stable")
    whose = [job["replication"], job["replica"]]
    number = job["interruption"].astype(bool).groupby(whose).cumsum()
    outages = job["down_s"].groupby([*whose, number]).sum()
    lengths = outages[outages.index.get_level_values(2) > 0].to_numpy(float)
    return lengths[lengths > 0]


def _edges(least: float, most: float) -> list[float]:
    """Return the edges of equal bins on a log axis around *least* to *most* (s), half a decade or more."""
    low = math.floor(math.log10(least) * BINS_PER_DECADE - 1e-9)
    high = math.ceil(math.log10(most) * BINS_PER_DECADE + 1e-9)
    pad = max(0, BINS_PER_DECADE // 2 - (high - low)) // 2 + 1
    return [10.0 ** (place / BINS_PER_DECADE) for place in range(low - pad, high + pad + 1)]
