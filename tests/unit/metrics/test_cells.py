"""What a table shows of a metric, worked out by hand: the figure in its unit, and its remark at each edge."""

from __future__ import annotations

from typing import Any

import pytest

from clustersim.formatting import NOTHING
from clustersim.metrics import cells
from clustersim.metrics.catalogue import METRICS, SCHEMA_VERSION, table_of
from clustersim.metrics.cells import MetricCell

PAID = {"lost": 100.0, "total": 300.0}
BY_PATH = {metric.path: metric for metric in METRICS}


def summary(**changes: Any) -> dict[str, Any]:
    """Return what the cells read of a run of two replications, with *changes*."""
    widths = changes.pop("widths", None)
    margins = {"ettr": 0.01} if widths is None else dict.fromkeys(BY_PATH, widths)
    return {
        "schema_version": SCHEMA_VERSION,
        "gpus": 1000,
        "nodes": 125,
        "spare_nodes": 0,
        "replications": 2,
        "horizon_s": 5 * 86_400.0,
        "no_progress": False,
        "scaling_efficiency": 1,
        "ettr": {"mean": 0.8, "p10": 0.7, "p50": 0.8, "p90": 0.9},
        "availability": 0.9,
        "mtbf_s": 7200.0,
        "currency": "USD",
        "margins": margins,
        "reasons": {},
        **changes,
    }


@pytest.mark.parametrize(
    ("value", "width", "unit", "text"),
    [
        (1500, None, "cards", "1,500"),
        (1500.0, 20.0, "cards", "1,500 ± 20"),
        (2.5, 0.3, "days", "2.5 ± 0.3 days"),
        (2.5, None, "days", "2.5 days"),
        (0.42, 0.001, "share", "42.0 %"),
        (7500.0, 600.0, "s", "2.08 h"),
        (1.5e6, 1e5, "money", "1.50 million USD"),
        (999.0, 0.0, "tokens/s", "999.0 tokens/s"),
        (1e3, 0.0, "tokens/s", "1.000 k tokens/s"),
        (2.5e6, 2e5, "tokens/s", "2.5 ± 0.2 M tokens/s"),
        (1e9, None, "tokens/s", "1.0 G tokens/s"),
        (3.25e12, 2e10, "tokens/s", "3.25 ± 0.02 T tokens/s"),
        (0.0, 0.0, "tokens/s", "0 tokens/s"),
    ],
)
def test_a_figure_is_written_in_its_unit(value: float, width: float | None, unit: str, text: str) -> None:
    assert cells.worded(value, width, unit, "USD") == text


def test_what_is_not_there_is_a_dash_with_the_reason() -> None:
    known = summary(mtti_s=7.25, margins={"mtti_s": 2.0})
    assert cells.in_unit(known, "mtti_s", "s") == MetricCell("7 s")
    assert cells.in_unit(known, "mtti_s", "s", given=True) == MetricCell("7.25 s")
    known["inputs"] = {"mtti_s": {"p5": 3.0, "p95": 60.0}}
    assert cells.in_unit(known, "mtti_s", "s") == MetricCell("7 s, inputs 3 s to 60 s")
    never = summary(mtti_s=None, reasons={"mtti_s": "no interruption"})
    assert cells.in_unit(never, "mtti_s", "s") == MetricCell(NOTHING, "no interruption")
    for path, why in (
        ("cost.total", "no price given"),
        ("days_to_target.mean", "no target"),
        ("replicas.count", "the job restarts as a whole"),
        ("spares.short", "not recorded"),
        ("checkpoint_interval_s", "no checkpoints"),
        ("tiers.a.loads", ""),
    ):
        assert cells.in_unit(summary(), path) == MetricCell(NOTHING, why)


def test_inputs_are_said_where_they_make_a_difference() -> None:
    def with_inputs(p5: float, p95: float) -> dict[str, Any]:
        return summary(inputs={"ettr": {"p5": p5, "p50": 0.5, "p95": p95}})

    # A tenth of the range is 0.02: two decimals, and of a range of 0.1 a hundredth: 0.01, three digits.
    assert cells.inputs(with_inputs(0.612, 0.812), "ettr") == ", inputs 0.61 to 0.81"
    assert cells.inputs(with_inputs(0.612, 0.712), "ettr") == ", inputs 0.612 to 0.712"
    assert cells.inputs(with_inputs(0.5, 0.5), "ettr") == ""
    assert cells.inputs(with_inputs(0.2, 0.4), "mtti_s") == ""
    assert cells.inputs(summary(), "ettr") == ""
    assert cells.inputs(with_inputs(0.61, 0.81), "ettr", after="") == "inputs 0.61 to 0.81"


@pytest.mark.parametrize(
    ("changes", "cell"),
    [
        ({}, ("0.800 ± 0.010", "")),
        ({"margins": {}}, ("0.80", "one replication: no interval")),
        ({"margins": {}, "inputs": {}}, ("0.80", "one replication per draw: chance is not known")),
        ({"no_progress": True, "ettr": {"mean": 0}}, ("0", "no progress")),
        ({"no_progress": True, "ettr": {"mean": 0.00099}}, ("below 0.001", "no progress")),
        (
            {"no_progress": True, "ettr": {"mean": 0.001}, "margins": {"ettr": 0.0004}},
            ("0.0010 ± 0.0004", "no progress"),
        ),
    ],
)
def test_ettr_says_what_it_rests_on(changes: dict[str, Any], cell: tuple[str, str]) -> None:
    assert cells.ettr(summary(**changes)) == MetricCell(*cell)


@pytest.mark.parametrize(
    ("changes", "cell"),
    [
        ({}, ("0.70 to 0.90", "")),
        ({"replications": 1}, (NOTHING, "one replication")),
        ({"random": False}, (NOTHING, "nothing is random: each replication is the same")),
        ({"no_progress": True, "ettr": {"p10": 0.0, "p90": 0.00099}}, ("below 0.001", "")),
        ({"no_progress": True, "ettr": {"p10": 0.0, "p90": 0.001}}, ("0.0000 to 0.0010", "")),
        ({"ettr": {"p10": 0.0, "p90": 0.0009}}, ("0.0000 to 0.0009", "")),
    ],
)
def test_the_spread_is_of_several_random_replications(changes: dict[str, Any], cell: tuple[str, str]) -> None:
    assert cells.spread(summary(**changes)) == MetricCell(*cell)


@pytest.mark.parametrize(
    ("availability", "mtbf", "said"),
    [
        (0.5, 7200.0, ""),
        (0.49, 7200.0, "it trains 49 % of the time; something fails every 2 h"),
        (0.1, 7.25, "it trains 10 % of the time; something fails every 7.25 s"),
        (0.2, None, ""),
        (None, 7200.0, ""),
    ],
)
def test_times_between_interruptions_say_little_of_a_job_that_hardly_trains(
    availability: float | None, mtbf: float | None, said: str
) -> None:
    made = summary(availability=availability, mtbf_s=mtbf)
    assert cells.standing_still(made) == said
    assert cells.mtti(made) == said


def test_a_job_that_nearly_never_trains_has_no_mtti() -> None:
    why = "it trains 9 % of the time; something fails every 2 h"
    assert cells.mtti(summary(availability=0.09)) == MetricCell(NOTHING, why)


def test_there_is_no_price_without_progress() -> None:
    assert cells.price(summary()) == ""
    assert cells.price(summary(no_progress=True)) == MetricCell(
        NOTHING, "no progress: next to nothing to price"
    )


@pytest.mark.parametrize(
    ("spares", "most_away", "enough", "cell"),
    [
        (0, None, 0, (NOTHING, "none, and no node ever left the job")),
        (0, 0, 0, (NOTHING, "none, and no node ever left the job")),
        (1200, 0, 0, ("1,200", "no node ever left the job")),
        (1200, None, 0, ("1,200", "")),  # nobody counted
        (0, 3, 2000, ("0", "2,000 would suffice for 99 % of the time")),
        (5, 3, 0, ("5", "0 would suffice for 99 % of the time")),
        (5, 1, None, ("5", "why")),
    ],
)
def test_spare_nodes_are_said_with_how_many_would_suffice(
    spares: int, most_away: int | None, enough: int | None, cell: tuple[str, str]
) -> None:
    counted = {} if most_away is None else {"away": {"max": most_away}, "sufficient_p99": enough}
    made = summary(spare_nodes=spares, spares=counted, reasons={"spares.sufficient_p99": "why"})
    assert cells.spare_nodes(made) == MetricCell(*cell)


def test_nodes_away_nearly_always() -> None:
    away = {"away": {"p99": 1200, "max": 1500}}
    assert cells.nodes_away(summary(spares=away)) == "1,200 or fewer for 99 % of the time"
    never = {"away": {"p99": 0, "max": 0}}
    assert cells.nodes_away(summary(spares=never)) == MetricCell(NOTHING, "no node ever left the job")


def test_the_time_to_the_target_has_its_percentiles() -> None:
    made = summary(days_to_target={"p50": 10.0, "p90": 12.5}, margins={"days_to_target.mean": 0.3})
    assert cells.days_to_target(made) == "P50 10.0, P90 12.5"
    assert cells.days_to_target({**made, "replications": 1}) == ""


def test_copies_are_those_that_were_loaded() -> None:
    tiers = {"peer": {"loads": 0.75}, "disk": {"loads": 0.0}, "store": {"loads": 0.05}}
    made = summary(tiers=tiers, replicas={"peer_loads": 0.2}, widths=0.01)
    assert cells.copies_loaded(made) == MetricCell("peer 75 %, store 5 %, another replica 20 %")
    assert cells.copies_loaded(summary(replicas={"peer_loads": 0.2})) == MetricCell("another replica 20 %")
    assert cells.copies_loaded(summary(tiers={"a": {"loads": None}})) == MetricCell(
        NOTHING, "none was loaded"
    )
    assert cells.copies_loaded(summary()) == MetricCell(NOTHING, "only one tier")


def test_the_save_interval_is_that_of_each_tier() -> None:
    assert cells.save_interval(summary(checkpoint_interval_s=1234.0)) == MetricCell("20.6 min")
    assert cells.save_interval(summary()) == MetricCell(NOTHING, "no checkpoints")
    tiers = {"peer": {"interval_s": 7.25}, "disk": {"interval_s": 5400.0}}
    assert cells.save_interval(summary(tiers=tiers)) == MetricCell("peer 7.25 s, disk 1.5 h")


def test_what_was_simulated_is_a_length_or_at_most_one() -> None:
    assert cells.simulated(summary(replications=1200, horizon_s=7.25)) == MetricCell("1,200 × 7.25 s")
    assert cells.simulated(summary(target_s=1.0)) == MetricCell("2 × at most 5 d")


@pytest.mark.parametrize(
    ("path", "changes", "cell"),
    [
        ("gpus", {}, ("1,000", "125 nodes")),
        ("mtbf_s", {"mtbf_s": 1234.0}, ("20.6 min", "")),
        ("effective_gpus", {"effective_gpus": 800.0, "widths": 10.0}, ("800 ± 10", "of 1,000")),
        (
            "effective_gpus",
            {"effective_gpus": 400.0, "widths": 10.0, "spare_nodes": 5, "scaling_efficiency": 0.5},
            ("400 ± 10", "of 1,000 and 40 spare, at scaling efficiency 0.5"),
        ),
        ("effective_gpus", {"effective_gpus": None, "reasons": {"effective_gpus": "why"}}, (NOTHING, "why")),
        ("spares.waiting", {"spares": {"waiting": 0.0}, "widths": 0.0}, (NOTHING, "never waited")),
        ("spares.waiting", {"spares": {"waiting": 0.25}, "widths": 0.02}, ("25 %", "")),
        (
            "replicas.count",
            {"replicas": {"count": 8, "down": 0.5}, "widths": 0.1},
            ("8", "0.50 ± 0.10 of them down on average"),
        ),
        ("cost.lost", {"cost": PAID, "widths": 3.0}, ("100 USD", "of 300 USD paid")),
        (
            "cost.lost",
            {"cost": PAID, "widths": 3.0, "target_reached": 0.5, "horizon_s": 7.25},
            ("100 USD in 7.25 s", "of 300 USD paid until then"),
        ),
        (
            "cost.total",
            {"cost": PAID, "widths": 0.0, "target_reached": 0.99},
            (NOTHING, "the target was not reached in every replication"),
        ),
        ("cost.total", {"cost": PAID, "widths": 0.0, "target_reached": 1.0}, ("300.0 USD", "")),
    ],
)
def test_a_row_of_the_table(path: str, changes: dict[str, Any], cell: tuple[str, str]) -> None:
    assert BY_PATH[path].cell(summary(**changes)) == MetricCell(*cell)


def test_a_table_has_what_any_of_its_runs_has_and_no_more() -> None:
    plain = summary(mtti_s=None, reasons={"mtti_s": "no interruption in any replication"})
    priced = summary(cost={"total": 300.0}, currency="USD", margins={"ettr": 0.01, "cost.total": 0.0})
    found = {metric.path: [cell.text for cell in row] for metric, row in table_of([plain, priced])}
    assert found["cost.total"] == [NOTHING, "300.0 USD"]
    assert found["mtti_s"] == [NOTHING, NOTHING]  # is always shown
    assert found["ettr.mean"] == ["0.800 ± 0.010"] * 2
    assert not {"replicas.count", "nodes", "ettr.p50", "incidents", "tiers.<tier>.interval_s"} & found.keys()
    assert "cost.total" not in {metric.path for metric, _ in table_of([plain])}
    assert next(iter(found)) == "gpus"
