"""Replays: a log becomes a mode for each cause, and the scenario that it ends up in runs without the file."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from clustersim.distributions import Empirical
from clustersim.engine.replication import simulate
from clustersim.scenario import Scenario, ScenarioError, dump, load, loads
from clustersim.scenario.describe import describe
from clustersim.scenario.keys.logs import Recorded
from clustersim.scenario.text import reader
from clustersim.scenario.traces import mode_names
from clustersim.scenario.values import values

HOUR, DAY = 3600.0, 86_400.0
SCENARIO = """
name: replayed
cluster: {gpus: 64, spares: 2}
failures:
  before: {per: job, mtbf: 5 d}
  trace: {replay: logs/incidents.csv, detect: 1 min}
  after: {per: node, mtbf: 50 d}
checkpoint: {interval: daly, blocks: 5 s}
simulation: {horizon: 10 d}
"""
LOG = """\
time,node,cause,repair
2 d,9,nic,4 h
3 h,1,GPU: DBE (double bit),20 h
1 d,,,
4 d,2,nic,
5 d,0,checkpoint,1 h
6 d,0,before,1 h
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "incidents.csv").write_text(LOG)
    (tmp_path / "replayed.yaml").write_text(SCENARIO)
    return tmp_path


def told(scenario: Scenario) -> dict[str, str]:
    """Return how the values read, by their paths."""
    return {value.path: value.text for value in values(scenario)}


def test_each_cause_is_a_mode_named_after_it(folder: Path) -> None:
    scenario = load("replayed.yaml")
    names = ["before", "GPU DBE double bit", "trace", "nic", "trace checkpoint", "trace before", "after"]
    assert list(scenario.failures) == names
    assert scenario.failures["nic"].recorded == (Recorded(2 * DAY, 9, 4 * HOUR), Recorded(4 * DAY, 2, None))
    assert scenario.failures["trace"].recorded == (Recorded(DAY, -1, None),)
    assert scenario.failures["before"].recorded is None


def test_planned_stops_of_a_log_are_maintenance_and_no_failures(folder: Path) -> None:
    rows = [f"{row}{',' * (4 - row.count(','))}" for row in LOG.splitlines()[1:]]
    planned = ["7 d,,upgrade,6 h,planned", "7 d 1 h,,upgrade,6 h,planned", "9 d,,,20 min,planned"]
    text = "\n".join(["time,node,cause,repair,kind", *rows, *planned])
    (folder / "logs" / "incidents.csv").write_text(text)
    scenario = load("replayed.yaml", {"maintenance": "{every: 2 d, takes: 1 h}"})
    own, logged = scenario.maintenance
    assert (own.every, own.at) == (2 * DAY, ())
    assert (logged.at, logged.lengths, logged.abrupt) == ((7 * DAY, 9 * DAY), (7 * HOUR, 1200.0), False)
    assert len(scenario.failures["GPU DBE double bit"].recorded or ()) == 1
    assert "upgrade" not in scenario.failures
    first = "1 recorded failure on 1 node, after 3 h and 3 planned stops"
    assert told(scenario)["failures.GPU DBE double bit.replay"] == first
    assert Scenario.model_validate(scenario.document).maintenance == scenario.maintenance
    assert loads(dump(scenario)).maintenance == scenario.maintenance


def test_a_log_may_hold_planned_stops_alone(folder: Path) -> None:
    log = folder / "logs" / "incidents.csv"
    log.write_text("time,repair,kind\n2 d,12 h,planned\n")
    alone = {"failures.before": None, "failures.after": None, "checkpoint.interval": "1 h"}
    scenario = load("replayed.yaml", alone)
    assert scenario.failures["trace"].recorded == ()
    records = simulate(scenario, 0)
    assert records.ledger["maintenance"] == pytest.approx(12 * HOUR * 64)
    # A log of which nothing strikes counts as one of a single failure there, half an interval of ten days.
    assert describe(scenario).ettr == pytest.approx(records.ettr - 0.5 / 240, abs=2e-4)
    assert told(scenario)["failures.trace.replay"] == "1 planned stop"
    log.write_text("time,repair,kind\n2 d,12 h,planned\n4 d,12 h,planned\n")
    assert told(load("replayed.yaml", alone))["failures.trace.replay"] == "2 planned stops"


def test_a_recorded_mode_has_the_properties_of_a_random_one(folder: Path) -> None:
    scenario = load("replayed.yaml")
    nic, job = scenario.failures["nic"], scenario.failures["trace"]
    assert (nic.per, nic.takes_nodes, nic.transient, nic.scope) == ("node", True, 0.5, "node")
    assert nic.repair == Empirical((4 * HOUR,))
    assert nic.repair_plan is not None
    assert nic.repair_plan.whole.mean == 4 * HOUR
    assert nic.detect is not None
    assert nic.detect.mean == 60
    assert (job.per, job.takes_nodes, job.transient, job.repair, job.repair_plan) == (
        "job",
        False,
        1,
        None,
        None,
    )


@pytest.mark.parametrize("horizon", ["10 d", "8 d"])
def test_the_mtbf_of_a_log_is_that_over_the_horizon(folder: Path, horizon: str) -> None:
    scenario = load("replayed.yaml", {"simulation.horizon": horizon})
    days = int(horizon.removesuffix(" d"))
    assert scenario.mtbf_of("nic") == pytest.approx(days * DAY / 2)
    assert scenario.failures["nic"].mtbf == pytest.approx(8 * days * DAY / 2)
    assert scenario.mtbf_of("trace") == pytest.approx(days * DAY)


def test_a_log_that_goes_on_after_the_horizon_keeps_its_rate(folder: Path) -> None:
    scenario = load("replayed.yaml", {"simulation.horizon": "1 d"})
    assert scenario.mtbf_of("nic") == pytest.approx(6 * DAY / 2)


def test_a_run_to_a_target_has_the_rate_of_its_log(folder: Path) -> None:
    scenario = load("replayed.yaml", {"simulation.horizon": None, "workload.productive": "2 d"})
    assert scenario.mtbf_of("nic") == pytest.approx(6 * DAY / 2)


def test_the_resolved_scenario_runs_without_the_file(folder: Path) -> None:
    scenario = load("replayed.yaml")
    (folder / "logs" / "incidents.csv").unlink()
    again = loads(dump(scenario))
    assert again == scenario
    assert again.hash == scenario.hash
    assert list(again.failures.items()) == list(scenario.failures.items())
    assert Scenario.model_validate(scenario.document) == scenario
    assert pickle.loads(pickle.dumps(scenario)).failures["nic"].mtbf == scenario.failures["nic"].mtbf


def test_rows_may_stand_in_the_scenario(folder: Path) -> None:
    rows = "[{time: 4 d, node: 2}, {time: 2 d, node: 9, repair: 4 h}]"
    scenario = load("replayed.yaml", {"failures.trace.replay": rows})
    assert scenario.failures["trace"].recorded == (Recorded(2 * DAY, 9, 4 * HOUR), Recorded(4 * DAY, 2, None))


def test_a_log_is_beside_the_file_that_names_it(folder: Path) -> None:
    (folder / "deep").mkdir()
    (folder / "deep" / "base.yaml").write_text(SCENARIO.replace("logs/", "../logs/"))
    (folder / "top.yaml").write_text("name: top\nbase: deep/base.yaml\n")
    assert list(load("top.yaml").failures) == list(load("replayed.yaml").failures)


def test_an_override_names_a_log_in_the_current_folder(folder: Path) -> None:
    (folder / "other.csv").write_text("time_h\n3\n")
    (folder / "logs" / "top.yaml").write_text("name: top\nbase: ../replayed.yaml\n")
    scenario = load("logs/top.yaml", {"failures.trace.replay": "other.csv"})
    assert scenario.failures["trace"].recorded == (Recorded(3 * HOUR, -1, None),)


def test_a_replay_takes_the_place_of_a_rate_and_back(folder: Path) -> None:
    modes = "{after: {per: null, replay: logs/incidents.csv}, trace: null}"
    (folder / "top.yaml").write_text(f"name: top\nbase: replayed.yaml\nfailures: {modes}\n")
    assert load("top.yaml").failures["nic"].recorded
    (folder / "back.yaml").write_text(
        "name: back\nbase: replayed.yaml\nfailures: {trace: {per: node, mtbf: 3 d}}\n"
    )
    assert load("back.yaml").failures["trace"].recorded is None


def test_what_is_recorded_has_its_file_as_its_source(folder: Path) -> None:
    scenario = load("replayed.yaml")
    said = "recorded: logs/incidents.csv, cause"
    assert scenario.sources["failures.nic.replay"] == f'{said} "nic"'
    assert scenario.sources["failures.GPU DBE double bit.replay"] == f'{said} "GPU: DBE (double bit)"'
    assert scenario.sources["failures.trace.replay"] == "recorded: logs/incidents.csv"


def test_a_source_of_the_trace_is_one_of_all_its_causes(folder: Path) -> None:
    text = (
        SCENARIO + "sources: {failures.trace.replay: our log, failures.trace.detect: measured, name: mine}\n"
    )
    (folder / "replayed.yaml").write_text(text)
    sources = load("replayed.yaml").sources
    assert sources["failures.nic.replay"] == "our log"
    assert sources["failures.nic.detect"] == "measured"
    assert sources["name"] == "mine"
    (folder / "replayed.yaml").write_text(SCENARIO + "sources: {failures.trace: our site}\n")
    sources = load("replayed.yaml").sources
    assert sources["failures.nic"] == "our site"
    assert "failures.nic.replay" not in sources


def test_rows_are_told_in_short_among_the_values(folder: Path) -> None:
    log = LOG.replace("2 d,9", "2.12345 d,9")
    (folder / "logs" / "incidents.csv").write_text(log)
    found = told(load("replayed.yaml"))
    assert found["failures.nic.replay"] == "2 recorded failures on 2 nodes, 2.12 d to 4 d"
    assert found["failures.trace.replay"] == "1 recorded failure, after 1 d"


def test_check_counts_the_rows_that_strike(folder: Path) -> None:
    found = describe(load("replayed.yaml", {"simulation.horizon": "3 d"}))
    events = {mode.name: mode.events for mode in found.modes}
    assert (events["nic"], events["trace"], events["trace checkpoint"]) == (1, 1, 0)
    assert "failures: 3 of 6 recorded failures lie behind the horizon and never strike" in found.notes


def test_check_tells_a_log_that_ends_early(folder: Path) -> None:
    silent = "failures: nothing is recorded after 6 d; beyond it the log is silent"
    assert silent in describe(load("replayed.yaml", {"simulation.horizon": "13 d"})).notes
    assert silent not in describe(load("replayed.yaml")).notes


def test_causes_that_differ_only_in_signs_are_told_apart(folder: Path) -> None:
    long = "a cause with a name of more than forty letters"
    log = f"time_h,cause\n1,fan!\n2,fan?\n3,fan\n4,{long} 1\n5,{long} 2\n6,風扇\n7,電源\n"
    (folder / "logs" / "incidents.csv").write_text(log)
    names = list(load("replayed.yaml").failures)[1:-1]
    assert names[:3] == ["fan", "trace fan", "fan 2"]
    assert names[3:] == [
        "a cause with a name of more than forty l",
        "trace a cause with a name of more than f",
        "風扇",
        "電源",
    ]


@pytest.mark.parametrize(
    ("causes", "taken", "names"),
    [
        (["trace", "", "#", "\u0301"], [], ["trace", "trace 2", "trace 3", "trace 4"]),
        (["-fan_"], [], ["fan"]),
        (["fan"], ["fan", "trace fan", "fan 2", "fan 3"], ["fan 4"]),
        ([f"{39 * 'a'} b"], [], [39 * "a"]),
        (
            [f"{34 * 'a'} {9 * 'b'}"] * 3,
            ["trace " + 34 * "a"],
            [f"{34 * 'a'} {5 * 'b'}", f"{34 * 'a'} 2", f"{34 * 'a'} 3"],
        ),
        ([40 * "a"] * 3, [], [40 * "a", "trace " + 34 * "a", 35 * "a" + " 2"]),
    ],
)
def test_a_cause_has_a_name_of_its_own_whatever_is_taken(
    causes: list[str], taken: list[str], names: list[str]
) -> None:
    assert list(mode_names(causes, "trace", taken)) == names


def test_as_many_causes_as_are_possible_have_modes_of_their_own(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("clustersim.scenario.traces.MOST_CAUSES", 5)
    assert len(load("replayed.yaml").failures) == 2 + 5


def test_many_causes_are_a_text_and_not_a_kind(folder: Path) -> None:
    """What is wrong with their rows is told beside."""
    rows = "".join(f"{hour},{10 * (hour == 96)},cause {hour}\n" for hour in range(101))
    (folder / "logs" / "incidents.csv").write_text("time_h,node,cause\n" + rows)
    with pytest.raises(ScenarioError, match=r"101 causes(.|\n)*node 10 at 4 d does not exist"):
        load("replayed.yaml")


def test_what_is_wrong_with_the_mode_of_a_cause_is_told_where_the_trace_says_it(folder: Path) -> None:
    text = SCENARIO.replace("detect: 1 min", "effect: hang")
    (folder / "replayed.yaml").write_text(text)
    with pytest.raises(ScenarioError) as refused:
        load("replayed.yaml")
    column = len("  trace: {replay: logs/incidents.csv, effect: h")
    causes = ["GPU DBE double bit", "trace", "nic", "trace checkpoint", "trace before"]
    places = {problem.path: str(problem.place) for problem in refused.value.problems}
    assert places == {f"failures.{name}.effect": f"replayed.yaml:6:{column}" for name in causes}


def test_rows_at_one_instant_stay_in_the_order_of_the_log(folder: Path) -> None:
    (folder / "logs" / "incidents.csv").write_text("time_h,node,repair_h\n2,5,\n1,3,4\n1,3,\n1,2,\n")
    rows = load("replayed.yaml").document["failures"]["trace"]["replay"]
    assert [(row.node, row.repair_s) for row in rows] == [(3, 4 * HOUR), (3, None), (2, None), (5, None)]


def test_a_log_is_not_read_without_a_file(folder: Path) -> None:
    document = {**load("replayed.yaml").document, "failures": {"trace": {"replay": "logs/incidents.csv"}}}
    with pytest.raises(ValueError, match="use load or loads"):
        Scenario.model_validate(document)


def test_a_text_of_rows_has_no_causes(folder: Path) -> None:
    document = {**load("replayed.yaml").document, "failures": {"trace": {"replay": "time_h,cause\n1,a\n"}}}
    with pytest.raises(ValueError, match="one mode for each"):
        Scenario.model_validate(document)


def test_a_large_log_is_written_and_read_back(folder: Path) -> None:
    rows = "".join(f"{number * 0.01:.2f},{number % 8},{number % 7 + 1}.5\n" for number in range(20_000))
    (folder / "logs" / "incidents.csv").write_text("time_h,node,repair_h\n" + rows)
    scenario = load("replayed.yaml")
    (folder / "resolved.yaml").write_text(dump(scenario))
    assert (folder / "resolved.yaml").stat().st_size > reader.LARGEST_FILE
    assert load("resolved.yaml").hash == scenario.hash


def test_a_scenario_does_not_grow_without_rows(folder: Path) -> None:
    (folder / "large.yaml").write_text(SCENARIO + "# a comment\n" * 25_000)
    with pytest.raises(ScenarioError, match="a scenario has at most 256 KB"):
        load("large.yaml")


def test_a_log_has_so_many_bytes_at_most(folder: Path) -> None:
    with (folder / "logs" / "incidents.csv").open("wb") as stream:
        stream.truncate(100_000_000)
    with pytest.raises(ScenarioError, match=r"^logs/incidents.csv: .*at most 20 MB"):
        load("replayed.yaml")


def test_a_log_may_have_just_so_many_bytes(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clustersim.scenario.traces.LARGEST_LOG", len(LOG))
    assert load("replayed.yaml").failures["nic"].recorded
    (folder / "logs" / "incidents.csv").write_text(LOG + "\n")
    with pytest.raises(ScenarioError, match="a log has at most"):
        load("replayed.yaml")


def test_what_else_is_wrong_is_told_beside_a_log(tmp_path: Path) -> None:
    (tmp_path / "s.yaml").write_text(
        "name: a\nname: b\ncluster: {gpus: 8}\nfailures: {a: 5, b: {replay: none.csv}}\n"
        "checkpoint: none\nsimulation: {horizon: 1 d}\n",
        "utf-8",
    )
    with pytest.raises(ScenarioError) as caught:
        load(tmp_path / "s.yaml")
    assert {"name", "failures.a", "failures.b.replay"} <= {each.path for each in caught.value.problems}
