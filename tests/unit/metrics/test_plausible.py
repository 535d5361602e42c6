"""A summary that was read: what in it cannot be that of a run is said, and what can be is taken."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import numpy as np
import pytest

from clustersim.engine.ledger import Entry
from clustersim.metrics import plausible
from clustersim.metrics.plausible import wrong_with
from clustersim.records import FleetUse
from clustersim.results import summarise
from clustersim.scenario.facts import facts_of
from clustersim.scenario.model import Scenario
from tests.unit.test_summary import BAD, GOOD, books, scenario

PRECISE = {"simulation": {"horizon": "10 h", "precision": "90 pp"}}
UNCERTAIN = {
    "uncertain": {"recovery.stages.restart": "2 to 12 min"},
    "uncertainty": {"draws": 2, "per_draw": 1},
}


def made(asked: Scenario, counted: bool = True) -> dict[str, Any]:
    """Return the summary of two replications of which a node was away for some of the time, if *counted*."""
    use = FleetUse(np.array([30_000.0, 6_000.0]), 0.0, np.zeros(401), np.zeros(401))
    one, two = books(GOOD), books(BAD, number=1)
    fleet = {"fleet": use if counted else None}
    return summarise(asked, [type(each)(**{**vars(each), **fleet}) for each in (one, two)])


def wrong(asked: Scenario, *changes: tuple[str, Any], counted: bool = True) -> list[str]:
    """Return what is wrong with the summary once these values are set by path, or taken out for `...`."""
    summary = deepcopy(made(asked, counted))
    for path, value in changes:
        *blocks, name = path.split(".")
        block = summary
        for each in blocks:
            block = block[each]
        if value is ...:
            del block[name]
        else:
            block[name] = value
    return list(wrong_with(summary, facts_of(asked)))


def test_what_was_summarised_is_plausible() -> None:
    assert wrong(scenario()) == []
    assert wrong(scenario(), counted=False) == []
    assert wrong(scenario(**PRECISE)) == []
    assert wrong(scenario(), ("ettr.p10", -1e-10), ("ettr.p90", 1 + 1e-10), ("half_width", 7.0)) == []


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("margins", ..., "has no margins"),
        ("margins", [], "has no margins"),
        ("reasons", None, "has no reasons"),
        ("ettr.p10", ..., "has no ettr.p10"),
        ("ettr", 0.5, "has no ettr.mean"),
        ("ledger.stall", ..., "has no ledger.stall"),
        ("random", ..., "has no random"),
        ("random", 1, "random is not what it should be"),
        ("no_progress", "no", "no_progress is not what it should be"),
        ("waste", [], "waste is not what it should be"),
        ("precision", [], "precision is not what it should be"),
        ("seed", 2, "seed is not that of the scenario beside it"),
        ("gpus", 81, "gpus is not that of the scenario beside it"),
        ("mtbf_s", None, "mtbf_s is not that of the scenario beside it"),
        ("currency", "EUR", "currency is not that of the scenario beside it"),
        ("ettr.mean", None, "ettr.mean is unknown, which it cannot be"),
        ("ettr.mean", float("nan"), "ettr.mean is no number"),
        ("ettr.mean", True, "ettr.mean is no number"),
        ("ettr.mean", "0.5", "ettr.mean is no number"),
        ("ettr.mean", 1.00001, "ettr.mean is 1.00001, which is out of its range"),
        ("ettr.p50", -1e-8, "ettr.p50 is -1e-08, which is out of its range"),
        ("effective_gpus", -1.0, "effective_gpus is -1, which is out of its range"),
        ("effective_gpus", float("inf"), "effective_gpus is no number"),
        ("spares.short", 2, "spares.short is 2, which is out of its range"),
        ("incidents_by_mode.node", ..., "has no incidents_by_mode.node"),
    ],
)
def test_what_cannot_be_is_said(path: str, value: Any, said: str) -> None:
    found = wrong(scenario(**PRECISE), (path, value))
    assert found[0] == said
    assert len(found) == 1 or path == "ettr"


def test_what_may_be_unknown_may_be_missing_its_number_and_no_more() -> None:
    assert wrong(scenario(), ("half_width", None), ("mtti_s", None), ("ettr.low", None)) == []
    calm = facts_of(scenario(failures="none"))  # which has no MTBF
    for mtbf, count in ((None, 0), (5.0, 1)):
        said = wrong_with({**made(scenario()), "mtbf_s": mtbf}, calm)
        assert sum("mtbf_s is not" in each for each in said) == count
    assert wrong(scenario(), ("spares", ...)) == []  # nobody may have counted nodes


def test_names_may_hold_dots() -> None:
    tiers = {"a": {"loads": 1}, "a.b": {"loads": 2}, "a.b.c": {"d": {"loads": 3}}}
    for path, value in (("a.loads", 1), ("a.b.loads", 2), ("a.b.c.d.loads", 3)):
        assert plausible._at({"tiers": tiers}, f"tiers.{path}") == value
    for path in ("tier", "tiers.a.c", "tiers.a.loads.b", "tiers.ab.loads", "tiersaa.loads"):
        assert plausible._at({"tiers": tiers}, path) is plausible.MISSING


def test_of_uncertain_inputs_a_draw_has_its_own_figures() -> None:
    uncertain = scenario(**UNCERTAIN)
    assert wrong(uncertain, ("gpus", 1), ("mtbf_s", 5.0)) == []
    for path, value in (("seed", 7), ("name", "other")):
        assert wrong(uncertain, (path, value)) == [f"{path} is not that of the scenario beside it"]
    assert wrong(uncertain, ("ettr.inputs.p5", -0.5), ("ettr.inputs.p95", 1.5)) == []
    assert wrong(uncertain, ("ettr.draws", ...)) == ["has no ettr.draws"]


def test_all_entries_of_the_ledger_are_there() -> None:
    for entry in Entry:
        assert wrong(scenario(), (f"ledger.{entry.label}", ...)) == [f"has no ledger.{entry.label}"]
