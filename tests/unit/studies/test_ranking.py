"""How levers are ranked, and which of them are alike, of gains that are given for each replication."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from clustersim.arrays import Floats
from clustersim.scenario.model import Scenario
from clustersim.studies.levers import Levers, _tuned_interval, levers
from clustersim.studies.study import Simulations, simulations
from tests.unit.studies.clusters import HERE, job

FAILURES, START, SAVES = "halve any failures", "halve start time", "halve the cost of saves"
OWN = {"mine": {"checkpoint.blocks": "3 s", "price": "100 USD"}}
Gains = Sequence[Sequence[float]]


@pytest.fixture
def gaining(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Levers]:
    """Ranks rarer failures, a faster start and cheaper saves, and others, by their gains of ETTR over 0.5."""

    def ranked(gains: Gains, scenario: Scenario | None = None, output: Path | None = None) -> Levers:
        def ettr(self: Simulations, scenarios: Sequence[Scenario], replications: range) -> list[Floats]:
            assert len(scenarios) == 1 + len(gains)
            return [0.5 + np.zeros(4), *(0.5 + np.array(each) for each in gains)]

        monkeypatch.setattr(Simulations, "ettr", ettr)
        monkeypatch.setattr("clustersim.studies.levers._tuned_interval", lambda *_: iter(()))
        return levers(scenario or job(replications=4), output, settings=HERE)

    return ranked


def said(found: Levers) -> str:
    return " ".join(map(str, found.advice))


def alike(found: Levers) -> dict[str, tuple[str, ...]]:
    return {lever.name: lever.alike for lever in found.levers}


def test_levers_are_alike_up_to_the_first_that_differs_pair_by_pair(gaining: Callable[..., Levers]) -> None:
    """The first two differ from each other by chance alone; both surely from the third."""
    found = gaining([[0.10, 0.12, 0.10, 0.12], [0.02, 0.02, 0.02, 0.02], [0.11, 0.10, 0.11, 0.10]])
    assert list(alike(found).items()) == [(FAILURES, ()), (SAVES, (FAILURES,)), (START, ())]
    assert [lever.name for lever in found.first] == [FAILURES, SAVES]
    assert said(found).startswith("First: halve any failures. It gains +11.0")
    assert "Not distinguishable from it: halve the cost of saves, +10.5" in said(found)
    assert "Then: halve start time, +2.000 pp." in said(found)
    assert "Rarer failures come before faster recovery" in said(found)


def test_what_differs_from_the_nearest_is_not_like_one_further_up(gaining: Callable[..., Levers]) -> None:
    """The most uncertain one is ranked first, like all of them, and yet no gain."""
    found = gaining([[0.3, -0.1, 0.3, -0.1], [0.098] * 4, [0.099] * 4])
    assert list(alike(found).items()) == [(FAILURES, ()), (SAVES, (FAILURES,)), (START, ())]
    assert [lever.name for lever in found.helpful] == [SAVES, START]
    assert [lever.name for lever in found.first] == [SAVES]
    assert "First: halve the cost of saves." in said(found)
    assert "Not distinguishable from no change: halve any failures." in said(found)
    assert "Rarer failures" not in said(found)


def test_no_reason_is_given_for_an_order_that_chance_may_have_made(gaining: Callable[..., Levers]) -> None:
    found = gaining([[0.10, 0.12, 0.10, 0.12], [0.11, 0.10, 0.11, 0.10], [0.02] * 4])
    assert alike(found)[START] == (FAILURES,)
    assert "Rarer failures" not in said(found)
    slower = gaining([[0.05] * 4, [0.10] * 4, [0.02] * 4])
    assert "Rarer failures" not in said(slower)


def test_losses_and_what_makes_no_difference_stand_apart(gaining: Callable[..., Levers]) -> None:
    found = gaining([[0.1, -0.1, 0.1, -0.1], [-0.02] * 4, [0.01, -0.02, 0.01, -0.02]])
    assert found.helpful == found.first == []
    text = said(found)
    assert text.startswith("No change gains anything distinguishable (replications: 4).")
    assert "A loss: halve start time, −2.000 pp." in text
    assert "Not distinguishable from no change: halve any failures, halve the cost of saves." in text
    nothing = gaining([[0.1, -0.1, 0.1, -0.1]] * 3)
    assert "Not distinguishable from no change" not in said(nothing)


def test_where_cards_have_a_price_the_price_of_a_lever_decides(gaining: Callable[..., Levers]) -> None:
    """1 pp of 1,000 cards over 100 h is worth 2,000 USD: what gains 2 pp for 3,000 USD leaves less."""
    price = {"mine": OWN["mine"] | {"price": "3_000 USD"}}
    scenario = job(replications=4, levers=price, costs={"gpu_hour": "2 USD"})
    found = gaining([[0.01] * 4, [0.0055] * 4, [0.004] * 4, [0.02] * 4], scenario)
    assert [lever.name for lever in found.levers] == [FAILURES, START, "mine", SAVES]
    mine = found.by_name["mine"]
    assert mine.net is not None
    assert mine.net.mean == pytest.approx(1000)
    assert mine.pays
    assert mine.pays_back_s == pytest.approx(0.75 * 100 * 3600)
    assert found.by_name[FAILURES].pays is None
    assert "mine, for 3,000 USD, has paid for itself after 3.1 d of this run." in said(found)
    assert "Money is what a change saves over this run of 4.17 d." in said(found)
    dear = gaining([[0.01] * 4, [0.0055] * 4, [0.004] * 4, [0.014] * 4], scenario)
    assert dear.levers[-1].name == "mine"
    assert dear.by_name["mine"].pays is False
    assert "mine, for 3,000 USD, does not pay within this run: it saves 2,800" in said(dear)


def test_until_a_target_a_lever_pays_back_within_the_run(gaining: Callable[..., Levers]) -> None:
    """40 h of work take 80 h at 0.5 and 50 h at 0.8: 30 h of 1,000 cards are worth 60,000 USD."""
    price = {"mine": OWN["mine"] | {"price": "50_000 USD"}}
    target = {"workload": {"productive": "40 h"}, "costs": {"gpu_hour": "2 USD"}}
    found = gaining(
        [[0.01] * 4, [0.01] * 4, [0.01] * 4, [0.3] * 4], job(replications=4, levers=price, **target)
    )
    mine = found.by_name["mine"]
    assert mine.pays
    assert mine.pays_back_s == pytest.approx(50 / 60 * 80 * 3600)
    assert "mine, for 50,000 USD, has paid for itself after 2.8 d of this run." in said(found)


def test_what_is_alike_is_so_net_of_the_price(gaining: Callable[..., Levers]) -> None:
    """Each is known to within 0.4 USD: 1 pp of ETTR is worth 2,000 USD, and 2 pp for 2,000 USD as much."""
    scenario = job(
        replications=4, levers={"mine": OWN["mine"] | {"price": "2_000 USD"}}, costs={"gpu_hour": "2 USD"}
    )
    some = np.array([1.1e-6, -0.9e-6] * 2)
    found = gaining([0.01 + some, [0.005] * 4, [0.0] * 4, [0.02] * 4], scenario)
    assert alike(found) == {FAILURES: (), "mine": (FAILURES,), START: (), SAVES: ()}


def test_three_of_those_that_follow_are_named_with_what_is_like_them(gaining: Callable[..., Levers]) -> None:
    """Behind the first one, which half of all failures exceeds: a pair that is alike, and two more.

    9,120 USD are known to within 180, 10,000 to within 4,000.
    """
    modes = {name: {"per": "job", "mtbf": "2 h"} for name in ("left", "right")}
    more = {
        "failures": modes,
        "levers": {"mine": {"checkpoint.blocks": "3 s"}},
        "costs": {"gpu_hour": "2 USD"},
    }
    gains = {
        "left": [0.10] * 4,
        "right": [0.04, 0.06, 0.04, 0.06],
        "all": [0.15] * 4,
        "start": [0.0461, 0.0451] * 2,
    }
    found = gaining([*gains.values(), [0.02] * 4, [0.01] * 4], job(replications=4, **more))
    assert "First of the single changes: halve left failures. It gains" in said(found)
    assert "Several at once: halve all failures, 30,000 USD." in said(found)
    assert (
        "Then: halve right failures, 10,000 USD; halve start time, 9,120 USD (not distinguishable from halve"
        " right failures); halve the cost of saves, 4,000 USD. Each was tried by itself"
    ) in said(found)


def test_where_there_is_no_recovery_rarer_failures_come_before_none(gaining: Callable[..., Levers]) -> None:
    found = gaining([[0.10] * 4, [0.02] * 4], job(restart=0, replications=4))
    assert list(alike(found)) == [FAILURES, SAVES]
    assert "Rarer failures" not in said(found)


@pytest.mark.parametrize(
    ("interval", "now"),
    [("3_334 s", "55.6 min"), ({"adaptive": {"window": "1 d"}}, "one that follows the failures")],
)
def test_the_tuned_interval_is_told_with_todays(
    interval: Any, now: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To three digits where no round one is as good."""
    found = SimpleNamespace(best=1234.5, distinguishable=lambda _: True, flat_range=lambda: (1234.0, 1235.0))
    monkeypatch.setattr("clustersim.studies.levers.interval_search", lambda *_: found)
    (change,) = _tuned_interval(job(interval=interval), Simulations(HERE))
    assert change.values == {"checkpoint.interval": "20.6 min"}
    assert change.text == f"checkpoint.interval: {now} -> 20.6 min"


def test_what_is_kept_of_levers_is_that_of_their_scenario(
    gaining: Callable[..., Levers], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """So that what is kept of another one is not gone on from."""
    asked = list[Any]()

    def kept(*given: Any) -> AbstractContextManager[Simulations]:
        asked.extend(given)
        return simulations(*given)

    monkeypatch.setattr("clustersim.studies.levers.simulations", kept)
    found = gaining([[0.0] * 4] * 3, output=tmp_path)
    assert asked == [HERE, tmp_path, "levers", job(replications=4)]
    assert json.loads((tmp_path / "levers.json").read_text("utf-8")) == found.saved()
