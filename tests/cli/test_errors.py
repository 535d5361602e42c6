"""What goes wrong outside: one sentence and an exit code, never a traceback."""

import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from clustersim.cli import main
from tests.cli.conftest import Clustersim

FAULTS = sorted((Path(__file__).parents[1] / "scenario_faults").rglob("*.yaml"))


def one_sentence(result: Result) -> str:
    assert result.exit_code == 1, result.output
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    assert line.startswith("clustersim: ")
    return line


def test_output_that_cannot_be_written(clustersim: Clustersim, here: Path) -> None:
    (here / "file").write_text("precious")
    assert "is a file" in one_sentence(clustersim("run", "small.yaml", "-o", "file"))
    assert "Not a directory" in one_sentence(clustersim("run", "small.yaml", "-o", "file/below"))
    for command in (["compare", "small.yaml"], ["tune"], ["levers"]):
        assert "is a file" in one_sentence(clustersim(*command, "large.yaml", "-o", "file"))
    assert "file: File exists" in one_sentence(clustersim("init", "x", "-o", "file/x.yaml"))
    assert (here / "file").read_text() == "precious"


def test_folders_of_other_things_are_left_alone(clustersim: Clustersim, here: Path) -> None:
    assert "left alone" in one_sentence(clustersim("run", "small.yaml", "-o", "."))
    assert clustersim("run", "small.yaml", "-o", "mine").exit_code == 0
    assert "cannot hold several" in one_sentence(
        clustersim("compare", "small.yaml", "large.yaml", "-o", "mine")
    )
    assert "cannot hold several" in one_sentence(clustersim("run", "small.yaml", "large.yaml", "-o", "mine"))


def test_a_full_disk(clustersim: Clustersim, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device", "runs/small")

    monkeypatch.setattr("clustersim.store.arrays_of", full)
    assert "runs/small: No space left on device" in one_sentence(clustersim("run", "small.yaml"))


def test_memory_that_runs_out(clustersim: Clustersim, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def greedy(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr("clustersim.workers.simulate", greedy)
    assert "out of memory; try fewer --workers" in one_sentence(clustersim("run", "small.yaml"))


def broken(*_: object) -> None:
    raise ZeroDivisionError("secret")


def test_a_fault_of_the_program_is_called_so(
    clustersim: Clustersim, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("clustersim.workers.simulate", broken)
    sentence = one_sentence(clustersim("run", "small.yaml"))
    assert "internal error (ZeroDivisionError: secret)" in sentence
    assert "CLUSTERSIM_TRACEBACK=1" in sentence
    assert not (here / "runs/.small.partial").exists()


def test_the_traceback_is_there_for_those_who_ask(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clustersim.workers.simulate", broken)
    for arguments, environment in ((["-v"], {}), ([], {"CLUSTERSIM_TRACEBACK": "1"})):
        result = CliRunner().invoke(main, ["run", "small.yaml", *arguments], env=environment)
        assert result.exit_code == 1
        assert "Traceback" in result.stderr
        assert result.stdout == ""


def test_ctrl_c_in_the_middle(clustersim: Clustersim, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("clustersim.results.summarise", stopped)
        result = clustersim("run", "small.yaml")
    assert result.exit_code == 130
    assert "interrupted; 4 finished replications are kept: --resume" in result.stderr
    resumed = clustersim("run", "small.yaml", "--resume")
    assert resumed.exit_code == 0
    assert "going on from 4 finished replications" in resumed.stderr


@pytest.mark.parametrize("path", FAULTS, ids=lambda path: path.stem)
def test_broken_scenarios_exit_with_2(clustersim: Clustersim, path: Path) -> None:
    result = clustersim("check", path)
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    assert re.match(r"\S+\.(yaml|csv|log)(:\d+){0,2}: ", result.stderr)


@pytest.mark.parametrize("content", [b"", b"\x00\xff\xfe", b"- a\n- b\n", b"name: [", b"42", b"\xef\xbb\xbf"])
def test_files_that_are_no_scenarios_exit_with_2(clustersim: Clustersim, here: Path, content: bytes) -> None:
    (here / "noise.yaml").write_bytes(content)
    result = clustersim("run", "noise.yaml")
    assert result.exit_code == 2
    assert result.stderr.startswith("noise.yaml")
