"""The points of a grid, made of given rows: what is told apart, the best, and which are simulated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest

from clustersim.scenario.model import Scenario
from clustersim.settings import Part, Settings
from clustersim.store import ChoiceError
from clustersim.studies import grid
from clustersim.studies.figures import ScenarioFigures
from clustersim.studies.grid import Grid, GridPlan
from clustersim.studies.search import FEW_CANDIDATES, Retuned
from clustersim.studies.study import Simulations
from tests.unit.studies.clusters import HERE, full, job

START, PRICE = "recovery.stages.start", "cost.per_effective_gpu_hour"
AWAY, CHANCE = "spares.away.p99", "ettr.chance.low"
Rows = dict[str, Any]
SINGLE = {"interval": "1 h", "blocks": "9 s"}
TIERS = {
    "tiers": {
        "near": {"interval": "5 min", "blocks": "1 s", "survives": ["job"]},
        "far": {"interval": "9 h", "blocks": "9 s"},
    }
}


class Given(Simulations):
    """Simulates nothing, and has the results itself; of two *processes*, and other settings, if need be."""

    def __init__(self, settings: Settings = HERE, processes: int = 1) -> None:
        super().__init__(settings)
        self.count, self.kept, self.sizes = processes, dict[int, Any](), list[int]()
        self.steps: list[tuple[int, int]] = []

    @property
    def processes(self) -> int:
        return self.count

    @property
    def in_every_shard(self) -> Given:
        return self

    @property
    def results(self) -> Mapping[int, Any]:
        return self.kept

    def condense(self, results: Mapping[int, Any], but: Scenario) -> None:
        self.sizes.append(len(results))
        self.kept.update(results)

    def towards(self, done: int, wanted: int) -> Simulations:
        self.steps.append((done, wanted))
        longer = super().towards(done, wanted)
        longer.wall_s = 3.0
        return longer


@pytest.fixture
def same(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is simulated has the same ETTR in two replications, and no better interval."""
    rows = {"ettr": column(0.5, 0.5)}
    monkeypatch.setattr(
        grid, "simulated", lambda scenarios, *_: [(ScenarioFigures(each), rows) for each in scenarios]
    )
    monkeypatch.setattr(grid, "retuned", lambda scenarios, *_: [Retuned(each) for each in scenarios])


def column(*values: float) -> Any:
    """Rows of one number each."""
    return np.array(values, dtype=float)[:, None]


def planned(count: int, scenario: Scenario | None = None, *more: Any) -> GridPlan:
    """So many points, which differ in their restarts."""
    values = ",".join(f"{n} min" for n in range(1, count + 1))
    return GridPlan.of(Grid.of([scenario or job()], {START: values}), *(more or (False,)))


class Points:
    """What comes of points whose rows are given, those of ETTR if need be; *chosen* metrics are resampled."""

    def __init__(self, scenario: Scenario, base: Rows, *points: Rows, chosen: Sequence[str] = ()) -> None:
        plan, answers = planned(len(points), scenario), iter([[base], points])
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(
                grid,
                "simulated",
                lambda scenarios, *_: [
                    (ScenarioFigures(each), {"ettr": column(*[0.5] * 4)} | rows)
                    for each, rows in zip(scenarios, next(answers), strict=True)
                ],
            )
            self.found = plan.simulated(Given()).found(chosen)
        self.rows = {path: row for row, path in enumerate(plan.metrics)}

    def told(self, path: str, index: int = 0) -> bool:
        """Whether the difference is more than chance."""
        return bool(self.found.told[index, self.rows[path]])

    def difference(self, path: str, index: int = 0) -> list[float]:
        """The difference, with both ends of its interval."""
        ends: list[float] = self.found.differences[index, self.rows[path]].tolist()
        return ends


def test_a_quotient_is_told_apart_where_both_are_alike_and_not_by_its_interval() -> None:
    """100 USD buy 1, 1, 1 and 37 effective hours: around 10 USD anything, around today's 2 USD too much.

    What 100 USD leave after paying 2 USD for each hour is 98, 98, 98 and 26: 80 with 3.18 x 18 of chance.
    """
    now = {PRICE: np.array([[100.0, 50.0]] * 4)}
    dear = {PRICE: np.array([[100.0, 1.0], [100.0, 1.0], [100.0, 1.0], [100.0, 37.0]])}
    found = Points(job(costs={"gpu_hour": "2 USD"}), now, dear, now)
    mean, low, high = found.difference(PRICE)
    assert mean == pytest.approx(8.0)
    assert low < 0 < high
    assert found.told(PRICE)
    assert not found.told(PRICE, 1)


def test_what_is_no_mean_is_told_apart_by_its_interval() -> None:
    """A quantile that is the same in all replications, and nodes away: one more here, one less there."""
    half, away = column(0.5, 0.5, 0.5, 0.5), np.array([[0.0, 1.0, 0.0]] * 4)
    varied = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]] * 2)
    points = [{"ettr.p10": half + gap, AWAY: varied if gap else away} for gap in (0.25, -0.25, 0.0)]
    found = Points(full(), {"ettr.p10": half, AWAY: away}, *points)
    assert [found.told("ettr.p10", index) for index in range(3)] == [True, True, False]
    mean, low, high = found.difference(AWAY)
    assert mean == 0.0
    assert low < 0 < high
    assert not found.told(AWAY)


def test_the_best_point_has_the_best_mean_however_far_it_scatters() -> None:
    even, scattered = ({"ettr": column(*values)} for values in ([0.55] * 4, [0.2, 1.0, 0.6, 0.6]))
    best = Points(job(), even, even, scattered).found.best["ettr"]
    assert (best.point, best.indistinguishable) == (1, [0, 1])


def test_the_bootstrap_finds_the_interval_of_a_chosen_quantile() -> None:
    base, more = column(0.1, 0.2, 0.3, 0.4), column(0.5, 0.6, 0.7, 0.9)
    found = Points(job(), {"ettr.p10": base}, {"ettr.p10": more}, {"ettr.p10": base}, chosen=["ettr.p10"])
    mean, low, high = found.difference("ettr.p10")
    assert 0 < low <= mean <= high < 1
    assert found.told("ettr.p10")
    assert found.difference("ettr.p10", 1) == [0.0, 0.0, 0.0]
    assert not found.told("ettr.p10", 1)


@pytest.mark.parametrize("path", [AWAY, CHANCE])
def test_what_one_number_of_each_replication_does_not_make_up_stays_as_it_is(path: str) -> None:
    """Nodes that are away have an interval of their own; what chance does is told by draws."""
    scenario = full(uncertain={"checkpoint.blocks": "10 s to 40 s"}, uncertainty={"per_draw": 2})
    rows = {
        AWAY: (np.array([[0.0, 1.0, 0.0]] * 4), np.array([[0.0, 0.0, 1.0], [0.0, 1.0, 0.0]] * 2)),
        CHANCE: tuple(np.array([[value, 2.0] for value in row]) for row in ([0.5, 0.6, 0.1, 0.2], [0.4] * 4)),
    }[path]
    plain, chosen = (
        Points(scenario, {path: rows[0]}, {path: rows[1]}, chosen=asked) for asked in ((), [path])
    )
    assert not np.isnan(plain.difference(path)[0])
    np.testing.assert_array_equal(chosen.difference(path), plain.difference(path))
    assert chosen.told(path) == plain.told(path)


@pytest.mark.usefixtures("same")
def test_a_shard_simulates_the_points_that_are_its_own_by_their_numbers() -> None:
    """From 1 on five points are numbered to 5: of 1/3 is the third alone."""
    running = Given(Settings(workers=1, part=Part(1, 3)))
    planned(5).simulated(running, 1)
    assert list(running.kept) == [3]


@pytest.mark.usefixtures("same")
@pytest.mark.parametrize(
    ("checkpoint", "retune", "times"),
    [(SINGLE, False, 1), (SINGLE, True, 2), (TIERS, True, 1 + FEW_CANDIDATES)],
)
def test_what_is_there_already_counts_as_progress(checkpoint: Any, retune: bool, times: int) -> None:
    """To retune, a point is simulated once more, or for each candidate where outages depend on them."""
    running = Given()
    running.kept = {0: {}, 2: {}}
    planned(5, job(replications=2, checkpoint=checkpoint), retune).simulated(running)
    assert running.steps == [(2 * 2 * times, 2 * (1 + 5 * times))]
    assert sorted(running.kept) == [0, 1, 2, 3, 4]


@pytest.mark.usefixtures("same")
def test_the_seconds_of_a_grid_are_added_to_those_before() -> None:
    running = Given()
    running.wall_s = 5.0
    planned(1).simulated(running)
    assert running.wall_s == 5.0 + 3.0


@pytest.mark.usefixtures("same")
@pytest.mark.parametrize(("processes", "sizes"), [(1, [1, 1, 1, 1]), (2, [2, 2])])
def test_more_workers_have_more_points_in_a_part(
    processes: int, sizes: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    plan, running = planned(4), Given(processes=processes)
    monkeypatch.setattr(grid, "PART_S", 0.75 * 8 * plan.seconds.max())
    plan.simulated(running)
    assert running.sizes == sizes


@pytest.mark.usefixtures("same")
@pytest.mark.parametrize(
    ("checkpoint", "tier", "seconds"), [(TIERS, "near", 300), (TIERS, None, 9 * 3600), ("none", None, np.nan)]
)
def test_the_interval_of_a_point_is_that_of_the_tier(
    checkpoint: Any, tier: str | None, seconds: float
) -> None:
    plan = planned(2, job(checkpoint=checkpoint), False, tier)
    np.testing.assert_array_equal(plan.simulated(Given()).found().interval_s, [seconds] * 2)


def test_a_tier_that_is_not_there_is_refused_before_anything_is_simulated() -> None:
    scenario = job(checkpoint=TIERS)
    with pytest.raises(ChoiceError, match=r"^job: no tier 'fra'; did you mean \"far\"\?$"):
        planned(2, scenario, True, "fra")
    with pytest.raises(ChoiceError, match=r"^job: no tier 'x'; allowed are near, far$"):
        planned(2, scenario, True, "x")


def test_a_grid_may_have_as_many_points_as_there_may_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grid, "MOST_POINTS", 3)
    assert len(Grid.of([job()], {START: "1s,2s,3s"})) == 3
    with pytest.raises(ChoiceError, match=r"^4 values are 4 points, and a sweep has at most 3:"):
        Grid.of([job()], {START: "1s,2s,3s,4s"})
    with pytest.raises(ChoiceError, match="begins with its path"):
        Grid.of([job()], {"": "1s,2s"})


def test_sizes_are_whole_nodes_of_each_replica() -> None:
    """Five replicas of nodes of 8 cards: multiples of 40, which 733 and 867 lie next to as 720 and 880."""
    scenario = job(recovery={"stages": {"start": "5 min"}, "replicas": 5})
    (axis,) = Grid.of([scenario], {"cluster.gpus": "600..1000:4"}).axes
    assert [value.text for value in axis.values] == ["600", "720", "880", "1000"]
