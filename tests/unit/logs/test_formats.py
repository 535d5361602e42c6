"""Logs that other programs write, and real ones: Slurm's events and jobs, a run's incidents, the cases."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from clustersim import run
from clustersim.logs import History, LogError, files, read_history
from clustersim.scenario import loads

HOUR, DAY = 3600.0, 86_400.0
ABOVE = Path(__file__).resolve().parents
SHARED = next((folder / "shared" for folder in ABOVE if (folder / "shared").is_dir()), Path("nowhere"))
CASES, DATA = SHARED / "cases", SHARED / "data"
RUN = """
name: logged
cluster: {gpus: 64, spares: 2}
failures: {node: {per: node, mtbf: 20 d, repair: 12 h}, software: {per: job, mtbf: 3 d}}
checkpoint: {interval: 1 h, blocks: 10 s}
simulation: {horizon: 30 d, replications: 2}
"""
WINDOW = {"begin": "2026-05-01", "end": "2026-06-01", "nodes": 20, "timezone": "Europe/Berlin"}
EVENTS = """\
Cluster|NodeName|TimeStart|TimeEnd|State|Reason|User
big||2026-05-01T00:00:00|2026-05-03T00:00:00|||
big|gpu-1|2026-05-02T00:00:00|2026-05-02T06:00:00|DOWN*|Not responding [slurm@2026-05-02T00:00:00]|slurm
big|gpu-2|2026-05-02T12:00:00|Unknown|drain|"xid79" fell off|root(0)
big|gpu-3|2026-05-04T00:00:00|2026-05-04T08:00:00|drain|monthly maintenance|root(0)
big|gpu-4|2026-05-04T00:00:00|2026-05-04T08:00:00|MAINT||root(0)
big|gpu-5|2026-05-04T00:00:00|2026-05-04T08:00:00|POWERED_DOWN~||root(0)
"""
JOBS = """\
JobID|NodeList|Start|End|State|Reason
1|gpu-[1-2]|2026-05-01T00:00:00|2026-05-02T00:00:00|NODE_FAIL|None
2|gpu-3|2026-05-01T00:00:00|2026-05-03T00:00:00|FAILED|xid79
2.batch|gpu-3|2026-05-01T00:00:00|2026-05-03T00:00:00|FAILED|
3|gpu-4|2026-05-01T00:00:00|2026-05-04T00:00:00|COMPLETED|None
3.0|gpu-4|2026-05-01T00:00:00|2026-05-04T00:00:00|COMPLETED|
4|gpu-5|2026-05-01T00:00:00|2026-05-04T00:00:00|CANCELLED by 1000|None
5|gpu-6|2026-05-05T00:00:00|Unknown|RUNNING|None
6|None assigned|Unknown|Unknown|PENDING|Priority
"""


def history(folder: Path, log: str, **settings: Any) -> History:
    (folder / "export.txt").write_text(log)
    return read_history([folder / "export.txt"], **(WINDOW | settings))


def counted(read: History) -> dict[str, int]:
    return {name: count for name, count in read.rows.items() if count}


def test_events_of_slurm_are_recognised_and_announced(tmp_path: Path) -> None:
    read = history(tmp_path, EVENTS)
    assert counted(read) == {"total": 6, "used": 1, "open": 1, "planned": 2, "no_failure": 2}
    assert read.causes == ("Not responding", '"xid79" fell off')
    assert read.names == ("gpu-1", "gpu-2")
    assert read.end_s[0] - read.time_s[0] == 6 * HOUR
    assert any("events of nodes from Slurm's `sacctmgr show event -P`" in note for note in read.notes)


def test_an_event_without_a_node_is_no_failure(tmp_path: Path) -> None:
    log = "NodeName|TimeStart|TimeEnd|State|Reason\n|2026-05-02|2026-05-03|DOWN|slurmctld\n"
    assert counted(history(tmp_path, log)) == {"total": 1, "no_failure": 1}


def test_a_state_of_a_job_that_is_unknown_is_said_with_its_column(tmp_path: Path) -> None:
    (problem,) = history(tmp_path, "JobID|End|State\n1|2026-05-02|LOST\n").problems
    assert problem.reason.startswith('column "State": "LOST" is no state of a job that Slurm knows')


def test_jobs_of_slurm_fail_at_their_end(tmp_path: Path) -> None:
    read = history(tmp_path, JOBS)
    assert counted(read) == {"total": 8, "used": 2, "merged": 1, "no_failure": 5}
    assert (read.time_s / DAY).tolist() == [1.0, 2.0]
    assert read.causes == ("NODE_FAIL", "xid79")
    assert [read.names[node] if node >= 0 else "" for node in read.node] == ["", "gpu-3"]
    assert any("1 failed job ran on several nodes" in note for note in read.notes)


def test_a_format_may_be_named_and_has_to_fit(tmp_path: Path) -> None:
    with pytest.raises(LogError, match='no column "jobid", which sacct has'):
        history(tmp_path, EVENTS, format="sacct")
    with pytest.raises(
        LogError, match='"pbs" is no format that is known; there are columns, sacctmgr, sacct'
    ):
        history(tmp_path, EVENTS, format="pbs")
    as_columns = history(tmp_path, EVENTS, format="columns")
    assert as_columns.rows["total"] == 6
    assert as_columns.rows["used"] == 6 - as_columns.rows["open"]


def test_columns_that_are_named_are_read_as_they_are_named(tmp_path: Path) -> None:
    named = {"time": "Start", "end": "End", "node": "NodeList", "cause": "Reason"}
    read = history(tmp_path, "".join(JOBS.splitlines(True)[:3]), columns=named)
    assert (read.time_s.tolist(), read.names) == ([0.0, 0.0, 0.0], ("gpu-1", "gpu-2", "gpu-3"))


def test_a_run_of_the_simulator_is_a_log(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {
            "replication": [0, 0, 0, 1],
            "time_s": [100.0, 7200.5, 9000.0, 50.0],
            "mode": pd.Categorical(["gpu", "software", "gpu", "gpu"]),
            "node": [3, -1, 12, 5],
            "interruption": [True, True, False, True],
            "nodes_lost": [1, 0, 1, 1],
            "back_s": [500.0, np.nan, np.nan, 60.0],
        }
    )
    frame.to_parquet(tmp_path / "incidents.parquet")
    read = read_history([tmp_path / "incidents.parquet"], begin="0 s", end="1 d", nodes=20)
    assert counted(read) == {"total": 4, "used": 2, "open": 1, "outside": 1}
    assert read.time_s.tolist() == [100.0, 7200.5, 9000.0]
    assert (read.node.tolist(), read.names, read.causes) == ([0, -1, 1], ("3", "12"), ("gpu", "software"))
    assert read.has_ends
    assert read.end_s[0] == 500.0
    assert np.isnan(read.end_s[1])
    assert np.isinf(read.end_s[2])


def test_incidents_of_a_run_are_read_as_they_happened(tmp_path: Path) -> None:
    results = run(loads(RUN), workers=1)
    results.save(tmp_path / "run")
    read = read_history(
        [tmp_path / "run" / "incidents.parquet"], begin="0 s", end="30 d", nodes=10, merge_s=0
    )
    happened = results.incidents.query("replication == 0")
    assert read.rows["outside"] == len(results.incidents) - len(happened) > 0
    assert read.time_s.tolist() == happened["time_s"].tolist()
    names = [int(read.names[node]) if node >= 0 else -1 for node in read.node]
    assert names == happened["node"].tolist()
    still = (happened["nodes_lost"] > 0) & (happened["back_s"].isna() | (happened["back_s"] > 30 * DAY))
    assert np.isinf(read.end_s).tolist() == still.tolist()


needs_cases = pytest.mark.skipif(not CASES.is_dir(), reason="the folder of cases is not here")
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="the folder of data is not here")


@needs_cases
def test_an_extract_of_accounting_is_two_failed_jobs() -> None:
    file = CASES / "planner-slurm-extract.csv"
    with pytest.raises(LogError, match=r"extract.csv:2: .* is a local time without a zone"):
        read_history([file], begin="2026-05-01T00:00Z", end="2026-06-01T00:00Z", nodes=64)
    read = read_history([file], **(WINDOW | {"nodes": 64}))
    assert counted(read) == {"total": 2, "used": 2}
    assert read.causes == ("xid79", "ecc")
    assert (read.time_s / HOUR).tolist() == [5.5, 98.0]
    assert [read.names[node] if node >= 0 else "" for node in read.node] == ["", "gpu-007"]


@needs_cases
@pytest.mark.parametrize(
    ("number", "times_h", "ends_h", "nodes", "causes"),
    [
        (4, [10], [111], ["0"], ("failure",)),
        (7, [30], [71.5], [""], ("cooling",)),
        (8, [3, 9], [23, 12], ["1", "3"], ("显卡掉线", "网卡故障")),
    ],
)
def test_cases_from_the_field_come_out_as_a_person_reads_them(
    number: int, times_h: list[float], ends_h: list[float], nodes: list[str], causes: tuple[str, ...]
) -> None:
    read = read_history(list(CASES.glob(f"field-{number}-*.csv")), begin="0 d", end="10 d", nodes=16)
    assert (read.time_s / HOUR).tolist() == times_h
    assert (read.end_s / HOUR).tolist() == ends_h
    assert [read.names[node] if node >= 0 else "" for node in read.node] == nodes
    assert read.causes == causes


@needs_data
def test_a_trace_of_400_nodes_is_read_as_it_is() -> None:
    named = {"cause": "class"}
    read = read_history(
        [DATA / "infinitehbd_node_faults.csv"],
        begin="0 d",
        end="348.98 d",
        nodes=400,
        columns=named,
        merge_s=0,
    )
    assert counted(read) == {"total": 584, "used": 582, "inside_absence": 2}
    assert read.nodes == 400
    assert len(read.names) == 231
    assert read.node_days == pytest.approx(400 * 348.98)


@needs_data
@pytest.mark.parametrize(
    ("file", "named", "rows"),
    [
        ("glm130b_restarts.csv", {"time": "relaunch_utc"}, {"used": 11, "planned": 8}),
        ("bloom176b_interruptions.csv", {}, {"used": 4, "planned": 7}),
        ("idefics80b_restarts.csv", {}, {"used": 3, "no_failure": 2}),
    ],
)
def test_restarts_of_jobs_are_failures_and_planned_stops(
    file: str, named: dict[str, str], rows: dict[str, int]
) -> None:
    read = read_history(
        [DATA / file], begin="2022-01-01", end="2024-01-01", nodes=96, timezone="UTC", columns=named
    )
    assert {name: read.rows[name] for name in rows} == rows
    assert all(
        "is neither a failure nor planned" in str(each) or "no time" in str(each) for each in read.problems
    )


def test_a_parquet_file_of_very_many_rows_is_refused_by_its_footer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    column = pa.array([0] * 1_000_000, pa.int8())
    with pq.ParquetWriter(tmp_path / "huge.parquet", pa.schema([("time", pa.int8())])) as writer:
        for _ in range(60):
            writer.write_table(pa.table({"time": column}))
    monkeypatch.setattr(pq.ParquetFile, "iter_batches", lambda *_, **__: pytest.fail("rows are read"))
    with pytest.raises(LogError, match="60,000,000 rows, 5,000,000 are possible; give a part"):
        read_history([tmp_path / "huge.parquet"], begin="0 d", end="1 d", nodes=1)


def test_nested_columns_are_refused_only_where_they_are_needed(tmp_path: Path) -> None:
    pq.write_table(pa.table({"time": ["1 h"], "node": [["a", "b"]]}), tmp_path / "nested.parquet")
    with pytest.raises(LogError, match=r'nested.parquet: column "node" holds list'):
        read_history([tmp_path / "nested.parquet"], begin="0 d", end="1 d", nodes=1)
    pq.write_table(pa.table({"time": ["1 h"], "more": [["a", "b"]]}), tmp_path / "nested.parquet")
    assert read_history([tmp_path / "nested.parquet"], begin="0 d", end="1 d", nodes=1).rows["used"] == 1


def test_long_texts_that_all_rows_share_are_kept_once(tmp_path: Path) -> None:
    """A megabyte of reason in each of 50,000 rows, 50 GB as texts, is a file of some kilobytes."""
    long = pa.DictionaryArray.from_arrays(pa.array([0] * 50_000, pa.int32()), pa.array(["x" * 1_000_000]))
    pq.write_table(pa.table({"time_h": pa.array(range(50_000)), "cause": long}), tmp_path / "long.parquet")
    read = read_history([tmp_path / "long.parquet"], begin="0 h", end="50000 h", nodes=1)
    assert read.rows["used"] == 50_000
    assert read.causes == ("x" * 1_000_000,)


@pytest.mark.parametrize(("most", "rows"), [(15, 16), (15, 25), (20, 21)])
def test_a_log_has_so_many_rows_at_most(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most: int, rows: int
) -> None:
    """Of more, no block is given behind the last that is whole."""
    monkeypatch.setattr(files, "BLOCK", 10)
    monkeypatch.setattr(files, "MOST_ROWS", most)
    told: list[int] = []
    with pytest.raises(LogError, match=f"export.txt: more than {most} rows; give a part"):
        history(tmp_path, "time_h\n" + "1\n" * rows, progress=lambda done, _: told.append(done))
    assert len(told) == most // 10
    assert history(tmp_path, "time_h\n" + "1\n" * most).rows["total"] == most


def test_of_lines_that_are_no_rows_the_first_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MOST_PROBLEMS", 2)
    with files.open_table(files.LogSource("log", text="time,node\n1\n2\n3\n")) as table:
        assert [block.lines for block in table.blocks([0])] == [[]]
    assert ([each.line for each in table.bad], table.bad_lines) == ([2, 3], 3)


@pytest.mark.parametrize(
    ("limit", "length", "says"),
    [
        ("MOST_COLUMNS", 2, "log:2: 2 columns, 1 are possible"),
        ("LONGEST_LINE", 11, "log:2: a line of more than 10 characters; give a table"),
    ],
)
def test_a_text_is_so_wide_at_most(
    monkeypatch: pytest.MonkeyPatch, limit: str, length: int, says: str
) -> None:
    source = files.LogSource("log", text="\ntime_h,why\n")
    for most in (length, length - 1):
        monkeypatch.setattr(files, limit, most)
        if most < length:
            with pytest.raises(LogError, match=says), files.open_table(source):
                pass
        else:
            with files.open_table(source) as table:
                assert table.names == ["time_h", "why"]


@pytest.mark.parametrize("above", ["", "# exported by hand\n"])
def test_a_byte_order_mark_is_no_part_of_a_name(above: str) -> None:
    with files.open_table(files.LogSource("log", text=f"{above}\ufefftime,node\n")) as table:
        assert table.names == ["time", "node"]


def test_progress_is_told_in_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "BLOCK", 10)
    told: list[tuple[int, int]] = []
    history(tmp_path, "time_h\n" + "1\n" * 25, progress=lambda done, size: told.append((done, size)))
    done = [bytes_read for bytes_read, _ in told]
    assert done == [27, 47, 57]
    assert {size for _, size in told} == {57}


def test_columns_of_a_parquet_file_are_read_as_their_texts(tmp_path: Path) -> None:
    """Numbers of nodes beside empty cells are written with a point, times in any zone are the same."""
    when = pd.to_datetime(["2026-05-02T00:00", "2026-05-03T00:00", None]).tz_localize("Europe/Berlin")
    frame = pd.DataFrame({"time": when, "node": [12.0, np.nan, 3.0], "repair_h": [1.5, np.nan, 2.0]})
    frame["cause"] = pd.Categorical([" gpu ", None, "gpu"])
    frame.to_parquet(tmp_path / "log.parquet")
    read = read_history([tmp_path / "log.parquet"], **WINDOW)
    assert (read.time_s / DAY).tolist() == [1.0, 2.0]
    assert [read.names[node] if node >= 0 else "" for node in read.node] == ["12", ""]
    assert [read.causes[cause] for cause in read.cause] == ["gpu", "unknown"]
    assert read.end_s[0] - read.time_s[0] == 1.5 * HOUR
    assert [str(problem) for problem in read.problems] == [
        f'{tmp_path / "log.parquet"}:3: column "time": no time is given; a failure needs one'
    ]


def test_no_value_in_a_column_of_whole_numbers_is_an_empty_cell(tmp_path: Path) -> None:
    pq.write_table(pa.table({"time_h": [1, 2], "node": [7, None]}), tmp_path / "log.parquet")
    read = read_history([tmp_path / "log.parquet"], begin="0 d", end="1 d", nodes=2)
    assert (read.node.tolist(), read.names[:1], read.rows["used"]) == ([0, -1], ("7",), 2)


def test_numbers_of_a_parquet_file_that_a_float_holds_as_wholes_are_written_so(tmp_path: Path) -> None:
    """Each of 15 digits is a float of its own, of more they are not."""
    codes = [79.0, 0.5, -3.0, 999_999_999_999_999.0, 1e15]
    pq.write_table(pa.table({"time_h": [1, 2, 3, 4, 5], "cause": codes}), tmp_path / "log.parquet")
    read = read_history([tmp_path / "log.parquet"], begin="0 d", end="1 d", nodes=1)
    assert read.causes == ("79", "0.5", "-3", "999999999999999", "1000000000000000.0")


def test_local_times_of_a_parquet_file_need_a_zone(tmp_path: Path) -> None:
    pd.DataFrame({"time": pd.to_datetime(["2026-05-02T00:00"])}).to_parquet(tmp_path / "log.parquet")
    read = read_history([tmp_path / "log.parquet"], **WINDOW)
    assert read.time_s.tolist() == [DAY]
    with pytest.raises(LogError, match=r"log.parquet:1: .* is a local time without a zone"):
        read_history([tmp_path / "log.parquet"], begin="2026-05-01T00:00Z", end="2026-06-01T00:00Z", nodes=1)


def test_blocks_of_a_parquet_file_go_on_counting_its_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "BLOCK", 10)
    monkeypatch.setattr(files, "MOST_ROWS", 25)
    cells = [f"{number} h" for number in range(25)]
    cells[3] = cells[23] = "soon"
    pq.write_table(pa.table({"time": cells}), tmp_path / "log.parquet")
    told: list[tuple[int, int]] = []
    read = read_history(
        [tmp_path / "log.parquet"], begin="0 d", end="9 d", nodes=1, merge_s=0,
        progress=lambda done, size: told.append((done, size)),
    )  # fmt: skip
    assert [problem.line for problem in read.problems] == [4, 24]
    assert (read.rows["total"], read.rows["used"]) == (25, 23)
    size = (tmp_path / "log.parquet").stat().st_size
    assert told == [(-(-size * part // 25), size) for part in (10, 20, 25)]


@pytest.mark.parametrize("rows", [0, 1])
def test_a_parquet_file_of_hardly_a_row_is_read_to_its_end(tmp_path: Path, rows: int) -> None:
    pq.write_table(pa.table({"time": pa.array(["1 h"] * rows, pa.string())}), tmp_path / "log.parquet")
    told: list[tuple[int, int]] = []
    read = read_history(
        [tmp_path / "log.parquet"], begin="0 d", end="1 d", nodes=1,
        progress=lambda done, size: told.append((done, size)),
    )  # fmt: skip
    size = (tmp_path / "log.parquet").stat().st_size
    assert (read.rows["total"], told) == (rows, [(size, size)] * rows)


def test_a_parquet_file_that_is_damaged_within_is_refused_from_the_block_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "BLOCK", 10)
    file = tmp_path / "log.parquet"
    pq.write_table(pa.table({"time": [f"{number} h" for number in range(30)]}), file, row_group_size=10)
    second = pq.read_metadata(file).row_group(1).column(0)
    begin = second.dictionary_page_offset
    content = bytearray(file.read_bytes())
    content[begin : begin + second.total_compressed_size] = b"\xff" * second.total_compressed_size
    file.write_bytes(content)
    with pytest.raises(LogError, match=r"log.parquet:11: cannot be read \((?!None)[^()]+\); export it anew$"):
        read_history([file], begin="0 d", end="2 d", nodes=1)


def test_what_is_wrong_with_the_columns_of_a_parquet_file_has_no_line(tmp_path: Path) -> None:
    pq.write_table(pa.table({"node": ["a"]}), tmp_path / "log.parquet")
    with pytest.raises(LogError, match=r'log.parquet: no column "time"'):
        read_history([tmp_path / "log.parquet"], begin="0 d", end="1 d", nodes=1)


def test_equal_texts_of_a_parquet_file_are_one(tmp_path: Path) -> None:
    pq.write_table(pa.table({"cause": ["fell off the bus"] * 3}), tmp_path / "log.parquet")
    with files.open_table(files.LogSource("log", tmp_path / "log.parquet")) as table:
        ((texts,),) = (block.cells for block in table.blocks([0]))
    assert texts[0] is texts[1] is texts[2]


def test_a_parquet_file_of_a_row_too_many_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MOST_ROWS", 24)
    pq.write_table(pa.table({"time_h": range(25)}), tmp_path / "log.parquet")
    with pytest.raises(LogError, match=r"log.parquet: 25 rows, 24 are possible; give a part, such as one"):
        read_history([tmp_path / "log.parquet"], begin="0 d", end="2 d", nodes=1)


def test_a_parquet_file_has_so_many_columns_at_most(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pq.write_table(pa.table({"time": ["1 h"], "x": [1], "y": [2]}), tmp_path / "log.parquet")
    monkeypatch.setattr(files, "MOST_COLUMNS", 3)
    assert read_history([tmp_path / "log.parquet"], begin="0 d", end="1 d", nodes=1).rows["used"] == 1
    monkeypatch.setattr(files, "MOST_COLUMNS", 2)
    with pytest.raises(LogError, match=r"log.parquet: 3 columns, 2 are possible"):
        read_history([tmp_path / "log.parquet"], begin="0 d", end="1 d", nodes=1)


@pytest.mark.parametrize(
    ("kind", "word"),
    [
        (pa.binary(), "binary"),
        (pa.duration("s"), "duration"),
        (pa.dictionary(pa.int32(), pa.binary()), "binary"),
    ],
)
def test_columns_that_hold_neither_text_nor_number_nor_time_are_refused(
    tmp_path: Path, kind: pa.DataType, word: str
) -> None:
    column = pa.array([None], kind)
    pq.write_table(pa.table({"time": column}), tmp_path / "log.parquet")
    with pytest.raises(LogError, match=f'column "time" holds {word}'):
        read_history([tmp_path / "log.parquet"], begin="0 d", end="1 d", nodes=1)


def test_an_event_without_a_reason_is_called_by_its_state_without_flags(tmp_path: Path) -> None:
    log = "NodeName|TimeStart|TimeEnd|State|Reason\n"
    for day, flags in enumerate(["*", "~", "#", "!", "%", "$", "@", "^", "-", "*$"], 2):
        log += f"a|2026-05-{day:02d}|2026-05-{day:02d}T01:00|DOWN{flags}|\n"
    assert history(tmp_path, log).causes == ("DOWN",)


def test_reasons_for_which_a_job_has_waited_are_no_causes(tmp_path: Path) -> None:
    """The cause is the reason without its stamp, or else the state."""
    log = "JobID|End|State|Reason\n"
    for number, (state, reason) in enumerate(
        [
            ("FAILED", "Priority"),
            ("NODE_FAIL*", "n/a"),
            ("FAILED", "xid 79 [root@2026-05-01]"),
            ("OOM", "Own"),
        ]
    ):
        log += f"{number}|2026-05-0{number + 2}|{state.rstrip('*')}|{reason}\n"
    assert history(tmp_path, log).causes == ("FAILED", "NODE_FAIL", "xid 79", "Own")


def test_two_failed_jobs_on_several_nodes_are_counted(tmp_path: Path) -> None:
    log = "JobID|NodeList|End|State\n1|a[1-2]|2026-05-02|FAILED\n2|a[1-2]|2026-05-03|F\n3|a1|2026-05-04|F\n"
    read = history(tmp_path, log)
    assert any("2 failed jobs ran on several nodes; which of them" in note for note in read.notes)
    assert [read.names[node] if node >= 0 else "" for node in read.node] == ["", "", "a1"]


def test_failures_of_jobs_of_which_no_node_is_known_are_of_one_place(tmp_path: Path) -> None:
    log = "JobID|NodeList|End|State\n"
    for minute, nodes in enumerate(["a[1-2]", "None assigned", ""]):
        log += f"{minute}|{nodes}|2026-05-02T00:0{minute}|FAILED\n"
    assert counted(history(tmp_path, log)) == {"total": 3, "used": 1, "merged": 2}


def test_of_a_run_the_first_replication_is_read_and_the_others_are_counted(tmp_path: Path) -> None:
    """A row that lost no node is a restart; node -1 is none, and a lost node without an end is not back."""
    log = (
        "replication,time_s,mode,node,nodes_lost,back_s\n"
        "0,100,a,2,1,\n0,200,a,3,0,\n0,300,b,-1,0,\n1,100,a,1,1,\n2,100,a,1,1,\n"
    )
    (tmp_path / "run.csv").write_text(log)
    read = read_history([tmp_path / "run.csv"], begin="0 s", end="1 h", nodes=5)
    assert counted(read) == {"total": 5, "used": 2, "open": 1, "outside": 2}
    assert any("replication 0 of 3 is read, the others lie outside" in note for note in read.notes)
    assert np.isinf(read.end_s).tolist() == [True, False, False]
    assert [read.names[node] if node >= 0 else "" for node in read.node] == ["2", "3", ""]
