"""Run folders in, one HTML file out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sim.results import Comparison, Results


def write_report(
    results: Sequence[Results],
    path: Path,
    comparison: Comparison | None = None,
    command: str | None = None,
) -> None:
    """Write the report of *results* (one run, or several compared) to *path*, whole or not at all.

    *command* is shown as what made it.  Raises ValueError without results, OSError where it cannot write.
    """
    from reports.page import write

    write(results, path, comparison, command)
