"""Results in, one HTML file out: of runs, of a tuning, of levers, of a validation.

Each page is written whole or not at all, and shows the *command* that made it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from clustersim.results import Results
    from clustersim.studies.compare import Comparison
    from clustersim.studies.study import Study
    from clustersim.validation import Validation
    from clustersim_reports.blocks import Page


def write_report(
    results: Sequence[Results], path: Path, comparison: Comparison | None = None, command: str | None = None
) -> None:
    """Write the report of one run, or of several compared; raises ValueError without any, and OSError."""
    from clustersim_reports import page, runs

    page.save(runs.page(results, comparison, command), path)


def write_study(study: Study, path: Path, command: str | None = None) -> None:
    """Write the page of a tuning, or of levers; raises OSError where it cannot."""
    from clustersim_reports import levers, page, tune

    pages: dict[str, Callable[..., Page]] = {"tune.json": tune.page, "levers.json": levers.page}
    page.save(pages[study.file](study, command, _now()), path)


def write_validation(validation: Validation, path: Path, command: str | None = None) -> None:
    """Write the page of *validation*; raises OSError where it cannot."""
    from clustersim_reports import page, validate

    page.save(validate.page(validation, command), path)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
