"""When each tier saves: arithmetic against a loop over every save, and cases worked out by hand."""

from __future__ import annotations

from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from clustersim.engine.work.tiers import NO_TIER, TierClocks
from clustersim.scenario.keys.tiers import Tier

laws = settings(
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.generate],
    max_examples=200,
    suppress_health_check=[HealthCheck.too_slow],
)


def tier(interval: float, blocks: float, durable_after: float = 0.0) -> Tier:
    return Tier("tier", interval, blocks, durable_after)


class Save(NamedTuple):
    """A block of *tier* at so much training, from `begin` to `end` after the stretch began (s)."""

    tier: int
    content: float
    begin: float
    end: float


def every_save(clocks: TierClocks, firsts: tuple[float, ...], until: float) -> list[Save]:
    """All blocks that begin before *until*, one after the other."""
    numbers, now, done, saves = [0] * len(firsts), 0.0, 0.0, []
    while firsts:
        due = [firsts[i] + numbers[i] * clocks.gaps[i] for i in range(len(firsts))]
        earliest = due.index(min(due))
        content = due[earliest] * clocks.unit
        begin = now + (content - done)
        if begin >= until:
            break
        now, done = begin + clocks.blocks[earliest], content
        saves.append(Save(earliest, content, begin, now))
        numbers[earliest] += 1
    return saves


# eighths: sums of them are exact, so that instants can be compared as they are
seconds = st.integers(1, 4000).map(lambda eighths: eighths / 8)
some_tiers = st.lists(st.builds(tier, seconds, st.integers(0, 800).map(lambda n: n / 8), seconds), max_size=3)


@st.composite
def stretches(draw: st.DrawFn) -> tuple[TierClocks, tuple[float, ...]]:
    clocks = TierClocks(draw(some_tiers), draw(st.sampled_from([None, 1.0, 2.5])))
    waits = [draw(st.one_of(st.just(0), st.integers(0, 4000))) / 8 for _ in clocks.gaps]
    return clocks, tuple(clocks.units(wait) for wait in waits)


@laws
@given(stretches(), st.integers(0, 60_000), st.sampled_from([0.0, 1024.0]))
def test_where_a_stretch_is_agrees_with_a_loop_over_its_saves(
    stretch: tuple[TierClocks, tuple[float, ...]], eighths: int, start: float
) -> None:
    (clocks, firsts), now = stretch, eighths / 8
    ended, saving, done = [0] * len(firsts), NO_TIER, now
    for save in every_save(clocks, firsts, now + 1e-9):
        if save.end <= now:
            ended[save.tier] += 1
            done -= save.end - save.begin
        elif save.begin <= now:
            saving, done = save.tier, save.content
    place = clocks.state(firsts, start, start + now)
    assert place.saving == saving
    assert list(place.ended) == ended
    assert place.done == pytest.approx(done, abs=1e-6)


@laws
@given(stretches(), st.integers(0, 60_000))
def test_the_end_of_each_block(stretch: tuple[TierClocks, tuple[float, ...]], eighths: int) -> None:
    clocks, firsts = stretch
    numbers = [0] * len(firsts)
    for save in every_save(clocks, firsts, eighths / 80):
        assert clocks.block_end(firsts, save.tier, numbers[save.tier]) == pytest.approx(save.end, rel=1e-12)
        assert clocks.content(firsts, save.tier, numbers[save.tier]) == save.content
        numbers[save.tier] += 1


@laws
@given(stretches(), st.integers(1, 60_000))
def test_the_instant_at_which_so_much_is_done_is_where_so_much_is_done(
    stretch: tuple[TierClocks, tuple[float, ...]], eighths: int
) -> None:
    (clocks, firsts), done = stretch, eighths / 8
    offset = clocks.offset_of(firsts, done)
    assert clocks.state(firsts, 0.0, offset).done == pytest.approx(done, rel=1e-9)
    # no save stands between this training and the instant: a moment before, less had been done
    assert clocks.state(firsts, 0.0, offset - 0.01).done < done


@laws
@given(stretches(), st.integers(1, 16_000), st.sampled_from([0.0, 1024.0]))
def test_training_between_the_saves_adds_up(
    stretch: tuple[TierClocks, tuple[float, ...]], eighths: int, start: float
) -> None:
    (clocks, firsts), end = stretch, start + eighths / 8
    runs = list(clocks.runs(firsts, start, end))
    assert sum(stop - begin for begin, stop in runs) == pytest.approx(clocks.state(firsts, start, end).done)
    edges = [edge for run in runs for edge in run]
    assert edges == sorted(edges)
    assert all(start <= edge <= end for edge in edges)


@laws
@given(stretches(), st.integers(1, 16_000), st.integers(-800, 20_000), st.sampled_from([0.0, 1024.0]))
def test_training_since_an_instant_is_the_end_of_all_training(
    stretch: tuple[TierClocks, tuple[float, ...]], eighths: int, since: int, start: float
) -> None:
    (clocks, firsts), end = stretch, start + eighths / 8
    instant = min(start + since / 8, end)
    runs = list(clocks.runs(firsts, start, end))
    late = list(clocks.runs(firsts, start, end, instant))
    ended = sum(stop <= instant for _, stop in runs)
    assert late == runs[len(runs) - len(late) :]
    assert len(late) >= len(runs) - max(ended - 1, 0)


def test_a_window_late_in_a_stretch_costs_no_step_for_each_save_before_it() -> None:
    clocks = TierClocks([tier(0.001, 0.001), tier(0.002, 0.001)], None)
    year = 365.25 * 86_400.0
    late = list(clocks.runs((0.001, 0.002), 0.0, year, year - 0.01))
    assert 2 < len(late) < 100
    assert late[-1][1] == pytest.approx(year)


def test_two_tiers_at_one_place_save_in_their_order() -> None:
    clocks = TierClocks([tier(100, 5), tier(200, 20)], None)
    firsts = (100.0, 200.0)
    assert clocks.state(firsts, 0.0, 102.0) == (100.0, [0, 0], 0)
    assert clocks.state(firsts, 0.0, 205.0) == (200.0, [1, 0], 0)
    assert clocks.state(firsts, 0.0, 210.0) == (200.0, [2, 0], 1)
    assert clocks.state(firsts, 0.0, 231.0) == (201.0, [2, 1], NO_TIER)
    assert clocks.block_end(firsts, 0, 1) == 210.0
    assert clocks.block_end(firsts, 1, 0) == 230.0
    assert clocks.offset_of(firsts, 200.0) == 205.0
    assert clocks.offset_of(firsts, 201.0) == 231.0
    assert list(clocks.runs(firsts, 0.0, 240.0)) == [(0.0, 100.0), (105.0, 205.0), (230.0, 240.0)]


def test_a_block_that_ends_now_has_ended() -> None:
    clocks = TierClocks([tier(100, 5)], None)
    assert clocks.state((100.0,), 0.0, 105.0) == (100.0, [1], NO_TIER)
    assert clocks.state((100.0,), 0.0, 100.0).saving == 0


def test_a_save_waits_until_the_copy_before_is_durable() -> None:
    assert TierClocks([tier(100, 5, 170)], None).gaps == (170.0,)


@pytest.mark.parametrize(("wait", "steps"), [(0.0, 0.0), (0.1, 1.0), (30.0, 3.0), (30.1, 4.0), (-5.0, 0.0)])
def test_waits_are_whole_steps(wait: float, steps: float) -> None:
    assert TierClocks([tier(25, 5)], 10.0).units(wait) == steps


def test_rounding_is_no_step() -> None:
    clocks = TierClocks([tier(25, 5)], 0.1)
    assert clocks.units(0.1 + 0.2) == 3.0
    assert TierClocks([], None).units(1e-12) == 0.0


def test_tiers_of_steps_are_compared_in_steps() -> None:
    clocks = TierClocks([tier(0.3, 5), tier(0.1, 1)], 0.1)
    # three steps of 0.1 s are not 0.3 s in floats, yet both fall due at the same step: in the order of tiers
    assert clocks.state((3.0, 1.0), 0.0, clocks.block_end((3.0, 1.0), 0, 0) - 0.01).saving == 0


def test_without_tiers_all_is_training() -> None:
    clocks = TierClocks([], None)
    assert clocks.state((), 10.0, 25.0) == (15.0, (), NO_TIER)
    assert clocks.offset_of((), 15.0) == 15.0
    assert list(clocks.runs((), 10.0, 25.0)) == [(10.0, 25.0)]
