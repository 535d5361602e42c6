"""A few hours of one replication in lanes: one per activity of the job, one per replica that was down."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from clustersim.formatting import duration
from clustersim.units import format_duration
from clustersim_reports import drawing, theme
from clustersim_reports.blocks import Data, Figure, key
from clustersim_reports.drawing import MUTED, PAPER, Json
from clustersim_reports.run import Run

if TYPE_CHECKING:
    from pandas import DataFrame

MOST_SPANS, MOST_REPLICAS = 900, 10
"""Activities and replicas that are drawn."""
LANE, THICK = 34, 0.44
"""Pixels per lane, and the share of them that a bar takes."""
JOB = -1
CHAIN = frozenset({"detection", "recovery", "waiting"})


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
    def replicas(self) -> list[Span]:
        """The activities of replicas that were down."""
        return [span for span in self.spans if span.replica != JOB]


def figure(run: Run) -> Figure | None:
    """Return a few hours of replication 0 in lanes, or None where the run recorded none."""
    strip = run.result.strip
    if strip is None or strip.empty:
        return None
    drawable = strip_of(strip)
    length, stops = duration(drawable.end - drawable.start), len(drawable.failures)
    names = ", ".join(name for _, name in drawable.lanes)
    rows = [
        (run.name, round(start, 3), round(end, 3), entry, detail, None if replica == JOB else replica)
        for entry, detail, start, end, replica in drawable.spans
    ]
    stop = [key("drop", "failure that stops training")] * bool(stops)
    legend = [*stop, *map(key, _entries(drawable.replicas))]
    data = Data(("scenario", "start_s", "end_s", "activity", "detail", "replica"), rows)
    spoken = f"{length} with {stops} failures that stop training; lanes: {names}"
    name, caption, lanes = f"strip-{run.anchor}", _caption(drawable), _drawing(drawable)
    return Figure(name, "A closer look", caption, spoken, legend, lanes, data)


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
    job = sorted(
        (span for span in first if span.replica == JOB), key=lambda span: list(theme.STYLES).index(span.entry)
    )
    lanes = [
        *dict.fromkeys(span.lane for span in job),
        *((number, f"replica {number}") for number in numbers),
    ]
    spans = [span for span in first if span.replica in (JOB, *numbers)]
    start, end = first[0].start, max(span.end for span in first)
    return Strip(lanes, spans, _failures(first), start, end, len(down) - len(numbers), math.isfinite(last))


def _failures(spans: list[Span]) -> list[float]:
    """Return when a failure ended training (s), of the job or of a replica."""
    instants = set()
    for replica in {span.replica for span in spans}:
        own = [span for span in spans if span.replica == replica]
        if replica != JOB and own[0].start > spans[0].start:
            own = [Span("productive", "", 0.0, own[0].start, replica), *own]
        for before, now in itertools.pairwise(own):
            apart = replica != JOB and now.start > before.end
            if now.entry in CHAIN and (before.entry not in CHAIN or apart):
                instants.add(now.start)
    return sorted(instants)


def _caption(strip: Strip) -> str:
    begin = f"{duration(strip.start)} after its start" if strip.start >= 1 else "its start"
    words = f"{duration(strip.end - strip.start)} of replication 0 from {begin} on, activity by activity"
    words += "; below, the replicas that were down, each in a lane of its own." if strip.replicas else "."
    if strip.left_out:
        words += f" {strip.left_out} more replicas that were down are left out."
    return words + (f" Cut after {len(strip.spans)} activities." if strip.cut else "")


def _entries(spans: Sequence[Span]) -> list[str]:
    return [entry for entry in theme.STYLES if any(span.entry == entry for span in spans)]


def _drawing(strip: Strip) -> Json:
    """Return the lanes, failures dotted.

    What a lane of the job shows is its name; bars in the lanes of replicas are hatched as in the ledger.
    """
    unit, _ = drawing.time_unit(strip.end - strip.start)
    job = [span for span in strip.spans if span.replica == JOB]
    since = f"{format_duration(round(strip.start), 3)} into the run" if strip.start >= 1 else "the start"
    places, dotted = [(when - strip.start) / unit for when in strip.failures], drawing.stroke(MUTED, 1, "dot")
    name = drawing.note("", 0, 0, MUTED, 11, bgcolor=PAPER, xref="paper", yshift=9)
    return drawing.rows(
        [_bars(strip, spans, entry, unit) for spans in (job, strip.replicas) for entry in _entries(spans)],
        [name | {"text": drawing.text(lane, 30), "y": row} for row, (_, lane) in enumerate(strip.lanes)],
        LANE,
        barmode="overlay",
        shapes=[drawing.rule(dotted, (at, at), (0, 1), yref="paper") for at in places],
        xaxis=drawing.time_axis(strip.end - strip.start, since),
    )


def _bars(strip: Strip, among: Sequence[Span], entry: str, unit: float) -> Json:
    spans = [span for span in among if span.entry == entry]
    plain = {"color": theme.STYLES[entry].colour.light}
    marker = plain if spans[0].replica == JOB else drawing.hatching(entry)
    return drawing.bars(
        drawing.rounded([(span.end - span.start) / unit for span in spans], 6),
        [strip.lanes.index(span.lane) for span in spans],
        marker | {"line": {"width": 0}},
        hover=f"{entry} %{{customdata[0]}}<br>%{{customdata[1]}}",
        say=[(span.detail, format_duration(max(span.end - span.start, 1e-3), 2)) for span in spans],
        base=drawing.rounded([(span.start - strip.start) / unit for span in spans], 7),
        width=THICK,
    )
