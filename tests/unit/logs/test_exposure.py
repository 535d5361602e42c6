"""What was observed: it has to be said, and a fleet may change."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clustersim.logs import LogError, read_history
from clustersim.logs import exposure as exposures
from clustersim.logs.exposure import exposure
from clustersim.logs.hosts import hosts_of, natural

DAY = 86_400.0
LOG = "time,node\n2026-05-02,a\n2026-05-20,b\n"
DAYS = {"begin": "2026-05-01", "end": "2026-05-31", "timezone": "UTC"}


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "log.csv").write_text(LOG)
    return tmp_path / "log.csv"


def test_no_rate_without_an_exposure(log: Path) -> None:
    with pytest.raises(LogError) as refused:
        read_history([log], timezone="UTC", begin="2026-05-01")
    sentence = str(refused.value)
    assert "give --nodes, --to" in sentence
    assert "from 2026-05-02T00:00:00Z to 2026-05-20T00:00:00Z and name 2 nodes" in sentence
    with pytest.raises(LogError, match="give --from, --to"):
        read_history([log], timezone="UTC", nodes=2)
    log.write_text("time,node\n2026-05-02,a\n")
    with pytest.raises(LogError, match="from 2026-05-02T00:00:00Z to 2026-05-02T00:00:00Z and name 1 nodes"):
        read_history([log], timezone="UTC", nodes=2)


@pytest.mark.parametrize(
    ("rows", "seen"),
    [("", ""), ("1,\n3,\n", " (the rows lie from 1 h to 3 h; what was observed may be more)")],
)
def test_an_exposure_is_asked_for_with_no_more_than_the_rows_show(log: Path, rows: str, seen: str) -> None:
    log.write_text(f"time_h,node\n{rows}")
    with pytest.raises(LogError) as refused:
        read_history([log], nodes=2)
    assert str(refused.value) == f"a rate needs to know what was observed: give --from, --to{seen}"


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"end": "2026-05-01"}, "--to 2026-05-01 is not after --from 2026-05-01"),
        ({"end": "30 d"}, "--from is a date and --to is not"),
        ({"begin": "0 d", "end": "30 d"}, "log.csv:2: its time is a date, and the window is not"),
        ({"begin": "soon"}, '--from "soon" is not understood as a time'),
        ({"nodes": 0}, "--nodes 0: 1 to 1,000,000 are possible"),
        ({"nodes": "9" * 5000}, f"--nodes {'9' * 56}...: 1 to 1,000,000 are possible"),
        ({"nodes": "many"}, '--nodes "many" is neither a number nor a file that exists'),
        ({"nodes": 1}, "the log names 2 nodes, and 1 are said to be observed"),
        ({"timezone": "Mars/Base"}, '--timezone "Mars/Base" is no time zone that is known here'),
        ({"timezone": "../../etc/passwd"}, "is no time zone that is known here"),
        ({"clock": "sun"}, '"sun" is no clock; there are calendar and training'),
    ],
)
def test_an_exposure_that_cannot_be_is_refused(log: Path, changes: dict[str, Any], says: str) -> None:
    with pytest.raises(LogError) as refused:
        read_history([log], **({"nodes": 9} | DAYS | changes))
    assert says in str(refused.value)


def test_a_window_without_rows_says_where_they_are(log: Path) -> None:
    read = read_history([log], begin="2025-01-01", end="2025-02-01", nodes=2, timezone="UTC")
    assert read.rows["outside"] == 2
    assert "the first row is at 2026-05-02T00:00:00Z, the last at 2026-05-20T00:00:00Z" in read.notes[-1]


@pytest.mark.parametrize("kind", ["planned", ""])
def test_a_stop_that_was_planned_is_no_failure_in_the_window_and_one_that_is_not_over_is_one(
    log: Path, kind: str
) -> None:
    log.write_text(f"time,node,end,kind\n2026-05-02,a,,{kind}\n")
    says = "no failure was observed in the window: the first row is at {0}, the last at {0}"
    expected = [says.format("2026-05-02T00:00:00Z")] if kind else []
    assert [*read_history([log], nodes=2, **DAYS).notes] == expected


def test_nodes_may_come_late_and_leave_early(log: Path) -> None:
    Path("fleet.csv").write_text("node,from,to\nc,,\na,,2026-05-21\nb,2026-05-11,\nz,2027-01-01,\n")
    read = read_history([log], nodes="fleet.csv", **DAYS)
    assert read.names == ("a", "b", "c")
    assert (read.entered_s / DAY).tolist() == [0.0, 10.0, 0.0]
    assert (read.left_s / DAY).tolist() == [20.0, 30.0, 30.0]
    assert read.node_days == 70.0


def test_a_failure_while_a_node_was_not_observed_lies_outside(log: Path) -> None:
    Path("fleet.csv").write_text("node,from\na,2026-05-10\nb,\n")
    read = read_history([log], nodes="fleet.csv", **DAYS)
    assert (read.rows["outside"], read.rows["used"]) == (1, 1)


def test_a_node_that_is_not_in_the_fleet_is_said(log: Path) -> None:
    Path("fleet.csv").write_text("node\nb\n")
    read = read_history([log], nodes="fleet.csv", **DAYS)
    assert [str(problem) for problem in read.problems] == [
        f'{log}:2: node "a" is not in the fleet of fleet.csv; add it there'
    ]
    assert read.node.tolist() == [0]


def test_a_fleet_of_known_sizes_gives_each_node_seen_a_place(log: Path) -> None:
    """Node `a` fails before the third node comes, and twice while that is there."""
    log.write_text(f"{LOG}2026-05-12,a\n2026-05-14,a\n")
    Path("fleet.csv").write_text("time,nodes\n2026-05-01,2\n2026-05-11,3\n2026-05-21,1\n")
    read = read_history([log], nodes="fleet.csv", **DAYS)
    assert read.node_days == 2 * 10 + 3 * 10 + 10
    for node, time in zip(read.node, read.time_s, strict=True):
        assert read.entered_s[node] <= time < read.left_s[node]
    assert read.names == ("a", "b")


@pytest.mark.parametrize(
    ("later", "says"),
    [
        (
            "2026-05-19,2\n2026-05-19T12:00,1\n2026-05-21,2\n",
            'node "b" was seen when the fleet had fewer nodes; give a file with a line for each node',
        ),
        ("", "the log names 2 nodes, and 1 are said to be observed; correct the number of nodes"),
    ],
)
def test_more_nodes_than_there_were_are_refused(log: Path, later: str, says: str) -> None:
    Path("fleet.csv").write_text(f"time,nodes\n2026-05-01,1\n{later}")
    with pytest.raises(LogError, match=f"^fleet.csv: {says}"):
        read_history([log], nodes="fleet.csv", **DAYS)


@pytest.mark.parametrize(
    ("fleet", "says"),
    [
        ("name\na\n", 'fleet.csv:1: no column "time"; give node,from,to with a line for each node'),
        ("node\nb\na\na\n", 'fleet.csv: node "a" is there twice; give it one line'),
        ("node,from\na,2027-01-01\n", "fleet.csv: no node is observed in the window"),
        ("time,nodes\n2026-05-03,2\n", "fleet.csv: says no number of nodes for the begin of the window"),
        ("time,nodes\n2026-05-01T00:00:01,2\n", "says no number of nodes for the begin of the window"),
        ("time,nodes\n", "fleet.csv: no rows below the names of the columns"),
        ("time,nodes\n2026-05-01,many\n", 'fleet.csv:2: "many" is not a number of nodes'),
        ("time,nodes\n3 h,5\n", '"3 h": window and fleet are to be dates both, or times from the start both'),
    ],
)
def test_a_fleet_that_cannot_be_read_is_refused(log: Path, fleet: str, says: str) -> None:
    Path("fleet.csv").write_text(fleet)
    with pytest.raises(LogError) as refused:
        read_history([log], nodes="fleet.csv", **DAYS)
    assert says in str(refused.value)


def test_a_time_without_a_unit_can_get_it_in_its_cell_alone(tmp_path: Path) -> None:
    """A column `from_h` of a fleet would not be found, and an option is no column."""
    (tmp_path / "fleet.csv").write_text("node,from\na,3\n")
    for begin, says in (("3", "--from 3 has"), ("0 d", f"{tmp_path / 'fleet.csv'}:2: 3 has")):
        with pytest.raises(LogError) as refused:
            exposure(begin, "1 d", str(tmp_path / "fleet.csv"))
        assert str(refused.value) == f"{says} no unit; write 3 h"


SPANS = st.lists(st.tuples(st.integers(0, 9), st.integers(1, 10)), min_size=1, max_size=8)


@given(SPANS, st.data())
def test_a_place_is_found_for_all_nodes_where_there_is_one(
    spans: list[tuple[int, int]], data: st.DataObject
) -> None:
    observed = [(begin, begin + length) for begin, length in spans]
    base = exposure("0 s", "100 s", str(len(observed)))
    entered, left = np.array(observed, float).T
    fleet = type(base)(0.0, 100.0, False, entered, left)
    seen = {}
    for number, (begin, end) in enumerate(observed):
        first = data.draw(st.integers(begin, end - 1))
        seen[f"n{number}"] = float(first), float(data.draw(st.integers(first, end - 1)))
    fitted = fleet.fitted_to(seen)
    assert sorted(zip(fitted.entered_s, fitted.left_s, strict=True)) == sorted(
        zip(entered, left, strict=True)
    )
    for number, name in enumerate(fitted.names):
        first, last = seen[name]
        assert fitted.entered_s[number] <= first
        assert last < fitted.left_s[number] or last == fitted.left_s[number]


@pytest.mark.parametrize(
    ("cell", "names"),
    [
        ("gpu-012", ["gpu-012"]),
        ("12.0", ["12"]),
        ("gpu-[012-014,020],x", ["gpu-012", "gpu-013", "gpu-014", "gpu-020", "x"]),
        ("r[1-2]n[08-10]", ["r1n08", "r1n09", "r1n10", "r2n08", "r2n09", "r2n10"]),
        ("a, b,a", ["a", "b"]),
        ("X1,yX", ["X1", "yX"]),
        ("gpu-[1-2].cluster", ["gpu-1.cluster", "gpu-2.cluster"]),
    ],
)
def test_lists_of_hosts(cell: str, names: list[str]) -> None:
    assert hosts_of(cell) == names


def test_names_are_sorted_as_people_do() -> None:
    assert sorted(["gpu-10", "gpu-9", "login", "gpu-9a", "3"], key=natural) == [
        "3", "gpu-9", "gpu-9a", "gpu-10", "login",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("begin", "end", "offset"),
    [("2026-03-25", "2026-05-01", "+02:00"), ("2026-10-20", "2026-11-20", "+01:00")],
)
def test_the_window_ends_at_its_end_where_clocks_change_within(
    tmp_path: Path, begin: str, end: str, offset: str
) -> None:
    (tmp_path / "log.csv").write_text(f"time,node\n{begin} 12:00,a\n")
    days = {"begin": begin, "end": end, "timezone": "Europe/Berlin"}
    history = read_history([tmp_path / "log.csv"], nodes=4, **days)
    assert history.end is not None
    assert history.end.isoformat() == f"{end}T00:00:00{offset}"


@pytest.mark.parametrize(
    ("nodes", "count"), [("400", 400), (" 1,000 ", 1000), ("1_000", 1000), ("1", 1), ("1000000", 1_000_000)]
)
def test_a_number_of_nodes_may_have_marks_between_its_digits(nodes: str, count: int) -> None:
    observed = exposure("1 d", "3 d", nodes)
    assert (len(observed.left_s), observed.begin_s, observed.window_s) == (count, DAY, 2 * DAY)
    assert (observed.entered_s.max(), observed.left_s.min(), observed.start) == (0.0, 2 * DAY, None)


@pytest.mark.parametrize("nodes", ["0", "1000001"])
def test_a_number_of_nodes_has_its_limits(nodes: str) -> None:
    with pytest.raises(LogError, match=f"--nodes {nodes}: 1 to 1,000,000 are possible"):
        exposure("0 d", "1 d", nodes)


@pytest.mark.parametrize(
    ("row", "count"), [("0 d,10", 10), ("0 d,0_9", 9), ("0 d,1__0_", 10), (",7", 7), ("0 d,11", None)]
)
def test_a_size_of_a_fleet_has_its_limit_and_counts_from_the_begin_unless_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, row: str, count: int | None
) -> None:
    monkeypatch.setattr(exposures, "MOST_NODES", 10)
    (tmp_path / "fleet.csv").write_text(f"time,nodes\n{row}\n")
    if count is None:
        with pytest.raises(LogError, match='"11" is not a number of nodes up to 10'):
            exposure("2 d", "3 d", str(tmp_path / "fleet.csv"))
    else:
        observed = exposure("2 d", "3 d", str(tmp_path / "fleet.csv"))
        assert (observed.entered_s.tolist(), observed.left_s.tolist()) == ([0.0] * count, [DAY] * count)


def test_of_the_lines_of_a_fleet_that_are_none_the_first_twenty_are_said(tmp_path: Path) -> None:
    (tmp_path / "fleet.csv").write_text("node,from\n" + "a\n" * 25)
    with pytest.raises(LogError) as refused:
        exposure("0 d", "1 d", str(tmp_path / "fleet.csv"))
    assert [problem.line for problem in refused.value.problems] == list(range(2, 22))


def test_who_came_last_leaves_first_and_steps_before_the_window_count(tmp_path: Path) -> None:
    """Of 2, then 4 from day 3, then 1 from day 5 of ten days: two stay 10 and 5 days, two others 2 days."""
    (tmp_path / "fleet.csv").write_text("time,nodes\n5 d,1\n3 d,4\n0 d,9\n1 d,2\n12 d,50\n")
    observed = exposure("2 d", "12 d", str(tmp_path / "fleet.csv"))
    spans = sorted(zip((observed.entered_s / DAY).tolist(), (observed.left_s / DAY).tolist(), strict=True))
    assert spans == [(0, 3), (0, 10), (1, 3), (1, 3)]
    assert observed.names == ()


@pytest.mark.parametrize(
    ("fleet", "spans"),
    [
        ("a,1 d,4 d\n", [("a", 0, 2)]),
        ("a,3 d,\n", [("a", 1, 10)]),
        ('"a[1-2],b",,20 d\n', [("a1", 0, 10), ("a2", 0, 10), ("b", 0, 10)]),
        ("a,,2 d\nb,12 d,\nc,,\nd,,1 d\ne,3 d,3 d\n", [("c", 0, 10)]),
    ],
)
def test_nodes_are_observed_within_the_window(tmp_path: Path, fleet: str, spans: list[Any]) -> None:
    (tmp_path / "fleet.csv").write_text(f"Node,From,To\n{fleet}")
    observed = exposure("2 d", "12 d", str(tmp_path / "fleet.csv"))
    found = zip(observed.names, observed.entered_s / DAY, observed.left_s / DAY, strict=True)
    assert [tuple(each) for each in found] == spans


@pytest.mark.parametrize(
    ("fleet", "says"),
    [
        ("node\n-\n", "fleet.csv:2: no node is named"),
        ("time,nodes\n0 d,1000001\n", "is not a number of nodes up to 1,000,000"),
        ("time,nodes\n0 d," + "9" * 5000, "9... is not a number of nodes up to 1,000,000"),
        ("node,from\na,soon\n", 'fleet.csv:2: "soon" is not understood as a time'),
        ("node,from,to\na,5 h,2 h\n", 'fleet.csv:2: to "2 h" lies before from "5 h"; correct one of the two'),
        ("node,from\na,1 d,3\n", "fleet.csv:2: 3 cells for 2 columns"),
        ("nodes\n4\n", 'no column "time"; give node,from,to with a line for each node, or time,nodes'),
    ],
)
def test_a_line_of_a_fleet_that_cannot_be_read_is_said(tmp_path: Path, fleet: str, says: str) -> None:
    (tmp_path / "fleet.csv").write_text(fleet)
    with pytest.raises(LogError, match=re.escape(says)):
        exposure("0 d", "1 d", str(tmp_path / "fleet.csv"))


@pytest.mark.parametrize(
    ("cell", "says"),
    [
        ("n[1-100001]", "names more than 100,000"),
        ("n[1-99999,1-2]", "names more than 100,000"),
        ("n[1-50001],m[1-50000]", '"n[1-50001],m[1-50000]" are more than 100,000 nodes'),
        ("a]", '"a]" is no list of nodes'),
        ("a,,b", "is no list of nodes"),
        ("a[1-x]", '"1-x" in a list of nodes is no range'),
        ("a[3-1]", '"3-1" in a list of nodes runs backwards; write [1-3]'),
        ("a," * 50_001, f'"{"a," * 28}... is too long for a list of nodes'),
    ],
)
def test_a_list_of_hosts_that_is_none_is_refused(cell: str, says: str) -> None:
    with pytest.raises(ValueError, match=re.escape(says)):
        hosts_of(cell)


def test_a_list_may_name_as_many_hosts_as_there_may_be() -> None:
    assert len(hosts_of("n[1-100000]")) == 100_000
    assert len(hosts_of("n[1-50000],m[1-50000]")) == 100_000
    assert hosts_of("n" * 99_999 + ",") == ["n" * 99_999]
    assert hosts_of("n[7]") == ["n7"]
    assert hosts_of(",a,") == ["a"]
