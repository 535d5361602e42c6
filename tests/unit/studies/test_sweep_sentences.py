"""What a sweep says of figures that are given: the order of its points, ties, ends, and what is unknown."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from clustersim.settings import Settings
from clustersim.studies.grid import BestPoint, Grid, GridFigures, GridPlan
from clustersim.studies.sweep import Sweep, plan
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
) -> Sweep:
    """A sweep whose points have these *means* of a metric, the first of the *alike* ones being the best."""
    vary = vary or {START: ",".join(f"{n}min" for n in range(1, len(means) + 1))}
    planned = GridPlan.of(Grid.of([job(costs={"gpu_hour": "2 USD"})], vary), False)
    count, place = len(planned.metrics), list(planned.metrics).index(path)
    figures, differences = np.full((2, len(means), count, 3), NAN)
    for index, mean in enumerate(means):
        figures[index, place] = mean, mean - 0.01, mean + 0.01
        differences[index, place] = apart, apart - 0.01, apart + 0.01
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


def test_the_best_point_is_told_with_its_value_and_todays() -> None:
    best = f"Best by ETTR: {START} = 2min, 0.900 ± 0.010"
    told, alike = (str(made([0.8, 0.9], [1], told=told).advice[0]) for told in (True, False))
    assert told == f"{best} (+10.0 ± 1.0 pp against the scenario as it is, 0.5000)."
    assert alike == f"{best} (not distinguishable from the scenario as it is, 0.5000)."


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
    text = said(made([0.9] * count, alike, vary))
    assert ("lies at the end of" in text) == (at is not None)
    if at is not None:
        assert f"By ETTR the best lies at the end of {at}: look beyond it too." in text


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


def test_the_interval_of_a_point_is_known_where_something_fails() -> None:
    found = made([0.9, 0.8], [0])
    ends = np.array([[30.0, 120.0], [NAN, NAN]])
    two = replace(found, found=found.found._replace(range_s=ends, interval_s=np.array([60.0, 90.0])))
    assert two.interval(0) == (60.0, 30.0, 120.0)
    assert [two.interval_words(index) for index in (0, 1)] == [
        ("60 s", "30 s to 2 min"),
        ("—", "nothing fails"),
    ]


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
