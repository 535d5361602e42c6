"""The page on mutants explains survivors of code that is still there."""

from __future__ import annotations

import importlib
import inspect
from importlib.util import find_spec
from operator import attrgetter
from types import ModuleType

import pytest

from tests.mutants import PAGE, Change, explained, is_guard, is_wording, sampled

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
    ("was", "becomes", "wording"),
    [
        ('raise E("no such file")', 'raise E("XXno such fileXX")', True),
        ('named("gains", "curve")', 'named("gains", )', False),
        ('x = "file"', 'x = "FILE"', False),
        ('path.read_text("utf-8")', 'path.read_text("UTF-8")', True),
    ],
)
def test_wording_is_a_sentence_written_otherwise(was: str, becomes: str, wording: bool) -> None:
    assert is_wording(Change("tables.f", was, becomes)) == wording


@pytest.mark.parametrize(
    ("was", "becomes", "guard"),
    [
        ("zip(a, b, strict=True)", "zip(a, b, strict=False)", True),
        ("zip(a, b, strict=True)", "zip(a, b, )", True),
        ("zip(a, b, strict=True)", "zip(a, strict=True)", False),
        ("f(a, b)", "f(a, )", False),
        ("f(a)", "f(b)", False),
    ],
)
def test_a_guard_pairs_lists_of_unlike_lengths(was: str, becomes: str, guard: bool) -> None:
    assert is_guard(Change("tables.f", was, becomes)) == guard


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
