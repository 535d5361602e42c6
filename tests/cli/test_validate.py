"""`validate` on the command line: what it prints, writes and returns."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Clustersim, printed

CASE = """
name: ours
title: Our 64 cards
cluster: {gpus: 64}
failures: {any: {per: node, mtbf: 2 d}}
checkpoint: {interval: 10 min, blocks: 30 s}
recovery: {stages: {restart: 5 min}}
simulation: {horizon: 2 d, replications: 6}
published:
  source: our log of March
  assumes: [nothing else fails]
  claims:
    time: {says: over half the time, kind: band, figure: ettr, at_least: 0.5, reads: half is not much}
    wrong: {says: all the time, kind: control, figure: ettr, at_least: 99 %}
    saves:
      says: over 0.7
      kind: band
      figure: ettr
      at_least: 0.7
      unknown: {checkpoint.blocks: [10 s, 10 min]}
"""
KEYS = {"name", "kind", "source", "published", "simulated", "verdict", "wall_s", "passed", "replications"}


@pytest.fixture(autouse=True)
def page(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page that is written at once: the real one has tests of its own."""
    monkeypatch.setattr(
        "clustersim_reports.write_validation", lambda found, path, command: path.write_text(command)
    )


@pytest.fixture
def case(here: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("COLUMNS", "100")
    (here / "ours.yaml").write_text(CASE)
    return here


def test_it_prints_one_json_object(clustersim: Clustersim, case: Path) -> None:
    found = printed(clustersim("validate", "ours.yaml", "--json"))
    assert found["passed"] is True
    assert [one["name"] for one in found["cases"]] == ["ours/time", "ours/wrong", "ours/saves"]
    for one in found["cases"]:
        assert set(one) >= KEYS
        assert set(one["simulated"]) == {"mean", "low", "high"}
        assert set(one["published"]) == {"says", "value", "low", "high", "unit"}
    assert found["cases"][0]["published"]["low"] == 0.5
    assert found["cases"][0]["published"]["high"] is None
    assert [one["verdict"] for one in found["cases"][2]["tried"]] == ["agrees", "differs"]
    assert found["estimator"] == []
    saved = json.loads((case / "runs/validation/validation.json").read_text())
    assert [one["simulated"] for one in saved["cases"]] == [one["simulated"] for one in found["cases"]]
    assert (case / "runs/validation/report.html").read_text() == "clustersim validate ours.yaml --json"


def test_it_prints_the_claims(clustersim: Clustersim, case: Path) -> None:
    result = clustersim("validate", "ours.yaml", "-o", "elsewhere")
    assert result.exit_code == 0, result.output
    for part in (
        "All 3 checks pass: 1 published range met, 1 control refuted, 1 met with some of the values",
        "  time ",
        "at least 0.5",
        "differs, as it must",
        "checkpoint.blocks = 10 min",
        "0.48 to 0.95  agrees with 1 of 2",
        "stated",
    ):
        assert part in result.stdout, part
    assert "our log of March" not in result.stdout
    assert result.stderr == "Results: elsewhere/validation.json\nReport: elsewhere/report.html\n"


def test_it_says_where_figures_come_from_when_asked(clustersim: Clustersim, case: Path) -> None:
    result = clustersim("validate", "ours.yaml", "-v")
    for part in (
        "our log of March",
        "nothing else fails",
        "half is not much",
        "productive share of all card-time",
    ):
        assert part in " ".join(result.stdout.split()), part


def test_a_claim_that_is_not_met_is_exit_code_3(clustersim: Clustersim, case: Path) -> None:
    (case / "ours.yaml").write_text(CASE.replace("at_least: 0.5,", "at_most: 0.5,"))
    result = clustersim("validate", "ours.yaml", "-q")
    assert result.exit_code == 3
    assert "1 of 3 checks do not pass: ours/time." in result.stdout
    assert "!   time" in result.stdout
    assert result.stderr.startswith("clustersim: not met: ours/time: simulated 0.9")
    assert result.stderr.endswith("accepted at most 0.5\n")
    assert printed(clustersim("validate", "ours.yaml", "--json"), 3)["passed"] is False


def test_one_replication_decides_nothing(clustersim: Clustersim, case: Path) -> None:
    result = clustersim("validate", "ours.yaml", "--replications", "1")
    assert result.exit_code == 3
    assert "undecided" in result.stdout
    assert "more replications would tell (--replications 4)" in result.stderr


def test_the_same_seed_gives_the_same_bytes(clustersim: Clustersim, case: Path) -> None:
    found = []
    for workers in ("1", "2"):
        assert clustersim("validate", "ours.yaml", "--workers", workers).exit_code == 0
        found.append((case / "runs/validation/validation.json").read_bytes())
    assert found[0] == found[1]
    clustersim("validate", "ours.yaml", "--seed", "7")
    assert (case / "runs/validation/validation.json").read_bytes() != found[0]


def test_a_shipped_case_goes_by_its_name(clustersim: Clustersim, here: Path) -> None:
    few = ("--replications", "2", "--horizon", "1 h", "--json")
    for name in ("no-failures", "published/no-failures"):
        result = clustersim("validate", name, *few)
        assert json.loads(result.stdout)["cases"][0]["name"] == "no-failures"


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["no-such-case"], '"no-such-case"'),
        (["no-failure"], "did you mean no-failures?"),
        (["small.yaml"], "`published` block"),
        (["stepfun-400"], "`published` block"),
        (["missing.yaml"], "missing.yaml"),
        (["ours.yaml", "ours.yaml"], 'two cases are called "ours"'),
        (["ours.yaml", "--set", "cluster.gpuss=3"], "gpuss"),
        (["ours.yaml", "--replications", "0"], "--replications"),
    ],
)
def test_what_is_asked_wrongly_is_exit_code_2(
    clustersim: Clustersim, case: Path, arguments: list[str], word: str
) -> None:
    result = clustersim("validate", *arguments)
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    assert word in result.stderr
    assert not (case / "runs").exists()


def test_a_folder_of_something_else_is_left_alone(clustersim: Clustersim, case: Path) -> None:
    result = clustersim("validate", "ours.yaml", "-o", ".")
    assert result.exit_code == 1
    assert "holds something else than a validation" in result.stderr
    assert clustersim("validate", "ours.yaml", "-o", "ours.yaml").exit_code == 1
    assert not list(case.glob("**/validation.json"))


def test_ctrl_c_keeps_what_is_finished(
    clustersim: Clustersim, case: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from clustersim.store import Measurements

    real, seen = Measurements.put, []

    def put(self: Measurements, records: Any) -> None:
        real(self, records)
        seen.append(records)
        if len(seen) == 4:
            raise KeyboardInterrupt

    monkeypatch.setattr(Measurements, "put", put)
    command = ("validate", "ours.yaml", "--workers", "1")
    result = clustersim(*command)
    assert result.exit_code == 130
    assert "4 finished replications are kept: --resume goes on from them" in result.stderr
    assert not (case / "runs/validation").exists()
    result = clustersim(*command, "--resume")
    assert result.exit_code == 0
    assert "going on from 4 finished replications" in result.stderr
    assert len(seen) == 18
    assert [path.name for path in (case / "runs").iterdir()] == ["validation"]


def test_a_validation_is_not_half_written(
    clustersim: Clustersim, case: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert clustersim("validate", "ours.yaml").exit_code == 0
    before = (case / "runs/validation/validation.json").read_bytes()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device", "report.html")

    monkeypatch.setattr("clustersim_reports.write_validation", full)
    result = clustersim("validate", "ours.yaml", "--seed", "9")
    assert result.exit_code == 1
    assert "No space left on device" in result.stderr
    assert (case / "runs/validation/validation.json").read_bytes() == before
    monkeypatch.undo()
    monkeypatch.chdir(case)
    assert clustersim("validate", "ours.yaml", "--seed", "9", "--resume").exit_code == 0
    assert [path.name for path in (case / "runs").iterdir()] == ["validation"]
