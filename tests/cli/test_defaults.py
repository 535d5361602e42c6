"""Defaults of options: from the environment and from a project's file, with their source."""

from pathlib import Path

import pytest

from clustersim.cli import main
from clustersim.cli.defaults import options_of
from clustersim.results import Results
from tests.cli.conftest import Clustersim, printed


def replications(clustersim: Clustersim, *arguments: str) -> int:
    found = printed(clustersim("run", "small.yaml", "--horizon", "1d", "--json", "--force", *arguments))
    return int(found["replications"])


def test_each_source_goes_over_the_one_before(
    clustersim: Clustersim, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert replications(clustersim) == 4
    (here / "pyproject.toml").write_text("[tool.other]\na = 1\n[tool.clustersim]\nreplications = 2\n")
    assert replications(clustersim) == 2
    (here / "clustersim.toml").write_text("replications = 3\n[tune]\nreplications = 9\n")
    assert replications(clustersim) == 3
    (here / "clustersim.toml").write_text("replications = 3\n[run]\nreplications = 5\n")
    assert replications(clustersim) == 5
    monkeypatch.setenv("CLUSTERSIM_REPLICATIONS", "6")
    assert replications(clustersim) == 6
    assert replications(clustersim, "--replications", "7") == 7


def test_the_nearest_folder_above_counts(
    clustersim: Clustersim, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (here / "clustersim.toml").write_text("replications = 2\n")
    (here / "below/deeper").mkdir(parents=True)
    (here / "below/deeper/small.yaml").write_text((here / "small.yaml").read_text())
    monkeypatch.chdir(here / "below/deeper")
    assert replications(clustersim) == 2
    (here / "below/clustersim.toml").write_text("no_incidents = true\n")
    assert replications(clustersim) == 4
    assert Results.load("runs/small").incidents is None


def test_check_and_verbose_say_where_a_default_is_from_and_a_run_remembers_it(
    clustersim: Clustersim, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (here / "clustersim.toml").write_text('horizon = "1 d"\n[run]\nworkers = 1\n')
    monkeypatch.setenv("CLUSTERSIM_SEED", "3")
    says = "Defaults: horizon = 1 d (clustersim.toml), seed = 3 (CLUSTERSIM_SEED)\n"
    assert says in clustersim("check", "small.yaml").stderr
    assert "Defaults" not in clustersim("run", "small.yaml").stderr
    shown = clustersim("run", "small.yaml", "-v", "--seed", "4").stderr
    assert "Defaults: horizon = 1 d (clustersim.toml), workers = 1 (clustersim.toml, [run])\n" in shown
    command = Results.load("runs/small").provenance["command"]
    assert command == "clustersim run small.yaml -v --seed 4 --horizon '1 d'"


def test_flags_and_forms_have_defaults_too(
    clustersim: Clustersim, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLUSTERSIM_FORMAT", "csv")
    monkeypatch.setenv("CLUSTERSIM_QUIET", "1")
    shown = clustersim("run", "small.yaml")
    assert shown.stdout.startswith("scenario,metric,")
    assert shown.stderr == ""


def test_a_typed_precision_goes_over_a_default_number_of_replications(
    clustersim: Clustersim, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLUSTERSIM_REPLICATIONS", "3")
    assert replications(clustersim, "--precision", "20pp") >= 32
    assert Results.load("runs/small").provenance["command"].endswith("--precision 20pp")
    monkeypatch.setenv("CLUSTERSIM_PRECISION", "20pp")
    both = clustersim("run", "small.yaml")
    assert both.exit_code == 2
    assert "both say when to stop" in both.stderr


def test_a_study_remembers_what_changed_its_answer_and_no_more(
    clustersim: Clustersim, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []
    monkeypatch.setattr("clustersim_reports.write_study", lambda *shown: seen.append(shown[-1]))
    (here / "clustersim.toml").write_text(
        "workers = 1\nreport = true\n[tune]\ncandidates = 5\nsimulate = true\n"
    )
    clustersim("tune", "small.yaml", "--horizon", "1d")
    assert seen == ["clustersim tune small.yaml --horizon 1d --candidates 5 --simulate"]


@pytest.mark.parametrize(
    ("file", "says"),
    [
        (
            "workers = 0",
            "clustersim.toml: workers = 0: 0 is not in the range x>=1; change it there, or give --workers",
        ),
        (
            "[run]\nworkers = 'two'",
            "clustersim.toml, [run]: workers = two: 'two' is not a valid integer range",
        ),
        ("horizon = 'long'", 'clustersim.toml: horizon = long: "long" is not understood; a duration is'),
        ("format = 'tsv'", "clustersim.toml: format = tsv: 'tsv' is not one of 'table', 'csv', 'markdown'"),
        ("wrkers = 2", "clustersim.toml: wrkers is no option with a default; did you mean workers?"),
        ("output = 'here'", "clustersim.toml: output is no option with a default"),
        ("set = 'a=b'", "clustersim.toml: set is no option with a default"),
        ("[rnu]\nworkers = 2", "clustersim.toml: [rnu] is no command; did you mean run?"),
        ("[report]\nworkers = 2", "clustersim.toml, [report]: workers is no option of report with a default"),
        ("workers", "clustersim.toml: not TOML: "),
    ],
)
def test_what_cannot_be_is_one_sentence_with_the_file_and_a_remedy(
    clustersim: Clustersim, here: Path, file: str, says: str
) -> None:
    (here / "clustersim.toml").write_text(file)
    result = clustersim("run", "small.yaml")
    assert (result.exit_code, result.stdout) == (2, "")
    assert says in result.stderr
    assert clustersim("run", "--help").exit_code == 0


def test_variables_are_held_to_the_same(
    clustersim: Clustersim, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLUSTERSIM_WRKERS", "2")
    monkeypatch.setenv("CLUSTERSIM_HOME_OF_OTHERS", "x")
    says = "CLUSTERSIM_WRKERS stands for no option; did you mean CLUSTERSIM_WORKERS?\n"
    shown = clustersim("check", "small.yaml")
    assert (shown.exit_code, shown.stderr) == (0, says)
    monkeypatch.setenv("CLUSTERSIM_WORKERS", "none")
    result = clustersim("run", "small.yaml")
    assert result.exit_code == 2
    assert "CLUSTERSIM_WORKERS: workers = none: " in result.stderr


@pytest.mark.parametrize("name", main.homes)
def test_nothing_that_belongs_to_one_call_has_a_default(name: str) -> None:
    import click

    command = main.get_command(click.Context(main), name)
    assert command is not None
    assert not {"set", "output", "write", "force", "help", "over", "scenario"} & set(options_of(command))
