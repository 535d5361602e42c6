"""The figures of a tuning and of levers with their words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clustersim.digits import duration, measured
from clustersim_reports.exhibits import Exhibit, Key, exhibit, slug
from clustersim_reports.figures.curve import CurveData, curve_data, curve_table
from clustersim_reports.figures.curve_drawing import curve_figure
from clustersim_reports.figures.levers import (
    GAIN,
    HOLLOW,
    LOSS,
    LeversData,
    levers_data,
    levers_figure,
    levers_table,
)
from clustersim_reports.figures.what_ifs import WhatIfData, what_if_data, what_if_table
from clustersim_reports.figures.what_ifs_drawing import what_if_figure

if TYPE_CHECKING:
    from clustersim.tuning import Levers, Tuning

SIGNS = {GAIN: "gain", LOSS: "loss", HOLLOW: "cannot be told from no change"}
BLOCKS, SIZE = "checkpoint.blocks", "cluster.gpus"
WHAT_IFS = {
    BLOCKS: ("What a cheaper save is worth", "how long a save stops training"),
    SIZE: ("How the size moves it", "cards"),
}


def curve(tuning: Tuning) -> Exhibit | None:
    """Return ETTR against the checkpoint interval, or None where no interval was tried."""
    data = curve_data(tuning)
    if data is None:
        return None
    banded = data.points[0].low is not None
    keys = [Key("line", "mean ETTR"), *[Key("band", "95 % interval of each mean")] * banded]
    keys += [Key("flat", "cannot be told from the best")] if data.flat else []
    words = ("ETTR against the checkpoint interval", _curve_caption(data, banded), _spoken_curve(data))
    return exhibit("curve", words, keys, curve_figure(data), curve_table(data))


def _curve_caption(data: CurveData, banded: bool) -> str:
    if data.flat is None:
        return "No interval lifts the curve from the floor; the axis upwards is all card-time."
    words = (
        "Below the curve, one line each: the flat range, what is recommended, today's value, the formulas."
    )
    if banded:
        words += (
            " Bands that overlap say little here: intervals are compared on the same failures, pair by pair."
        )
    return words


def _spoken_curve(data: CurveData) -> str:
    marks = [f"{mark.label} {duration(mark.interval_s, 0.0)}" for mark in data.marks]
    if data.flat is not None:
        marks.insert(0, f"flat from {duration(data.flat[0])} to {duration(data.flat[1])}")
    return "; ".join(marks)


def what_ifs(tuning: Tuning) -> list[Exhibit]:
    """Return one figure for each path at which other values were tried."""
    return [_what_if(data) for data in what_if_data(tuning)]


def what_if_title(path: str) -> str:
    """Return what the figure of other values at *path* is called."""
    return WHAT_IFS.get(path, (f"Other values of {path}", ""))[0]


def _what_if(data: WhatIfData) -> Exhibit:
    axis = WHAT_IFS.get(data.path, ("", data.path))[1]
    keys = [
        Key("dot", "best interval, and the ETTR at it"),
        Key("bar", "cannot be told from the best"),
        *([Key("cross", "no progress at any interval")] if any(point.stuck for point in data.points) else []),
    ]
    caption = "Each value is tuned anew, on the same failures; the dotted line is the scenario as it is."
    spoken = "; ".join(
        f"{point.value}: "
        + (
            "no progress"
            if point.stuck
            else f"best {duration(point.best_s)}, ETTR {measured(point.ettr, 0.004)}"
        )
        for point in data.points
    )
    words = (what_if_title(data.path), caption, spoken)
    return exhibit(f"what-if-{slug(data.path)}", words, keys, what_if_figure(data, axis), what_if_table(data))


def levers(found: Levers) -> Exhibit | None:
    """Return the levers as bars, or None where there are none."""
    data = levers_data(found)
    if data is None:
        return None
    kinds = {bar.kind for bar in data.bars}
    keys = [Key(sign, word) for sign, word in SIGNS.items() if sign in kinds]
    keys += [Key("whisker", "95 % interval")] * any(bar.half_width is not None for bar in data.bars)
    words = ("Gain of each change, by itself", _levers_caption(data), _spoken_levers(data))
    return exhibit("levers", words, keys, levers_figure(data), levers_table(found))


def _levers_caption(data: LeversData) -> str:
    words = "Each against the scenario as it is, on the same failures, pair by pair; the best first."
    return words + (f" {data.left_out} more in the table." if data.left_out else "")


def _spoken_levers(data: LeversData) -> str:
    return "; ".join(f"{bar.name}: {bar.said}" for bar in data.bars[:8])
