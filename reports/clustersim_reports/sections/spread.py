"""How sure the ETTR is: one dot per replication, and the 95 % interval of their mean."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from clustersim.formatting import plus_minus
from clustersim_reports import drawing
from clustersim_reports.blocks import Block, Data, Figure, Group, Section, Text, key
from clustersim_reports.drawing import BLUE, INK, Json
from clustersim_reports.run import MOST_DRAWN, Run, Runs

MOST_DOTS, BINS = 250, 44
"""Replications beyond which bars are drawn instead of dots, and the columns of either."""
DOT, TALLEST, FOOT = 14, 12, 40
"""Pixels per dot, dots in a column before they move together, and pixels below them for the interval."""


def section(runs: Runs) -> Section:
    """Return how much the ETTR varies between replications."""
    blocks: list[Block] = [Group(runs.chapters("certainty", lambda run: [figure(run)]), look="pair small")]
    if more := runs.runs[MOST_DRAWN:]:
        words = f"Only the first {MOST_DRAWN} scenarios have figures of their own; the tables hold all."
        blocks.append(Text(f"{words} Left out: {', '.join(run.name for run in more)}.", "absent"))
    return Section("certainty", "How sure", "How sure", blocks)


def figure(run: Run) -> Figure:
    """Return the replications as stacked dots, bars where they are many, above the interval of the mean."""
    values = [float(value) for value in run.result.replications["ettr"]]
    mean, legend = run.say("ettr.mean"), [key("dot", "one replication")]
    caption = f"ETTR {mean} in the only replication, which says nothing about chance: simulate more."
    if run.margin("ettr") is not None:
        mean = plus_minus(run.at("ettr.mean"), run.margin("ettr"))
        caption = f"{len(values)} independent replications; their mean is {mean} (95 % confidence)."
        legend.append(key("mean", "mean, with its 95 % interval"))
    if not run.result.is_random:
        caption = f"ETTR {mean} in every replication: nothing in this scenario is random."
    rows = [(run.name, number, value) for number, value in enumerate(values)]
    data, title = Data(("scenario", "replication", "ettr"), rows), "ETTR of every replication"
    return Figure(f"spread-{run.anchor}", title, caption, caption, legend, _drawing(run, values), data)


def _drawing(run: Run, values: Sequence[float]) -> Json:
    mean, width = run.at("ettr.mean"), run.margin("ettr")
    pad = max((max(values) - min(values)) * 0.12, abs(mean) * 0.002, 1e-6)
    low, high = min(values) - pad, max(values) + pad
    counts, edges = np.histogram(values, bins=BINS, range=(low, high))
    tall = int(counts.max())
    rise = DOT if tall <= TALLEST else DOT * TALLEST / tall
    floor = FOOT / rise
    if len(values) <= MOST_DOTS:
        marks = _dots(values, edges)
    else:
        middles = drawing.rounded((edges[:-1] + edges[1:]) / 2, 7)
        marks = drawing.trace("bar", middles, map(int, counts), "%{y} replications", marker={"color": BLUE})
    side, words = drawing.anchor((mean - low) / (high - low), 0.35), plus_minus(mean, width)
    ends, y = drawing.rounded([run.at("ettr.low"), run.at("ettr.high")], 7), -0.34 * floor
    interval = drawing.line(ends, [y, y], drawing.stroke(INK, 4))
    diamond = drawing.dots([mean], [y], {"color": INK, "size": 10, "symbol": "diamond"})
    return drawing.sheet(
        [marks] if width is None else [marks, interval, diamond],
        round((tall + 0.3) * rise + FOOT) + 50,
        annotations=[drawing.note(f"mean {words}", mean, -0.5 * floor, xanchor=side, yanchor="top")],
        bargap=0.1,
        margin={"b": 46, "l": 14, "r": 14, "t": 4},
        xaxis=drawing.axis("ETTR", range=[low, high], showgrid=False, nticks=6),
        yaxis=drawing.bare(range=[-floor, tall + 0.3]),
    )


def _dots(values: Sequence[float], edges: np.ndarray[tuple[int], np.dtype[np.float64]]) -> Json:
    columns = np.clip(np.searchsorted(edges, values, side="right") - 1, 0, BINS - 1).tolist()
    return drawing.dots(
        drawing.rounded(values, 7),
        [columns[:number].count(column) + 0.5 for number, column in enumerate(columns)],
        {"color": BLUE, "size": 8 if len(values) <= 80 else 5},
        hover="replication %{customdata[0]}<br>ETTR %{customdata[1]}",
        say=[(number, f"{value:.4f}") for number, value in enumerate(values)],
    )
