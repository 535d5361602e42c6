"""A validation as plain data, as `--json` prints it and the folder holds it; what is unknown is null."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

from sim.folders import write_json
from sim.store import RunError
from sim.validation.results import Outcome, Tried, Validation
from sim.validation.verdict import Interval

SCHEMA_VERSION = 1
VALIDATION = "validation.json"


def validation_as_dict(validation: Validation) -> dict[str, Any]:
    """Return what `validate --json` prints."""
    return {
        "schema_version": SCHEMA_VERSION,
        "passed": validation.passed,
        "cases": [_case(case) for case in validation.cases],
        "version": validation.made.get("version"),
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
        "simulated": _interval(case.simulated),
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
    return {"value": one.value, "simulated": _interval(one.simulated), "verdict": one.verdict}


def _interval(interval: Interval) -> dict[str, float | None]:
    return {"mean": interval.mean, "low": interval.low, "high": interval.high}


def save_validation(validation: Validation, folder: Path) -> Path:
    """Write `validation.json` into *folder*, whole or not at all, and return its path.

    The same claims and seed give the same bytes: how long it took is left out.
    """
    folder.mkdir(parents=True, exist_ok=True)
    values = {name: value for name, value in validation_as_dict(validation).items() if name != "wall_s"}
    for case in values["cases"]:
        del case["wall_s"]
    write_json(folder / VALIDATION, values)
    return folder / VALIDATION


def report_of(validation: Validation, path: Path) -> Path:
    """Write the HTML report of *validation* to *path*, and return it."""
    write = getattr(import_module("reports"), "write_validation", None)
    if write is None:
        raise RunError(f"{path}: this version writes no HTML report of a validation")
    path.parent.mkdir(parents=True, exist_ok=True)
    write(validation, path, validation.made.get("command"))
    return path
