"""What a sweep says of figures that are given: the order of its points, ties, ends, and what is unknown."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from clustersim.settings import Settings
from clustersim.store import RunError
from clustersim.studies.grid import BestPoint, Grid, GridFigures, GridPlan
from clustersim.studies.study import Simulations
from clustersim.studies.sweep import Sweep, SweepPlan, plan, sweep
from tests.unit.studies.clusters import HERE, job

START = "recovery.stages.start"
PRICE = "cost.per_effective_gpu_hour"
NAN = math.nan


def made(
    means: Sequence[float],
    alike: Sequence[int],
    vary: dict[str, str] | None = None,
    path: str = "ettr",
    told: bool = True,
    apart: float = 0.1,
    width: float = 0.01,
    replications: int = 8,
) -> Sweep:
    """A sweep whose points have these *means* of a metric, the first of the *alike* ones being the best."""
    vary = vary or {START: ",".join(f"{n}min" for n in range(1, len(means) + 1))}
    given = job(costs={"gpu_hour": "2 USD"}, replications=replications)
    planned = GridPlan.of(Grid.of([given], vary), False)
    count, place = len(planned.metrics), list(planned.metrics).index(path)
    figures, differences = np.full((2, len(means), count, 3), NAN)
    for index, mean in enumerate(means):
        figures[index, place] = mean, mean - width, mean + width
        differences[index, place] = apart, apart - width, apart + width
    found = GridFigures(
        np.full((count, 3), 0.5),
        figures,
        differences,
        np.full((len(means), count), told),
        np.full(len(means), 60.0),
        np.full((len(means), 2), NAN),
        {path: BestPoint(alike[0], list(alike))},
    )
    return Sweep.of(planned, found, [path])


def said(found: Sweep) -> str:
    return " ".join(map(str, found.advice))


def test_points_are_ranked_by_what_is_better_and_unknown_ones_come_last() -> None:
    means = [0.2, NAN, 0.9, 0.4, 0.9]
    assert made(means, [2]).ranked(5) == [0, 1, 2, 3, 4]
    assert made(means, [2]).ranked(4) == [2, 4, 3, 0]
    assert made(means, [0], path=PRICE).ranked(4) == [0, 3, 2, 4]
    assert made(means, [0], path=PRICE).ranked(1) == [0]
    assert made([0.8, 0.9] * 10, [1]).ranked(19) == [*range(1, 20, 2), *range(0, 18, 2)]
    less_certain = made(means, [2])
    less_certain.found.figures[2, less_certain.places["ettr"], 1:] = 0.1, 1.0
    assert less_certain.ranked(2) == [2, 4]


def test_the_best_point_is_told_with_its_value_and_todays() -> None:
    best = f"Best by ETTR: {START} = 2min, 0.900 ± 0.010"
    told, alike = (str(made([0.8, 0.9], [1], told=told).advice[0]) for told in (True, False))
    assert told == f"{best} (+10.0 ± 1.0 pp against the scenario as it is, 0.5000)."
    assert alike == f"{best} (not distinguishable from the scenario as it is, 0.5000)."
    assert made([0.8, 0.9], [1], told=False, apart=0.0).difference_words("ettr", 1) == "not distinguishable"
    same = made([0.8, 0.9], [1], told=False, apart=0.0, width=0.0)
    assert str(same.advice[0]).endswith(" (the same as the scenario as it is, 0.5000).")


@pytest.mark.parametrize(
    ("means", "alike", "text"),
    [
        ([0.9, 0.8, 0.7], [0], "every other point is distinguishable from it"),
        ([0.9, NAN, 0.7], [0], "every other point at which it is known is distinguishable from it"),
        ([0.9, NAN, NAN], [0], "At no other point is it known."),
        ([0.9, 0.8, 0.7], [0, 2], f"points together: {START} = 3min."),
        ([0.9] * 8, [0, *range(1, 7)], f"{START} = 6min; {START} = 7min."),
        ([0.9] * 9, list(range(8)), "7 of the other 8 points are indistinguishable from it"),
        ([0.9] * 8, list(range(8)), "Every other point is indistinguishable from it"),
    ],
)
def test_ties_are_named_or_counted(means: Sequence[float], alike: Sequence[int], text: str) -> None:
    assert text in said(made(means, alike))


def test_a_point_whose_interval_alone_is_unknown_is_known() -> None:
    found = made([0.9, 0.8], [0])
    found.found.figures[1, found.places["ettr"], 1:] = NAN
    assert "every other point is distinguishable from it" in said(found)


@pytest.mark.parametrize(("replications", "told"), [(1, False), (2, True)])
def test_points_are_told_from_each_other_by_two_replications_or_more(replications: int, told: bool) -> None:
    assert ("every other point" in said(made([0.9, 0.8], [0], replications=replications))) == told


@pytest.mark.parametrize(
    ("vary", "alike", "at"),
    [
        ({START: "1min,2min,3min"}, [0], f"{START} (1min)"),
        ({START: "1min,2min,3min"}, [2], f"{START} (3min)"),
        ({START: "1min,2min,3min"}, [1], None),
        ({START: "1min,2min,3min"}, [0, 1], None),
        ({START: "1min,2min"}, [0], None),
        ({START: "0min,2min,3min"}, [0], None),
        ({START: "1min,2min,3min", "checkpoint.blocks": "1s,2s,3s"}, [4], None),
        ({START: "1min,2min,3min", "checkpoint.blocks": "1s,2s,3s"}, [3, 4], None),
        ({START: "1min,2min,3min", "checkpoint.blocks": "1s,2s,3s"}, [0, 3], "checkpoint.blocks (1s)"),
        (
            {START: "1min,2min,3min", "checkpoint.blocks": "1s,2s,3s"},
            [8],
            f"{START} (3min) and of checkpoint.blocks (3s)",
        ),
    ],
)
def test_the_best_lies_at_an_end_of_the_axes_along_which_nothing_inside_is_as_good(
    vary: dict[str, str], alike: Sequence[int], at: str | None
) -> None:
    count = math.prod(values.count(",") + 1 for values in vary.values())
    warnings = [str(each) for each in made([0.9] * count, alike, vary).advice if each.warning]
    assert warnings == ([f"By ETTR the best lies at the end of {at}: look beyond it too."] if at else [])


@pytest.mark.parametrize(
    ("path", "apart", "told", "short"),
    [
        ("ettr", -0.1, True, True),
        ("ettr", -0.1, False, False),
        ("ettr", 0.1, True, False),
        (PRICE, 0.1, True, True),
        (PRICE, -0.1, True, False),
        (PRICE, 0.0, True, False),
    ],
)
def test_the_best_falls_short_where_it_is_surely_worse_than_today(
    path: str, apart: float, told: bool, short: bool
) -> None:
    found = made([0.6, 0.7], [0], path=path, told=told, apart=apart)
    assert found.falls_short(path) == short
    assert said(found).startswith("None of the points beats" if short else "Best by")


def test_a_plan_takes_so_long_for_each_replication_of_each_point() -> None:
    """Twice the points, replications and processes: twice the time."""
    vary, more = {START: "1min,2min,3min"}, {"checkpoint.blocks": "30s,30.000s"}
    one = plan(job(replications=8), vary=vary, settings=Settings(workers=1))
    many = plan(job(replications=16), vary=vary | more, settings=Settings(workers=2))
    assert (len(one.grid), len(many.grid), many.workers) == (3, 6, 2)
    assert many.seconds == pytest.approx(2 * one.seconds)
    horizons = "10 h", "70 h", "200 h"
    each = [plan(job(), vary={"simulation.horizon": [one]}, settings=HERE).seconds for one in horizons]
    every = plan(job(), vary={"simulation.horizon": horizons}, settings=HERE)
    assert every.seconds == pytest.approx(sum(each))
    assert every.to_dict() == {
        "axes": [axis.to_dict() for axis in every.grid.axes],
        "points": 3,
        "replications": 8,
        "workers": 1,
        "retune": False,
        "run_s": every.seconds,
    }


def test_a_plan_in_words() -> None:
    planned = SweepPlan(made([0.9] * 3, [0]).grid, 1000, False, 7200.0, 1)
    assert str(planned) == "3 points of 1,000 replications each, 3,000 in all: about 2 h on 1 worker."
    assert str(replace(planned, workers=2)).endswith(" on 2 workers.")


def test_the_interval_of_a_point_is_known_where_something_fails() -> None:
    found = made([0.9, 0.8], [0])
    ends = np.array([[30.0, 120.0], [NAN, NAN]])
    two = replace(found, found=found.found._replace(range_s=ends, interval_s=np.array([60.0, 90.0])))
    assert two.interval(0) == (60.0, 30.0, 120.0)
    assert [two.interval_words(index) for index in (0, 1)] == [
        ("60 s", "30 s to 2 min"),
        ("—", "nothing fails"),
    ]
    assert [point["range_s"] for point in two.body()["points"]] == [[30.0, 120.0], None]


def test_the_answer_says_what_was_asked_and_how_the_scenario_is() -> None:
    body = made([0.9, 0.8], [0]).body()
    assert body["study"] == "sweep"
    assert body["baseline"]["ettr"] == {"mean": 0.5, "low": 0.5, "high": 0.5}


def test_the_table_has_a_line_for_each_point_and_no_number_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "linesep", "\r\n")  # as on another system: the bytes are the same
    found = made([0.9, 0.8], [0])
    folder = found.save(tmp_path / "in" / "another").parent
    lines = (folder / "sweep.csv").read_bytes().decode().split("\n")
    assert lines[0] == ",".join(found.frame.columns)
    assert [line.partition(",")[0] for line in lines[1:]] == ["0", "1", ""]
    assert "\r" not in "".join(lines)
    assert list(pq.read_schema(folder / "sweep.parquet").names) == list(found.frame.columns)


def test_an_answer_that_is_no_json_does_not_take_the_place_of_another(tmp_path: Path) -> None:
    place = made([0.9], [0]).save(tmp_path)
    before = place.read_text("utf-8")
    with pytest.raises(ValueError, match="not JSON compliant"):
        made([math.inf], [0]).save(tmp_path)
    assert place.read_text("utf-8") == before


@pytest.mark.parametrize(
    ("other", "again"),
    [
        ({}, [0]),
        ({"metrics": ["mtti_s"]}, [0]),
        ({"vary": {START: "1min,3min"}}, []),
        ({"vary": {START: "2min,1min"}}, []),
        ({"retune": True}, []),
        ({"replications": 3}, []),
        ({"seed": 3}, []),
        ({"horizon": "3 d"}, []),
        ({"overrides": {START: "9 min"}}, []),
        ({"designs": [job(name="other")]}, []),
    ],
)
def test_points_are_taken_up_by_the_same_question_alone(
    other: dict[str, Any], again: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the scenario alone starts otherwise, the points are the same, but not their differences to it."""
    there = []

    def simulated(planned: GridPlan, running: Simulations) -> None:
        there.append(list(running.results))
        running.condense({0: {"count": np.array(8), "values": np.zeros(1)}}, planned.grid.designs[0])
        raise RunError("killed")

    monkeypatch.setattr(GridPlan, "simulated", simulated)
    question: dict[str, Any] = {"vary": {START: "1min,2min"}, "workers": 1, "resume": True}
    for asked in (question, question | other):
        with pytest.raises(RunError, match="killed"):
            sweep(job(), tmp_path / "sweep", **asked)
    assert there == [[], again]


def test_scenarios_alone_are_a_grid() -> None:
    designs = [job(), job(name="other")]
    grid = Grid.of(designs, {})
    assert [grid.say(index) for index in range(len(grid))] == ["scenario = job", "scenario = other"]


@pytest.mark.parametrize(("count", "end"), [(12, " 40."), (13, " 37, ...")])
def test_twelve_rounded_values_are_listed(count: int, end: str) -> None:
    found = str(made([0.9] * count, [1], {"cluster.spares": f"0..40:{count}"}).advice[-1])
    listed = found.removeprefix("Values of cluster.spares are rounded: ").removesuffix(", ...").split(", ")
    assert found.endswith(end)
    assert len(listed) == 12
