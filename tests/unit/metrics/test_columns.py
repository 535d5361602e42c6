"""Columns of replications, and what measures make of them, worked out by hand."""

from __future__ import annotations

import math
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from clustersim.engine.ledger import Entry
from clustersim.metrics import catalogue
from clustersim.metrics.catalogue import figures_of
from clustersim.metrics.metric import (
    Measure,
    Metric,
    MetricFigure,
    about,
    by_draw,
    held,
    mean,
    over,
    ratio,
    scaled,
)
from clustersim.metrics.replications import (
    UNCERTAIN,
    Replications,
    ScenarioFacts,
    columns_of,
    stacked,
)
from clustersim.records import FleetUse, Phase
from tests.unit.test_summary import GOOD, HOURS, books

NAMES: dict[str, Any] = {"tier": (), "entry": (), "cause": ("a", "b"), "mode": ("x", "y"), "stage": ()}


def replications(
    records: Any = (), has: frozenset[str] = frozenset(), given: Any = None, **columns: Any
) -> Replications:
    facts = ScenarioFacts(NAMES, has, given or {})
    count = len(records) or len(next(iter(columns.values())))
    return Replications(facts, columns | {"replication": np.arange(count)}, records)


def test_the_columns_of_replications_are_what_their_records_say() -> None:
    use = FleetUse(np.array([3.0, 0.0, 1.0]), 60.0, np.zeros(2), np.zeros(2))
    one = replace(books(GOOD), fleet=use, spares_left=2, reached_s=5.0)
    found = columns_of([one, books({"productive": 1.0}, number=1)])
    assert found["replication"].tolist() == [0, 1]
    assert found["wall_s"].tolist() == [HOURS * 3600] * 2
    assert found["ettr"].tolist() == found["productive"].tolist() == pytest.approx([0.8, 1.0])
    for entry in Entry:
        assert found[entry.label].tolist() == pytest.approx(
            [GOOD.get(entry.label, 0.0), float(entry.label == "productive")]
        )
    assert found["progress_s"].tolist() == pytest.approx([0.8 * HOURS * 3600, HOURS * 3600])
    assert (found["reached_s"][0], math.isnan(found["reached_s"][1])) == (5.0, True)
    assert (found["interruptions"].tolist(), found["incidents"].tolist()) == ([3, 3], [4, 4])
    assert found["spares_left"].tolist() == [2, 1]
    for name, value in (("nodes_away", 0.5), ("most_nodes_away", 2.0), ("node_wait_s", 60.0)):
        assert found[name][0] == value
        assert math.isnan(found[name][1])


def test_what_rounding_leaves_of_a_share_is_nothing() -> None:
    residue = columns_of(
        [books({"productive": 1.0, "lost": 9e-13}), books({"productive": 1.0, "lost": 2e-12})]
    )
    assert residue["lost"].tolist() == [0.0, pytest.approx(2e-12)]


def test_rows_of_several_lengths_end_in_zeros() -> None:
    assert stacked([(1, 2, 3), (4,), ()]).tolist() == [[1, 2, 3], [4, 0, 0], [0, 0, 0]]


def test_columns_are_those_of_the_table_derived_or_given() -> None:
    made = replications(wall_s=np.array([86_400.0, 3 * 86_400.0]), given={"seed": 7, "price_per_hour": 2.0})
    assert made["days"].tolist() == [1.0, 3.0]
    assert made["paid"].tolist() == [48.0, 144.0]
    assert made["seed"] == 7
    assert made[lambda r: r["wall_s"] * 2].tolist() == [172_800.0, 518_400.0]
    assert (len(made), made.per_draw) == (2, 0)
    nested = replications(wall_s=np.zeros(4), has=frozenset({UNCERTAIN}), given={"ettr.per_draw": 2})
    assert nested.per_draw == 2
    for column in ("charges", "drawn", "away_s"):
        with pytest.raises(LookupError, match="a run folder does not hold it by replication"):
            made[column]
    with pytest.raises(KeyError):
        made["nothing"]


def test_days_to_the_target_are_endless_where_it_was_not_reached() -> None:
    made = replications(reached_s=np.array([86_400.0, math.nan]))
    assert made["reached"].tolist() == [True, False]
    assert made["days_to_target"].tolist() == [1.0, math.inf]


def test_losses_count_after_the_warm_up_and_while_the_job_is_there() -> None:
    incidents = {
        "time_s": np.array([99.0, 100.0, 150.0, 200.0]),
        "doing": np.array([Phase.TRAINING, Phase.TRAINING, Phase.IDLE, Phase.SAVING]),
        "lost_s": np.array([1.0, 2.0, 4.0, 8.0]),
    }
    made = replications([SimpleNamespace(incidents=incidents)], given={"warm_up_s": 100.0})
    assert made["lost_s"].tolist() == [10.0]


def test_too_few_spares_is_the_time_with_more_away_than_there_are() -> None:
    use = FleetUse(np.array([60.0, 20.0, 15.0, 5.0]), 0.0, np.zeros(2), np.zeros(2))
    records = [SimpleNamespace(fleet=use)] * 3
    assert replications(records, given={"spare_nodes": 1})["short"].tolist() == [0.2] * 3
    by_draw = replications(records, spare_nodes=np.array([0.0, 2.0, 3.0]))
    assert by_draw["short"].tolist() == [0.4, 0.05, 0.0]
    assert replications([SimpleNamespace(fleet=None)], given={"spare_nodes": 0})["short"].tolist() == [0.0]


def rows(*values: Any) -> Any:
    return np.array(values, dtype=np.float64)


def estimate(measure: Measure, *values: Any) -> Any:
    return measure.estimate(rows(*values))


def test_a_mean_is_unknown_where_one_is_infinite() -> None:
    measure = mean("x")
    assert estimate(measure, [1.0], [3.0]).mean == 2.0
    assert estimate(measure, [1.0], [math.inf]) is None
    assert measure.weights(rows([1.0], [3.0])).tolist() == [1.0, 1.0]
    assert (measure.margin, measure.averages) == (True, True)


def test_a_quotient_weighs_each_replication_by_what_is_below() -> None:
    measure, table = ratio("above", "below"), rows([100.0, 4.0], [100.0, 6.0])
    assert estimate(measure, *table).mean == 20.0
    # 20 plus what each pulls: (100 - 20 * 4) / 5 and (100 - 20 * 6) / 5.
    assert measure.values(table).tolist() == [24.0, 16.0]
    assert measure.weights(table).tolist() == [0.8, 1.2]
    assert np.isnan(measure.values(rows([1.0, 0.0], [2.0, 0.0]))).all()
    assert np.isnan(measure.weights(rows([1.0, 0.0], [2.0, 0.0]))).all()
    assert estimate(measure, [1.0, 0.0]) is None
    two = np.stack([table, rows([10.0, 1.0], [30.0, 3.0])])  # several tables of rows at once
    assert measure.values(two).tolist() == [[24.0, 16.0], [10.0, 10.0]]
    assert measure.weights(two).tolist() == [[0.8, 1.2], [0.5, 1.5]]


def test_a_multiple_is_scaled_by_what_the_scenario_gives() -> None:
    measure = scaled(mean("x"), "factor")
    found = estimate(measure, [1.0, 2.0], [3.0, 2.0])
    plain = estimate(mean("x"), [1.0], [3.0])
    assert (found.mean, found.half_width) == pytest.approx((4.0, 2 * plain.half_width))
    assert measure.values(rows([1.0, 2.0], [3.0, 2.0])).tolist() == [2.0, 6.0]
    assert estimate(measure, [1.0, math.nan], [3.0, math.nan]) is None
    assert estimate(measure, [math.inf, 2.0], [3.0, 2.0]) is None
    assert estimate(measure, [1.0, 2.0], [3.0, 3.0]).mean == 5.5  # the mean of 2 and 9, not 2 times 2
    assert estimate(measure, [1.0, 2.0]).mean == 2.0
    quotient = scaled(ratio("a", "b"), "factor")
    table = rows([100.0, 4.0, 9.0], [100.0, 6.0, 9.0])
    assert quotient.values(table).tolist() == [216.0, 144.0]
    assert estimate(quotient, [90.0, 5.0, 9.0], [110.0, 5.0, 9.0]).mean == 180.0
    assert quotient.weights(table).tolist() == [0.8, 1.2]
    assert quotient.columns == ("a", "b", "factor")


def test_other_numbers_of_all_replications_stay_what_they_are() -> None:
    most = estimate(over("x", np.max), [1.0], [3.0])
    assert (most.mean, most.half_width, most.count) == (3.0, None, 2)
    assert isinstance(estimate(over("x", len), [1.0], [3.0]).mean, int)
    assert estimate(over("x", np.max), [math.inf], [3.0]) is None
    assert estimate(over("x", lambda _: None), [1.0]) is None


def test_an_end_of_an_interval_is_that_of_the_measure_it_is_about() -> None:
    measure = about(ratio("above", "below"), lambda known: known.half_width)
    table = rows([100.0, 4.0], [100.0, 6.0])
    assert estimate(measure, *table).mean == pytest.approx(12.7062 * 4, rel=1e-4)  # of 24 and 16
    assert estimate(measure, [100.0, 4.0]) is None  # which has no half-width
    assert estimate(measure, [1.0, 0.0], [1.0, 0.0]) is None
    assert measure.values(table).tolist() == [24.0, 16.0]
    assert measure.columns == ("above", "below")


def test_what_has_an_interval_and_may_be_averaged_first() -> None:
    share = mean("x")
    for measure, margin, averages in (
        (ratio("above", "below"), True, True),
        (scaled(share, "factor"), True, True),
        (about(share, lambda known: known.mean), False, True),
        (by_draw("x", lambda values, _: values[0]), False, False),
        (over("x", np.max), False, False),
        (held("away_s", 0.9), False, False),
    ):
        assert (measure.margin, measure.averages) == (margin, averages)


def test_inputs_and_chance_are_told_apart_draw_by_draw() -> None:
    given, has = {"ettr.per_draw": 2}, frozenset({UNCERTAIN})
    made = replications(ettr=np.array([0.2, 0.2, 0.4, 0.4, 0.8, 0.8]), given=given, has=has)
    figures = figures_of(made.facts)
    found = {
        name: figures[f"ettr.{name}"].measure.estimate(figures[f"ettr.{name}"].rows(made))
        for name in ("inputs.p5", "inputs.p50", "inputs.p95", "chance.low", "chance.high")
    }
    assert [each and each.mean for each in found.values()] == pytest.approx(
        [0.22, 0.4, 0.76, 1.4 / 3, 1.4 / 3]
    )


def test_the_overhead_of_saving_weighs_replications_by_their_length() -> None:
    shares = {entry.label: np.zeros(2) for entry in Entry}
    shares |= {"checkpoint": np.array([0.1, 0.2]), "productive": np.array([0.7, 0.6])}
    made = replications(wall_s=np.array([100.0, 300.0]), **shares)
    overhead = MetricFigure(catalogue.CLAIMABLE["checkpoint_overhead"])
    assert overhead.rows(made).tolist() == [pytest.approx([10.0, 80.0]), pytest.approx([60.0, 240.0])]


def test_differences_are_paired_with_the_margin_of_their_values() -> None:
    one, other = rows([1.0], [2.0], [6.0]), rows([1.0], [1.0], [1.0])
    found = mean("x").difference(one, other)
    assert found is not None
    assert found.mean == 2.0
    # The standard error of 0, 1 and 5 is sqrt(7 / 3), Student's factor for 2 degrees of freedom 4.3027.
    assert found.half_width == pytest.approx(4.3027 * math.sqrt(7 / 3), rel=1e-4)
    assert mean("x").difference(one, rows([1.0], [math.inf], [1.0])) is None
    assert mean("x").difference(rows([1.0], [math.inf], [1.0]), one) is None
    median = over("x", np.median).difference(one, other)
    assert median is not None
    assert median.mean == 2.0  # of the values, as it has no margin of its own


def test_nodes_that_hold_are_not_known_beyond_what_was_counted() -> None:
    measure = held("away_s", 0.9, "known_to")
    assert estimate(measure, [2, 50.0, 30.0, 20.0], [2, 60.0, 40.0, 0.0]).mean == 1
    assert estimate(measure, [2, 50.0, 30.0, 20.0], [2, 50.0, 30.0, 20.0]).mean == 2
    assert estimate(measure, [2, 50.0, 30.0, 20.0], [1, 50.0, 30.0, 20.0]) is None
    assert estimate(measure, [2, 0.0, 0.0, 0.0]) is None
    assert measure.values(rows([2, 50.0, 30.0, 20.0], [2, 99.0, 1.0, 0.0])).tolist() == [2, 0]
    free = held("away_s", 0.9)
    assert (estimate(free, [50.0, 30.0, 20.0]).mean, free.columns) == (2, ("away_s",))
    assert free.values(rows([50.0, 30.0, 20.0])).tolist() == [2]
    assert free.values(rows([50.0, 30.0, 20.0])).dtype == np.float64  # as of every metric


def test_a_metric_is_known_by_its_path_and_by_its_word() -> None:
    metric = Metric(
        "ledger.<entry>", "Share", "share", "of an entry", mean("ledger"), of="entry", word="share"
    )
    assert metric.names == ("share", "ledger")
    assert Metric("days.mean", "Days", "days", "until then").names == ("days",)
    assert (metric.highest, Metric("days", "Days", "days", "x").highest) == (1.0, math.inf)
    assert (metric.claimable, metric.averaged, metric.by_name) == (True, True, True)
    given = Metric("gpus", "Cards", "cards", "of the job")
    assert (given.claimable, given.averaged, given.by_name) == (False, False, False)
    spares = Metric("s", "S", "nodes", "x", held("away_s", 0.9))
    assert (spares.claimable, spares.averaged) == (True, False)
    assert (metric.in_tables, given.in_tables) == (False, True)
    assert not Metric("a", "A", "s", "x", heading=None).in_tables
    assert not Metric("a", "A", "s", "x", in_summary=False).in_tables
    assert Metric("a.<tier>", "A", "s", "x", of="tier", show=lambda _: "").in_tables


def test_a_figure_of_a_family_is_that_of_its_name() -> None:
    made = replications(
        table=np.array([[1.0, 2.0], [3.0, 5.0]]), plain=np.array([7.0, 8.0]), given={"g": 4.0, "n": None}
    )
    metric = Metric("m.<mode>", "M", "incidents", "x", mean("table"), of="mode")
    assert [figure.path for figure in metric.figures(made.facts)] == ["m.x", "m.y"]
    together = replace(metric, path="m")
    assert [*together.figures(made.facts)] == [MetricFigure(together)]
    for name, expected in (("x", [1, 3]), ("y", [2, 5]), ("", [3, 8]), ("gone", [0, 0])):
        figure = MetricFigure(metric, name)
        assert figure.rows(made).tolist() == [[value] for value in expected]
    assert MetricFigure(metric, "y").row(made) == (2.0,)
    assert MetricFigure(Metric("m", "M", "s", "x", mean("plain"), of="mode"), "x").rows(made).tolist() == [
        [7],
        [8],
    ]
    given = MetricFigure(Metric("g", "G", "s", "x"))
    assert given.rows(made).tolist() == [[4.0], [4.0]]
    assert given.ends(given.rows(made)).mean == 4.0
    unknown = MetricFigure(Metric("n", "N", "s", "x"))
    assert np.isnan(unknown.rows(made)).all()
    assert tuple(unknown.ends(unknown.rows(made))) == (None, None, None)


def test_an_interval_is_held_within_what_a_metric_can_be() -> None:
    share = MetricFigure(Metric("a", "A", "share", "x", mean("plain")))
    assert tuple(share.ends(rows([0.1], [0.9])))[1:] == (0.0, 1.0)
    time = MetricFigure(Metric("a", "A", "s", "x", mean("plain")))
    low, high = tuple(time.ends(rows([0.1], [0.9])))[1:]
    assert (low, high) == (0.0, pytest.approx(0.5 + 12.7062 * 0.4, rel=1e-4))


def test_waste_is_divided_by_entry_where_there_is_any() -> None:
    charges = np.zeros((2, 2, len(Entry)))
    charges[0, 0, Entry.LOST], charges[1, 0, Entry.LOST], charges[1, 1, Entry.STALL] = 0.1, 0.3, 0.2
    made = replications(charges=charges)
    assert catalogue._waste_by_entry(made) == {
        "a": {"lost": pytest.approx(0.2)},
        "b": {"stall": pytest.approx(0.1)},
    }


def test_reasons_say_how_far_it_is_known() -> None:
    made = replications(reached=np.array([True, False, True]), given={"horizon_s": 5 * 86_400.0})
    assert catalogue._not_reached(made) == "reached in 2 of 3 replications within 5 days"
    away = np.array([[97.0, 1.0, 2.0], [98.0, 1.0, 1.0]])  # 197 of 200 s with one away or none
    loose = replications(away_s=away, given={"spares_within": None})
    assert "it takes at least 2 for 99 % of the time" in catalogue._not_counted(loose)
    bound = replications(away_s=away, given={"spares_within": "rack"})
    assert catalogue._not_counted(bound) == "each spare serves one rack, not the whole cluster"


def test_a_precision_is_of_chance_alone_and_awaits_what_could_strike() -> None:
    stakes = {"x": SimpleNamespace(strikes=0.01, share=5.0), "y": SimpleNamespace(strikes=1.0, share=5.0)}
    given = {"precision.asked": 0.02, "precision.stakes": stakes, "ettr.per_draw": 2}
    values = np.array([0.50, 0.51, 0.90, 0.91])
    struck = np.array([[0.0, 1.0]] * 4)
    one = replications(ettr=values, incidents_by_mode=struck, given=given)
    assert catalogue._precision(one)["met"] is False
    assert catalogue._precision(one)["reached"] == pytest.approx(3.1824 * 0.23096 / 2, rel=1e-3)
    nested = replications(ettr=values, incidents_by_mode=struck, given=given, has=frozenset({UNCERTAIN}))
    found = catalogue._precision(nested)
    # Within draws a variance of 5e-5, 2 degrees of freedom: 4.3027 * sqrt(5e-5 / 4).
    assert found == {
        "asked": 0.02,
        "reached": pytest.approx(4.3027 * math.sqrt(5e-5 / 4), rel=1e-4),
        "met": False,
        "unstruck": ["x"],
    }
    for asked in (0.02, found["reached"]):
        some = replications(
            ettr=values,
            incidents_by_mode=struck + np.array([0.25, 0.0]),
            given={**given, "precision.asked": asked},
            has=frozenset({UNCERTAIN}),
        )
        assert catalogue._precision(some)["met"] is True
    single = replications(
        ettr=values[:1], incidents_by_mode=np.zeros((1, 0)), given={**given, "precision.stakes": {}}
    )
    assert catalogue._precision(single) == {"asked": 0.02, "reached": None, "met": False, "unstruck": []}


def test_money_is_lost_where_nothing_is_trained() -> None:
    given = {"gpus": 10, "price_per_hour": 24.0, "cost.per_gpu_hour": 2.0}
    made = replications(ettr=np.array([0.5, 1.0]), wall_s=np.array([3600.0, 7200.0]), given=given)
    # Paid are 24 and 48; trained are 10 * 0.5 * 1 h and 10 * 1 * 2 h at 2 each.
    assert catalogue._lost(made).tolist() == [14.0, 8.0]
    assert figures_of(made.facts)["cost.lost"].rows(made).tolist() == [[14.0], [8.0]]
