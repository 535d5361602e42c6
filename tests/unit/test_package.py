"""The package keeps to names of its own: a folder may hold a `sim` and a `reports` of somebody else."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

PROGRAM = """
import clustersim as cs

run = cs.run("chen-10k", replications=1, horizon="1d", workers=1)
print(run.report("page.html"))
"""


def test_a_folder_with_a_sim_and_reports_of_its_own_does_no_harm(tmp_path: Path) -> None:
    for folder in ("sim", "reports"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "__init__.py").write_text('raise SystemExit("not ours")\n')
    (tmp_path / "reports.py").write_text('raise SystemExit("not ours")\n')
    (tmp_path / "program.py").write_text(PROGRAM)
    done = subprocess.run(
        [sys.executable, "program.py"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "page.html").stat().st_size > 1_000_000
