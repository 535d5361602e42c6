"""What a run estimates that each change is worth, against what `levers` simulates, over a dozen scenarios."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import NamedTuple

SHIPPED: Mapping[str, Mapping[str, str]] = {
    "chen-10k": {},
    "chen-100k": {"simulation.replications": "8"},
    "chen-1m": {"simulation.replications": "8", "simulation.horizon": "3 d"},
    "chen-1m-replicas": {"simulation.replications": "4", "simulation.horizon": "2 d"},
    "llama3-16k": {"simulation.replications": "16"},
    "frontier-100k": {"simulation.replications": "8", "simulation.horizon": "10 d"},
    "stepfun-400": {},
}
NODES = """
name: nodes
cluster: {gpus: 1_024, spares: 4}
failures:
  node: {per: node, mtbf: 60 d, repair: {lognormal: {median: 12 h, sigma: 1}}}
  bug: {per: job, mtbf: 30 h}
checkpoint: {interval: 1 h, blocks: 30 s, durable_after: 3 min, load: 2 min}
recovery: {stages: {detect: 3 min, restart: 10 min, load: checkpoint}}
simulation: {horizon: 60 d, replications: 32}
"""
VARIANTS: Mapping[str, Mapping[str, str]] = {
    "no spares": {"cluster.spares": "0"},
    "few spares": {"cluster.spares": "1"},
    "enough spares": {"cluster.spares": "20"},
    "fails while it trains": {"failures.node.clock": "training", "cluster.spares": "1"},
    "saves too rarely": {"checkpoint.interval": "8 h"},
    "hardly trains": {"failures.bug.mtbf": "20 min", "checkpoint.interval": "10 min"},
    "relapses": {"failures.node.relapse": "{probability: 30 %, within: 2 d}"},
}
WORTH_A_LOOK = 0.002
"""Simulated gains of ETTR below 0.2 pp are mostly chance; they count in the ranks only."""


class Agreement(NamedTuple):
    """How near estimates are to the simulation.

    The median and the largest share of a gain by which they are off, Spearman's correlation of their ranks,
    the simulated gain of what is estimated to be best as a share of the best, and how many times as long as
    estimating the simulation takes.
    """

    changes: int
    median: float
    largest: float
    ranks: float
    first: float
    faster: float


def agreement(scenario: object) -> Agreement:
    """Return how near the estimates of all single changes are to what is simulated."""
    import numpy as np
    from scipy.stats import spearmanr

    from clustersim import run
    from clustersim.scenario import Scenario
    from clustersim.settings import Settings
    from clustersim.studies.estimates import RunLedger
    from clustersim.studies.levers import levers

    assert isinstance(scenario, Scenario)
    here = Settings(workers=1)
    began = time.process_time()
    found = [lever for lever in levers(scenario, settings=here).levers if not lever.change.joins]
    simulating, summary = time.process_time() - began, run(scenario, settings=here).summary
    began = time.process_time()
    ledger = RunLedger(scenario, summary)
    pairs = [
        (estimate.ettr_gain, lever.worth.ettr.mean)
        for lever in found
        for estimate in ledger.estimates(lever.change)
    ]
    estimating = time.process_time() - began
    estimated, simulated = np.array(pairs).T
    clear = np.abs(simulated) > WORTH_A_LOOK
    off = np.abs(estimated - simulated)[clear] / np.abs(simulated)[clear]
    best = simulated[estimated.argmax()] / simulated.max()
    ranks = float(spearmanr(estimated[clear], simulated[clear]).statistic)
    faster = simulating / estimating
    return Agreement(len(pairs), float(np.median(off)), float(off.max()), ranks, float(best), faster)


def main() -> None:
    from clustersim import load
    from clustersim.scenario import loads

    scenarios = {name: load(name, values) for name, values in SHIPPED.items()}
    scenarios |= {name: loads(NODES, name, values) for name, values in VARIANTS.items()}
    print("changes estimated from one run's ledger, against levers")
    print(f"  {'':24}changes  off by (median, most)  ranks  first  faster")
    for name, scenario in scenarios.items():
        each = agreement(scenario)
        off = f"{each.median:9.0%} {each.largest:10.0%}"
        print(f"  {name:24}{each.changes:7}{off}{each.ranks:11.2f}{each.first:7.0%}{each.faster:7.0f}x")


if __name__ == "__main__":
    main()
