"""A small scenario in an empty folder, and the command line in this process."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from clustersim.cli import main

SMALL = """
name: small
cluster: {gpus: 64, spares: 1}
workload: {tokens_per_gpu_second: 100}
failures:
  node: {per: node, mtbf: 30 d, repair: 4 h}
  job: {per: job, mtbf: 1 d}
checkpoint: {interval: 30 min, blocks: 1 min, load: 1 min}
recovery:
  stages: {detect: 1 min, restart: 4 min, load: checkpoint}
costs: {gpu_hour: 2 USD}
simulation: {horizon: 3 d, replications: 4}
expect: {ettr: ">= 0.5"}
"""

Clustersim = Callable[..., Result]


def printed(result: Result, code: int = 0) -> dict[str, Any]:
    """Return the one JSON object that a command printed."""
    assert result.exit_code == code, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with `small.yaml` and `large.yaml` in it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "small.yaml").write_text(SMALL)
    larger = SMALL.replace("name: small", "name: large").replace("gpus: 64", "gpus: 512")
    (tmp_path / "large.yaml").write_text(larger)
    return tmp_path


@pytest.fixture
def clustersim() -> Clustersim:
    """Run a command line and return what it printed; a traceback is always a failure."""

    def call(*arguments: str, stdin: str | bytes | None = None) -> Result:
        result = CliRunner().invoke(main, list(map(str, arguments)), input=stdin)
        assert "Traceback" not in result.output
        assert isinstance(result.exception, SystemExit | None)
        return result

    return call
