"""Points: how many replications each needs, how they are shared out, and what they are kept under."""

from __future__ import annotations

import platform
import sys
from collections.abc import Sequence
from concurrent.futures import Executor, Future
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import clustersim as cs
from clustersim import experiment
from clustersim.estimate import FIRST_LOOK, MOST_REPLICATIONS
from clustersim.experiment import Interrupted, PartDone, Point, batches, resumable, simulate_all, work_key
from clustersim.scenario.describe import replication_s
from clustersim.scenario.drawing import drawn
from clustersim.scenario.model import Scenario
from clustersim.settings import Part, Settings
from clustersim.store import ChoiceError, Measured, Measurements, ReplicationStore
from clustersim.workers import Batch, InOrder, Local
from tests.unit.test_experiment import Counting, Notes

UNCERTAIN = {
    "uncertain": {"recovery.stages.restart": "2 to 12 min"},
    "uncertainty": {"draws": 6, "per_draw": 3},
}


def scenario(**more: Any) -> Scenario:
    return Scenario.model_validate(
        {
            "name": "small",
            "cluster": {"gpus": 8},
            "failures": {"job": {"per": "job", "mtbf": "6 h", "clock": "calendar"}},
            "checkpoint": {"interval": "30 min", "blocks": "1 min"},
            "recovery": {"stages": {"detect": "1 min", "restart": "4 min"}},
            "simulation": {"horizon": "2 d", "replications": 6},
        }
        | more
    )


def simulation(**entries: Any) -> dict[str, Any]:
    return {"simulation": {"horizon": "2 d", **entries}}


def store_of(values: list[float], struck: int = 1, drawn: bool = True) -> Measurements:
    """Return the store of replications with these ETTRs, in each of which the one mode struck so often."""
    store = Measurements()
    for number, value in enumerate(values):
        kept = {"ettr": np.array(value), "drawn": np.array(drawn), "struck": np.array([struck])}
        store.put(Measured(number, kept))
    return store


def alternating(count: int, low: float = 0.4, high: float = 0.6) -> list[float]:
    return [low, high] * (count // 2)


def test_how_many_a_point_needs_is_asked_for_or_fixed() -> None:
    asked = Point.of(scenario(), ReplicationStore())
    assert (asked.wanted, asked.fixed, asked.missing()) == (6, True, [0, 1, 2, 3, 4, 5])
    precise = scenario(**simulation(precision="1 pp"))
    assert Point.of(precise, ReplicationStore(), 4).missing() == [0, 1, 2, 3]
    assert Point.of(precise, ReplicationStore(), 4).fixed
    point = Point.of(precise, ReplicationStore())
    assert (point.wanted, point.fixed, point.missing()) == (FIRST_LOOK, False, [*range(FIRST_LOOK)])
    # Of uncertain inputs the first look is at the draws that were asked for, and the last at whole draws.
    uncertain = scenario(**UNCERTAIN, **simulation(precision="1 pp"))
    looks = [(nested := Point.of(uncertain, ReplicationStore())).wanted, *nested.schedule]
    assert looks[:3] == [18, 36, 72]
    assert looks[-1] == MOST_REPLICATIONS // 3 * 3 == 9_999


def test_a_precision_asks_for_more_until_it_is_met() -> None:
    # Of n values, half of them 0.4 and half 0.6: the half-width is about 1.96 * 0.1 / sqrt(n).
    precise = scenario(**simulation(precision="2 pp"))
    values = alternating(128)
    for count, expected in ((32, [*range(32, 64)]), (64, [*range(64, 128)]), (128, [])):
        assert Point.of(precise, store_of(values[:count])).missing() == expected
    met = Point.of(precise, store_of(values))
    assert (met.missing(), met.wanted, len(met.records)) == ([], 128, 128)
    known = Point.of(precise, store_of(values[:32]), 32)
    assert known.missing() == []  # a number that is given is not added to
    assert Point.of(precise, store_of(values[:20])).missing() == [*range(20, 32)]


def test_a_precision_of_uncertain_inputs_is_about_chance_alone() -> None:
    # 6 draws of 3: each draw far from the next, and within a draw the values differ by 0.01.
    apart = [0.1 * draw + 0.01 * each for draw in range(6) for each in (-1, 0, 1)]
    # Pooled deviation 0.01, 12 degrees of freedom: 2.179 * 0.01 / sqrt(18) = 0.00514.
    for goal, expected in ((0.0052, []), (0.0051, [*range(18, 36)])):
        uncertain = scenario(**UNCERTAIN, **simulation(precision=f"{goal * 100} pp"))
        assert Point.of(uncertain, store_of(apart)).missing() == expected
    alone = {**UNCERTAIN, "uncertainty": {"draws": 6, "per_draw": 1}}
    never = Point.of(scenario(**alone, **simulation(precision="90 pp")), store_of([0.5] * 6))
    assert never.missing() == [*range(6, 12)]  # one of each draw says nothing about chance


def test_a_precision_awaits_a_mode_that_could_still_move_the_mean() -> None:
    rare = {"job": {"per": "job", "mtbf": "60 d", "clock": "calendar"}}
    lasting = {"stages": {"detect": "0 s", "restart": "2 d"}}
    precise = scenario(failures=rare, recovery=lasting, **simulation(precision="1 pp"))
    values = [0.9, 0.9001] * 16
    assert Point.of(precise, store_of(values, struck=0)).missing() == [*range(32, 64)]
    assert Point.of(precise, store_of(values, struck=1)).missing() == []


def test_nothing_random_needs_no_more_than_the_first_look() -> None:
    precise = scenario(failures="none", **simulation(precision="0.1 pp"))
    store = Measurements()
    for number in range(32):
        kept = {"ettr": np.array(0.9), "drawn": np.array(False), "struck": np.zeros(0)}
        store.put(Measured(number, kept))
    assert Point.of(precise, store).missing() == []


def test_each_draw_is_simulated_in_replications_of_its_own() -> None:
    uncertain = scenario(**UNCERTAIN, **simulation())
    point = Point.of(uncertain, ReplicationStore())
    first = [(each.hash, list(numbers)) for each, numbers in point.simulated([1, 2, 3, 17])]
    hashes = [each.hash for each in drawn(uncertain, range(6))]
    assert first == [(hashes[0], [1, 2]), (hashes[1], [3]), (hashes[5], [17])]
    before = dict(point.draws)
    again = [(each, list(numbers)) for each, numbers in point.simulated([0, 6])]
    assert [(each.hash, numbers) for each, numbers in again] == [(hashes[0], [0]), (hashes[2], [6])]
    assert again[0][0] is before[0]  # made once
    certain = Point.of(scenario(), ReplicationStore())
    assert [*certain.simulated([4, 5])] == [(certain.scenario, [4, 5])]


def test_batches_are_short_and_share_evenly() -> None:
    one = replication_s(scenario())
    points = [Point.of(scenario(), ReplicationStore(), count) for count in (50, 30)]
    cut = batches(points, 2, lively=4.5 * one)
    assert [(each.place, n) for each in cut for n in each.replications] == [
        (place, n) for place, count in enumerate((50, 30)) for n in range(count)
    ]
    assert max(len(each.replications) for each in cut) == 4
    assert {each.seconds for each in cut} == {one}
    assert {each.measures for each in cut} == {None}
    # 80 replications on 2 processes: a quarter of the share of one, however short they are.
    assert max(len(each.replications) for each in batches(points, 2, lively=1e9)) == 10
    assert {len(each.replications) for each in batches(points, 100, lively=1e9)} == {1}
    assert {len(each.replications) for each in batches(points, 2, lively=0.0)} == {1}
    store = Measurements({"own": lambda records: 0})
    (batch, *_) = batches([Point.of(scenario(), store, 2)], 1)
    assert batch.measures == store.measures


def test_a_part_is_the_same_whatever_is_finished() -> None:
    def numbers(store: ReplicationStore, part: Part) -> list[tuple[int, int]]:
        points = [Point.of(scenario(), ReplicationStore(), 5), Point.of(scenario(), store, 6)]
        return [(each.place, n) for each in batches(points, 1, part=part) for n in each.replications]

    third = [(0, 2), (1, 0), (1, 3)]  # of 11, the numbers 2, 5 and 8
    assert numbers(ReplicationStore(), Part(3, 3)) == third
    store = ReplicationStore()
    store.finished = {0: None, 1: None}
    assert numbers(store, Part(3, 3)) == [(0, 2), (1, 3)]


def test_a_part_ends_without_an_answer_and_tells_its_own_progress() -> None:
    counting, notes = Counting(), Notes()
    points = [Point.of(scenario(), ReplicationStore(), 7)]
    with pytest.raises(PartDone):
        simulate_all(points, Settings(executor=counting, progress=notes, part=Part(2, 3)))
    assert sorted(points[0].store.finished) == [1, 4]
    assert notes.steps == [(0, 2), (1, 2), (2, 2)]
    precise = Point.of(scenario(**simulation(precision="1 pp")), ReplicationStore())
    with pytest.raises(ChoiceError, match="small: how many replications a precision takes is known only"):
        simulate_all([points[0], precise], Settings(part=Part(2, 3)))


class Timed(Executor):
    """Says of each batch that it took two seconds."""

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        future.set_result(fn(*args, **kwargs)._replace(taken=2.0))
        return future


def test_the_time_that_simulating_took_is_counted() -> None:
    points = [Point.of(scenario(), ReplicationStore(), count) for count in (3, 1)]
    taken = simulate_all(points, Settings(executor=Timed()))
    assert [point.taken for point in points] == [2.0 * 3, 2.0]
    assert 0 < taken < 600


def test_how_many_replications_there_are_changes_none_of_them() -> None:
    assert work_key(scenario(**simulation(replications=9))) == work_key(scenario())
    precise = [work_key(scenario(**simulation(precision=goal))) for goal in ("1 pp", "2 pp")]
    assert precise[0] == precise[1]


def test_how_many_draws_there_are_changes_no_replication() -> None:
    def key(**uncertainty: int) -> str:
        return work_key(scenario(**UNCERTAIN | {"uncertainty": uncertainty}, **simulation()))

    assert key(draws=5, per_draw=3) == key(draws=6, per_draw=3)
    assert key(draws=6, per_draw=2) != key(draws=6, per_draw=3)
    assert work_key(scenario(**simulation())) != key(draws=6, per_draw=3)


@pytest.mark.parametrize(
    "other",
    [
        simulation(seed=2),
        {"simulation": {"horizon": "3 d"}},
        {"cluster": {"gpus": 16}},
        {"checkpoint": {"interval": "31 min", "blocks": "1 min"}},
        {"failures": "none"},
    ],
)
def test_all_else_makes_other_replications(other: dict[str, Any]) -> None:
    assert work_key(scenario(**other)) != work_key(scenario())


def test_replications_are_kept_under_their_scenario_version_and_state(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def both() -> list[dict[str, str]]:
        return [experiment.store_key(scenario()), experiment.identity(scenario())]

    before = both()
    assert before[1]["scenario_hash"] == scenario().hash
    for name, other in (("VERSION", "99"), ("source", lambda: "another state")):
        with monkeypatch.context() as patch:
            patch.setattr(experiment, name, other)
            assert all(one != two for one, two in zip(both(), before, strict=True))
    assert both() == before
    assert before[0].keys() == {"work", "version", "source"}


@pytest.mark.parametrize(
    ("kept", "said"),
    [
        (0, "interrupted"),
        (1, "interrupted; 1 finished replication is kept: --resume goes on from it"),
        (1200, "interrupted; 1,200 finished replications are kept: --resume goes on from them"),
    ],
)
def test_an_interruption_says_what_is_kept(kept: int, said: str) -> None:
    assert (str(Interrupted(kept)), Interrupted(kept).kept) == (said, kept)


def test_what_is_kept_of_one_in_another_is_counted_together(tmp_path: Path) -> None:
    def interrupted() -> None:
        with (
            resumable(Settings(), None, {"a": "1"}, "run") as nothing,
            resumable(Settings(), tmp_path / "outer", {"a": "1"}, "study") as outer,
            resumable(Settings(), tmp_path / "inner", {"a": "1"}, "run") as inner,
        ):
            assert nothing is None
            for file, count in ((outer, 2), (inner, 3)):
                for number in range(count):
                    assert file
                    file.put("", number, {"ettr": np.array(0.5)})
            raise KeyboardInterrupt

    with pytest.raises(Interrupted) as caught:
        interrupted()
    assert caught.value.kept == 5
    for name in ("outer", "inner"):
        assert (tmp_path / f".{name}.partial" / "finished.npy").stat().st_size


def test_how_a_run_was_made_is_in_its_provenance() -> None:
    point = Point.of(scenario(), ReplicationStore(), 4)
    how = Settings(workers=3, executor="local", command="clustersim run", incidents=False)
    made = experiment.provenance(point, how, 1.23456)
    wanted = {
        "name": "small",
        "scenario_hash": scenario().hash,
        "seed": 1,
        "replications": 4,
        "incidents": False,
        "tool": "clustersim",
        "version": cs.__version__,
        "command": "clustersim run",
        "workers": 3,
        "executor": "local",
        "wall_s": 1.235,
    }
    assert made.items() >= wanted.items()
    others = {"finished", "source", "build", "python", "platform", "libraries"}
    assert made.keys() == wanted.keys() | others
    assert (made["python"], made["platform"]) == (platform.python_version(), sys.platform)
    assert made["finished"].endswith("+00:00")
    assert made["finished"].count(":") == 3
    assert made["source"] == experiment.identity(scenario())["source"]
    assert set(made["libraries"]) == set(experiment.LIBRARIES)
    assert made["libraries"]["numpy"] == np.__version__
    assert experiment.made(Settings(executor=Counting()), 0.0)["executor"] is None


class Hands:
    """Simulates nothing, and remembers what is asked of it."""

    lively, processes = 0.5, 1

    def __init__(self, *given: Any) -> None:
        self.given, self.asked = given, list[str]()

    def close(self) -> None:
        self.asked.append("close")

    def kill(self) -> None:
        self.asked.append("kill")


def test_what_simulates_is_what_was_asked_for_and_ended_whatever_happens(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made: dict[str, Hands] = {}
    for name in ("Local", "Outside", "Dask"):

        def hands(*given: Any, name: str = name) -> Hands:
            made[name] = Hands(*given)
            return made[name]

        monkeypatch.setattr(experiment, name, hands)
    counting = Counting()
    for executor, name, given in (
        (None, "Local", (3,)),
        ("local", "Local", (3,)),
        (counting, "Outside", (counting, 3)),
        ("dask", "Dask", ("dask", 3)),
    ):
        with experiment.simulator(Settings(executor=executor, workers=3)) as found:
            assert found is made[name]
            assert made[name].given[: len(given)] == given
            assert made[name].asked == []
        assert made[name].asked == ["close", "kill"]

    def broken() -> None:
        with experiment.simulator(Settings(workers=3)):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        broken()
    assert made["Local"].asked == ["kill"]


def test_who_has_hands_simulates_on_them() -> None:
    used = list[int]()

    class Own(Local):
        def finished(self, batches: Sequence[Batch]) -> InOrder:
            used.extend(number for batch in batches for number in batch.replications)
            return super().finished(batches)

    point = Point.of(scenario(), ReplicationStore(), 2)
    simulate_all([point], Settings(workers=1), Own(1))
    assert (used, sorted(point.store.finished)) == ([0, 1], [0, 1])


def test_each_scenario_has_a_place_or_none() -> None:
    with pytest.raises(ValueError, match="argument 2 is shorter"):
        experiment.run_all([scenario(), scenario()], [None], Settings(executor=Counting()))


def test_runs_that_are_finished_are_read_among_those_that_are_not(tmp_path: Path) -> None:
    scenarios = [scenario(name=name, simulation={"horizon": "1 d", "replications": 2}) for name in "abc"]
    places = [tmp_path / "a", tmp_path / "b", None]
    experiment.run_all(scenarios[1:2], places[1:2], Settings(executor=Counting()))
    counting, notes = Counting(), Notes()
    found = experiment.run_all(scenarios, places, Settings(executor=counting, progress=notes))
    assert [results.name for results in found] == ["a", "b", "c"]
    assert counting.replications == 4
    assert notes.steps[0] == (0, 4)
    assert notes.said == [f"{tmp_path / 'b'}: simulated before, and taken as it is; --force simulates again"]
    assert [results.folder for results in found] == places


def test_what_is_gone_on_from_counts_as_done(tmp_path: Path) -> None:
    one, place = scenario(), tmp_path / "run"

    def broken_off() -> None:
        with resumable(Settings(), place, experiment.store_key(one), "run") as file:
            assert file
            points = [Point.of(one, ReplicationStore(file=file), 6)]
            simulate_all([Point.of(one, points[0].store, 2)], Settings(executor=Counting()))
            file.release = lambda keep: type(file).release(file, keep=True)  # type: ignore[method-assign]

    def said_by(*, resume: bool) -> Notes:
        broken_off()
        notes = Notes()
        settings = Settings(executor=Counting(), resume=resume, force=not resume, progress=notes)
        (found,) = experiment.run_all([one], [place], settings)
        assert found.summary["replications"] == 6
        return notes

    notes = said_by(resume=True)
    assert notes.said == [f"{place}: going on from 2 finished replications"]
    assert (notes.steps[0], notes.steps[-1]) == ((2, 6), (6, 6))
    (thrown,) = said_by(resume=False).said
    assert thrown.startswith(f"{place}: throwing away 2 replications of an unfinished run; --resume")


def test_what_is_thrown_away_and_what_is_kept_of_others_is_said(tmp_path: Path) -> None:
    def opened(key: str, **how: Any) -> list[str]:
        notes = Notes()
        with (
            suppress(Interrupted),
            resumable(Settings(progress=notes, **how), tmp_path / "run", {"of": key}, "study", "x: ") as file,
        ):
            assert file
            file.put("", 0, {"ettr": np.array(0.5)})
            raise KeyboardInterrupt
        return notes.said

    assert opened("a") == []
    thrown = "x: throwing away 1 replication of an unfinished study; --resume would have gone on from there"
    assert opened("a") == [thrown]
    assert opened("a", resume=True) == ["x: going on from 1 finished replication"]
    others = (
        f"x: replications of another scenario or version are kept in {tmp_path / '.run.partial'}:"
        " that study goes on from them with --resume"
    )
    assert opened("b", resume=True) == [others]
    assert opened("b") == [thrown, others]
