"""Cards against effective cards: what each step up in size adds, and what an effective card-hour costs."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from clustersim.formatting import measured, percent, whole
from clustersim_reports import drawing
from clustersim_reports.blocks import Cell, Data, Figure, Row, Section, Table, key
from clustersim_reports.drawing import BLUE, INK, MUTED, ORANGE, PAPER, RED, Json, Position
from clustersim_reports.run import Run, Runs, estimate_text

if TYPE_CHECKING:
    from clustersim.studies.compare import SizeStep

STUCK, MARGIN = 1.35, 2.1
"""How far above the floor jobs without progress stand, and the room beside the points, as ratios."""
WIDTH, NARROW, OFFSET = 0.19, 0.42, 0.09
"""Room that a label takes on a wide and a narrow page, and its distance from its dot: shares of the axes."""
COST_SHARE = 0.26
"""Share of the height that the prices take."""
PRICE = "cost.per_effective_gpu_hour"


class Sizes(NamedTuple):
    """Runs in rising order of size, the steps between them, and the ends of both logarithmic axes.

    `currency` is None where the runs have no price, or prices that cannot be compared.
    """

    runs: Sequence[Run]
    steps: Sequence[SizeStep]
    currency: str | None
    left: float
    right: float
    floor: float

    @property
    def one_each(self) -> bool:
        """Whether each run has a size of its own: only then does a line through them make sense."""
        return len({run.at("gpus") for run in self.runs}) == len(self.runs)

    def up(self, run: Run) -> float:
        """Return where *run* stands on the upward axis; without progress near its floor: it has no zero."""
        return float(self.floor * STUCK if run.at("no_progress") else run.at("effective_gpus"))

    def position(self, run: Run) -> Position:
        """Return where the label of *run* has its middle, as shares of both axes."""
        up = drawing.share_of(self.up(run), self.floor, self.right)
        side = 1 if run.at("no_progress") else -1
        return drawing.share_of(run.at("gpus"), self.left, self.right), up + side * OFFSET


def section(runs: Runs) -> Section | None:
    """Return what larger clusters add, or None where all runs are of one size."""
    sizes = sizes_of(runs)
    if sizes is None:
        return None
    columns = ("Extra cards", "Extra effective cards", "Each extra card adds")
    extra = [
        (whole(step.extra_gpus), step.extra_effective_gpus, step.marginal_return) for step in sizes.steps
    ]
    rows = [
        Row(Cell(f"{step.smaller} → {step.larger}"), [Cell(cards), *map(Cell, map(estimate_text, gains))])
        for step, (cards, *gains) in zip(sizes.steps, extra, strict=True)
    ]
    tables = [Table("Marginal return of each step in size", columns, rows, "Step")] if rows else []
    return Section("size", "Size", "Cards against effective cards", [figure(sizes), *tables])


def sizes_of(runs: Runs) -> Sizes | None:
    """Return the runs by size, or None where there are fewer than two sizes."""
    ordered = sorted(runs.runs, key=lambda run: int(run.at("gpus")))
    least, most = ordered[0].at("gpus"), ordered[-1].at("gpus")
    if least == most:
        return None
    currencies = {run.at("currency") for run in ordered} - {None}
    currency = currencies.pop() if len(currencies) == 1 else None
    moving = [run.at("effective_gpus") for run in ordered if not run.at("no_progress")]
    floor = min([*moving, least]) / (9 if len(moving) < len(ordered) else 2.6)
    steps = runs.comparison.steps if runs.comparison else ()
    return Sizes(ordered, steps, currency, least / MARGIN, most * MARGIN, floor)


def effective_text(run: Run) -> str:
    """Return the effective cards in words."""
    return "no progress" if run.at("no_progress") else f"{run.say('effective_gpus', measured)} effective"


def figure(sizes: Sizes) -> Figure:
    """Return effective cards over cards on log axes, the ideal beside them, and the price of one below."""
    data = data_of(sizes)
    legend = [
        key("dot", "effective cards"),
        key("dash", "every card trains, at full speed"),
        *[key("cross", "no progress")] * (None in data["effective_cards"]),
        *[key("diamond", "cost per effective card-hour")] * any(data[data.columns[-1]]),
    ]
    spoken = [f"{run.name}, {whole(run.at('gpus'))} cards: {effective_text(run)}" for run in sizes.runs]
    title, caption = (
        "What more cards add",
        "Both axes are logarithmic. On the dashed diagonal every card trains.",
    )
    return Figure("size", title, caption, "; ".join(spoken), legend, _drawing(sizes, data), data)


def data_of(sizes: Sizes) -> Data:
    """Return the effective cards of each run with their interval, its price, and what the step to it adds."""
    marginal = {step.larger: step.extra_effective_gpus.mean / step.extra_gpus for step in sizes.steps}
    rows = []
    for run in sizes.runs:
        stuck, scale = run.at("no_progress"), run.at("gpus") * (run.at("scaling_efficiency") or 1.0)
        interval = [run.at("effective_gpus")]
        interval += [end and scale * end for end in (run.at("ettr.low"), run.at("ettr.high"))]
        price = run.at(PRICE) if sizes.currency and not stuck else None
        more = run.at("ettr.mean"), marginal.get(run.name), price
        rows.append((run.name, run.at("gpus"), *([None] * 3 if stuck else interval), *more))
    names = ("scenario", "cards", "effective_cards", "low", "high", "ettr", "marginal_return")
    return Data((*names, f"price_per_effective_card_hour_{sizes.currency or 'unpriced'}"), rows)


def _drawing(sizes: Sizes, data: Data) -> Json:
    span, title, prices = (
        (sizes.left, sizes.right),
        "cards that are paid for",
        [*filter(None, data[data.columns[-1]])],
    )
    notes = [drawing.corner("effective cards"), *_labels(sizes)]
    axes = {
        "xaxis": drawing.count_axis(*span, anchor="y", title="" if prices else title),
        "yaxis": drawing.count_axis(
            sizes.floor, sizes.right, domain=[COST_SHARE + 0.12 if prices else 0.0, 1]
        ),
    }
    if prices:
        notes += _price_labels(sizes, data)
        ends, domain = (min(prices) / 1.7, max(prices) * 2.6), [0, COST_SHARE]
        axes["xaxis2"] = drawing.count_axis(*span, title=title, anchor="y2")
        axes["yaxis2"] = drawing.count_axis(*ends, domain=domain, anchor="x2")
    traces = _traces(sizes, data)
    return drawing.sheet(traces if prices else traces[:-1], 580 if prices else 440, annotations=notes, **axes)


def _traces(sizes: Sizes, data: Data) -> list[Json]:
    """Return the ideal, falls to and from no progress, results, intervals, what is stuck, and the prices.

    Results are joined only where each has a size of its own; their intervals mostly hide inside the dots.
    """
    cards, effective = data["cards"], drawing.rounded(data["effective_cards"])
    ups = [sizes.up(run) for run in sizes.runs]
    mode = "lines+markers" if sizes.one_each else "markers"
    pairs = itertools.pairwise(zip(cards, ups, effective, strict=True)) if sizes.one_each else ()
    ideal = [max(sizes.left, sizes.floor), sizes.right]
    texts, shares = [effective_text(run) for run in sizes.runs], map(percent, data["ettr"])
    results: Json = {"marker": drawing.sign(BLUE, 13), "mode": mode}
    results["hover"] = "%{customdata[0]}<br>%{customdata[1]} of %{x:,} cards<br>ETTR %{customdata[2]}"
    interval = drawing.whiskers(zip(data["effective_cards"], data["low"], data["high"], strict=True))
    stuck = [up if mean is None else None for up, mean in zip(ups, effective, strict=True)]
    cross: Json = {"hover": "%{customdata[0]}<br>no progress", "say": [(name,) for name in data["scenario"]]}
    prices: Json = {"marker": {"color": ORANGE, "size": 10, "symbol": "diamond"}, "mode": mode}
    prices |= {"xaxis": "x2", "yaxis": "y2"}
    price = drawing.rounded(data[data.columns[-1]])
    return [
        drawing.line(ideal, ideal, drawing.stroke(MUTED, 1.2, "dash")),
        drawing.segments(
            [(*a[:2], *b[:2]) for a, b in pairs if None in (a[2], b[2])], drawing.stroke(RED, 1.5, "dot")
        ),
        drawing.line(
            cards,
            effective,
            drawing.stroke(BLUE, 2.5),
            say=zip(data["scenario"], texts, shares, strict=True),
            **results,
        ),
        drawing.dots(cards, data["effective_cards"], {"color": INK, "size": 1}, error_y=interval),
        drawing.dots(cards, stuck, drawing.sign(RED, 13, "x-thin", width=2.5), **cross),
        drawing.line(cards, price, drawing.stroke(ORANGE, 2, "dot"), **prices),
    ]


def _labels(sizes: Sizes) -> list[Json]:
    """Return the names of the points that have room, what each step adds, and what the dashed line is."""
    room = drawing.with_room([sizes.position(run) for run in sizes.runs], WIDTH, NARROW)
    sides, notes = {0: ("left", -6), len(room) - 1: ("right", 6)}, []
    for order, (run, space) in enumerate(zip(sizes.runs, room, strict=True)):
        side, shift = sides.get(order, ("center", 0))
        look: Json = {"xshift": shift, "yanchor": "top", "yshift": -10}
        if run.at("no_progress"):
            look = {"yshift": 11}
        words = f"<b>{drawing.text(run.name, 18)}</b><br>{effective_text(run)}"
        place = math.log10(run.at("gpus")), math.log10(sizes.up(run))
        note = drawing.note(words, *place, align=side, bgcolor=PAPER, xanchor=side, **look)
        notes += [note | space] if space is not None else []
    if sizes.one_each:
        notes += [note for step in sizes.steps for note in _step(sizes, step)]
    low, high = math.log10(max(sizes.left, sizes.floor)), math.log10(sizes.right)
    middle = low + 0.62 * (high - low)
    return [*notes, drawing.note("every card trains", middle, middle, MUTED, xanchor="right", yshift=4)]


def _step(sizes: Sizes, step: SizeStep) -> list[Json]:
    """Return what a step adds, written at its middle where it is long enough for that."""
    smaller, larger = (run for run in sizes.runs if run.name in (step.smaller, step.larger))
    across = math.log10(smaller.at("gpus") * larger.at("gpus")) / 2
    up = math.log10(sizes.up(smaller) * sizes.up(larger)) / 2
    look: Json = {"bgcolor": PAPER, "borderpad": 3, "name": drawing.WIDE, "yanchor": "middle"}
    short = abs(sizes.position(smaller)[0] - sizes.position(larger)[0]) < 1.5 * WIDTH
    return [] if short else [drawing.note(step_words(step), across, up, **look)]


def step_words(step: SizeStep) -> str:
    """Return what a step up in size adds: `90k more cards`, `each adds 0.40`."""
    extra = step.extra_effective_gpus
    gain = f"each adds {estimate_text(step.marginal_return, measured)}"
    if extra.mean < 0:
        gain = f"cost {measured(-extra.mean, extra.half_width)} effective"
    return f"{drawing.compact(step.extra_gpus)} more cards<br>{gain}"


def _price_labels(sizes: Sizes, data: Data) -> list[Json]:
    """Return the name of the lower panel, and the price at each point with room."""
    prices, look = data[data.columns[-1]], {"xref": "x2", "yref": "y2", "yshift": 7}
    low, span = min(filter(None, prices)), math.log(sizes.right / sizes.left)
    room = drawing.with_room([(math.log(cards) / span, 0.0) for cards in data["cards"]], WIDTH, WIDTH)
    notes = [drawing.corner(f"{sizes.currency} per effective card-hour", "y2")]
    for run, price, space in zip(sizes.runs, prices, room, strict=True):
        words = run.say(PRICE, measured) if price else "no progress"
        note = drawing.note(words, math.log10(run.at("gpus")), math.log10(price or low)) | look
        notes += [note] if space is not None and (price or run.at("no_progress")) else []
    return notes
