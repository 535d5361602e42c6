"""What to measure first: a tornado of what lies between the ends of each input, and the Sobol indices."""

from __future__ import annotations

from clustersim.estimate import ConfidenceInterval, Estimate
from clustersim.formatting import NOTHING, measured
from clustersim.studies.sensitivity import SensitivityStudy, in_share
from clustersim.studies.study import ALIKE
from clustersim_reports import drawing
from clustersim_reports.blocks import Cell, Data, Figure, Json, Section, Table, key, row
from clustersim_reports.drawing import BLUE, INK, ON_PAPER, PAPER, Plot, Position
from clustersim_reports.run import interval
from clustersim_reports.sections.sweep import unit

BAR, NAME = 44, 40
"""Pixels per bar, and characters of a path for which there is room on a narrow page."""
DIAMOND: Json = {"color": INK, "size": 8, "symbol": "diamond"}


def section(study: SensitivityStudy) -> Section:
    """Return both figures and the table of what was varied."""
    figures = [tornado(study), shares(study)] if study.tornado else []
    return Section("sensitivity", f"What {study.label} depends on", [*figures, table(study)], "The inputs")


def tornado(study: SensitivityStudy) -> Figure:
    """Return a bar for each input from its 5 % point to its 95 % point, the widest first."""
    swings, rows, bars = study.tornado, list[Json](), list[Position]()
    for swing in swings:
        low, high = (each.mean or 0.0 for each in (swing.at_low, swing.at_high))
        point: Json = {"input": swing.path, "at_5_percent": low, "at_95_percent": high}
        rows.append(point | interval("effective_cards", swing.worth.effective_gpus.interval))
        bars.append((low, high))
    ends = [end for bar in bars for end in bar]
    pad = max(0.06 * (max(ends) - min(ends)), 1e-4)
    span = [min(ends) - pad, max(ends) + pad]
    title = unit(study.shown, study.currency)
    across = drawing.axis(drawing.text(title), range=span, nticks=7)
    names = [drawing.text(swing.path, NAME) for swing in swings]
    gaps = [study.gap(swing, "cards") if swing.distinguishable else ALIKE for swing in swings]
    plot = Plot.rows(Data(rows), names, BAR, across, ends=gaps, look=ON_PAPER, barmode="overlay")
    spoken = [
        f"{swing.path}: {study.words(swing.at_low)} to {study.words(swing.at_high)}" for swing in swings
    ]
    for place, ((low, high), gap) in enumerate(zip(bars, gaps, strict=True)):
        plot.bars([high - low], [place], drawing.framed(BLUE), base=[low], hover=[(spoken[place], gap)])
        plot.dots([low], [place], DIAMOND)
    plot.legend += [key("productive", f"{study.label} between both ends"), key("mean", "at the 5 % point")]
    caption = "Each input by itself, the others as they are stated, on the same failures."
    return plot.figure("tornado", f"{study.shown.label} between the ends of each input", caption, spoken)


def shares(study: SensitivityStudy) -> Figure:
    """Return the total index of each input as a bar with its interval, and the first-order one as a mark."""
    indices = study.found.indices
    rows = []
    for index in indices:
        first, low, high = possible(index.first)
        ends = {"first_order": first, "first_order_low": low, "first_order_high": high}
        point = {"input": index.path, **interval("total", possible(index.total)), **ends}
        rows.append(point | {"distinguishable": index.distinguishable})
    names = [
        f"{drawing.text(index.path, NAME)} · <b>{drawing.text(in_share(index.total))}</b>"
        for index in indices
    ]
    data = Data(rows)
    across = drawing.axis(
        f"share of the variance that the inputs give {study.label}, %", range=[0, 104], nticks=7
    )
    plot = Plot.rows(data, names, BAR, across, look=ON_PAPER, barmode="overlay")
    for place, index in enumerate(indices):
        whiskers = drawing.whiskers(Data(rows[place : place + 1]), "total", 100)
        marker = drawing.framed(BLUE) if index.distinguishable else drawing.framed(PAPER, BLUE, 1.5)
        lines = index.path, f"in all {in_share(index.total)}", f"by itself {in_share(index.first)}"
        plot.bars(
            [100 * (possible(index.total).mean or 0.0)], [place], marker, error_x=whiskers, hover=[lines]
        )
        plot.dots([100 * (possible(index.first).mean or 0.0)], [place], DIAMOND)
    signs = {"productive": "in all, with what it interacts with"}
    signs["hollow"] = "in all, not distinguishable from 0"
    drawn = {"productive" if index.distinguishable else "hollow" for index in indices}
    plot.legend += [key(sign, word) for sign, word in signs.items() if sign in drawn]
    plot.legend += [key("mean", "by itself"), key("whisker", "95 % interval of the share in all")]
    caption = "Shares may add up to more than 100 % where inputs interact. Chance is in none of them."
    spoken = [f"{index.path}: {in_share(index.total)}" for index in indices]
    return plot.figure("sobol", "Share of the variance by input", caption, spoken)


def possible(index: Estimate) -> ConfidenceInterval:
    """Return an index, of which the estimate may lie outside, held between 0 and 1."""
    return index.share._replace(mean=min(max(index.mean, 0.0), 1.0))


def table(study: SensitivityStudy) -> Table:
    """Return what is known of each input, and what came of it: screened out, or its indices."""
    indices = {index.path: index for index in study.found.indices}
    rows = []
    for each, effect in zip(study.ranges, study.found.screening, strict=True):
        found, origin = indices.get(each.path), "assumed" if each.input.assumed else each.input.name
        shown = (in_share(found.first), in_share(found.total)) if found else (NOTHING, NOTHING)
        moved = Cell(measured(effect.mu_star, effect.sigma or None), "" if found else "left out")
        rows.append(row(Cell(each.path, origin), Cell(each.text), moved, *map(Cell, shown)))
    columns = ["5 % to 95 %", f"Effect on {study.label}", "By itself", "In all"]
    return Table("What was varied, and what came of it", columns, rows, "Input", "measures")
