"""One published range with the simulated interval beside it, as a small picture in a table's cell.

The accepted range has the same length in every row, whatever its unit, so that one look tells which intervals
lie inside and which do not; the numbers stand beside the picture.
"""

from __future__ import annotations

from typing import NamedTuple

WIDTH, HEIGHT, MIDDLE = 240.0, 30.0, 15.0
LEFT, RIGHT, EDGE = 60.0, 180.0, 7.0
SMALLEST = 1e-9


class Drawn(NamedTuple):
    """The accepted range as it is drawn, with two ends; `goes_on` says that it has no upper one."""

    low: float
    high: float
    goes_on: bool = False

    def across(self, value: float) -> float:
        """Return where *value* stands in the picture."""
        return LEFT + (RIGHT - LEFT) * (value - self.low) / (self.high - self.low)


class Strip(NamedTuple):
    """Where things stand in the picture: the range, the published figure, and the simulated one.

    A figure that is not known is None.  `beyond` is -1 or 1 where the simulated mean lies outside the picture
    on that side, else 0; `spoken` says it in words.
    """

    begin: float
    end: float
    goes_on: bool
    published: float | None
    low: float | None
    mean: float | None
    high: float | None
    beyond: int
    spoken: str

    @property
    def arrow(self) -> str:
        """The arrow at the edge behind which the simulated figure lies, as an SVG path."""
        tip = EDGE / 2 if self.beyond < 0 else WIDTH - EDGE / 2
        back = tip - self.beyond * 2 * EDGE
        return f"M{tip:.1f} {MIDDLE:g}L{back:.1f} {MIDDLE - EDGE:g}V{MIDDLE + EDGE:g}z"

    @property
    def diamond(self) -> str:
        """The sign of the published figure as an SVG path."""
        return f"M{self.published:.1f} {MIDDLE - 8:g}l8 8l-8 8l-8-8z"


def drawn(low: float | None, high: float | None, most: float | None = None) -> Drawn:
    """Return the range from *low* to *high* with ends for those that are None.

    *most* is the largest that the figure can be, None where it has no bound.  No figure is less than 0.
    """
    if low is None:
        low = min(0.0, high or 0.0)
    goes_on = high is None and most is None
    end = high if high is not None else most if most is not None else low + (abs(low) or 1.0)
    if end - low <= SMALLEST * max(abs(low), abs(end)):
        room = 0.01 * abs(low) or 1.0
        return Drawn(low - room, end + room)
    return Drawn(low, end, goes_on)


def strip(
    accepted: Drawn,
    published: float | None,
    simulated: tuple[float | None, float | None, float | None],
    spoken: str,
) -> Strip:
    """Return the picture of a range with the *published* figure and the *simulated* low, mean and high."""
    low, mean, high = (None if one is None else accepted.across(one) for one in simulated)
    beyond = 0 if mean is None else (mean > WIDTH - EDGE) - (mean < EDGE)
    return Strip(
        begin=accepted.across(accepted.low),
        end=WIDTH if accepted.goes_on else accepted.across(accepted.high),
        goes_on=accepted.goes_on,
        published=None if published is None else _held(accepted.across(published)),
        low=None if low is None or beyond else _held(low),
        mean=None if mean is None or beyond else _held(mean),
        high=None if high is None or beyond else _held(high),
        beyond=beyond,
        spoken=spoken,
    )


def _held(place: float) -> float:
    """Return *place*, held inside the picture, to a tenth."""
    return round(min(max(place, EDGE), WIDTH - EDGE), 1)
