"""What was published of a cluster: ranges, changes, layers, and the cases that are shipped."""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from clustersim import library, theory
from clustersim.engine.replication import simulate
from clustersim.metrics.catalogue import CLAIMABLE
from clustersim.scenario import Scenario, dump, load, loads, schema
from clustersim.scenario.keys.blocks import MOST_NAMES
from clustersim.scenario.keys.remarks import KINDS, Claim, OwnLever, amount
from clustersim.scenario.loading import variant
from clustersim.scenario.text.reader import read_file
from clustersim.scenario.values import values

ROWS = Path(__file__).resolve().parents[4] / "shared" / "data" / "published_cases.csv"
SMALL = """
name: small
cluster: {gpus: 64}
failures: {node: {per: node, mtbf: 50 d}}
checkpoint: {interval: 10 min, blocks: 5 s}
simulation: {horizon: 3 d}
"""
SAID = """
published:
  source: our log
  assumes: [saves take as long as we think]
  claims:
    time: {says: nearly all, kind: band, figure: ettr, at_least: 97 %}
    count: {says: "12", kind: plumbing, figure: {incidents: node}, value: 12, tolerance: 25 %}
"""
CASES = library.cases()


def claim(**keys: Any) -> Claim:
    """Return a claim of the small scenario, with these keys."""
    said = {"says": "half", "kind": "control", "figure": "ettr"} | keys
    document = loads(SMALL).document | {"published": {"source": "us", "claims": {"one": said}}}
    published = Scenario.model_validate(document).published
    assert published is not None
    return published.claims["one"]


@pytest.mark.parametrize(
    ("keys", "value", "low", "high"),
    [
        ({"value": 0.5, "tolerance": "10 %"}, 0.5, 0.45, 0.55),
        ({"value": "50 %", "tolerance": "2 pp"}, 0.5, 0.48, 0.52),
        ({"value": "50 %", "tolerance": 0.1}, 0.5, 0.4, 0.6),
        ({"value": -0.5, "tolerance": "10 %"}, -0.5, -0.55, -0.45),
        ({"value": "6 pp", "between": ["4 pp", 0.1]}, 0.06, 0.04, 0.1),
        ({"at_least": "90 %"}, None, 0.9, None),
        ({"at_most": 1}, None, None, 1.0),
        ({"figure": "mttf", "value": "1.5 h", "tolerance": "10 %"}, 5400, 4860, 5940),
        ({"figure": "mtti", "value": "2 min", "tolerance": "30 s"}, 120, 90, 150),
        ({"figure": "incidents", "value": 12, "tolerance": "25 %"}, 12, 9, 15),
        ({"figure": "nodes_away", "value": 9.3, "tolerance": 1}, 9.3, 8.3, 10.3),
    ],
)
def test_ranges_are_in_the_unit_of_the_figure(
    keys: dict[str, Any], value: float | None, low: float | None, high: float | None
) -> None:
    one = claim(**keys)
    assert (one.value, one.low, one.high) == pytest.approx((value, low, high))


def test_a_figure_may_be_as_large_as_its_limit_and_a_share_no_more_than_the_whole() -> None:
    assert (amount("incidents", 1e15), amount("incidents", -1e15), amount("share", -1)) == (1e15, -1e15, -1)


NO_FIGURE = "is not a figure; give a number, with its unit where it has one"


@pytest.mark.parametrize(
    ("keys", "why"),
    [
        ({"at_least": True}, f"true {NO_FIGURE}"),
        ({"at_least": ["9 %"]}, f"a list {NO_FIGURE}"),
        ({"between": [0.5, True]}, f"true {NO_FIGURE}"),
        ({"figure": 5}, "5 is not a figure; give a word, such as ettr, or {share: checkpoint}"),
        (
            {"figure": {True: "gpu"}},
            "true is not a figure; give a word, such as ettr, or {share: checkpoint}",
        ),
        ({"at_least": 1.5}, "1.5 is more than the whole; give a share such as 0.9 or 90 %"),
        ({"at_least": 1e20}, "1e+20 is not a possible figure; give one such as 0.9, 90 % or 5 pp"),
        (
            {"figure": "incidents", "at_least": math.inf},
            "inf is not a possible figure; give one such as 419",
        ),
    ],
)
def test_what_is_no_figure_is_told_with_what_to_give(keys: dict[str, Any], why: str) -> None:
    with pytest.raises(ValidationError) as caught:
        claim(**({"at_most": 1} if "figure" in keys else {}) | keys)
    assert why in [fault["msg"] for fault in caught.value.errors()]


def test_a_lever_changes_as_many_values_as_a_block_may_hold_and_not_one_more() -> None:
    changes = {f"failures.a{number}.mtbf": "1 d" for number in range(MOST_NAMES)}
    assert OwnLever.model_validate(changes | {"price": "5 USD"}).values == changes
    with pytest.raises(ValidationError, match="1_001 entries, 1_000 are possible; give fewer"):
        OwnLever.model_validate(changes | {"failures.a.rate": "1 / d"})


def test_figures_may_be_of_something() -> None:
    both = claim(figure={"share": "checkpoint"}, at_most="2 %"), claim(at_most="2 %")
    assert [(one.figure, one.of, one.unit) for one in both] == [
        ("share", "checkpoint", "share"),
        ("ettr", None, "share"),
    ]


def test_a_mode_that_only_the_change_brings_has_figures_too() -> None:
    more = {"failures": {"power": {"per": "job", "mtbf": "1 d"}}}
    assert claim(figure={"incidents": "power"}, at_most=9, change=more).of == "power"


def test_a_run_does_not_depend_on_what_was_published() -> None:
    plain, said = loads(SMALL), loads(SMALL + SAID)
    assert simulate(said, 0).ledger == simulate(plain, 0).ledger
    assert {value.path for value in values(said)} == {value.path for value in values(plain)}


def test_what_was_published_is_written_and_read_back() -> None:
    said = loads(SMALL + SAID)
    again = loads(dump(said))
    assert (again.published, again.hash) == (said.published, said.hash)
    assert said.hash != loads(SMALL).hash


def test_a_layer_adds_claims_replaces_one_and_deletes_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "base.yaml").write_text(SMALL + SAID)
    more = "{says: most, kind: band, figure: availability, at_least: 0.9}"
    text = f"base: base.yaml\npublished: {{claims: {{time: {more}, count: null, other: {more}}}}}"
    published = loads(text).published
    assert published is not None
    assert published.source == "our log"
    assert {name: one.figure for name, one in published.claims.items()} == {
        "time": "availability",
        "other": "availability",
    }
    assert loads("base: base.yaml\npublished: null").published is None


def test_a_changed_scenario_has_new_values_and_nothing_is_said_about_the_old() -> None:
    said = SAID + "expect: {ettr: '>= 0.9'}\nsources: {cluster: us}\nlevers: {x: {cluster.spares: 2}}\n"
    found = variant(loads(SMALL + said), {"checkpoint.blocks": "1 s", "failures.node.detect": "1 min"})
    assert found.checkpoint is not None
    assert found.checkpoint.last.blocks == 1
    assert found.published is None
    assert not [*found.expect, *found.sources, *found.levers]
    assert variant(found, {"failures.node.detect": None}) == variant(
        loads(SMALL), {"checkpoint.blocks": "1 s"}
    )


def test_a_difference_to_the_scenario_as_it_is_has_an_empty_other_side() -> None:
    assert claim(at_least=0.5).minus is None
    assert claim(at_least=0.5, change={"cluster.spares": 1}, minus={}).minus == {}


@pytest.fixture(scope="module")
def validator() -> Any:
    from jsonschema import Draft202012Validator

    return Draft202012Validator(schema())


@pytest.mark.parametrize("name", CASES)
def test_a_shipped_case_says_what_it_is(validator: Any, name: str) -> None:
    case, path = load(name), library.path(name)
    assert path is not None
    assert loads(dump(case)).hash == case.hash
    assert case.name == path.stem
    assert case.title
    assert case.published
    for data in (case.document, read_file(path, name).data):
        assert not list(validator.iter_errors(json.loads(json.dumps(data))))
    for one in case.published.claims.values():
        assert one.kind in KINDS
        assert one.figure in CLAIMABLE
        assert one.low is not None or one.high is not None


def test_every_row_that_is_no_input_is_a_case() -> None:
    if not ROWS.exists():
        pytest.skip("the published rows are not here")
    with ROWS.open(newline="") as file:
        rows = [row["case"] for row in csv.DictReader(file) if row["kind"] != "input"]
    assert len(rows) > 15
    assert not set(rows) - {name.removeprefix(library.CASES) for name in CASES}


def test_what_cases_share_is_no_case() -> None:
    shared = [name for name in library.names() if name.startswith("published/base/")]
    assert shared
    assert not set(shared) & set(CASES)


@pytest.mark.parametrize("name", [name for name in CASES if "daly" in name])
def test_efficiencies_are_those_of_dalys_formula(name: str) -> None:
    case = load(name)
    assert case.published
    for one in case.published.claims.values():
        found = variant(case, one.change)
        assert found.checkpoint
        assert found.mtbf
        restart = found.recovery.stages[-1].duration.mean
        saves = found.checkpoint.last
        expected = theory.efficiency(saves.interval, found.mtbf, saves.blocks, restart)
        assert one.value == pytest.approx(expected, abs=5.1e-6)


DIVISIONS = [
    *("rsc-mttf-16k", "rsc-mttf-131k", "epoch-100k", "epoch-1m"),
    *("semianalysis-optics-400g", "semianalysis-optics-twin"),
]


@pytest.mark.parametrize("name", DIVISIONS)
def test_times_between_failures_are_a_division_and_a_rounding(name: str) -> None:
    case = load(f"published/{name}")
    assert case.published
    (one,) = case.published.claims.values()
    assert one.kind == "plumbing"
    assert case.mtbf == pytest.approx(one.value, rel=0.021)


def test_counts_of_llama_3_are_held_against_two_standard_deviations() -> None:
    case = load("published/llama3-count")
    assert case.published
    counts = {one.of: one for one in case.published.claims.values()}
    assert set(counts) == {None, *case.failures}
    assert sum(one.value or 0 for mode, one in counts.items() if mode) == counts[None].value == 419
    for mode, one in counts.items():
        assert one.kind == "plumbing"
        assert one.value
        if mode is not None:
            assert 54 * 86_400 / case.mtbf_of(mode) == pytest.approx(one.value)
        assert one.high == pytest.approx(one.value + 2 * math.sqrt(one.value), abs=0.1)
        low = one.value - 2 * math.sqrt(one.value)
        assert (one.low or 0) == pytest.approx(max(low, 0), abs=0.1)
