"""Many stretches at once: the same as one by one, for whatever stops and goes; and when that is of no use."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from clustersim.engine.work import passage
from clustersim.engine.work.account import Work
from clustersim.engine.work.copies import Copies
from clustersim.engine.work.lineage import Lineage, Pace, Stretch
from clustersim.records import SCOPES, Strike
from clustersim.scenario.keys.tiers import Tier
from clustersim.scenario.model import Scenario
from clustersim.streams import Streams

JOB, NODE = SCOPES.index("job"), SCOPES.index("node")
NEVER = 10**9


class Stop(NamedTuple):
    """A stretch of *trains* seconds, what stood still before it (*stands*), and what ends it: 0 nothing lost.

    Else all tiers are asked for their copies (1), those in memory die (2), or the job falls back (3).
    """

    trains: float
    stands: float
    what: int


def history(tiers: dict[str, dict[str, Any]], stops: list[Stop], few: int) -> tuple[Work, list[float]]:
    """Return the work after all *stops*, and what was seen; *few* or more are worked out together."""
    mode = {"per": "node", "mtbf": "1 d"}
    document = {
        "name": "passage",
        "cluster": {"gpus": 8},
        "failures": {"mode": mode},
        "checkpoint": {"tiers": tiers},
        "recovery": {"stages": {"load": "checkpoint"}},
        "simulation": {"horizon": "1 d"},
    }
    work, now, seen = Work(Scenario.model_validate(document), Streams(1, 0), ("mode",)), 1000.0, []
    with patch.object(passage, "FEW", few):
        for number, (trains, stands, what) in enumerate(stops):
            work.begin(now + stands, 0.5)
            now += stands + trains
            if what == 2:
                work.kill(NODE, now)
            work.end(now, 0, number)
            if what:
                work.copies.settle(now)
                seen += [*work.copies.newest(), work.lineage.place, work.lineage.progress]
            if what == 3:
                work.fall_back(now, 0, number)
                seen.append(work.load(Strike(0, number, (), True, 0, JOB), number))
        work.copies.settle(now)
    return work, seen


def tiers_of(*sizes: tuple[float, float, float]) -> dict[str, dict[str, Any]]:
    """Return tiers with so many seconds of interval, block, and time until a copy is durable."""
    tiers = {
        f"tier {number}": {"interval": f"{interval} s", "blocks": f"{block} s", "durable_after": f"{after} s"}
        for number, (interval, block, after) in enumerate(sizes)
    }
    return {name: tier | {"survives": ["job"]} for name, tier in tiers.items()} | {
        f"tier {len(sizes) - 1}": tiers[f"tier {len(sizes) - 1}"]
    }


def eighths(least: int, most: int) -> st.SearchStrategy[float]:
    return st.integers(least, most).map(lambda number: number / 8)


TIERS = st.lists(st.tuples(eighths(80, 800), eighths(0, 80), eighths(0, 900)), min_size=1, max_size=3).map(
    lambda sizes: tiers_of(*sizes)
)
STOPS = st.lists(
    st.builds(Stop, eighths(0, 2400), eighths(0, 400), st.sampled_from((0, 0, 0, 0, 0, 0, 1, 2, 3))),
    min_size=1,
    max_size=60,
)


@settings(derandomize=True, database=None, deadline=None, phases=[Phase.generate], max_examples=300)
@given(TIERS, STOPS)
def test_many_at_once_are_what_they_are_one_by_one(tiers: dict[str, Any], stops: list[Stop]) -> None:
    together, told = history(tiers, stops, 1)
    apart, expected = history(tiers, stops, NEVER)
    assert told == expected
    for column, one_by_one in zip(together.lineage.stretches, apart.lineage.stretches, strict=True):
        assert column == pytest.approx(one_by_one, abs=1e-9)
    assert together.lineage.losses == apart.lineage.losses
    for shelf, other in zip(together.copies.shelves, apart.copies.shelves, strict=True):
        assert (shelf.newest, shelf.in_flight) == (other.newest, other.in_flight)
        assert shelf.counts_from == other.counts_from


def test_whatever_the_last_digit_says() -> None:
    # thirds and tenths of a second are no binary fractions; the second tier saves as the first does
    tiers = tiers_of((10 / 3, 0.1, 0.7), (100 / 3, 0.3, 20.1), (61.7, 0.0, 0.0))
    stops = [Stop(17.3 + 0.37 * (number % 11), 3.1, 0) for number in range(500)]
    together, _ = history(tiers, stops, 1)
    apart, _ = history(tiers, stops, NEVER)
    for column, one_by_one in zip(together.lineage.stretches, apart.lineage.stretches, strict=True):
        assert column == pytest.approx(one_by_one, rel=1e-9, abs=1e-7)
    assert np.count_nonzero(together.lineage.stretches.saving) > 10


def stretches(count: int, length: float = 100.0) -> list[Stretch]:
    """Return so many stretches of that *length* (s), each a minute after the one before."""
    made = []
    for number in range(count):
        made.append(Stretch(number * (length + 60.0), 1.0, 1.0, ()))
        made[-1].end, made[-1].cause, made[-1].incident = made[-1].start + length, 0, number
    return made


def copies(step: float | None = None, **changes: object) -> Copies:
    values = {
        "name": "one", "interval": 60.0, "blocks": 1.0, "durable_after": 5.0, "load": 0.0, "survives": None,
        "unusable": 0.0, "keep": None,
    }  # fmt: skip
    return Copies([Tier(**(values | changes))], step)  # type: ignore[arg-type]


def test_of_blocks_at_one_place_that_of_the_first_tier_comes_first() -> None:
    # the third save of the first tier is due at 1.1 + 2 x 1.1 = 3.3000000000000003
    tier = copies().shelves[0].tier
    quick, slow = (
        replace(tier, interval=1.1, durable_after=0.0),
        replace(tier, interval=3.3, durable_after=0.0),
    )
    ahead = passage.Ahead.of(Copies([quick, slow], None), 0.0, 0.0, 10.0)
    assert ahead.tier[:8].tolist() == [0, 0, 0, 1, 0, 0, 0, 1]


def test_they_are_followed_in_parts() -> None:
    line, held = Lineage(tiers=1), copies()
    assert passage.follow(stretches(300), line, held) == passage.MANY == line.count
    assert held.shelves[0].newest == 60.0 * int(line.place / 60.0)


def test_one_series_holds_what_they_saved() -> None:
    line, held = Lineage(tiers=1), copies()
    passage.follow(stretches(100), line, held)
    newest = held.shelves[0].newest
    held.shelves[0].discard_newest(line.place)
    assert newest is not None
    assert held.shelves[0].newest == newest - 60.0


@pytest.mark.parametrize(
    ("found", "held"),
    [
        (stretches(passage.FEW - 1), copies()),
        (stretches(100), copies(step=7.0)),
        (stretches(100), copies(durable_after=61.0)),
        (stretches(100, length=600.0), copies()),
    ],
    ids=["few", "steps", "saves that wait", "many blocks in each"],
)
def test_where_that_is_of_no_use_nothing_happens(found: list[Stretch], held: Copies) -> None:
    line = Lineage(tiers=1)
    assert passage.follow(found, line, held) == line.count == 0


def test_outages_and_stragglers_are_worked_out_one_by_one() -> None:
    closed, slow = copies(), stretches(100)
    closed.close([0], 10.0, 20.0)
    slow[50].paces = (Pace(0.0, 0.5, 0, 0),)
    assert passage.follow(stretches(100), Lineage(tiers=1), closed) == 0
    assert passage.follow(slow, Lineage(tiers=1), copies()) == 0
