"""Every command: what it prints where, what it writes, and its exit code."""

import json
import re
from pathlib import Path

import pytest

from clustersim.results import Results
from clustersim.scenario import load
from tests.cli.conftest import Clustersim

COMMANDS = [
    *(
        "run",
        "compare",
        "tune",
        "levers",
        "sweep",
        "solve",
        "sensitivity",
        "fit",
        "validate",
        "merge",
        "report",
        "check",
        "init",
        "list",
        "runs",
        "schema",
    ),
]
JUDGES = {"", "run", "compare", "validate", "merge"}
KEEPS = JUDGES - {"merge"} | {"tune", "levers", "sweep", "solve", "sensitivity", "fit"}
"""Commands with an exit code for what is not met, and those that go on from what an interrupted one kept."""


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_begins_with_examples_and_ends_with_exit_codes(clustersim: Clustersim, command: str) -> None:
    result = clustersim(*command.split(), "--help")
    assert result.exit_code == 0
    assert result.stdout.startswith("Examples:\n  clustersim ")
    assert (
        result.stdout.index("Examples:") < result.stdout.index("Usage:") < result.stdout.index("Exit codes:")
    )
    codes = re.findall(r"^  (\d+)  ", result.stdout.partition("Exit codes:")[2], re.MULTILINE)
    assert codes == ["0", "1", "2", *["3"] * (command in JUDGES), "130"]
    assert ("--resume goes on" in result.stdout) == (command in KEEPS)
    assert "..." not in re.sub(r"(SCENARIO|RUN|LOG|SHARDS|\])\.\.\.", "", result.stdout)
    assert max(map(len, result.stdout.partition("Usage:")[2].splitlines())) <= 80


def test_help_lists_the_commands_and_the_version_is_told(clustersim: Clustersim) -> None:
    listed = re.findall(
        r"^  (\w+)  +\w",
        clustersim("--help").stdout.partition("Commands:")[2].partition("Defaults")[0],
        re.MULTILINE,
    )
    assert [name for name in listed if not name.isdigit()] == COMMANDS
    assert re.fullmatch(
        r"clustersim \d+\.\d+\.\d+ \((compiled|pure Python)\)\n", clustersim("--version").stdout
    )


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["frobnicate"],
        ["run"],
        ["run", "small.yaml", "--workers", "0"],
        ["run", "small.yaml", "--replications", "many"],
        ["run", "small.yaml", "--nonsense"],
        ["run", "small.yaml", "--set", "nonsense"],
        ["run", "small.yaml", "--set", "checkpoint.interval=soon"],
        ["run", "small.yaml", "--set", "checkpoint.intervall=1 min"],
        ["run", "small.yaml", "--precision", "narrow"],
        ["run", "small.yaml", "--horizon", "long"],
        ["run", "small.yaml", "--replications", "3", "--precision", "1pp"],
        ["run", "small.yaml", "small.yaml"],
        ["compare", "small.yaml", "large.yaml", "--baseline", "other"],
        ["compare", "small.yaml", "./small.yaml"],
        ["run", "missing.yaml"],
        ["check", "."],
        ["check", "small.yaml/below"],
        ["init", "no/such: name"],
        ["report"],
        ["tune"],
        ["tune", "small.yaml", "large.yaml"],
        ["tune", "missing.yaml"],
        ["tune", "small.yaml", "--candidates", "1"],
        ["tune", "small.yaml", "--over", "cluster.gpus"],
        ["tune", "small.yaml", "--over", "cluster.gpus=1,,2"],
        ["tune", "small.yaml", "--over", "cluster.gpus=none"],
        ["tune", "small.yaml", "--over", "cluster.gpuss=10k"],
        ["tune", "small.yaml", "--blocks", "soon"],
        ["tune", "small.yaml", "--set", "checkpoint=none"],
        ["levers", "small.yaml", "--set", "levers.x={recovery.stages.restrat: 1 s}"],
    ],
    ids=" ".join,
)
def test_wrong_usage_and_invalid_scenarios_exit_with_2(
    clustersim: Clustersim, here: Path, arguments: list[str]
) -> None:
    result = clustersim(*arguments)
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    assert result.stderr.strip()
    assert not (here / "runs").exists()


def test_run_prints_the_answer_and_writes_the_folder(clustersim: Clustersim, here: Path) -> None:
    result = clustersim("run", "small.yaml")
    assert result.exit_code == 0, result.output
    words = ["Of 64 cards", "ETTR", "Effective cards", "MTTI", "Where the time goes", "productive", "Next:"]
    assert [word for word in words if word not in result.stdout] == []
    assert "Results: runs/small" in result.stderr
    assert Results.load(here / "runs/small").summary["replications"] == 4


def test_json_is_one_object_and_nothing_else(clustersim: Clustersim, here: Path) -> None:
    result = clustersim("run", "small.yaml", "--json")
    printed = json.loads(result.stdout)
    assert printed.pop("wall_s") >= 0
    (threshold,) = printed.pop("expect")
    assert threshold == {"path": "ettr", "wanted": ">= 0.5", "verdict": "met", "holds": True}
    assert set(printed.pop("changes")) == {"how", "worth_most"}
    assert printed == json.loads((here / "runs/small/summary.json").read_text())
    again = clustersim("run", "small.yaml", "--json")
    assert json.loads(again.stdout)["ettr"] == printed["ettr"]
    assert "simulated before" in again.stderr
    several = json.loads(clustersim("run", "small.yaml", "large.yaml", "--json").stdout)
    assert [one["name"] for one in several["scenarios"]] == ["small", "large"]


def test_quiet_says_nothing_but_data(clustersim: Clustersim, here: Path) -> None:
    result = clustersim("run", "small.yaml", "-q")
    assert result.stderr == ""
    assert "ETTR" in result.stdout


def test_options_change_the_scenario(clustersim: Clustersim, here: Path) -> None:
    result = clustersim(
        *("run", "small.yaml", "-o", "other", "--seed", "7", "--replications", "3", "--horizon", "1d"),
        *("--set", "checkpoint.interval=10 min", "--set", "costs=null", "--no-incidents", "--json"),
    )
    printed = json.loads(result.stdout)
    assert (printed["seed"], printed["replications"], printed["horizon_s"]) == (7, 3, 86_400)
    assert printed["checkpoint_interval_s"] == 600
    assert "cost" not in printed
    assert not (here / "other/incidents.parquet").exists()
    assert Results.load("other").provenance["command"].startswith("clustersim run small.yaml -o other")


def test_the_scenario_of_a_run_gives_the_same_run(clustersim: Clustersim, here: Path) -> None:
    clustersim("run", "small.yaml", "-o", "first", "--set", "checkpoint.interval=daly")
    clustersim("run", "first/scenario.yaml", "-o", "second")
    assert (here / "first/summary.json").read_bytes() == (here / "second/summary.json").read_bytes()


def test_shipped_scenarios_run_by_name(clustersim: Clustersim, here: Path) -> None:
    result = clustersim("run", "chen-10k", "--replications", "2", "--horizon", "1d", "--json")
    assert json.loads(result.stdout)["gpus"] == 10_000
    assert (here / "runs/chen-10k").is_dir()


def test_precision_says_what_it_reached(clustersim: Clustersim, here: Path) -> None:
    result = clustersim("run", "small.yaml", "--precision", "3pp")
    assert "The precision of ±3 pp is met" in result.stdout


def test_a_threshold_that_is_not_met_exits_with_3(clustersim: Clustersim, here: Path) -> None:
    result = clustersim("run", "small.yaml", "--json", "--set", "expect={ettr: '>= 0.999', mtti_s: '> 1'}")
    assert result.exit_code == 3
    assert json.loads(result.stdout)["name"] == "small"
    assert len([line for line in result.stderr.splitlines() if "not met: small: ettr is 0.9" in line]) == 1
    assert clustersim("compare", "small.yaml", "large.yaml", "--set", "expect.ettr='>= 0.999'").exit_code == 3


def test_run_of_several_with_a_report(clustersim: Clustersim, here: Path) -> None:
    result = clustersim("run", "small.yaml", "large.yaml", "-o", "both", "--report", "--replications", "2")
    assert result.exit_code == 0, result.output
    assert "Report: both/report.html" in result.stderr
    assert {path.name for path in (here / "both").iterdir()} == {"small", "large", "report.html"}


def test_compare_and_report(clustersim: Clustersim, here: Path) -> None:
    result = clustersim("compare", "small.yaml", "large.yaml", "--baseline", "large", "--json")
    assert result.exit_code == 0, result.output
    printed = json.loads(result.stdout)
    assert [one["name"] for one in printed["scenarios"]] == ["small", "large"]
    (difference,) = printed["differences"]
    assert (difference["name"], difference["baseline"]) == ("small", "large")
    assert set(difference["ettr_difference"]) == {"mean", "low", "high"}
    assert isinstance(difference["distinguishable"], bool)
    folder = here / "runs/compare-small"
    assert {path.name for path in folder.iterdir()} == {"small", "large", "comparison.json", "report.html"}
    table = clustersim("compare", "small.yaml", "large.yaml")
    assert "ETTR against small" in table.stdout
    assert "the extra 448 cards add" in table.stdout
    (folder / "report.html").unlink()
    assert clustersim("report", "runs/compare-small").exit_code == 0
    assert (folder / "report.html").stat().st_size > 100_000
    one = clustersim("report", "runs/compare-small/small", "-o", "elsewhere/one.html")
    assert "Report: elsewhere/one.html" in one.stderr
    assert (here / "elsewhere/one.html").exists()


def test_report_needs_runs(clustersim: Clustersim, here: Path) -> None:
    for arguments in (["nowhere"], ["small.yaml"], ["."]):
        result = clustersim("report", *arguments)
        assert result.exit_code == 1
        assert len(result.stderr.splitlines()) == 1
    clustersim("run", "small.yaml", "-o", "one")
    clustersim("run", "small.yaml", "-o", "two", "--seed", "2")
    assert clustersim("report", "one", "two").exit_code == 2


def test_check_says_what_a_scenario_means(clustersim: Clustersim, here: Path) -> None:
    result = clustersim("check", "small.yaml")
    assert result.exit_code == 0
    words = [
        "small is a valid scenario",
        "cluster.gpus",
        "64 cards",
        "something fails every",
        "ETTR, first order",
    ]
    assert [word for word in words if word not in result.stdout] == []
    assert "gpus_per_node" not in result.stdout
    assert "gpus_per_node" in clustersim("check", "small.yaml", "--verbose").stdout
    assert clustersim("check", "small.yaml", "large.yaml", "-q").output == ""
    described = json.loads(clustersim("check", "chen-100k", "--json").stdout)
    assert described["mtbf_s"] == 600
    assert 0.4 < described["ettr"] < 0.6


def test_check_lists_the_faults_of_all_files(clustersim: Clustersim, here: Path) -> None:
    for name in ("small", "large"):
        path = here / f"{name}.yaml"
        path.write_text(path.read_text().replace("interval:", "intervall:"))
    result = clustersim("check", "small.yaml", "large.yaml")
    assert result.exit_code == 2
    faults = [line for line in result.stderr.splitlines() if 'did you mean "interval"?' in line]
    assert [fault.split(":")[0] for fault in faults] == ["small.yaml", "large.yaml"]


def test_init_writes_the_schema_where_editors_look_for_it(clustersim: Clustersim, here: Path) -> None:
    import jsonschema

    assert clustersim("init", "mine", "-o", "plans/mine.yaml").exit_code == 0
    text = (here / "plans/mine.yaml").read_text()
    (named,) = re.findall(r"\A# yaml-language-server: \$schema=(\S+)\n", text)
    schema = json.loads((here / "plans" / named).read_text())
    assert schema == json.loads(clustersim("schema").stdout)
    jsonschema.validate(load(here / "plans/mine.yaml").document, schema)
    (here / "plans" / named).write_text(json.dumps(schema | {"$defs": {}}))
    assert clustersim("init", "other", "-o", "plans/other.yaml").exit_code == 0
    assert json.loads((here / "plans" / named).read_text()) == schema
    (here / "plans" / named).write_text('{"title": "of somebody else"}')
    result = clustersim("init", "third", "-o", "plans/third.yaml")
    assert (result.exit_code, (here / "plans/third.yaml").exists()) == (1, False)
    assert "not of clustersim" in result.stderr


@pytest.mark.parametrize("file", ["mine.yaml", "plans/mine.yml"])
def test_init_told_a_file_asks_for_its_name(file: str, clustersim: Clustersim, here: Path) -> None:
    result = clustersim("init", file)
    assert result.exit_code == 2
    assert f"give its name, mine, or -o {file} beside it" in " ".join(result.stderr.split())
    assert not list(here.rglob("mine*"))


def test_init_writes_a_scenario_to_begin_with(clustersim: Clustersim, here: Path) -> None:
    assert clustersim("init").exit_code == 0
    result = clustersim("init", "my cluster")
    assert "Next: clustersim check" in result.stderr
    assert load(here / "my cluster.yaml").name == "my cluster"
    (here / "first.yaml").write_text("precious")
    assert clustersim("init").exit_code == 1
    assert (here / "first.yaml").read_text() == "precious"
    assert clustersim("init", "--force").exit_code == 0
    assert clustersim("check", "first.yaml").exit_code == 0


def test_schema_prints_json(clustersim: Clustersim) -> None:
    result = clustersim("schema")
    assert json.loads(result.stdout)["$schema"].startswith("https://json-schema.org/")
    assert result.stderr == ""
