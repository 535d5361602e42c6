"""What must hold history by history: scale invariance, and that cheaper recovery and saves never hurt."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from clustersim.engine.replication import simulate
from clustersim.scenario.model import Scenario
from tests.oracle.author import Author, picking, reproducible
from tests.oracle.random_scenarios import scenario

laws = reproducible(120)


def scaled(value: Any, factor: float) -> Any:
    """The same document with every time in it multiplied."""
    if isinstance(value, dict):
        return {scaled(key, factor): scaled(entry, factor) for key, entry in value.items()}
    if isinstance(value, list):
        return [scaled(entry, factor) for entry in value]
    if isinstance(value, str) and value.endswith(" s"):
        return f"{factor * float(value.removesuffix(' s'))!r} s"
    return value


def productive(document: Any) -> float:
    return simulate(Scenario.model_validate(document), 0).ledger["productive"]


@laws
@given(st.data())
def test_all_times_doubled_leave_every_share_unchanged(data: st.DataObject) -> None:
    document = scenario(picking(data.draw), ties=False)
    once, twice = (simulate(Scenario.model_validate(scaled(document, factor)), 0) for factor in (1, 2))
    assert twice.wall_s == pytest.approx(2 * once.wall_s, rel=1e-12)
    assert twice.interruptions == once.interruptions
    for entry, value in once.ledger.items():
        assert twice.ledger[entry] == pytest.approx(2 * value, rel=1e-9, abs=1e-9 * sum(once.ledger.values()))


def on_the_calendar(data: st.DataObject) -> Any:
    """A scenario whose failures do not depend on what the job does, and restart its recovery."""
    document = scenario(picking(data.draw), ties=data.draw(st.booleans()))
    assume(document["failures"] != "none" and document["checkpoint"] != "none")
    for mode in document["failures"].values():
        mode["clock"] = "calendar"
    for block, key in (
        ("recovery", "during_recovery"),
        ("simulation", "warm_up"),
        ("workload", "productive"),
    ):
        document[block].pop(key, None)
    document.pop("maintenance", None)
    document["cluster"] |= {"spare_kind": "hot"}
    document["cluster"].pop("provision", None)
    document["recovery"]["stages"].pop("nodes", None)
    return document


@laws
@given(st.data())
def test_a_shorter_stage_never_lowers_the_productive_work(data: st.DataObject) -> None:
    document = on_the_calendar(data)
    stages = document["recovery"]["stages"]
    assume(len(stages) > 1)
    last = data.draw(st.sampled_from([name for name in stages if name != "detect"]))
    long = productive(document)
    fails = {"fails": stages[last]["fails"]} if "fails" in stages[last] else {}
    stages[last] = {**scaled(_law(stages[last]), data.draw(st.sampled_from([0.1, 0.5, 0.9]))), **fails}
    assert productive(document) >= long * (1 - 1e-12), document


def _law(stage: Any) -> Any:
    return {"constant": stage} if isinstance(stage, str) else {k: v for k, v in stage.items() if k != "fails"}


@laws
@given(st.data())
def test_a_cheaper_save_never_lowers_the_productive_work(data: st.DataObject) -> None:
    document = on_the_calendar(data)
    dear = productive(document)
    document["checkpoint"] |= {"blocks": scaled(document["checkpoint"]["blocks"], 0.5)}
    assert productive(document) >= dear * (1 - 1e-12), document


@laws
@given(st.data())
def test_more_spares_do_not_change_what_strikes_the_slots(data: st.DataObject) -> None:
    document = on_the_calendar(data)
    for mode in document["failures"].values():
        mode.pop("repair", None), mode.pop("transient", None)
    few, many = ({**document, "cluster": {**document["cluster"], "spares": count}} for count in (0, 5))
    tables = [simulate(Scenario.model_validate(spec), 0).incidents for spec in (few, many)]
    times = [table["time_s"][table["doing"] != 6].tolist() for table in tables]
    assert times[0] == pytest.approx(times[1], rel=1e-12), document


def test_the_author_of_random_scenarios_repeats_itself() -> None:
    answers = [Author(lambda choices: 3, ties=False).number(0, 10) for _ in range(2)]
    assert answers[0] == answers[1]
