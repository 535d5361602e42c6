"""`sweep` on the command line: what it prints, writes and returns."""

import json
from pathlib import Path

import pytest

import clustersim as cs
from tests.cli.conftest import Clustersim, printed

FEW = ("--replications", "3", "--horizon", "2d")
VARY = ("--vary", "cluster.spares=0,1", "--vary", "recovery.stages.restart=1min..4min:3")


def test_sweep_prints_one_json_object(clustersim: Clustersim, here: Path) -> None:
    found = printed(clustersim("sweep", "small.yaml", *VARY, *FEW, "--json"))
    assert [axis["path"] for axis in found["axes"]] == ["cluster.spares", "recovery.stages.restart"]
    assert found["axes"][1]["values"][1] == {"text": "2.5 min", "si": 150.0}
    assert [point["index"] for point in found["points"]] == list(range(6))
    assert set(found["points"][0]["metrics"]["ettr"]) == {"mean", "low", "high"}
    assert set(found["points"][0]["differences"]["ettr"]) == {"mean", "low", "high", "distinguishable"}
    assert found["best"]["ettr"]["index"] in found["best"]["ettr"]["indistinguishable"]
    assert set(found["baseline"]) == set(found["metrics"]) == set(found["points"][5]["metrics"])
    saved = json.loads((here / "runs/small/sweep/sweep.json").read_text())
    assert saved == {name: value for name, value in found.items() if name != "wall_s"}
    by_python = cs.sweep(
        "small.yaml",
        vary={"cluster.spares": "0,1", "recovery.stages.restart": "1min..4min:3"},
        replications=3,
        horizon="2d",
        workers=1,
    )
    assert by_python.saved() == saved


def test_sweep_says_where_it_is_best_and_lists_the_points(clustersim: Clustersim, here: Path) -> None:
    result = clustersim("sweep", "small.yaml", *VARY, *FEW, "--metric", "ettr", "--metric", "spares.waiting")
    assert result.exit_code == 0, result.output
    for part in (
        "Best by ETTR: cluster.spares = ",
        "6 points, 3 replications each",
        "as it is",
        "the best",
        "2.5 min",
    ):
        assert part in result.stdout
    assert "Results: runs/small/sweep/sweep.json" in result.stderr


def test_a_large_grid_lists_the_best_points_and_says_where_all_are(
    clustersim: Clustersim, here: Path
) -> None:
    result = clustersim("sweep", "small.yaml", "--vary", "checkpoint.blocks=1..60s:50", "--horizon", "1d")
    assert "The best 40 of 50 points; sweep.csv holds all." in result.stdout
    assert len((here / "runs/small/sweep/sweep.csv").read_text().splitlines()) == 51


def test_several_scenarios_are_one_sweep(clustersim: Clustersim, here: Path) -> None:
    found = printed(
        clustersim("sweep", "small.yaml", "large.yaml", "--vary", "checkpoint.blocks=1s,9s", *FEW, "--json")
    )
    assert found["axes"][0]["values"] == [{"text": "small", "si": None}, {"text": "large", "si": None}]
    assert found["points"][2]["metrics"]["gpus"]["mean"] == 512


def test_a_dry_run_counts_and_simulates_nothing(clustersim: Clustersim, here: Path) -> None:
    result = clustersim("sweep", "small.yaml", *VARY, *FEW, "--dry-run")
    assert result.stdout.startswith("6 points of 3 replications each, 18 in all: about ")
    planned = printed(clustersim("sweep", "small.yaml", *VARY, *FEW, "--dry-run", "--json"))
    assert (planned["points"], planned["replications"]) == (6, 3)
    assert not (here / "runs").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "a sweep needs values to try: --vary cluster.spares=0,10,20"),
        (("--vary", "cluster.spares"), "is no list of values; write it like cluster.spares=0,10,20"),
        (("--vary", "cluster.spares=0..9"), 'cluster.spares: "0..9" does not say how many values'),
        (("--vary", "cluster.spars=0,1"), "the first is cluster.spars = 0"),
        (("--vary", "cluster.spares=0,1", "--metric", "ettrr"), 'did you mean "ettr"'),
    ],
)
def test_what_cannot_be_swept_is_one_sentence(
    arguments: tuple[str, ...], said: str, clustersim: Clustersim, here: Path
) -> None:
    result = clustersim("sweep", "small.yaml", *FEW, *arguments)
    assert result.exit_code == 2
    assert said in " ".join(result.stderr.split())
