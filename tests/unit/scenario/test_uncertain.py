"""What is not known well: how it is read, merged and refused, and what is drawn of it."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from clustersim.scenario import Scenario, ScenarioError, dump, load, loads
from clustersim.scenario.drawing import _shuffled, drawn, drawn_values, made, points
from clustersim.scenario.keys.uncertain import (
    HIGH,
    LOW,
    MIDDLE,
    UncertainInput,
    UncertainLaw,
    around,
    of_range,
    quantified,
    scaled,
)

PLAIN = """
name: plain
cluster: {gpus: 8_000, spares: 10}
failures: {any: {per: node, mtbf: 500 d, repair: 1 d}}
checkpoint: {interval: 10 min, blocks: 5 s, load: 30 s}
recovery: {stages: {detect: 30 s, restart: 4 min, load: checkpoint}}
costs: {gpu_hour: 2 USD}
simulation: {horizon: 10 d}
"""
UNCERTAIN = """
uncertain:
  failures.any.mtbf: {counted: 21 in 10_500 node-days}
  recovery.stages.restart: 2 to 8 min
  cluster.spares: 5 to 20
"""
SHARES = np.linspace(0.01, 0.99, 99)


def law(written: Any) -> UncertainInput:
    return of_range(written) if isinstance(written, str) else UncertainLaw.model_validate(written).resolve()


def quantiles(written: Any) -> list[float]:
    return [law(written).quantile(share) for share in SHARES]


SPREAD = 2 * stats.norm.ppf(0.95)
LAWS = [
    ("2 to 8 min", stats.lognorm(np.log(4) / SPREAD, scale=240)),
    ("0.1 to 0.3 / 1000 gpu-days", stats.lognorm(np.log(3) / SPREAD, scale=np.sqrt(0.03) / 86_400_000)),
    ({"lognormal": {"median": "8 min", "sigma": 0.4}}, stats.lognorm(0.4, scale=480)),
    ({"lognormal": {"mean": "8 min", "sigma": 0.4}}, stats.lognorm(0.4, scale=480 * np.exp(-0.08))),
    ({"uniform": "5 min to 10 min"}, stats.uniform(300, 300)),
    ({"loguniform": "5 to 10 min"}, stats.loguniform(300, 600)),
    ({"normal": {"mean": "5 min", "sd": "3 min"}}, stats.truncnorm(-5 / 3, np.inf, 300, 180)),
    ({"triangular": {"low": "3 min", "mode": "5 min", "high": "10 min"}}, stats.triang(2 / 7, 180, 420)),
    ({"triangular": {"low": "3 min", "mode": "3 min", "high": "10 min"}}, stats.triang(0, 180, 420)),
    ({"triangular": {"low": "3 min", "mode": "10 min", "high": "10 min"}}, stats.triang(1, 180, 420)),
    ({"counted": "21 in 110_592 node-days"}, stats.gamma(21.5, scale=1 / (110_592 * 86_400))),
    ({"counted": "0 in 54 job-days"}, stats.gamma(0.5, scale=1 / (54 * 86_400))),
]


@pytest.mark.parametrize(("written", "known"), LAWS, ids=[str(written) for written, _ in LAWS])
def test_a_law_has_the_quantiles_of_the_textbook(written: Any, known: Any) -> None:
    assert quantiles(written) == pytest.approx(known.ppf(SHARES), rel=1e-9)


def test_the_ends_of_a_range_of_shares_are_its_5_and_95_per_cent_points() -> None:
    share = law("2 % to 50 %")
    assert (share.quantile(LOW), share.quantile(HIGH)) == pytest.approx((0.02, 0.5))
    values = np.array(quantiles("2 % to 50 %"))
    logits = np.log(values / (1 - values))
    known = stats.norm((np.log(0.02 / 0.98)) / 2, -np.log(0.02 / 0.98) / SPREAD)
    assert logits == pytest.approx(known.ppf(SHARES))


def test_a_normal_share_is_held_below_the_whole() -> None:
    known = stats.truncnorm(-0.8 / 0.3, 0.2 / 0.3, 0.8, 0.3)
    assert quantiles({"normal": {"mean": "80 %", "sd": "30 %"}}) == pytest.approx(known.ppf(SHARES))


@pytest.mark.parametrize(("mode", "middle"), [(10, 11), (10.0, 11.3397)])
def test_a_law_of_counts_is_one_of_whole_numbers_unless_one_of_them_has_a_point(
    mode: float, middle: float
) -> None:
    """Of the triangle from 5 over 10 to 20 the upper half begins at 20 - sqrt(0.5 * 15 * 10)."""
    assert law({"triangular": {"low": 5, "mode": mode, "high": 20}}).value(MIDDLE) == middle


def test_a_count_is_a_whole_number_and_each_of_a_uniform_law_as_probable() -> None:
    assert [law("10 to 40").value(share) for share in (LOW, MIDDLE, HIGH)] == [10, 20, 40]
    assert all(isinstance(law("10 to 40").value(share), int) for share in SHARES)
    drawn = [law({"uniform": "1 to 4"}).quantile((n + 0.5) / 400) for n in range(400)]
    assert Counter(drawn) == {1: 100, 2: 100, 3: 100, 4: 100}


@pytest.mark.parametrize(
    ("written", "name", "text"),
    [
        ("2 to 8 min", "lognormal", "2 to 8 min"),
        ("2 % to 8 %", "logit-normal", "2 % to 8 %"),
        ({"counted": "21 in 110_592 node-days"}, "gamma", "counted: 21 in 110592 node-days"),
        ({"counted": "3 in 100 days"}, "gamma", "counted: 3 in 100 days"),
    ],
)
def test_a_law_has_a_name_and_is_told_as_it_was_written(written: Any, name: str, text: str) -> None:
    assert (law(written).name, law(written).written) == (name, text)


WITH_UNIT = "give a number with the unit that the value has, such as 5 min, 20 % or 0.2 / 1000 gpu-days"


@pytest.mark.parametrize(
    ("written", "why"),
    [
        (["5 min"], "a list is not a range; give both ends, such as 5 min to 15 min"),
        ("5 min to 5 min", '"5 min to 5 min" has its ends the wrong way round; give the smaller one first'),
        ("1 s to 2 s to 3 s", f'"2 s to 3 s" is not understood; {WITH_UNIT}'),
        (f"1 min to {'x' * 100}", f'"{"x" * 56}... is not understood; {WITH_UNIT}'),
        (f"1 min to {'x' * 101}", f'"{"x" * 56}... is too long; give 5 min to 15 min'),
        ("0 s to 5 s", 'both ends of a range lie above 0; for others give {uniform: "... to ..."}'),
        (
            "50 % to 100 %",
            'both ends of a range lie between 0 and 100 %; for others give {uniform: "... to ..."}',
        ),
        *(
            (f"{low} to {high}", f'"{low} to {high}" has {names}; give both ends alike')
            for low, high, names in [
                ("1 GB/s", "2 GB/s per node", "a bandwidth and a bandwidth per node"),
                ("3 per day", "5 / 1000 gpu-days", "a rate and a rate per gpu"),
            ]
        ),
    ],
)
def test_what_is_no_range_is_told_with_what_to_do(written: object, why: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(why)}$"):
        of_range(written)


@pytest.mark.parametrize(("written", "shown"), [(True, "true"), ([5], "a list")])
def test_only_texts_and_numbers_are_values(written: object, shown: str) -> None:
    why = f"^{shown} is not a value; give a number, with its unit where it has one$"
    with pytest.raises(ValueError, match=why):
        quantified(written)


def test_digits_may_be_grouped() -> None:
    assert quantified("1_000").value == 1000


@pytest.mark.parametrize(
    "text",
    [
        "5 min",
        "20 %",
        "0.2 / 1000 gpu-days",
        "3 per day",
        "5.3 TB",
        "2 GB/s",
        "2 GB/s per node",
        "2.35 USD",
        "7",
        0.7,
        "10 T tokens",
    ],
)
def test_what_is_drawn_is_written_so_that_it_reads_back(text: Any) -> None:
    value, scale = quantified(text)
    again = quantified(scale.write(value * 3 if not scale.share else value))
    assert again.scale == scale
    assert again.value == pytest.approx(value * 3 if not scale.share else value, rel=1e-5)


def test_half_a_law_is_the_law_of_half() -> None:
    for written in (each for each, _ in LAWS):
        assert quantiles(scaled(written, 0.5)) == pytest.approx(
            [value / 2 for value in quantiles(written)], rel=1e-5
        )


def test_a_range_around_a_value_holds_it() -> None:
    near = around("4 min", 0.3)
    assert near is not None
    assert (near.value(LOW), near.value(HIGH), near.assumed) == ("2 min 48 s", "5 min 12 s", True)
    assert near.written == "4 min ± 30 %"
    share = around("90 %", 0.3)
    assert share is not None
    assert share.quantile(LOW) < 0.9 < share.quantile(HIGH) < 1
    assert around("0 s", 0.3) is around("checkpoint", 0.3) is around({"mean": "3 s"}, 0.3) is None
    assert around("100 %", 0.3) is around("4 min", 0.0) is around("4 min", 1.0) is None


def test_without_the_block_nothing_is_drawn() -> None:
    plain = loads(PLAIN)
    assert (plain.uncertain, plain.simulation.replications) == ({}, 32)
    assert "uncertain" not in plain.document


def test_replications_follow_from_draws_and_the_other_way_round() -> None:
    assert loads(PLAIN + UNCERTAIN).simulation.replications == 400
    few = {"uncertainty.draws": "20", "uncertainty.per_draw": "3"}
    assert loads(PLAIN + UNCERTAIN, overrides=few).simulation.replications == 60
    stated = loads(
        PLAIN + UNCERTAIN + "uncertainty: {draws: 20}", overrides={"simulation.replications": "64"}
    )
    assert (stated.simulation.replications, stated.document.get("uncertainty")) == (64, None)


@pytest.mark.parametrize(
    ("change", "left"),
    [
        ({"recovery.stages.restart": "4 min"}, ["failures.any.mtbf", "cluster.spares"]),
        (
            {"recovery.stages.load": "1 min"},
            ["failures.any.mtbf", "recovery.stages.restart", "cluster.spares"],
        ),
        ({"failures.any.rate": "2 / 1000 node-days"}, ["recovery.stages.restart", "cluster.spares"]),
        ({"uncertain.cluster.spares": "null"}, ["failures.any.mtbf", "recovery.stages.restart"]),
        ({"uncertain": "null"}, []),
        (
            {"recovery.stages": "{detect: 10 s, start: 1 min, load: checkpoint}"},
            ["failures.any.mtbf", "cluster.spares"],
        ),
        (
            {"uncertain.checkpoint.blocks": "1 to 9 s"},
            ["failures.any.mtbf", "recovery.stages.restart", "cluster.spares", "checkpoint.blocks"],
        ),
    ],
)
def test_what_is_set_is_not_uncertain_any_more(change: dict[str, str], left: list[str]) -> None:
    assert list(loads(PLAIN + UNCERTAIN, overrides=change).uncertain) == left
    again = loads(dump(loads(PLAIN + UNCERTAIN)), overrides=change)
    assert list(again.uncertain) == left


def test_bases_merge_what_is_uncertain_path_by_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("base.yaml").write_text(PLAIN + UNCERTAIN)
    Path("more.yaml").write_text(
        "base: base.yaml\ncheckpoint: {load: 20 s}\nfailures: {any: {mtbf: 400 d}}\n"
        "uncertain: {cluster.spares: null, checkpoint.blocks: 1 to 9 s}\n"
    )
    assert list(load("more.yaml").uncertain) == ["recovery.stages.restart", "checkpoint.blocks"]


FAULTS = [
    (
        "failures.any.rate: 1 to 3 / 1000 node-days\n  failures.any.mtbf: 100 d to 900 d",
        "same quantity as failures.any.rate",
    ),
    (
        "failures.any.repair: 1 d to 3 d\n  failures.any.repair.constant: 1 d to 2 d",
        "same quantity as failures.any.repair",
    ),
    ("cluster.gpus: 800 to 8000", "chosen, not uncertain"),
    ("recovery.stages.restat: 2 to 8 min", 'did you mean "recovery.stages.restart"'),
    ("recovery.stages.restart: 8 to 2 min", "give the smaller one first"),
    ("recovery.stages.restart: 2 to 8", "2 has no unit"),
    ("recovery.stages.restart: {counted: 3 in 100 node-days}", "use it for a rate or an mtbf"),
    ("checkpoint.blocks: 0 s to 5 s", "give {uniform:"),
    (
        "checkpoint.blocks: 0.1 ms to 5 s",
        'shorter than 1 ms; give 0 s, or 1 ms or more (at "0.0001 s", its 5 % point)',
    ),
    ("recovery.misdiagnosis: {lognormal: {median: 10 %, sigma: 1}}", "a share is at most 100 %"),
    ("recovery.misdiagnosis: 10 % to 3 min", "a share and a duration"),
    ("checkpoint.blocks: {lognormal: {median: 0 s, sigma: 1}}", "lognormal.median: zero makes no sense"),
    ("checkpoint.blocks: {normal: {mean: 5 s, sd: 0 s}}", "normal.sd: zero makes no sense here"),
    ("checkpoint.blocks: {triangular: {low: 0 s, mode: 5 %, high: 9 s}}", "a duration and a share in one"),
    ("checkpoint.blocks: {triangular: {low: 5 s, mode: 3 s, high: 9 s}}", "the values are out of order"),
    ("simulation.horizon: 5 d to 9 d", "give such a path"),
    ("cluster.spares: 5", "give both ends, such as"),
    ("cluster.spares: {uniform: 1 to 5, loguniform: 1 to 5}", "give exactly one of"),
    ("checkpoint.blocks: {loguniform: 0 s to 5 s}", "loguniform: zero has no logarithm"),
    ("failures.any.mtbf: {counted: 3 of 5}", 'such as "21 in 110_592 node-days"'),
    ("failures.any.mtbf: {counted: 3 in 100 gpu-days}", "a rate per gpu contradicts per: node"),
]


@pytest.mark.parametrize(("entry", "message"), FAULTS, ids=[message for _, message in FAULTS])
def test_what_cannot_be_drawn_is_refused_where_it_stands(entry: str, message: str) -> None:
    text = f"{PLAIN}uncertain:\n  {entry}\n"
    with pytest.raises(ScenarioError) as error:
        loads(text, "file.yaml")
    (problem,) = error.value.problems
    assert message in f"{problem.path}: {problem.message}"
    lines = text.splitlines()
    assert problem.place.line is not None
    assert lines[problem.place.line - 1].strip() in entry
    assert problem.path.startswith("uncertain.")


@pytest.mark.parametrize(
    ("entry", "at"),
    [
        ("recovery.stages.restat: 2 to 8 min", "recovery.stages.restat"),
        ("checkpoint.blocks: 0.1 ms to 5 s", "0.1 ms"),
    ],
)
def test_a_path_that_is_not_there_is_refused_at_the_path_and_a_value_at_the_value(
    entry: str, at: str
) -> None:
    with pytest.raises(ScenarioError) as error:
        loads(f"uncertain:\n  {entry}\n{PLAIN}", "file.yaml")
    (problem,) = error.value.problems
    assert f"{problem.place}" == f"file.yaml:2:{3 + entry.index(at)}"


def test_a_count_stands_for_a_rate_or_an_mtbf() -> None:
    change = {"failures.any": {"per": "node", "rate": "2 / 1000 node-days"}}
    for key, changes in (("rate", change), ("mtbf", {})):
        counted = {f"uncertain.failures.any.{key}": {"counted": "21 in 10_500 node-days"}}
        assert list(loads(PLAIN, overrides=changes | counted).uncertain) == [f"failures.any.{key}"]


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"simulation.replications": "33"}, "33 do not fill two or more draws, of 2 each; give 4 or more"),
        ({"simulation.replications": "2"}, "2 do not fill two or more draws"),
        (
            {"uncertainty.draws": "50_000", "uncertainty.per_draw": "3"},
            "150_000 replications, 100_000 are possible",
        ),
    ],
)
def test_replications_have_to_fill_draws(more: dict[str, str], message: str) -> None:
    with pytest.raises(ScenarioError, match=message):
        loads(PLAIN + UNCERTAIN, overrides=more)


def test_a_draw_that_makes_no_scenario_is_named_with_its_values() -> None:
    near_nothing = {"uncertain.checkpoint.blocks": "{normal: {mean: 1 ms, sd: 25 ms}}"}
    scenario = loads(PLAIN, overrides=near_nothing | {"uncertain.cluster.spares": "5 to 20"})
    drawn_are = r"checkpoint.blocks=0.0\d+ s, cluster.spares=\d+"
    with pytest.raises(ScenarioError, match=rf"<draw \d+ of plain: {drawn_are}>: checkpoint.block"):
        list(drawn(scenario, range(200)))
    with pytest.raises(ScenarioError, match="<draw"):
        made(scenario)
    made(loads(PLAIN))


def test_a_draw_depends_on_seed_path_and_number_alone() -> None:
    both = loads(PLAIN + UNCERTAIN)
    one = loads(PLAIN + UNCERTAIN, overrides={"recovery.stages.restart": "4 min", "cluster.gpus": "16_000"})
    (first,), (second,) = drawn(both, [7]), drawn(one, [7])
    for keys in (("failures", "any", "rate"), ("cluster", "spares")):
        assert _at(first, *keys) == _at(second, *keys)
    other = loads(PLAIN + UNCERTAIN, overrides={"simulation.seed": "2"})
    (third,) = drawn(other, [7])
    assert _at(first, "failures", "any", "rate") != _at(third, "failures", "any", "rate")
    many, few = points(both, 1000), points(both, 200)
    for path, values in few.items():
        np.testing.assert_array_equal(values[:200], many[path][:200])


def _at(scenario: Scenario, *keys: str) -> Any:
    value: Any = scenario.document
    for key in keys:
        value = value[key]
    return value


def test_points_are_spread_evenly_and_inputs_are_independent() -> None:
    of_path = points(loads(PLAIN + UNCERTAIN), 256)
    for values in of_path.values():
        for count in (2, 8, 64, 256):
            np.testing.assert_array_equal(np.sort(values[:count] * count).astype(int), np.arange(count))
    table = np.array([values[:256] for values in of_path.values()])
    apart = np.corrcoef(table)[np.triu_indices(3, 1)]
    assert np.abs(apart).max() < 3 / np.sqrt(256)


def test_inputs_take_their_points_in_any_order_of_halves_and_halves_of_halves() -> None:
    orders = Counter(tuple(_shuffled(np.random.default_rng(number), 2).tolist()) for number in range(800))
    low, high = [(0, 1), (1, 0)], [(2, 3), (3, 2)]
    expected = {(*one, *other) for a, b in ((low, high), (high, low)) for one in a for other in b}
    assert set(orders) == expected
    assert all(count == pytest.approx(100, abs=4 * np.sqrt(800 / 8 * 7 / 8)) for count in orders.values())


def test_a_drawn_scenario_is_the_one_with_these_values() -> None:
    scenario = loads(PLAIN + UNCERTAIN)
    for each in drawn(scenario, range(5)):
        assert each.uncertain == {}
        again = loads(dump(each))
        assert again.hash == each.hash
        assert each.failures["any"].mtbf != scenario.failures["any"].mtbf
        assert each.cluster.spare_nodes == _at(each, "cluster", "spares")


def test_what_is_drawn_of_an_input_is_that_of_each_replication() -> None:
    """Two replications have each draw in common; with the 257th more points are made."""
    scenario = loads(PLAIN + UNCERTAIN)
    found = drawn_values(scenario, 514)
    for replication, each in zip((0, 1, 2, 513), drawn(scenario, [0, 0, 1, 256]), strict=True):
        assert found["cluster.spares"][replication] == each.cluster.spare_nodes
        restart = each.recovery.stages[-2].duration.mean
        assert found["recovery.stages.restart"][replication] == pytest.approx(restart, rel=1e-5)
    assert [len(values) for values in (*found.values(), *drawn_values(scenario, 0).values())] == [514] * 3 + [
        0
    ] * 3
    assert drawn_values(loads(PLAIN), 4) == {}
