"""How far is the ETTR that `check` promises from the simulated one?  Of random scenarios.

A scenario has one to three modes of failure (of nodes, racks, the cluster or the job, on either clock),
repairs of any law with or without crews, spares from too few to plenty, hot or cold, rates that may change,
restarts from short to as long as the time between failures, an end or a target.  Where nothing is promised
there is nothing to compare; the reason is counted.
"""

from __future__ import annotations

import argparse
import math
import re
from collections import Counter
from typing import Any, NamedTuple

import numpy as np

from clustersim.engine.replication import simulate
from clustersim.scenario.first_order import first_order
from clustersim.scenario.model import Scenario

Spec = dict[str, Any]
HOUR, DAY = 3600.0, 86_400.0
LAWS = ("constant", "exponential", "lognormal")


class Outcome(NamedTuple):
    """A promised ETTR (None: withheld, with the reason), the simulated one, and its standard error."""

    promised: float | None
    reason: str
    estimate: float
    simulated: float
    error: float

    @property
    def off(self) -> float:
        """How far the promise is from the simulated mean."""
        return (self.promised or 0.0) - self.simulated


def plain(number: int, seed: int = 1) -> Spec:
    """Return the random scenario of that *number*."""
    rng = np.random.default_rng((seed, number))
    nodes = int(10 ** rng.uniform(1.0, 3.3))
    gap = float(HOUR * 10 ** rng.uniform(-0.3, 1.7))
    horizon = float(max(200 * gap, 20 * DAY))
    modes = {f"m{i}": _mode(rng, nodes, gap) for i in range(int(rng.integers(1, 4)))}
    away = sum(_load(mode, nodes) for mode in modes.values())
    blocks = float(rng.uniform(0, 60))
    best = math.sqrt(2 * max(blocks, 1) * gap / len(modes))
    recovery: Spec = {"stages": {"detect": _s(rng.uniform(0, 300)), "nodes": "wait"}}
    recovery["stages"]["restart"], _ = _law(rng, gap * 10 ** rng.uniform(-2.5, -0.3))
    recovery["during_recovery"] = "absorb" if rng.random() < 0.2 else "restart"
    cluster: Spec = {"gpus": nodes, "gpus_per_node": 1, "nodes_per_rack": 8}
    cluster["spares"] = int(max(away + rng.uniform(-1, 5) * math.sqrt(away + 1), 0))
    if rng.random() < 0.2:
        cluster |= {"spare_kind": "cold", "provision": _s(rng.uniform(0, 1200)), "spare_failures": "50 %"}
    document: Spec = {
        "name": f"plain-{number}",
        "cluster": cluster,
        "failures": modes,
        "checkpoint": {"interval": _s(best * 10 ** rng.uniform(-0.5, 0.5)), "blocks": _s(blocks)},
        "recovery": recovery,
        "simulation": {"seed": number + 1},
    }
    if rng.random() < 0.3:
        document["checkpoint"]["durable_after"] = _s(rng.uniform(0, 300))
    if rng.random() < 0.3:
        document["workload"] = {"productive": _s(horizon / 3)}
    else:
        document["simulation"]["horizon"] = _s(horizon)
    return document


def _mode(rng: np.random.Generator, nodes: int, gap: float) -> Spec:
    per = str(rng.choice(["node", "node", "rack", "cluster", "job"]))
    units = {"node": nodes, "rack": math.ceil(nodes / 8)}.get(per, 1)
    mode: Spec = {"per": per, "mtbf": _s(gap * units * 10 ** rng.uniform(0, 0.7))}
    mode["clock"] = str(rng.choice(["calendar", "training"], p=[0.7, 0.3]))
    if per in ("node", "rack"):
        mode["transient"] = f"{rng.uniform(0, 90):.3g} %"
        mode["repair"], mean = _law(rng, HOUR * 10 ** rng.uniform(0, 2))
        if rng.random() < 0.2:
            share = 1 - float(mode["transient"].split()[0]) / 100
            load = share * mean * units / float(mode["mtbf"].split()[0])
            mode["repair"]["crews"] = math.ceil(load * rng.uniform(1, 2))
    if rng.random() < 0.2:
        mode["over_time"] = {"0 d": float(rng.uniform(1, 4)), f"{rng.uniform(1, 15):.3g} d": 1}
    return mode


def _load(mode: Spec, nodes: int) -> float:
    """Return about how many nodes a mode keeps in repair."""
    if "repair" not in mode:
        return 0.0
    law = next(value for name, value in mode["repair"].items() if name != "crews")
    mean = law if isinstance(law, str) else law["mean"]
    share = 1 - float(mode["transient"].split()[0]) / 100
    return nodes * share * float(mean.split()[0]) / float(mode["mtbf"].split()[0])


def _law(rng: np.random.Generator, mean: float) -> tuple[Spec, float]:
    """Return a random law of that *mean* (s), and the mean."""
    kind = str(rng.choice(LAWS))
    if kind == "constant":
        return {kind: _s(mean)}, mean
    law: Spec = {"mean": _s(mean)}
    if kind == "lognormal":
        law["sigma"] = float(rng.uniform(0.3, 1.5))
    return {kind: law}, mean


def _s(seconds: float) -> str:
    return f"{max(float(seconds), 0.001):.6g} s"


def outcome(document: Spec, replications: int) -> Outcome:
    """Return what is promised of a scenario, and what simulation says."""
    scenario = Scenario.model_validate(document)
    found = first_order(scenario)
    values = np.array([simulate(scenario, number).ettr for number in range(replications)])
    error = float(values.std(ddof=1)) / math.sqrt(replications)
    promised = None if found.why_not else found.ettr
    return Outcome(promised, found.why_not, found.ettr or 0.0, float(values.mean()), error)


def main() -> None:
    """Print a line for each scenario, and how far promises are off, what chance may explain taken away."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scenarios", type=int, default=300)
    parser.add_argument("--replications", type=int, default=16)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    kept, withheld = [], Counter[str]()
    for number in range(arguments.scenarios):
        found = outcome(plain(number, arguments.seed), arguments.replications)
        if found.promised is None:
            withheld[re.sub(r"[\d.]+|are|is", "#", found.reason)[:60]] += 1
            continue
        kept.append(found)
        simulated = f"simulated {found.simulated:.4f} ± {2 * found.error:.4f}"
        print(
            f"{number}: promised {found.promised:.4f}, {simulated}, off {100 * found.off:+.2f} pp", flush=True
        )
    offs = [abs(each.off) for each in kept]
    beyond = [max(abs(each.off) - 2 * each.error, 0.0) for each in kept]
    print(f"{len(kept)} promised: off by {100 * np.mean(offs):.2f} pp on average")
    for limit in (0.01, 0.02, 0.03):
        count = sum(each > limit for each in beyond)
        print(f"{count} off by more than {100 * limit:.0f} pp and two standard errors")
    for reason, count in withheld.most_common():
        print(f"{count} withheld: {reason}")


if __name__ == "__main__":
    main()
