"""Numbers as text, never with more digits than their interval supports."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

from clustersim.units import DURATION, format_duration

NOTHING = "—"
MINUS = "\u2212"
EXACT_DIGITS, UNKNOWN_DIGITS = 4, 2
"""Significant digits of what is exact: more are not read; and of what has no interval: more are not known."""


def places(half_width: float) -> int:
    """Return the decimals that a half-width supports: its first digit, or two where that digit is 1.

    Negative for half-widths above 10: 430 supports hundreds, -2.
    """
    exponent = math.floor(math.log10(half_width))
    leading = round(half_width / 10.0**exponent, 6)
    return -exponent + (1 if leading < 2 else 0)


def fixed(value: float, decimals: int) -> str:
    """Return *value* rounded to *decimals*, which may be negative, with thousands in groups."""
    rounded = round(value, decimals) + 0.0
    return f"{rounded:,.{max(decimals, 0)}f}".replace("-", MINUS)


def significant(value: float, digits: int) -> str:
    """Return *value* with so many significant digits, without exponent, with thousands in groups."""
    if value == 0 or not math.isfinite(value):
        return "0" if value == 0 else NOTHING
    return fixed(value, digits - 1 - math.floor(math.log10(abs(value))))


def certain(value: float, half_width: float | None) -> bool:
    """Return whether *half_width* is so small that it is the arithmetic's, not chance's."""
    return half_width is not None and half_width <= abs(value) * 1e-6


def measured(value: float | None, half_width: float | None) -> str:
    """Return *value* with the digits that *half_width* supports: 2 where it is unknown, 4 where it is 0."""
    if value is None or not math.isfinite(value):
        return NOTHING
    if half_width is None:
        return significant(value, UNKNOWN_DIGITS)
    if certain(value, half_width):
        return significant(value, EXACT_DIGITS)
    return fixed(value, places(half_width))


def plus_minus(value: float | None, half_width: float | None) -> str:
    """Return `0.529 ± 0.004`, or the value alone where there is no interval."""
    shown = measured(value, half_width)
    if value is None or half_width is None or not math.isfinite(value) or certain(value, half_width):
        return shown
    return f"{shown} ± {fixed(half_width, places(half_width))}"


def percent(share: float | None, half_width: float | None = None) -> str:
    """Return a share as per cent, `36 %` or `36.2 %`; what is there but too small to show is `<0.1 %`."""
    if share is None or not math.isfinite(share):
        return NOTHING
    decimals = 1 if half_width is not None and half_width < 0.002 else 0
    least = 10.0**-decimals
    if 0 < share * 100 <= least / 2:
        return f"<{fixed(least, decimals)} %"
    return f"{fixed(share * 100, decimals)} %"


def largest_remainder(exact: Mapping[str, float], due: int) -> dict[str, int]:
    """Return *exact* amounts as whole numbers that sum to *due*: those go up that would lose most."""
    counts = {name: math.floor(amount + 1e-9) for name, amount in exact.items()}
    order = sorted(exact, key=lambda name: counts[name] - exact[name])
    for name in order[: max(due - sum(counts.values()), 0)]:
        counts[name] += 1
    return counts


class PrintedShares(NamedTuple):
    """Shares of one whole in per cent, all with the same decimals, that add up as they are printed."""

    shares: Mapping[str, float]
    counts: Mapping[str, int]
    decimals: int

    @classmethod
    def of(cls, shares: Mapping[str, float], decimals: int, total: float) -> PrintedShares:
        """Return *shares* rounded so that they add up to *total*, a share too."""
        size = 100 * 10**decimals
        exact = {name: size * share for name, share in shares.items()}
        return cls(shares, largest_remainder(exact, round(size * total)), decimals)

    def share(self, *names: str) -> float:
        """Return what the parts with these names come to as printed."""
        return sum(self.counts.get(name, 0) for name in names) / 100 / 10.0**self.decimals

    def text(self, *names: str) -> str:
        """Return the same in words; `<0.1 %` is there but too small to show, `0` is not there."""
        printed = self.share(*names)
        if printed:
            return f"{fixed(100 * printed, self.decimals)} %"
        return f"<{fixed(10.0**-self.decimals, self.decimals)} %" if any(map(self.shares.get, names)) else "0"


def points(difference: float, half_width: float | None) -> str:
    """Return a difference of shares in percentage points with its sign: `+3.4 ± 0.2 pp`."""
    sign = "+" if difference > 0 else ""
    width = None if half_width is None else 100 * half_width
    return f"{sign}{plus_minus(100 * difference, width)} pp"


def duration(seconds: float | None, half_width: float | None = None) -> str:
    """Return a duration in one unit, with as many digits, at most 3, as *half_width* (s) supports."""
    if seconds is None or not math.isfinite(seconds):
        return NOTHING
    if half_width is None or seconds == 0:
        return format_duration(seconds, UNKNOWN_DIGITS)
    if certain(seconds, half_width):
        return format_duration(seconds, 3)
    unit = DURATION.parse(f"1 {format_duration(seconds, 3).split()[-1]}")
    digits = math.floor(math.log10(abs(seconds) / unit)) + 1 + places(half_width / unit)
    return format_duration(seconds, min(max(digits, 1), 3))


def whole(value: float) -> str:
    """Return a whole number with thousands in groups: `100,000`."""
    return f"{value:,.0f}"


def counted(count: int, noun: str) -> str:
    """Return a count with its noun: `1 replication`, `32 replications`."""
    return f"{whole(count)} {noun}{'' if count == 1 else 's'}"


def money(amount: float | None, currency: str, half_width: float | None = None) -> str:
    """Return an amount with its currency: large ones as `27.4 million CNY`."""
    if amount is None or not math.isfinite(amount):
        return NOTHING
    for size, word in ((1e12, "trillion "), (1e9, "billion "), (1e6, "million ")):
        if abs(amount) >= size:
            width = None if half_width is None else half_width / size
            return f"{measured(amount / size, width)} {word}{currency}"
    return f"{measured(amount, half_width)} {currency}"
