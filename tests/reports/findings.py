"""Tunings, levers, sweeps and solutions for the tests of the report: hand-made, with known values."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np

from clustersim.estimate import Estimate
from clustersim.fitting.answer import Fit
from clustersim.fitting.fit import fit_history
from clustersim.logs.history import History
from clustersim.scenario import Scenario
from clustersim.settings import Settings
from clustersim.studies.change import Change
from clustersim.studies.levers import Levers, RankedLever
from clustersim.studies.sensitivity import SensitivityStudy, sensitivity
from clustersim.studies.solve import Solution, solve
from clustersim.studies.study import Worth
from clustersim.studies.sweep import Sweep, sweep
from clustersim.studies.tune import Candidate, Gain, Tuning
from clustersim.units import DAY, HOUR, YEAR, Money
from tests.reports.cases import CHANGES, HOSTILE, PLAIN

FLAT = (400.0, 900.0)
PRICED = {"costs": {"gpu_hour": "2.50 USD"}}


def spec(**changes: Any) -> Scenario:
    """Return the plain scenario of the tests with other values."""
    return Scenario.model_validate(PLAIN | changes)


def estimate(mean: float, width: float | None = 0.01) -> Estimate:
    """Return an estimate from eight replications."""
    return Estimate(mean, width, 8)


def worth(gain: float, width: float = 0.002, cards: int = 1024, priced: bool = False) -> Worth:
    """Return a gain in ETTR with what it is in cards and, where *priced*, in money."""
    ettr = estimate(gain, width)
    money = ettr.scaled(1e7) if priced else None
    return Worth(ettr, ettr.scaled(cards), money, "USD", money)


def height(interval: float) -> float:
    """Return the ETTR of the curve of these tests: a parabola over the logarithm, best at ten minutes."""
    return 0.9 - 0.05 * math.log(interval / 600.0) ** 2


def curve(scale: float = 1.0, width: float | None = 0.01) -> list[Candidate]:
    """Return candidates from a minute to more than an hour."""
    intervals = [600.0 * 1.3**step for step in range(-9, 10)]
    return [
        Candidate(one, estimate(scale * height(one), width), not FLAT[0] <= one <= FLAT[1])
        for one in intervals
    ]


def tuning(scenario: Scenario | None = None, **changes: Any) -> Tuning:
    """Return a tuning: ten minutes are the best, today's hour is not, the formulas are alike."""
    scenario = scenario or spec(**PRICED)
    priced = scenario.costs is not None
    usual: dict[str, Any] = {
        "replications": 8,
        "fresh_replications": 4,
        "now_s": 3600.0,
        "tier": scenario.tiers[-1],
        "young_s": 580.0,
        "daly_s": 570.0,
        "exact_s": 571.0,
        "best_s": 600.0,
        "recommended_s": 600.0,
        "range_s": FLAT,
        "ettr_at_best": estimate(0.9),
        "ettr_now": estimate(0.74),
        "curve": curve(),
        "gains": [
            Gain("young", 580.0, worth(0.0001, priced=priced), False),
            Gain("daly", 570.0, worth(0.0001, priced=priced), False),
            Gain("exact", 571.0, worth(0.003, priced=priced), False),
            Gain("now", 3600.0, worth(0.16, priced=priced), True),
        ],
        "wall_s": 1.5,
    }
    return Tuning(scenario, scenario, **(usual | changes))


def stuck() -> Tuning:
    """Return a tuning of a job that makes no progress at any interval."""
    scenario = spec(**CHANGES["stuck"])
    return tuning(scenario, curve=curve(0.001, 1e-4), ettr_at_best=estimate(0.0009, 1e-4), gains=[])


def once() -> Tuning:
    """Return a tuning from one replication, of which no interval is known."""
    gains: list[Gain] = []
    return tuning(
        spec(), replications=1, curve=curve(width=None), ettr_at_best=estimate(0.9, None), gains=gains
    )


def hostile_tuning() -> Tuning:
    """Return a tuning of a scenario and of values that are markup."""
    law = "{lognormal: {median: 1 min, sigma: 1}},9 min"
    scenario = spec(title=HOSTILE, about=HOSTILE)
    return tuning(
        scenario, sweeps=[swept({"recovery.stages.start": law}, retune=True, title=HOSTILE, about=HOSTILE)]
    )


def calm() -> Tuning:
    """Return the tuning of a scenario in which nothing fails."""
    scenario = spec(failures="none")
    return Tuning(scenario, scenario, 8, 600.0, scenario.tiers[-1])


def with_sweeps() -> Tuning:
    """Return a tuning with sweeps of quantities, of sizes, and of what has no size."""
    lists = {"checkpoint.blocks": "1s,30s", "cluster.gpus": "64..1024:3log", "failures": "none"}
    return tuning(sweeps=[swept({path: values}, retune=True) for path, values in lists.items()])


def lever(name: str, gain: float, width: float = 0.002, price: Money | None = None) -> RankedLever:
    """Return a change with its gain."""
    change = Change(name, {}, f"what {name} changes", price=price)
    return RankedLever(change, worth(gain, width, priced=True), YEAR)


def levers(found: list[RankedLever] | None = None, **scenario: Any) -> Levers:
    """Return levers: two gains, a loss, and one that may be nothing although its mean is the second best."""
    given = spec(**(PRICED | scenario))
    usual = [
        lever("faster start", 0.03, price=Money(1e5, "USD")),
        lever("a coin's toss", 0.02, 0.05),
        lever("fewer hangs", 0.01),
        lever("slower network", -0.02),
    ]
    return Levers(given, given, 8, estimate(0.9), usual if found is None else found, wall_s=2.0)


def hostile_levers() -> Levers:
    """Return levers whose names and texts are markup."""
    return levers([lever(HOSTILE, 0.03), lever(f"x{HOSTILE}", 0.001, 0.1)], title=HOSTILE, about=HOSTILE)


GRID = {"checkpoint.blocks": "5s..90s:4log", "recovery.stages.start": "1min..9min:3"}
SIZES = {"recovery.stages.start": "1min,9min", "cluster.gpus": "64..1024:4log"}


def swept(
    vary: dict[str, str], metric: str = "ettr", replications: int = 3, retune: bool = False, **scenario: Any
) -> Sweep:
    """Return a small sweep, really simulated."""
    given = spec(**(PRICED | scenario))
    few = {"replications": replications, "horizon": "2 d", "workers": 1, "retune": retune}
    return replace(sweep(given, vary=vary, metrics=[metric], **few), wall_s=1.5)


def hostile_sweep() -> Sweep:
    """Return a sweep side by side with a scenario that is markup."""
    vary = {"recovery.stages.start": "{lognormal: {median: 1 min, sigma: 1}},9 min"}
    return swept(vary, title=HOSTILE, about=HOSTILE)


def solved(until: str, **scenario: Any) -> Solution:
    """Return where a condition begins to hold, really simulated."""
    given = spec(**(PRICED | scenario))
    path, few = "checkpoint.blocks", {"replications": 3, "horizon": "2 d", "workers": 1}
    return replace(solve(given, path=path, until=until, **few), wall_s=1.5)


def unknowns(metric: str = "ettr", **scenario: Any) -> SensitivityStudy:
    """Return a small study of what to measure first, really simulated."""
    given = spec(**(PRICED | scenario))
    found = sensitivity(given, metric=metric, samples=8, replications=4, horizon="2 d", workers=1)
    return replace(found, wall_s=1.5)


def fitted(name: str = "gpu", *, of_nodes: bool = True, causes: int = 1) -> Fit:
    """Return the fit of a small log, of nodes that are repaired or of a job that restarts."""
    rng, count, window = np.random.default_rng(1), 120, 90 * DAY
    times = np.sort(rng.random(count)) * window
    node = rng.permutation(np.repeat(np.arange(40), 3)) if of_nodes else np.full(count, -1)
    ends = times + rng.lognormal(math.log(5 * HOUR), 1.0, count) if of_nodes else None
    named = [name, *(f"{name} {number}" for number in range(1, causes))]
    kinds = np.minimum(rng.geometric(0.4, count) - 1, causes - 1)
    log = History.of(times, 40, window, node=node, end_s=ends, cause=kinds, causes=named)
    how = Settings(replications=40, workers=1)
    return replace(fit_history(log, "small", "small.csv", settings=how), wall_s=1.5)
