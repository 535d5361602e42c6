"""What else moves the best interval: the ETTR at it, and the interval itself, over another value."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from clustersim.estimate import in_words
from clustersim.formatting import NOTHING, duration, measured, whole
from clustersim.scenario.text.document import at, find
from clustersim.studies.tune import Tuning, WhatIf
from clustersim.units import COUNT, DURATION
from clustersim_reports import drawing
from clustersim_reports.blocks import Block, Cell, Data, Figure, Json, Row, Section, Table, key, row, slug
from clustersim_reports.drawing import BLUE, GREEN, MUTED, RED, Plot
from clustersim_reports.run import interval

HEIGHT, LOWER, UPPER = 500, 0.40, 0.54
"""Pixels in all, where the lower panel ends and where the upper one begins: shares of the height."""
WIDTH, NARROW = 0.075, 0.2
"""Room that a number takes on a wide and a narrow page, as a share of the axis."""
BESIDE, AROUND = 1.7, 2.6
"""Room at the ends of the axis across and of the axis of intervals, as ratios."""
THOUSANDS = {"k": 1e3, "M": 1e6}
TITLES = {
    "checkpoint.blocks": ("What a cheaper save is worth", "how long a save stops training"),
    "cluster.gpus": ("How the size moves it", "cards"),
}
"""The title of the figure and of the axis across, by the path of the value."""


def section(tuning: Tuning) -> Section:
    """Return a figure and a table for each path at which other values were tried."""
    blocks: list[Block] = []
    columns = ("ETTR", "Effective cards", "Best interval", "Interval as given")
    for path in dict.fromkeys(what_if.path for what_if in tuning.what_ifs):
        trials = [what_if for what_if in tuning.what_ifs if what_if.path == path]
        rows = [_row(what_if) for what_if in trials]
        blocks.append(figure(tuning, path, trials))
        blocks.append(Table(f"Best interval and ETTR by {path}", columns, rows, "Value", "measures"))
    return Section("what-ifs", "What else moves the best interval", blocks, "What else matters")


def _row(what_if: WhatIf) -> Row:
    best = Cell(NOTHING, "no failures")
    if what_if.best_s is not None:
        near = "" if what_if.range_s is None else f"best range {' to '.join(map(duration, what_if.range_s))}"
        best = Cell(duration(what_if.best_s), near)
    ettr = Cell(in_words(what_if.ettr), "no progress" if what_if.no_progress else "")
    cards = Cell(in_words(what_if.effective_gpus), f"of {whole(what_if.gpus)}")
    head = f"{what_if.path.rpartition('.')[2]}: {what_if.value}"
    return row(head, ettr, cards, best, duration(what_if.now_s, 0.0))


def number(value: Any) -> float | None:
    """Return the number that a value of a scenario stands for (durations in s), None where it is none."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    readers = (DURATION.parse, COUNT.parse, lambda text: THOUSANDS[text[-1:]] * float(text[:-1]))
    for read in readers if isinstance(value, str) else ():
        try:
            return float(read(value.strip()))
        except (ValueError, KeyError):
            continue
    return None


def figure(tuning: Tuning, path: str, trials: Sequence[WhatIf]) -> Figure:
    """Return the ETTR at the best interval above, and that interval with its range below, over the value.

    A value without progress is a cross, and has no best interval.
    """
    trials = sorted(trials, key=lambda trial: number(trial.value) or 0.0)
    points: list[Json] = []
    for trial in trials:
        best, (low, high) = trial.best_s, trial.range_s or (None, None)
        point = {"value": trial.value, "number": number(trial.value), "cards": trial.gpus}
        point |= {"best_interval_s": best, "flat_from_s": low, "flat_to_s": high}
        ettr = interval("ettr", None if trial.ettr is None else trial.ettr.share)
        points.append(point | ettr | {"no_progress": trial.no_progress})
    place = find(tuning.scenario.document, path)
    now = None if place is None else number(at(tuning.scenario.document, place))
    title, across = TITLES.get(path, (f"Other values of {path}", path))
    plot, places = _plot(Data(points), now, across)
    texts = ["no progress" if trial.no_progress else in_words(trial.ettr, measured) for trial in trials]
    _draw(plot, places, texts)
    caption = "The interval is tuned for each value, on the same failures."
    if now:
        caption += " The dotted line marks the scenario as it is."
        side, shift = ("right", -5) if plot.share(now) > 0.7 else ("left", 5)
        plot.upright(now)
        plot.note("as it is", now, 0, MUTED, yref="paper", xanchor=side, xshift=shift)
    pairs = [f"{trial.value}: {text}" for trial, text in zip(trials, texts, strict=True)]
    spoken = f"ETTR at the best interval: {'; '.join(pairs)}"
    return plot.figure(f"what-if-{slug(path)}", title, caption, spoken)


def _plot(data: Data, now: float | None, title: str) -> tuple[Plot, list[float]]:
    """Return both panels, and where the values stand: one after the other if they are no numbers above 0."""
    numeric = all(value is not None and value > 0 for value in data["number"])
    places = data["number"] if numeric else [10.0**order for order in range(len(data.rows))]
    least, *_, most = sorted([*places, now if numeric and now else places[0]])
    margin = max(BESIDE, (most / least) ** 0.12)
    span, more = (least / margin, most * margin), {"title": title, "anchor": "y2"}
    if not numeric:
        words = dict(zip(places, [drawing.text(value, 16) for value in data["value"]], strict=True))
        across = drawing.log_axis(*span, places, words.__getitem__, **more)
    elif all(re.search(r"(s|min|h|d|y)$", value.strip()) for value in data["value"]):
        across = drawing.duration_axis(*span, 6, **more)
    else:
        across = drawing.count_axis(*span, **more)
    highest = max((end for end in (*data["ettr"], *data["high"]) if end), default=1.0)
    names = ("best_interval_s", "flat_from_s", "flat_to_s")
    intervals = [point[name] for point in data.rows if not point["no_progress"] for name in names]
    ends = [*filter(None, intervals)] or [1.0, 60.0]
    return Plot(
        data,
        HEIGHT,
        x=across,
        y=drawing.axis(range=[-0.04 * highest, 1.22 * highest], domain=[UPPER, 1], nticks=6),
        yaxis2=drawing.duration_axis(min(ends) / AROUND, max(ends) * AROUND, 5, domain=[0, LOWER]),
    ), places


def _draw(plot: Plot, places: Sequence[float], texts: Sequence[str]) -> None:
    """Draw the ETTR above, best intervals and their ranges below, and the numbers that have room."""
    plot.corner("ETTR at the best interval")
    plot.corner("best interval, with its range", "y2")
    mode = "lines+markers" if places == plot.data["number"] else "markers"
    best, above, below, ranges = [], [], [], []
    for x, point, text in zip(places, plot.data.rows, texts, strict=True):
        moves, interval_s, mean = not point["no_progress"], point["best_interval_s"], point["ettr"]
        best.append(interval_s if moves else None)
        above += [(text, x, mean, {"yshift": 11})] if mean is not None else []
        if moves and interval_s is not None:
            top = point["flat_to_s"] or interval_s
            below.append((duration(interval_s), x, top, {"yref": "y2", "yshift": 6}))
            ranges += [(x, point["flat_from_s"], x, top)] if point["flat_from_s"] else []
    stuck, values = plot.data["no_progress"], plot.data["value"]
    marker = drawing.sign(BLUE, [0 if no else 12 for no in stuck]) | {"opacity": 1}
    lines = [(value, f"ETTR {text}") for value, text in zip(values, texts, strict=True)]
    look: Json = {"marker": marker, "mode": mode, "error_y": drawing.whiskers(plot.data, "ettr")}
    means, sign = [mean or 0.0 for mean in plot.data["ettr"]], key("dot", "best interval, and the ETTR at it")
    plot.line(places, means, BLUE, 2.5, hover=lines, sign=sign, **look)
    crosses = [mean if no else None for mean, no in zip(plot.data["ettr"], stuck, strict=True)]
    sign, range_sign = (
        key("cross", "no progress at any interval"),
        key("bar", "indistinguishable from the best at 95 %"),
    )
    plot.segments(ranges, GREEN, 7, yaxis="y2", sign=range_sign)
    plot.dots(places, crosses, drawing.sign(RED, 13, "x-thin", width=2.5), sign=sign)
    lines = [(value, f"best: {duration(interval_s)}") for value, interval_s in zip(values, best, strict=True)]
    marker = drawing.sign(BLUE, 11, width=1.5)
    plot.line(places, best, BLUE, 1.5, "dot", marker=marker, mode=mode, hover=lines, yaxis="y2")
    plot.labels(above, WIDTH, NARROW)
    plot.labels(below, WIDTH, NARROW)
