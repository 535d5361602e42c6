"""A copy of a scenario file with a change in its place, everything else in it as it was."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from clustersim import folders
from clustersim.scenario import ScenarioError, load
from clustersim.scenario.editing import edited, moved
from clustersim.store import ChoiceError, RunError


def write_changed(
    file: Path, target: Path, values: Mapping[str, Any], source: str, force: bool = False
) -> None:
    """Write the scenario *file* with other *values* at dotted paths to *target*.

    A source that the file gives for one of them becomes *source*.  Raises RunError where *target* is there
    already (unless *force*), ChoiceError where the copy would not be the same scenario with these values.
    """
    if target.exists() and not force:
        raise RunError(f"{target}: there already; give another file, or --force")
    target.parent.mkdir(parents=True, exist_ok=True)
    trial = target.with_name(f".{target.stem}.trial.yaml")
    try:
        wanted = load(file, values)
        text, named = file.read_text("utf-8-sig"), moved(file.parent, target.parent)
        text = edited(text, values, wanted.document, source, named)
        trial.write_text(text, "utf-8")
        found = load(trial)
    except ScenarioError as error:
        raise ChoiceError(f"{target}: the copy would not be valid there: {error.faults[0]}") from error
    finally:
        trial.unlink(missing_ok=True)
    if found.document | {"sources": None} != wanted.document | {"sources": None}:
        raise ChoiceError(f"{file}: {', '.join(values)} cannot be put in its place; set it by hand")
    folders.write_text(target, text)
