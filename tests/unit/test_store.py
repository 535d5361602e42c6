"""Finished replications on disk: none is lost or taken for another's, whenever a process is killed."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from clustersim import store
from clustersim.arrays import Array
from clustersim.store import (
    FINISHED,
    KEY_FILE,
    LOCK_FILE,
    Measured,
    Measurements,
    ReplicationStore,
    RunError,
    UnfinishedFile,
    kept_in,
)

ONE, OTHER, THIRD = ({"work": name, "version": "1"} for name in ("one", "other", "third"))


@contextmanager
def opened(folder: Path, key: Mapping[str, str] = ONE, *, resume: bool = True) -> Iterator[UnfinishedFile]:
    """Yield the file for *key*, and let what is in it stay."""
    file = UnfinishedFile(folder, key, resume=resume)
    try:
        yield file
    finally:
        file.release(keep=True)


def kept_of(number: int) -> dict[str, Array]:
    """Return what is kept of a replication: numbers, arrays of some kinds and shapes, and a table on disk."""
    return {
        "ettr": np.array(number / 100),
        "struck": np.arange(number % 3 + 1, dtype=np.int16),
        "charges": np.full((2, 3), number, np.float64),
        "segments/start": np.arange(float(number)),
        "segments/doing": np.full(number, 7, np.int8),
    }


def put(folder: Path, numbers: Sequence[int], key: Mapping[str, str] = ONE, scenario: str = "s") -> None:
    with opened(folder, key) as file:
        for number in numbers:
            file.put(scenario, number, kept_of(number))


def numbers_in(file: UnfinishedFile, scenario: str = "s") -> list[int]:
    """Return the numbers of what is kept of the *scenario*, once all of it is what was put there."""
    entries = file.entries.get(scenario, {})
    for number, entry in entries.items():
        found = {**entry.arrays}
        for table, columns in entry.tables.items():
            found |= {f"{table}/{name}": column for name, column in columns.items()}
        expected = kept_of(number)
        assert found.keys() == expected.keys()
        for name, values in expected.items():
            assert found[name].dtype == values.dtype
            np.testing.assert_array_equal(found[name], values)
    return sorted(entries)


def held(folder: Path, key: Mapping[str, str] = ONE) -> list[int]:
    with opened(folder, key) as file:
        return numbers_in(file)


def test_what_was_put_is_there_before_and_after_it_is_opened_again(tmp_path: Path) -> None:
    with opened(tmp_path / "kept") as file:
        for number in (4, 0, 2):
            file.put("s", number, kept_of(number))
            assert number in store.read_entries(file.path)[0]["s"]  # a kill costs it no more
        file.put("t", 1, kept_of(1))
        assert (numbers_in(file), numbers_in(file, "t"), file.count) == ([0, 2, 4], [1], 4)
    with opened(tmp_path / "kept") as file:
        assert (numbers_in(file), numbers_in(file, "t"), file.count) == ([0, 2, 4], [1], 4)
        assert (file.discarded, file.others) == (0, [])
    assert kept_in(tmp_path / "kept") == 4
    assert kept_in(tmp_path / "nowhere") == 0


def test_what_is_kept_in_a_folder_that_is_not_there_yet_shows_what_it_is(tmp_path: Path) -> None:
    with opened(tmp_path / "runs" / "new" / "kept") as file:
        columns = file.put("s", 2, kept_of(2)).tables["segments"]
        assert repr(columns) == f"ColumnsOnDisk('{file.path}', ['start', 'doing'])"
        file.put("s", 3, of_replication(3).kept)
        assert repr(Measurements({}, 0, file, "s")) == "Measurements(1 replications)"


def test_a_kill_at_any_byte_costs_the_replication_that_was_written_and_no_other(tmp_path: Path) -> None:
    put(tmp_path / "kept", [1])
    path = tmp_path / "kept" / FINISHED
    ends = [path.stat().st_size]
    for number in (2, 3):
        put(tmp_path / "kept", [number])
        ends.append(path.stat().st_size)
    whole = path.read_bytes()
    for cut in {*range(0, len(whole), 7), *ends, *(end - 1 for end in ends), *(end + 1 for end in ends[:-1])}:
        path.write_bytes(whole[:cut])
        entries, end = store.read_entries(path)
        before = sum(each <= cut for each in ends)
        assert sorted(entries.get("s", {})) == [1, 2, 3][:before]
        assert end == [0, *ends][before]
    path.write_bytes(whole[: ends[1] + 5])
    put(tmp_path / "kept", [5])  # behind what is whole, not behind the torn rest
    assert held(tmp_path / "kept") == [1, 2, 5]


def test_without_resume_only_what_is_under_the_same_key_is_thrown_away(tmp_path: Path) -> None:
    put(tmp_path / "kept", [0, 1], ONE)
    put(tmp_path / "kept", [2, 3, 5], OTHER)
    with opened(tmp_path / "kept", ONE, resume=False) as file:
        assert (file.discarded, file.count, numbers_in(file), len(file.others)) == (2, 0, [], 1)
        file.put("s", 4, kept_of(4))
    assert held(tmp_path / "kept", ONE) == [4]
    assert held(tmp_path / "kept", OTHER) == [2, 3, 5]


def test_a_finished_run_leaves_nothing_but_what_is_under_other_keys(tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    put(folder, [0, 1], ONE)
    UnfinishedFile(folder, OTHER, resume=True).release(keep=False)
    assert held(folder, ONE) == [0, 1]
    UnfinishedFile(folder, ONE, resume=True).release(keep=False)
    assert not folder.exists()
    UnfinishedFile(folder, ONE, resume=True).release(keep=True)  # there was nothing to keep
    assert not folder.exists()


def test_a_folder_that_cannot_be_removed_is_let_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(*_: Any, **__: Any) -> None:
        raise OSError("busy")

    file = UnfinishedFile(tmp_path / "kept", ONE, resume=True)
    file.put("s", 0, kept_of(0))
    monkeypatch.setattr(os, "rmdir", busy)
    file.release(keep=False)
    monkeypatch.undo()
    assert held(tmp_path / "kept") == []


def test_what_is_there_under_a_key_that_nobody_can_read_is_put_aside(tmp_path: Path) -> None:
    put(tmp_path, [1])
    (tmp_path / KEY_FILE).write_bytes(b'{"work": "\xff"}')
    with opened(tmp_path) as file:
        assert (numbers_in(file), len(file.others)) == ([], 1)


@pytest.mark.parametrize("instant", range(12))
@pytest.mark.parametrize("then", [ONE, OTHER, THIRD])
def test_a_kill_while_another_key_makes_room_mixes_and_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, instant: int, then: Mapping[str, str]
) -> None:
    folder, real, left = tmp_path / "kept", os.replace, [instant]
    for key, numbers in ((OTHER, [2, 3, 5]), (ONE, [0, 1])):
        put(folder, numbers, key)

    def killed(source: Any, target: Any) -> None:
        if not left[0]:
            raise KeyboardInterrupt
        left[0] -= 1
        real(source, target)

    monkeypatch.setattr(os, "replace", killed)
    monkeypatch.setattr(store, "_locked", lambda path: os.open(path, os.O_RDWR))  # a killed process has none
    with suppress(KeyboardInterrupt):
        UnfinishedFile(folder, OTHER, resume=True).release(keep=True)
    monkeypatch.undo()
    for key in (then, ONE, OTHER, THIRD):
        assert held(folder, key) == {"one": [0, 1], "other": [2, 3, 5], "third": []}[key["work"]]


def test_another_folder_is_taken_over_whole_and_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "MOST_AT_ONCE", 100)
    put(tmp_path / "second", [1, 3])
    with opened(tmp_path / "second") as file:
        file.put("t", 8, kept_of(8))
        file.condense({7: {"count": np.array(2), "figure": np.arange(3.0)}}, "s")
    with (tmp_path / "second" / FINISHED).open("ab") as torn:
        torn.write(b"\x93NUMPY\x01\x00")
    before = {path.name: path.read_bytes() for path in (tmp_path / "second").iterdir()}
    with opened(tmp_path / "first") as file:
        file.put("s", 0, small(0))
        file.take(tmp_path / "second")
        file.take(tmp_path / "nowhere")
        assert (sorted(file.entries["s"]), list(file.results), file.count) == ([0, 1, 3], [7], 5)
        file.put("s", 2, small(2))
    with opened(tmp_path / "first") as file:
        assert (sorted(file.entries["s"]), list(file.results), file.count) == ([0, 1, 2, 3], [7], 6)
        np.testing.assert_array_equal(file.results[7].tables["result"]["figure"], np.arange(3.0))
        assert [float(file.entries["s"][number].arrays["ettr"]) for number in (1, 3)] == [0.01, 0.03]
    assert {path.name: path.read_bytes() for path in (tmp_path / "second").iterdir()} == before


def small(number: int) -> dict[str, Array]:
    """Return what a study keeps of a replication, all of it in memory."""
    return {name: values for name, values in kept_of(number).items() if "/" not in name}


def test_what_two_questions_measure_of_a_replication_stays(tmp_path: Path) -> None:
    with opened(tmp_path / "one") as file:
        file.put("s", 0, {"rows": np.array(1)})
        file.put("s", 0, {"start": np.array(2)})
        assert file.entries["s"][0].arrays == {"rows": 1, "start": 2}
    with opened(tmp_path / "one") as file:
        assert file.entries["s"][0].arrays == {"rows": 1, "start": 2}
    with opened(tmp_path / "other") as file:
        file.put("s", 0, {"wall_s": np.array(3), "start": np.array(4)})
        file.take(tmp_path / "one")
        assert file.entries["s"][0].arrays == {"rows": 1, "start": 2, "wall_s": 3}


def test_results_take_the_place_of_the_replications_they_were_made_of(tmp_path: Path) -> None:
    with opened(tmp_path / "kept") as file:
        for number in range(4):
            file.put("base", number, small(number))
            file.put("point", number, small(number))
        size = (tmp_path / "kept" / FINISHED).stat().st_size
        file.condense({0: {"count": np.array(4), "values": np.arange(6.0).reshape(2, 3)}}, "base")
        file.condense({1: {"count": np.array(3), "values": np.ones(2)}}, "base")
        assert (list(file.entries), sorted(file.entries["base"]), file.count) == (["base"], [0, 1, 2, 3], 11)
        file.put("next", 9, small(9))
    assert (tmp_path / "kept" / FINISHED).stat().st_size < 0.7 * size
    assert kept_in(tmp_path / "kept") == 12
    with opened(tmp_path / "kept") as file:
        assert {key: sorted(of) for key, of in file.entries.items()} == {"base": [0, 1, 2, 3], "next": [9]}
        assert float(file.entries["base"][3].arrays["ettr"]) == 0.03
        found = {number: each.tables["result"]["values"] for number, each in file.results.items()}
        np.testing.assert_array_equal(found[0], np.arange(6.0).reshape(2, 3))
        np.testing.assert_array_equal(found[1], np.ones(2))
        assert [*file.results[0].arrays, *file.results[0].tables["result"]] == ["count", "values"]
        file.condense({}, "gone")
        assert (file.entries, file.count) == ({}, 7)
    with opened(tmp_path / "kept", resume=False) as file:
        assert (file.discarded, file.count, file.results) == (7, 0, {})
        file.put("s", 1, small(1))
        file.condense({3: {"count": np.array(5), "values": np.ones(2)}}, "s")
    with opened(tmp_path / "kept") as file:  # what was thrown away does not come back
        assert (list(file.entries["s"]), file.count, list(file.results)) == ([1], 6, [3])


def test_a_folder_of_something_else_is_not_touched(tmp_path: Path) -> None:
    put(tmp_path, [0])
    for name in ("thesis.tex", "0123456789abcdef0"):
        (tmp_path / name).write_text("years")
        before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
        with pytest.raises(RunError, match="not a folder of unfinished replications; move it away"):
            UnfinishedFile(tmp_path, OTHER, resume=False)
        assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
        (tmp_path / name).unlink()
    assert held(tmp_path) == [0]


def test_one_process_at_a_time_holds_a_folder(tmp_path: Path) -> None:
    with opened(tmp_path) as file:
        file.put("s", 0, kept_of(0))
        with pytest.raises(RunError, match="another clustersim is writing this run"):
            UnfinishedFile(tmp_path, OTHER, resume=False)
    assert held(tmp_path) == [0]


def test_whoever_may_write_what_is_kept_may_hold_it_too(tmp_path: Path) -> None:
    before = os.umask(0o002)  # a group that shares its folders
    try:
        put(tmp_path / "kept", [0])
    finally:
        os.umask(before)
    for name in (FINISHED, LOCK_FILE):
        assert (tmp_path / "kept" / name).stat().st_mode & 0o777 == 0o664


def of_replication(number: int, drawn: bool = False) -> Measured:
    struck = np.array([number, 1])
    kept = {"ettr": np.array(number / 10), "drawn": np.array(drawn), "incidents_by_mode": struck}
    return Measured(number, {"ettr": kept["ettr"], "drawn": kept["drawn"], "struck": struck, "own": struck})


def test_the_first_replications_are_those_from_the_start_on(tmp_path: Path) -> None:
    measures: dict[str, Any] = {"own": lambda records: 0}
    with opened(tmp_path) as file:
        kept = Measurements(measures, 3, file, "s")
        for number in (6, 3, 4, 1):
            kept.put(of_replication(number, drawn=number == 4))
        for found in (kept, Measurements(measures, 3, file, "s")):
            assert found.missing(4) == [5]
            assert found.ettr(2) == [0.3, 0.4]
            assert (found.drawn(1), found.drawn(2)) == (False, True)
            assert found.struck(2).tolist() == [7, 2]
        assert Measurements(measures, 3, file, "t").missing(2) == [3, 4]
        more = {**measures, "new": lambda records: 0}
        assert Measurements(more, 3, file, "s").missing(2) == [3, 4]  # of which it was not kept
        assert ReplicationStore(3, file, "s").missing(2) == [3, 4]


def test_a_replication_that_comes_whole_is_measured() -> None:
    records: Any = SimpleNamespace(replication=5, ettr=0.25, drawn=True, incidents_by_mode=np.array([2, 0]))
    kept = Measurements({"twice": lambda records: 2 * records.ettr}, 5)
    kept.put(records)
    assert (kept.missing(2), kept.ettr(1), kept.drawn(1)) == ([6], [0.25], True)
    assert kept.struck(1).tolist() == [2, 0]
    assert float(kept.first(1)[0]["twice"]) == 0.5
    assert Measurements().missing(1) == [0]


def test_whole_replications_are_summed_from_the_start_on() -> None:
    kept = ReplicationStore(5)
    kept.finished = {
        number: SimpleNamespace(ettr=number / 10, drawn=number == 6, incidents_by_mode=[number, 1])
        for number in (6, 7, 5)
    }
    assert kept.ettr(2) == [0.5, 0.6]
    assert (kept.drawn(1), kept.drawn(2)) == (False, True)
    assert kept.struck(2).tolist() == [11, 2]


@pytest.mark.parametrize("damaged", ["{}", "no JSON", '{"strip": [], "odd": 1}', '{"strip": 3}'])
def test_a_replication_that_somebody_damaged_is_simulated_again(tmp_path: Path, damaged: str) -> None:
    with opened(tmp_path) as file:
        file.put("s", 0, {"small": np.array(damaged)})
        assert ReplicationStore(0, file, "s").missing(1) == [0]
