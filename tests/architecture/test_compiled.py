"""What may not stand in the modules that mypyc compiles, because it would mean something else there."""

from __future__ import annotations

import ast
import runpy
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
OBJECTS = {"event", "replica"}
"""Names of instances of classes, which are the same object in both builds and may be asked for by `is`."""


def compiled() -> list[str]:
    """Return the modules that `setup.py` compiles, without building anything."""
    names = runpy.run_path(str(ROOT / "setup.py"), run_name="asked")
    modules: list[str] = names["compiled"]()
    return modules


def is_identity(side: ast.expr) -> bool:
    """Return whether a side of an `is` is a constant, a member of an enumeration, or an object."""
    name = side.id if isinstance(side, ast.Name) else side.attr if isinstance(side, ast.Attribute) else ""
    return isinstance(side, ast.Constant) or name.isupper() or name in OBJECTS


def faults(source: str) -> Iterator[int]:
    """Yield the lines of a source that compare by `is` what mypyc may box anew, as it does with tuples."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Compare) and any(isinstance(op, ast.Is | ast.IsNot) for op in node.ops):
            sides = (node.left, *node.comparators)
            yield from () if any(map(is_identity, sides)) else (node.lineno,)


@pytest.mark.parametrize("module", compiled())
def test_nothing_that_may_be_a_tuple_is_compared_by_identity(module: str) -> None:
    """mypyc unboxes tuples of fixed length and boxes them anew, so `is` between two is never true."""
    assert list(faults((ROOT / module).read_text("utf-8"))) == []


def test_the_rule_sees_the_fault_that_it_is_there_for() -> None:
    assert list(faults("work = (1, 2)\nif works[0] is work:\n    pass\n")) == [2]
    assert list(faults("if a is None or b is State.UP or event is self._timer:\n    pass\n")) == []
