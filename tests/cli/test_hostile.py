"""Texts, paths and streams that somebody made to break things: refused in words, or shown harmlessly."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import SMALL, Clustersim

ODD = os.fsdecode(b"odd\xff\x1b[31m")
"""A name that is not UTF-8, and turns a terminal red."""
LOG = "time_h,cause\n1,\x1b]0;owned\x07\u202egpu\n2,\x9b2Jnode\n"
REPLAY = SMALL.replace("  node: {per: node, mtbf: 30 d, repair: 4 h}", "  log: {replay: log.csv}")


def harmless(text: str) -> bool:
    """Whether a terminal does nothing but print the text."""
    return all(line.isprintable() for line in text.split("\n"))


def test_a_path_that_is_not_utf_8_holds_a_run_like_any_other(clustersim: Clustersim, here: Path) -> None:
    (here / "small.yaml").rename(here / f"{ODD}.yaml")
    for arguments in (
        ("run", f"{ODD}.yaml", "-o", ODD, "--report"),
        ("run", f"{ODD}.yaml", "-o", ODD, "--json"),
        ("report", ODD),
        ("check", f"{ODD}.yaml"),
        ("levers", f"{ODD}.yaml", "-o", f"{ODD}/levers", "--set", "simulation.replications=2"),
    ):
        result = clustersim(*arguments)
        assert result.exit_code == 0, result.output
        assert harmless(result.output)
    made = json.loads((here / ODD / "provenance.json").read_text("utf-8"))
    assert made["command"] == r"clustersim run 'odd\xff\x1b[31m.yaml' -o 'odd\xff\x1b[31m' --report"


@pytest.mark.parametrize(
    "arguments",
    [
        ("check", f"{ODD}.yaml"),
        ("run", "small.yaml", "--set", f"title={ODD}"),
        ("run", "small.yaml", "--set", f"{ODD}=1"),
        ("check", "small.yaml", "--set", 'about="\\e]52;c;x\\a"'),
        ("check", "small.yaml", "--set", 'title="\\ud800"'),
        ("check", "keys.yaml"),
        ("init", ODD),
        ("report", ODD),
        ("tune", "small.yaml", "--tier", ODD),
        (ODD,),
        ("run", f"--{ODD}"),
    ],
    ids=repr,
)
def test_what_is_refused_is_shown_escaped(
    clustersim: Clustersim, here: Path, arguments: tuple[str, ...]
) -> None:
    (here / "keys.yaml").write_text(f'{SMALL}"turned \u202e round": 1\n\u2028x: 2\n')
    result = clustersim(*arguments)
    assert result.exit_code in (1, 2)
    assert result.stderr
    assert harmless(result.output)


def test_what_is_accepted_is_shown_escaped(clustersim: Clustersim, here: Path) -> None:
    text = SMALL + 'sources: {cluster.gpus: "turned \u202e round \u2028 \ufeff"}\n'
    (here / "turned.yaml").write_text(text, "utf-8")
    result = clustersim("check", "turned.yaml")
    assert all(f"\\{each}" in result.stdout for each in ("u202e", "u2028", "ufeff"))
    assert harmless(result.output)
    printed = clustersim("check", "turned.yaml", "--json").stdout
    assert harmless(printed)
    source = json.loads(printed)["values"][0]["source"]
    assert source.split() == ["turned", "\u202e", "round", "\ufeff"]  # U+2028 breaks a line of YAML


def test_the_text_of_a_log_is_shown_escaped(clustersim: Clustersim, here: Path) -> None:
    (here / "log.csv").write_text(LOG, "utf-8")
    (here / "replay.yaml").write_text(REPLAY)
    for arguments in (("check", "replay.yaml"), ("run", "replay.yaml", "--json")):
        result = clustersim(*arguments)
        assert result.exit_code == 0, result.output
        assert "0 owned gpu" in result.stdout  # what a name may hold is kept of a cause
        assert harmless(result.output)


def test_many_problems_are_the_first_ones_and_a_count(clustersim: Clustersim, here: Path) -> None:
    (here / "many.yaml").write_text(SMALL + "".join(f"u{number}: 1\n" for number in range(3000)))
    result = clustersim("check", "many.yaml")
    assert result.exit_code == 2
    lines = result.stderr.splitlines()
    assert len(lines) == 21
    assert lines[-1] == "2,980 more problems; correct these first"


def test_a_pipe_is_no_scenario(clustersim: Clustersim, here: Path) -> None:
    os.mkfifo(here / "pipe.yaml")
    (here / "based.yaml").write_text(f"base: pipe.yaml\n{SMALL}")
    for name in ("pipe.yaml", "based.yaml", "/dev/zero"):
        result = clustersim("run", name)
        assert result.exit_code == 2
        assert "a pipe or a device" in result.stderr or "neither a file" in result.stderr


@pytest.mark.parametrize("base", ["secret", "secret.yaml", "../../../../../../../../etc/passwd"])
def test_a_base_that_is_no_scenario_is_not_quoted(clustersim: Clustersim, here: Path, base: str) -> None:
    for name in ("secret", "secret.yaml"):
        (here / name).write_text("root:x:0:0 hunter2\n")
    (here / "based.yaml").write_text(f"base: {base}\n{SMALL}")
    result = clustersim("check", "based.yaml")
    assert result.exit_code == 2
    assert "hunter2" not in result.output
    assert "root:" not in result.output


def test_a_directory_that_is_gone_is_named(
    clustersim: Clustersim, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    monkeypatch.setenv("PWD", str(gone))
    gone.rmdir()
    result = clustersim("run", "chen-10k")
    assert result.exit_code == 1
    assert result.stderr == f"clustersim: {gone}: this directory is gone; change to another\n"


def process(here: Path, shell: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    """Run a command line of the shell, in which `clustersim` is the program."""
    command = f'clustersim() {{ "{sys.executable}" -m clustersim "$@"; }}\n{shell}'
    environ = {**os.environ, **environment}
    return subprocess.run(
        ["sh", "-c", command], cwd=here, env=environ, capture_output=True, check=False, timeout=120
    )


@pytest.mark.skipif(os.name != "posix", reason="needs a shell")
@pytest.mark.parametrize("closed", ["2>&-", ">&-", "<&- >&- 2>&-"])
def test_streams_may_be_closed(here: Path, closed: str) -> None:
    done = process(here, f"clustersim run small.yaml -o run {closed}")
    assert done.returncode == 0, done.stderr
    assert b"Traceback" not in done.stderr
    assert json.loads((here / "run" / "summary.json").read_text("utf-8"))["name"] == "small"
    names = {path.name for path in (here / "run").iterdir()}
    assert len(names) == 7


@pytest.mark.skipif(os.name != "posix", reason="needs a shell")
@pytest.mark.parametrize(("encoding", "sign"), [("ascii", b"+/-"), ("latin-1", b"\xb1")])
def test_output_in_other_encodings_is_output(here: Path, encoding: str, sign: bytes) -> None:
    title = "--set 'title=caf\u00e9 \u65e5\u672c'"
    done = process(here, f"clustersim run small.yaml {title} --set name=new", PYTHONIOENCODING=encoding)
    assert done.returncode == 0, done.stderr
    assert sign in done.stdout
    assert b"Traceback" not in done.stderr
