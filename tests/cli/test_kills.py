"""A few kills at random instants; `python -m tests.kills` does many, of all commands, on mount points too."""

import os
from pathlib import Path

import pytest

from tests.kills import Killer


@pytest.mark.skipif(os.name != "posix", reason="needs signals")
@pytest.mark.parametrize("kind", ["plain", "link"])
def test_a_killed_run_goes_on_to_the_same_bytes_and_loses_nothing(tmp_path: Path, kind: str) -> None:
    killer = Killer(seed=5, folder=tmp_path)
    killer.undisturbed("run")
    killer.count["run rounds"] = 1  # over an earlier run with studies
    killer.round("run", kind, 2)
    assert killer.findings == []
    assert killer.count["run rounds"] == 2
