"""What becomes of rows, for random logs: against a rule that is written anew, and against replays."""

from __future__ import annotations

import math
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import example, given, settings
from hypothesis import strategies as st

from clustersim.logs.cleaning import cleaned
from clustersim.logs.exposure import exposure
from clustersim.logs.files import LogSource
from clustersim.logs.history import ROWS, TOTAL, History
from clustersim.logs.rows import read_rows
from clustersim.scenario import load

Row = tuple[int, int, str, str]
"""Time (s), node, cause and end, as cells."""
WINDOW_S, MERGE_S, NODES = 100, 5, 3


@st.composite
def row(draw: st.DrawFn) -> Row:
    time = draw(st.integers(0, 130))
    length = draw(st.sampled_from(["", "none", *range(1, 60)]))
    end = str(time + length) if isinstance(length, int) else "" if length == "" else str(time)
    return time, draw(st.integers(0, NODES - 1)), draw(st.sampled_from("ab")), end


LOGS = st.lists(row(), min_size=1, max_size=12)


def text_of(log: list[Row]) -> str:
    return "time_s,node,cause,end_s\n" + "".join(
        f"{time},{node},{cause},{end}\n" for time, node, cause, end in log
    )


def history(log: list[Row], merge_s: float = MERGE_S) -> History:
    rows = read_rows([LogSource("log", text=text_of(log))])
    return cleaned(rows, exposure("10 s", f"{10 + WINDOW_S} s", str(NODES)), merge_s)[0]


def grouped(mine: list[Row]) -> tuple[list[str], list[list[Row]], list[list[Row]]]:
    """Return of each row of one node what it is but for the window, its group, and all groups."""
    kinds: list[str] = []
    of: list[list[Row]] = []
    groups: list[list[Row]] = []
    for number, (time, _, cause, _) in enumerate(mine):
        earlier = [other for other in range(number) if mine[other][2] == cause]
        if earlier and time - mine[earlier[-1]][0] <= MERGE_S:
            kinds.append("merged")
            of.append(of[earlier[-1]])
        elif within := [group for group in groups if time < known_end(group) < math.inf]:
            kinds.append("inside_absence")
            of.append(max(reversed(within), key=known_end))  # of those that end at once, the last to begin
        else:
            kinds.append("used")
            groups.append([])
            of.append(groups[-1])
        of[-1].append(mine[number])
    return kinds, of, groups


def by_hand(log: list[Row]) -> tuple[dict[str, int], list[tuple[float, int, str, float]]]:
    """Return the counts and the failures (time, node, cause, end) by the rules of the guide, node by node."""
    counts, failures = dict.fromkeys(ROWS, 0), []
    for node in range(NODES):
        mine = sorted((each for each in log if each[1] == node), key=lambda each: each[0])
        kinds, of, groups = grouped(mine)
        for (time, _, cause, _), kind, group in zip(mine, kinds, of, strict=True):
            if not 10 <= time < 10 + WINDOW_S:
                counts["outside"] += 1
                continue
            if kind != "used":
                counts[kind] += 1
                continue
            end = known_end(group)
            if end == math.inf and group is not groups[-1]:
                end = math.nan
            is_open = end > 10 + WINDOW_S
            counts["open" if is_open else "used"] += 1
            failures.append((time - 10, node, cause, math.inf if is_open else end - 10))
    return counts, sorted(failures, key=lambda each: each[:3])


def known_end(group: list[Row]) -> float:
    """Return the latest end that rows tell; infinity if none is told of nodes that left, NaN if none left."""
    known = math.nan
    for time, _, _, end in group:
        told = math.inf if end == "" else math.nan if int(end) == time else float(end)
        if not math.isnan(told) and not (math.isfinite(known) and told <= known):
            known = told
    return known


@settings(deadline=None, max_examples=300)
@given(LOGS)
@example([(10, 0, "a", ""), (10, 0, "b", ""), (10, 0, "a", "")])
@example([(10, 0, "a", "11"), (12, 0, "b", "50"), (14, 0, "a", "60"), (30, 0, "b", "70")])
@example([(10, 0, "a", "11"), (12, 0, "b", "20"), (14, 0, "a", "60"), (30, 0, "b", "40")])
@example([(10, 0, "a", ""), (12, 0, "a", "12")])
@example([(21, 1, "a", "21"), (21, 1, "b", "46"), (32, 1, "a", "47"), (21, 1, "a", "46")])
@example([(21, 1, "a", "21"), (21, 1, "b", "46"), (32, 1, "a", ""), (21, 1, "a", "46")])
@example([(21, 1, "a", ""), (23, 1, "b", "46"), (24, 1, "a", "46"), (32, 1, "a", "")])
def test_every_row_becomes_what_the_guide_says(log: list[Row]) -> None:
    read = history(log)
    counts, failures = by_hand(log)
    assert {name: read.rows[name] for name in ROWS} == counts
    assert read.rows[TOTAL] == len(log)
    found = [
        (time, int(read.names[node]), read.causes[cause], end)
        for time, node, cause, end in zip(read.time_s, read.node, read.cause, read.end_s, strict=True)
    ]
    assert [each[:3] for each in sorted(found, key=lambda each: each[:3])] == [each[:3] for each in failures]
    for (*_, end), (*_, expected) in zip(sorted(found, key=lambda each: each[:3]), failures, strict=True):
        assert end == expected or (math.isnan(end) and math.isnan(expected))


@settings(deadline=None)
@given(LOGS)
def test_the_order_of_rows_that_are_not_at_once_makes_no_difference(log: list[Row]) -> None:
    log = list({(time, node): (time, node, cause, end) for time, node, cause, end in log}.values())
    one, other = history(log), history(log[::-1])
    assert one.time_s.tolist() == other.time_s.tolist()
    assert dict(one.rows) == dict(other.rows)


@settings(deadline=None)
@given(LOGS)
def test_a_replay_without_more_words_strikes_as_the_cleaned_log_does(log: list[Row]) -> None:
    """The engine's rule for rows within an absence, in a scenario with no detection, is that of cleaning."""
    closed = [each for each in log if each[3]]
    if not closed:
        return
    rows = read_rows([LogSource("log", text=text_of(closed))])
    read, _ = cleaned(rows, exposure("0 s", "1000 s", str(NODES)), merge_s=0.0)
    expected = sorted(
        (time, int(read.names[node]), 0.0 if math.isnan(end) else end - time)
        for time, node, end in zip(read.time_s, read.node, read.end_s, strict=True)
    )
    assert expected == strikes(closed)


SCENARIO = """
name: replayed
cluster: {gpus: 24}
failures: {log: {replay: log.csv}}
checkpoint: none
recovery: {stages: {detect: 0 s, restart: 1 s}}
simulation: {horizon: 1000 s}
"""


def strikes(log: list[Row]) -> list[tuple[float, int, float]]:
    """Return when, on which node and for how long (s) a replay of *log* strikes."""
    with TemporaryDirectory() as folder:
        (Path(folder) / "log.csv").write_text(text_of(log))
        (Path(folder) / "scenario.yaml").write_text(SCENARIO)
        modes = load(Path(folder) / "scenario.yaml").failures.values()
    return sorted((row.time_s, row.node, row.repair_s or 0.0) for mode in modes for row in mode.strikes)


def test_a_node_is_observed_from_when_it_comes_until_before_it_leaves(tmp_path: Path) -> None:
    """Rows of the job are observed in all of the window."""
    (tmp_path / "fleet.csv").write_text("node,from,to\na,20 s,40 s\n")
    log = "time_s,node\n19,a\n20,a\n39,a\n40,a\n50,b\n60,\n"
    observed = exposure("10 s", "110 s", str(tmp_path / "fleet.csv"), clock="training")
    read = cleaned(read_rows([LogSource("log", text=log)]), observed, 0.0)[0]
    assert read.clock == "training"
    assert read.time_s.tolist() == [10.0, 29.0, 50.0]


def test_within_an_endless_time_all_rows_of_a_node_and_cause_are_one() -> None:
    read = history([(10, 0, "a", "11"), (50, 1, "a", "51"), (90, 0, "a", "95")], math.inf)
    assert (read.time_s.tolist(), read.end_s.tolist(), read.rows["merged"]) == ([0, 40], [85, 41], 1)


def test_a_history_without_failures_has_arrays_of_the_same_kinds() -> None:
    read = history([])
    assert (read.time_s.dtype, read.end_s.dtype) == (float, float)
    assert (read.node.dtype, read.cause.dtype) == (int, int)
