"""Random tests draw the same each time, and what was not tested on this machine is said aloud at the end."""

from __future__ import annotations

from collections import Counter

from _pytest.terminal import TerminalReporter
from hypothesis import settings

# The same draws for each run, and nothing kept from one to the next: a change is judged by what it changes.
# `pytest --hypothesis-profile=default` draws others.
settings.load_profile("ci")


def pytest_terminal_summary(terminalreporter: TerminalReporter) -> None:
    """Print how many tests were skipped, and why: without Chromium, say, no page was opened in a browser."""
    skipped = terminalreporter.stats.get("skipped", [])
    reasons = Counter(
        str(report.longrepr[2]).removeprefix("Skipped: ")
        for report in skipped
        if isinstance(report.longrepr, tuple)
    )
    if reasons:
        terminalreporter.write_sep(
            "*", f"{sum(reasons.values())} TESTS WERE SKIPPED HERE", red=True, bold=True
        )
        for reason, count in reasons.most_common():
            terminalreporter.write_line(f"{count:5}  {reason}", red=True)
