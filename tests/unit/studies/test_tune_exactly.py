"""What `tune` simulates and what it takes from that, of scores that are exactly known."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from clustersim import theory
from clustersim.arrays import Floats
from clustersim.experiment import PartDone
from clustersim.scenario import loads
from clustersim.settings import Part
from clustersim.store import ChoiceError
from clustersim.studies.grid import GridPlan
from clustersim.studies.search import Search
from clustersim.studies.study import Worth, simulations
from clustersim.studies.tune import Tuning, tune
from tests.unit.studies.clusters import HERE, HOUR, TIERS, job

BLOCKS = "checkpoint.blocks"


def hill(level: float, at: float, count: int) -> Floats:
    """ETTR of so many replications: highest on average at 10 minutes, in each a little beside that."""
    return np.asarray(level - 0.01 * np.log(at / 600 / np.geomspace(0.9, 1 / 0.9, count)) ** 2)


def chosen(at: float, count: int) -> Floats:
    """ETTR in those replications on which the interval is chosen."""
    return hill(0.9, at, count)


def judged(at: float, count: int) -> Floats:
    """ETTR in those on which it is judged, all a little worse."""
    return hill(0.8, at, count)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Of each tuning the scenario, the tier, both parts of the replications, and whether it is in full."""
    found: list[Any] = []

    def scores(scenario: Any, tier: Any, parts: Sequence[range], _: Any, *, in_full: bool) -> list[Any]:
        found.append(SimpleNamespace(scenario=scenario, tier=tier.name, parts=parts, in_full=in_full))

        def of(ettr: Callable[[float, int], Floats], part: range) -> Any:
            return lambda intervals: [ettr(at, len(part)) for at in intervals]

        return [of(ettr, part) for ettr, part in zip((chosen, judged), parts, strict=True)]

    monkeypatch.setattr("clustersim.studies.tune.scores", scores)
    return found


def tuned(scenario: Any = None, **more: Any) -> Tuning:
    return tune(job(interval="1 h") if scenario is None else scenario, **{"settings": HERE} | more)


@pytest.mark.parametrize(("given", "count", "fresh"), [(4, 4, 4), (20, 20, 16), (40, 40, 20), (None, 64, 32)])
def test_half_as_many_judge_what_was_chosen_but_sixteen_where_there_are_as_many(
    given: int | None, count: int, fresh: int, asked: list[Any]
) -> None:
    found = tuned(job(simulation={"horizon": "9 d"} | ({"replications": given} if given else {})))
    (parts,) = (each.parts for each in asked)
    assert (found.replications, found.fresh_replications) == (count, fresh)
    assert parts == (range(count), range(count, count + fresh))


def test_the_gains_are_those_of_the_round_interval_on_the_replications_that_judge(asked: list[Any]) -> None:
    """The formulas' intervals, of 7 or 8 minutes, cannot be told from the best; an hour can."""
    more = {"workload": {"productive": "9 h"}, "costs": {"gpu_hour": "2 USD"}, "replications": 4}
    scenario = job(interval="1 h", **more)
    found = tuned(scenario)
    forms = {"young": theory.young, "daly": theory.daly, "exact": theory.optimal}
    intervals = {name: form(HOUR, 30) for name, form in forms.items()} | {"now": HOUR}
    assert (found.young_s, found.daly_s, found.exact_s, found.now_s) == tuple(intervals.values())
    assert {gain.over: gain.interval_s for gain in found.gains} == intervals
    assert (found.boundary, found.recommended_s) == (None, 600.0)
    assert found.best_s == pytest.approx(600, rel=0.02)
    assert found.range_s is not None
    assert found.range_s[0] < intervals["daly"] < intervals["young"] < found.best_s < found.range_s[1] < HOUR
    for gain in found.gains:
        at = judged(gain.interval_s, 4)
        assert gain.worth == Worth.of(scenario, at, scenario, judged(600.0, 4))
        assert (gain.outside, gain.distinguishable) == (gain.over == "now", gain.over == "now")
    assert found.ettr_at_best is not None
    assert found.ettr_now is not None
    assert found.ettr_at_best.mean == judged(found.best_s, 4).mean()
    assert (found.ettr_now.mean, found.ettr_now.count) == (judged(HOUR, 4).mean(), 4)
    curve = {each.interval_s: each for each in found.curve}
    assert set(intervals.values()) < set(curve)
    assert list(curve) == sorted(curve)
    for at, each in curve.items():
        assert each.ettr.mean == chosen(at, 4).mean()
        assert each.distinguishable == (not found.range_s[0] <= at <= found.range_s[1])
    assert found.given.target_s == 9 * HOUR
    assert [each.scenario.target_s for each in asked] == [None]


@pytest.mark.parametrize("flat", [(300.0, HOUR), (HOUR, 2 * HOUR)])
def test_the_ends_of_what_cannot_be_told_from_the_best_belong_to_it(
    flat: tuple[float, float], asked: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Search, "flat_range", lambda _: flat)
    assert [gain.outside for gain in tuned().gains if gain.over == "now"] == [False]


def test_settings_are_those_of_the_tuning_and_so_are_the_candidates(asked: list[Any]) -> None:
    found = tuned(settings=replace(HERE, replications=5), seed=7, candidates=9)
    assert (found.replications, found.given.simulation.seed, len(found.curve)) == (5, 7, 9)


@pytest.mark.parametrize(
    ("scenario", "more", "tier", "why"),
    [
        (None, {}, "checkpoint", None),
        (None, {"simulate": True}, "checkpoint", "asked for"),
        (TIERS, {}, "storage", "with tiers, replicas or such effects"),
        (TIERS, {"tier": "peer"}, "peer", "with tiers, replicas or such effects"),
    ],
)
def test_all_is_simulated_in_full_where_outages_depend_on_saves_or_it_is_asked_for(
    scenario: Any, more: Any, tier: str, why: str | None, asked: list[Any]
) -> None:
    found = tuned(scenario and loads(scenario), **more)
    assert [(each.tier, each.in_full) for each in asked] == [(tier, why is not None)]
    assert (found.tier.name, str(found.simulated)[: len(str(why))]) == (tier, str(why))


def test_parts_are_for_what_does_not_choose_as_it_goes(asked: list[Any]) -> None:
    part = replace(HERE, part=Part(1, 2))
    for scenario, simulate in ((job(), False), (job(failures="none", interval="1 h"), True)):
        with pytest.raises(PartDone):
            tuned(scenario, settings=part, simulate=simulate)
    with pytest.raises(ChoiceError, match=r"in full \(asked for\) is chosen .* no shards"):
        tuned(settings=part, simulate=True)
    assert len(asked) == 1


def test_each_list_of_other_values_is_a_sweep_with_the_best_interval(
    asked: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of 64 replications where nobody says how many; their points are numbered one sweep after the other."""
    swept: list[tuple[GridPlan, int]] = []

    def simulated(plan: GridPlan, _: Any, start: int) -> Any:
        swept.append((plan, start))
        return SimpleNamespace(found=lambda: start)

    monkeypatch.setattr(GridPlan, "simulated", simulated)
    over = {"checkpoint.tiers.peer.load": "1s,2s", "failures.rack.mtbf": "9 d"}
    blocks, two = "checkpoint.tiers.peer.blocks", loads(TIERS, overrides={"simulation.replications": None})
    found = tuned(two, tier="peer", blocks="1s..3s:3", over=over)
    assert [(plan.grid.axes[0].path, start) for plan, start in swept] == list(
        zip([blocks, *over], [0, 3, 5], strict=True)
    )
    assert {(plan.retune, plan.tier) for plan, _ in swept} == {(True, "peer")}
    assert [each.found for each in found.sweeps] == [0, 3, 5]
    assert [each.replications for each in found.sweeps] == [64] * 3
    assert found.given is not found.sweeps[0].given
    with pytest.raises(ChoiceError, match=f"^{blocks} has two lists of values, one of them by blocks"):
        tuned(two, tier="peer", blocks="1s", over={blocks: "2s"})


def test_what_is_kept_is_of_one_tier_and_the_same_other_values(
    asked: list[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without other values it serves either tier: their replications are told apart by the scenario."""
    seen: list[Any] = []

    def spied(how: Any, *given: Any, question: Any, condensed: bool) -> Any:
        seen.append((*given[:2], given[2].name, condensed, str(question)))
        return simulations(how, *given, question=question, condensed=condensed)

    monkeypatch.setattr("clustersim.studies.tune.simulations", spied)
    monkeypatch.setattr(GridPlan, "simulated", lambda *_: SimpleNamespace(found=lambda: None))
    monkeypatch.setattr(Tuning, "save", lambda _, folder: Path(folder).mkdir())
    two, rarer = loads(TIERS), {"failures.rack.mtbf": "50 d"}
    for number, question in enumerate(
        ({"tier": "peer"}, {}, {"over": rarer}, {"over": rarer, "tier": "peer"}, {"blocks": "9s"})
    ):
        tuned(two, output=tmp_path / str(number), **question)
    assert [each[:4] for each in seen] == [(tmp_path / str(n), "tune", "two", True) for n in range(5)]
    assert [each[4] for each in seen[:2]] == ["{}"] * 2
    assert len({each[4] for each in seen}) == 4
    assert sorted(path.name for path in tmp_path.iterdir()) == list("01234")
