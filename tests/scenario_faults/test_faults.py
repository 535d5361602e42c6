"""Every kind of fault: one broken file each, beside it the exact message that a person gets."""

from __future__ import annotations

import errno
import os
import re
from pathlib import Path

import pytest

from clustersim.scenario import ScenarioError, load

HERE = Path(__file__).parent
MESSAGES = sorted(HERE.glob("*.txt"))


@pytest.mark.parametrize("expected", MESSAGES, ids=lambda path: path.stem)
def test_message_of_a_broken_file(expected: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(HERE)
    with pytest.raises(ScenarioError) as caught:
        load(f"{expected.stem}.yaml")
    assert f"{caught.value}\n" == expected.read_text("utf-8")


def test_every_broken_file_has_its_message() -> None:
    files = {path.stem for path in HERE.glob("*.yaml") if not path.stem.endswith(".base")}
    assert files == {path.stem for path in MESSAGES}


@pytest.mark.parametrize("expected", MESSAGES, ids=lambda path: path.stem)
def test_messages_are_sentences_of_ours_with_a_place_and_a_remedy(expected: Path) -> None:
    for line in expected.read_text("utf-8").splitlines():
        assert re.match(r"[\w.]+\.(yaml(:\d+:\d+)?|log:\d+): ", line), "no place"
        assert re.search(r"; |\?$|\(", line), "no remedy"
        assert not re.search(r"Input should|value_error|Value error|type=|<class|\bdict\b|NoneType", line)


def test_a_large_file_is_not_read(tmp_path: Path) -> None:
    file = tmp_path / "large.yaml"
    with file.open("wb") as stream:
        stream.truncate(100_000_000)
    with pytest.raises(
        ScenarioError, match=r"large\.yaml: is too large \(100 MB\); a scenario has at most 256 KB"
    ):
        load(file)


def test_a_missing_file_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError) as caught:
        load(tmp_path / "none.yaml")
    place = tmp_path / "none.yaml"
    assert str(caught.value).startswith(
        f"{place}: no such file; give a scenario file, or the name of a shipped"
    )


def test_a_folder_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError) as caught:
        load(tmp_path)
    assert str(caught.value) == f"{tmp_path}: is a folder; give a scenario file"


@pytest.mark.parametrize(
    ("name", "why"),
    [("a\0b", "no file can be called so"), ("x" * 5000, os.strerror(errno.ENAMETOOLONG))],
    ids=["zero", "long"],
)
def test_a_name_that_no_file_can_have_is_one_sentence(name: str, why: str) -> None:
    with pytest.raises(ScenarioError, match=rf": cannot be read \({why}\); give a scenario file$"):
        load(name)
