"""An interval against a range: it agrees, differs, or cannot be told."""

import pytest

from clustersim.estimate import ConfidenceInterval, Estimate
from clustersim.validation.outcomes import AGREES, DIFFERS, UNDECIDED, passes, verdict


def between(low: float, high: float) -> ConfidenceInterval:
    return ConfidenceInterval((low + high) / 2, low, high)


@pytest.mark.parametrize(
    ("interval", "low", "high", "expected"),
    [
        (between(0.47, 0.52), 0.45, 0.60, AGREES),
        (between(0.45, 0.60), 0.45, 0.60, AGREES),
        (between(0.44, 0.52), 0.45, 0.60, UNDECIDED),
        (between(0.58, 0.62), 0.45, 0.60, UNDECIDED),
        (between(0.30, 0.80), 0.45, 0.60, UNDECIDED),
        (between(0.30, 0.44), 0.45, 0.60, DIFFERS),
        (between(0.61, 0.70), 0.45, 0.60, DIFFERS),
        (between(0.91, 0.92), 0.90, None, AGREES),
        (between(0.89, 0.92), 0.90, None, UNDECIDED),
        (between(0.80, 0.89), 0.90, None, DIFFERS),
        (between(0.0, 0.002), None, 0.01, AGREES),
        (between(0.02, 0.03), None, 0.01, DIFFERS),
        (between(7.0, 9.0), None, None, AGREES),
        (between(0.0, 0.002), 0.0, 0.01, AGREES),
        (between(0.0, 0.0), 0.0, 0.0, AGREES),
        (between(-0.2, 0.0), 0.0, None, UNDECIDED),
        (between(0.0, 0.2), None, 0.0, UNDECIDED),
        (between(3e6 + 1e-6, 3e6 + 1e-6), 3e6, 3e6, AGREES),
        (between(3e6 - 1e-6, 3e6 - 1e-6), 3e6, 3e6, AGREES),
        (ConfidenceInterval(0.5, None, None), 0.45, 0.60, UNDECIDED),
        (ConfidenceInterval(), 0.45, 0.60, UNDECIDED),
    ],
)
def test_the_whole_interval_decides(
    interval: ConfidenceInterval, low: float | None, high: float | None, expected: str
) -> None:
    assert verdict(interval, low, high) == expected


def test_a_figure_without_chance_meets_its_value_but_for_rounding() -> None:
    third = 0.1 + 0.2
    assert verdict(ConfidenceInterval(third, third, third), 0.3, 0.3) == AGREES
    assert verdict(ConfidenceInterval(-third, -third, -third), -0.3, -0.3) == AGREES
    assert verdict(ConfidenceInterval(0.3001, 0.3001, 0.3001), 0.3, 0.3) == DIFFERS


@pytest.mark.parametrize("kind", ["exact", "band", "plumbing", "control"])
def test_a_control_differs_and_all_others_agree(kind: str) -> None:
    control = kind == "control"
    assert passes(kind, AGREES) is not control
    assert passes(kind, DIFFERS) is control
    assert passes(kind, UNDECIDED) is False


def test_what_is_infinite_is_not_known() -> None:
    assert Estimate(float("nan"), 1.0, 3).interval == ConfidenceInterval()
    assert Estimate(2.0, None, 1).interval == ConfidenceInterval(2.0)
    assert Estimate(2.0, 0.5, 3).interval == ConfidenceInterval(2.0, 1.5, 2.5)


def test_an_interval_is_held_within_what_the_figure_can_be() -> None:
    assert between(-0.1, 0.3).within(0.0, 1.0) == ConfidenceInterval(pytest.approx(0.1), 0.0, 0.3)
    assert between(0.9, 1.3).within(0.0, 1.0).high == 1.0
    assert ConfidenceInterval(0.5, None, None).within(0.0, 1.0) == ConfidenceInterval(0.5, None, None)
