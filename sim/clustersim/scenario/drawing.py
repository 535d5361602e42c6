"""Draws of the uncertain inputs of a scenario, each a scenario of its own.

A draw is known by the seed, its number and the path of the input, as every random number is: whether other
inputs are uncertain too, or are set to a value, does not change it.  Each path has a scrambled Sobol sequence
of its own, in an order of its own: its first 2, 4, 8, ... points are spread evenly, and so are all inputs
together as those of a Latin hypercube.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from clustersim.arrays import Array, Floats
from clustersim.scenario.loading import build
from clustersim.scenario.model import Scenario
from clustersim.scenario.text.document import Document
from clustersim.scenario.text.layers import put
from clustersim.scenario.trials import REMARKS
from clustersim.streams import Streams

NOT_DRAWN = (*REMARKS, "uncertain", "uncertainty")
"""What a draw leaves out of the document: it states every value, and nobody remarks on it."""
HALF_A_STEP = 2.0**-31
"""Scipy's points are multiples of 2^-30 from 0 on; a quantile needs what is above it."""
LEAST_POINTS = 8
"""As a power of two: the first 256 points are made at once."""


def drawn(scenario: Scenario, draws: Sequence[int]) -> Iterator[Scenario]:
    """Yield *scenario* with its uncertain inputs drawn, for each number of a draw.

    Raises ScenarioError, which names all values of the draw, where they make no scenario.
    """
    if not draws:
        return
    shares = points(scenario, max(draws) + 1)
    for draw in draws:
        values = values_at(scenario, {path: float(of_path[draw]) for path, of_path in shares.items()})
        yield with_values(scenario, values, f"draw {draw}")


def with_values(scenario: Scenario, values: Mapping[str, Any], what: str) -> Scenario:
    """Return *scenario* with these values by path, nothing uncertain, and without remarks.

    Raises ScenarioError, which names *what* it is and its values, where they make no scenario.
    """
    document = scenario.document
    plain = {name: value for name, value in document.items() if name not in NOT_DRAWN}
    origin = f"<{what} of {scenario.name}: {', '.join(f'{path}={value}' for path, value in values.items())}>"
    made = Document(plain)
    for path, value in values.items():
        made = put(made, path, value, origin)
    return build(made)


def made(scenario: Scenario) -> None:
    """Raise ScenarioError where a draw that a run needs makes no scenario."""
    if scenario.uncertain:
        count = scenario.simulation.replications // scenario.uncertainty.per_draw
        for _ in drawn(scenario, range(count)):
            pass


def values_at(scenario: Scenario, shares: Mapping[str, float]) -> dict[str, Any]:
    """Return the values at these quantiles of the uncertain inputs, as changes by path."""
    changes: dict[str, Any] = {}
    for path, share in shares.items():
        changes |= scenario.uncertain[path].changes(path, share)
    return changes


def drawn_values(scenario: Scenario, replications: int) -> dict[str, Floats]:
    """Return what is drawn of each uncertain input in so many replications, by path.

    In SI units, a rate per second; a draw is simulated with the six digits with which it is written.
    """
    if not scenario.uncertain:
        return {}
    draws = np.arange(replications) // scenario.uncertainty.per_draw
    shares = points(scenario, int(draws.max(initial=0)) + 1)
    return {
        path: np.array([scenario.uncertain[path].quantile(float(share)) for share in of_path[draws]])
        for path, of_path in shares.items()
    }


def points(scenario: Scenario, count: int) -> dict[str, Floats]:
    """Return numbers between 0 and 1 for *count* draws or more, for each path."""
    power = max(LEAST_POINTS, (count - 1).bit_length())
    return {path: _sequence(scenario.simulation.seed, path, power) for path in scenario.uncertain}


@lru_cache(maxsize=256)
def _sequence(seed: int, path: str, power: int) -> Floats:
    """Return 2^power points of the path's own sequence; those of a smaller power are the first of them."""
    from scipy.stats.qmc import Sobol

    rng = Streams(seed, 0)[f"uncertain {path}"]
    spread = Sobol(1, scramble=True, seed=rng).random_base2(power)[:, 0] + HALF_A_STEP
    order = np.zeros(1, np.int64)
    for level in range(power):
        order = np.concatenate((order, 2**level + _shuffled(rng, level)))
    made: Floats = spread[order]
    made.flags.writeable = False
    return made


def _shuffled(rng: np.random.Generator, level: int) -> Array:
    """Return 0 to 2^level - 1 with the halves of every aligned block swapped or not, at random.

    So each aligned block of the result is an aligned block of numbers, whose points are spread evenly.
    """
    order: Array = np.arange(2**level)
    for size in 2 ** np.arange(level, 0, -1):
        blocks = order.reshape(-1, 2, size // 2)
        swapped = rng.integers(2, size=len(blocks))
        order = np.where(swapped[:, None, None], blocks[:, ::-1], blocks).reshape(-1)
    return order
