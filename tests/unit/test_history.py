"""The line of work: every second of training is kept or lost, once, whatever falls back."""

from __future__ import annotations

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from clustersim.engine.journal import NOBODY
from clustersim.engine.work.history import Loss, Pace, ProgressHistory, TrainingSegment
from clustersim.engine.work.tiers import NO_TIER, SegmentState, TierClocks


def train(
    history: ProgressHistory, done: float, share: float = 1.0, paces: list[Pace] | None = None
) -> TrainingSegment:
    """Add a stretch of so much training."""
    rate, clocks = share * history.pace, TierClocks((), None)
    stretch = TrainingSegment(0.0, history.position, share, rate, paces or (), clocks, ())
    stretch.finish(done, SegmentState(done, (), NO_TIER), NOBODY, NOBODY)
    history.add(stretch)
    return stretch


def three_stretches() -> ProgressHistory:
    history = ProgressHistory()
    for done in (100.0, 50.0, 30.0):
        train(history, done)
    return history


def test_a_fall_within_the_newest_stretch() -> None:
    history = three_stretches()
    history.fall_back(160.0, 1, 7)
    assert history.losses == [Loss(2, 10.0, 30.0, 1, 7, False)]
    assert (history.position, history.progress) == (160.0, 160.0)


def test_a_fall_over_several_stretches_takes_a_piece_of_each() -> None:
    history = three_stretches()
    history.fall_back(70.0, 1, 7, corrupted=True)
    assert history.losses == [
        Loss(0, 70.0, 100.0, 1, 7, True),
        Loss(1, 0.0, 50.0, 1, 7, True),
        Loss(2, 0.0, 30.0, 1, 7, True),
    ]
    assert (history.position, history.progress) == (70.0, 70.0)


def test_a_fall_to_where_a_stretch_began_takes_all_of_it() -> None:
    history = three_stretches()
    history.fall_back(150.0, 1, 7)
    assert history.losses == [Loss(2, 0.0, 30.0, 1, 7, False)]
    history.fall_back(150.0, 1, 8)
    assert len(history.losses) == 1


def test_a_later_fall_takes_only_what_is_left() -> None:
    history = three_stretches()
    history.fall_back(120.0, 1, 7)
    train(history, 40.0)
    history.fall_back(90.0, 2, 8)
    assert history.losses[2:] == [
        Loss(0, 90.0, 100.0, 2, 8, False),
        Loss(1, 0.0, 20.0, 2, 8, False),
        Loss(3, 0.0, 40.0, 2, 8, False),
    ]


def test_nothing_is_lost_by_falling_back_to_where_it_stands() -> None:
    history = three_stretches()
    history.fall_back(180.0, 1, 7)
    history.fall_back(200.0, 1, 7)
    assert (history.losses, history.position) == ([], 180.0)


def test_a_stretch_that_did_nothing_loses_nothing() -> None:
    history = ProgressHistory()
    train(history, 0.0)
    train(history, 60.0)
    history.fall_back(0.0, 1, 7)
    assert history.losses == [Loss(1, 0.0, 60.0, 1, 7, False)]
    assert (history.position, history.progress) == (0.0, 0.0)


# what happens: so many quarter seconds of training, or a fall to a share of what is there, in 16ths
events = st.lists(
    st.tuples(st.booleans(), st.integers(0, 16), st.sampled_from([0.25, 0.5, 1.0])), max_size=12
)


@settings(derandomize=True, database=None, deadline=None, phases=[Phase.generate], max_examples=300)
@given(events, st.sampled_from([1.0, 0.75]))
def test_every_second_of_training_has_one_fate(story: list[tuple[bool, int, float]], pace: float) -> None:
    history, line = ProgressHistory(pace), list[tuple[int, int, float]]()
    for trains, amount, share in story:
        if trains:
            number = history.count
            train(history, amount / 4, share)
            line += [(number, quarter, share) for quarter in range(amount)]
        else:
            line = line[: len(line) * amount // 16]
            history.fall_back(len(line) / 4, 0, 0)
    assert history.position == len(line) / 4
    assert history.progress == pytest.approx(sum(share * pace / 4 for *_, share in line))
    lost = [
        (loss.segment, quarter)
        for loss in history.losses
        for quarter in range(int(loss.begin * 4), int(loss.end * 4))
    ]
    kept = [(number, quarter) for number, quarter, _ in line]
    trained = [
        (n, quarter) for n, done in enumerate(history.segments.done) for quarter in range(int(done * 4))
    ]
    assert sorted(kept + lost) == trained


def test_progress_is_at_the_share_and_the_pace() -> None:
    history = ProgressHistory(0.5)
    train(history, 100.0)
    assert history.progress == 50.0
    stretch = train(history, 100.0, 0.25)
    assert history.progress == 50.0 + 12.5
    assert history.earned(1, 40.0) == 5.0
    assert stretch.needs(5.0) == 40.0


def test_a_straggler_slows_a_part_of_a_stretch() -> None:
    # 20 s at full pace, 40 s at half, then a quarter until 100 s: 20 + 20 + 10
    paces = [Pace(20.0, 0.5, 0, 0), Pace(60.0, 0.25, 1, 1)]
    history = ProgressHistory()
    stretch = train(history, 100.0, paces=paces)
    assert [history.earned(0, done) for done in (10.0, 20.0, 40.0, 60.0, 100.0)] == [
        10.0,
        20.0,
        30.0,
        40.0,
        50.0,
    ]
    assert stretch.needs(50.0) == 100.0
    assert stretch.needs(60.0) == 140.0


def test_work_that_a_slow_stretch_loses_is_what_it_had_earned() -> None:
    history = ProgressHistory()
    train(history, 100.0, paces=[Pace(0.0, 1.0, 0, 0), Pace(50.0, 0.5, 0, 0)])
    history.fall_back(40.0, 1, 7)
    assert history.progress == 40.0
    assert history.losses == [Loss(0, 40.0, 100.0, 1, 7, False)]
