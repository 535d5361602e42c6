"""The scripts of the guide "On a cluster": a shell reads them, and they come to the bytes of one sweep."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

import clustersim as cs
from tests.machines.conftest import files

GUIDE = (Path(__file__).resolve().parents[2] / "docs/guides/cluster.md").read_text("utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)
ARRAY = next(text for _, text in BLOCKS if text.startswith("#!/bin/bash"))
JOB: dict[str, Any] = YAML(typ="safe").load(next(text for _, text in BLOCKS if text.startswith("apiVersion")))
PLAN = next(text for _, text in BLOCKS if text.startswith("# plan.yaml"))
OF = 2
pytestmark = pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")


@pytest.fixture
def plans(tmp_path: Path) -> Path:
    """A folder with the plan, and a folder on the path with the command."""
    small = PLAN.replace("replications: 8", "replications: 2").replace("horizon: 5 d", "horizon: 6 h")
    assert small.count("replications: 2") == small.count("horizon: 6 h") == 1
    (tmp_path / "plan.yaml").write_text(small)
    command = tmp_path / "bin" / "clustersim"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m clustersim "$@"\n')
    command.chmod(0o755)
    return tmp_path


def bash(script: str, folder: Path, **variables: str) -> None:
    """Run a script as a batch system would."""
    path = f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, **variables}
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=folder,
        env=environment,
        check=False,
        timeout=200,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


def test_the_array_of_slurm_comes_to_the_bytes_of_one_sweep(plans: Path) -> None:
    subprocess.run(["bash", "-n"], input=ARRAY, text=True, check=True)
    assert re.search(r"^#SBATCH --array=1-\d+$", ARRAY, re.MULTILINE)
    counts = {"SLURM_ARRAY_TASK_COUNT": str(OF), "SLURM_CPUS_PER_TASK": "1"}
    for number in range(1, OF + 1):
        bash(ARRAY, plans, SLURM_ARRAY_TASK_ID=str(number), **counts)
    cs.merge(plans / "runs/plan/sweep-shards", plans / "merged", workers=1)
    cs.sweep(plans / "plan.yaml", plans / "whole", vary={"cluster.spares": "0..40:9"}, workers=1)
    assert files(plans / "merged") == files(plans / "whole")


def test_the_job_of_kubernetes_names_every_shard(plans: Path) -> None:
    spec = JOB["spec"]
    pod = spec["template"]["spec"]
    (container,) = pod["containers"]
    assert (JOB["apiVersion"], JOB["kind"], spec["completionMode"]) == ("batch/v1", "Job", "Indexed")
    assert pod["restartPolicy"] == "Never", "a job has backoffLimitPerIndex only with this one"
    (shards,) = container["env"]
    assert int(shards["value"]) == spec["completions"] == spec["parallelism"]
    assert container["command"] == ["bash", "-c"]
    assert [each["name"] for each in pod["volumes"]] == [each["name"] for each in container["volumeMounts"]]
    (script,) = container["args"]
    subprocess.run(["bash", "-n"], input=script, text=True, check=True)
    for index in range(OF):
        bash(script, plans, JOB_COMPLETION_INDEX=str(index), SHARDS=str(OF))
    found = sorted(path.name for path in (plans / "runs/plan/sweep-shards").iterdir())
    assert found == ["1-of-2", "2-of-2"]
