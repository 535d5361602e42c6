"""Functions that fit on a card, files that fit in the head, and nothing of this machine in the repository."""

from __future__ import annotations

import ast
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("sim", "reports", "benchmarks", "docs", "tests")
LONGEST_FILE, LONGEST_FUNCTION = 500, 40
SOURCES = sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))
Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions(path: Path) -> Iterator[Function]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, Function):
            yield node


def length(function: Function) -> int:
    assert function.end_lineno is not None
    return function.end_lineno - function.lineno + 1


def test_no_file_is_too_long() -> None:
    lines = {path: len(path.read_text("utf-8").splitlines()) for path in SOURCES}
    assert {str(path.relative_to(ROOT)): n for path, n in lines.items() if n > LONGEST_FILE} == {}


def test_no_function_is_too_long() -> None:
    faults = [
        f"{path.relative_to(ROOT)}:{function.lineno}: {function.name} has {length(function)} lines"
        for path in SOURCES
        for function in functions(path)
        if length(function) > LONGEST_FUNCTION
    ]
    assert faults == []


def tracked() -> list[Path]:
    """Return the files that git tracks; skips where this is no clone."""
    try:
        done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"no list of tracked files: {error}")
    return [ROOT / name for name in done.stdout.split("\0") if name and (ROOT / name).is_file()]


def test_no_tracked_file_names_a_path_of_a_machine() -> None:
    machine = [f"/{name}/".encode() for name in ("work", "home", "root", "Users")]
    faults = [
        f"{path.relative_to(ROOT)} holds {mark.decode()}"
        for path in tracked()
        for mark in machine
        if mark in path.read_bytes()
    ]
    assert faults == []


def test_no_tracked_file_is_large_or_a_table_of_data() -> None:
    names = [
        path for path in tracked() if path.suffix in {".csv", ".parquet"} or path.stat().st_size > 1_000_000
    ]
    assert [str(path.relative_to(ROOT)) for path in names] == []


def test_every_package_is_installed() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]
    roots = [ROOT / "sim", ROOT / "reports"]
    packages = {
        ".".join(path.parent.relative_to(root).parts) for root in roots for path in root.rglob("__init__.py")
    }
    assert set(settings["packages"]) == packages | {"clustersim.shipped"}
