"""`clustersim runs`: what has been simulated."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from clustersim.cli import options
from clustersim.cli.program import OK, Command

EXAMPLES = (
    "clustersim runs",
    "clustersim runs runs/compare-chen-10k elsewhere",
    "clustersim runs --format csv",
    "clustersim report $(clustersim runs --json | jq -r '.runs[-1].folder')   # of the latest",
)
DEEPEST = 2
"""Runs lie in runs/<name>, and those of a comparison a folder deeper."""


@click.command(cls=Command, examples=EXAMPLES)
@click.argument("folders", nargs=-1, metavar="[FOLDER]...", type=click.Path(path_type=Path))
@options.as_json
def runs(folders: tuple[Path, ...], as_json: bool) -> int:
    """List finished runs (in runs/, or FOLDER) with scenario, settings, ETTR and date, the latest last."""
    from clustersim.cli.screen import Sheet
    from clustersim.formatting import plus_minus
    from clustersim.store import RunError

    for folder in folders:
        if not folder.is_dir():
            raise RunError(f"{folder}: no such folder; give one that holds runs")
    places = folders or (options.RUNS,)
    found = sorted(
        (run for place in places for run in _runs(place, DEEPEST)), key=lambda run: run["finished"]
    )
    rows = [
        (
            run["folder"],
            run["scenario"],
            plus_minus(run["ettr"], run["half_width"]),
            run["settings"],
            run["finished"],
        )
        for run in found
    ]
    nothing = f"no finished run in {', '.join(map(str, places))}; clustersim run makes one"
    columns = ("run", "scenario", "ETTR", "settings", "finished")
    options.present(Sheet(columns, {"": rows}, found, nothing, left=5), {"runs": found} if as_json else None)
    return OK


def _runs(folder: Path, depth: int) -> Iterator[dict[str, Any]]:
    """Yield the finished runs in a folder, or the run that it is."""
    from clustersim import folders

    if folders.is_run_folder(folder):
        yield _of(folder)
    elif depth and folder.is_dir():
        for inner in sorted(folder.iterdir()):
            if inner.is_dir() and not inner.name.startswith("."):
                yield from _runs(inner, depth - 1)


def _of(folder: Path) -> dict[str, Any]:
    """Return what the list says of a run; of one that cannot be read the reason, in place of its settings."""
    from clustersim import folders
    from clustersim.metrics import cells
    from clustersim.store import RunError

    try:
        summary, made = (folders.read_json(folder / name) for name in (folders.SUMMARY, folders.PROVENANCE))
        settings = ", ".join(
            [cells.simulated(summary).text, f"seed {summary['seed']}", *_sets(made.get("command") or "")]
        )
        ettr, width = float(summary["ettr"]["mean"]), summary["half_width"]
        scenario, finished = str(summary["name"]), str(made["finished"])
    except (RunError, LookupError, TypeError, ValueError) as error:
        settings, ettr, width = f"cannot be read: {error}", None, None
        scenario, finished = folder.name, ""
    return {
        "folder": str(folder),
        "scenario": scenario,
        "ettr": ettr,
        "half_width": width,
        "settings": settings,
        "finished": finished.replace("T", " ").removesuffix("+00:00"),
    }


def _sets(command: str) -> Iterator[str]:
    """Yield what `--set` changed in a command line."""
    words = shlex.split(command)
    for place, word in enumerate(words):
        if word == "--set" and place + 1 < len(words):
            yield words[place + 1]
        elif word.startswith("--set="):
            yield word.removeprefix("--set=")
