"""Results in, one HTML file out: of runs, of a tuning, of levers, of a validation.

Each page is written whole or not at all, and shows the *command* that made it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from clustersim.results import Comparison, Results
    from clustersim.studies.levers import Levers
    from clustersim.studies.tuning import Tuning
    from clustersim.validation import Validation


def write_report(
    results: Sequence[Results], path: Path, comparison: Comparison | None = None, command: str | None = None
) -> None:
    """Write the report of one run, or of several compared; raises ValueError without any, and OSError."""
    from clustersim_reports import page, runs

    page.save(runs.page(results, comparison, command), path)


def write_tuning(tuning: Tuning, path: Path, command: str | None = None) -> None:
    """Write the page of *tuning*; raises OSError where it cannot."""
    from clustersim_reports import page, tune

    page.save(tune.page(tuning, command, _now()), path)


def write_levers(levers: Levers, path: Path, command: str | None = None) -> None:
    """Write the page of *levers*; raises OSError where it cannot."""
    from clustersim_reports import levers as ranking
    from clustersim_reports import page

    page.save(ranking.page(levers, command, _now()), path)


def write_validation(validation: Validation, path: Path, command: str | None = None) -> None:
    """Write the page of *validation*; raises OSError where it cannot."""
    from clustersim_reports import page, validate

    page.save(validate.page(validation, command), path)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
