"""Rows of one cause: of nodes, of the job and of the site, their absences, and what lasts no day."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from clustersim.fitting import causes as module
from clustersim.fitting.causes import fit_causes
from clustersim.fitting.likelihood import Model
from clustersim.fitting.spells import Bursts
from clustersim.logs.history import History
from clustersim.units import DAY
from tests.unit.fitting.made import VALUES, cause

NAN, OPEN = math.nan, math.inf


def log_of(*rows: tuple[float, float, int, int], **more: Any) -> History:
    """Return a log of 100 days and 9 nodes: when and until when (days), node and cause of each row."""
    times, ends, nodes, causes = (np.array(column) for column in zip(*sorted(rows), strict=True))
    named = {"node": nodes, "cause": causes, "causes": ("a", "b", "c")}
    return History.of(times * DAY, 9, 100 * DAY, end_s=ends * DAY, **named, **more)


def test_causes_come_by_their_rows_and_are_heard_of() -> None:
    log = log_of((1, 2, 0, 1), (2, NAN, -1, 0), (3, NAN, -1, 0), (4, 5, 1, 1), (5, 6, 2, 1), (6, 7, 3, 0))
    heard: list[str] = []
    found = fit_causes(log, heard.append)
    assert list(found) == heard == ["b", "a of the job", "a"]
    assert [(fit.per, fit.count) for fit in found.values()] == [("node", 3), ("job", 2), ("node", 1)]
    assert list(fit_causes(log_of((1, 2, -1, 2), (2, NAN, -1, 2)))) == ["c", "c of the site"]


def test_absences_end_with_the_watch_and_are_over_if_they_end_before() -> None:
    """Node 2 is away for 2 d, nodes 1 and 4 until the end and node 0 until it leaves; node 3 stays."""
    left = [50, 100, 100, 100, 100, 100, 100, 100, 100]
    rows = ((1, 3, 2, 0), (90, OPEN, 1, 0), (40, 60, 0, 0), (5, NAN, 3, 0), (90, 100, 4, 0))
    (found,) = fit_causes(log_of(*rows, left_s=np.array(left) * DAY)).values()
    assert sorted((found.away_s / DAY).tolist()) == [2, 10, 10, 10]
    assert found.done[found.away_s == 2 * DAY].tolist() == [True]
    assert found.done.sum() == 1
    assert (found.transient, found.count) == (1, 5)
    assert found.node_days == 850
    assert found.repair is not None
    assert (found.repair.seen.done, found.repair.seen.censored) == (1, 3)


def test_the_site_is_out_until_the_end_of_the_window() -> None:
    (found,) = fit_causes(log_of((1, 3, -1, 0), (95, OPEN, -1, 0))).values()
    assert (found.per, found.away_s.tolist(), found.done.tolist()) == (
        "cluster", [2 * DAY, 5 * DAY], [True, False]
    )  # fmt: skip
    assert found.relapse is None
    assert found.bursts is None


def test_a_repair_does_not_last_if_the_node_fails_within_a_day_by_the_same_cause() -> None:
    """Of node 0 one lasts a day, two do longer; node 1 is back too late to tell, node 2 has another cause.

    Node 3 is back a day before the end.
    """
    rows = [
        (98, 99, 3, 0),
        (1, 2, 0, 0),
        (3, 4, 0, 0),
        (5.1, 6, 0, 0),
        (99.5, 99.7, 1, 0),
        (50, 51, 2, 0),
        (51.5, 52, 2, 1),
    ]
    found = fit_causes(log_of(*rows))["a"]
    assert found.relapse is not None
    assert (found.relapse.seen, found.relapse.repairs) == (1, 5)
    assert found.relapse.share == 0.2
    served = 9 * 100 - (1 + 1 + 1 + 0.9 + 0.2 + 1 + 0.5)
    assert found.relapse.expected == pytest.approx(1 - math.exp(-6 / served))
    assert fit_causes(log_of((1, NAN, 0, 0), (2, NAN, 0, 0)))["a"].relapse is None


def test_a_rack_that_fails_as_a_whole_is_repaired_once_and_counts_as_rows() -> None:
    """Four racks of two, of which the first row alone tells how long; the rate is that of rows."""
    rows = [(10.0 * n + 1, 10.0 * n + 1 + length, 2 * n + each, 0)
            for n in range(4) for each, length in ((0, 1), (1, 2))]  # fmt: skip
    (found,) = fit_causes(log_of(*rows)).values()
    assert found.bursts is not None
    assert (found.count, found.spells.count, found.bursts.domain) == (8, 4, 2)
    assert (found.away_s / DAY).tolist() == [1, 1, 1, 1]
    assert found.rate.mean == pytest.approx(8 / 0.9)
    assert found.burst is not None
    assert found.burst.mean == 1.0


def test_the_level_is_that_of_all_tests_of_all_causes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 20 failures of nodes without repairs, one feature and bursts; of the job and of the site, none."""
    monkeypatch.setattr(module, "testable", lambda spells, nodes, window: ("lemons",) if nodes > 1 else ())
    rows = [(number, NAN, number % 9, 0) for number in range(1, 21)]
    found = fit_causes(log_of(*rows, *((30.0 + number, NAN, -1, 1) for number in range(3)), (50, 51, -1, 2)))
    assert [fit.selection.level for fit in found.values()] == [0.05 / 2] * 3


def test_a_share_of_bursts_is_of_the_failures_and_none_if_they_are_chance() -> None:
    bursts = Bursts(10, 40, 0.5, 1e-9, 4)
    assert cause(bursts=bursts).burst == pytest.approx((0.25, 0.1269, 0.4120), rel=1e-3)
    for other in (None, Bursts(10, 40, 0.5, 1e-9, 0), Bursts(10, 40, 0.5, 0.01, 4)):
        assert cause(bursts=other).burst is None


def test_a_plain_rate_has_the_exact_interval_of_its_count() -> None:
    """40 in 800 d: Garwood's limits of 40 are 28.58 and 54.47."""
    estimate = cause().values["mtbf_s"]
    assert [end / DAY for end in estimate if end] == pytest.approx([20, 800 / 54.47, 800 / 28.58], rel=1e-3)
    assert set(cause(Model(lemons=True)).values) == {"mtbf_s", "share", "factor"}
    assert cause(Model("weibull")).known["shape"].mean == VALUES["shape"]
    assert cause().rate == pytest.approx((40, 28.58, 54.47), rel=1e-3)


def test_first_failures_have_a_shape_if_they_are_twenty() -> None:
    shape = cause().first_shape
    assert shape is not None
    assert shape.low is not None
    assert shape.low > 2
    few = cause()
    assert cause(spells=few.spells.part(np.arange(40) < 20)).first_shape is not None
    assert cause(spells=few.spells.part(np.arange(40) < 19)).first_shape is None
