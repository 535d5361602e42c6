"""How sure the ETTR is: one dot per replication, the 95 % interval of their mean, and uncertain inputs."""

from __future__ import annotations

import numpy as np

from clustersim.formatting import counted, plus_minus, whole
from clustersim.metrics import cells
from clustersim_reports import drawing
from clustersim_reports.blocks import Data, Figure, Group, Json, Section, Text, key
from clustersim_reports.drawing import BLUE, INK, Plot
from clustersim_reports.run import MOST_DRAWN, Run, Runs

MOST_DOTS, BINS = 250, 44
"""Replications beyond which bars are drawn instead of dots, and the columns of either."""
DOT, TALLEST, FOOT = 14, 12, 40
"""Pixels per dot, dots in a column before they move together, and pixels below them for the interval."""


def section(runs: Runs) -> Section:
    """Return how much the ETTR varies between replications."""
    more = ", ".join(run.name for run in runs.runs[MOST_DRAWN:])
    words = f"Only the first {MOST_DRAWN} scenarios have figures of their own; the tables hold all. Left out:"
    figures = Group(runs.chapters("certainty", lambda run: [figure(run)]), look="pair small")
    return Section("certainty", "How sure", [figures, Text(f"{words} {more}.", "absent") if more else None])


DIAMOND: Json = {"color": INK, "size": 10, "symbol": "diamond"}
INPUTS = "90 % of what the uncertain inputs alone make of it, with the median"


def _inputs(run: Run, plot: Plot, low: float, mean: str) -> str:
    """Draw what uncertain inputs make of ETTR at that height; return the words about them and chance."""
    ettr = run.summary["ettr"]
    inputs, median = ettr["inputs"], {"color": BLUE, "size": 9, "symbol": "diamond"}
    plot.line([inputs["p5"], inputs["p95"]], [low, low], BLUE, 4)
    plot.dots([inputs["p50"]], [low], median, sign=key("line", INPUTS))
    with_each = f"{counted(ettr['per_draw'], 'replication')} with each of them"
    drawn = f"{whole(ettr['draws'])} draws of the uncertain inputs, {with_each}"
    both = f"the mean is {mean} by chance (95 %), {cells.inputs(run.summary, 'ettr', after='')} (90 %)"
    return f"{drawn}; {both}."


def figure(run: Run) -> Figure | Text:
    """Return the replications as stacked dots, bars where they are many, above the interval of the mean.

    What does not vary, or is the only one, is said in words.
    """
    values = [float(value) for value in run.result.replications["ettr"]]
    mean, width = run.at("ettr.mean"), run.margin("ettr")
    words = plus_minus(mean, width)
    if not run.result.is_random:
        return Text(f"ETTR {words} in every replication: nothing in this scenario is random.")
    if width is None:
        return Text(f"ETTR {words} in the only replication, which says nothing about chance: simulate more.")
    pad = max((max(values) - min(values)) * 0.12, abs(mean) * 0.002, 1e-6)
    ends = min(values) - pad, max(values) + pad
    counts, edges = np.histogram(values, bins=BINS, range=ends)
    tall = int(counts.max())
    rise = DOT if tall <= TALLEST else DOT * TALLEST / tall
    floor = FOOT / rise
    data = Data([{"scenario": run.name, "replication": n, "ettr": ettr} for n, ettr in enumerate(values)])
    across = drawing.axis("ETTR", range=list(ends), showgrid=False, nticks=6)
    upward, margin = drawing.bare(range=[-floor, tall + 0.3]), {"b": 46, "l": 14, "r": 14, "t": 4}
    plot = Plot(data, (tall + 0.3) * rise + FOOT + 50, x=across, y=upward, bargap=0.1, margin=margin)
    sign = key("dot", "one replication")
    if len(values) > MOST_DOTS:
        middles, plain = (edges[:-1] + edges[1:]) / 2, {"color": BLUE}
        plot.add("bar", middles, counts.tolist(), marker=plain, hover="%{y} replications", sign=sign)
    else:
        columns = np.clip(np.searchsorted(edges, values, side="right") - 1, 0, BINS - 1).tolist()
        heights = [columns[:number].count(column) + 0.5 for number, column in enumerate(columns)]
        lines = [(f"replication {number}", f"ETTR {value:.4f}") for number, value in enumerate(values)]
        marker: Json = {"color": BLUE, "size": 8 if len(values) <= 80 else 5}
        plot.dots("ettr", heights, marker, hover=lines, sign=sign)
    low = -0.34 * floor
    plot.line([run.at("ettr.low"), run.at("ettr.high")], [low, low], INK, 4)
    plot.dots([mean], [low], DIAMOND, sign=key("mean", "mean, with its 95 % interval"))
    caption = f"{len(values)} independent replications; their mean is {words} (95 % confidence)."
    if "inputs" in run.summary:
        caption = _inputs(run, plot, -0.62 * floor, words)
    plot.note(f"mean {words}", mean, -0.5 * floor, xanchor=plot.side(mean, 0.35), yanchor="top")
    return plot.figure(f"spread-{run.anchor}", "ETTR of every replication", caption, caption)
