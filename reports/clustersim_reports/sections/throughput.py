"""Throughput over time: one replication, the band of all, the failures that strike it, and a few hours of it.

The closer look has a lane for each activity of the job, and one for each replica that was down.
"""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from pandas import DataFrame

from clustersim.formatting import duration, percent, whole
from clustersim.units import format_duration
from clustersim_reports import drawing, theme
from clustersim_reports.blocks import Data, Figure, Section, Text, key
from clustersim_reports.drawing import INK, MUTED, PAPER, Plot
from clustersim_reports.run import Run, Runs

MOST_BINS, MOST_CAUSES, MOST_MARKS = 200, 8, 240
"""Points of a curve, rows of incidents, and marks in a row that are drawn."""
ROW, GAP, FOOT = 34, 12, 62
"""Pixels per row of incidents, between them and the curves, and below the lowest panel."""
MOST_SPANS, MOST_REPLICAS = 600, 10
"""Activities and replicas that are drawn in the closer look."""
LANE, THICK = 34, 0.44
"""Pixels per lane, and the share of them that a bar takes."""
FINISHES = " Mean and band end with the first replication that reaches the target; replication 0 goes on."
JOB = -1
DOWN = frozenset({"detection", "recovery", "waiting"})


class Marks(NamedTuple):
    """Replication 0's incidents of one cause: where marks stand (s), and how many each stands for."""

    cause: str
    times: Sequence[float]
    counts: Sequence[int]


class Span(NamedTuple):
    """One uninterrupted activity: its ledger entry, and when it began and ended (s).

    `replica` is the number of the replica that did it, -1 for the job or the replicas that train together.
    """

    entry: str
    detail: str
    start: float
    end: float
    replica: int = JOB

    @property
    def lane(self) -> tuple[int, str]:
        """Whose lane it is, and its name: an activity of the job, a stage of its recovery, or a replica."""
        if self.replica != JOB:
            return self.replica, f"replica {self.replica}"
        return JOB, self.detail if self.entry == "recovery" and self.detail else self.entry


class Strip(NamedTuple):
    """The lanes from the top, the activities in them, and when failures stopped training (s).

    `left_out` replicas that were down have no lane, and `cut` says that later activities are left out.
    """

    lanes: list[tuple[int, str]]
    spans: list[Span]
    failures: list[float]
    start: float
    end: float
    left_out: int
    cut: bool

    @property
    def replicas(self) -> bool:
        """Whether there are replicas that were down."""
        return self.lanes[-1][0] != JOB

    def when(self, span: Span, size: float, unit: str) -> str:
        """Return from when to when a span lasts, in the *unit* of the axis, which has *size* seconds."""
        begin, end = ((instant - self.start) / size for instant in (span.start, span.end))
        return f"{begin:.2f} to {end:.2f} {unit} ({format_duration(max(span.end - span.start, 1e-3), 2)})"


def section(runs: Runs) -> Section:
    """Return how each run goes along in time, and a few hours of it."""
    absent = Text("This run holds no record over time.", "absent")
    chapters = runs.chapters("time", lambda run: [*filter(None, (figure(run), closer(run)))] or [absent])
    return Section("time", "Throughput over time", chapters, "Over time")


def figure(run: Run) -> Figure | None:
    """Return the throughput over time, or None where the run holds no timeline.

    The curves with their band stand above, the incidents of replication 0 in one row per cause below.
    """
    timeline, first = run.timeline, run.first_finish_s
    if timeline is None or timeline.empty:
        return None
    timeline = timeline[timeline[["mean", "replication_0"]].notna().any(axis=1)]
    end_s = float(timeline["end_s"].iloc[-1])
    size, unit = drawing.time_unit(end_s)
    middle = thinned((timeline["start_s"] + timeline["end_s"]) / (2 * size))
    columns = {"scenario": run.name, f"time_{unit}": middle}
    columns |= {name: thinned(timeline[name]) for name in ("mean", "p10", "p90", "replication_0")}
    marks, left_out = incident_marks(run.result.incidents, end_s)
    height, rows = 290 + ROW * len(marks), len(marks)
    gap = GAP / (height - FOOT) if marks else 0.0
    floor = ROW * rows / (height - FOOT) + gap
    across = drawing.time_axis(end_s, anchor="y2" if marks else "y")
    upward = drawing.axis(range=[0, 103], ticksuffix=" %", dtick=25, domain=[floor, 1])
    plot = Plot(Data.of(columns), height, x=across, y=upward, hovermode="x unified")
    plot.history(run.at("replications"), "%{y:.1f} %", scale=100)
    plot.first_finish(first, size, run.at("replications"))
    if marks:
        plot.layout["yaxis2"] = drawing.bare(range=[rows - 0.35, -0.75], domain=[0, floor - gap])
        plot.legend.append(key("tick", "incidents of replication 0, by cause"))
    for row, mark in enumerate(marks):
        _ticks(plot, row, mark, size)
    caption = "Productive training in the course of the run."
    if any(max(mark.counts) > 1 for mark in marks):
        caption += " Where incidents are too many to draw, one tick stands for several."
    caption += f" {left_out} rarer causes are left out." if left_out else ""
    caption += FINISHES if first is not None else ""
    means = [*filter(None, plot.data["mean"])] or [0.0]
    mean = percent(sum(means) / len(means))
    spoken = f"share of the cards that train over {duration(end_s, 0.0)}; mean {mean}"
    return plot.figure(f"throughput-{run.anchor}", "Share of the cards that train", caption, spoken)


def _ticks(plot: Plot, row: int, marks: Marks, unit: float) -> None:
    """Draw the incidents of one cause as upright strokes, longer where one stands for more."""
    words, most = f"{drawing.text(marks.cause, 30)} · {whole(sum(marks.counts))}", max(marks.counts)
    plot.note(words, 0, row, MUTED, 11, xref="paper", yref="y2", xanchor="left", yshift=5)
    sizes = [4 + 8 * (count / most) for count in marks.counts] if most > 1 else 10
    look = drawing.sign(INK, sizes, "line-ns", INK, 1.2) | {"opacity": 0.75}
    plot.dots([time / unit for time in marks.times], [row] * len(marks.times), look, yaxis="y2")


def thinned(values: Any) -> list[float | None]:
    """Return *values* averaged in equal groups so that few enough remain to be drawn; None for no value."""
    column = np.asarray(values, float)
    group = -(-len(column) // MOST_BINS)
    means = [float(np.mean(column[first : first + group])) for first in range(0, len(column), group)]
    return [None if math.isnan(mean) else mean for mean in means]


def incident_marks(incidents: DataFrame | None, end_s: float) -> tuple[list[Marks], int]:
    """Return replication 0's incidents by cause, the most frequent first, and how many causes are left out.

    More than `MOST_MARKS` of one cause are gathered in that many equal bins of time, one mark for each.
    """
    if incidents is None or incidents.empty:
        return [], 0
    first, rows = incidents[(incidents["replication"] == 0) & (incidents["doing"] != "idle")], []
    causes = sorted(Counter(first["mode"].astype(str)).items(), key=lambda item: (-item[1], item[0]))
    for cause, count in causes[:MOST_CAUSES]:
        times = first["time_s"][first["mode"] == cause].to_numpy(float)
        counts = np.ones(count, int)
        if count > MOST_MARKS:
            counts, edges = np.histogram(times, bins=MOST_MARKS, range=(0.0, end_s))
            times, counts = ((edges[:-1] + edges[1:]) / 2)[counts > 0], counts[counts > 0]
        rows.append(Marks(cause, times.tolist(), counts.tolist()))
    return rows, len(causes) - len(rows)


def closer(run: Run) -> Figure | None:
    """Return a few hours of replication 0 in lanes, failures dotted, or None where the run recorded none.

    What a lane of the job shows is its name; bars in the lanes of replicas are hatched as in the ledger.
    """
    if run.result.strip is None or run.result.strip.empty:
        return None
    strip = strip_of(run.result.strip)
    length, stops = strip.end - strip.start, len(strip.failures)
    size, unit = drawing.time_unit(length)
    points = []
    for entry, detail, start, end, replica in strip.spans:
        whose = None if replica == JOB else replica
        point = {"scenario": run.name, "start_s": round(start, 3), "end_s": round(end, 3)}
        points.append(point | {"activity": entry, "detail": detail, "replica": whose})
    since = f"{format_duration(round(strip.start), 3)} into the run" if strip.start >= 1 else "the start"
    look = {"font": {"color": MUTED, "size": 11}, "bgcolor": PAPER, "xref": "paper", "yshift": 9}
    names = [drawing.text(lane, 30) for _, lane in strip.lanes]
    across = drawing.time_axis(length, since)
    plot = Plot.rows(Data(points), names, LANE, across, look=look, barmode="overlay")
    plot.legend += [key("drop", "failure that stops training")] * bool(stops)
    for instant in strip.failures:
        plot.upright((instant - strip.start) / size)
    for of_job, entry in itertools.product((True, False), theme.STYLES):
        spans = [span for span in strip.spans if span.entry == entry and (span.replica == JOB) == of_job]
        marker = {"color": theme.STYLES[entry].colour.light} if of_job else drawing.hatching(entry)
        plot.bars(
            [(span.end - span.start) / size for span in spans],
            [strip.lanes.index(span.lane) for span in spans],
            marker | {"line": {"width": 0}},
            hover=[(f"{entry} {span.detail}", strip.when(span, size, unit)) for span in spans],
            sign=None if of_job else key(entry),
            base=drawing.rounded([(span.start - strip.start) / size for span in spans]),
            width=THICK,
        )
    lanes = ", ".join(name for _, name in strip.lanes)
    spoken = f"{length / size:.3g} {unit} with {stops} failures that stop training; lanes: {lanes}"
    return plot.figure(f"strip-{run.anchor}", "A closer look", _caption(strip, size, unit, since), spoken)


def _caption(strip: Strip, size: float, unit: str, since: str) -> str:
    length = f"{(strip.end - strip.start) / size:.3g} {unit}"
    words = f"{length} of replication 0, from {since}, activity by activity"
    words += "; below, the replicas that were down, each in a lane of its own." if strip.replicas else "."
    words += f" {strip.left_out} more replicas that were down are left out." if strip.left_out else ""
    return words + (f" Cut after {len(strip.spans)} activities." if strip.cut else "")


def strip_of(strip: DataFrame) -> Strip:
    """Return what is drawn of the table *strip*: its first activities, and the replicas longest down.

    None goes on beyond the first one that is left out.  The job's lanes stand in the ledger's order, stages
    of recovery in the order in which they occur.
    """
    kinds = {"activity": str, "detail": str, "start_s": float, "end_s": float, "lane": int}
    table = strip[[*kinds]].fillna({"detail": ""}).astype(kinds)
    activities = sorted(itertools.starmap(Span, table.itertuples(index=False)), key=lambda span: span.start)
    last = activities[MOST_SPANS].start if len(activities) > MOST_SPANS else math.inf
    first = [span._replace(end=min(span.end, last)) for span in activities[:MOST_SPANS]]
    down: Counter[int] = Counter()
    for span in first:
        down[span.replica] += round(1000 * (span.end - span.start))
    del down[JOB]
    numbers = sorted(sorted(down, key=lambda replica: (-down[replica], replica))[:MOST_REPLICAS])
    job = [span for entry in theme.STYLES for span in first if (span.replica, span.entry) == (JOB, entry)]
    lanes = [*dict.fromkeys(span.lane for span in job), *((n, f"replica {n}") for n in numbers)]
    spans = [span for span in first if span.replica in (JOB, *numbers)]
    ends = first[0].start, max(span.end for span in first)
    return Strip(lanes, spans, _failures(first), *ends, len(down) - len(numbers), math.isfinite(last))


def _failures(spans: Sequence[Span]) -> list[float]:
    """Return when a failure ended training (s), of the job or of a replica."""
    instants = set()
    for replica in {span.replica for span in spans}:
        own = [span for span in spans if span.replica == replica]
        if replica != JOB and own[0].start > spans[0].start:
            own = [Span("productive", "", 0.0, own[0].start, replica), *own]
        for before, now in itertools.pairwise(own):
            apart = replica != JOB and now.start > before.end
            if now.entry in DOWN and (before.entry not in DOWN or apart):
                instants.add(now.start)
    return sorted(instants)
