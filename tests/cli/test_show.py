"""What a terminal shows of a run, of several side by side, and of what a scenario means."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from clustersim.cli import console
from clustersim.cli.show import records, show
from clustersim.engine.replication import simulate
from clustersim.estimate import Estimate
from clustersim.results import Results
from clustersim.scenario import Scenario
from clustersim.scenario.describe import Description, ModeMeaning
from clustersim.scenario.loading import variant
from clustersim.scenario.published_rates import RateBesidePublished, Times
from clustersim.scenario.values import ScenarioValue
from clustersim.studies.change import ValueChange
from clustersim.studies.compare import Changed, Comparison, Difference
from clustersim.units import DAY, HOUR
from tests.cli.pages import Page, page
from tests.reports.cases import CHANGES, PLAIN, run
from tests.reports.fleets import EVERYTHING, everything


def shown(*names: str) -> dict[str, str]:
    """Return the figures of a run, or of a comparison, as the terminal prints them, by their names."""
    results = [everything() if name == "everything" else run(name) for name in names]
    lines = page(results[0] if len(results) == 1 else Comparison(results), 200).splitlines()
    pairs = (line[2:].partition("   ") for line in lines)
    return {name.strip(): text.strip() for name, _, text in pairs if text}


def test_a_run_shows_spares_tiers_and_replicas() -> None:
    found = shown("everything")
    assert found["Replicas"] == "8 (0.50 ± 0.03 of them down on average)"
    assert found["Nodes away"].endswith("or fewer for 99 % of the time)")
    assert found["Spare nodes"].startswith("6 (")
    assert found["Spare nodes"].endswith("would suffice for 99 % of the time)")
    assert found["Waiting for a node"] == "6.0 %"
    assert found["Checkpoint interval"] == "peer 60 s, storage 30 min"
    assert found["Copies loaded"].startswith("peer ")
    assert {"stall", "idle", "slow", "corrupted"} <= set(found)


def test_a_run_without_them_says_nothing_of_them() -> None:
    assert not {"Replicas", "Nodes away", "Spare nodes", "Copies loaded"} & set(shown("plain"))


def test_a_comparison_shows_them_in_short() -> None:
    found = shown("plain", "everything")
    assert found["Replicas"].split() == ["—", "8"]
    assert found["Spare nodes"].split() == ["—", "6"]
    assert "(" not in found["Nodes away"]


def fleet(name: str, folder: Path | None = None, **changes: Any) -> Results:
    """Return the made-up run of everything under another name."""
    made = everything()
    scenario = Scenario.model_validate(EVERYTHING | {"name": name} | changes)
    summary = made.summary | {"name": name}
    return Results(scenario, summary, made.provenance, records=made._records, folder=folder)


def compared() -> Comparison:
    """Return runs that are alike, with differences and changed values that are made up."""
    found = Comparison([fleet(name) for name in ("base", "more", "alike", "once")])
    gaps = {
        "more": Estimate(0.03, 0.002, 4),
        "alike": Estimate(0.01, 0.02, 4),
        "once": Estimate(0.01, None, 1),
    }
    vars(found)["differences"] = tuple(
        Difference(name, "base", gap, gap.scaled(1000)) for name, gap in gaps.items()
    )
    vars(found)["changed"] = tuple(
        Changed(name, "base", tuple(ValueChange(f"x.y{n}", f"{n} s", None) for n in range(count)))
        for name, count in (("more", 13), ("alike", 0), ("once", 12))
    )
    return found


VALUES = (
    ScenarioValue("cluster.gpus", "64 cards", None, False, 64.0, "cards"),
    ScenarioValue("cluster.gpus_per_node", "8 cards", None, True, 8.0, "cards"),
    ScenarioValue("failures.gpu.rate", "1 / d", "our own log of a year", False, 1 / DAY, "1/s"),
    ScenarioValue("failures.gpu.repair", "4 h", "our own log of a year", False, 4 * HOUR, "s"),
    ScenarioValue("failures.link.rate", "1 / d", "vendor log", False, 1 / DAY, "1/s"),
    ScenarioValue("failures.link.repair", "4 h", "vendor log", False, 4 * HOUR, "s"),
    ScenarioValue("checkpoint.load", "1 min", "assumed: a guess", False, 60.0, "s"),
)


def meaning(**changes: Any) -> Description:
    """Return what a scenario means, every value of it made up."""
    known: dict[str, Any] = {
        "name": "known",
        "values": VALUES,
        "nodes": 1200,
        "spare_nodes": 6,
        "racks": 40,
        "pods": 2,
        "end_s": 30.4 * DAY,
        "target_s": 10.3 * DAY,
        "interval_s": 612.0,
        "intervals_s": {"peer": 6.14, "storage": 612.0},
        "replicas": 4,
        "modes": (
            ModeMeaning("gpu", "gpu", 9600, 9600.0, 270.0, 309.0, 0.5),
            ModeMeaning("job", "job", 1, 2 * DAY, 1500.6, 240.0, 0.0),
        ),
        "mtbf_s": 8892.0,
        "events": 285.0,
        "restart_s": 290.0,
        "nodes_away": 0.5,
        "ettr": 0.8042,
        "ettr_withheld": None,
        "waiting_share": 0.024,
        "lasts_s": 12.4 * DAY,
        "rates": (
            RateBesidePublished(
                "failures of nodes", 13.04, (Times("RSC-1", 6.5, 2.006, "a"), Times("RSC-2", 2.34, 5.57, "b"))
            ),
        ),
        "run_s": 1.26,
        "notes": ("something to note",),
    }
    return Description(**known | changes)


RUN = """
# Of 4,096 cards 3,248 train (ETTR 0.793 ± 0.004); the largest part of the rest goes into standing
# still for other replicas or for flaps, 5.0 % of all card-time.
  ETTR             0.793 ± 0.004
  Effective cards  3,248 ± 17 (of 4,096 and 48 spare)
# Worth most over this run, estimated
#                                         Gain in ETTR  Effective
#                                                           cards
    1. halve gpu failures
    2. halve the stall of other replicas
    3. halve detection time
~   Estimated from this run's ledger, each change by itself: what it would leave of each entry, to
~   first order. `clustersim levers` simulates them, with intervals.
! The 6 spare
! Cards that are
! Silent corruption throws
! Only 4 replications:
! Few incidents in
  Slow nodes take
  Lemons, 5 %
# Further figures
    Cards                  4,096 (512 nodes)
    Spare nodes            6 (31 would suffice for 99 % of the time)
    ETTR, P10 to P90       0.7906 to 0.7954
    Availability           86 %
    MTBF                   6.3 h
    Interruptions per day  3.000
    MTTI                   8 h
    Nodes away             10 ± 12 (31 or fewer for 99 % of the time)
    Waiting for a node     6.0 %
    Replicas               8 (0.50 ± 0.03 of them down on average)
    Copies loaded          peer 21 %, storage 10 %, another replica 69 %
    Simulated              4 × 30 d
    Checkpoint interval    peer 60 s, storage 30 min
# Where the time goes
    productive    79.3 %
    stall          5.0 %
    slow           3.3 %
    recovery       3.2 %  (restart 2.6 %, load 0.6 %)
    waiting        2.0 %
    corrupted      2.0 %
    checkpoint     1.5 %
    idle           1.2 %
    lost           1.0 %
    detection      1.0 %
    maintenance    0.5 %
  Next: clustersim report FOLDER
"""


def test_a_run_begins_with_the_answer_and_tells_no_figure_twice(tmp_path: Path) -> None:
    """What a change is worth is an estimate, which others test; where to go on is one line to copy."""
    folder = tmp_path / "a name that is longer than the screen is wide" / "and goes on in another folder"
    text = re.sub(r"(\n    \d\. .*?)  +.*", r"\1", page(fleet("everything", folder)))
    assert text == RUN.replace("FOLDER", str(folder))


def test_a_run_has_a_row_for_each_threshold_and_marks_what_is_not_met() -> None:
    lines = page(run("expecting")).splitlines()
    first = lines.index("# Expected") + 1
    assert [line[:37].rstrip() for line in lines[first : first + 4]] == [
        "!   ettr >= 0.99             not met",
        "    mtti_s >= 1              met",
        "    days_to_target.p90 <= 4  met",
        "# Worth most over this run, estimated"[:37],
    ]


def test_of_a_run_without_progress_nothing_is_worth_anything() -> None:
    """What takes no time is not listed, and a recovery that has one stage has none beside it."""
    spec = Scenario.model_validate(PLAIN | CHANGES["stuck"] | {"simulation": {"horizon": "1 h"}})
    found = page(Results.of(spec, [simulate(spec, 0)], {}))
    assert "\n# What to change\n~   Nothing of this run was productive, so" in found
    assert "Expected" not in found
    times = found.partition("\n# Where the time goes\n")[2].splitlines()
    assert [re.sub(r"<?\d+ %", "%", line).split() for line in times] == [
        [entry, "%"] for entry in ("detection", "recovery", "lost")
    ]


def test_a_comparison_has_the_runs_side_by_side() -> None:
    """Of 13 changed values the first 12 are listed, and of 12 all."""
    lines = page(compared(), 200).splitlines()
    values = [f"x.y{n:<9}{n} s -> not given" for n in range(10)]
    values += [f"x.y{n:<9}{n} s -> not given" for n in (10, 11)]
    assert lines[1:28] == [
        "# What differs from base",
        f"    more   {values[0]}",
        *(f"           {value}" for value in values[1:]),
        "           and 1 more  see --json, changed",
        "    alike  nothing",
        f"    once   {values[0]}",
        *(f"           {value}" for value in values[1:]),
    ]
    assert lines[28].split() == ["#", "base", "more", "alike", "once"]
    table = {name.strip(): cells for name, *cells in (re.split(" {2,}", line[2:]) for line in lines[28:])}
    assert table["ETTR"] == ["0.793 ± 0.004"] * 4
    assert table["Simulated"] == ["4 × 30 d"] * 4
    assert table["Largest loss"] == ["stall 5.0 %"] * 4
    assert table["ETTR against base"] == ["—", "+3.0 ± 0.2 pp", "not distinguishable", "+1.0 pp"]
    assert lines[-9:-5] == [
        *("  Most effective cards:", "  more against base:", "  alike and base", "  once against base:"),
    ]
    assert {line[:26] for line in lines[-5:]} == {"! base, more, alike,"}


def test_where_nothing_is_lost_there_is_no_largest_loss() -> None:
    spec = Scenario.model_validate(PLAIN | {"failures": "none", "checkpoint": "none", "recovery": {}})
    runs = [simulate(spec, number) for number in range(2)]
    found = page(Comparison([Results.of(variant(spec, {"name": name}), runs, {}) for name in ("a", "b")]))
    assert re.search("\n  Largest loss +— +—\n", found)


MEANING = """
# known is a valid scenario
# value                 given     source
  cluster.gpus          64 cards  setting
  failures.gpu.rate     1 / d     our own log of a year
  failures.gpu.repair   4 h       as above
  failures.link.rate    1 / d     vendor log
  failures.link.repair  4 h       vendor log
  checkpoint.load       1 min     assumption: a guess
# mode  what fails  one fails  all of them,  failures in  mean restart  nodes in
#                       every         every      the run                  repair
  gpu   9,600 gpus     2.92 y        2.67 h          270      5.15 min     0.500
  job        1 job        2 d           2 d        1,501         4 min         0
  nodes                          1,200, and 6 spare
  racks, pods                    40, 2
  replicas                       4 of 300 nodes
  something fails every          2.47 h
  failures in a run, about       285
  nodes away, on average         0.500
  waiting for nodes              2 % of the time
  mean restart, without waiting  4.83 min
  saves in peer every            6.14 s
  saves in storage every         10.2 min
  ideal time to the target       10.3 d
  time to the target, about      12 d
  simulated time, at most        30.4 d
  ETTR, first order              about 0.80
  run time, about                1.3 s
  failures of nodes: 13 per 1000 days of 8 cards, 2.0 times RSC-1's 6.5 and 5.6 times RSC-2's 2.3
! ! something to note
"""


def test_a_description_has_values_modes_and_estimates() -> None:
    assert page(meaning()) == MEANING


LITTLE = """
# known is a valid scenario
# value  given  source
  nodes                       1,200, and 6 spare
  something fails every       —
  failures in a run, about    0
  training between two saves  10 min
  simulated time, at most     30.4 d
  ETTR, first order           about 0.80
  run time, about             1.3 s
"""


def test_a_description_leaves_out_what_a_scenario_does_not_have() -> None:
    nothing = dict.fromkeys(("racks", "pods", "target_s", "mtbf_s", "restart_s"))
    found = meaning(
        **nothing, values=(), modes=(), replicas=1, nodes_away=0.0, events=0.0, rates=(), notes=()
    )
    assert page(replace(found, intervals_s={"storage": 600.0})) == LITTLE


@pytest.mark.parametrize(
    ("changes", "lines"),
    [
        ({"pods": None}, ["racks, pods                    40, —"]),
        ({"replicas": 2}, ["replicas                       2 of 600 nodes"]),
        ({"ettr": 0.001}, ["ETTR, first order              about 0.0010"]),
        ({"ettr": 0.00099}, ["ETTR, first order              below 0.001"]),
        ({"lasts_s": 30.4 * DAY}, ["time to the target, about      not reached"]),
        (
            {"ettr": None, "ettr_withheld": "too much fails"},
            ["time to the target, about      —", "ETTR, first order              withheld: too much fails"],
        ),
        ({"events": 999.0}, ["failures in a run, about       999"]),
        ({"events": 1000.6}, ["failures in a run, about       1,001"]),
        ({"events": 123_456.0}, ["failures in a run, about       123,456"]),
    ],
)
def test_an_estimate_is_told_as_far_as_it_is_known(changes: dict[str, Any], lines: list[str]) -> None:
    found = page(meaning(**changes)).splitlines()
    assert [f"  {line}" for line in lines if f"  {line}" not in found] == []


def test_values_by_default_are_shown_when_more_is_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(console.manner, "is_verbose", True)
    assert "\n  cluster.gpus_per_node  8 cards   default\n" in page(meaning())


def test_records_hold_all_digits_of_figures_and_values() -> None:
    """Of a comparison they are those of its runs, with the differences beside them."""
    of_a_run = {each["metric"]: each for each in records(run("expecting"))}
    lost = of_a_run["cost.lost"]
    assert list(lost) == ["scenario", "metric", "unit", "value", "low", "high", "unknown_because"]
    assert (lost["scenario"], lost["unit"], lost["unknown_because"]) == ("expecting", "USD", None)
    assert lost["low"] < lost["value"] == run("expecting").summary["cost"]["lost"] < lost["high"]
    assert of_a_run["ettr.mean"]["unit"] == "share"
    why = {each["metric"]: each["unknown_because"] for each in records(run("calm"))}
    assert why["mtbf_s"] == "nothing fails"

    found = {(each["scenario"], each["metric"]): each for each in records(compared())}
    assert {each["baseline"] for each in found.values()} == {"base"}
    gaps = {place: each["difference"] for place, each in found.items() if each["difference"]["mean"]}
    assert set(gaps) == {
        (name, metric) for name in ("more", "alike", "once") for metric in ("ettr.mean", "effective_gpus")
    }
    assert gaps["more", "ettr.mean"] == pytest.approx({"mean": 0.03, "low": 0.028, "high": 0.032})
    assert gaps["more", "effective_gpus"] == pytest.approx({"mean": 30, "low": 28, "high": 32})
    assert found["base", "gpus"]["difference"] == {"mean": None, "low": None, "high": None}

    values = list(records(meaning()))
    assert {each["scenario"] for each in values} == {"known"}
    assert [each["path"] for each in values] == [each.path for each in VALUES]


@pytest.mark.parametrize("ask", [lambda: show("a word", Page()), lambda: records("a word")])
def test_what_is_no_answer_is_refused(ask: Callable[[], object]) -> None:
    with pytest.raises(TypeError, match=r"no (way to print|table of) 'a word'"):
        ask()
