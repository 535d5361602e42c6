"""Each key of the language is known to change what happens: none is accepted and without effect."""

from __future__ import annotations

import copy
import json
from collections import Counter
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, get_args

import numpy as np
import pytest

from clustersim.engine.replication import simulate
from clustersim.records import Phase, Records
from clustersim.scenario.keys import failure
from clustersim.scenario.keys.blocks import Block
from clustersim.scenario.keys.failure import FailureModeBlock
from clustersim.scenario.keys.laws import Law
from clustersim.scenario.keys.machine import ClusterSpecBlock, GroupBlock, SparePoolBlock
from clustersim.scenario.keys.plan import MaintenanceBlock
from clustersim.scenario.keys.recovery import RecoveryBlock
from clustersim.scenario.keys.repair import ByPart, Repair
from clustersim.scenario.keys.tiers import CheckpointSpecBlock, TierSpec
from clustersim.scenario.kinds.effects import EFFECTS
from clustersim.scenario.kinds.retirement import Retire
from clustersim.scenario.model import Scenario
from tests.oracle.agreement import disagreements
from tests.unit.kinds import BASE, ROWS, Row

BLOCKS: tuple[type[Block], ...] = (
    FailureModeBlock,
    *(kind for kind in EFFECTS.values() if kind.model_fields),
    failure.Spread,
    failure.Lemons,
    failure.Relapse,
    Retire,
    Repair,
    ByPart,
    RecoveryBlock,
    MaintenanceBlock,
    TierSpec,
    ClusterSpecBlock,
    SparePoolBlock,
    GroupBlock,
)
WORDS: Mapping[str, tuple[str, ...]] = {
    "effect": tuple(EFFECTS),
    "takes_down": failure.REACHES,
    "spreads to": get_args(failure.Domain),
    "spare_kind": ("hot", "cold", "lent"),
    "spare_choice": ("any", "fewest_failures"),
}
BY_WORD = {"FailureMode.effect", "FailureMode.takes_down", "FailureMode.spreads"}
BY_WORD |= {"ClusterSpec.spare_kind", "ClusterSpec.spare_choice"}
MARGIN = 1.05


def kinds() -> set[str]:
    """Every key of the blocks without the laws of a repair's time, and every word of a key that has words."""
    laws = set(Law.keys())
    names = {block: block.__name__.removesuffix("Block") for block in BLOCKS}
    keys = {f"{name}.{key}" for block, name in names.items() for key in set(block.keys()) - laws}
    keys |= {f"CheckpointSpec.{key}" for key in set(CheckpointSpecBlock.keys()) - set(TierSpec.keys())}
    return (keys - BY_WORD) | {f"{key}: {word}" for key, words in WORDS.items() for word in words}


def with_changes(document: dict[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return *document* with values by dotted path; None takes a key away."""
    document = copy.deepcopy(document)
    for path, value in changes.items():
        *above, last = path.split(".")
        block = document
        for name in above:
            block = block[name]
        block[last] = copy.deepcopy(value)
        if value is None:
            del block[last]
    return document


@cache
def history(text: str) -> tuple[Scenario, Records]:
    scenario = Scenario.model_validate(json.loads(text))
    return scenario, simulate(scenario, 0)


def struck_again_soon(records: Records) -> int:
    """Failures of nodes that had failed in the 3500 s before, hardly more than a repair takes."""
    last: dict[int, float] = {}
    count = 0
    for time, node in zip(records.incidents["time_s"], records.incidents["node"], strict=True):
        count += time - last.get(int(node), -np.inf) < 3500
        last[int(node)] = time
    return count


def away(records: Records) -> float:
    assert records.fleet is not None
    return records.fleet.away


MEASURES: Mapping[str, Callable[[Records], float]] = {
    "incidents": lambda records: records.incident_count,
    "interruptions": lambda records: records.interruptions,
    "nodes lost": lambda records: records.incidents["nodes_lost"].sum(),
    "early incidents": lambda records: int(np.count_nonzero(records.incidents["time_s"] < 25_000)),
    "idle nodes struck": lambda records: int(np.count_nonzero(records.incidents["doing"] == Phase.IDLE)),
    "struck again soon": struck_again_soon,
    "away": away,
}


def measured(what: str, document: dict[str, Any]) -> float:
    """Return how much of *what* there is in the history of *document*."""
    scenario, records = history(json.dumps(document))
    if what in MEASURES:
        return float(MEASURES[what](records))
    if what.startswith("stage "):
        names = [stage.name for stage in scenario.recovery.stages[1:]]
        return float(records.stages[names.index(what.removeprefix("stage "))]) / scenario.cluster.gpus
    return records.ledger[what] / scenario.cluster.gpus


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.kind)
def test_it_changes_what_happens(row: Row) -> None:
    document = with_changes(BASE, row.base)
    what = row.more or row.less
    without, given = measured(what, document), measured(what, with_changes(document, row.given))
    small, large = (without, given) if row.more else (given, without)
    assert large > MARGIN * small, f"{what}: {without} without, {given} with"
    assert large > 0


@pytest.mark.parametrize(
    "keys",
    [
        {"effect": {"flap": {"stall": {"exponential": {"mean": "40 s"}}}}},
        {"effect": {"corrupt": {"noticed_after": {"exponential": {"mean": "500 s"}}}}},
        {"notice": "2 min", "saves": "50 %"},
    ],
    ids=str,
)
def test_what_is_random_of_an_effect_is_drawn_as_the_naive_simulator_draws_it(keys: dict[str, Any]) -> None:
    document = {
        "name": "drawn",
        "cluster": {"gpus": 16, "spares": 2},
        "failures": {"any": {"per": "node", "mtbf": "4000 s"} | keys},
        "checkpoint": {"interval": "300 s", "blocks": "5 s"},
        "simulation": {"horizon": "20_000 s"},
    }
    assert disagreements(Scenario.model_validate(document)) == []


def test_every_kind_has_a_row() -> None:
    rows = Counter(row.kind for row in ROWS)
    assert kinds() - set(rows) == set()
    assert set(rows) - kinds() - {"StageTime.fails"} == set()
    assert max(rows.values()) == 1


@pytest.mark.parametrize("key", ["spare_kind", "spare_choice"])
def test_the_words_are_those_of_the_language(key: str) -> None:
    schema = ClusterSpecBlock.model_json_schema()["properties"][key]
    assert tuple(schema["enum"]) == WORDS[key]
