"""How long an outage lasts: from the failure that stops training until the job trains again."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np

from clustersim.formatting import duration, whole
from clustersim.units import format_duration
from clustersim_reports import drawing
from clustersim_reports.blocks import Data, Figure, key
from clustersim_reports.drawing import INK, ORANGE, PAPER, Json
from clustersim_reports.run import Run

Floats = np.ndarray[Any, np.dtype[np.float64]]

BINS_PER_DECADE, MOST_TICKS = 12, 6
CUT_SHORT = 0.003
"""Share of the outages that may lie below the axis, in its first bin: the end of a run cuts one short."""


def figure(run: Run) -> Figure | None:
    """Return the lengths of all outages, or None where there was none (or the run holds no incidents)."""
    lengths = lengths_of(run)
    if not len(lengths):
        return None
    edges = _edges(float(np.quantile(lengths, CUT_SHORT)), float(lengths.max()))
    counts = np.histogram(np.clip(lengths, edges[0], edges[-1]), bins=np.array(edges))[0].tolist()
    p10, p50, p90 = (float(value) for value in np.percentile(lengths, [10, 50, 90]))
    spread = f"P10 {duration(p10)}, P50 {duration(p50)}, P90 {duration(p90)}"
    caption = f"{whole(len(lengths))} outages in all replications: {spread}."
    replicas = "replicas" in run.summary
    until = "the replica can train again" if replicas else "the job trains again"
    ends = itertools.pairwise(drawing.rounded(edges))
    rows = [(run.name, *pair, count) for pair, count in zip(ends, counts, strict=True)]
    data = Data(("scenario", "from_s", "to_s", "outages"), rows)
    title = "How long a replica is down" if replicas else "How long an outage lasts"
    legend, histogram = [key("recovery", "share of outages")], _drawing(data, p50, until)
    return Figure(f"outages-{run.anchor}", title, caption, caption, legend, histogram, data)


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


def _drawing(data: Data, median: float, until: str) -> Json:
    """Return the histogram on a log axis of time, with the median marked."""
    starts, stops, counts = data["from_s"], data["to_s"], data["outages"]
    left, right = (np.log10(ends).tolist() for ends in (starts, stops))
    low, high, place = left[0], right[-1], math.log10(median)
    ticks = drawing.durations(starts[0], stops[-1], MOST_TICKS)
    bars = drawing.trace(
        "bar",
        drawing.rounded([(low + high) / 2 for low, high in zip(left, right, strict=True)], 7),
        drawing.rounded([100 * count / sum(counts) for count in counts]),
        "%{customdata[0]} to %{customdata[1]}<br>%{customdata[2]} outages",
        zip(map(duration, starts), map(duration, stops), counts, strict=True),
        marker={"color": ORANGE, "line": {"color": PAPER, "width": 1}},
        width=[high - low for low, high in zip(left, right, strict=True)],
    )
    dotted, side = drawing.stroke(INK, 1.5, "dot"), "right" if place > (low + high) / 2 else "left"
    return drawing.sheet(
        [bars],
        270,
        annotations=[drawing.note(f"P50 {duration(median)}", place, 1, yref="paper", xanchor=side)],
        bargap=0,
        margin={"b": 46, "l": 8, "r": 14, "t": 26},
        shapes=[drawing.rule(dotted, (place, place), (0, 1), yref="paper", layer="above")],
        xaxis=drawing.axis(
            f"from the failure until {until}",
            range=[low, high],
            showgrid=False,
            tickvals=np.log10(ticks).tolist(),
            ticktext=[format_duration(tick) for tick in ticks],
        ),
        yaxis=drawing.axis(rangemode="tozero", ticksuffix=" %", nticks=5),
    )
