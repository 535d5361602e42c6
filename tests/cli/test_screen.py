"""Tables and sentences at any width: nothing is cut off, no line is too long, no word broken without need."""

from __future__ import annotations

import io
import re
from collections import Counter

import pytest
from rich.cells import cell_len
from rich.console import Console
from rich.progress import Progress, TextColumn

from clustersim.cli.console import Watcher
from clustersim.cli.screen import Layout, Markdown, Screen, wrapped

HEAD = ("", "Gain in ETTR", "Effective cards", "Money per year", "why")
ROWS = [
    (
        "halve the restart time",
        "+12.3 ± 0.4 pp",
        "1,234 ± 40",
        "12.3 million USD",
        "recovery 12 %, lost 3 %, idle 1 %",
    ),
    ("failures.gpu_system_processor.rate", "not distinguishable", "—", "—", ""),
    ("  名前の長い変更 of two wide words", "+0.1 ± 0.2 pp", "7", "0 USD", ""),
    ("  all of it in one cell, which is as wide as the screen is and wraps where it is wider",),
]


def printed(kind: type[Screen], width: int) -> str:
    console = Console(width=width, no_color=True)
    with console.capture() as captured:
        kind(console).table(HEAD, ROWS)
    return captured.get()


@pytest.mark.parametrize("width", [200, 100, 80, 60, 40, 20])
def test_a_table_fits_and_holds_every_cell(width: int) -> None:
    shown = printed(Screen, width)
    assert max(map(cell_len, shown.splitlines())) <= width
    assert not re.search(r" $", shown, re.MULTILINE)
    cells = [cell for row in (HEAD, *ROWS) for cell in row]
    assert not Counter("".join("".join(cells).split())) - Counter(shown)
    missing = {word for cell in cells for word in cell.split() if word not in shown}
    assert missing == set() or width < 60


def test_a_table_that_is_wide_enough_is_one_part_and_a_narrow_one_repeats_its_names() -> None:
    layout = Layout(HEAD, ROWS, 1)
    assert [*layout.parts(200)] == [[0, 1, 2, 3, 4]]
    parts = [*layout.parts(60)]
    assert len(parts) > 1
    assert {part[0] for part in parts} == {0}
    assert sorted(place for part in parts for place in part[1:]) == [1, 2, 3, 4]
    assert printed(Screen, 60).count("failures.gpu_system_processor.rate") == len(parts)


def test_heads_keep_their_words_whole() -> None:
    console = Console(width=60, no_color=True)
    with console.capture() as captured:
        Screen(console).table(("cluster.gpus_per_node", "ETTR against as it is"), [("8", "0.5")])
    lines = captured.get().splitlines()
    assert [line.split() for line in lines] == [
        ["cluster.gpus_per_node", "ETTR", "against"],
        ["as", "it", "is"],
        ["8", "0.5"],
    ]


def test_figures_stay_on_one_line_as_long_as_they_fit() -> None:
    shown = printed(Screen, 60)
    assert all(cell in shown for cell in ("+12.3 ± 0.4 pp", "not distinguishable", "12.3 million USD"))


@pytest.mark.parametrize(
    ("words", "width", "lines"),
    [
        ("", 10, [""]),
        ("one two three", 7, ["one two", "three"]),
        ("  in and out again", 8, ["  in and", "  out", "  again"]),
        ("kept   apart", 20, ["kept   apart"]),
        ("unbreakable", 4, ["unbr", "eaka", "ble"]),
        ("two\nlines", 20, ["two", "lines"]),
        ("名前 名前", 5, ["名前", "名前"]),
    ],
)
def test_sentences_wrap_at_spaces(words: str, width: int, lines: list[str]) -> None:
    assert wrapped(words, width) == lines


def test_markdown_is_a_table_whatever_the_width() -> None:
    console = Console(width=20, no_color=True)
    with console.capture() as captured:
        Markdown(console).table(("", "a|b"), [("*x*", "1"), ("  y", "2"), ("all",)])
    assert captured.get() == ("|  | a\\|b |\n| :-- | --: |\n| \\*x\\* | 1 |\n| &emsp;y | 2 |\n| all |  |\n\n")


def test_a_bar_shows_ettr_so_far_with_its_interval_as_soon_as_there_is_one() -> None:
    with Progress(TextColumn("{task.fields[so_far]}"), console=Console(file=io.StringIO(), width=80)) as bar:
        watcher = Watcher(bar)
        (task,) = bar.tasks
        shown = []
        for name, ettr in (("plan", 0.51), ("plan", 0.53), ("other", 0.9)):
            watcher.finished(name, ettr)
            shown.append(task.fields["so_far"])
    assert shown == ["ETTR so far 0.51", "ETTR so far 0.52 ± 0.13", "ETTR of other so far 0.90"]


def test_without_a_terminal_nothing_is_shown_while_running(capsys: pytest.CaptureFixture[str]) -> None:
    Watcher().finished("plan", 0.5)
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(("columns", "width"), [("0", 100), ("1", 20), ("60", 60), ("none", 80), (None, 100)])
def test_columns_says_how_wide_a_pipe_is_if_it_says_anything(
    monkeypatch: pytest.MonkeyPatch, columns: str | None, width: int
) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    if columns is not None:
        monkeypatch.setenv("COLUMNS", columns)
    assert Screen().width == width
