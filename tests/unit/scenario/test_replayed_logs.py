"""Replays of logs that need more words than a name: dates, Slurm's exports, several files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from clustersim.logs import read_history
from clustersim.scenario import Scenario, ScenarioError, dump, load, loads
from clustersim.scenario.keys.logs import Recorded

HOUR, DAY = 3600.0, 86_400.0
SCENARIO = """
name: replayed
cluster: {gpus: 64}
failures:
  trace: {replay: {log: events.txt, begin: 2026-05-01, end: 2026-05-11, timezone: UTC}, detect: 1 min}
checkpoint: {interval: 1 h, blocks: 5 s}
simulation: {horizon: 10 d}
"""
EVENTS = """\
Cluster|NodeName|TimeStart|TimeEnd|State|Reason|User
big|gpu-1|2026-04-30T00:00:00|2026-04-30T06:00:00|DOWN|ecc|root
big|gpu-9|2026-05-02T00:00:00|2026-05-02T06:00:00|DOWN*|Not responding|slurm
big|gpu-9|2026-05-02T00:05:00|2026-05-02T08:00:00|DOWN*|Not responding|slurm
big|gpu-9|2026-05-02T07:00:00|2026-05-03T00:00:00|drain|xid79|root
big|gpu-10|2026-05-10T00:00:00|Unknown|drain|xid79|root
big|gpu-2|2026-05-05T00:00:00|2026-05-05T09:00:00|MAINT||root
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "events.txt").write_text(EVENTS)
    (tmp_path / "replayed.yaml").write_text(SCENARIO)
    return tmp_path


def recorded(scenario: Scenario) -> dict[str, tuple[Recorded, ...]]:
    return {name: mode.recorded or () for name, mode in scenario.failures.items()}


def test_events_of_slurm_are_replayed_from_the_begin_that_is_given(folder: Path) -> None:
    assert recorded(load("replayed.yaml")) == {
        "Not responding": (Recorded(DAY, 2, DAY),),
        "xid79": (Recorded(9 * DAY, 3, DAY),),
    }


def test_a_replay_and_a_fit_agree_about_every_row(folder: Path) -> None:
    history = read_history(
        ["events.txt"], begin="2026-05-01", end="2026-05-11", nodes=8, timezone="UTC", merge_s=600
    )
    rows = [row for mode in recorded(load("replayed.yaml")).values() for row in mode]
    assert [row.time_s for row in rows] == history.time_s.tolist()
    ends = np.minimum(history.end_s, history.window_s)
    assert [row.time_s + (row.repair_s or 0.0) for row in rows] == ends.tolist()
    assert history.rows["merged"] == history.rows["inside_absence"] == history.rows["outside"] == 1


def test_a_replay_and_a_fit_agree_about_the_cause_of_every_row(folder: Path) -> None:
    (folder / "events.txt").write_text("""\
time,node,cause
2026-05-02,1,gpu
2026-05-03,2,GPU
2026-05-03,2, Gpu
2026-05-04,3,nic
2026-05-05,4,Unknown
2026-05-06,4,
""")
    history = read_history(["events.txt"], begin="2026-05-01", end="2026-05-11", nodes=8, timezone="UTC")
    modes = recorded(load("replayed.yaml"))
    by_cause = {
        name: history.time_s[history.cause == cause].tolist() for cause, name in enumerate(history.causes)
    }
    by_cause["trace"] = by_cause.pop("unknown")
    assert {name: [row.time_s for row in rows] for name, rows in modes.items()} == by_cause
    assert {name: len(times) for name, times in by_cause.items()} == {"gpu": 2, "nic": 1, "trace": 2}
    assert '"GPU" in 1 row counts as "gpu"' in load("replayed.yaml").sources["failures.gpu.replay"]


def test_what_is_left_out_is_said_in_the_sources(folder: Path) -> None:
    source = load("replayed.yaml").sources["failures.xid79.replay"]
    assert source.startswith('recorded: events.txt, cause "xid79"; read as events of nodes from Slurm')
    assert "gpu-1 is 0 and gpu-10 is 3" in source
    assert "1 merged, 1 inside absence, 1 outside, 1 planned, of single nodes" in source


def test_the_resolved_scenario_runs_without_the_log(folder: Path) -> None:
    scenario = load("replayed.yaml")
    (folder / "events.txt").unlink()
    assert loads(dump(scenario)).hash == scenario.hash


def test_a_begin_may_be_a_time_of_the_log_itself(folder: Path) -> None:
    (folder / "hours.csv").write_text("time_h,node\n1,0\n30,1\n")
    changes = {"failures.trace.replay": "{log: hours.csv, begin: 1 d}"}
    assert recorded(load("replayed.yaml", changes)) == {"trace": (Recorded(6 * HOUR, 1, None),)}


def test_several_files_are_one_log_and_may_be_parquet(folder: Path) -> None:
    (folder / "a.csv").write_text("time_h,node,cause\n1,0,fan\n")
    pq.write_table(pa.table({"time_h": [2.0], "node": [1], "cause": ["nic"]}), folder / "b.parquet")
    changes = {"failures.trace.replay": "{log: [a.csv, b.parquet]}"}
    assert recorded(load("replayed.yaml", changes)) == {
        "fan": (Recorded(HOUR, 0, None),),
        "nic": (Recorded(2 * HOUR, 1, None),),
    }


def test_columns_may_go_by_any_name(folder: Path) -> None:
    (folder / "a.csv").write_text("seen_h,box,why\n1,rack-1,fan\n")
    changes = {"failures.trace.replay": "{log: a.csv, columns: {time: seen_h, node: box, cause: why}}"}
    assert recorded(load("replayed.yaml", changes)) == {"fan": (Recorded(HOUR, 0, None),)}


def test_outages_of_the_site_and_planned_stops_are_replayed(folder: Path) -> None:
    outage, stop = "2026-05-02,cooling,2026-05-03T17:30,", "2026-05-06,,2026-05-06T06:00,maintenance"
    of_node = "2026-05-07,,2026-05-07T06:00,maintenance,a"
    (folder / "site.csv").write_text(f"time,cause,end,kind,node\n{outage},\n{stop},\n{of_node}\n")
    scenario = load("replayed.yaml", {"failures.trace.replay.log": "site.csv"})
    assert recorded(scenario) == {"cooling": (Recorded(DAY, -1, 41.5 * HOUR),)}
    assert "strike nothing: 1 planned, of single nodes" in scenario.sources["failures.cooling.replay"]
    assert [(stops.at, stops.lengths) for stops in scenario.maintenance] == [((5 * DAY,), (6 * HOUR,))]


def test_a_planned_stop_without_a_length_is_refused_at_its_line(folder: Path) -> None:
    log = (
        "time,node,end,kind\n2026-05-02,a,2026-05-03,\n2026-05-04,,2026-05-05,planned\n2026-05-06,,,planned\n"
    )
    (folder / "stops.csv").write_text(log)
    with pytest.raises(ScenarioError, match=r"^stops.csv:4: .*a planned stop lasts for a time"):
        load("replayed.yaml", {"failures.trace.replay.log": "stops.csv"})


EVENTS_FROM = "{log: events.txt, timezone: UTC, begin: "
MISTAKES = {
    "{log: events.txt}": 'events.txt:2: failures.trace.replay: column "TimeStart": "2026-04-30T00:00:00" is',
    "{log: events.txt, timezone: UTC}": "events.txt:2: failures.trace.replay: its time is a date; give begin",
    EVENTS_FROM + "2026-05-01}": "events.txt:6: failures.trace.replay: no end is told; say when the log ends",
    EVENTS_FROM + "2027-05-01}": "no failure was observed in the window: the first row is at 2026-04-30T00",
    "{log: events.txt, timezone: Mars}": '"Mars" is no time zone that is known here; give one such as Europe',
    "{log: events.txt, begin: soon}": 'begin "soon" is not understood as a time; give a date',
    "{log: events.txt, begin: 2 d, end: 1 d}": "end 1 d is not after begin 2 d; give the window in which",
    "{log: events.txt, format: sacct}": 'events.txt:1: failures.trace.replay: no column "jobid", which sacct',
    "{log: events.txt, format: pbs}": '"pbs" is not known; allowed are columns, sacctmgr, sacct, incidents',
    "{log: events.txt, columns: {tim: x}}": '"tim" is no column that is read; did you mean "time"?',
    "{log: events.txt, columns: {time: Start}}": 'failures.trace.replay: no column "Start"; there are',
    "{log: []}": "failures.trace.replay.log: a list is empty; give at least one value",
    "{log: gone.csv}": '"gone.csv" does not exist; give a log, its path relative to this file',
    "{log: ../x.csv}": '"../x.csv" is outside the working tree; move it there, or change directory',
    "{begin: 1 d}": "failures.trace.replay.log: missing; give the file, or a list of files that are one log",
    "{file: events.txt}": "failures.trace.replay.file: unknown key; allowed are log, begin, end, timezone",
}


@pytest.mark.parametrize("replay", MISTAKES)
def test_a_log_that_is_said_wrongly_is_refused_with_place_and_remedy(replay: str, folder: Path) -> None:
    with pytest.raises(ScenarioError) as refused:
        load("replayed.yaml", {"failures.trace.replay": replay})
    assert MISTAKES[replay] in str(refused.value)


def test_a_log_is_not_read_without_a_file(folder: Path) -> None:
    document = {**load("replayed.yaml").document, "failures": {"trace": {"replay": {"log": "events.txt"}}}}
    with pytest.raises(ValueError, match="use load or loads"):
        Scenario.model_validate(document)
