"""What else moves the best interval: the ETTR at it, and the interval itself, over another value."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from clustersim.formatting import NOTHING, duration, measured, whole
from clustersim.scenario.text.document import at, find
from clustersim.units import COUNT, DURATION
from clustersim_reports import drawing
from clustersim_reports.blocks import Block, Cell, Data, Figure, Row, Section, Table, key, slug
from clustersim_reports.drawing import BLUE, GREEN, MUTED, RED, Json, Position
from clustersim_reports.run import estimate_text, share_ends

if TYPE_CHECKING:
    from clustersim.studies.tune import Tuning, WhatIf

HEIGHT, LOWER, UPPER = 500, 0.40, 0.54
"""Pixels in all, where the lower panel ends and where the upper one begins: shares of the height."""
WIDTH, NARROW = 0.075, 0.2
"""Room that a number takes on a wide and a narrow page, as a share of the axis."""
BESIDE, AROUND = 1.7, 2.6
"""Room at the ends of the axis across and of the axis of intervals, as ratios."""
THOUSANDS = {"k": 1e3, "M": 1e6}
COLUMNS = ("value", "number", "cards", "best_interval_s", "flat_from_s", "flat_to_s", "ettr", "low", "high")
TITLES = {
    "checkpoint.blocks": ("What a cheaper save is worth", "how long a save stops training"),
    "cluster.gpus": ("How the size moves it", "cards"),
}
"""The title of the figure and of the axis across, by the path of the value."""


def section(tuning: Tuning) -> Section | None:
    """Return a figure and a table for each path at which other values were tried, or None without any."""
    blocks: list[Block] = []
    columns = ("ETTR", "Effective cards", "Best interval", "Interval as given")
    for path in dict.fromkeys(what_if.path for what_if in tuning.what_ifs):
        rows = [_row(what_if) for what_if in tuning.what_ifs if what_if.path == path]
        table = Table(f"Best interval and ETTR by {path}", columns, rows, "Value", "measures")
        blocks += [figure(tuning, path), table]
    return (
        Section("what-ifs", "What else matters", "What else moves the best interval", blocks)
        if blocks
        else None
    )


def _row(what_if: WhatIf) -> Row:
    best = Cell(NOTHING, "no failures")
    if what_if.best_s is not None:
        near = "" if what_if.range_s is None else f"best range {' to '.join(map(duration, what_if.range_s))}"
        best = Cell(duration(what_if.best_s), near)
    ettr = Cell(estimate_text(what_if.ettr), "no progress" if what_if.no_progress else "")
    cards = Cell(estimate_text(what_if.effective_gpus), f"of {whole(what_if.gpus)}")
    head = Cell(f"{what_if.path.rpartition('.')[2]}: {what_if.value}")
    return Row(head, [ettr, cards, best, Cell(duration(what_if.now_s, 0.0))])


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


def ettr(what_if: WhatIf) -> str:
    """Return the ETTR at the best interval in words."""
    return "no progress" if what_if.no_progress else estimate_text(what_if.ettr, measured)


def figure(tuning: Tuning, path: str) -> Figure:
    """Return the ETTR at the best interval above, and that interval with its range below, over the value."""
    trials = [trial for trial in tuning.what_ifs if trial.path == path]
    trials.sort(key=lambda trial: number(trial.value) or 0.0)
    rows: list[tuple[Any, ...]] = []
    for trial in trials:
        intervals = trial.best_s, *(trial.range_s or (None, None))
        ends = *share_ends(trial.ettr), trial.no_progress
        rows.append((trial.value, number(trial.value), trial.gpus, *intervals, *ends))
    data = Data((*COLUMNS, "no_progress"), rows)
    place = find(tuning.scenario.document, path)
    now = None if place is None else number(at(tuning.scenario.document, place))
    title, across = TITLES.get(path, (f"Other values of {path}", path))
    caption = "The interval is tuned for each value, on the same failures."
    caption += " The dotted line marks the scenario as it is." if now else ""
    texts = list(map(ettr, trials))
    pairs = [f"{trial.value}: {text}" for trial, text in zip(trials, texts, strict=True)]
    spoken = f"ETTR at the best interval: {'; '.join(pairs)}"
    legend = [
        key("dot", "best interval, and the ETTR at it"),
        key("bar", "indistinguishable from the best at 95 %"),
        *[key("cross", "no progress at any interval")] * any(data["no_progress"]),
    ]
    panels = _drawing(data, texts, now, across)
    return Figure(f"what-if-{slug(path)}", title, caption, spoken, legend, panels, data)


def _drawing(data: Data, texts: list[str], now: float | None, title: str) -> Json:
    """Return both panels; values that are not all numbers above zero stand one after the other."""
    numeric = all(value is not None and value > 0 for value in data["number"])
    places = data["number"] if numeric else [10.0**order for order in range(len(texts))]
    today = [now] if numeric and now else []
    low, *_, high = sorted([*places, *today, places[0]])
    margin = max(BESIDE, (high / low) ** 0.12)
    span = low / margin, high * margin
    columns = ("best_interval_s", "flat_from_s", "flat_to_s")
    best, starts, stops = (
        [None if stuck else value for value, stuck in zip(data[column], data["no_progress"], strict=True)]
        for column in columns
    )
    ends = [end for end in (*best, *starts, *stops) if end]
    highest = max((end for end in (*data["ettr"], *data["high"]) if end), default=1.0)
    dotted = drawing.stroke(MUTED, 1, "dot")
    return drawing.sheet(
        _traces(data, texts, places, (best, starts, stops), "lines+markers" if numeric else "markers"),
        HEIGHT,
        annotations=[
            drawing.corner("ETTR at the best interval"),
            drawing.corner("best interval, with its range", "y2"),
            *_labels(data, texts, places, (best, stops), span),
            *(_as_it_is(value, span) for value in today),
        ],
        margin={"b": 52, "l": 8, "r": 14, "t": 30},
        shapes=[drawing.rule(dotted, (value, value), (0, 1), yref="paper") for value in today],
        xaxis=_across(data, [] if numeric else places, span, title),
        yaxis=drawing.axis(range=[-0.04 * highest, 1.22 * highest], domain=[UPPER, 1], nticks=6),
        yaxis2=drawing.duration_axis(
            min(ends, default=1.0) / AROUND, max(ends, default=60.0) * AROUND, 5, domain=[0, LOWER]
        ),
    )


def _across(data: Data, ticks: list[float], span: Position, title: str) -> Json:
    """Return the axis of the values: words at *ticks* where they are no numbers, else durations or counts."""
    more: Json = {"title": title, "anchor": "y2"}
    if ticks:
        words = [drawing.text(value, 16) for value in data["value"]]
        return drawing.log_axis(*span, ticks, dict(zip(ticks, words, strict=True)).__getitem__, **more)
    if all(re.search(r"(s|min|h|d|y)$", value.strip()) for value in data["value"]):
        return drawing.duration_axis(*span, 6, **more)
    return drawing.count_axis(*span, **more)


def _traces(
    data: Data, texts: list[str], places: list[float], below: Sequence[list[Any]], mode: str
) -> list[Json]:
    """Return the ETTR above, crosses where there is no progress; below, ranges and best intervals."""
    best, starts, stops = below
    stuck, means = data["no_progress"], data["ettr"]
    crosses = [mean if no else None for mean, no in zip(means, stuck, strict=True)]
    ranges = zip(places, drawing.rounded(starts), places, drawing.rounded(stops), strict=True)
    return [
        drawing.line(
            places,
            drawing.rounded(mean or 0.0 for mean in means),
            drawing.stroke(BLUE, 2.5),
            marker=drawing.sign(BLUE, 12) | {"opacity": 1, "size": [0 if no else 12 for no in stuck]},
            mode=mode,
            error_y=drawing.whiskers(zip(means, data["low"], data["high"], strict=True)),
            hover="%{customdata[0]}<br>ETTR %{customdata[1]}",
            say=zip(data["value"], texts, strict=True),
        ),
        drawing.dots(places, crosses, drawing.sign(RED, 13, "x-thin", width=2.5)),
        drawing.segments(ranges, drawing.stroke(GREEN, 7), yaxis="y2"),
        drawing.line(
            places,
            drawing.rounded(best),
            drawing.stroke(BLUE, 1.5, "dot"),
            marker=drawing.sign(BLUE, 11, width=1.5),
            mode=mode,
            hover="%{customdata[0]}<br>best: %{customdata[1]}",
            say=zip(data["value"], map(duration, best), strict=True),
            yaxis="y2",
        ),
    ]


def _labels(
    data: Data, texts: list[str], places: list[float], below: Sequence[list[Any]], span: Position
) -> list[Json]:
    """Return the numbers at the dots, as far as they have room."""
    room = drawing.with_room([(drawing.share_of(x, *span), 0.0) for x in places], WIDTH, NARROW)
    notes = []
    for x, mean, words, best, stop, space in zip(places, data["ettr"], texts, *below, room, strict=True):
        if space is not None and mean is not None:
            notes.append(drawing.note(words, math.log10(x), mean, yshift=11) | space)
        if space is not None and best is not None:
            top = math.log10(stop or best)
            notes.append(drawing.note(duration(best), math.log10(x), top, yref="y2", yshift=6) | space)
    return notes


def _as_it_is(now: float, span: Position) -> Json:
    """Return what the dotted line is."""
    side, shift = ("right", -5) if drawing.share_of(now, *span) > 0.7 else ("left", 5)
    return drawing.note("as it is", math.log10(now), 0, MUTED, xanchor=side, xshift=shift, yref="paper")
