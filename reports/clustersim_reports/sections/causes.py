"""What fails and what it costs: waste by cause, the largest first, and what it consists of."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from clustersim.formatting import NOTHING, duration, percent, plus_minus
from clustersim.units import DAY
from clustersim_reports import drawing, theme
from clustersim_reports.blocks import Block, Cell, Data, Figure, Group, Row, Section, Table, Text, key
from clustersim_reports.drawing import Json
from clustersim_reports.run import Run, Runs
from clustersim_reports.sections import outages

MOST_CAUSES, ROW = 12, 44
"""Bars in the figure, the last of them for all other causes; pixels per bar."""
RESERVED = {
    "checkpoint": "saves",
    "maintenance": "planned",
    "overhead": "recovery protocol",
    "start": "at time 0",
}


def section(runs: Runs) -> Section:
    """Return what fails in each run, what that costs, and how long it takes."""
    return Section(
        "failures", "What fails", "What fails and what it costs", runs.chapters("failures", _blocks)
    )


def _blocks(run: Run) -> list[Block]:
    blocks: list[Block] = []
    if causes := causes_of(run):
        wasted = [cause for cause in causes if run.at("waste_by_cause")[cause]]
        figures = [figure(run, wasted) if wasted else None, outages.figure(run)]
        blocks.append(Group([*filter(None, figures)], look="pair"))
        columns = ("Incidents per day", "Mean time between", "Share of all card-hours", "Cumulative")
        blocks.append(Table(f"Causes of waste of {run.name}", columns, rows(run, causes), "Cause"))
    else:
        blocks.append(Text("Nothing failed and nothing was wasted.", "absent"))
    if not run.at("interruptions_total"):
        blocks.append(Text("No failure interrupted training, so there are no outages to show.", "absent"))
    elif run.result.incidents is None:
        words = "This run kept no table of incidents, so outages and single failures cannot be shown."
        blocks.append(Text(words, "absent"))
    return blocks


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


def rows(run: Run, causes: Sequence[str]) -> list[Row]:
    """Return how often each cause strikes, its share of all card-hours, and the sum so far."""
    table, modes, total = [], run.result.scenario.failures, 0.0
    for cause in causes:
        rate, width = run.at("incidents_by_mode").get(cause), run.margin(f"incidents_by_mode.{cause}")
        total += run.at("waste_by_cause")[cause]
        often = NOTHING if rate is None else plus_minus(rate, width)
        certain = None if width is None or not rate else min(width / rate, 0.5) * DAY / rate
        between = duration(DAY / rate, certain) if rate else NOTHING
        shares = run.say(f"waste_by_cause.{cause}", percent), percent(total, run.margin("ettr"))
        effect = modes[cause].effect.does if cause in modes else ""
        table.append(Row(Cell(label(run, cause), effect), [Cell(text) for text in (often, between, *shares)]))
    return table


def figure(run: Run, causes: Sequence[str]) -> Figure:
    """Return one bar per cause that wastes card-hours, with its name and share above it."""
    waste, parts, rates = run.at("waste_by_cause"), run.at("waste"), run.at("incidents_by_mode")
    used = {entry for cause in causes for entry, share in parts[cause].items() if share}
    entries = [entry for entry in theme.STYLES if entry in used]
    columns = ("scenario", "cause", "share_of_card_hours", "cumulative_share", "incidents_per_day")
    totals = list(itertools.accumulate(waste[cause] for cause in causes))
    data = Data(
        (*columns, *entries),
        [
            (
                run.name,
                cause,
                waste[cause],
                total,
                rates.get(cause),
                *(parts[cause].get(entry, 0.0) for entry in entries),
            )
            for cause, total in zip(causes, totals, strict=True)
        ],
    )
    shares = [run.say(f"waste_by_cause.{cause}", percent) for cause in causes]
    modes, few = run.result.scenario.failures.values(), sum(total < 0.8 * totals[-1] for total in totals) + 1
    caption = "All failures come from a log. " if modes and all(mode.recorded for mode in modes) else ""
    caption += "Every card-hour without progress is charged to one cause."
    caption += f" {few} of {len(causes)} causes make up 80 % of the waste." if 1 < few < len(causes) else ""
    legend = [key(entry) for entry in entries]
    spoken = "; ".join(f"{cause} {share}" for cause, share in zip(causes[:6], shares, strict=False))
    bars = _drawing(run, data, shares, entries)
    return Figure(f"causes-{run.anchor}", "Waste by cause", caption, spoken, legend, bars, data)


def _drawing(run: Run, data: Data, shares: list[str], entries: Sequence[str]) -> Json:
    """Return the largest causes, and all others in a last bar where they are many."""
    more = len(shares) - MOST_CAUSES + 1 if len(shares) > MOST_CAUSES else 0
    count = len(shares) - more
    labels = [label(run, cause) for cause in data["cause"][:count]] + [f"{more} other causes"] * bool(more)

    def shortened(values: list[float]) -> list[float]:
        return values[:count] + [sum(values[count:])] * bool(more)

    sums = shortened(data["share_of_card_hours"])
    shares = shares[:count] + [percent(sums[-1])] * bool(more)
    names = [
        f"{drawing.text(name, 30)} · <b>{drawing.text(share)}</b>"
        for name, share in zip(labels, shares, strict=True)
    ]
    bars = [drawing.shares(entry, shortened(data[entry]), labels) for entry in entries]
    across = drawing.axis("share of all card-hours", range=[0, 104 * max(sums)], ticksuffix=" %", nticks=6)
    return drawing.rows(bars, [{"text": name, "yshift": 8} for name in names], ROW, xaxis=across)
