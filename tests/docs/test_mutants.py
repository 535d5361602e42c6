"""The page on mutants explains survivors of code that is still there."""

from __future__ import annotations

import importlib
import inspect
from operator import attrgetter

import pytest

from tests.mutants import PAGE, Change, explained

ROWS = explained(PAGE.read_text("utf-8"))


def test_the_page_has_a_table() -> None:
    assert len(ROWS) == len(set(ROWS)) > 10


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.function}: {row.becomes}")
def test_an_explained_survivor_changes_code_that_is_there(row: Change) -> None:
    module, name = row.split()
    source = inspect.getsource(attrgetter(name)(importlib.import_module(f"clustersim.engine.{module}")))
    assert row.was in " ".join(source.split())
    assert row.was != row.becomes
