"""All measures of the runs, and where the time goes: a bar for each run that adds up to all card-hours."""

from __future__ import annotations

from collections.abc import Iterator

from clustersim.formatting import NOTHING, whole
from clustersim.headline import FIGURES
from clustersim.metrics.catalogue import BY_PATH, table_of
from clustersim.studies.compare import Comparison
from clustersim_reports import drawing, theme
from clustersim_reports.blocks import Cell, Data, Fact, Facts, Figure, Json, Row, Section, Table, row
from clustersim_reports.drawing import Plot
from clustersim_reports.run import Runs

LEAST_LABELLED = 0.025
"""Share of the card-hours from which on a number has room in its part of the bar."""
FINISH = "days_to_target.mean"
"""On the first screen beside its other figures."""
TICKS = (0, 25, 50, 75, 100)
MEANINGS = {
    "productive": "training that counts",
    "lost": "training that a failure destroyed, and that is repeated",
    "checkpoint": "training paused for a save",
    "detection": "from the failure until it is noticed",
    "recovery": "diagnosis, rescheduling, start, load, warm-up",
    "waiting": "for nodes to come or to leave, or for the site",
    "stall": "training paused while a replica fails or rejoins, or a link flaps",
    "idle": "too few replicas are alive, so the others wait",
    "slow": "stragglers, and the overhead of the recovery protocol",
    "corrupted": "training discarded because of silent corruption",
    "maintenance": "planned interruptions",
}


def section(runs: Runs) -> Section:
    """Return all measures of the runs, of a single one as tiles, and where their time goes."""
    shares = Table(
        "Share of all card-hours by activity", runs.names, list(rows(runs)), "Activity", "measures"
    )
    table: Table | Facts = Table(
        "Measures of each scenario", runs.names, measures(runs), "Measure", "measures"
    )
    if runs.single:
        shown = {BY_PATH[path].label for path in (*FIGURES, FINISH)}
        tiles = [(head, *cells) for head, cells, *_ in measures(runs) if head.text not in shown]
        table = Facts([Fact(head.text, cell.text, cell.small or head.small) for head, cell in tiles])
    heading = "Further measures" if runs.single else "Side by side"
    return Section("side-by-side", heading, [table, figure(runs), shares])


def measures(runs: Runs) -> list[Row]:
    """Return the metrics of all runs, and their differences to the baseline below their ETTR."""
    table = []
    for metric, shown in table_of([run.summary for run in runs.runs]):
        table.append(
            row(Cell(metric.heading or metric.label, metric.meaning), *(Cell(*cell) for cell in shown))
        )
        if metric.label == "ETTR" and runs.comparison and not runs.single:
            table.append(_differences(runs, runs.comparison))
    return table


def _differences(runs: Runs, comparison: Comparison) -> Row:
    """Return the ETTR's paired differences to the baseline."""
    cells = {name: Cell(NOTHING, "the baseline") for name in runs.names}
    for difference in comparison.differences:
        ettr, gap = difference.ettr, difference.in_points
        cells[difference.name] = Cell(gap) if ettr.distinguishable else Cell("not distinguishable", gap)
        if ettr.half_width is None:
            cells[difference.name] = Cell(gap, "one pair: no interval")
    head = Cell(f"ETTR against {comparison.baseline}", "paired difference, percentage points")
    return row(head, *(cells[name] for name in runs.names))


def rows(runs: Runs) -> Iterator[Row]:
    """Yield one row per entry in use, recovery followed by its stages where it has several."""
    of_runs = [run.shares() for run in runs.runs], [run.shares("recovery_stages") for run in runs.runs]
    names = [name for run in runs.runs for name in run.at("recovery_stages")]
    stages = [name for name in dict.fromkeys(names) if any(parts.shares.get(name) for parts in of_runs[1])]
    for entry in runs.entries:
        yield row(Cell(entry, MEANINGS[entry], mark=entry), *(parts.text(entry) for parts in of_runs[0]))
        for name in stages if entry == "recovery" and len(stages) > 1 else ():
            yield row(name, *(parts.text(name) for parts in of_runs[1]), look="part")


def figure(runs: Runs) -> Figure:
    """Return one stacked bar per run, its name above it."""
    points, spoken = [], []
    for run in runs.runs:
        shares = {entry: float(run.at(f"ledger.{entry}") or 0.0) for entry in runs.entries}
        parts = [f"{entry} {run.shares().text(entry)}" for entry, share in shares.items() if share]
        spoken.append(f"{run.name}: {', '.join(parts)}")
        common = {"scenario": run.name, "cards": run.at("gpus")}
        points += [common | {"entry": entry, "share_of_card_hours": share} for entry, share in shares.items()]
    look: Json = {"bargap": 0.55, "margin": {"b": 36, "l": 12, "r": 24, "t": 4}, "look": {"yshift": 16}}
    look["uniformtext"] = {"minsize": 10, "mode": "hide"}
    names = [f"<b>{drawing.text(run.name, 28)}</b> · {whole(run.at('gpus'))} cards" for run in runs.runs]
    across = drawing.axis(range=[0, 100], tickvals=TICKS, ticktext=[f"{tick} %" for tick in TICKS])
    plot = Plot.rows(Data(points), names, 72, across, **look)
    for order, entry in enumerate(runs.entries):
        values = plot.data["share_of_card_hours"][order :: len(runs.entries)]
        font = {"color": theme.STYLES[entry].text.light, "size": 13}
        inside: Json = {"insidetextanchor": "middle", "textangle": 0, "textposition": "inside"}
        texts = [run.shares().text(entry) for run in runs.runs]
        inside["text"] = [
            words if share >= LEAST_LABELLED else "" for words, share in zip(texts, values, strict=True)
        ]
        plot.shares(entry, values, runs.names, texts, insidetextfont=font, **inside)
    caption = "Every card-hour of the job belongs to exactly one activity; each bar adds up to 100 %."
    return plot.figure("ledger", "Where the time goes", caption, spoken)
