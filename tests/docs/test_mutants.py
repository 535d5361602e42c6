"""The page on mutants explains survivors of code that is still there."""

from __future__ import annotations

import importlib
import inspect
from importlib.util import find_spec
from operator import attrgetter
from pathlib import Path
from types import ModuleType

import pytest

from tests.mutants import PAGE, Change, explained, is_guard, is_wording, promising, sampled

ROWS = explained(PAGE.read_text("utf-8"))


def imported(module: str) -> ModuleType:
    """Return the *module*, which the page knows from `clustersim.engine` or `clustersim` on."""
    room = "clustersim.engine" if find_spec(f"clustersim.engine.{module.partition('.')[0]}") else "clustersim"
    return importlib.import_module(f"{room}.{module}")


def test_the_page_has_a_table() -> None:
    assert len(ROWS) == len(set(ROWS)) > 10


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.function}: {row.becomes}")
def test_an_explained_survivor_changes_code_that_is_there(row: Change) -> None:
    module, name = row.split()
    source = inspect.getsource(attrgetter(name)(imported(module)))
    assert row.was in " ".join(source.split())
    assert row.was != row.becomes


@pytest.mark.parametrize(
    ("was", "becomes", "wording", "guard"),
    [
        ('raise E("no such file")', 'raise E("XXno such fileXX")', True, False),
        ('named("gains", "curve")', 'named("gains", )', False, False),
        ('x = "file"', 'x = "FILE"', False, False),
        ('path.read_text("utf-8")', 'path.read_text("UTF-8")', True, False),
        ('path.read_text("utf-8-sig")', 'path.read_text("UTF-8-SIG")', True, False),
        ("zip(a, b, strict=True)", "zip(a, b, strict=False)", False, True),
        ("zip(a, b, strict=True)", "zip(a, b, )", False, True),
        ("zip(a, b, strict=True)", "zip(a, strict=True)", False, False),
        ("f(a, b)", "f(a, )", False, False),
        ("f(a)", "f(b)", False, False),
    ],
)
def test_wording_is_a_text_written_otherwise_and_a_guard_a_pair_of_unlike_lists(
    was: str, becomes: str, wording: bool, guard: bool
) -> None:
    change = Change("tables.f", was, becomes)
    assert (is_wording(change), is_guard(change)) == (wording, guard)


def test_a_larger_sample_holds_a_smaller_one_and_one_change_leaves_the_rest() -> None:
    """However files are listed: each mutant is known by its name."""
    names = [f"clustersim.units.x__{letter}__mutmut_{number}" for letter in "abc" for number in range(30)]

    def chosen(number: int, among: list[str]) -> list[str]:
        return [each[1] for each in sampled(number, lambda: ([(None, name, None) for name in among], {}))[0]]

    ten, twenty = chosen(10, names), chosen(20, names[::-1])
    assert ten == twenty[:10]
    assert ten != names[:10]
    less = chosen(20, [name for name in names if name != ten[3]])
    assert [name for name in twenty if name != ten[3]] == less[:19]


def test_tests_that_are_likely_to_kill_come_first(tmp_path: Path) -> None:
    """Those that killed before, the file of the module, then files by their time for each kill."""
    function, other = "clustersim.units.x__long", "clustersim.units.x_shown"
    (tmp_path / function).write_text("tests/test_slow.py::kills\n", "utf-8")
    (tmp_path / other).write_text("tests/test_busy.py::kills\n" * 9, "utf-8")
    durations = {
        "tests/test_late.py::never": 4.0,
        "tests/test_idle.py::never": 3.0,
        "tests/test_busy.py::kills": 20.0,
        "tests/test_units.py::slow": 40.0,
        "tests/test_units.py::quick": 30.0,
        "tests/test_units.py::reaches": 60.0,
        "tests/test_slow.py::kills": 50.0,
    }
    order = promising(function, {"tests/test_units.py::reaches"}, durations, tmp_path)
    assert sorted(durations, key=order) == [
        "tests/test_slow.py::kills",
        "tests/test_units.py::reaches",
        "tests/test_units.py::quick",
        "tests/test_units.py::slow",
        "tests/test_busy.py::kills",
        "tests/test_idle.py::never",
        "tests/test_late.py::never",
    ]
