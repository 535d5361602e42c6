"""Small decisions on which a printed figure or a verdict hangs, each at its edge, where a mutant moves it."""

from __future__ import annotations

import math
from collections import defaultdict
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from clustersim import estimate
from clustersim.advice import _precision, _shared, verdict
from clustersim.engine.ledger import Entry
from clustersim.estimate import COCHRAN, ConfidenceInterval, mean_of, precise_enough
from clustersim.formatting import NOTHING, PrintedShares, largest_remainder, percent
from clustersim.metrics.catalogue import _of_cards, figures_of
from clustersim.metrics.catalogue import _precision as precision
from clustersim.metrics.cells import MetricCell, spare_nodes
from clustersim.metrics.metric import NEARLY_ALWAYS, held_for
from clustersim.metrics.replications import Replications, ScenarioFacts
from clustersim.validation import outcomes
from clustersim.validation.outcomes import AGREES, DIFFERS, UNDECIDED, interval_text
from tests.unit.test_advice_rules import summary

USUAL = {
    "gpus": 64,
    "nodes": 8,
    "half_width": 0.01,
    "no_progress": False,
    "effective_gpus": 40.0,
    "ettr": {"mean": 0.8},
    "margins": defaultdict(lambda: 0.01),
}


def replications(**columns: Any) -> Replications:
    names: dict[str, Any] = dict.fromkeys(("tier", "entry", "cause", "mode", "stage"), ())
    facts = ScenarioFacts(names, frozenset(), {"precision.stakes": {}, "precision.asked": 0.01})
    return Replications(facts, columns | {"replication": np.arange(len(next(iter(columns.values()))))})


def test_training_that_was_corrupted_is_training_too() -> None:
    ledger = np.zeros((1, len(Entry)))
    ledger[0, [Entry.PRODUCTIVE, Entry.LOST, Entry.SLOW, Entry.CORRUPTED, Entry.RECOVERY]] = (
        0.5, 0.1, 0.05, 0.2, 0.15,
    )  # fmt: skip
    made = replications(ledger=ledger)
    figure = figures_of(made.facts)["availability"]
    found = figure.measure.estimate(figure.rows(made))
    assert found is not None
    assert found.mean == pytest.approx(0.85)


@pytest.mark.parametrize(("stretch", "met"), [(0.99, True), (1.01, False), (1.9, False)])
def test_a_precision_is_met_at_what_was_asked_and_not_beyond(stretch: float, met: bool) -> None:
    spread = np.array([-1.0, 1.0] * 16)
    width = mean_of(spread).half_width
    assert width is not None
    made = replications(ettr=0.5 + spread * stretch * 0.01 / width, incidents_by_mode=np.zeros((32, 0)))
    assert precision(made)["met"] is met


def test_the_fewest_spares_are_those_of_the_worst_replication() -> None:
    made = replications(spares_left=np.array([4, 2, 7]))
    for path in ("fewest_spares", "spares.fewest_idle"):
        figure = figures_of(made.facts)[path]
        found = figure.measure.estimate(figure.rows(made))
        assert found is not None
        assert found.mean == 2


@pytest.mark.parametrize(
    ("away_s", "nodes"),
    [((99.0, 1.0), 0), ((98.9, 1.1), 1), ((50.0, 49.0, 1.0), 1), ((50.0, 48.9, 1.1), 2), ((1.0,), 0)],
)
def test_so_many_spares_suffice_and_no_one_more(away_s: tuple[float, ...], nodes: int) -> None:
    assert held_for(np.array(away_s), NEARLY_ALWAYS) == nodes


@pytest.mark.parametrize(
    ("share", "width", "text"),
    [
        (0.0051, None, "1 %"), (0.0049, None, "<1 %"), (0.0, None, "0 %"), (0.00051, 0.001, "0.1 %"),
        (0.00049, 0.001, "<0.1 %"), (0.00049, 0.002, "<1 %"), (0.994, None, "99 %"),
    ],
)  # fmt: skip
def test_what_is_too_small_to_print_is_less_than_the_smallest_that_is(
    share: float, width: float | None, text: str
) -> None:
    assert percent(share, width) == text


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [(0.1, 0.2, DIFFERS), (0.1, 0.45, UNDECIDED), (0.45, 0.46, AGREES), (0.3, 0.41, UNDECIDED),
     (0.55, 0.7, UNDECIDED), (0.7, 0.8, DIFFERS), (0.1, 0.9, UNDECIDED)],
)  # fmt: skip
def test_a_claim_differs_only_where_the_whole_interval_lies_outside(
    low: float, high: float, expected: str
) -> None:
    """The mean of 0.3 to 0.41 lies outside 0.4 to 0.6, and decides nothing."""
    assert outcomes.verdict(ConfidenceInterval((low + high) / 2, low, high), 0.4, 0.6) == expected


@pytest.mark.parametrize(("off", "is_even"), [(0.0, True), (0.04, True), (0.06, False), (0.4, False)])
def test_an_interval_is_lopsided_beyond_a_tenth_of_its_half(off: float, is_even: bool) -> None:
    text = interval_text(ConfidenceInterval(0.5 + off * 0.1, 0.4, 0.6), "share")
    assert ("±" in text) is is_even


def test_the_interval_that_is_cut_is_said_and_no_other() -> None:
    for mean, width, cut in ((0.5, 0.4, False), (0.05, 0.06, True), (0.05, 0.04, False), (0.95, 0.06, True)):
        made = summary(half_width=width, ettr={"mean": mean}, replications=64, no_progress=False)
        told = [str(each) for each in _precision(SimpleNamespace(), made)]  # type: ignore[arg-type]
        assert any("cut at what is possible" in each for each in told) is cut


def test_what_is_left_of_rounding_goes_where_most_was_lost() -> None:
    assert largest_remainder({"a": 1.2, "b": 1.7, "c": 1.1}, 4) == {"a": 1, "b": 2, "c": 1}
    assert largest_remainder({"a": 33.4, "b": 33.3, "c": 33.3}, 100) == {"a": 34, "b": 33, "c": 33}
    assert largest_remainder({"a": 2.0, "b": 0.9, "c": 0.1}, 3) == {"a": 2, "b": 1, "c": 0}
    printed = PrintedShares.of({"a": 0.615, "b": 0.384, "c": 0.001}, 0, 1.0)
    assert [printed.text(name) for name in "abc"] == ["62 %", "38 %", "<1 %"]


@pytest.mark.parametrize("efficiency", [1, 1.0, 0.8])
def test_scaling_is_mentioned_where_there_is_any(efficiency: float) -> None:
    made = summary(scaling_efficiency=efficiency, **USUAL)
    assert ("scaling efficiency" in _of_cards(made)) is (efficiency != 1)
    assert ("scaling efficiency" in str(verdict(made))) is (efficiency != 1)


@pytest.mark.parametrize(("count", "enough"), [(99, False), (100, True), (101, True)])
def test_as_many_replications_as_their_skewness_asks_for_are_enough(
    count: int, enough: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(estimate, "_skewness", lambda _: math.sqrt(100 / COCHRAN))
    assert precise_enough(np.linspace(0.4, 0.6, count), 1.0) is enough


@pytest.mark.parametrize(
    ("nodes", "most_away", "text", "note"),
    [
        (0, 0, NOTHING, "none, and no node ever left the job"),
        (0, None, NOTHING, "none, and no node ever left the job"),
        (3, 0, "3", "no node ever left the job"),
        (3, None, "3", ""),
        (0, 2, "0", "2 would suffice for 99 % of the time"),
        (3, 5, "3", "2 would suffice for 99 % of the time"),
    ],
)
def test_how_many_spares_there_are_and_how_many_would_do(
    nodes: int, most_away: int | None, text: str, note: str
) -> None:
    spares = {"away": {"max": most_away}, "sufficient_p99": 2}
    assert spare_nodes({"spare_nodes": nodes, "spares": spares, "reasons": {}}) == MetricCell(text, note)


@pytest.mark.parametrize(
    ("modes", "ending"),
    [(3, '"m1" 10.0 % and "m2" 10.0 %'), (4, '"m2" 10.0 % and 1 more'), (6, '"m2" 10.0 % and 3 more')],
)
def test_of_many_alike_the_first_are_named_and_the_others_counted(modes: int, ending: str) -> None:
    said = _shared(summary(), {f"m{number}": 0.1 for number in range(modes)})
    assert said.endswith(ending)
