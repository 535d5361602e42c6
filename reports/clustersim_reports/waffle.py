"""A hundred squares, one for each hundredth of the cards, by what they do: the answer at one glance."""

from __future__ import annotations

import math
from collections.abc import Mapping

from clustersim_reports import theme

SQUARES = 100


def squares(ledger: Mapping[str, float]) -> list[str]:
    """Return the ledger entry of each of the hundred squares, in the ledger's order.

    Shares are rounded by largest remainder, so that the squares always number a hundred.
    """
    entries = [entry for entry in theme.STYLES if ledger.get(entry)]
    exact = [SQUARES * float(ledger[entry]) for entry in entries]
    counts = [math.floor(share + 1e-9) for share in exact]
    order = sorted(range(len(entries)), key=lambda place: (counts[place] - exact[place], place))
    for place in order[: SQUARES - sum(counts)]:
        counts[place] += 1
    return [entry for entry, count in zip(entries, counts, strict=True) for _ in range(count)]


def paths(placed: list[str], columns: int = 20, pitch: int = 20, side: int = 17) -> dict[str, str]:
    """Return an SVG path by ledger entry that draws its squares, filled row by row, *columns* to a row."""
    drawn: dict[str, str] = {}
    for place, entry in enumerate(placed):
        row, column = divmod(place, columns)
        square = f"M{column * pitch} {row * pitch}h{side}v{side}h-{side}z"
        drawn[entry] = drawn.get(entry, "") + square
    return drawn
