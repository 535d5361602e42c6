"""Settings: the same for every function that simulates, whole or as keywords."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import clustersim as cs
from clustersim.scenario import dump
from clustersim.scenario.model import Scenario
from clustersim.settings import merged
from clustersim.store import ChoiceError
from tests.unit.studies.clusters import job

FUNCTIONS = [
    cs.run,
    cs.tune,
    cs.levers,
    cs.validate,
    lambda given, **keywords: cs.compare([given], **keywords),
]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_function_takes_them_and_refuses_what_is_none(function: Callable[..., Any]) -> None:
    with pytest.raises(
        TypeError, match='"replicatons" is not one of the settings; did you mean "replications"'
    ):
        function(job(), replicatons=2)
    with pytest.raises(ChoiceError, match="leave one out"):
        function(job(), settings=cs.Settings(replications=2), precision=0.01)


def test_a_run_by_settings_is_a_run_by_keywords() -> None:
    given: dict[str, Any] = {"seed": 9, "replications": 2, "horizon": "1 h", "workers": 1}
    by_settings = cs.run(job(), settings=cs.Settings(**given)).summary
    assert by_settings == cs.run(job(), **given).summary
    assert (by_settings["seed"], by_settings["replications"], by_settings["horizon_s"]) == (9, 2, 3600.0)


def test_a_keyword_goes_over_the_settings_and_none_leaves_them() -> None:
    found = merged(cs.Settings(seed=1, workers=2, force=True), {"seed": 5, "workers": None, "force": False})
    assert (found.seed, found.workers, found.force) == (5, 2, False)
    assert merged(None, {}).changes == {}


def test_a_scenario_is_the_same_loaded_named_or_in_a_file(tmp_path: Path) -> None:
    settings = cs.Settings(precision=0.005, overrides={"checkpoint.blocks": "9 s", "costs": None})
    priced: Scenario = job(costs={"gpu_hour": "1 USD"})
    (tmp_path / "job.yaml").write_text(dump(priced))
    loaded = settings.load(priced)
    assert (
        loaded.hash
        == settings.load(tmp_path / "job.yaml").hash
        == settings.load(str(tmp_path / "job.yaml")).hash
    )
    assert (loaded.simulation.precision, loaded.costs) == (0.005, None)
    assert settings.without_changes.load(loaded) is loaded


@pytest.mark.parametrize(
    ("keywords", "why"),
    [
        *[({"workers": value}, "workers: .* is no number of processes") for value in (0, -1, 1.5, True, "2")],
        *[
            ({"precision": value}, "precision: .* is no half-width")
            for value in (0.0, -1.0, math.nan, math.inf, 10**400)
        ],
        ({"overrides": {5: "x"}}, "overrides: 5 is no dotted path"),
    ],
    ids=str,
)
def test_settings_that_are_none_are_refused_in_a_sentence(keywords: dict[str, Any], why: str) -> None:
    with pytest.raises(ChoiceError, match=why):
        cs.run(job(), **keywords)
