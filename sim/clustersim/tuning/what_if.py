"""What else moves the best interval: other values of the scenario, each tuned anew."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from clustersim.experiment import Settings
from clustersim.scenario.model import Scenario
from clustersim.tuning.intervals import CANDIDATES, tune
from clustersim.tuning.results import Tuning, WhatIf, effective
from clustersim.tuning.variants import variant

THOUSANDS = {"k": 10**3, "M": 10**6}


def what_ifs(
    scenario: Scenario,
    over: Mapping[str, Sequence[str]],
    *,
    tier: str | None = None,
    candidates: int = CANDIDATES,
    settings: Settings | None = None,
) -> list[WhatIf]:
    """Return the best interval (of *tier*) for each value at each dotted path, on common random numbers.

    One value at a time; counts may be written as 10k or 1M.  Raises ScenarioError where a value does not fit,
    before anything is simulated.
    """
    changed = [
        (path, value, variant(scenario, {path: plain(value)}))
        for path, values in over.items()
        for value in values
    ]
    return [
        _found(path, value, tune(one, tier=tier, candidates=candidates, settings=settings))
        for path, value, one in changed
    ]


def _found(path: str, value: str, tuning: Tuning) -> WhatIf:
    ettr = tuning.ettr_at_best
    cards = None if ettr is None else ettr.scaled(effective(tuning.scenario))
    gpus = tuning.scenario.cluster.gpus
    return WhatIf(path, value, gpus, tuning.now_s, tuning.best_s, tuning.range_s, ettr, cards)


def plain(value: str) -> str:
    """Return a count such as `10k` or `1.5M` written out; anything else as it is."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([kM])", value.strip())
    if not found:
        return value
    count = float(found[1]) * THOUSANDS[found[2]]
    return str(int(count)) if count.is_integer() else value
