"""Fits of one cause that are made by hand: estimates whose intervals are known, spells that do not matter."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from clustersim.fitting.causes import CauseFit
from clustersim.fitting.likelihood import RANGES, Maximum, Model
from clustersim.fitting.selection import Selection
from clustersim.fitting.spells import Absences, Spells
from clustersim.units import DAY

WIDTH = 0.1
"""The standard deviation of each parameter, by its logarithm (of a share: by its logit)."""


class Peak:
    """The logarithm of a likelihood that is normal in what is searched for, about some values."""

    def __init__(self, at: Mapping[str, float]) -> None:
        self.names, self._at = tuple(at), dict(at)

    def __call__(self, values: Mapping[str, float]) -> float:
        """Return it."""
        away = (RANGES[name].inner(values[name]) - RANGES[name].inner(self._at[name]) for name in self.names)
        return -sum((each / WIDTH) ** 2 for each in away) / 2


VALUES = {
    "mtbf_s": 20 * DAY,
    "shape": 0.7,
    "share": 0.1,
    "factor": 8.0,
    "probability": 0.3,
    "early": 5.0,
}


def maximum(model: Model, **values: float) -> Maximum:
    """Return the maximum of a likelihood at *values*, and else at those of `VALUES`."""
    at = {name: (VALUES | values)[name] for name in model.parameters}
    return Maximum(Peak(at), at, 0.0, model)


def spells(count: int = 40, days: float = 800.0) -> Spells:
    """Return so many first spells that end with a failure, from half to one and a half of their mean."""
    node, ends = np.arange(count), np.linspace(0.5, 1.5, count) * days * DAY / count
    yes, no, none = np.ones(count, bool), np.zeros(count, bool), np.zeros(0)
    return Spells(
        node,
        np.zeros(count),
        ends,
        ends,
        yes,
        yes,
        no,
        np.ones(count),
        Absences(none.astype(int), none, none),
    )


def cause(model: Model | None = None, level: float = 0.01, **changes: Any) -> CauseFit:
    """Return the fit of a cause `a` with 40 failures in 800 days of service of nodes."""
    best = maximum(model or Model())
    fields: dict[str, Any] = {
        "name": "a",
        "per": "node",
        "count": 40,
        "node_days": 1000.0,
        "transient": 0,
        "spells": spells(),
        "selection": Selection(best, best, {}, level),
        "bursts": None,
        "away_s": np.zeros(0),
        "done": np.zeros(0, bool),
        "repair": None,
        "relapse": None,
    }
    return CauseFit(**(fields | changes))
