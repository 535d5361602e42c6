"""The keys of tune.json and levers.json are those that the reference explains."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from clustersim.tuning import levers, tune
from clustersim.tuning.output import levers_as_dict, tuning_as_dict
from tests.unit.tuning.clusters import HERE, job

PAGE = Path(__file__).resolve().parents[3] / "docs/reference/tuning.md"
ESTIMATE = {"mean", "low", "high"}


def keys(value: Any) -> set[str]:
    """Every key anywhere in a JSON value."""
    if isinstance(value, dict):
        return set(value).union(*map(keys, value.values()))
    return set().union(*map(keys, value)) if isinstance(value, list) else set()


def test_every_key_is_explained() -> None:
    scenario = job(
        costs={"gpu_hour": "2 USD"}, levers={"x": {"checkpoint.blocks": "3 s", "price": "5 USD"}}, lives=20
    )
    explained = set(re.findall(r"`(\w+)`", PAGE.read_text("utf-8"))) | ESTIMATE
    found = [
        tuning_as_dict(tune(scenario, candidates=8, settings=HERE)),
        levers_as_dict(levers(scenario, settings=HERE)),
    ]
    assert keys(found) - explained == set()
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_shares_stay_between_nothing_and_all() -> None:
    found = tuning_as_dict(
        tune(job(mtbf=60, restart=600, replications=2, lives=60), candidates=8, settings=HERE)
    )
    ends = [end for one in found["curve"] for end in (one["low"], one["high"])]
    assert all(0 <= end <= 1 for end in ends)


def test_a_report_is_written_by_reports(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    called = []
    monkeypatch.setattr("clustersim_reports.write_tuning", lambda *given: called.append(given), raising=False)
    found = tune(job(lives=3), candidates=5, settings=HERE)
    path = tmp_path / "below" / "report.html"
    assert found.report(path) == path
    assert called == [(found, path, None)]
    assert path.parent.is_dir()
