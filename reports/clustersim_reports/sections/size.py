"""Cards against effective cards: what each step up in size adds, and what an effective card-hour costs."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence

from clustersim.estimate import in_words
from clustersim.formatting import measured, percent, whole
from clustersim.studies.compare import SizeStep
from clustersim_reports import drawing
from clustersim_reports.blocks import Data, Figure, Json, Section, Table, key, row
from clustersim_reports.drawing import BLUE, INK, MUTED, ORANGE, PAPER, RED, Label, Plot
from clustersim_reports.run import Run, Runs

MARGIN, STUCK = 2.1, 1.35
"""Room beside the points, and how far above the floor jobs without progress stand, as ratios."""
WIDTH, NARROW = 0.19, 0.42
"""Room that a label takes on a wide and a narrow page, as a share of the axis."""
COST_SHARE = 0.26
"""Share of the height that the prices take."""
TITLE, PRICE = "cards that are paid for", "cost.per_effective_gpu_hour"


def section(runs: Runs) -> Section:
    """Return what larger clusters add; nothing where all runs are of one size."""
    ordered = sorted(runs.runs, key=lambda run: int(run.at("gpus")))
    steps = runs.comparison.steps if runs.comparison else ()
    columns = ("Extra cards", "Extra effective cards", "Each extra card adds")
    rows = []
    for step in steps:
        gains = in_words(step.extra_effective_gpus), in_words(step.marginal_return)
        rows.append(row(f"{step.smaller} → {step.larger}", whole(step.extra_gpus), *gains))
    table = Table("Marginal return of each step in size", columns, rows, "Step") if rows else None
    differ = ordered[0].at("gpus") < ordered[-1].at("gpus")
    blocks = [figure(ordered, steps), table] if differ else []
    return Section("size", "Cards against effective cards", blocks, "Size")


def figure(runs: Sequence[Run], steps: Sequence[SizeStep]) -> Figure:
    """Return effective cards over cards on log axes, the ideal beside them, and the price of one below.

    The *runs* are in rising order of size.  A job without progress has no place on a logarithmic axis: it is
    a cross near the floor.
    """
    data = data_of(runs, steps)
    ends = data["cards"][0] / MARGIN, data["cards"][-1] * MARGIN
    moving, prices = ([*filter(None, data[name])] for name in ("effective_cards", data.columns[-1]))
    floor = min([*moving, data["cards"][0]]) / (9 if len(moving) < len(runs) else 2.6)
    across = drawing.count_axis(*ends, anchor="y", title="" if prices else TITLE)
    upward = drawing.count_axis(floor, ends[1], domain=[COST_SHARE + 0.12 if prices else 0, 1])
    plot = Plot(data, 580 if prices else 440, x=across, y=upward)
    plot.corner("effective cards")
    ideal = [max(ends[0], floor), ends[1]]
    plot.line(ideal, ideal, MUTED, 1.2, "dash", sign=key("dash", "every card trains, at full speed"))
    place = ideal[0] ** 0.38 * ideal[1] ** 0.62
    plot.note("every card trains", place, place, MUTED, xanchor="right", yshift=4)
    _points(plot, runs, steps, floor * STUCK)
    if prices:
        lower = drawing.count_axis(min(prices) / 1.7, max(prices) * 2.6, domain=[0, COST_SHARE], anchor="x2")
        plot.layout |= {"xaxis2": drawing.count_axis(*ends, title=TITLE, anchor="y2"), "yaxis2": lower}
        _prices(plot, runs)
    words = [f"{run.name}, {whole(run.at('gpus'))} cards: {effective_text(run)}" for run in runs]
    caption = "Both axes are logarithmic. On the dashed diagonal every card trains."
    return plot.figure("size", "What more cards add", caption, words)


def data_of(runs: Sequence[Run], steps: Sequence[SizeStep]) -> Data:
    """Return the effective cards of each run with their interval, its price, and what the step to it adds.

    There is no price where runs have none, or prices that cannot be compared.
    """
    marginal = {step.larger: step.extra_effective_gpus.mean / step.extra_gpus for step in steps}
    currencies = {run.at("currency") for run in runs} - {None}
    currency = currencies.pop() if len(currencies) == 1 else "unpriced"
    rows = []
    for run in runs:
        moves, scale = not run.at("no_progress"), run.at("gpus") * (run.at("scaling_efficiency") or 1.0)
        ends = [scale * end if moves and end else None for end in (run.at("ettr.low"), run.at("ettr.high"))]
        values: Json = {"scenario": run.name, "cards": run.at("gpus")}
        values["effective_cards"] = run.at("effective_gpus") if moves else None
        values |= {"low": ends[0], "high": ends[1], "ettr": run.at("ettr.mean")}
        values["marginal_return"] = marginal.get(run.name)
        price = run.at(PRICE) if moves and currency != "unpriced" else None
        rows.append(values | {f"price_per_effective_card_hour_{currency}": price})
    return Data(rows)


def is_joined(data: Data) -> bool:
    """Return whether each run has a size of its own: only then does a line through them make sense."""
    return len(set(data["cards"])) == len(data.rows)


def effective_text(run: Run) -> str:
    """Return the effective cards in words."""
    return "no progress" if run.at("no_progress") else f"{run.say('effective_gpus', measured)} effective"


def _points(plot: Plot, runs: Sequence[Run], steps: Sequence[SizeStep], floor: float) -> None:
    """Draw the results with their intervals and names, what is stuck near the *floor*, and the steps.

    Intervals mostly hide inside the dots.
    """
    data, joined = plot.data, is_joined(plot.data)
    ups = [up or floor for up in data["effective_cards"]]
    lines = []
    for run in runs:
        more = (
            f"{effective_text(run)} of {whole(run.at('gpus'))} cards",
            f"ETTR {percent(run.at('ettr.mean'))}",
        )
        lines.append((run.name, *(["no progress"] if run.at("no_progress") else more)))
    pairs = itertools.pairwise(zip(data["cards"], ups, strict=True))
    falls = [(*a, *b) for a, b in pairs if joined and (a[1] == floor) != (b[1] == floor)]
    plot.segments(falls, RED, 1.5, "dot")
    look = {"marker": drawing.sign(BLUE, 13), "mode": "lines+markers" if joined else "markers"}
    plot.line("cards", "effective_cards", BLUE, 2.5, hover=lines, sign=key("dot", "effective cards"), **look)
    bars = drawing.whiskers(data, "effective_cards")
    plot.dots("cards", "effective_cards", {"color": INK, "size": 1}, error_y=bars)
    stuck = [floor if effective is None else None for effective in data["effective_cards"]]
    cross = drawing.sign(RED, 13, "x-thin", width=2.5)
    plot.dots("cards", stuck, cross, hover=lines, sign=key("cross", "no progress"))
    plot.labels(_names(runs, ups), WIDTH, NARROW)
    heights = dict(zip(data["scenario"], zip(data["cards"], ups, strict=True), strict=True))
    for step in steps if joined else ():
        (left, low), (right, high) = heights[step.smaller], heights[step.larger]
        if plot.share(right) - plot.share(left) >= 1.5 * WIDTH:
            place = math.sqrt(left * right), math.sqrt(low * high)
            paper = {"bgcolor": PAPER, "borderpad": 3, "yanchor": "middle"}
            plot.note(step_words(step), *place, name=drawing.WIDE, **paper)


def _names(runs: Sequence[Run], ups: Sequence[float]) -> Iterator[Label]:
    """Yield the label of each run: below its point, above its cross, the outermost beside them."""
    sides = {0: ("left", -6), len(runs) - 1: ("right", 6)}
    for order, (run, up) in enumerate(zip(runs, ups, strict=True)):
        side, shift = sides.get(order, ("center", 0))
        look: Json = {"align": side, "bgcolor": PAPER, "xanchor": side}
        below: Json = {"xshift": shift, "yanchor": "top", "yshift": -10}
        look |= {"yshift": 11} if run.at("no_progress") else below
        yield f"<b>{drawing.text(run.name, 18)}</b><br>{effective_text(run)}", run.at("gpus"), up, look


def step_words(step: SizeStep) -> str:
    """Return what a step up in size adds: `90k more cards`, `each adds 0.40`."""
    extra = step.extra_effective_gpus
    gain = f"each adds {in_words(step.marginal_return, measured)}"
    if extra.mean < 0:
        gain = f"cost {measured(-extra.mean, extra.half_width)} effective"
    return f"{drawing.compact(step.extra_gpus)} more cards<br>{gain}"


def _prices(plot: Plot, runs: Sequence[Run]) -> None:
    """Draw the prices in a panel below, and the price at each point that has room."""
    price = plot.data.columns[-1]
    look: Json = {"marker": {"color": ORANGE, "size": 10, "symbol": "diamond"}, "xaxis": "x2", "yaxis": "y2"}
    look |= {"mode": "lines+markers" if is_joined(plot.data) else "markers"}
    plot.line("cards", price, ORANGE, 2, "dot", sign=key("diamond", "cost per effective card-hour"), **look)
    plot.corner(f"{price.rpartition('_')[2]} per effective card-hour", "y2")
    least, labels = min(filter(None, plot.data[price])), []
    for run, value in zip(runs, plot.data[price], strict=True):
        words = run.say(PRICE, measured) if value else "no progress" if run.at("no_progress") else ""
        look = {"xref": "x2", "yref": "y2", "yshift": 7}
        labels.append((words, run.at("gpus"), value or least, look))
    plot.labels(labels, WIDTH, WIDTH)
