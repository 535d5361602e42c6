"""What is wrong with a log, as it is told."""

from __future__ import annotations

import pytest

from clustersim.logs.errors import LogError
from clustersim.logs.history import UnreadRow


@pytest.mark.parametrize(
    ("place", "says"), [((), "why"), (("a.csv",), "a.csv: why"), (("a.csv", 3), "a.csv:3: why")]
)
def test_a_fault_is_told_with_its_place_as_far_as_that_is_known(place: tuple[str, int], says: str) -> None:
    assert str(LogError.at("why", *place)) == says


def test_each_fault_has_a_line_of_its_own() -> None:
    faults = UnreadRow("a.csv", 3, "no"), UnreadRow("b.csv", 0, "nor")
    assert str(LogError(*faults)) == "a.csv:3: no\nb.csv: nor"
