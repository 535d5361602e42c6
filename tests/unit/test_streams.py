"""Named streams: every draw depends on its name and index alone."""

from itertools import islice

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clustersim.distributions import Exponential, Truncated
from clustersim.streams import Draws, Streams, happens, uniform


def test_a_stream_begins_anew_each_time_it_is_asked_for() -> None:
    streams = Streams(7, 3)
    assert streams["gpu/gap"].random(5).tolist() == streams["gpu/gap"].random(5).tolist()


@pytest.mark.parametrize("other", [Streams(8, 3)["a"], Streams(7, 4)["a"], Streams(7, 3)["b"]])
def test_seed_replication_and_name_each_make_another_stream(other: np.random.Generator) -> None:
    assert Streams(7, 3)["a"].random() != other.random()


def test_many_names_give_streams_that_are_all_different_and_not_correlated() -> None:
    names = [f"{mode}/life/{unit}" for mode in ("gpu", "nic") for unit in range(2000)]
    draws = np.array([Streams(1, 0)[name].random(2) for name in names])
    assert len({tuple(pair) for pair in draws.tolist()}) == len(names)
    neighbours = np.corrcoef(draws[:-1, 0], draws[1:, 0])[0, 1]
    assert abs(neighbours) < 4 / np.sqrt(len(names))
    assert abs(draws.mean() - 0.5) < 4 * np.sqrt(1 / 12 / draws.size)


@settings(derandomize=True, max_examples=50, deadline=None)
@given(st.lists(st.integers(0, 300), min_size=1, max_size=20))
def test_draws_do_not_depend_on_the_order_in_which_they_are_asked_for(indices: list[int]) -> None:
    in_order = Draws(Streams(1, 2), "x", uniform)
    expected = [in_order[k] for k in range(301)]
    asked = Draws(Streams(1, 2), "x", uniform)
    assert [asked[k] for k in indices] == [expected[k] for k in indices]


def test_draws_in_chunks_are_the_draws_of_the_generator() -> None:
    draws = Draws(Streams(5, 0), "x", uniform)
    generator = Streams(5, 0)["x"]
    assert [draws[k] for k in range(1000)] == generator.random(1000).tolist()


def test_draws_that_are_not_kept_are_the_same_where_a_chunk_draws_again() -> None:
    law = Truncated(Exponential(1.0), 1.0)
    draws = Draws(Streams(5, 0), "x", law.sample)
    assert list(islice(draws, 9000)) == [draws[k] for k in range(9000)]


def test_the_first_draw_that_is_asked_for_may_be_the_five_millionth() -> None:
    assert Draws(Streams(5, 0), "x", uniform)[5_000_000] == Streams(5, 0)["x"].random(5_000_001)[-1]


def test_whether_a_number_has_been_drawn_is_seen() -> None:
    streams = Streams(5, 0)
    rng = streams["x"]
    assert not streams.drawn
    rng.random()
    assert streams.drawn
    others = Streams(5, 0)
    assert others.first("x", 3) == Streams(5, 0)["x"].random(3).tolist()
    assert others.drawn


def test_what_is_certain_or_impossible_is_not_drawn() -> None:
    nothing: dict[str, float] = {}
    assert happens(nothing, "x", 1.0)
    assert not happens(nothing, "x", 0.0)
    assert [happens({"x": 0.3}, "x", share) for share in (0.29, 0.3, 0.31)] == [False, False, True]


def test_uniform_numbers_reach_zero_but_never_one() -> None:
    numbers = uniform(Streams(1, 0)["u"], 100_000)
    assert 0 <= numbers.min() < 1e-3
    assert 1 - 1e-3 < numbers.max() < 1


def test_streams_and_draws_say_what_they_are() -> None:
    streams = Streams(7, 3)
    draws = Draws(streams, "a/gap", uniform)
    assert repr(streams) == "Streams(seed=7, replication=3)"
    assert repr(draws) == "Draws('a/gap', 0 drawn)"
