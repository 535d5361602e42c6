"""A scenario on standard input: the same answer as from a file, and errors that say where it came from."""

from pathlib import Path

import pytest

from clustersim.scenario.text.reader import LARGEST_FILE
from tests.cli.conftest import SMALL, Clustersim, printed

CLAIM = """
published:
  source: "nobody: a scenario of these tests"
  claims:
    time: {says: "most of the time", kind: band, figure: ettr, at_least: 0.5}
"""


def test_a_scenario_on_standard_input_runs_like_a_file(clustersim: Clustersim, here: Path) -> None:
    result = clustersim("run", "-", "--replications", "2", stdin=SMALL)
    assert result.exit_code == 0, result.output
    first = (here / "runs/small/summary.json").read_bytes()
    again = clustersim("run", "small.yaml", "--replications", "2")
    assert "simulated before" in again.stderr
    clustersim("run", "small.yaml", "--replications", "2", "--force")
    assert (here / "runs/small/summary.json").read_bytes() == first


@pytest.mark.parametrize("arguments", ["check -", "levers - --replications 2", "tune - --replications 2"])
def test_every_command_reads_it(clustersim: Clustersim, here: Path, arguments: str) -> None:
    result = clustersim(*arguments.split(), "--set", "simulation.horizon=1 d", "--json", stdin=SMALL)
    assert printed(result)["name"] == "small"


def test_a_comparison_may_read_one_and_a_validation_its_claims(clustersim: Clustersim, here: Path) -> None:
    how = ("--replications", "2", "--horizon", "1d", "--json")
    compared = printed(clustersim("compare", "large.yaml", "-", *how, stdin=SMALL))
    assert [each["name"] for each in compared["scenarios"]] == ["large", "small"]
    validated = printed(clustersim("validate", "-", *how, stdin=SMALL + CLAIM))
    assert [case["name"] for case in validated["cases"]] == ["small"]


def test_bases_are_sought_in_the_current_directory(clustersim: Clustersim, here: Path) -> None:
    result = clustersim("check", "-", "--json", stdin="base: [small.yaml]\nname: derived\n")
    assert printed(result)["name"] == "derived"


@pytest.mark.parametrize(
    ("stdin", "says"),
    [
        ("", "<stdin>: "),
        (b"name: \xff\n", "<stdin>:1:7: byte 0xff is not UTF-8"),
        ("name: x\ncluster: {gpuss: 8}\n", '<stdin>:2:11: cluster.gpuss: unknown key; did you mean "gpus"?'),
        ("a: [", "<stdin>:"),
        ("# " + "x" * LARGEST_FILE, "<stdin>: is too large"),
    ],
)
def test_errors_name_it(clustersim: Clustersim, here: Path, stdin: str | bytes, says: str) -> None:
    result = clustersim("run", "-", stdin=stdin)
    assert (result.exit_code, result.stdout) == (2, "")
    assert says in result.stderr


def test_it_is_read_once_and_nothing_is_written_back(clustersim: Clustersim, here: Path) -> None:
    solve = ("solve", "-", "--for", "cluster.spares", "--until", "ettr >= -")
    for command in (("compare", "-", "-"), ("sweep", "-", "-", "--vary", "cluster.spares=0,1"), solve):
        twice = clustersim(*command, stdin=SMALL)
        assert twice.exit_code == 2
        assert "can be read only once" in twice.stderr
    written = clustersim("tune", "-", "--write", "copy.yaml", stdin=SMALL)
    assert written.exit_code == 2
    assert "no file to copy" in written.stderr
