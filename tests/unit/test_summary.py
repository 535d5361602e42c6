"""The summary, worked by hand from made-up books, and from the engine where it must fit together."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from clustersim.engine.ledger import RESERVED_CAUSES, Entry, LedgerError
from clustersim.engine.replication import simulate
from clustersim.formatting import NOTHING
from clustersim.metrics.catalogue import CLAIMABLE
from clustersim.metrics.cells import number_at
from clustersim.records import Records
from clustersim.results import Results, summarise
from clustersim.scenario.drawing import drawn
from clustersim.scenario.model import Scenario
from clustersim.store import ChoiceError, RunError

DAY = 86_400.0
HOURS = 10.0


def scenario(**changes: Any) -> Scenario:
    """Ten nodes of eight cards, two spares, one failure mode; priced, with a speed."""
    return Scenario.model_validate(
        {
            "name": "ten-nodes",
            "cluster": {"gpus": 80, "spares": 2},
            "workload": {"tokens_per_gpu_second": 100, "scaling_efficiency": {80: 0.5}},
            "failures": {"node": {"per": "node", "mtbf": "10 d"}},
            "checkpoint": {"interval": "1 h", "blocks": "1 min", "load": "1 min"},
            "recovery": {"stages": {"detect": "1 min", "restart": "4 min", "load": "checkpoint"}},
            "costs": {"gpu_hour": "2 USD", "idle_spares": "50 %"},
            "simulation": {"horizon": "10 h"},
        }
        | changes
    )


def books(
    shares: Mapping[str, float], *, number: int = 0, interruptions: int = 3, reached: float = math.nan
) -> Records:
    """Return ten hours of 80 cards, divided into *shares*; saves to `checkpoint`, all else to `node`."""
    cards = 80 * HOURS * 3600
    ledger = {entry.label: cards * shares.get(entry.label, 0.0) for entry in Entry}
    charges = np.zeros((1 + len(RESERVED_CAUSES), len(Entry)))
    for entry in Entry:
        if entry is not Entry.PRODUCTIVE:
            cause = 1 + RESERVED_CAUSES.index("checkpoint") if entry is Entry.CHECKPOINT else 0
            charges[cause, entry] = ledger[entry.label]
    recovery = ledger["recovery"]
    return Records(
        replication=number,
        end_s=HOURS * 3600,
        wall_s=HOURS * 3600,
        ledger=ledger,
        charges=charges,
        stages=np.array([0.0, 0.8 * recovery, 0.2 * recovery]),
        progress_s=HOURS * 3600 * shares["productive"],
        reached_s=reached,
        interruptions=interruptions,
        incident_count=interruptions + 1,
        incidents_by_mode=np.array([interruptions + 1]),
        spares_left=1,
        curve=np.linspace(0, HOURS * 3600 * shares["productive"], 401),
        incidents={},
        segments={},
    )


GOOD = {"productive": 0.8, "lost": 0.06, "checkpoint": 0.04, "detection": 0.02, "recovery": 0.08}
BAD = {"productive": 0.6, "lost": 0.16, "checkpoint": 0.04, "detection": 0.02, "recovery": 0.18}


def two() -> dict[str, Any]:
    return summarise(scenario(), [books(GOOD), books(BAD, number=1, interruptions=5)])


def test_ettr_is_the_mean_over_replications_with_students_interval_held_within_0_and_1() -> None:
    summary = two()
    assert summary["ettr"]["mean"] == pytest.approx(0.7)
    assert summary["half_width"] == pytest.approx(12.7062 * 0.1, rel=1e-4)
    assert (summary["ettr"]["low"], summary["ettr"]["high"]) == (0.0, 1.0)
    assert summary["ettr"]["p50"] == pytest.approx(0.7)
    assert summary["ettr"]["p10"] == pytest.approx(0.62)


def test_ledger_and_causes_account_for_everything() -> None:
    summary = two()
    assert math.fsum(summary["ledger"].values()) == pytest.approx(1, abs=1e-12)
    assert math.fsum(summary["waste_by_cause"].values()) == pytest.approx(0.3, abs=1e-12)
    assert summary["waste_by_cause"]["checkpoint"] == pytest.approx(0.04)
    assert summary["waste"]["node"]["lost"] == pytest.approx(0.11)
    assert summary["recovery_stages"] == pytest.approx({"nodes": 0, "restart": 0.104, "load": 0.026})
    assert summary["availability"] == pytest.approx(0.7 + 0.11)


def test_effective_cards_throughput_and_cost() -> None:
    summary = two()
    assert summary["effective_gpus"] == pytest.approx(80 * 0.7 * 0.5)
    assert summary["throughput"]["tokens_per_s"] == pytest.approx(28 * 100)
    hourly = 2 * (80 + 0.5 * 2 * 8)
    assert summary["cost"]["total"] == pytest.approx(hourly * HOURS)
    assert summary["cost"]["per_effective_gpu_hour"] == pytest.approx(hourly / 28)
    assert summary["currency"] == "USD"


def test_the_price_of_a_card_is_spread_over_its_life() -> None:
    bought = scenario(costs={"card": "35_064 USD", "life": "4 y", "idle_spares": "0 %"})
    summary = summarise(bought, [books(GOOD)])
    assert summary["cost"]["per_gpu_hour"] == pytest.approx(1.0)
    assert summary["cost"]["total"] == pytest.approx(80 * HOURS)


def test_mtti_is_pooled_over_replications() -> None:
    summary = two()
    assert summary["mtti_s"] == pytest.approx(2 * HOURS * 3600 / 8)
    assert summary["interruptions_per_day"] == pytest.approx(8 / (2 * HOURS / 24))
    assert summary["interruptions_total"] == 8
    assert summary["incidents_by_mode"]["node"] == pytest.approx(10 / (2 * HOURS / 24))
    assert summary["mtbf_s"] == pytest.approx(DAY)


@pytest.mark.parametrize(("productive", "shown"), [(0.7, True), (0.3, True), (0.05, False)])
def test_a_job_that_stands_still_is_not_healthy_because_nothing_interrupts_it(
    productive: float, shown: bool
) -> None:
    """MTTI of a dying cluster rises: it is explained by the MTBF, or left out."""
    records = books({"productive": productive, "waiting": 1 - productive})
    cell = CLAIMABLE["mtti"].cell(summarise(scenario(), [records, records]))
    assert (cell.text != NOTHING) == shown
    why = f"it trains {productive:.0%} of the time; something fails every 1 d".replace("%", " %")
    assert cell.small == ("" if productive > 0.5 else why)


def test_without_interruptions_mtti_is_unknown_with_the_reason() -> None:
    summary = summarise(scenario(), [books(GOOD, interruptions=0)] * 2)
    assert summary["mtti_s"] is None
    assert summary["reasons"]["mtti_s"] == "no interruption in any replication"


def test_one_replication_has_no_interval() -> None:
    summary = summarise(scenario(), [books(GOOD)])
    assert (summary["ettr"]["low"], summary["ettr"]["high"], summary["half_width"]) == (None, None, None)
    assert "ettr.low" in summary["reasons"]


def test_no_progress_below_one_per_cent_and_no_price_for_nothing() -> None:
    nothing = {"productive": 0.0, "recovery": 1.0}
    summary = summarise(scenario(), [books(nothing)] * 2)
    assert summary["no_progress"] is True
    assert summary["cost"]["per_effective_gpu_hour"] is None
    assert "cost.per_effective_gpu_hour" in summary["reasons"]
    assert summarise(scenario(), [books(GOOD)] * 2)["no_progress"] is False


def to_target() -> Scenario:
    return scenario(
        workload={"productive": "8 h"}, simulation={"replications": 4}, costs={"gpu_hour": "2 USD"}
    )


def test_days_to_the_target_where_all_reach_it() -> None:
    reached = [books(GOOD, number=n, reached=(9 + n) * 3600.0) for n in range(4)]
    summary = summarise(to_target(), reached)
    assert summary["target_reached"] == 1
    assert summary["days_to_target"]["mean"] == pytest.approx(10.5 / 24)
    assert summary["days_to_target"]["p90"] == pytest.approx(11.7 / 24)
    assert summary["cost"]["to_target"] == pytest.approx(2 * 96 * HOURS)


def test_days_to_the_target_where_some_do_not() -> None:
    times = [9 * 3600.0, 9 * 3600.0, 10 * 3600.0, math.nan]
    records = [books(GOOD, number=n, reached=time) for n, time in enumerate(times)]
    summary = summarise(to_target(), records)
    assert summary["target_reached"] == 0.75
    assert summary["days_to_target"]["mean"] is None
    assert summary["days_to_target"]["p50"] == pytest.approx(9.5 / 24)
    assert summary["days_to_target"]["p90"] is None
    assert summary["reasons"]["days_to_target.p90"].startswith("reached in 3 of 4 replications")
    assert summary["cost"]["to_target"] is None


def test_a_run_without_target_price_or_speed_says_nothing_about_them() -> None:
    bare = scenario(workload={}, costs=None)
    summary = summarise(bare, [books(GOOD)] * 2)
    assert {"days_to_target", "cost", "currency", "target_s"} & set(summary) == set()
    assert summary["throughput"]["tokens_per_s"] is None


def test_the_precision_that_was_asked_for_and_reached() -> None:
    asked = scenario(simulation={"horizon": "10 h", "precision": "1 pp"})
    apart = summarise(asked, [books(GOOD), books(BAD, number=1)])
    assert apart["precision"]["met"] is False
    assert apart["precision"]["reached"] == apart["half_width"]
    assert summarise(asked, [books(GOOD)] * 2)["precision"]["met"] is True


def test_books_that_do_not_close_are_refused() -> None:
    faulty = books(GOOD)
    faulty.charges[0, Entry.LOST] += 1.0
    with pytest.raises(LedgerError, match="causes"):
        summarise(scenario(), [faulty])
    with pytest.raises(LedgerError, match="causes"):
        summarise(scenario(), [books(BAD, number=1), faulty])
    with pytest.raises(LedgerError, match="the shares of the ledger do not sum to 1"):
        summarise(scenario(), [books(GOOD), books({"productive": 1.1, "lost": -0.1}, number=1)])


def test_numbers_by_path() -> None:
    summary = two()
    assert number_at(summary, "ettr") == summary["ettr"]["mean"]
    assert number_at(summary, "ettr.p10") == summary["ettr"]["p10"]
    assert number_at(summary, "waste_by_cause.node") == summary["waste_by_cause"]["node"]
    for wrong in ("nothing", "ettr.p11", "name", "gpus.more", "cost"):
        assert number_at(summary, wrong) is None


def test_nothing_is_said_of_nodes_that_nobody_counted() -> None:
    assert "spares" not in summarise(scenario(), [books(GOOD)] * 2)


def test_a_seed_keeps_all_its_digits() -> None:
    seed = 2**63 - 1
    large = scenario(simulation={"horizon": "10 h", "seed": seed})
    assert summarise(large, [books(GOOD)])["seed"] == seed


def finite(value: object) -> bool:
    if isinstance(value, Mapping):
        return all(finite(inner) for inner in value.values())
    return not isinstance(value, float) or math.isfinite(value)


def simulated(given: Scenario, count: int) -> Sequence[Records]:
    return [simulate(given, number) for number in range(count)]


def test_the_engines_books_close_and_all_is_plain_finite_data() -> None:
    lively = scenario(
        simulation={"horizon": "20 d", "warm_up": "2 d"},
        failures={
            "node": {"per": "node", "mtbf": "5 d", "repair": "6 h"},
            "job": {"per": "job", "mtbf": "1 d"},
        },
        maintenance={"every": "3 d", "takes": "1 h"},
    )
    summary = summarise(lively, simulated(lively, 3))
    assert math.fsum(summary["ledger"].values()) == pytest.approx(1, abs=1e-9)
    assert math.fsum(summary["waste_by_cause"].values()) == pytest.approx(
        1 - summary["ettr"]["mean"], abs=1e-9
    )
    assert math.fsum(summary["recovery_stages"].values()) == pytest.approx(
        summary["ledger"]["recovery"], abs=1e-9
    )
    assert summary["waste_by_cause"]["maintenance"] > 0
    assert finite(summary)
    assert json.loads(json.dumps(summary)) == summary


def test_without_failures_only_saves_are_lost() -> None:
    calm = scenario(
        failures="none", simulation={"horizon": "61 h"}, recovery={"stages": {"load": "checkpoint"}}
    )
    summary = summarise(calm, simulated(calm, 2))
    assert summary["ettr"]["mean"] == pytest.approx(60 / 61, rel=1e-12)
    assert summary["half_width"] == 0
    assert (summary["mtbf_s"], summary["mtti_s"]) == (None, None)
    assert "mtbf_s" in summary["reasons"]
    assert summary["incidents_by_mode"] == {}
    assert "" not in summary


def test_each_draw_has_its_own_price_and_what_is_about_all_figures_comes_last() -> None:
    asked = scenario(
        costs={"gpu_hour": "2 USD", "idle_spares": "50 %"},
        uncertain={"costs.gpu_hour": {"uniform": "1 to 3 USD"}},
        uncertainty={"draws": 3, "per_draw": 2},
    )
    prices = sorted(each.costs.price_per_gpu_hour for each in drawn(asked, range(3)) if each.costs)
    summary = summarise(asked, [books(GOOD, number=number) for number in range(6)])
    hours = (80 + 0.5 * 2 * 8) * HOURS
    assert summary["cost"]["total"] == pytest.approx(hours * sum(prices) / 3)
    assert summary["inputs"]["cost.total"]["p50"] == pytest.approx(hours * prices[1])
    assert summary["inputs"]["cost.total"]["p95"] > summary["inputs"]["cost.total"]["p50"]
    assert summary["margins"]["cost.total"] == pytest.approx(0.0)
    assert list(summary)[-3:] == ["margins", "inputs", "reasons"]


def test_the_order_of_entries_does_not_matter_to_the_shares() -> None:
    one = books(GOOD)
    mixed = replace(one, ledger=dict(reversed(list(one.ledger.items()))))
    assert summarise(scenario(), [mixed])["ledger"] == summarise(scenario(), [one])["ledger"]


def test_figures_have_the_ends_of_their_interval_held_within_what_they_can_be() -> None:
    results = Results.of(scenario(), [books(GOOD), books(BAD, number=1, interruptions=5)], {})
    ettr, width = results.figures["ettr.mean"], 12.7062 * 0.1
    assert (ettr.path, ettr.value, ettr.low, ettr.high) == ("ettr.mean", pytest.approx(0.7), 0.0, 1.0)
    cards = results.figures["effective_gpus"]
    assert (cards.value, cards.low, cards.high) == pytest.approx((28.0, 0.0, 28 + 40 * width), rel=1e-4)
    median = results.figures["ettr.p50"]
    assert (median.value, median.low, median.high) == (pytest.approx(0.7), None, None)
    assert repr(results) == "<Results 'ten-nodes': ETTR 0.7 ± 1.3, 2 replications>"
    assert results.is_random
    with pytest.raises(RunError, match="this run is in no folder; say where the report goes"):
        results.report()


def test_of_what_is_not_random_one_replication_says_it_all() -> None:
    asked = scenario(failures="none", simulation={"horizon": "10 h", "precision": "1 pp"})
    shares = {"productive": 0.9, "checkpoint": 0.1}
    one = replace(books(shares), drawn=False, charges=np.zeros((4, len(Entry))))
    one.charges[RESERVED_CAUSES.index("checkpoint"), Entry.CHECKPOINT] = one.ledger["checkpoint"]
    one = replace(one, incidents_by_mode=np.zeros(0))
    for count in (1, 2):
        results = Results.of(asked, [replace(one, replication=number) for number in range(count)], {})
        summary = results.summary
        assert not results.is_random
        assert set(summary["margins"].values()) == {0.0}
        assert (summary["half_width"], summary["precision"]["reached"]) == (0.0, 0.0)
        assert summary["precision"]["met"] is True
        assert summary["ettr"]["low"] == summary["ettr"]["high"] == summary["ettr"]["mean"] == 0.9
        assert not {"ettr.low", "ettr.high"} & set(summary["reasons"])
        assert "mtbf_s" in summary["reasons"]


def test_the_values_of_a_metric_are_those_of_its_replications() -> None:
    results = Results.of(scenario(), [books(GOOD), books(BAD, number=1)], {})
    assert results.values_of("ettr").tolist() == pytest.approx([0.8, 0.6])
    assert results.ettr_by_replication.tolist() == pytest.approx([0.8, 0.6])
    assert results.values_of("waste_by_cause.node").tolist() == pytest.approx([0.16, 0.36])
    assert results.values_of("effective_gpus").tolist() == pytest.approx([32.0, 24.0])
    for metric in ("etr", "days_to_target.mean", "cost.no"):
        with pytest.raises(ChoiceError, match=f'ten-nodes: there is no metric "{metric}"'):
            results.values_of(metric)
