"""The first screen of a run: figures that are there, with their intervals, and nothing that is not."""

from typing import Any

import pytest

from clustersim.expectations import MET, NOT_MET
from clustersim.experiment import run
from clustersim.headline import Headline, headline, worth_table
from clustersim.results import Results
from clustersim.scenario import loads

PLAN = """
name: plan
cluster: {gpus: 800, spares: 10}
workload: {tokens_per_gpu_second: 400}
failures: {node: {per: node, mtbf: 20 d, repair: 4 h}}
checkpoint: {interval: 20 min, blocks: 20 s}
recovery: {stages: {detect: 1 min, restart: 20 min}}
simulation: {horizon: 4 d, replications: 4}
"""
PRICED = "costs: {gpu_hour: 2 USD, idle_spares: 50 %}\n"


def done(*lines: str, **changes: str) -> Results:
    return run(loads("".join((PLAN, *lines))), workers=1, overrides=changes)


def first(results: Results) -> Headline:
    return headline(results.scenario, results.summary)


def texts(results: Results) -> dict[str, str]:
    return {figure.path: figure.cell.text for figure in first(results).figures}


def test_a_run_without_price_target_or_thresholds_has_two_figures() -> None:
    found = first(done())
    assert [figure.label for figure in found.figures] == ["ETTR", "Effective cards"]
    assert found.figures[1].cell.small == "of 800 and 80 spare"
    assert found.expectations == ()


def test_money_lost_is_what_is_paid_for_cards_that_do_not_train_and_for_idle_spares() -> None:
    results = done(PRICED)
    cost, table = results.summary["cost"], results.replications
    hours = table["wall_s"] / 3600
    lost = 2 * hours * (800 * (1 - table["ettr"]) + 10 * 8 / 2)
    assert cost["lost"] == pytest.approx(lost.mean())
    assert results.values_of("cost.lost") == pytest.approx(lost)
    trained = cost["total"] - cost["lost"]
    assert trained == pytest.approx((800 * 2 * hours * table["ettr"]).mean())
    (figure,) = [each for each in first(results).figures if each.path == "cost.lost"]
    assert figure.cell.small.endswith("USD paid")


def test_the_time_to_the_target_has_both_ends_or_says_which_is_not_known() -> None:
    path, tokens = "days_to_target.mean", 800 * 400 * 86_400
    soon = texts(done(**{"workload.target": f"{tokens:.0f} tokens"}))[path]
    assert soon.startswith("P50 1.")
    assert soon.count(" days") == 2
    results = done(**{"workload.target": f"{9 * tokens:.0f} tokens"})
    assert texts(results)[path] == "P50 not within 4 d"
    reached = done(**{"workload.target": f"{tokens:.0f} tokens"}).replications["reached_s"] / 86_400
    between = sorted(reached)[2]
    results = done(
        **{"workload.target": f"{tokens:.0f} tokens", "simulation.horizon": f"{(between + 1e-4) * 24} h"}
    )
    assert texts(results)[path].startswith("P50 1.")
    assert "P90 not within 1." in texts(results)[path]


def test_the_time_to_the_target_has_the_digits_of_its_interval() -> None:
    results = done(**{"workload.target": "27648000000 tokens"})
    path, summary = "days_to_target.mean", results.summary
    days = summary["days_to_target"] | {"p50": 12.3456, "p90": 15.0}
    known = summary | {
        "days_to_target": days, "margins": summary["margins"] | {path: 0.3}, "horizon_s": 12.34567 * 86_400,
    }  # fmt: skip

    def finish(**changes: Any) -> str:
        figures = headline(results.scenario, known | changes).figures
        return next(figure.cell.text for figure in figures if figure.path == path)

    assert finish() == "P50 12.3 days, P90 15.0 days"
    assert finish(days_to_target=days | {"p90": None}) == "P50 12.3 days, P90 not within 12.3 d"
    assert "P50" not in finish(random=False)
    del known["random"]  # a summary of long ago
    assert finish().startswith("P50")


def test_one_replication_has_no_p90() -> None:
    results = done(**{"workload.target": "27648000000 tokens", "simulation.replications": "1"})
    assert "P" not in texts(results)["days_to_target.mean"]
    assert first(results).figures[0].cell.small == "one replication: no interval"


def test_each_threshold_has_its_verdict() -> None:
    results = done('expect: {ettr: ">= 0.5", effective_gpus: ">= 799"}\n')
    found = {each.path: (each.wanted, each.verdict) for each in first(results).expectations}
    assert found == {"ettr": (">= 0.5", MET), "effective_gpus": (">= 799", NOT_MET)}
    kept = first(results).to_dict()
    assert [each["path"] for each in kept["expect"]] == ["ettr", "effective_gpus"]
    assert kept["changes"] == first(results).changes.to_dict()


def test_the_changes_worth_most_have_money_only_where_cards_have_a_price() -> None:
    free, priced = first(done()).changes, first(done(PRICED)).changes
    assert worth_table(free).columns == ("Gain in ETTR", "Effective cards")
    table = worth_table(priced)
    assert table.columns == ("Gain in ETTR", "Effective cards", "Money saved")
    assert [row[0] for row in table.rows] == [
        f"{n}. {each.change.name}" for n, each in enumerate(priced.changes, 1)
    ]
    assert all(cell.endswith(" USD") for *_, cell in table.rows)
    saved = [each.net for each in priced.changes]
    assert saved == sorted(saved, key=lambda net: -(net or 0.0))


def test_a_price_is_taken_off_and_said_so() -> None:
    own = "levers: {fast: {recovery.stages.restart: 1 min, price: 10 USD}}\n"
    table = worth_table(first(done(PRICED, own)).changes)
    assert table.columns[-1] == "Saved, net of price"


def test_the_time_gained_is_there_where_there_is_a_target() -> None:
    changes = first(done(**{"workload.target": "27648000000 tokens"})).changes
    table = worth_table(changes)
    assert table.columns[-1] == "Sooner at the target"
    assert all(cell.endswith(" days") for *_, cell in table.rows)


def test_nothing_is_worth_anything_where_nothing_is_lost() -> None:
    changes = first(done(failures="none", checkpoint="none")).changes
    assert worth_table(changes).rows == ()
