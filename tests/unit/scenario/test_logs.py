"""Logs of recorded failures: every column, and a sentence for everything that can be wrong in one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pydantic import TypeAdapter

from clustersim.scenario.keys import logs
from clustersim.scenario.keys.logs import Log, Recorded, Rows, lines_of, read_log

HOUR, DAY = 3600.0, 86_400.0


def rows_of(log: Log) -> list[Recorded]:
    return [entry.row for entry in log.entries]


def test_quantities_carry_their_units() -> None:
    log = read_log("time,node,cause,repair\n3.5 h,12,nic,20 h\n1 d 2 h,,software,\n")
    assert rows_of(log) == [Recorded(3.5 * HOUR, 12, 20 * HOUR), Recorded(26 * HOUR, -1, None)]
    assert [entry.cause for entry in log.entries] == ["nic", "software"]
    assert [entry.line for entry in log.entries] == [2, 3]
    assert log.problems == []


@pytest.mark.parametrize(("unit", "seconds"), [("s", 1.0), ("h", HOUR), ("d", DAY)])
def test_columns_may_carry_the_unit(unit: str, seconds: float) -> None:
    log = read_log(f"repair_{unit},time_{unit},node\n2.5,10,7\n,1e1,8\n")
    assert rows_of(log) == [Recorded(10 * seconds, 7, 2.5 * seconds), Recorded(10 * seconds, 8, None)]


def test_a_log_may_be_as_programs_write_it() -> None:
    log = read_log('time_h, node, cause\r\n1, 12.0, "fan,  rear"\r\n\r\n2,,\r\n')
    assert rows_of(log) == [Recorded(HOUR, 12, None), Recorded(2 * HOUR, -1, None)]
    assert [entry.cause for entry in log.entries] == ["fan, rear", ""]
    assert [entry.line for entry in log.entries] == [2, 4]


def test_whole_seconds_are_written_without_a_point() -> None:
    rows = Rows((Recorded(3600.0, 12, 0.5),))
    assert list(lines_of(rows)) == ["time_s,node,repair_s", "3600,12,0.5"]


SENTENCES = {
    "": "1: is empty; the first line names the columns",
    "\n\n": "1: is empty; the first line names the columns",
    "time_h\n": "1: no rows below the names of the columns; give at least one failure",
    "node\n1\n": '1: no column "time", only "node"; separate the cells by commas, and name the columns',
    "3.5,12\n": '1: no column "time"; there are 3.5, 12; say which it is, --column time=Start '
    "(in a scenario, columns: {time: Start}), or rename it",
    "time_h,nodes\n1,2\n": '1: column "nodes" is not known; did you mean "node"? rename it, or take it out',
    "time_h,time\n1,1 h\n": '1: column "time" is there twice, time_h, time; give one',
    "time_h,node\n1,2\n3\n": "3: 1 cells for 2 columns; give one for each",
    "time\n3.5\n": '2: column "time": 3.5 has no unit; write 3.5 h, or name the column time_h',
    "time\n-3 h\n": '2: column "time": "-3 h" is negative; a duration is',
    "time\n\n2024-05-01 12:00\n": '3: column "time": "2024-05-01 12:00" is a local time without a zone; say',
    "time\n\n2024-05-01 12:00Z\n": "3: its time is a date; say which is the begin of the run: replay: {log",
    "time_h,node,end\n1,3,\n": "2: no end is told; say when the log ends: replay: {log: FILE, end: 30 d}",
    "time_h\n3 h\n": '2: column "time_h": "3 h" is not a plain number; give one such as 3.5, or call it time',
    "time_h\nnan\n": '2: column "time_h": no time is given; a failure needs one',
    "time_h\n-1\n": '2: column "time_h": "-1" is not a plain number',
    "time_d\n1e20\n": '2: column "time_d": "1e20" is longer than 1,000,000,000 years; give',
    "time_h,node\n1,-1\n": '2: column "node": "-1" is not the number of a node; give 0, 1, 2, ..., or leave',
    "time_h,node,repair\n1,2,20\n": '2: column "repair": 20 has no unit; write 20 h, or name the column',
    "time_h,node,repair\n1,2,0 h\n": '2: column "repair": "0 h" is no repair; leave it empty where a restart',
    "time_h,kind\n1,maybe\n": '2: column "kind": "maybe" is neither a failure nor planned; say one of them,',
    "time_h,kind\n1,planned\n": '2: column "kind": a planned stop lasts for a time; give it as the repair',
    "time_h,node,repair_h,kind\n1,0,3,planned\n": '2: column "kind": a planned stop stops the whole job',
    'time_h,cause\n1,"a\n': "2: cannot be read (unexpected end of data); give cells with quotes around",
}


@pytest.mark.parametrize("text", SENTENCES)
def test_what_is_wrong_is_said_with_its_line_column_and_value(text: str) -> None:
    (file, line, sentence), *others = read_log(text).problems
    assert (file, others) == ("", [])
    assert f"{line}: {sentence}".startswith(SENTENCES[text])


def test_other_columns_and_other_cells_between_are_read_too() -> None:
    expected = [Recorded(3 * HOUR, 4, None)]
    assert rows_of(read_log("Time_h;node;severity\r\n3;4;high\r\n")) == expected
    assert rows_of(read_log("time_h\tNODE\n3\t4\n")) == expected


def test_nodes_with_names_are_numbered_in_their_order_behind_those_with_numbers() -> None:
    log = read_log('time_h,node\n1,"gpu-[9-10]"\n2,x\n')
    assert [row.node for row in rows_of(log)] == [0, 1, 2]
    assert log.notes == ["nodes are numbered in the order of their names, gpu-9 is 0 and x is 2"]
    assert [row.node for row in rows_of(read_log("time_h,node\n1,x\n2,5\n3,7.0\n"))] == [8, 5, 7]
    numbers = "time_h,node\n1,0123456789\n2,123456789\n"  # what has more than nine digits is a name
    assert [row.node for row in rows_of(read_log(numbers))] == [123_456_790, 123_456_789]


def test_all_faults_are_found_and_the_rows_beside_them_read() -> None:
    log = read_log("time_h,node\n1,-1\n2,5\n-3,6\n")
    assert [problem.line for problem in log.problems] == [2, 4]
    assert rows_of(log) == [Recorded(2 * HOUR, 5, None)]


def test_the_first_faults_are_enough() -> None:
    problems = read_log("time_h\n" + "x\n" * 1500).problems
    assert [problem.line for problem in problems] == [*range(2, logs.MOST_FAULTS + 2), logs.MOST_FAULTS + 1]
    assert problems[-1].reason == f"{1500 - logs.MOST_FAULTS:,} more lines cannot be read; correct these"


def test_a_log_has_so_many_rows_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "MOST_ROWS", 3)
    assert read_log("time_h\n1\n2\n3\n").problems == []
    (problem,) = read_log("time_h\n1\n2\n3\n4\n5\n").problems
    assert problem[1:] == (5, "more than 3 rows; give the first ones, or fewer causes")


ROWS = st.builds(
    lambda time, node, repair, planned: Recorded(
        time, node, repair, planned and node < 0 and repair is not None
    ),
    st.just(0.0) | st.floats(1e-6, 1e9),
    st.integers(-1, 10_000),
    st.none() | st.floats(1e-3, 1e9),
    st.booleans(),
)


@given(st.lists(ROWS, min_size=1, max_size=20))
def test_rows_as_text_read_back_as_the_same_numbers(rows: list[Recorded]) -> None:
    log = read_log("\n".join(lines_of(Rows(rows))))
    assert log.problems == []
    assert rows_of(log) == rows


@given(st.text())
def test_no_text_is_more_than_a_log_can_say(text: str) -> None:
    log = read_log(text)
    assert log.entries or log.problems


ROW = {"time": "1 s"}


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("x.csv", '"x.csv" is not read here; use load'),
        ({"log": ["x.csv", "y.csv"]}, '"x.csv, y.csv" is not read here; use load'),
        (5, "5 is not a log; give a file such as"),
        ([ROW] * 3, "3 rows, 2 are possible; give fewer"),
    ],
)
def test_a_value_that_is_no_log_is_refused_with_what_it_is(
    value: object, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs, "MOST_ROWS", 2)
    reads = TypeAdapter(logs.Replay).validate_python
    with pytest.raises(ValueError, match=why):
        reads(value)
    assert reads([ROW] * 2) == (Recorded(1, -1, None),) * 2


def test_the_json_schema_takes_the_name_of_a_file_a_log_with_more_words_or_rows() -> None:
    made = TypeAdapter(logs.Replay).json_schema()
    fits = Draft202012Validator(made).is_valid
    assert all(map(fits, ["x", {"log": "x", "begin": "1 d"}, [{"time": "3 h"}]]))
    assert not any(map(fits, ["", 5, True, {"begin": "1 d"}, [{"node": 3}]]))
    # What an editor offers is the file that the errors and the reference name too.
    assert [kind["examples"] for kind in made["anyOf"] if "examples" in kind] == [["logs/incidents.csv"]]
