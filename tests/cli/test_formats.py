"""One answer in several forms: CSV holds the numbers of the JSON, Markdown what the terminal shows."""

import csv
import io
import json
import re
from pathlib import Path
from typing import Any

import click
import pytest

from clustersim.cli import main
from clustersim.metrics.cells import at
from tests.cli.conftest import Clustersim, printed

QUICK = ("--replications", "2", "--horizon", "1d")


def rows(clustersim: Clustersim, *arguments: str) -> list[dict[str, Any]]:
    result = clustersim(*arguments, "--format", "csv")
    assert result.exit_code == 0, result.output
    return list(csv.DictReader(io.StringIO(result.stdout)))


def test_a_run_has_a_row_for_each_metric_of_its_summary(clustersim: Clustersim, here: Path) -> None:
    found = rows(clustersim, "run", "small.yaml", "large.yaml", *QUICK)
    summaries = printed(clustersim("run", "small.yaml", "large.yaml", *QUICK, "--json"))["scenarios"]
    by_name = {summary["name"]: summary for summary in summaries}
    assert {row["scenario"] for row in found} == {"small", "large"}
    assert len(found) > 80
    for row in found:
        summary, path = by_name[row["scenario"]], row["metric"]
        assert (float(row["value"]) if row["value"] else None) == at(summary, path)
        assert row["unknown_because"] == summary["reasons"].get(path, "")
    (ettr,) = [row for row in found if (row["scenario"], row["metric"]) == ("large", "ettr.mean")]
    assert float(ettr["low"]) == by_name["large"]["ettr"]["low"]
    assert next(row for row in found if row["metric"] == "cost.total")["unit"] == "USD"


def test_a_comparison_has_the_differences_beside_them(clustersim: Clustersim, here: Path) -> None:
    found = rows(clustersim, "compare", "small.yaml", "large.yaml", *QUICK)
    (difference,) = printed(clustersim("compare", "small.yaml", "large.yaml", *QUICK, "--json"))[
        "differences"
    ]
    compared = {(row["scenario"], row["metric"]): row for row in found if row["difference.mean"]}
    assert set(compared) == {("large", "ettr.mean"), ("large", "effective_gpus")}
    assert float(compared["large", "ettr.mean"]["difference.low"]) == difference["ettr_difference"]["low"]


@pytest.mark.parametrize(("study", "points"), [("levers", "levers"), ("tune", "curve")])
def test_a_study_has_a_row_for_each_point(
    clustersim: Clustersim, here: Path, study: str, points: str
) -> None:
    found = rows(clustersim, study, "small.yaml", *QUICK)
    listed = printed(clustersim(study, "small.yaml", *QUICK, "--json"))[points]
    assert len(found) == len(listed) > 3
    gain = "ettr_gain" if study == "levers" else "ettr"
    for row, point in zip(found, listed, strict=True):
        low = point[gain]["low"] if isinstance(point[gain], dict) else point["low"]
        assert float(row[f"{gain}.low"] if f"{gain}.low" in row else row["low"]) == low


def test_values_are_listed_with_their_whole_source(clustersim: Clustersim, here: Path) -> None:
    found = rows(clustersim, "check", "llama3-16k", "-q")
    assert all(row["source"] != "as above" for row in found)
    assert {row["path"] for row in found} >= {"cluster.gpus", "checkpoint.interval"}


def test_cases_and_names_have_rows_too(clustersim: Clustersim, here: Path) -> None:
    found = rows(clustersim, "validate", "no-failures", "-q")
    assert {row["verdict"] for row in found} == {"agrees"}
    assert {row["kind"] for row in rows(clustersim, "list")} == {"scenario", "case", "base"}


@pytest.mark.parametrize(
    "arguments",
    [
        *("run small.yaml", "compare small.yaml large.yaml", "levers small.yaml", "tune small.yaml"),
        *("check small.yaml", "list", "validate no-failures"),
    ],
)
def test_markdown_has_tables_whose_rows_are_as_long_as_their_heads(
    clustersim: Clustersim, here: Path, arguments: str
) -> None:
    how = QUICK if arguments.split()[0] in ("run", "compare", "levers", "tune") else ()
    shown = clustersim(*arguments.split(), *how, "--format", "markdown").stdout
    tables = re.findall(r"(?:^\|.*\|\n)+", shown, re.MULTILINE)
    assert tables
    for table in tables:
        head, sides, *body = (re.split(r"(?<!\\)\|", line)[1:-1] for line in table.splitlines())
        assert body
        assert set("".join(sides)) <= set(" :-")
        assert {len(line) for line in (sides, *body)} == {len(head)}


def test_json_is_json_whatever_the_format(clustersim: Clustersim, here: Path) -> None:
    assert (
        json.loads(clustersim("run", "small.yaml", *QUICK, "--json", "--format", "csv").stdout)["gpus"] == 64
    )


@pytest.mark.parametrize(
    "arguments",
    [
        "run small.yaml",
        "compare small.yaml large.yaml",
        "levers small.yaml",
        "check llama3-16k",
        "list",
        "runs",
    ],
)
def test_no_line_is_wider_than_the_screen(
    clustersim: Clustersim, here: Path, monkeypatch: pytest.MonkeyPatch, arguments: str
) -> None:
    simulates = arguments.split()[0] in ("run", "compare", "levers", "sweep")
    for width in (80, 60):
        monkeypatch.setenv("COLUMNS", str(width))
        shown = clustersim(*arguments.split(), *(QUICK if simulates else ())).stdout
        assert shown.strip()
        assert [line for line in shown.splitlines() if len(line) > width] == []
        assert "…" not in shown


@pytest.mark.parametrize("name", main.homes)
@pytest.mark.parametrize("width", [80, 60])
def test_no_help_is_wider_than_the_screen(name: str, width: int) -> None:
    command = main.get_command(click.Context(main), name)
    assert command is not None
    # A command keeps the help option that it made first: without its settings, -h is missing elsewhere.
    settings = command.context_settings | {"terminal_width": width}
    shown = command.get_help(click.Context(command, info_name=name, **settings))
    usual = shown.partition("Usage:")[2]
    assert [line for line in usual.splitlines() if len(line) > width] == []
    assert not re.search(r"[a-z]\.\.\.", usual)
