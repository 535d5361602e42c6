"""The levers: what one change each would earn, the largest first, what cannot be told from nothing last."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import plotly.graph_objects as go

from clustersim.digits import money, plus_minus, points
from clustersim_reports import theme
from clustersim_reports.figures import base

if TYPE_CHECKING:
    from clustersim.tuning import Lever, Levers

MOST_BARS = 18
"""So many fit on one page of paper; the table holds all."""
NAME, NAME_ALONE = 32, 46
"""Letters for which there is room beside a gain on a narrow page, and without one."""

ROW = 44
ALIKE = "not distinguishable"
GAIN, LOSS, HOLLOW = "productive", "lost", "hollow"
BLUE = theme.STYLES[GAIN].colour.light


class LeverBar(NamedTuple):
    """One change with its gain in ETTR (half of its 95 % interval is None where chance is unknown).

    `cards` and `earned` are the gain in effective cards and in money per year as they are said, `earned` an
    empty text where nothing is priced.
    """

    name: str
    gain: float
    half_width: float | None
    distinguishable: bool
    cards: str
    earned: str

    @property
    def kind(self) -> str:
        """How the bar is drawn: filled for a gain, hatched for a loss, hollow for what may be nothing."""
        return (GAIN if self.gain > 0 else LOSS) if self.distinguishable else HOLLOW

    @property
    def worth(self) -> str:
        """The gain in effective cards and in money, in words."""
        return f"{self.cards} cards" + (f", {self.earned} a year" if self.earned else "")

    @property
    def said(self) -> str:
        """The gain in words, as precisely as its interval supports."""
        return points(self.gain, self.half_width) if self.distinguishable else ALIKE


class LeversData(NamedTuple):
    """The levers in the order in which they are shown, and how many more there are."""

    name: str
    bars: tuple[LeverBar, ...]
    left_out: int


def ranked(levers: Levers) -> list[Lever]:
    """Return the levers by what they earn, those that cannot be told from no change at the end."""
    return sorted(levers.levers, key=lambda lever: (not lever.distinguishable, -lever.worth.ettr.mean))


def levers_data(levers: Levers) -> LeversData | None:
    """Return the levers as bars, the first of them, or None where there are none."""
    if not levers.levers:
        return None
    costs = levers.scenario.costs
    shown = ranked(levers)[:MOST_BARS]
    bars = tuple(_bar(lever, None if costs is None else costs.currency) for lever in shown)
    return LeversData(levers.scenario.name, bars, len(levers.levers) - len(shown))


def _bar(lever: Lever, currency: str | None) -> LeverBar:
    worth = lever.worth
    cards, earned = worth.effective_gpus, worth.money_per_year
    said = "" if earned is None or currency is None else money(earned.mean, currency, earned.half_width)
    return LeverBar(
        name=lever.name,
        gain=worth.ettr.mean,
        half_width=worth.ettr.half_width,
        distinguishable=lever.distinguishable,
        cards=plus_minus(cards.mean, cards.half_width),
        earned=said,
    )


def levers_table(levers: Levers) -> base.Table:
    """Return one row per lever, all of them, in the order in which they are shown."""
    columns = ("lever", "change", "ettr_gain", "low", "high", "distinguishable", "effective_cards_gain")
    rows = tuple(
        (
            lever.name,
            lever.change.text,
            lever.worth.ettr.mean,
            lever.worth.ettr.low,
            lever.worth.ettr.high,
            lever.distinguishable,
            lever.worth.effective_gpus.mean,
            None if lever.worth.money_per_year is None else lever.worth.money_per_year.mean,
        )
        for lever in ranked(levers)
    )
    costs = levers.scenario.costs
    currency = "unpriced" if costs is None else costs.currency
    return base.Table((*columns, f"{currency}_per_year"), rows)


def levers_figure(data: LeversData) -> go.Figure:
    """Return one bar per lever with its interval, its name and its gain above it."""
    low, high = _ends(data.bars)
    pad = 0.03 * (high - low)
    across = base.titled(
        "gain in ETTR, percentage points",
        range=[low - pad, high + pad],
        nticks=7,
        zeroline=True,
        zerolinecolor=theme.MUTED.light,
    )
    layout = {
        "annotations": [
            words
            for place, bar in enumerate(data.bars)
            for words in _headings(bar, place, low - pad, high + pad)
        ],
        "bargap": 0.62,
        "barmode": "overlay",
        "margin": {"b": 46, "l": 10, "r": 14, "t": 4},
        "xaxis": across,
        "yaxis": base.bare(range=[len(data.bars) - 0.55, -0.75]),
    }
    return base.sheet(
        [_bars(data.bars, kind) for kind in (GAIN, LOSS, HOLLOW)], 66 + ROW * len(data.bars), layout
    )


def _ends(bars: tuple[LeverBar, ...]) -> tuple[float, float]:
    """Return the ends of the axis in percentage points, around every interval and 0."""
    low = min(0.0, *(100 * (bar.gain - (bar.half_width or 0.0)) for bar in bars))
    high = max(0.0, *(100 * (bar.gain + (bar.half_width or 0.0)) for bar in bars))
    return low, high if high - low > 1e-6 else low + 0.1


def _bars(bars: tuple[LeverBar, ...], kind: str) -> go.Bar:
    """The bars of one kind, each in its row."""
    shown = [(place, bar) for place, bar in enumerate(bars) if bar.kind == kind]
    hollow = {"color": theme.PAPER.light, "line": {"color": BLUE, "width": 1.5}}
    return go.Bar(
        customdata=[[base.text(bar.name), bar.said, bar.cards] for _, bar in shown],
        error_x={
            "array": base.rounded([100 * (bar.half_width or 0.0) for _, bar in shown]),
            "color": theme.INK.light,
            "thickness": 1.5,
            "type": "data",
            "width": 5,
        },
        hovertemplate="%{customdata[0]}<br>%{customdata[1]} ETTR"
        "<br>%{customdata[2]} effective cards<extra></extra>",
        marker=hollow if kind == HOLLOW else base.hatched(kind),
        orientation="h",
        x=base.rounded([100 * bar.gain for _, bar in shown]),
        y=[place for place, _ in shown],
    )


def _headings(bar: LeverBar, place: int, left: float, right: float) -> list[dict[str, Any]]:
    """Return name and gain above a bar, and at the right end what that is in cards and money."""
    gain = f" · <b>{bar.said}</b>" if bar.distinguishable else ""
    above: dict[str, Any] = {"bgcolor": theme.PAPER.light, "borderpad": 0, "yanchor": "bottom", "yshift": 8}
    font = {"color": theme.MUTED.light, "size": 12}
    beside: dict[str, Any] = {"font": font, "name": base.WIDE, "xanchor": "right"}
    return [
        base.note(
            f"{base.text(bar.name, NAME if gain else NAME_ALONE)}{gain}", left, place, xanchor="left", **above
        ),
        base.note(bar.worth if bar.distinguishable else bar.said, right, place, **beside, **above),
    ]
