"""What each tier holds: copies kept and let go, lost with a failure, thrown away, not durable yet."""

from __future__ import annotations

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from clustersim.engine.work.checkpoint_set import CheckpointSet
from clustersim.engine.work.history import TrainingSegment
from clustersim.engine.work.tier import InFlight, Series, TierCheckpoints
from clustersim.records import SCOPES
from clustersim.scenario.keys.tiers import Tier

JOB, NODE, RACK = (SCOPES.index(name) for name in ("job", "node", "rack"))


def tier(**changes: object) -> Tier:
    values: dict[str, object] = {"name": "a", "interval": 100.0, "blocks": 10.0}
    return Tier(**(values | changes))  # type: ignore[arg-type]


def shelf(*series: Series, keep: int | None = None) -> TierCheckpoints:
    held = TierCheckpoints(tier(keep=keep))
    for one in series:
        held.hold(one)
    return held


def contents(held: TierCheckpoints) -> list[float]:
    """The places of all copies, from the oldest, found by throwing away one after the other."""
    places = []
    while held.newest is not None:
        places.append(held.newest)
        held.discard_newest(0.0)
    return places[::-1]


def test_a_series_is_a_copy_at_each_gap() -> None:
    held = shelf((100, 50, 3), (260, 1, 1), (300, 50, 0))
    assert held.newest == 260
    assert contents(held) == [100, 150, 200, 260]


@pytest.mark.parametrize(
    ("keep", "left"),
    [(1, [260.0]), (2, [200.0, 260.0]), (3, [150.0, 200.0, 260.0]), (9, [100.0, 150.0, 200.0, 260.0])],
)
def test_the_oldest_go_beyond_those_that_are_kept(keep: int, left: list[float]) -> None:
    assert contents(shelf((100, 50, 3), (260, 1, 1), keep=keep)) == left


@settings(derandomize=True, database=None, deadline=None, phases=[Phase.generate], max_examples=200)
@given(
    st.lists(st.tuples(st.integers(1, 50), st.integers(1, 40), st.integers(1, 5)), max_size=4),
    st.one_of(st.none(), st.integers(1, 6)),
    st.integers(0, 500),
)
def test_what_is_kept_and_thrown_away_agrees_with_a_plain_list(
    parts: list[tuple[int, int, int]], keep: int | None, beyond: int
) -> None:
    held, plain, end = TierCheckpoints(tier(keep=keep)), list[float](), 0
    for ahead, gap, size in parts:
        copies = [end + ahead + number * gap for number in range(size)]
        held.hold((copies[0], gap, size))
        end, plain = copies[-1], [*plain, *copies]
    plain = plain if keep is None else plain[-keep:]
    held.discard_beyond(beyond)
    assert contents(held) == [place for place in plain if place <= beyond]


def test_beyond_the_newest_there_is_nothing_to_throw_away() -> None:
    held = shelf((100, 50, 3))
    held.discard_beyond(200)
    assert held.newest == 200
    held.discard_beyond(199)
    assert held.newest == 150


def test_where_all_is_thrown_away_the_interval_counts_from_there() -> None:
    held = shelf((100, 50, 3))
    held.discard_beyond(60)
    assert (held.newest, held.counts_from) == (None, 60)
    held.discard_beyond(80)
    assert held.counts_from == 60
    held.discard_beyond(20)
    assert held.counts_from == 20


def test_a_failure_takes_all_copies_but_not_the_interval_of_a_tier_that_held_none() -> None:
    held = shelf()
    held.clear(70, 0)
    assert held.counts_from == 0
    held.hold((50, 1, 1))
    held.send(60, 500)
    held.clear(70, 0)
    assert held.newest is None
    assert held.in_flight is None
    assert held.counts_from == 70


@pytest.mark.parametrize("scope", range(len(SCOPES)))
def test_copies_survive_what_the_tier_says(scope: int) -> None:
    assert TierCheckpoints(tier()).survives(scope)
    assert TierCheckpoints(tier(survives=frozenset({"job", "node"}))).survives(scope) == (
        scope in (JOB, NODE)
    )


def test_a_copy_in_flight_counts_for_the_interval_until_a_restart() -> None:
    held = shelf((100, 1, 1))
    held.send(180, 900)
    assert held.counts_from == 180
    held.forget_unsaved()
    assert held.in_flight is None
    assert held.counts_from == 100


def test_an_empty_tier_that_loses_its_copy_in_flight_counts_from_where_the_job_falls_back_to() -> None:
    held = shelf()
    held.send(180, 900)
    held.forget_unsaved()
    held.discard_beyond(40)
    assert held.counts_from == 40


def test_outages_that_touch_are_one() -> None:
    held = shelf()
    held.close(100, 200)
    held.close(150, 300)
    assert [held.opens_at(now) for now in (99, 100, 160, 250, 300)] == [99, 300, 300, 300, 300]
    assert [held.is_never_durable(durable) for durable in (100, 101, 299, 300)] == [False, True, True, False]


def two_tiers(**changes: object) -> CheckpointSet:
    """A tier in memory that a node's failure takes along, saved each 100 s, and storage, each 300 s."""
    memory = tier(name="memory", survives=frozenset({"job"}), **changes)
    return CheckpointSet(
        [memory, tier(name="storage", interval=300.0, blocks=20.0, durable_after=50.0)], None
    )


def after_a_stretch(
    copies: CheckpointSet, end: float, place: float = 0.0, start: float = 1000.0
) -> CheckpointSet:
    """Take in what a stretch from *start* to *end* saved that began at *place*."""
    take_in(copies, begun(copies, place, start), end)
    return copies


def begun(copies: CheckpointSet, place: float, start: float) -> TrainingSegment:
    """Return a stretch that has begun at *start*, at *place* of the work."""
    firsts = copies.firsts(place, start, copies.clocks.intervals)
    return TrainingSegment(start, place, 1.0, 1.0, (), copies.clocks, firsts)


def take_in(copies: CheckpointSet, stretch: TrainingSegment, end: float) -> None:
    """Take in what the *stretch* has saved when it ends."""
    stretch.end = end
    copies.take_in(stretch, copies.clocks.state(stretch.firsts, stretch.start, end))


def test_a_stretch_leaves_its_durable_copies_and_one_in_flight() -> None:
    # memory saves at 100, 200, 300 s of training; storage after the third, from 1330 to 1350, durable at 1400
    copies = after_a_stretch(two_tiers(), 1399.0)
    memory, storage = copies.tiers
    assert storage.in_flight == InFlight(300, 1400)
    assert storage.newest is None
    assert copies.newest() == (300, 0)
    copies.settle(1399.0)
    assert storage.newest is None
    copies.settle(1400.0)
    assert storage.newest == 300
    assert contents(memory) == [100, 200, 300]


def test_the_next_saves_follow_the_last_ones() -> None:
    copies = after_a_stretch(two_tiers(), 1399.0)
    # 49 s of training since the save of storage, which is not durable before 1400
    assert copies.firsts(349.0, 1399.0, copies.clocks.intervals) == (51.0, 251.0)
    assert copies.firsts(349.0, 1399.0 - 300.0, copies.clocks.intervals) == (51.0, 301.0)


def test_a_failure_takes_the_tiers_that_do_not_survive_it() -> None:
    copies = after_a_stretch(two_tiers(), 1400.0)
    assert [copies.volatile[scope] for scope in (JOB, NODE, RACK)] == [[], [0], [0]]
    copies.invalidate(copies.volatile[NODE], 350.0, None)
    assert copies.newest() == (300, 1)
    assert copies.firsts(350.0, 1400.0, copies.clocks.intervals) == (100.0, 250.0)


def test_what_a_strike_took_of_the_stretch_under_way_stays_away() -> None:
    copies = two_tiers()
    stretch = begun(copies, 0.0, 1000.0)
    copies.invalidate([0], 250.0, [2, 0])
    take_in(copies, stretch, 1335.0)
    assert contents(copies.tiers[0]) == [300]


def test_nothing_that_is_saved_in_an_outage_becomes_a_copy() -> None:
    # memory's saves end at 1110, 1220, 1330
    copies = two_tiers()
    copies.close([0], 1200.0, 1300.0)
    after_a_stretch(copies, 1399.0)
    assert contents(copies.tiers[0]) == [100, 300]


def test_a_void_save_counts_for_the_interval_until_a_restart() -> None:
    copies = two_tiers()
    copies.close([0], 1200.0, 1300.0)
    after_a_stretch(copies, 1250.0)
    memory = copies.tiers[0]
    assert (memory.never_durable, memory.newest) == (200, 100)
    assert memory.counts_from == 200
    copies.forget_unsaved()
    assert memory.counts_from == 100


def test_the_beginning_is_held_by_the_last_tier_and_copies_of_one_place_by_the_first() -> None:
    copies = two_tiers()
    assert copies.newest() == (0, 1)
    copies.tiers[1].hold((300.0, 1, 1))
    copies.tiers[0].hold((300.0 * (1 - 1e-12), 1, 1))
    assert copies.newest()[1] == 0
    copies.discard_beyond(300.0 * (1 - 1e-12))
    assert [one.newest for one in copies.tiers] == [300.0 * (1 - 1e-12), 300.0]
    copies.discard_beyond(299.0)
    assert copies.newest() == (0, 1)


def test_the_final_save_supersedes_the_one_in_flight() -> None:
    copies = after_a_stretch(two_tiers(), 1399.0)
    assert copies.begin_final_save(349.0, 1399.0) == 1469.0
    assert (copies.tiers[1].in_flight, copies.tiers[1].newest) == (None, None)
    copies.end_final_save(349.0, 1500.0)
    assert copies.newest() == (349.0, 1)
    assert copies.firsts(349.0, 1500.0, copies.clocks.intervals)[1] == 300.0


def test_a_copy_that_is_durable_as_the_final_save_begins_stays() -> None:
    copies = after_a_stretch(two_tiers(), 1399.0)
    copies.begin_final_save(350.0, 1400.0)
    assert copies.tiers[1].newest == 300.0


def test_a_copy_of_the_same_place_is_not_made_again_but_awaited() -> None:
    copies = after_a_stretch(two_tiers(), 1399.0)
    assert copies.begin_final_save(300.0, 1399.0) == 1400.0
    copies.end_final_save(300.0, 1400.0)
    assert copies.tiers[1].newest == 300.0
    assert copies.begin_final_save(300.0 * (1 - 1e-12), 1450.0) == 1450.0
    copies.end_final_save(300.0, 1450.0)
    assert copies.newest() == (300.0, 0)


def test_nor_is_one_that_was_made_in_vain() -> None:
    copies = two_tiers()
    copies.tiers[1].spoil(300.0)
    assert copies.begin_final_save(300.0, 1399.0) == 1399.0
    copies.end_final_save(300.0, 1399.0)
    assert copies.newest() == (0, 1)


def test_before_any_training_there_is_nothing_to_save() -> None:
    assert two_tiers().begin_final_save(0.0, 7.0) == 7.0


def test_a_final_save_in_an_outage_is_no_copy() -> None:
    copies = two_tiers()
    copies.close([1], 1400.0, 1600.0)
    copies.begin_final_save(349.0, 1480.0)
    copies.end_final_save(349.0, 1500.0)
    assert copies.newest() == (0, 1)
    assert copies.tiers[1].never_durable == 349.0


def test_a_job_without_checkpoints_has_only_the_beginning() -> None:
    copies = CheckpointSet([], None)
    assert copies.begin_final_save(60.0, 60.0) == 60.0
    copies.end_final_save(100.0, 100.0)
    assert copies.newest()[0] == 0
    assert copies.firsts(50.0, 60.0, copies.clocks.intervals) == ()
