"""What else moves the best interval: the ETTR at it, and the interval itself, over another value."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from clustersim.scenario.text.document import at, find
from clustersim.units import parse_count, parse_duration
from clustersim_reports.figures import base

if TYPE_CHECKING:
    from clustersim.estimate import Estimate
    from clustersim.tuning import Tuning, WhatIf

THOUSANDS = {"k": 1e3, "M": 1e6}


class WhatIfPoint(NamedTuple):
    """One value, the number it stands for, the best interval (s) with its flat range, and the ETTR there.

    `number` is None where the value is no duration and no count; the ends are None where chance is unknown.
    `stuck` says that the job makes no progress at any interval.
    """

    value: str
    number: float | None
    gpus: int
    best_s: float | None
    low_s: float | None
    high_s: float | None
    ettr: float | None
    low: float | None
    high: float | None
    stuck: bool


class WhatIfData(NamedTuple):
    """All values tried at one dotted path, in rising order; `now` is the scenario's own as a number.

    `lasts` says whether the values are durations (s).
    """

    path: str
    points: tuple[WhatIfPoint, ...]
    lasts: bool
    now: float | None

    @property
    def measured(self) -> bool:
        """Whether every value is a number above zero, so that they can stand on a logarithmic axis."""
        return all(point.number is not None and point.number > 0 for point in self.points)


def what_if_data(tuning: Tuning) -> list[WhatIfData]:
    """Return what was tried, one entry for each path."""
    paths = dict.fromkeys(one.path for one in tuning.what_ifs)
    return [
        _data(path, [one for one in tuning.what_ifs if one.path == path], _now(tuning, path))
        for path in paths
    ]


def _now(tuning: Tuning, path: str) -> Any:
    place = find(tuning.scenario.document, path)
    return None if place is None else at(tuning.scenario.document, place)


def _data(path: str, found: Sequence[WhatIf], now: Any) -> WhatIfData:
    points = [_point(one) for one in found]
    if all(point.number is not None for point in points):
        points.sort(key=lambda point: point.number or 0.0)
    lasts = all(_duration(one.value) is not None for one in found)
    return WhatIfData(path, tuple(points), lasts, number(now))


def _point(one: WhatIf) -> WhatIfPoint:
    low, high = one.range_s or (None, None)
    ends = (None, None) if one.ettr is None else one.ettr.clipped(0.0, 1.0)
    mean = _mean(one.ettr)
    return WhatIfPoint(
        one.value, number(one.value), one.gpus, one.best_s, low, high, mean, *ends, one.no_progress
    )


def _mean(estimate: Estimate | None) -> float | None:
    return None if estimate is None else estimate.mean


def number(value: object) -> float | None:
    """Return the number that a value of a scenario stands for (durations in s), None where it is none."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, str):
        return None
    found = _duration(value)
    return _count(value) if found is None else found


def _duration(value: str) -> float | None:
    try:
        return parse_duration(value)
    except ValueError:
        return None


def _count(value: str) -> float | None:
    text = value.strip()
    factor = THOUSANDS.get(text[-1:], 1.0)
    try:
        return factor * float(text[:-1]) if factor > 1 else float(parse_count(text))
    except ValueError:
        return None


def what_if_table(data: WhatIfData) -> base.Table:
    """Return one row per value."""
    columns = ("value", "number", "cards", "best_interval_s", "flat_from_s", "flat_to_s")
    return base.Table(
        (*columns, "ettr", "low", "high", "no_progress"), tuple(tuple(point) for point in data.points)
    )
