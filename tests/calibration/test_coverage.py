"""Intervals hold the truth as often as they say: a quick look at two kinds, and the whole of it when asked.

The whole takes half an hour: `python -m pytest -m slow tests/calibration`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import pytest
from calibration import SECTIONS, USUAL, Row, Share, differences, means, uncertain
from scipy.stats import binomtest

from clustersim.estimate import CONFIDENCE, mean_of, student
from tests.theory.z import threshold

EXPERIMENTS = 120
FEW_DRAWS, FEW_EXPERIMENTS = 16, 20
COUNT = 3
"""So few replications that the normal quantile in place of Student's would hold the truth in 81 % only."""
PATHS = ("ettr", "ledger.lost", "interruptions_per_day")
CASES = 3 * (len(PATHS) + 1)
BRIEF = replace(USUAL, horizon=4 * 3600.0)
SOUND = sorted(set(SECTIONS) - {"limits"})


def assert_sound(rows: Iterable[Row], cases: int) -> None:
    """Fail where chance does not explain how often the truth was held, or how far means are from it.

    Beside the interval of 95 % that of 50 % is looked at, which tells intervals that are too wide.
    """
    for row in rows:
        for confidence in (CONFIDENCE, 0.5):
            z = surplus(row, confidence)
            print(f"{row.title}: {confidence:.0%} interval, z = {z:+.2f}")
            assert abs(z) <= threshold(cases), f"{row.title}: z = {z:+.2f} for {confidence:.0%}"
        bias, error = row.bias
        assert abs(bias) <= threshold(cases) * error, f"{row.title}: biased by {bias:.2f} half-widths"


def surplus(row: Row, confidence: float) -> float:
    """By how many standard errors too often Student's interval of that *confidence* held the truth."""
    part = student(row.counts[0] - 1, confidence) / student(row.counts[0] - 1)
    held = sum(abs(error) <= part * width for error, width in zip(row.errors, row.widths, strict=True))
    count = len(row.errors)
    return (held - confidence * count) / math.sqrt(count * confidence * (1 - confidence))


def test_means_and_ratios_are_sound() -> None:
    assert_sound(means("brief", BRIEF, PATHS, EXPERIMENTS, (COUNT,)), CASES)


def test_paired_differences_are_sound() -> None:
    often = replace(BRIEF, mtbf=BRIEF.mtbf / 2)
    assert_sound(differences({"now": BRIEF, "often": often}, EXPERIMENTS, replications=COUNT), CASES)


def test_uncertain_inputs_hold_the_truth_and_chance_holds_the_mean_of_the_draws() -> None:
    chance, held = uncertain(BRIEF, FEW_DRAWS, FEW_EXPERIMENTS)
    assert isinstance(chance, Row)
    assert isinstance(held, Share)
    # The ends of n values hold the next one in n - 1 of n + 1 cases: of few draws less than 90 %.
    expected = 0.9 * (FEW_DRAWS - 1) / (FEW_DRAWS + 1)
    for count, share in ((sum(held.seen), expected), (chance.held, CONFIDENCE)):
        assert binomtest(count, FEW_EXPERIMENTS, share).pvalue > 0.01, (count, share)


@pytest.mark.parametrize(
    ("scale", "shift", "fault"), [(0.6, 0.0, "for 95%"), (2.0, 0.0, "for 50%"), (1.0, 0.01, "biased")]
)
def test_intervals_that_are_too_short_too_long_or_shifted_are_found(
    scale: float, shift: float, fault: str
) -> None:
    rng, row = np.random.default_rng(4), Row("faulty")
    for values in rng.normal(0.8, 0.04, (EXPERIMENTS, COUNT)):
        found = mean_of(values)
        row.add(found.mean + shift, scale * (found.half_width or 0.0), COUNT, 0.8)
    with pytest.raises(AssertionError, match=fault):
        assert_sound([row], CASES)


@pytest.mark.slow
@pytest.mark.parametrize("section", SOUND)
def test_every_interval_holds_the_truth_in_93_to_97_of_100_experiments(section: str) -> None:
    for row in SECTIONS[section](1000):
        print(row)
        assert row.sound, str(row)
