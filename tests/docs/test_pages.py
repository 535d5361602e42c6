"""Every code block of the documentation runs: commands, Python, and scenario files."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import click
import pytest
from click.testing import CliRunner

from clustersim.cli import main
from clustersim.scenario import loads

ROOT = Path(__file__).resolve().parents[2]
CHANGELOG = ROOT / "CHANGELOG.md"
PAGES = [
    ROOT / "README.md",
    *sorted(path for path in (ROOT / "docs").rglob("*.md") if path.parent.name != "reference"),
]
RUN, SHOWN = {"sh", "python", "yaml"}, {"", "text", "console"}
SMALLEST = """
name: smallest
cluster: {gpus: 64}
failures: {any: {per: node, rate: 1 / 1000 node-days}}
checkpoint: {interval: 1 h, blocks: 10 s}
simulation: {horizon: 1 d}
"""


class Block(NamedTuple):
    """One fenced code block: its language, the words behind it, its text and the line on which it begins."""

    language: str
    words: str
    text: str
    line: int


def blocks(page: str) -> Iterator[Block]:
    for found in re.finditer(r"^```(\w*)([^\n]*)\n(.*?)^```$", page, re.MULTILINE | re.DOTALL):
        yield Block(found[1], found[2].strip(), found[3], page.count("\n", 0, found.start()) + 1)


def run_command(line: str, expected: int) -> None:
    """Run one command in this process, and say what it printed where its exit code is another."""
    program, *arguments = shlex.split(line, comments=True)
    assert program == "clustersim", f"a block of commands holds {line!r}"
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == expected, f"{line}\nexit code {result.exit_code}\n{result.output}"


def run_block(block: Block, names: dict[str, Any]) -> None:
    """Run a block in the current folder; *names* is the namespace shared by the Python blocks of a page."""
    if block.language == "sh":
        expected = int(block.words.removeprefix("exit=") or 0)
        for line in block.text.replace("\\\n", " ").strip().splitlines():
            run_command(line, expected)
    elif block.language == "python":
        exec(compile(block.text, f"line {block.line}", "exec"), names)
    elif block.words == "fragment":
        Path("smallest.yaml").write_text(SMALLEST)
        loads(f"name: fragment\nbase: [smallest.yaml]\n{block.text}")
    else:
        name = re.match(r"# (\S+\.yaml)\n", block.text)
        Path(name[1] if name else "unnamed.yaml").write_text(block.text)
        loads(block.text)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_code_blocks_of_a_page_run(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    for block in blocks(page.read_text("utf-8")):
        if block.language in RUN:
            run_block(block, names)
        else:
            assert block.language in SHOWN, f"{page}:{block.line}: nobody runs a block of {block.language!r}"


@pytest.mark.parametrize(
    "page",
    [CHANGELOG, *PAGES, *sorted((ROOT / "docs/reference").glob("*.md"))],
    ids=lambda page: page.name,
)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    text = re.sub(r"`[^`\n]*`", "", page.read_text("utf-8"))  # in code brackets are no links
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if "://" in target or target.startswith("mailto:"):
            continue
        path, _, anchor = target.partition("#")
        goal = (page.parent / path).resolve() if path else page
        assert goal.exists(), f"{page.name} links to {target}"
        if anchor:
            assert anchor in anchors(goal.read_text("utf-8")), f"{page.name} links to {target}"


def anchors(page: str) -> set[str]:
    """Return the anchors that a Markdown viewer gives the headings of a page."""
    headings = re.findall(r"^#+ (.+)$", page, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_changelog_keeps_its_form() -> None:
    """Its headings are those of Keep a Changelog, in one order, and its lines are short."""
    kinds = ["Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"]
    text = CHANGELOG.read_text("utf-8")
    for version in re.split(r"^## ", text, flags=re.MULTILINE)[1:]:
        found = re.findall(r"^### (.+)$", version, re.MULTILINE)
        assert found == [kind for kind in kinds if kind in found], version.splitlines()[0]
    assert [line for line in text.splitlines() if len(line) > 120] == []


def test_what_the_newest_version_added_can_be_typed() -> None:
    added = CHANGELOG.read_text("utf-8").partition("### Added")[2].partition("\n### ")[0]
    commands = main.loaded(click.Context(main))
    options = {
        word for command in [main, *commands.values()] for option in command.params for word in option.opts
    }
    assert set(re.findall(r"`clustersim ([a-z]+)", added)) <= commands.keys()
    assert set(re.findall(r"`(?:clustersim )?(--[a-z-]+)", added)) <= options


def test_a_command_that_fails_is_noticed() -> None:
    with pytest.raises(AssertionError, match="exit code 2"):
        run_command("clustersim run no-such-scenario.yaml", 0)


def test_blocks_are_found_with_their_words() -> None:
    page = "text\n```sh exit=3\nclustersim run x\n```\n```yaml\na: 1\n```\n"
    assert [(block.language, block.words, block.line) for block in blocks(page)] == [
        ("sh", "exit=3", 2),
        ("yaml", "", 5),
    ]
