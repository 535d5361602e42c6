"""A metric's mean and difference in words."""

from __future__ import annotations

import pytest

from clustersim.estimate import ConfidenceInterval
from clustersim.metrics.catalogue import METRICS
from clustersim.studies.figures import gap_words

METRIC = next(metric for metric in METRICS if metric.path == "cost.total")


@pytest.mark.parametrize(
    ("ends", "text"),
    [
        ((2e6, 1.5e6, 2.5e6), "+2.0 million USD"),
        ((-2e6, -2.5e6, -1.5e6), "\u22122.0 million USD"),
        ((0.0, 0.0, 0.0), "0 USD"),
        ((None, None, None), "unknown"),
    ],
)
def test_a_difference_has_its_sign_unless_it_is_none(ends: tuple[float | None, ...], text: str) -> None:
    assert gap_words(METRIC, ConfidenceInterval(*ends), "USD") == text
