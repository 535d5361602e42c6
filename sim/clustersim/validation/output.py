"""A validation as plain data, as `--json` prints it and the folder holds it; what is unknown is null."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from clustersim import folders
from clustersim.pages import write_page
from clustersim.store import RunError
from clustersim.validation.estimator import roads_as_list
from clustersim.validation.results import Outcome, Tried, Validation

SCHEMA_VERSION = 1
VALIDATION = "validation.json"


def validation_as_dict(validation: Validation) -> dict[str, Any]:
    """Return what `validate --json` prints."""
    return {
        "schema_version": SCHEMA_VERSION,
        "passed": validation.passed,
        "cases": [_case(case) for case in validation.cases],
        "version": validation.made.get("version"),
        "estimator": roads_as_list(validation.roads),
        "wall_s": validation.made.get("wall_s"),
    }


def _case(case: Outcome) -> dict[str, Any]:
    return {
        "name": case.name,
        "kind": case.kind,
        "title": case.title,
        "source": case.source,
        "published": {
            "says": case.says,
            "value": case.value,
            "low": case.low,
            "high": case.high,
            "unit": case.unit,
        },
        "simulated": case.simulated.to_dict(),
        "verdict": case.verdict,
        "passed": case.passed,
        "figure": case.figure if case.of is None else {case.figure: case.of},
        "difference": case.difference,
        "reads": case.reads,
        "assumes": list(case.assumes),
        "change": dict(case.change),
        "minus": None if case.minus is None else dict(case.minus),
        "unknown": case.unknown,
        "tried": [_tried(one) for one in case.tried],
        "replications": case.replications,
        "wall_s": round(case.wall_s, 3),
    }


def _tried(one: Tried) -> dict[str, Any]:
    return {"value": one.value, "simulated": one.simulated.to_dict(), "verdict": one.verdict}


def refuse_taken(folder: Path) -> None:
    """Raise `RunError` where *folder* is a file, or a folder with something else than a validation in it."""
    if folder.exists() and not folder.is_dir():
        raise RunError(f"{folder}: is a file, not a folder; give another -o")
    if folder.is_dir() and any(folder.iterdir()) and not (folder / VALIDATION).is_file():
        raise RunError(
            f"{folder}: holds something else than a validation, and is left alone; give another -o"
        )


def save_validation(validation: Validation, folder: Path) -> None:
    """Write `validation.json` and `report.html` to *folder*, whole or not at all.

    They take the place of the validation that was there.  The same claims and seed give the same JSON: how
    long it took is left out.
    """
    refuse_taken(folder)
    new = folders.empty_beside(folder)
    try:
        folders.write_json(new / VALIDATION, _without_times(validation_as_dict(validation)))
        report_of(validation, new / folders.REPORT)
        folders.take_place(new, folder)
    except BaseException:
        shutil.rmtree(new, ignore_errors=True)
        raise


def _without_times(values: dict[str, Any]) -> dict[str, Any]:
    cases = [{name: value for name, value in case.items() if name != "wall_s"} for case in values["cases"]]
    return {name: value for name, value in (values | {"cases": cases}).items() if name != "wall_s"}


def report_of(validation: Validation, path: Path) -> Path:
    """Write the HTML report of *validation* to *path*, and return it."""
    return write_page("write_validation", validation, path, validation.made.get("command"))
