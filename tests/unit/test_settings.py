"""Settings: the same for every function that simulates, whole or as keywords."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import clustersim as cs
from clustersim.scenario import dump
from clustersim.scenario.model import Scenario
from clustersim.settings import Part, merged
from clustersim.store import ChoiceError
from clustersim.units import shown
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
    assert cs.Settings().load("chen-10k").name == "chen-10k"


@pytest.mark.parametrize(
    ("keywords", "why"),
    [
        *[({"workers": value}, "workers: .* is no number of processes") for value in (0, -1, 1.5, True, "2")],
        *[
            ({"precision": value}, "precision: .* is no half-width")
            for value in (0.0, -1.0, 1, math.nan, math.inf, 10**400)
        ],
        *[
            ({"executor": value}, "executor: .* is none")
            for value in ("", "Local", "dask:", "dasks", "local:1")
        ],
        ({"overrides": {5: "x"}}, "overrides: 5 is no dotted path"),
    ],
    ids=str,
)
def test_settings_that_are_none_are_refused_in_a_sentence(keywords: dict[str, Any], why: str) -> None:
    with pytest.raises(ChoiceError, match=why) as caught:
        cs.run(job(), **keywords)
    (value,) = keywords.values()
    assert shown(5 if isinstance(value, dict) else value) in str(caught.value)


@pytest.mark.parametrize("executor", [None, "local", "dask", "dask:tcp://host:8786", "dask:a\nb.json"])
def test_what_can_be_simulated_on_is_taken(executor: str | None) -> None:
    assert cs.Settings(executor=executor, workers=np.int64(2), precision=0.999).processes == 2


def test_without_workers_there_is_one_process_per_core_that_may_be_used(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {1, 3, 5}, raising=False)
    assert cs.Settings().processes == 3
    monkeypatch.delattr(os, "sched_getaffinity")
    for count, expected in ((7, 7), (None, 1)):
        monkeypatch.setattr(os, "cpu_count", lambda count=count: count)
        assert cs.Settings().processes == expected


def test_changes_are_those_that_are_given_and_go_over_the_overrides() -> None:
    assert cs.Settings().changes == {}
    overrides = {"simulation.seed": 1, "cluster.spares": 2, "costs": None}
    given = cs.Settings(seed=0, horizon="1 d", precision=0.005, overrides=overrides, workers=3)
    assert given.changes == {
        "simulation.seed": 0,
        "cluster.spares": 2,
        "costs": None,
        "simulation.horizon": "1 d",
        "simulation.precision": "0.5 pp",
    }
    assert cs.Settings(precision="0.7 pp").changes == {"simulation.precision": "0.7 pp"}
    assert cs.Settings(replications=3).changes == {"simulation.replications": 3}
    for settings in (given, cs.Settings(replications=3, workers=3)):
        assert settings.without_changes == cs.Settings(workers=3, progress=settings.progress)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1/1", (1, 1)),
        ("3/16", (3, 16)),
        ("16/16", (16, 16)),
        ("999999/999999", (999_999, 999_999)),
        ("17/16", None),
        ("0/3", None),
        ("0/0", None),
        ("-1/3", None),
        ("1/1000000", None),
        ("1000000/1", None),
        (" 1/3", None),
        ("1/3\n", None),
        ("3", None),
        ("1/3/5", None),
        ("a/b", None),
    ],
)
def test_a_part_is_a_number_of_so_many(text: str, expected: tuple[int, int] | None) -> None:
    if expected is None:
        with pytest.raises(ChoiceError, match="is none; the third of sixteen is 3/16") as caught:
            Part.parse(text)
        assert f"shard: {shown(text)} is none" in str(caught.value)
    else:
        assert Part.parse(text) == expected
        assert str(Part.parse(text)) == text


def test_parts_share_what_is_counted_out_in_turn() -> None:
    assert [index for index in range(10) if Part(2, 3).takes(index)] == [1, 4, 7]
    for index in range(10):
        assert [number for number in (1, 2, 3) if Part(number, 3).takes(index)] == [index % 3 + 1]
