"""The one way from what was found to the page that shows it: who writes pages has registered for it."""

from __future__ import annotations

from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from clustersim.store import RunError

GROUP = "clustersim.pages"
"""The entry points among which a package registers what writes pages; ours is `clustersim_reports`."""


def write_page(writer: str, shown: Any, path: Path, *more: Any) -> Path:
    """Let the *writer*, such as `write_report`, write the page of what is *shown* to *path*; return the path.

    So nothing in the simulator depends on its reports, and only who asks for a page pays for it.  Raises
    RunError where nobody has registered.
    """
    able = _able(writer)
    if not able:
        raise RunError(f"{path}: nothing is installed that writes this page; install clustersim with pip")
    path.parent.mkdir(parents=True, exist_ok=True)
    getattr(able[-1], writer)(shown, path, *more)
    return path


def notebook(writer: str, shown: Any, *more: Any) -> str | None:
    """Return what a notebook shows instead of the `repr` of *shown*; None where nobody has registered."""
    able = _able(writer)
    return str(getattr(able[-1], writer)(shown, *more)) if able else None


def _able(writer: str) -> list[Any]:
    registered = [point.load() for point in entry_points(group=GROUP)]
    return [package for package in registered if hasattr(package, writer)]
