"""A job of which everything is known: exact expectations over a finite run, not in the long run.

One memoryless mode with mean M strikes at all times; the job trains from time 0, saves every t (the save
takes d), falls back to its last save, and needs R to train again.  A stretch of training with x left of the
run lasts min(X, x), X exponential with mean M, whatever was before; so all that is needed is how dense in
time stretches begin, and what one is worth:

    E[over the run] = worth(H) + integral over 0 < s < H of starts(s) worth(H - s) ds

With R constant, a strike during the recovery beginning it anew, a stretch begins at s if there was a strike
at s - R and none since: starts(s) = exp(-R/M) / M.  With R exponential, a strike meanwhile changing nothing,
the job is a two-state Markov process: starts(s) = P(down at s) / R.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[np.float64]]
Worth = Callable[[Array], Array]

NODES = 16
"""Points of Gauss-Legendre's rule on each piece, on which all integrands are smooth."""
DAY = 86_400.0


@dataclass(frozen=True)
class Plant:
    """The job: mean time between failures, interval, save, restart and run, in seconds."""

    mtbf: float = 3600.0
    interval: float = 450.0
    blocks: float = 30.0
    restart: float = 300.0
    horizon: float = 30 * 3600.0
    random_restart: bool = False

    def document(self, seed: int, **simulation: Any) -> dict[str, Any]:
        """Return it as a scenario document, with what else `simulation` says."""
        restart: Any = _seconds(self.restart)
        if self.random_restart:
            restart = {"exponential": {"mean": restart}}
        recovery = {
            "stages": {"detect": "0 s", "restart": restart},
            "during_recovery": "absorb" if self.random_restart else "restart",
        }
        return {
            "name": "plant",
            "cluster": {"gpus": 8},
            "failures": {"any": {"per": "job", "mtbf": _seconds(self.mtbf), "clock": "calendar"}},
            "checkpoint": {"interval": _seconds(self.interval), "blocks": _seconds(self.blocks)},
            "recovery": recovery,
            "costs": {"gpu_hour": "2 USD"},
            "simulation": {"horizon": _seconds(self.horizon), "seed": seed} | simulation,
        }

    @property
    def ettr(self) -> float:
        """Expected share of the run that is kept."""
        return self._share(self._kept)

    def answers(self) -> dict[str, float]:
        """Return the expectations of what a summary tells, by the figure's path."""
        kept, trained, up = (self._share(worth) for worth in (self._kept, self._trained, self._up))
        per_day = up / self.mtbf * DAY
        return {
            "ettr": kept,
            "availability": trained,
            "ledger.lost": trained - kept,
            "ledger.checkpoint": up - trained,
            "ledger.recovery": 1 - up,
            "interruptions_per_day": per_day,
            "mtti_s": DAY / per_day,
            "incidents_per_day": DAY / self.mtbf,
            "cost.per_effective_gpu_hour": 2.0 / kept,
        }

    def _share(self, worth: Worth) -> float:
        """Return the expected share of the run that stretches of that *worth* make up."""
        cycle = self.interval + self.blocks
        longest = self.horizon if self.random_restart else max(self.horizon - self.restart, 0.0)
        begins = np.arange(0.0, longest, cycle)
        edges = np.unique(np.concatenate([begins, begins + self.interval, [longest]]))
        edges = edges[edges <= longest]
        places, weights = np.polynomial.legendre.leggauss(NODES)
        half = np.diff(edges)[:, None] / 2
        left = (edges[:-1, None] + half) + half * places
        integral = float((half * weights * self._starts(self.horizon - left) * worth(left)).sum())
        return (float(worth(np.array([self.horizon]))[0]) + integral) / self.horizon

    def _starts(self, time: Array) -> Array:
        """Return how many stretches begin per second at *time* (s)."""
        if not self.random_restart:
            return np.full_like(time, math.exp(-self.restart / self.mtbf) / self.mtbf)
        rate = 1 / self.mtbf + 1 / self.restart
        return -np.expm1(-rate * time) / (self.mtbf + self.restart)

    def _up(self, left: Array) -> Array:
        """Return the mean length of a stretch with *left* seconds to the end of the run."""
        return -self.mtbf * np.expm1(-left / self.mtbf)

    def _trained(self, left: Array) -> Array:
        """Return the mean training in a stretch: the part of it outside saves."""
        cycle = self.interval + self.blocks
        whole = np.floor(left / cycle)
        each = -self.mtbf * math.expm1(-self.interval / self.mtbf)
        rest = np.minimum(left - whole * cycle, self.interval)
        last = -np.exp(-whole * cycle / self.mtbf) * self.mtbf * np.expm1(-rest / self.mtbf)
        return each * self._reached(whole, 0) + last

    def _kept(self, left: Array) -> Array:
        """Return the mean training that is kept: what was saved, or all where the run ends first."""
        cycle = self.interval + self.blocks
        whole = np.floor(left / cycle)
        rest = np.minimum(left - whole * cycle, self.interval)
        return self.interval * self._reached(whole, 1) + np.exp(-left / self.mtbf) * rest

    def _reached(self, whole: Array, first: int) -> Array:
        """Return the sum of P(X > k cycles) over *whole* values of k, from *first* on."""
        each = (self.interval + self.blocks) / self.mtbf
        return math.exp(-first * each) * np.expm1(-whole * each) / math.expm1(-each)


def _seconds(value: float) -> str:
    return f"{value!r} s"
