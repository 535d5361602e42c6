"""Where the time goes: all card-hours of each run as one bar that adds up to 100 %, and all its measures."""

from __future__ import annotations

from clustersim.formatting import percent, whole
from clustersim_reports import drawing, measures, theme
from clustersim_reports.blocks import Cell, Data, Figure, Row, Section, Table, key
from clustersim_reports.drawing import Json
from clustersim_reports.run import Run, Runs

LEAST_LABELLED = 0.025
"""Share of the card-hours from which on a number has room in its part of the bar."""
TICKS = (0, 25, 50, 75, 100)
MEANINGS = {
    "productive": "training that counts",
    "lost": "training that a failure destroyed, and that is repeated",
    "checkpoint": "training paused for a save",
    "detection": "from the failure until it is noticed",
    "recovery": "diagnosis, rescheduling, start, load, warm-up",
    "waiting": "no node available",
    "stall": "replicas paused because another one failed or rejoins",
    "idle": "too few replicas are alive, so the others wait",
    "slow": "stragglers, and the overhead of the recovery protocol",
    "corrupted": "training discarded because of silent corruption",
    "maintenance": "planned interruptions",
}


def section(runs: Runs) -> Section:
    """Return all measures of the runs, and where their time goes."""
    link = "All measures" if runs.single else "Side by side"
    caption = "Share of all card-hours by activity"
    shares = Table(caption, runs.names, rows(runs), "Activity", "measures")
    return Section("side-by-side", link, link, [measures.block(runs), figure(runs), shares])


def entries_of(runs: Runs) -> list[str]:
    """Return the ledger entries that any of the runs uses, in the ledger's order."""
    return [entry for entry in theme.STYLES if any(run.at(f"ledger.{entry}") for run in runs.runs)]


def share(run: Run, path: str) -> Cell:
    """Return a share of all card-hours with its interval's digits."""
    return Cell(run.say(path, percent) if run.at(path) else "0")


def rows(runs: Runs) -> list[Row]:
    """Return one row per entry in use, recovery followed by its stages where it has several."""
    stages = dict.fromkeys(name for run in runs.runs for name in run.at("recovery_stages"))
    table = []
    for entry in entries_of(runs):
        cells = [share(run, f"ledger.{entry}") for run in runs.runs]
        table.append(Row(Cell(entry, MEANINGS[entry], mark=entry), cells))
        parts = [
            Row(Cell(name), [share(run, f"recovery_stages.{name}") for run in runs.runs], "part")
            for name in stages
            if any(run.at(f"recovery_stages.{name}") for run in runs.runs)
        ]
        table += parts if entry == "recovery" and len(parts) > 1 else []
    return table


def figure(runs: Runs) -> Figure:
    """Return one stacked bar per run, its name above it."""
    entries = entries_of(runs)
    shares = {entry: [float(run.at(f"ledger.{entry}") or 0.0) for run in runs.runs] for entry in entries}
    spoken = [
        ", ".join(f"{entry} {percent(shares[entry][place])}" for entry in entries if shares[entry][place])
        for place in range(len(runs.runs))
    ]
    columns = ("scenario", "cards", "entry", "share_of_card_hours")
    rows = [
        (run.name, run.at("gpus"), entry, shares[entry][place])
        for place, run in enumerate(runs.runs)
        for entry in entries
    ]
    caption = "Every card-hour of the job belongs to exactly one activity; each bar adds up to 100 %."
    words = "; ".join(f"{name}: {parts}" for name, parts in zip(runs.names, spoken, strict=True))
    data, legend = Data(columns, rows), [key(entry) for entry in entries]
    return Figure("ledger", "Where the time goes", caption, words, legend, _drawing(runs, shares), data)


def _drawing(runs: Runs, shares: dict[str, list[float]]) -> Json:
    names = [f"<b>{drawing.text(run.name, 28)}</b> · {whole(run.at('gpus'))} cards" for run in runs.runs]
    bars = [
        drawing.shares(
            entry,
            of_entry,
            runs.names,
            insidetextanchor="middle",
            insidetextfont={"color": theme.STYLES[entry].text.light, "size": 13},
            text=[percent(share) if share >= LEAST_LABELLED else "" for share in of_entry],
            textangle=0,
            textposition="inside",
        )
        for entry, of_entry in shares.items()
    ]
    return drawing.rows(
        bars,
        [{"text": name, "yshift": 16} for name in names],
        72,
        bargap=0.55,
        margin={"b": 36, "l": 12, "r": 24, "t": 4},
        uniformtext={"minsize": 10, "mode": "hide"},
        xaxis=drawing.axis(range=[0, 100], tickvals=TICKS, ticktext=[f"{tick} %" for tick in TICKS]),
    )
