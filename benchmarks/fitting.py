"""Does `fit` find what was there, and nothing else?  Fleets with known features, simulated and fitted back.

Each case is a scenario whose incidents are made into a log, as an operator would have it, and fitted.  Every
95 % interval should hold the truth in 89.5 to 99.0 % of 200 repetitions, and a feature that is not there be
claimed in at most 10.5 % of them: where 95 % (5 %) is the truth, 200 repetitions end outside with less than
one in a hundred.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from clustersim.engine.replication import simulate
from clustersim.estimate import ConfidenceInterval
from clustersim.fitting.causes import CauseFit, fit_causes
from clustersim.fitting.histories import history_of
from clustersim.fitting.selection import FEATURES, features_of
from clustersim.logs.history import History
from clustersim.scenario.loading import loads, overridden
from clustersim.scenario.model import Scenario
from clustersim.units import DAY

REPETITIONS, SEED = 200, 1
HELD, CLAIMED = (0.895, 0.99), 0.105


def fleet(mode: str, *, nodes: int = 400, days: int = 349, more: str = "") -> Scenario:
    """Return a fleet of so many *nodes*, all in one job that waits for them, with one failure *mode*."""
    text = f"""
name: fleet
cluster: {{gpus: {8 * nodes}{more}}}
failures: {{fault: {{per: node, {mode}}}}}
checkpoint: none
recovery: {{stages: {{nodes: wait}}}}
simulation: {{horizon: {days} d, replications: 1}}
"""
    return loads(text)


@dataclass(frozen=True)
class Case:
    """A fleet with known features, and what is true of it by the name of each parameter.

    `late`: each node is watched only from an instant of its own on, up to half of the window.
    """

    scenario: Scenario
    truth: Mapping[str, float]
    features: tuple[str, ...] = ()
    late: bool = False


REPAIR = "repair: {lognormal: {median: 20 h, sigma: 1.5}}"
CASES: Mapping[str, Callable[[], Case]] = {
    "exponential": lambda: Case(fleet(f"mtbf: 250 d, {REPAIR}"), {"mtbf_s": 250 * DAY}),
    "weibull 0.7, late entry": lambda: Case(
        fleet(f"mtbf: 100 d, lifetime: {{weibull: {{shape: 0.7}}}}, {REPAIR}"),
        {"mtbf_s": 100 * DAY, "shape": 0.7},
        ("lifetime",),
        late=True,
    ),
    "weibull 2, late entry": lambda: Case(
        fleet(f"mtbf: 100 d, lifetime: {{weibull: {{shape: 2}}}}, {REPAIR}"),
        {"mtbf_s": 100 * DAY, "shape": 2.0},
        ("lifetime",),
        late=True,
    ),
    "lemons": lambda: Case(
        fleet(f"mtbf: 250 d, lemons: {{share: 8 %, factor: 6}}, {REPAIR}"),
        {"mtbf_s": 250 * DAY, "share": 0.08, "factor": 6.0},
        ("lemons",),
    ),
    "relapse": lambda: Case(
        fleet(f"mtbf: 250 d, relapse: {{probability: 22 %, within: 1 d}}, {REPAIR}"),
        {"mtbf_s": 250 * DAY, "probability": 0.22},
        ("relapse",),
    ),
    "rack bursts": lambda: Case(
        fleet(f"mtbf: 250 d, spreads: {{to: rack, probability: 10 %}}, {REPAIR}", more=", nodes_per_rack: 4"),
        {"mtbf_s": 250 * DAY, "spread": 0.1},
    ),
    "open repairs": lambda: Case(
        fleet("mtbf: 100 d, repair: {lognormal: {median: 10 d, sigma: 1.2}}"),
        {"mtbf_s": 100 * DAY, "median_s": 10 * DAY, "sigma": 1.2},
    ),
    "burn-in": lambda: Case(
        fleet(f"mtbf: 250 d, over_time: {{0 d: 3, 14 d: 1}}, {REPAIR}"),
        {"mtbf_s": 250 * DAY, "early": 3.0},
        ("trend",),
    ),
    "lemons and relapse": lambda: Case(
        fleet(
            "mtbf: 250 d, lemons: {share: 8 %, factor: 6}, relapse: {probability: 22 %, within: 1 d}, "
            + REPAIR
        ),
        {"mtbf_s": 250 * DAY, "share": 0.08, "factor": 6.0, "probability": 0.22},
        ("lemons", "relapse"),
    ),
}


def seeded(case: Case, seed: int) -> Case:
    """Return a *case* whose repetitions are those of another *seed*."""
    return replace(case, scenario=overridden(case.scenario, {"simulation.seed": seed}))


def observed(case: Case, repetition: int) -> History:
    """Return the log of one repetition of a *case*."""
    history = history_of(case.scenario, simulate(case.scenario, repetition))
    if not case.late:
        return history
    seed = case.scenario.simulation.seed
    key = repetition if seed == SEED else (seed, repetition)
    entered = np.random.default_rng(key).random(history.nodes) * history.window_s / 2
    seen = history.time_s >= entered[history.node]
    return History.of(
        history.time_s[seen],
        history.nodes,
        history.window_s,
        end_s=history.end_s[seen],
        node=history.node[seen],
        entered_s=entered,
    )


def fitted(history: History) -> CauseFit:
    """Return what is found in a log of one cause."""
    (found,) = fit_causes(history).values()
    return found


def estimates(found: CauseFit) -> dict[str, ConfidenceInterval]:
    """Return all that is estimated, by name."""
    repair = found.repair.parameters if found.repair else {}
    spread = {} if found.burst is None else {"spread": found.burst}
    return {**found.values, **repair, **spread}


@dataclass
class Tally:
    """What came of the repetitions of a case."""

    held: Counter[str] = field(default_factory=Counter)
    claimed: Counter[str] = field(default_factory=Counter)
    repetitions: int = 0

    def add(self, case: Case, found: CauseFit) -> None:
        """Count one repetition: a parameter whose feature was not found does not hold the truth."""
        self.repetitions += 1
        self.claimed.update(features_of(found.selection.best.model))
        values = estimates(found)
        for name, truth in case.truth.items():
            if name in values:
                _, low, high = values[name]
                assert low is not None
                assert high is not None
                self.held[name] += low <= truth <= high


def tally(case: Case, repetitions: int) -> Tally:
    """Return what comes of so many *repetitions* of a *case*."""
    counts = Tally()
    for repetition in range(repetitions):
        counts.add(case, fitted(observed(case, repetition)))
    return counts


def main() -> None:
    """Print, case by case, how often intervals held the truth and what was claimed although not there."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repetitions", type=int, default=REPETITIONS)
    parser.add_argument("--seed", type=int, default=SEED, help="other fleets of the same kind")
    parser.add_argument("cases", nargs="*", default=list(CASES))
    arguments = parser.parse_args()
    for name in arguments.cases:
        case = seeded(CASES[name](), arguments.seed)
        counts = tally(case, arguments.repetitions)
        shares = {each: counts.held[each] / counts.repetitions for each in case.truth}
        false = {
            feature: counts.claimed[feature] / counts.repetitions
            for feature in FEATURES
            if feature not in case.features
        }
        good = (
            all(HELD[0] <= share <= HELD[1] for share in shares.values()) and max(false.values()) <= CLAIMED
        )
        words = " ".join(f"{each} {share:.1%}" for each, share in shares.items())
        claims = " ".join(f"{each} {share:.1%}" for each, share in false.items())
        print(
            f"{name}: holds {words}; claimed although not there: {claims}{'' if good else '  <--'}",
            flush=True,
        )


if __name__ == "__main__":
    main()
