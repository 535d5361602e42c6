"""Results in, one HTML file out: of runs, of a tuning, of levers, of a validation."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from clustersim.results import Comparison, Results
    from clustersim.tuning import Levers, Tuning
    from clustersim.validation import Validation


def write_report(
    results: Sequence[Results],
    path: Path,
    comparison: Comparison | None = None,
    command: str | None = None,
) -> None:
    """Write the report of *results* (one run, or several compared) to *path*, whole or not at all.

    *command* is shown as what made it.  Raises ValueError without results, OSError where it cannot write.
    """
    from clustersim_reports.page import write

    write(results, path, comparison, command)


def write_tuning(tuning: Tuning, path: Path, command: str | None = None) -> None:
    """Write the report of *tuning* to *path*, whole or not at all; raises OSError where it cannot."""
    from clustersim_reports.sheet import save
    from clustersim_reports.tuning import render

    save(render(tuning, command, _now()), path)


def write_levers(levers: Levers, path: Path, command: str | None = None) -> None:
    """Write the report of *levers* to *path*, whole or not at all; raises OSError where it cannot."""
    from clustersim_reports.levers import render
    from clustersim_reports.sheet import save

    save(render(levers, command, _now()), path)


def write_validation(validation: Validation, path: Path, command: str | None = None) -> None:
    """Write the page of *validation* to *path*, whole or not at all; raises OSError where it cannot."""
    from clustersim_reports.sheet import save
    from clustersim_reports.validation import render

    save(render(validation, command), path)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
