"""Results in, one HTML file out: of runs, of a study, of a validation.

In a notebook runs, a comparison and a study show a short form of their page.

Each page is written whole or not at all, and shows the *command* that made it.
"""

from clustersim_reports.pages import (
    notebook_runs,
    notebook_study,
    write_report,
    write_study,
    write_validation,
)

__all__ = ["notebook_runs", "notebook_study", "write_report", "write_study", "write_validation"]
