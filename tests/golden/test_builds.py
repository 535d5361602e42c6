"""Both builds give the same bytes: the compiled engine and its own source, under one interpreter.

`make test-fast` runs this; from a checkout, which is pure Python, there is nothing to compare with.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from clustersim.scenario import load
from clustersim.version import build
from tests.golden.test_figures import HORIZONS, WITH_DRAWS, names, shorter

if build() != "compiled":
    pytest.skip("this is no compiled build; make test-fast compares both", allow_module_level=True)
ROOT = Path(__file__).resolve().parents[2]
SUMMARY = "summary.json"
RUN = """
import json, sys
from pathlib import Path
import clustersim
from clustersim.scenario import load
from clustersim.version import build
for name, changes in json.loads(sys.argv[2]).items():
    clustersim.run(name, Path(sys.argv[1]) / name, overrides=changes, workers=1)
print(build())
"""


def simulated(place: Path, path: str) -> str:
    """Run all shipped scenarios, shortened, into run folders below *place*; return which build it was."""
    changes = {
        name: ({"simulation.horizon": HORIZONS[name]} if name in HORIZONS else shorter(name))
        | {"simulation.replications": WITH_DRAWS if load(name).uncertain else 2}
        for name in names()
    }
    environment = os.environ | {"PYTHONPATH": path}
    command = [sys.executable, "-c", RUN, str(place), json.dumps(changes)]
    done = subprocess.run(command, env=environment, cwd=place, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip().splitlines()[-1]


def contents(folder: Path) -> dict[str, bytes]:
    """Return the summary and the tables of a run folder; the time that the run took is no part of them."""
    tables = {path.name: path.read_bytes() for path in folder.glob("*.parquet")}
    return tables | {SUMMARY: (folder / SUMMARY).read_bytes()}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    compiled, pure = tmp_path_factory.mktemp("compiled"), tmp_path_factory.mktemp("pure")
    assert simulated(compiled, "") == "compiled"
    assert simulated(pure, os.pathsep.join((str(ROOT / "sim"), str(ROOT / "reports")))) == "pure Python"
    return compiled, pure


@pytest.mark.parametrize("name", names())
def test_both_builds_write_the_same_bytes(runs: tuple[Path, Path], name: str) -> None:
    compiled, pure = (contents(place / name) for place in runs)
    assert len(compiled) > 1
    assert list(compiled) == list(pure)
    assert [file for file in compiled if compiled[file] != pure[file]] == []
