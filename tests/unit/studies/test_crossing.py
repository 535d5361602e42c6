"""Where a noisy function crosses zero: exact functions, whole numbers, several crossings, none."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import pytest

from clustersim.studies.crossing import MEAN, Crossing, Slack

Function = Callable[[float], float]


def search(function: Function, start: float, width: float = 0.1, whole: bool = False) -> Crossing:
    def evaluate(places: Sequence[float]) -> list[Slack]:
        means = [function(place) for place in places]
        return [Slack(mean, mean - width, mean + width) for mean in means]

    return Crossing(evaluate, start, whole=whole)


@pytest.mark.parametrize("power", [-2.0, -0.5, 0.5, 1.0, 3.0])
def test_the_place_and_its_interval_are_those_of_the_function(power: float) -> None:
    found = search(lambda x: (x / 50) ** power - 1, 200.0)
    found.look_at([2, 20, 200, 2000])
    place, low, high = found.solve()
    ends = sorted([50 * 0.9 ** (1 / power), 50 * 1.1 ** (1 / power)])
    assert place == pytest.approx(50, rel=0.002)
    assert [low, high] == pytest.approx(ends, rel=0.01)
    assert found.rises == (power > 0)
    assert len(found.points) < 40


def test_whole_numbers_are_the_last_that_meet() -> None:
    falling = search(lambda n: 10.5 - n, 3, width=2, whole=True)
    falling.look_at([0, 100])
    assert falling.solve() == (10.0, 8.0, 12.0)
    rising = search(lambda n: n - 10.5, 3, width=2, whole=True)
    rising.look_at([0, 100])
    assert rising.solve() == (11.0, 9.0, 13.0)
    assert all(place == round(place) for place in rising.points)
    for number in (10, 9000):
        exact = search(lambda n, number=number: number - n, 3, width=0, whole=True)
        exact.look_at([0, 10_000])
        assert exact.solve() == (number, number, number)
    late = search(lambda n: 11.9 - n, 10, width=0.01, whole=True)
    late.look_at([10, 12])
    assert late.solve() == (11.0, 11.0, 11.0)


@pytest.mark.parametrize(("sign", "place"), [(1, 10.0), (-1, 11.0)])
def test_a_whole_number_that_was_found_is_not_found_elsewhere_too(sign: int, place: float) -> None:
    found = search(lambda n: sign * (10.5 - n), 3, whole=True)
    found.look_at([0, 100])
    assert found.solve()[0] == place
    assert found.elsewhere(place) == []


@pytest.mark.parametrize("place", [50.5, 99.5])
@pytest.mark.parametrize("sign", [1, -1])
def test_nothing_beyond_the_bracket_is_looked_at(place: float, sign: int) -> None:
    found = search(lambda x: sign * (place - x), 75.0, width=0.01)
    found.look_at([50, 100])
    assert found.solve()[0] == pytest.approx(place)
    assert (min(found.points), max(found.points)) == (50.0, 100.0)


@pytest.mark.parametrize(
    ("start", "places", "nearest"),
    [(100.0, [30, 42, 188, 210], {188, 210}), (10.0, [0.1, 0.2, 55, 60, 10_000], {0.1, 0.2})],
)
def test_the_nearest_is_so_by_ratio_but_what_is_next_to_nothing_is_near_it(
    start: float, places: list[float], nearest: set[float]
) -> None:
    """Met within the second and the third; a thousandth of the largest is added to all."""
    found = search(lambda x: 1.0 if places[1] <= x <= places[2] else -1.0, start)
    found.look_at(places)
    assert set(found.nearest(MEAN, start) or ()) == nearest


@pytest.mark.parametrize("mirrored", [False, True])
def test_an_interval_holds_its_place_where_its_end_lies_elsewhere(mirrored: bool) -> None:
    """Up to 10 nothing is sure, and the condition may be met everywhere; it surely ceases to be at 20."""

    def turned(x: float) -> float:
        return 25 - x if mirrored else x

    def evaluate(places: Sequence[float]) -> list[Slack]:
        means = [(min(x - 5, 20 - x), 10.0 if x < 10 else 0.01) for x in map(turned, places)]
        return [Slack(mean, mean - width, mean + width) for mean, width in means]

    found = Crossing(evaluate, turned(5.0))
    found.look_at(map(turned, [4, 12, 25]))
    expected = (20.0, 15.0, 20.0) if mirrored else (5.0, 5.0, 10.0)
    assert found.solve() == pytest.approx(expected, rel=0.02)


def test_a_jump_is_found_and_what_is_infinite_is_on_its_side() -> None:
    found = search(lambda x: math.inf if x > 7 else -1.0, 5.0)
    found.look_at([1, 100])
    place, _, _ = found.solve()
    assert place == pytest.approx(7, rel=0.01)


@pytest.mark.parametrize("start", [99.0, 101.0])
def test_from_the_top_of_a_hill_both_sides_have_their_direction_and_interval(start: float) -> None:
    """The bracket nearest to the start is narrowed, until the other one is nearer to it."""
    found = search(lambda x: 1 - abs(math.log10(x / 100)), start, width=0.05)
    found.look_at([start / 33, start / 2, start, start * 2, start * 33])
    place, low, high = found.solve()
    assert place == pytest.approx(10 if found.rises else 1000, rel=0.01)
    assert place is not None
    assert [low, high] == pytest.approx([place * 10**-0.05, place * 10**0.05], rel=0.02)


def test_the_nearest_of_several_crossings_is_taken_and_the_other_is_told() -> None:
    for start, expected, other in ((3.0, 10.0, 1000.0), (5000.0, 1000.0, 10.0)):
        found = search(lambda x: 1 - abs(math.log10(x / 100)), start, width=0.05)
        found.look_at([1, 5, 100, 2000, 10_000])
        place, _, _ = found.solve()
        assert place == pytest.approx(expected, rel=0.01)
        assert place is not None
        (elsewhere,) = found.elsewhere(place)
        assert other / 3 < elsewhere < other * 3


def test_ends_beyond_what_was_looked_at_are_not_known() -> None:
    found = search(lambda x: (x - 50) / 100, 50.0, width=0.3)
    found.look_at([40, 60])
    place, low, high = found.solve()
    assert (low, high) == (None, None)
    assert place == pytest.approx(50)
    nowhere = search(lambda x: 1.0, 5.0)
    nowhere.look_at([1, 9])
    assert nowhere.solve() == (None, None, None)


@pytest.mark.parametrize(
    ("low", "high", "sure"), [(0.0, -0.5, True), (0.5, 0.0, False), (0.5, 0.5, False), (-0.5, -0.5, False)]
)
def test_a_change_elsewhere_is_told_where_both_of_its_sides_are_beyond_chance(
    low: float, high: float, sure: bool
) -> None:
    found = Crossing(lambda _: (Slack(1, low, 2), Slack(-1, -2, high)), 5.0)
    found.look_at([1, 2])
    assert found.elsewhere(5.0) == ([1.5] if sure else [])


@pytest.mark.parametrize(("ends", "halfway"), [((0.5, 8), 2.0), ((2, 8), 5.0), ((0, 8), 4.0)])
def test_a_bracket_is_halved_by_ratio_where_its_ends_differ_by_more_than_a_factor_of_four(
    ends: tuple[float, float], halfway: float
) -> None:
    found = search(lambda x: 4.5 - x, 10.0)
    found.look_at(ends)
    assert found.elsewhere(10.0) == pytest.approx([halfway])


@pytest.mark.parametrize(("crosses", "next_places"), [(0, [5, 10]), (50, [40, 60]), (100, [90, 95])])
def test_the_next_places_lie_beside_where_a_straight_line_crosses_but_within_the_bracket(
    crosses: float, next_places: list[float]
) -> None:
    """A tenth of the bracket to both sides, and a twentieth from its ends."""
    asked: list[Sequence[float]] = []

    def evaluate(places: Sequence[float]) -> list[Slack]:
        asked.append(places)
        return [Slack(*[crosses - x - 1e-9 * (x == 100)] * 3) for x in places]

    found = Crossing(evaluate, 50.0)
    found.look_at([0, 100])
    found.solve()
    assert sorted(asked[1]) == pytest.approx(next_places)


@pytest.mark.parametrize(
    ("slacks", "place", "places"),
    [([0.001, 0.001, 0.001, -1], 2, {0, 1, 2, 3}), ([0.5, -0.5, -1.5, -2.5], 0, {0, 1, 3})],
)
def test_of_whole_numbers_the_neighbour_of_an_end_is_the_first_within(
    slacks: list[float], place: float, places: set[float]
) -> None:
    found = search(lambda n: slacks[int(n)], 0, width=0, whole=True)
    found.look_at([0, 3])
    assert found.solve()[0] == place
    assert set(found.points) == places


@pytest.mark.parametrize("sign", [1, -1])
def test_a_bracket_is_narrow_at_a_share_of_its_larger_end(sign: int) -> None:
    found = search(lambda x: sign * (x - 999), 1000.0, width=0)
    found.look_at([998, 1000])
    assert found.solve() == pytest.approx((999, 999, 999))
    assert set(found.points) == {998, 1000}


def test_around_zero_a_bracket_is_narrow_at_a_share_of_the_largest_place() -> None:
    """0.002 * 0.0001 * 1000 are 0.0002: six rounds of two places, a fifth each, from a width of 2."""
    found = search(lambda x: x, 1.0, width=0)
    found.look_at([-1, 1, 1000])
    assert found.solve() == pytest.approx((0, 0, 0))
    assert len(found.points) == 3 + 6 * 2


@pytest.mark.parametrize(
    ("start", "places", "met", "place", "other"),
    [
        (6, range(3, 9), {4}, 4, 3.5),
        (2, range(2, 9), {4}, 4, 4.5),
        (10, [0, 5, 10], {3, 4, 5}, 5, 2.5),
        (10, [1, 4, 5, 6], {4}, 4, 2.5),
        (10, [0, 5, 10], {5}, 5, 2.5),
        (1, [1, 4, 5, 6], {4}, 4, 4.5),
    ],
)
def test_where_the_condition_is_met_but_between_two_the_side_of_the_start_is_told(
    start: float, places: Sequence[float], met: set[int], place: float, other: float
) -> None:
    """From above it is met up to the place, from below from the place on; the other side is told too."""
    found = search(lambda n: 1.0 if n in met else -1.0, start, whole=True)
    found.look_at(places)
    assert found.solve()[0] == place
    assert found.rises == (start < place)
    assert found.elsewhere(place) == [other]


def test_what_was_looked_at_is_not_evaluated_again_and_places_that_count_are_rounded_first() -> None:
    asked: list[Sequence[float]] = []

    def evaluate(places: Sequence[float]) -> list[Slack]:
        asked.append(places)
        return [Slack(1, 1, 1) for _ in places]

    found = Crossing(evaluate, 5.0, whole=True)
    found.look_at([2.6, 3.4, 5])
    found.look_at([3, 4.9])
    assert asked == [[3, 5]]
