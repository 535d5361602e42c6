"""No sentence about a run compares without proof: over random scenarios, plain ones and of every family."""

from __future__ import annotations

import random
from typing import Any

import pytest

from clustersim import run
from clustersim.advice import advise
from clustersim.headline import headline
from clustersim.results import Results
from clustersim.scenario.model import Scenario
from tests.oracle.random_families import FAMILIES
from tests.oracle.random_scenarios import scenario
from tests.sentences.proofs import PROOFS, READ, Said, unproven

SCENARIOS, SLICES = 500, 10


def written(seed: int) -> dict[str, Any]:
    """A random scenario: every second one plain, every tenth of all families, the others of one or two.

    Ten of them ask for a precision; in ten nodes fail by the calendar and there are no spares, so that it is
    known how many would suffice; ten have many kinds of stragglers; and ten save to a tier that no failure
    leaves of use.
    """
    rng = random.Random(seed)
    few = rng.sample(list(FAMILIES), rng.choice([1, 2]))
    families = [] if seed % 2 == 0 else [name for name in FAMILIES if seed % 10 == 9 or name in few]
    spec = scenario(rng.choice, False, *families)
    spec["simulation"]["replications"] = rng.choice([1, 2, 4, 8, 8])
    if seed % 50 == 22:
        node = {"per": "node", "mtbf": f"{rng.uniform(50, 90)} h", "clock": "calendar", "repair": "200 s"}
        spec |= {"cluster": {"gpus": 100, "gpus_per_node": 1}, "failures": {"node": node}}
    if seed % 50 == 32:
        slow = {"per": "node", "effect": {"slow": {"factor": 0.5}}, "detect": "120 s"}
        spec["failures"] = {f"slow {n}": slow | {"mtbf": f"{rng.uniform(1, 9)} h"} for n in range(5)}
    if seed % 50 == 42:
        node = {"per": "node", "mtbf": f"{rng.uniform(1, 4)} h", "repair": "100 s"}
        quick = {"interval": "2 min", "blocks": "1 s", "survives": ["job"]}
        storage = {"interval": "6 min", "blocks": "5 s", "load": "10 s"}
        spec |= {"cluster": {"gpus": 100, "gpus_per_node": 1, "spares": 9}, "failures": {"node": node}}
        spec["checkpoint"] = {"tiers": {"memory": quick, "storage": storage}}
        spec["recovery"] = {"stages": {"detect": "5 s", "restart": "10 s", "load": "checkpoint"}}
    if seed % 50 == 12:
        del spec["simulation"]["replications"]
        spec["simulation"]["precision"] = "5 pp"
    spec["expect"] = {"ettr": f"{rng.choice(['>=', '<=', '>', '<'])} {rng.choice([0.2, 0.5, 0.8, 0.9])}"}
    if rng.random() < 0.5:
        spec["costs"] = {"gpu_hour": "2 USD"}
    return spec


def sentences(results: Results) -> list[str]:
    """All that is said of a run."""
    first = headline(results.scenario, results.summary)
    texts = [first.verdict, *first.expectations, *advise(results.scenario, results.summary)]
    return [str(text) for text in texts]


@pytest.mark.parametrize("first", range(SLICES))
def test_what_is_said_of_a_run_holds(first: int) -> None:
    wrong = []
    for seed in range(first, SCENARIOS, SLICES):
        said = Said(run(Scenario.model_validate(written(seed)), workers=1))
        for sentence in sentences(said.results):
            wrong += [f"{seed}: {why}" for why in unproven(said, sentence)]
    assert wrong == []


def test_every_proof_was_needed() -> None:
    """It runs after all of the above, in their process: a proof that reads nothing proves nothing."""
    assert set(PROOFS) - READ == set()
