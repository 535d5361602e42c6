"""What the answer of a fit says of causes, rows and the check, for fits that are made by hand."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from clustersim.estimate import ConfidenceInterval
from clustersim.fitting.answer import Fit, _features, _why, away_in_words, describe_window, in_words, written
from clustersim.fitting.causes import CauseFit, Relapsing
from clustersim.fitting.checking import Checked
from clustersim.fitting.likelihood import Model
from clustersim.fitting.repairs import RepairLaw, RepairsSeen
from clustersim.fitting.selection import Selection
from clustersim.fitting.spells import Bursts
from clustersim.logs.history import History, UnreadRow
from clustersim.scenario import loads
from clustersim.units import DAY, HOUR
from tests.unit.fitting.made import cause, maximum

SCENARIO = loads(
    "name: s\ncluster: {gpus: 8}\nfailures: {a: {per: node, mtbf: 20 d}}\n"
    "checkpoint: none\nsimulation: {horizon: 1 d}\n"
)


def answer(*fits: CauseFit, checked: tuple[Checked, ...] = (), replications: int = 40, **changes: Any) -> Fit:
    """Return the answer for a log of 2 failures in 10 nodes, with these causes."""
    log = replace(History.of([DAY, 2 * DAY], 10, 100 * DAY, node=[0, 1]), **changes)
    by_name = {fit.name: fit for fit in fits or (cause(),)}
    return Fit(SCENARIO, SCENARIO, replications, log, by_name, "name: s\n", checked)


def said(found: Fit) -> list[str]:
    return [str(each) for each in found.advice]


BURSTS = Bursts(6, 24, 0.5, 1e-9, 4)


@pytest.mark.parametrize(
    ("model", "changes", "sentence"),
    [
        (Model(), {}, ""),
        (Model("weibull"), {}, "a: lifetimes are weibull, shape 0.70 (0.58 to 0.85)."),
        (
            Model("gamma", new=True),
            {},
            "a: lifetimes are gamma, shape 0.70 (0.58 to 0.85), counted from when the nodes are first seen.",
        ),
        (
            Model(lemons=True),
            {},
            "a: nodes differ. 10 % (8 % to 12 %) of them fail 8.0 (6.6 to 9.7) times as often as the others.",
        ),
        (
            Model(within=3 * DAY),
            {"relapse": Relapsing(9, 36, 0.0123)},
            "a: 30 % (26 % to 34 %) of the repairs do not last 3 d;"
            " within a day 25 % fail again, 1.2 % by chance.",
        ),
        (Model(within=3 * DAY), {}, ""),
        (
            Model(until=30 * DAY),
            {},
            "a: in the first 30 d failures came 5.0 (4.1 to 6.1) times as often as later.",
        ),
        (
            Model(),
            {"bursts": BURSTS},
            "a: several nodes fail at once, 24 of 40 rows in 6 bursts;"
            " 15 % (6 % to 30 %) of the failures take their block of 4 nodes along.",
        ),
        (
            Model(),
            {"bursts": replace(BURSTS, domain=0)},
            "a: several nodes fail at once, 24 of 40 rows in 6 bursts"
            " on nodes without a common block, which the fitted fleet does not have.",
        ),
        (Model(), {"bursts": replace(BURSTS, p_value=0.01)}, ""),
    ],
)
def test_each_feature_is_a_sentence(model: Model, changes: dict[str, Any], sentence: str) -> None:
    assert " ".join(_features(cause(model, **changes))) == sentence


@pytest.mark.parametrize(
    ("selection", "why"),
    [
        (
            {"model": Model("weibull"), "p": 3e-5},
            "better than exponential beyond chance (p 3e-05, level 0.01)",
        ),
        (
            {"refused": 0.4},
            "weibull with a shape of 0.40 is likelier, but no lifetime: it looks like repairs that",
        ),
        (
            {"refused": 9.0},
            "weibull with a shape of 9.0 is likelier, but no lifetime: it looks like an event that",
        ),
        ({"refused": 0.5}, "it looks like an event that many nodes had in common"),
        ({"p": 0.25}, "no law better than exponential beyond chance (p 0.25, level 0.01)"),
        ({}, "40 failures: too few for another law than exponential"),
    ],
)
def test_why_the_law_was_chosen(selection: dict[str, Any], why: str) -> None:
    best = maximum(selection.get("model", Model()))
    chances = {"lifetime": selection["p"]} if "p" in selection else {}
    refused = maximum(Model("weibull"), shape=selection["refused"]) if "refused" in selection else None
    assert why in _why(cause(selection=Selection(best, best, chances, 0.01, refused)))


def test_a_cause_as_plain_data() -> None:
    model = Model("weibull", new=True, lemons=True, within=3 * DAY, until=30 * DAY)
    best = maximum(model)
    chances = {"lifetime": 1e-5, "lemons": 1e-6, "relapse": 1e-7, "trend": 1e-8}
    found = cause(
        transient=7,
        selection=Selection(best, best, chances, 0.01),
        relapse=Relapsing(9, 36, 0.0123),
        bursts=BURSTS,
        repair=RepairLaw("constant", RepairsSeen(HOUR, 2 * HOUR, 30, 3), at_most=4 * HOUR),
    )
    body = answer(found).body()["causes"]["a"]
    lifetime, relapse = body.pop("lifetime"), body.pop("relapse")
    assert (lifetime["law"], lifetime["ages"], lifetime["p_value"]) == ("weibull", "new", 1e-5)
    assert lifetime["parameters"]["shape"]["mean"] == 0.7
    assert lifetime["parameters"]["mtbf_s"]["mean"] == 20 * DAY
    assert lifetime["first_failures_shape"]["low"] > 2
    assert lifetime["chosen_because"].startswith("better than exponential")
    assert relapse.pop("probability")["mean"] == 0.3
    assert relapse == {"within_s": 3 * DAY, "seen_within_a_day": 0.25, "by_chance": 0.0123, "p_value": 1e-7}
    assert body.pop("rate_per_1000_node_days")["mean"] == 40.0
    assert body["lemons"]["share"]["mean"] == 0.1
    assert body.pop("lemons")["factor"]["mean"] == 8.0
    assert body["trend"].pop("factor")["mean"] == 5.0
    assert body == {
        "per": "node",
        "count": 40,
        "transient": 7,
        "trend": {"p_value": 1e-8, "until_s": 30 * DAY},
        "repair": {
            "law": "constant",
            "parameters": {},
            "at_most_s": 4 * HOUR,
            "median_s": HOUR,
            "mean_s": 2 * HOUR,
            "done": 30,
            "censored": 3,
        },
        "bursts": {"scope": "blocks of 4 nodes", "count": 6, "rows": 24, "p_value": 1e-9},
    }


def test_a_plain_cause_as_plain_data() -> None:
    """Bursts that are chance are none, and what was not looked for is null."""
    found = cause(bursts=replace(BURSTS, p_value=0.01), relapse=Relapsing(0, 36, 0.01), spells=cause().spells)
    body = answer(found).body()["causes"]["a"]
    assert body["bursts"] is body["lemons"] is body["repair"] is None
    assert body["relapse"]["probability"] is body["relapse"]["within_s"] is body["relapse"]["p_value"] is None
    assert body["trend"] == {"p_value": None, "until_s": None, "factor": None}
    assert set(body["lifetime"]["parameters"]) == {"mtbf_s"}
    assert (body["lifetime"]["law"], body["lifetime"]["ages"]) == ("exponential", "steady")
    assert body["lifetime"]["parameters"]["mtbf_s"]["mean"] == pytest.approx(20 * DAY)


@pytest.mark.parametrize(
    ("name", "estimate", "known"),
    [
        ("mean_s", (HOUR, None, 2 * HOUR), (HOUR, None, 2 * HOUR)),
        ("sigma", (0.5, 0.01, 0.9), (0.5, None, 0.9)),
    ],
)
def test_a_parameter_of_repairs_has_no_end_where_its_search_ended(
    name: str, estimate: tuple[float | None, ...], known: tuple[float | None, ...]
) -> None:
    law = RepairLaw("any", RepairsSeen(HOUR, HOUR, 9, 0), {name: ConfidenceInterval(*estimate)})
    body = answer(cause(repair=law)).body()["causes"]["a"]["repair"]["parameters"]
    assert body == {name: dict(zip(("mean", "low", "high"), known, strict=True))}


def test_window_and_exposure_as_plain_data() -> None:
    problems, checked = (UnreadRow("log.csv", 3, "no"),), checks(failures=False)
    body = answer(start=datetime(2026, 5, 1, tzinfo=UTC), problems=problems, checked=checked).body()
    assert body["check"] == [{"figure": "failures", "observed": 9, "low": 4, "high": 6, "inside": False}]
    assert body["window"] == {
        "from": "2026-05-01T00:00:00+00:00",
        "to": "2026-08-09T00:00:00+00:00",
        "timezone": "UTC",
        "seconds": 100 * DAY,
    }
    assert body["exposure"] == {"nodes": 10, "node_days": 1000.0, "clock": "calendar"}
    assert body["problems"] == [{"file": "log.csv", "line": 3, "reason": "no"}]
    assert (body["rows"]["total"], body["scenario"]) == (2, "name: s\n")
    without = answer().body()["window"]
    assert without == {"from": None, "to": None, "timezone": None, "seconds": 100 * DAY}


def checks(**inside: bool | None) -> tuple[Checked, ...]:
    """Return figures of 5 that lie within 4 to 6, outside, or are not judged."""
    return tuple(
        Checked(name, 5.0 if each else 9.0, None if each is None else 4.0, 6.0)
        for name, each in inside.items()
    )


@pytest.mark.parametrize(
    ("checked", "replications", "sentences"),
    [
        ((), 0, ["The fitted fleet was not simulated, which would take long"]),
        (checks(failures=True), 40, ["Whether the fitted fleet is like the log cannot be seen"]),
        (
            checks(failures=True, short_gaps=True, longest_gap_s=None),
            40,
            ["In none of 2 figures is the log outside 95 % of 40 simulated histories"],
        ),
        (checks(short_gaps=True), 40, ["In none of 1 figure is the log outside"]),
        (checks(failures=None), 40, []),
        (
            checks(failures=False),
            1000,
            ["Not as in the fitted fleet: failures, 9 in the log, 4 to 6 in 95 % of 1,000 simulated"],
        ),
        (
            checks(failures=True, nodes_away_mean=False, longest_gap_s=False),
            40,
            [
                "Not as in the fitted fleet: nodes away, on average, 9.00 in the log, 4.00 to 6.00 in",
                "Not as in the fitted fleet: longest time without a failure, 9 s in the log, 4 s to 6 s in",
            ],
        ),
    ],
)
def test_what_the_check_says(checked: tuple[Checked, ...], replications: int, sentences: list[str]) -> None:
    found = answer(checked=checked, replications=replications)
    told = found.advice[1:]
    assert len(told) == len(sentences)
    for each, sentence in zip(told, sentences, strict=True):
        assert str(each).startswith(sentence)
        assert each.warning is sentence.startswith(("Not as", "The fitted fleet was not"))
    assert found.outside == [each for each in checked if each.inside is False]


def test_rows_that_could_not_be_read_are_said_with_the_first_and_where_all_are() -> None:
    problems = tuple(UnreadRow("log.csv", line, "no time") for line in (7, 9))
    rows = {"total": 2000, "not_understood": 1500}
    found = answer(rows=rows, problems=problems, notes=("column x is not read",))
    first, *_, lost, note = found.advice
    assert " Without 1,500 of 2,000 rows, which could not be read." in str(first)
    assert str(lost) == (
        "1,500 rows of 2,000 could not be read (all in fit.json), the first: log.csv:7: no time"
    )
    assert (lost.warning, note.warning, str(note)) == (True, False, "column x is not read")
    (one,) = [each for each in said(answer(rows=rows, problems=problems[:1])) if "could not be read:" in each]
    assert one == "1,500 rows of 2,000 could not be read: log.csv:7: no time"
    assert len(answer(rows={"total": 2, "not_understood": 0}).advice) == 1


def test_the_rate_of_all_causes_is_that_of_a_poisson_count() -> None:
    """Two failures in 1000 node-days: 0.242 to 7.22 (Garwood)."""
    found = answer()
    assert found.rate == pytest.approx((2.0, 0.2422, 7.2247), rel=1e-3)
    first = said(found)[0]
    assert first.startswith(
        "2 failures in 10 nodes, 100 d: 2.00 per 1000 node-days (95 %: 0.242 to 7.22)."
    ), first


def test_features_are_told_of_the_first_five_causes_and_named_of_others() -> None:
    lemons = Model(lemons=True)
    fits = [cause(Model() if number in (1, 6) else lemons, name=f"c{number}") for number in range(8)]
    told = said(answer(*fits))
    assert [each[:2] for each in told if "nodes differ" in each] == ["c0", "c2", "c3", "c4"]
    (others,) = [each for each in told if each.startswith("Rarer causes")]
    assert others.endswith("which scenario.yaml says: c5, c7.")


def test_repairs_of_which_none_is_over_are_a_warning() -> None:
    away = {"away_s": np.array([HOUR]), "done": np.zeros(1, bool)}
    law = RepairLaw("constant", RepairsSeen(HOUR, 90 * 60.0, 1, 0))
    found = answer(cause(name="open", **away), cause(name="none"), cause(name="over", repair=law, **away))
    assert [str(each)[:5] for each in found.advice if each.warning] == ["open:"]
    assert [away_in_words(fit) for fit in found.causes.values()] == [
        ("—", "—", "1"),
        ("—", "—", "—"),
        ("1 h", "1.5 h", "1"),
    ]


@pytest.mark.parametrize(
    ("figure", "value", "text"),
    [
        ("longest_gap_s", 90_000.0, "1.04 d"),
        ("failures", 1234.0, "1,234"),
        ("nodes_away_most", 7.0, "7"),
        ("nodes_away_mean", 7.456, "7.46"),
        ("short_gaps", 0.1234, "12.3 %"),
        ("busiest_tenth", None, "0.0 %"),
        ("longest_gap_s", 0.0, "0 s"),
        ("failures", 0.0, "0"),
        ("nodes_away_mean", 0.0, "0"),
    ],
)
def test_figures_of_the_check_have_units(figure: str, value: float | None, text: str) -> None:
    assert written(figure, value) == text
    assert in_words(Checked(figure, value, value, value)) == f"{text} in the log, {text} to {text}"


@pytest.mark.parametrize(
    ("days", "text"),
    [
        (2.0, "2026-05-01 00:00 to 2026-05-03 00:00 (2 d)"),
        (2.5, "2026-05-01 to 2026-05-03 (2.5 d)"),
        (math.pi, "2026-05-01 to 2026-05-04 (3.14 d)"),
    ],
)
def test_a_window_of_two_days_is_told_by_the_minute(days: float, text: str) -> None:
    log = replace(History.of([], 1, days * DAY), start=datetime(2026, 5, 1, tzinfo=UTC))
    assert describe_window(log) == text
    assert describe_window(replace(log, start=None)) == text.partition("(")[2].rstrip(")")


def test_a_record_for_each_cause() -> None:
    found = answer(cause(name="x"), cause(name="y", count=3))
    assert [(record["cause"], record["count"]) for record in found.records()] == [("x", 40), ("y", 3)]
