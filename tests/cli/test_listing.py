"""Shipped scenarios, finished runs, completion in a shell, and what a mistyped word may mean."""

import csv
import io
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from clustersim import library
from clustersim.cli import main
from clustersim.scenario.text.reader import read_file
from tests.cli.conftest import Clustersim, printed


def test_list_has_every_shipped_file_with_its_title(clustersim: Clustersim) -> None:
    shown = clustersim("list").stdout
    listed = printed(clustersim("list", "--json"))["scenarios"]
    assert [each["name"] for each in listed] == library.names()
    for each in listed:
        assert re.search(rf"^  {re.escape(each['name'])} ", shown, re.MULTILINE)
        assert each["title"]
        if each["kind"] != library.BASE:
            path = library.path(each["name"])
            assert path
            assert read_file(path, each["name"]).data["title"] == each["title"]


def test_every_scenario_is_listed_in_its_group(clustersim: Clustersim) -> None:
    shown = clustersim("list").stdout
    scenarios = [each for each in library.listing() if each.kind == library.SCENARIO]
    assert {each.name for each in scenarios if each.group is None} == set()
    for group in {each.group or "" for each in scenarios}:
        _, _, below = shown.partition(f"{group.capitalize()}: clustersim run NAME\n")
        listed = re.findall(r"^  (\S+) ", below.partition("\n\n")[0], re.MULTILINE)
        assert listed == [each.name for each in scenarios if each.group == group]


def test_list_finds_a_word_in_names_and_titles(clustersim: Clustersim) -> None:
    found = printed(clustersim("list", "COLD", "--json"))["scenarios"]
    assert {each["name"] for each in found} == {"chen-1m-cold", "frontier-100k", "recovery/cold"}
    assert 'no shipped scenario has "nonsense"' in clustersim("list", "nonsense").stdout


def test_runs_lists_what_is_finished_with_its_settings(clustersim: Clustersim, here: Path) -> None:
    assert "no finished run in runs" in clustersim("runs").stdout
    clustersim("compare", "small.yaml", "large.yaml", "--set", "cluster.spares=2", "--seed", "7")
    clustersim("run", "small.yaml")
    runs = printed(clustersim("runs", "--json"))["runs"]
    assert [run["folder"] for run in runs[-1:]] == ["runs/small"]
    assert {run["folder"] for run in runs[:-1]} == {
        "runs/compare-small/small",
        "runs/compare-small/large",
    }
    assert runs[0]["settings"] == "4 × 3 d, seed 7, cluster.spares=2"
    assert runs[-1]["settings"] == "4 × 3 d, seed 1"
    summary = json.loads((here / "runs/small/summary.json").read_text())
    assert (runs[-1]["ettr"], runs[-1]["half_width"]) == (summary["ettr"]["mean"], summary["half_width"])
    shown = clustersim("runs").stdout
    assert all(run["folder"] in shown and run["finished"] in shown for run in runs)
    rows = list(csv.DictReader(io.StringIO(clustersim("runs", "--format", "csv").stdout)))
    assert [row["folder"] for row in rows] == [run["folder"] for run in runs]


def test_a_run_that_cannot_be_read_is_listed_with_the_reason(clustersim: Clustersim, here: Path) -> None:
    clustersim("run", "small.yaml")
    shutil.copytree("runs/small", "runs/broken")
    (here / "runs/broken/summary.json").write_text("{}")
    shown = clustersim("runs")
    assert shown.exit_code == 0
    assert "cannot be read" in shown.stdout
    assert "runs/small" in shown.stdout
    missing = clustersim("runs", "nowhere")
    assert (missing.exit_code, missing.stderr) == (
        1,
        "clustersim: nowhere: no such folder; give one that holds runs\n",
    )


@pytest.mark.parametrize(
    ("words", "wanted", "unwanted"),
    [
        ("run chen-1", {"chen-10k", "chen-100k", "chen-1m-cold"}, {"chen-base", "llama3-16k"}),
        ("compare chen-10k sm", {"small.yaml"}, {"chen-10k"}),
        ("levers published/da", {"published/daly-1h"}, {"small.yaml"}),
        ("check sub", {"sub/"}, {"small.yaml"}),
        ("validate daly-1", {"daly-1h", "daly-18min"}, {"published/daly-1h", "chen-10k"}),
        ("validate s", {"stepfun", "small.yaml"}, {"stepfun-400"}),
        ("ru", {"run", "runs"}, {"check"}),
        ("tune chen-10k --cand", {"--candidates"}, {"--seed"}),
        ("list --format m", {"markdown"}, {"csv"}),
    ],
)
def test_a_shell_completes_scenarios_commands_and_options(
    here: Path, monkeypatch: pytest.MonkeyPatch, words: str, wanted: set[str], unwanted: set[str]
) -> None:
    from click.shell_completion import ShellComplete

    class Asked(ShellComplete):
        name = "asked"
        source_template = ""

    (here / "sub").mkdir()
    *before, incomplete = words.split()
    items = Asked(main, {}, "clustersim", "_CLUSTERSIM_COMPLETE").get_completions(before, incomplete)
    found = {item.value for item in items}
    assert wanted <= found
    assert not unwanted & found


def test_completion_is_what_the_shell_asks_for() -> None:
    asked = {"COMP_WORDS": "clustersim run llama", "COMP_CWORD": "2", "_CLUSTERSIM_COMPLETE": "bash_complete"}
    program = "import sys; sys.argv[0] = 'clustersim'; from clustersim.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", program], env=os.environ | asked, capture_output=True, text=True, check=True
    )
    assert done.stdout == "plain,llama3-16k\n"


@pytest.mark.parametrize(
    ("arguments", "remedy"),
    [
        (["rum", "small.yaml"], "did you mean clustersim run?"),
        (["leevers"], "did you mean clustersim levers?"),
        (["chen-10k"], "did you mean clustersim run chen-10k?"),
        (["small.yaml"], "did you mean clustersim run small.yaml?"),
        (["levers"], "which SCENARIO? Name a file, or a scenario that clustersim list shows"),
        (["report"], "which RUN? Name a folder that clustersim runs shows"),
        (["frobnicate"], "clustersim --help lists them"),
        (["run", "small.yaml", "--replicatons", "3"], "--replications"),
        (["run", "small.yaml", "--wrkers", "3"], "--workers"),
        (["run", "small.yaml", "--format", "tsv"], "'table', 'csv', 'markdown'"),
        (["run", "chen-10kk"], 'did you mean the shipped scenario "chen-10k"?'),
        (["run", "small.yaml", "--set", "cluster.sparse=1"], 'did you mean "spares"?'),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_mistyped_word_is_answered_with_the_one_that_is_meant(
    clustersim: Clustersim, here: Path, arguments: list[str], remedy: str
) -> None:
    result = clustersim(*arguments)
    assert result.exit_code == 2
    assert remedy in result.stderr
