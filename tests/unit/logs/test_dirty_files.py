"""Dirty logs, one wart each: what can be read is counted, what cannot is refused with line and remedy."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest

from clustersim.logs import History, LogError, read_history
from clustersim.logs.history import ROWS, TOTAL

HOUR, DAY = 3600.0, 86_400.0
WINDOW = {"begin": "2026-05-01", "end": "2026-06-01", "nodes": 20, "timezone": "UTC"}
CLEAN = """\
time,node,cause,end
2026-05-01T03:30:00,gpu-012,nic,2026-05-01T23:30:00
2026-05-02T02:00:00,gpu-007,gpu,2026-05-05T02:00:00
2026-05-02T09:00:00,,software,
"""


def history(folder: Path, content: str | bytes, **settings: Any) -> History:
    file = folder / "log.csv"
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_history([file], **(WINDOW | settings))


def facts(read: History) -> tuple[Any, ...]:
    """Return all of a history that a fit sees."""
    causes = [read.causes[cause] for cause in read.cause]
    nodes = [read.names[node] if node >= 0 else "" for node in read.node]
    ends = np.nan_to_num(read.end_s, nan=-1.0).tolist()
    return read.time_s.tolist(), ends, nodes, causes, read.window_s, dict(read.rows)


DRESSES: dict[str, str | bytes] = {
    "a byte order mark": b"\xef\xbb\xbf" + CLEAN.encode(),
    "line ends of Windows": CLEAN.replace("\n", "\r\n"),
    "line ends of the old Macintosh": CLEAN.replace("\n", "\r"),
    "no line end at the end": CLEAN.rstrip("\n"),
    "semicolons": CLEAN.replace(",", ";"),
    "tabs": CLEAN.replace(",", "\t"),
    "bars": CLEAN.replace(",", "|"),
    "bars at the ends of lines": CLEAN.replace(",", "|").replace("\n", "|\n"),
    "bars and blanks at the ends of lines": CLEAN.replace(",", "|").replace("\n", "| \n"),
    "a line for Excel": "sep=;\n" + CLEAN.replace(",", ";"),
    "a line for Excel, blanks behind it, and a comment": "sep=|  \n# by hand\n" + CLEAN.replace(",", "|"),
    "a line for Excel, a tab behind it": "sep=;\t\n" + CLEAN.replace(",", ";"),
    "a line for Excel with a tab": "SEP=\t\r\n" + CLEAN.replace(",", "\t"),
    "UTF-16": CLEAN.encode("utf-16"),
    "names in capitals": CLEAN.replace("time,node,cause,end", "TIME,Node,Cause,END"),
    "names with spaces": CLEAN.replace("time,node,cause,end", " time , node , cause , end "),
    "usual names": CLEAN.replace("time,node,cause,end", "Start Time,hostname,Reason,End-Time"),
    "columns in another order": "cause,end,time,node\n"
    "nic,2026-05-01T23:30:00,2026-05-01T03:30:00,gpu-012\n"
    "gpu,2026-05-05T02:00:00,2026-05-02T02:00:00,gpu-007\n"
    "software,,2026-05-02T09:00:00,\n",
    "rows in another order": "".join(CLEAN.splitlines(True)[:1] + CLEAN.splitlines(True)[:0:-1]),
    "quotes around all": '"' + CLEAN.strip().replace(",", '","').replace("\n", '"\n"') + '"\n',
    "quotes behind spaces": "".join(f'"{line}"\n'.replace(",", '", "') for line in CLEAN.splitlines()),
    "spaces behind commas": CLEAN.replace(",", ", "),
    "more columns": "".join(f"{line},x{number}\n" for number, line in enumerate(CLEAN.splitlines())),
    "comments": "  # exported by hand\n" + CLEAN.replace("2026-05-02T09", "# a comment\n2026-05-02T09"),
    "empty lines": CLEAN.replace("\n", "\n\n"),
    "lines of commas alone": CLEAN + ",,,\n,,\n",
    "lines of blanks between bars": (CLEAN + " , , , \n , \n").replace(",", "|"),
    "NaN for nothing": CLEAN.replace(",,software,\n", ",NaN,software,nan\n"),
    "NA for nothing": CLEAN.replace(",,software,\n", ",NA,software,N/A\n"),
    "null for nothing": CLEAN.replace(",,software,\n", ",null,software,None\n"),
    "dates with a space": CLEAN.replace("T0", " 0").replace("T2", " 2"),
    "dates with slashes": CLEAN.replace("2026-05-", "2026/05/").replace("T", " "),
    "dates in UTC": CLEAN.replace(":00,", ":00Z,").replace(":00\n", ":00Z\n"),
    "dates with an offset": CLEAN.replace("2026-05-01T03:30:00", "2026-05-01T11:30:00+08:00"),
    "dates with an offset of four digits": CLEAN.replace("2026-05-01T03:30:00", "2026-05-01 05:30:00 +0200"),
    "seconds since 1970": CLEAN.replace("2026-05-01T03:30:00", "1777606200"),
    "milliseconds since 1970": CLEAN.replace("2026-05-01T03:30:00", "1777606200000"),
    "seconds as a float": CLEAN.replace("2026-05-01T03:30:00", "1777606200.0"),
    "times from the start": CLEAN.replace("2026-05-01T03:30:00", "3.5 h").replace(
        "2026-05-01T23:30:00", "23.5 h"
    ),
    "a host list of one": CLEAN.replace("gpu-007", "gpu-[007]"),
}


@pytest.mark.parametrize("dress", DRESSES)
def test_the_same_content_in_another_dress_is_the_same_history(dress: str, tmp_path: Path) -> None:
    assert facts(history(tmp_path, DRESSES[dress])) == facts(history(tmp_path, CLEAN))


def test_parquet_is_one_more_dress(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {
            "time": pd.to_datetime(["2026-05-01T03:30Z", "2026-05-02T02:00Z", "2026-05-02T09:00Z"]),
            "node": pd.Categorical(["gpu-012", "gpu-007", None]),
            "cause": ["nic", "gpu", "software"],
            "end": pd.to_datetime(["2026-05-01T23:30Z", "2026-05-05T02:00Z", None]),
            "load": [0.5, np.nan, 1.0],
        }
    )
    frame.to_parquet(tmp_path / "log.parquet")
    assert facts(read_history([tmp_path / "log.parquet"], **WINDOW)) == facts(history(tmp_path, CLEAN))


def test_several_files_are_one_log(tmp_path: Path) -> None:
    head, *rows = CLEAN.splitlines(True)
    for number, row in enumerate(rows):
        (tmp_path / f"{number}.csv").write_text(head + row)
    parts = read_history([tmp_path / f"{number}.csv" for number in (2, 0, 1)], **WINDOW)
    assert facts(parts) == facts(history(tmp_path, CLEAN))


class Wart(NamedTuple):
    """A log with one wart, what becomes of its rows, and what is said of those that are not understood."""

    log: str
    rows: dict[str, int]
    says: str = ""


WARTS = {
    "a row without a time": Wart(
        "time,node\n,1\n2026-05-02,2\n",
        {"used": 1, "not_understood": 1},
        '2: column "time": no time is given',
    ),
    "a time that is none": Wart(
        "time,node\nyesterday,1\n",
        {"not_understood": 1},
        '2: column "time": "yesterday" is not understood as',
    ),
    "day and month in either order": Wart(
        "time,node\n05/06/2026 03:30,1\n", {"not_understood": 1}, "write the year first, as 2026-05-01 03:30"
    ),
    "a time of day": Wart(
        "date,time\n2026-05-02,03:30\n", {"not_understood": 1}, "is a time of day without its date; put both"
    ),
    "a number without a unit": Wart(
        "time,node\n3.5,1\n", {"not_understood": 1}, "3.5 has no unit; write 3.5 h, or name the column time_h"
    ),
    "a decimal comma": Wart(
        "time_h;node\n25,75;1\n",
        {"not_understood": 1},
        '"25,75" is not a plain number; write 25.75 with a point',
    ),
    "a day that does not exist": Wart(
        "time,node\n2026-02-30 10:00,1\n", {"not_understood": 1}, '"2026-02-30 10:00" is no date'
    ),
    "a zone that means several": Wart(
        "time,node\n2026-05-02 10:00 CST,1\n", {"not_understood": 1}, '"CST" behind a date is no offset'
    ),
    "an end before the begin": Wart(
        "time,node,end\n2026-05-02,1,2026-05-01\n", {"not_understood": 1}, "2: ends before it begins; correct"
    ),
    "an end at the begin": Wart("time,node,end\n2026-05-02,1,2026-05-02\n", {"used": 1}),
    "a date beside a time from the start": Wart(
        "time,node,end\n2026-05-02,1,3 h\n",
        {"not_understood": 1},
        "one is a date and one counts from the start",
    ),
    "a repair of no time": Wart(
        "time,node,repair\n2026-05-02,1,0 h\n",
        {"not_understood": 1},
        '"0 h" is no repair; leave it empty where a restart is enough',
    ),
    "too few cells": Wart(
        "time,node\n2026-05-02,1\n2026-05-03\n", {"used": 1, "not_understood": 1}, "3: 1 cells for 2 columns"
    ),
    "too many cells": Wart(
        "time,node\n2026-05-02,1,2,3\n", {"not_understood": 1}, "2: 4 cells for 2 columns; give one for each"
    ),
    "the header once more": Wart(
        "time,node\n2026-05-02,1\ntime,node\n", {"used": 1, "not_understood": 1}, '"time" is not understood'
    ),
    "a quote in the wrong place": Wart(
        'time,node\n"2026-05-02"x,1\n2026-05-03,2\n', {"used": 1, "not_understood": 1}, "2: cannot be read"
    ),
    "a list of nodes that is broken": Wart(
        "time;node\n2026-05-02;gpu-[1-\n",
        {"not_understood": 1},
        "is no list of nodes; write gpu-[012-014,020]",
    ),
    "a list of nodes that runs backwards": Wart(
        "time;node\n2026-05-02;gpu-[9-7]\n", {"not_understood": 1}, "runs backwards; write [7-9]"
    ),
    "a list of far too many nodes": Wart(
        "time;node\n2026-05-02;n[1-999][1-999]\n", {"not_understood": 1}, "more than 100,000; give fewer"
    ),
    "a negative node": Wart(
        "time,node\n2026-05-02,-1\n",
        {"not_understood": 1},
        '"-1" is not the number of a node; give 0, 1, 2, ..., or leave it empty for the job',
    ),
    "a kind that is unknown": Wart(
        "time,node,kind\n2026-05-02,1,party\n",
        {"not_understood": 1},
        'column "kind": "party" is neither a failure nor planned',
    ),
    "a kind that is not known": Wart("time,node,kind\n2026-05-02,1,n/a\n2026-05-03,1,-\n", {"used": 2}),
    "a planned stop": Wart("time,kind\n2026-05-02,planned\n2026-05-03,failure\n", {"planned": 1, "used": 1}),
    "a launch": Wart("time,kind\n2026-05-02,launch\n2026-05-03,\n", {"no_failure": 1, "used": 1}),
    "before and after the window": Wart(
        "time,node\n2026-04-30,1\n2026-05-02,1\n2026-06-01,1\n", {"used": 1, "outside": 2}
    ),
    "the same row twice": Wart("time,node,cause\n2026-05-02,1,a\n2026-05-02,1,a\n", {"used": 1, "merged": 1}),
    "a flood that goes on": Wart(
        "time,node\n" + "".join(f"2026-05-02T00:{minute:02d},1\n" for minute in range(0, 60, 9)),
        {"used": 1, "merged": 6},
    ),
    "another cause within the time to merge": Wart(
        "time,node,cause\n2026-05-02T00:00,1,a\n2026-05-02T00:05,1,b\n", {"used": 2}
    ),
    "a row within an absence": Wart(
        "time,node,end\n2026-05-02,1,2026-05-09\n2026-05-03,1,2026-05-04\n", {"used": 1, "inside_absence": 1}
    ),
    "an end behind the window": Wart("time,node,end\n2026-05-02,1,2026-07-01\n", {"open": 1}),
    "no end yet": Wart("time,node,end\n2026-05-02,1,\n", {"open": 1}),
    "no end of what no node is away for": Wart("time,node,end\n2026-05-02,,\n", {"used": 1}),
    "no end, and yet back": Wart(
        "time,node,end\n2026-05-02,1,Unknown\n2026-05-09,1,2026-05-10\n", {"used": 2}
    ),
    "a list of nodes, some of them away": Wart(
        "time;node;end\n2026-05-02;a[1-2];2026-05-09\n2026-05-03;a[1-3];2026-05-04\n", {"used": 2}
    ),
}


@pytest.mark.parametrize("name", WARTS)
def test_each_row_is_counted_once_and_what_is_not_understood_is_said(name: str, tmp_path: Path) -> None:
    log, rows, says = WARTS[name]
    read = history(tmp_path, log)
    assert {name: count for name, count in read.rows.items() if count and name != TOTAL} == rows
    assert read.rows[TOTAL] == sum(read.rows[name] for name in ROWS)
    assert len(read.problems) == rows.get("not_understood", 0)
    assert says in "".join(map(str, read.problems))


REFUSED: dict[str, tuple[str | bytes, str]] = {
    "nothing": ("", "log.csv:1: is empty; the first line names the columns"),
    "no names of columns": (
        "2026-05-02,1\n",
        'log.csv:1: no column "time"; there are 2026-05-02, 1; say which',
    ),
    "no time": (
        "node,cause\n1,a\n",
        'log.csv:1: no column "time"; there are node, cause; say which it is, --column time=Start',
    ),
    "one column": ("a b c\n", "separate the cells by commas"),
    "two columns of one name": ("time,node,Node\n", 'column "node" is there twice; give one'),
    "two times": ("time_h,time_s\n1,2\n", 'column "time" is there twice, time_h, time_s; give one'),
    "end and repair": (
        "time,end,repair\n",
        "both an end and a repair are given; take one of the columns out",
    ),
    "a quote that is not closed": (
        'time,cause\n2026-05-02,"a\n2026-05-03,b\n',
        "log.csv:2: a quote opens here and is not closed",
    ),
    "another encoding": (b"time,cause\n2026-05-02,Lift\n2026-05-03,L\xfcfter\n", "3: byte 0xfc is not UTF-8"),
    "UTF-16 that is cut off": (CLEAN.encode("utf-16")[:-1], "log.csv: cannot be decoded as UTF-16; save the"),
    "a compressed file": (b"\x1f\x8b\x08rest", "is compressed; unpack it"),
    "a spreadsheet": (b"PK\x03\x04rest", "is a spreadsheet or an archive; export it as CSV"),
    "names with a quote that is open": ('time,"node\n', "log.csv:1: cannot be read (unexpected end of data)"),
    "a line without an end": ("time," * 300_000, "log.csv:1: a line of more than 1,000,000 characters"),
    "a line for Excel without a sign": ("sep=", 'log.csv:1: no column "time", only "sep="'),
    "a line for Excel and no more": ("sep=;\n", "log.csv:1: is empty"),
    "JSON": ('\n [{"time": 1}]', "log.csv:2: is JSON or XML; export it as CSV or Parquet"),
    "half a Parquet file": (
        b"PAR1 and no more",
        "log.csv: is no whole Parquet file (Parquet magic bytes not found in footer. Either the file is "
        "corrupted or this is); export it anew",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_file_that_cannot_be_used_is_refused_with_line_and_remedy(name: str, tmp_path: Path) -> None:
    content, says = REFUSED[name]
    with pytest.raises(LogError) as refused:
        history(tmp_path, content)
    assert says in str(refused.value)


def test_a_local_time_needs_its_zone(tmp_path: Path) -> None:
    with pytest.raises(
        LogError, match=r'log.csv:2: column "time": .* is a local time without a zone; say which'
    ):
        history(tmp_path, CLEAN, begin="2026-05-01T00:00Z", end="2026-06-01T00:00Z", timezone=None)


def test_hours_that_clocks_skip_or_repeat_are_refused_by_line(tmp_path: Path) -> None:
    log = "time,node\n2026-03-29 02:30,1\n2026-10-25 02:30,1\n2026-10-25 02:30 +01:00,1\n2026-10-25 03:30,1\n"
    read = history(tmp_path, log, begin="2026-01-01", end="2027-01-01", timezone="Europe/Berlin")
    skipped, repeated = read.problems
    assert "never was in Europe/Berlin: clocks went forward" in str(skipped)
    assert (
        "was twice in Europe/Berlin: clocks went back; write its offset behind it, +02:00 or +01:00"
        in str(repeated)
    )
    assert (skipped.line, repeated.line) == (2, 3)
    assert read.time_s[1] - read.time_s[0] == HOUR


def test_an_absence_lasts_to_the_later_end(tmp_path: Path) -> None:
    log = "time_h,node,repair_h\n10,0,2\n11,0,100\n"
    read = history(tmp_path, log, begin="0 d", end="10 d", timezone=None)
    assert (read.time_s.tolist(), read.end_s.tolist()) == ([10 * HOUR], [111 * HOUR])


def test_an_end_that_only_a_later_row_tells_is_taken(tmp_path: Path) -> None:
    log = "time,node,end\n2026-05-02T00:00,1,\n2026-05-02T00:05,1,2026-05-03T00:00\n"
    assert history(tmp_path, log).end_s.tolist() == [2 * DAY]


def test_a_host_list_is_a_failure_of_each_node(tmp_path: Path) -> None:
    read = history(tmp_path, 'time,node\n2026-05-02,"gpu-[008-010],login1"\n')
    assert read.names == ("gpu-008", "gpu-009", "gpu-010", "login1")
    assert read.node.tolist() == [0, 1, 2, 3]
    assert read.rows[TOTAL] == 1


def test_names_that_differ_in_capitals_alone_are_two_and_that_is_said_once(tmp_path: Path) -> None:
    log = "time,node,cause\n2026-05-02,gpu-1,Nic\n2026-05-03,GPU-1,Nic\n2026-05-04,Gpu-1,nic\n"
    read = history(tmp_path, log)
    assert len(read.names) == 3
    nodes, cause = read.notes
    assert nodes == 'nodes "gpu-1" and "GPU-1" count as two; write them alike if not'
    assert cause.startswith('"nic" in 1 row counts as "Nic"')


def test_causes_that_differ_in_capitals_or_blanks_alone_are_one_by_the_first_and_that_is_said(
    tmp_path: Path,
) -> None:
    log = "time,node,cause\n2026-05-02,1,Link down\n2026-05-02,1, LINK  DOWN \n2026-05-04,2,link down\n"
    read = history(tmp_path, log + "2026-05-05,3,link down\n")
    assert (read.causes, read.rows["used"], read.rows["merged"]) == (("Link down",), 3, 1)
    why = 'counts as "Link down"; causes that differ by capitals alone are one, by its first spelling'
    assert read.notes == (f'"LINK DOWN" in 1 row {why}', f'"link down" in 2 rows {why}')


def test_an_unknown_cause_is_none_however_it_is_written(tmp_path: Path) -> None:
    log = "time,node,cause\n2026-05-02,1,Unknown\n2026-05-03,2,\n2026-05-04,2,n/a\n2026-05-05,3,gpu\n"
    assert history(tmp_path, log).causes == ("unknown", "gpu")


def test_causes_keep_their_script(tmp_path: Path) -> None:
    assert history(tmp_path, "time,cause\n2026-05-02,显卡掉线\n2026-05-03,\n").causes == (
        "显卡掉线",
        "unknown",
    )


def test_columns_may_go_by_any_name(tmp_path: Path) -> None:
    log = "seen,gone_min,what\n2026-05-02,90,x\n"
    read = history(tmp_path, log.replace("seen", "seen,box").replace("02,", "02,7,"), columns={
        "time": "Seen", "node": "box", "repair": "gone_min", "cause": "what"
    })  # fmt: skip
    assert facts(read)[1:4] == ([DAY + 5400.0], ["7"], ["x"])


def test_a_column_that_is_not_there_is_said_with_those_that_are(tmp_path: Path) -> None:
    with pytest.raises(LogError, match='no column "Begin"; there are time, node, cause, end'):
        history(tmp_path, CLEAN, columns={"time": "Begin"})


def test_the_reasons_of_very_many_rows_are_kept_for_the_first(tmp_path: Path) -> None:
    read = history(tmp_path, "time,node\n" + "x,1\n" * 1500 + "y\n" * 1500)
    assert read.rows["not_understood"] == 3000
    assert len(read.problems) == 1000


def test_planned_stops_are_kept_with_their_node_and_their_end(tmp_path: Path) -> None:
    """In the order of time; the node of the second has no failure, and the last is outside of the window."""
    log = """\
time,node,kind,repair
2026-05-09,a,planned,
2026-05-03,b,maintenance,3 h
2026-05-04,a,,1 h
2026-05-02,,planned,2 h
2026-06-02,a,planned,2 h
"""
    read = history(tmp_path, log)
    stops = [(each.time_s / DAY, each.end_s / DAY, each.node, each.entry) for each in read.planned]
    assert stops[:2] == [(1.0, pytest.approx(1 + 2 / 24), -1, 3), (2.0, pytest.approx(2 + 3 / 24), -1, 1)]
    assert (stops[2][0], np.isnan(stops[2][1]), *stops[2][2:]) == (8.0, True, 0, 0)
    assert (read.rows["planned"], read.rows["used"], read.rows["outside"], len(stops)) == (3, 1, 1, 3)


def test_a_row_of_several_nodes_counts_by_the_first_that_it_says_of_one(tmp_path: Path) -> None:
    """A failure of its own goes before one that is open, before an absence, a repeated row, and outside.

    The fifth says of `a`, which is away already, that it is still away at the end: so the first is open too.
    """
    (tmp_path / "fleet.csv").write_text("node,from,to\na,,\nb,,\nc,,\nd,,2026-05-03\n")
    log = """\
time;node;end
2026-05-02 00:00;a;2026-05-20
2026-05-02 00:05;b;2026-05-02 00:06
2026-05-05 00:00;b,d;2026-05-05 00:10
2026-05-05 00:01;a,b;2026-05-05 00:10
2026-05-07 00:00;a,c;
2026-05-08 00:00;d;
"""
    read = history(tmp_path, log, nodes=str(tmp_path / "fleet.csv"))
    counts = {name: count for name, count in read.rows.items() if count}
    assert counts == {"total": 6, "used": 2, "inside_absence": 1, "open": 2, "outside": 1}
    assert read.time_s.tolist() == pytest.approx([DAY, DAY + 300, 4 * DAY, 6 * DAY])
    assert [read.names[node] for node in read.node] == ["a", "b", "b", "c"]


def test_an_end_is_open_from_the_end_of_the_watch_of_its_node(tmp_path: Path) -> None:
    (tmp_path / "fleet.csv").write_text("node,to\na,2026-05-11\nb,\n")
    log = "time,node,end\n2026-05-02,a,2026-05-11\n2026-05-03,b,2026-05-12\n2026-05-13,b,2026-06-01\n"
    read = history(tmp_path, log, nodes=str(tmp_path / "fleet.csv"))
    assert (read.rows["open"], read.rows["used"]) == (0, 3)
    later = history(tmp_path, log.replace("05-11\n", "05-11 00:01\n"), nodes=str(tmp_path / "fleet.csv"))
    assert (later.rows["open"], later.rows["used"]) == (1, 2)
    assert later.end_s[0] == np.inf


def test_many_columns_and_rows_beside_them_are_told_for_the_first_ten(tmp_path: Path) -> None:
    names = [f"x{number}" for number in range(11)]
    head, row = ",".join(["time", *names]), ",".join(["2026-05-02", *"abcdefghijk"])
    (note,) = history(tmp_path, f"{head}\n{row}\n").notes
    assert note == f"{tmp_path / 'log.csv'}: columns that are not read: {', '.join(names[:10])}, ..."
    (note,) = history(tmp_path, f"{head}\n{row}\n".replace(",x10", "").replace(",k", "")).notes
    assert note.endswith("x8, x9")


def test_a_column_that_is_read_under_a_usual_name_is_said(tmp_path: Path) -> None:
    read = history(tmp_path, "Start Time,host,Downtime_min\n2026-05-02,a,90\n")
    says = [note.partition(": ")[2] for note in read.notes]
    assert says == [
        'column "Start Time" is read as the time',
        'column "host" is read as the node',
        'column "Downtime_min" is read as the repair',
    ]
    assert (read.end_s - read.time_s).tolist() == [5400]
