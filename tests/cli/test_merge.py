"""`--shard` and `clustersim merge`."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.conftest import SMALL, Clustersim, printed
from tests.machines.conftest import files


def test_the_command_line_splits_and_merges(clustersim: Clustersim, here: Path) -> None:
    for number in (2, 1):
        found = printed(clustersim("run", "small.yaml", "--shard", f"{number}/3", "--json"))
        assert found["replications"] == (1 if number == 2 else 2)
        assert found["output"] == f"runs/small-shards/{number}-of-3"
    gap = clustersim("merge", "runs/small-shards", "--json")
    assert printed(gap, 2)["shards"] == {"expected": 3, "found": 2, "missing": [3]}
    assert "1 shard is missing: 3/3" in gap.stderr
    shown = clustersim("run", "small.yaml", "--shard", "3/3")
    assert "once all are there: clustersim merge runs/small-shards" in shown.stdout
    found = printed(clustersim("merge", "runs/small-shards", "--json"))
    assert found["summary"] == json.loads((here / "runs/small/summary.json").read_text())
    assert (found["output"], found["points"], found["complete"]) == ("runs/small", 1, True)
    clustersim("run", "small.yaml", "-o", "whole")
    assert files(here / "whole") == files(here / "runs/small")
    assert clustersim("run", "small.yaml", "--shard", "1/2", "--report").exit_code == 2
    assert clustersim("merge", "runs").exit_code == 2


def test_a_merged_run_is_judged_as_one(clustersim: Clustersim, here: Path) -> None:
    (here / "hard.yaml").write_text(SMALL.replace('">= 0.5"', '">= 0.9999"'))
    for number in (1, 2):
        assert clustersim("run", "hard.yaml", "--shard", f"{number}/2").exit_code == 0
    assert clustersim("merge", "runs/small-shards", "--report").exit_code == 3
    assert (here / "runs/small/report.html").is_file()


def test_studies_are_split_at_the_command_line(clustersim: Clustersim, here: Path) -> None:
    vary = ("sweep", "small.yaml", "--vary", "cluster.spares=0,1,2")
    for number in (1, 2):
        assert clustersim(*vary, "--shard", f"{number}/2", "-o", "out").exit_code == 0
    found = printed(clustersim("merge", "out-shards", "--json"))
    clustersim(*vary, "-o", "whole")
    assert files(here / "out") == files(here / "whole")
    assert (found["study"], found["points"]) == ("sweep", 3)


def test_a_merged_comparison_has_its_report(clustersim: Clustersim, here: Path) -> None:
    for number in (1, 2):
        assert clustersim("compare", "small.yaml", "large.yaml", "--shard", f"{number}/2").exit_code == 0
    (shards,) = (here / "runs").glob("*-shards")
    merged = clustersim("merge", shards)
    page = here / "runs" / shards.name.removesuffix("-shards") / "report.html"
    assert page.is_file()
    assert f"Report: {page.relative_to(here)}" in merged.stderr
    assert clustersim("compare", "small.yaml", "large.yaml", "-o", "whole").exit_code == 0
    assert {path.name for path in (here / "whole").iterdir()} == {path.name for path in page.parent.iterdir()}
