"""Sums are the same to the last bit on any number of cores: none is left to BLAS, which shares them out."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted([*ROOT.glob("sim/**/*.py"), *ROOT.glob("reports/**/*.py")])
OF_BLAS = {"dot", "inner", "matmul", "vdot", "tensordot"}
"""Functions of numpy that do what `@` does; sums of products are `clustersim.arrays.dot`, or `np.einsum`."""
PROGRAM = """
import numpy as np
from clustersim.arrays import dot
rng = np.random.default_rng(1)
print(*(dot(rng.random(count), rng.random(count)).hex() for count in (100, 10_001, 20_000, 300_000)))
"""


def left_to_blas(source: str) -> Iterator[int]:
    """Yield the lines of a source in which BLAS would add."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.BinOp(op=ast.MatMult()) | ast.AugAssign(op=ast.MatMult()):
                yield node.lineno
            case ast.Attribute(value=ast.Name("np"), attr=name) if name in OF_BLAS:
                yield node.lineno


def test_no_sum_is_left_to_blas() -> None:
    found = {str(file.relative_to(ROOT)): list(left_to_blas(file.read_text("utf-8"))) for file in FILES}
    assert {name: lines for name, lines in found.items() if lines} == {}


@pytest.mark.parametrize("source", ["a @ b", "a @= b", "np.dot(a, b)", "a = np.matmul(b, c)"])
def test_the_rule_sees_the_fault_that_it_is_there_for(source: str) -> None:
    assert list(left_to_blas(source)) == [1]


def test_a_sum_of_products_is_the_same_on_any_number_of_cores() -> None:
    sums = set()
    for cores in "1", "2", "3":
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM],
            env=os.environ | {"OPENBLAS_NUM_THREADS": cores},
            capture_output=True,
            text=True,
            check=True,
        )
        sums.add(done.stdout)
    assert len(sums) == 1
