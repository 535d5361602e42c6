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
from tests.sentences.proofs import Said, unproven

SCENARIOS, SLICES = 500, 10


def written(seed: int) -> dict[str, Any]:
    """A random scenario: every second one plain, every tenth of all families, the others of one or two."""
    rng = random.Random(seed)
    few = rng.sample(list(FAMILIES), rng.choice([1, 2]))
    families = [] if seed % 2 == 0 else [name for name in FAMILIES if seed % 10 == 9 or name in few]
    spec = scenario(rng.choice, False, *families)
    spec["simulation"]["replications"] = rng.choice([1, 2, 4, 8, 8])
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
