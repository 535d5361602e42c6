"""Run folders: their names, what may be written where, and files that come whole or not at all."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from clustersim import folders
from clustersim.store import ChoiceError, RunError


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Chaîne d'Été", "chaine-d-ete"),
        ("_a__b_", "a-b"),
        ("日本 の", "日本-の"),
        (f"{'x' * 59} y", "x" * 59),
        ("___", "scenario"),
    ],
)
def test_a_slug_keeps_what_is_safe_everywhere(name: str, expected: str) -> None:
    assert folders.slug(name) == expected


def test_scenarios_have_a_folder_each(tmp_path: Path) -> None:
    assert folders.one_folder_each(["B 1", "a"], tmp_path) == [tmp_path / "b-1", tmp_path / "a"]
    with pytest.raises(ChoiceError, match='"B 1" and "b_1" would share a folder'):
        folders.one_folder_each(["a", "B 1", "c", "b_1"], tmp_path)


def test_what_is_unfinished_lies_hidden_beside_its_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert folders.unfinished(tmp_path / "run") == tmp_path / ".run.partial"
    monkeypatch.chdir(tmp_path)
    assert folders.unfinished(Path()) == tmp_path.with_name(f".{tmp_path.name}.partial")
    assert folders.unfinished(Path("run")) == Path(".run.partial")


def test_a_new_folder_that_cannot_be_filled_is_gone(tmp_path: Path) -> None:
    def fail(folder: Path) -> None:
        with folders.replacing(folder) as new:
            (new / "half.txt").write_text("half")
            raise OSError("full")

    with pytest.raises(OSError, match=f"full.*{tmp_path.name}/a/new"):
        fail(tmp_path / "a" / "new")
    assert [*tmp_path.rglob("*")] == [tmp_path / "a"]
    (tmp_path / "old").mkdir()
    with pytest.raises(OSError, match="full"):
        fail(tmp_path / "old")
    assert [*(tmp_path / "old").iterdir()] == []


def test_what_was_left_half_written_is_thrown_away_and_what_is_ready_counts(tmp_path: Path) -> None:
    (tmp_path / folders.NEW).mkdir()
    (tmp_path / folders.NEW / "half.txt").write_text("half")
    (tmp_path / folders.READY).mkdir()
    (tmp_path / folders.READY / "ready.txt").write_text("whole")
    with folders.replacing(tmp_path) as new:
        assert [*new.iterdir()] == []
        (new / "new.txt").write_text("new")
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {
        "ready.txt": "whole",
        "new.txt": "new",
    }


@pytest.fixture
def _in_tokyo(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let the clock of the machine be nine hours ahead of UTC."""
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def test_studies_that_are_not_finished_stay_where_a_run_is_set_aside(tmp_path: Path) -> None:
    run = finished(tmp_path / "run")
    for name in (".tune.partial", ".sweep.partial", "tune"):
        (run / name).mkdir()
    aside = folders.set_aside(run, "2026")
    assert {path.name for path in run.iterdir()} == {".tune.partial", ".sweep.partial"}
    assert {path.name for path in aside.iterdir() if path.is_dir()} == {"tune"}


@pytest.mark.usefixtures("_in_tokyo")
def test_a_folder_or_file_is_set_aside_under_its_date(tmp_path: Path) -> None:
    for number, name in enumerate(("v1.5@2026-11-29T06-50-00", "v1.5@2026-11-29T06-50-00-2"), start=1):
        (tmp_path / "v1.5").mkdir(exist_ok=True)
        (tmp_path / "v1.5" / "of.txt").write_text(f"{number}")
        assert folders.set_aside(tmp_path / "v1.5", "2026-11-29T06:50:00+00:00") == tmp_path / name
        assert (tmp_path / name / "of.txt").read_text() == f"{number}"
    file = tmp_path / "tune.json"
    for text, name in (
        ("1", "tune@1970-01-02T03-46-40.json"),
        ("2", "tune@1970-01-02T03-46-40-2.json"),
        ("3", "tune@1970-01-02T03-46-40-3.json"),
    ):
        file.write_text(text)
        os.utime(file, (5, 100_000))
        assert folders.set_file_aside(file) == tmp_path / name
        assert (tmp_path / name).read_text() == text
    assert not file.exists()
    assert folders.set_file_aside(file) is None


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    folders.write_json(path, {"b": 1, "a": "\x1b\u202e\ud800é", "c": [0.1, None]})
    assert json.loads(path.read_text("utf-8"))["a"].startswith("\x1b\u202e")
    assert path.read_text("utf-8").isascii() is False  # what people can read is not escaped
    assert all(line.isprintable() for line in path.read_text("utf-8").split("\n"))
    assert path.read_text("utf-8").startswith('{\n  "b": 1,\n  "a": "')
    assert path.read_text("utf-8").endswith("    null\n  ]\n}\n")
    folders.write_text(path, "log-\udcff.csv: é")  # the name of a file that is not UTF-8
    assert path.read_text("utf-8") == "log-\\udcff.csv: é"
    folders.write_json(path, {"whole": True})
    with pytest.raises(ValueError, match="not JSON compliant"):
        folders.write_json(path, {"a": float("nan")})

    def fail() -> None:
        with folders.replacing_file(path) as new:
            new.write_text("half")
            raise OSError("full")

    with pytest.raises(OSError, match=r"full.*a\.json"):
        fail()
    assert [*tmp_path.iterdir()] == [path]
    assert folders.read_json(path) == {"whole": True}


def test_a_json_file_is_read_up_to_a_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.json").write_text('{"a": 12}')
    monkeypatch.setattr(folders, "LARGEST_JSON", 9)
    assert folders.read_json(tmp_path / "a.json") == {"a": 12}
    monkeypatch.setattr(folders, "LARGEST_JSON", 8)
    with pytest.raises(RunError, match="larger than any file"):
        folders.read_json(tmp_path / "a.json")
    with pytest.raises(RunError, match=r"b\.json: cannot be read: No such file"):
        folders.read_json(tmp_path / "b.json")


def finished(folder: Path, provenance: str = '{"tool": "clustersim"}') -> Path:
    """Return *folder* with what makes a finished run of it."""
    folder.mkdir(parents=True)
    for name in ("scenario.yaml", "summary.json"):
        (folder / name).write_text("{}")
    (folder / "provenance.json").write_text(provenance)
    return folder


@pytest.mark.parametrize(
    ("provenance", "expected"),
    [('{"tool": "clustersim"}', True), ('{"tool": "another"}', False), ("{}", False), ("{", False)],
)
def test_a_run_folder_says_that_it_is_one(tmp_path: Path, provenance: str, expected: bool) -> None:
    assert folders.is_run_folder(finished(tmp_path / "run", provenance)) is expected
    (tmp_path / "link").symlink_to("run")
    assert folders.is_run_folder(tmp_path / "link") is expected
    assert not folders.is_run_folder(tmp_path)


def test_files_that_are_ready_make_a_run_through_a_link_too(tmp_path: Path) -> None:
    finished(tmp_path / "run" / folders.READY)
    (tmp_path / "link").symlink_to("run")
    assert folders.is_run_folder(tmp_path / "link")
    assert not (tmp_path / "run" / folders.READY).exists()


@pytest.mark.parametrize(
    ("names", "refused"),
    [
        ([], False),
        ([*folders.STUDIES, folders.NEW, ".tune.partial", "small-shards"], False),
        (["tune", "thesis.tex"], True),
        ([".partial.tex"], True),
        (["small-shards.tex"], True),
        (["tune.json"], True),
    ],
)
def test_a_folder_of_studies_alone_may_get_a_run(tmp_path: Path, names: list[str], refused: bool) -> None:
    for name in names:
        (tmp_path / name).mkdir()
    if refused:
        with pytest.raises(RunError, match="holds something else than a fit, and is left alone"):
            folders.refuse_taken(tmp_path, "fit")
        folders.refuse_taken(tmp_path, "fit", lambda folder: folder == tmp_path)
        with pytest.raises(RunError, match="than a run, and"):
            folders.refuse_taken(tmp_path)
    else:
        folders.refuse_taken(tmp_path, holds=lambda _: False)
    assert {path.name for path in tmp_path.iterdir()} == set(names)


def test_what_is_ready_is_no_strange_file(tmp_path: Path) -> None:
    finished(tmp_path / "run" / folders.READY)
    folders.refuse_taken(tmp_path / "run")
    folders.refuse_taken(tmp_path / "nowhere")
    other = tmp_path / "other"
    (other / folders.READY).mkdir(parents=True)
    (other / folders.READY / "answer.json").write_text("{}")
    folders.refuse_taken(other, holds=lambda folder: (folder / "answer.json").is_file())


@pytest.mark.parametrize("refuse", [folders.refuse_file, folders.refuse_run_folder, folders.refuse_taken])
def test_a_file_is_no_folder(tmp_path: Path, refuse: Callable[..., Any]) -> None:
    (tmp_path / "file").write_text("years")
    with pytest.raises(RunError, match="file: is a file, not a folder"):
        refuse(tmp_path / "file")
    refuse(tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    refuse(tmp_path / "empty")


def test_several_runs_do_not_go_into_one(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="is the folder of one run"):
        folders.refuse_run_folder(finished(tmp_path / "run"))


def test_the_runs_in_a_folder_are_those_of_its_comparison_or_all_that_are_finished(tmp_path: Path) -> None:
    for name in ("b", "a", "a@2026-11-29T06-50-00", "a@unknown", "a@unknown-2", ".hidden", "c/below"):
        finished(tmp_path / name)
    (tmp_path / "empty").mkdir()
    assert folders.runs_in(tmp_path) == [tmp_path / "a", tmp_path / "b"]
    assert folders.runs_in(finished(tmp_path / "own" / "me@home").parent) == [tmp_path / "own" / "me@home"]
    for alone in ("a", "a@unknown", "empty", "nowhere", "a/summary.json"):
        assert folders.runs_in(tmp_path / alone) == [tmp_path / alone]
    listed = tmp_path / "comparison.json"
    listed.write_text('{"runs": ["b", "a", "gone"]}')
    assert folders.runs_in(tmp_path) == [tmp_path / "b", tmp_path / "a", tmp_path / "gone"]
    listed.write_text("{}")
    assert folders.runs_in(tmp_path) == [tmp_path / "a", tmp_path / "b"]
    for runs in ('["a", "../secret"]', '["c/below"]', '"ab"', '{"a": 1}'):
        listed.write_text(f'{{"runs": {runs}}}')
        with pytest.raises(RunError, match="its runs are no names of folders"):
            folders.runs_in(tmp_path)
