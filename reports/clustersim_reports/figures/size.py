"""Cards against effective cards: what each step up in size adds, and what an effective card-hour costs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from clustersim.digits import measured
from clustersim_reports.figures import base

if TYPE_CHECKING:
    from clustersim.results import Results, Step

STUCK = 1.35
MARGIN = 2.1


class Frame(NamedTuple):
    """The ends of both logarithmic axes; jobs without progress stand `STUCK` times above the floor."""

    left: float
    right: float
    floor: float
    top: float


class SizePoint(NamedTuple):
    """One scenario: its cards, the effective ones with their 95 % interval, and the price of one for an hour.

    `effective` is None where the job makes no progress, `price` where nothing is priced or nothing is made.
    """

    name: str
    gpus: int
    effective: float | None
    low: float | None
    high: float | None
    ettr: float
    price: float | None
    price_width: float | None = None

    @property
    def said(self) -> str:
        """The effective cards in words, as precisely as their interval supports."""
        width = None if self.low is None or self.high is None else (self.high - self.low) / 2
        return measured(self.effective, width)


class SizeStep(NamedTuple):
    """From one size to the next: the extra cards and the extra effective cards, with half a 95 % interval."""

    smaller: str
    larger: str
    extra_cards: int
    extra_effective: float
    half_width: float | None

    @property
    def marginal(self) -> float:
        """Extra effective cards per extra card."""
        return self.extra_effective / self.extra_cards


class SizeData(NamedTuple):
    """Scenarios by size, and the steps between them; of several scenarios of one size the first counts."""

    points: tuple[SizePoint, ...]
    steps: tuple[SizeStep, ...]
    currency: str | None

    @property
    def priced(self) -> bool:
        """Whether any scenario has a price."""
        return any(point.price for point in self.points)

    @property
    def one_each(self) -> bool:
        """Whether each scenario has a size of its own: only then does a line through them make sense."""
        return len({point.gpus for point in self.points}) == len(self.points)

    @property
    def frame(self) -> Frame:
        """The ends of the axes around all points, with room below for jobs that are stuck."""
        shown = [point.effective for point in self.points if point.effective]
        room = 9 if any(point.effective is None for point in self.points) else 2.6
        left, right = self.points[0].gpus / MARGIN, self.points[-1].gpus * MARGIN
        return Frame(left, right, min([*shown, self.points[0].gpus]) / room, right)

    def height(self, point: SizePoint) -> float:
        """Return where *point* stands on the upward axis."""
        return point.effective or self.frame.floor * STUCK


def size_data(results: Sequence[Results], steps: Sequence[Step]) -> SizeData | None:
    """Return the sizes of *results* in rising order, or None where there are fewer than two."""
    ordered = sorted(results, key=lambda result: int(result.summary["gpus"]))
    if len({result.summary["gpus"] for result in ordered}) < 2:
        return None
    currencies = {result.summary.get("currency") for result in ordered} - {None}
    return SizeData(
        points=tuple(_point(result, priced=len(currencies) == 1) for result in ordered),
        steps=tuple(_step(step) for step in steps),
        currency=currencies.pop() if len(currencies) == 1 else None,
    )


def _point(result: Results, priced: bool) -> SizePoint:
    summary = result.summary
    ettr = summary["ettr"]
    scale = summary["gpus"] * (summary.get("scaling_efficiency") or 1.0)
    idle = summary["no_progress"]
    ends = (None, None) if idle else (ettr.get("low"), ettr.get("high"))
    return SizePoint(
        name=summary["name"],
        gpus=summary["gpus"],
        effective=None if idle else summary["effective_gpus"],
        low=None if ends[0] is None else scale * ends[0],
        high=None if ends[1] is None else scale * ends[1],
        ettr=ettr["mean"],
        price=(summary.get("cost") or {}).get("per_effective_gpu_hour") if priced and not idle else None,
        price_width=summary["margins"].get("cost.per_effective_gpu_hour"),
    )


def _step(step: Step) -> SizeStep:
    extra = step.extra_effective_gpus
    return SizeStep(step.smaller, step.larger, step.extra_gpus, extra.mean, extra.half_width)


def size_table(data: SizeData) -> base.Table:
    """Return one row per scenario, with the marginal return of the step that leads to it."""
    steps = {step.larger: step.marginal for step in data.steps}
    columns = ("scenario", "cards", "effective_cards", "low", "high", "ettr", "marginal_return")
    price = f"price_per_effective_card_hour_{data.currency or 'unpriced'}"
    rows = tuple((*point[:6], steps.get(point.name), point.price) for point in data.points)
    return base.Table((*columns, price), rows)
