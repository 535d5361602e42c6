"""`sensitivity` on the command line: what it prints, writes and returns."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.conftest import Clustersim

FEW = (
    "--samples",
    "4",
    "--replications",
    "4",
    "--horizon",
    "1d",
    "--set",
    "uncertain.recovery.stages.restart=1 to 9 min",
)


def test_it_prints_one_json_object_and_writes_both_files(clustersim: Clustersim, here: Path) -> None:
    result = clustersim("sensitivity", "small.yaml", *FEW, "--json", "--report")
    found = json.loads(result.stdout)
    assert result.exit_code == 0, result.stderr
    assert found["metric"] == "ettr"
    assert [each["path"] for each in found["ranges"]] == ["recovery.stages.restart"]
    folder = here / "runs/small/sensitivity"
    assert {file.name for file in folder.iterdir()} == {"sensitivity.json", "sensitivity.csv", "report.html"}
    assert json.loads((folder / "sensitivity.json").read_text())["indices"] == found["indices"]


def test_the_terminal_has_the_answer_the_indices_and_the_tornado(clustersim: Clustersim, here: Path) -> None:
    result = clustersim("sensitivity", "small.yaml", *FEW)
    for words in ("Share of the variance by inputs", "Between the ends of each input", "1 min to 9 min"):
        assert words in result.stdout, result.stdout


def test_what_cannot_be_asked_ends_with_2(clustersim: Clustersim, here: Path) -> None:
    result = clustersim("sensitivity", "small.yaml", "--samples", "100")
    assert result.exit_code == 2
    assert "a power of 2 as samples, such as 128" in result.stderr
