"""What columns mean: by their own names, by usual ones, as they are told, and by a slip of the pen."""

from __future__ import annotations

import re
from typing import Any

import pytest

from clustersim.logs.columns import LogColumn, layout_of
from clustersim.logs.errors import LogError
from clustersim.logs.files import LogSource, open_table
from clustersim.logs.rows import LogRows, read_rows


def columns(header: str, named: dict[str, str] | None = None, wanted: str | None = None) -> dict[str, Any]:
    """Return the number, name and unit of the column of each role."""
    with open_table(LogSource("log", text=f"{header}\n")) as table:
        layout = layout_of(table, named or {}, wanted, False)
    return {role: tuple(column) for role, column in layout.columns.items()}


def rows(text: str, **settings: Any) -> LogRows:
    return read_rows([LogSource("log", text=text)], **settings)


@pytest.mark.parametrize(
    ("header", "named", "found"),
    [
        ("cause,time", {}, {"time": (1, "time", None), "cause": (0, "cause", None)}),
        ("start,time", {}, {"time": (1, "time", None)}),
        ("Xid,time", {"cause": "Xid"}, {"time": (1, "time", None), "cause": (0, "Xid", None)}),
        ("began,start", {}, {"time": (1, "start", None)}),
        ("Time_min,End-h", {}, {"time": (0, "Time_min", 60.0), "end": (1, "End-h", 3600.0)}),
        ("Time [h]", {}, {"time": (0, "Time [h]", 3600.0)}),
        ("start_time_h", {}, {"time": (0, "start_time_h", 3600.0)}),
        ("time,node_h", {}, {"time": (0, "time", None)}),
        ("time,end,repair", {"end": "end"}, {"time": (0, "time", None), "end": (1, "end", None)}),
        ("end,time,gone_d", {"repair": "Gone-D"},
         {"time": (1, "time", None), "repair": (2, "gone_d", 86400.0)}),
        ("time,Node,x_s", {"cause": "x_s"}, {"time": (0, "time", None), "node": (1, "Node", None),
                                              "cause": (2, "x_s", None)}),
        ("time,failure", {"time": "failure", "cause": "time"},
         {"time": (1, "failure", None), "cause": (0, "time", None)}),
    ],
)  # fmt: skip
def test_a_column_has_one_meaning(header: str, named: dict[str, str], found: dict[str, LogColumn]) -> None:
    """Its own name goes before a usual one; a unit belongs to times alone; who names one decides."""
    assert columns(header, named) == found


@pytest.mark.parametrize(
    ("header", "named", "wanted", "says"),
    [
        (
            "time,x",
            {"when": "x"},
            None,
            '"when" is no column that is read; there are time, node, cause, repair',
        ),
        ("time,x", {"node": "y"}, None, 'log:1: no column "y"; there are time, x'),
        ("time,Time", {}, None, 'column "time" is there twice; give one'),
        ("time_h,time_s", {}, None, 'column "time" is there twice, time_h, time_s; give one'),
        ("x", {}, None, 'no column "time", only "x"; separate the cells by commas'),
        (
            ",".join(f"x{n}" for n in range(21)),
            {},
            None,
            "x18, x19, ...; say which it is, --column time=Start",
        ),
        (",".join(f"x{n}" for n in range(20)), {}, None, "x18, x19; say which it is, --column time=Start"),
        (",,", {}, None, 'no column "time"; the first line names the columns; say which it is'),
        (
            "nodename,timestart,state",
            {},
            "sacctmgr",
            'no column "timeend", which sacctmgr has; export it too',
        ),
    ],
)
def test_columns_that_cannot_be_read_are_refused(
    header: str, named: dict[str, str], wanted: str | None, says: str
) -> None:
    with pytest.raises(LogError, match=re.escape(says)):
        columns(header, named, wanted)


def test_a_format_is_seen_by_all_columns_that_it_needs() -> None:
    events = "Reason,NodeName,TimeStart,TimeEnd,State"
    assert {role: each[0] for role, each in columns(events).items()} == {
        "node": 1, "time": 2, "end": 3, "state": 4, "cause": 0
    }  # fmt: skip
    assert set(columns("NodeName,TimeStart,TimeEnd,Reason")) == {"time", "node", "end", "cause"}
    assert set(columns(events, {"time": "TimeStart"})) == {"time", "node", "end", "cause"}
    assert set(columns("jobidraw,end,state", None, "sacct")) == {"job", "time", "state"}


@pytest.mark.parametrize(
    ("header", "says"),
    [
        ("time_h,nod", 'column "nod" is not known; did you mean "node"?'),
        ("time_h,casue", 'column "casue" is not known; did you mean "cause"?'),
        ("time_h,repiar_h", 'column "repiar_h" is not known; did you mean "repair_h"?'),
        ("time_h,repar_h", 'column "repar_h" is not known; did you mean "repair_h"?'),
        ("time_h,node,nod", ""),
        ("time_h,end,repiar", ""),
        ("time_h,weather", ""),
    ],
)
def test_nearly_the_name_of_a_missing_column_is_a_slip_where_that_is_asked(header: str, says: str) -> None:
    text = f"{header}\n" + ",".join("3" for _ in header.split(",")) + "\n"
    if says:
        with pytest.raises(LogError, match=re.escape(says)) as refused:
            rows(text, strict=True)
        assert len(refused.value.problems) == 1
    assert len(rows(text)) + rows(text).counts["not_understood"] == 1
    if not says:
        assert rows(text, strict=True).total == 1


def test_all_slips_are_told_at_once() -> None:
    with pytest.raises(LogError) as refused:
        rows("time_h,nod,casue\n", strict=True)
    assert [problem.line for problem in refused.value.problems] == [1, 1]


def test_rows_of_texts_are_numbers() -> None:
    """Three nodes of two rows; the second row has no cause, and an end of its own."""
    read = rows('time_h,node,cause,repair_h,kind\n1,"a,b",x,2,\n3,a,,,planned\n')
    assert (read.time_s.tolist(), read.row.tolist()) == ([3600, 3600, 10800], [0, 0, 1])
    assert (read.node.tolist(), read.names) == ([0, 1, 0], ["a", "b"])
    assert (read.cause.tolist(), read.causes) == ([0, 0, 1], ["x", ""])
    assert read.away_s.tolist()[:2] == [7200, 7200]
    assert read.away_s[2] != read.away_s[2]
    assert (read.line.tolist(), read.planned.tolist()) == ([2, 2, 3], [0, 0, 1])
    assert (read.dated.tolist(), read.file.tolist(), read.total) == ([0, 0, 0], [0, 0, 0], 2)
    assert read.has_ends
    assert not rows("time_h\n1\n").has_ends


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("# by hand\ntime_h,cause\n1,a\n# more\n\n2,b\n", [3, 6]),
        ('time_h,cause\n1,"a\nb"\n2,c\n', [2, 4]),
        ("sep=;\n\ntime_h;cause\n1;a\n", [4]),
        ("time_h,cause,,\n1,a,,\n,,,\n2,b\n", [2, 4]),
    ],
)
def test_a_row_knows_its_line(text: str, lines: list[int]) -> None:
    assert rows(text).line.tolist() == lines


def test_of_several_files_each_has_its_notes_and_its_part_of_the_bytes() -> None:
    told: list[tuple[int, int]] = []
    sources = [LogSource(name, text=f"began,{name}\n") for name in ("one", "two", "three")]
    read = read_rows(sources, progress=lambda done, size: told.append((done, size)))
    assert read.notes == [
        f"{name}: {says}"
        for name in ("one", "two", "three")
        for says in ('column "began" is read as the time', f"columns that are not read: {name}")
    ]
    assert told == [(10, 32), (20, 32), (32, 32)]


def test_rows_name_so_many_failures_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    log = "time_h;node\n1;a[1-2]\n2;b\n"
    monkeypatch.setattr("clustersim.logs.rows.MOST_ROWS", 3)
    assert len(rows(log)) == 3
    monkeypatch.setattr("clustersim.logs.rows.MOST_ROWS", 2)
    with pytest.raises(LogError, match=r"^log: more than 2 failures; give a part, such as one year$"):
        rows(log)
