"""Results in, one HTML file out: of runs, of a tuning, of levers, of a validation.

Each page is written whole or not at all, and shows the *command* that made it.
"""

from clustersim_reports.pages import write_report, write_study, write_validation

__all__ = ["write_report", "write_study", "write_validation"]
