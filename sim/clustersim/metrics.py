"""The figures of a summary in the making: their values, how sure they are, and why some are unknown."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from clustersim.estimate import Estimate, mean_of, percentile

Array = np.ndarray[Any, np.dtype[np.float64]]
Summary = dict[str, Any]


@dataclass
class Metrics:
    """Values, half-widths of intervals and reasons by path; a path is `a`, `a.b` or `a.b.c`."""

    values: Summary = field(default_factory=dict)
    margins: dict[str, float | None] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)

    def put(self, path: str, estimate: Estimate | None, reason: str = "") -> None:
        """Set the figure at *path*, or null with the *reason*."""
        if estimate is None:
            self.refuse(path, reason)
            return
        self.set(path, estimate.mean)
        self.margins[path] = estimate.half_width

    def refuse(self, path: str, reason: str) -> None:
        """Set the figure at *path* to null, because of *reason*."""
        self.set(path, None)
        self.reasons[path] = reason

    def shares(self, path: str, names: Sequence[str], columns: Array) -> None:
        """Set a mapping of *names* to the means of *columns* (replication x name)."""
        self.values[path] = {}
        for name, column in zip(names, columns.T, strict=True):
            self.values[path][name] = float(column.mean())
            self.margins[f"{path}.{name}"] = mean_of(column).half_width

    def set(self, path: str, value: float | None) -> None:
        """Set the figure at *path*, of which no interval is known."""
        *blocks, name = path.split(".")
        place = self.values
        for block in blocks:
            place = place.setdefault(block, {})
        place[name] = value


def percentiles(values: Array) -> dict[str, float | None]:
    """Return the 10th, 50th and 90th percentile of *values*, None where it lies beyond what was observed."""
    found = {name: percentile(values, share) for name, share in (("p10", 0.1), ("p50", 0.5), ("p90", 0.9))}
    return {name: value if math.isfinite(value) else None for name, value in found.items()}
