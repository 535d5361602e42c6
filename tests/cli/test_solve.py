"""`solve` on the command line: what it prints, writes and returns."""

import json
from pathlib import Path

import clustersim as cs
from tests.cli.conftest import Clustersim, printed

FEW = ("--replications", "3", "--horizon", "2d")
ASK = ("--for", "recovery.stages.restart", "--until", "ettr >= 0.97")


def test_solve_prints_one_json_object(clustersim: Clustersim, here: Path) -> None:
    found = printed(
        clustersim(
            "solve", "small.yaml", "--for", "checkpoint.blocks", "--until", "ettr >= 0.97", *FEW, "--json"
        )
    )
    assert found["for"] == "checkpoint.blocks"
    assert (found["reachable"], found["direction"], found["unit"]) == (True, "at_most", "s")
    assert 0 < found["value"] < 60
    assert set(found["at_solution"]) == {"value", "text", "ettr"}
    assert set(found["best"]["ettr"]) == {"mean", "low", "high"}
    saved = json.loads((here / "runs/small/solve/solve.json").read_text())
    assert saved == {name: value for name, value in found.items() if name != "wall_s"}
    by_python = cs.solve(
        "small.yaml", path="checkpoint.blocks", until="ettr >= 0.97", replications=3, horizon="2d", workers=1
    )
    assert by_python.saved() == saved


def test_out_of_reach_exits_with_0_and_names_what_would_help(clustersim: Clustersim, here: Path) -> None:
    result = clustersim(
        "solve", "small.yaml", "--for", "recovery.stages.restart", "--until", "ettr >= 99.9 %", *FEW
    )
    assert result.exit_code == 0, result.output
    text = " ".join(result.stdout.split())
    assert "ettr >= 99.9 % cannot be reached by recovery.stages.restart alone, between 0 s and" in text
    assert "Beside it these help most" in text
    assert "today's" in text


def test_break_even_compares_with_another_file(clustersim: Clustersim, here: Path) -> None:
    larger = ("--for", "cluster.spares", "--until", "cost.total <= large.yaml", "--between", "0..800")
    found = printed(clustersim("solve", "small.yaml", *larger, *FEW, "--json"))
    assert (found["direction"], found["value"]) == ("at_most", 57)  # 64 + 8 s cards cost as many as 512 + 8


def test_what_cannot_be_solved_is_one_sentence(clustersim: Clustersim, here: Path) -> None:
    result = clustersim("solve", "small.yaml", "--for", "cluster.spares", "--until", "ettr > high", *FEW)
    assert result.exit_code == 2
    assert "no such file" in result.stderr
    assert "Traceback" not in result.stderr
