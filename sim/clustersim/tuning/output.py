"""The answers as plain data, as `--json` prints them and the folders hold them; what is unknown is null."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from clustersim.estimate import Estimate
from clustersim.folders import write_json
from clustersim.pages import write_page
from clustersim.tuning.results import Gain, Lever, Levers, Tuning, WhatIf, Worth
from clustersim.tuning.verdict import advise_levers, advise_tuning

SCHEMA_VERSION = 1
TUNE, LEVERS = "tune.json", "levers.json"


def tuning_as_dict(tuning: Tuning) -> dict[str, Any]:
    """Return what `tune --json` prints."""
    return {
        **_head(tuning),
        "tier": tuning.place.tier,
        "method": "simulated" if tuning.simulated else "scored",
        "method_reason": tuning.simulated,
        "no_failures": tuning.no_failures,
        "no_progress": tuning.no_progress,
        "best_s": tuning.best_s,
        "range_s": None if tuning.range_s is None else list(tuning.range_s),
        "recommended_s": tuning.recommended_s,
        "boundary": tuning.boundary,
        "ettr_at_best": _estimate(tuning.ettr_at_best, share=True),
        "now_s": tuning.now_s,
        "ettr_now": _estimate(tuning.ettr_now, share=True),
        "young_s": tuning.young_s,
        "daly_s": tuning.daly_s,
        "exact_s": tuning.exact_s,
        "fresh_replications": tuning.fresh_replications,
        "gains": [_gain(gain) for gain in tuning.gains],
        "curve": [
            {"interval_s": one.interval_s, **_point(one.ettr), "told_apart": one.told_apart}
            for one in tuning.curve
        ],
        "what_ifs": [_what_if(one) for one in tuning.what_ifs],
        "advice": [str(advice) for advice in advise_tuning(tuning)],
        "wall_s": tuning.wall_s,
    }


def levers_as_dict(levers: Levers) -> dict[str, Any]:
    """Return what `levers --json` prints."""
    return {
        **_head(levers),
        "ettr": _estimate(levers.ettr, share=True),
        "no_progress": levers.no_progress,
        "levers": [_lever(lever) for lever in levers.levers],
        "advice": [str(advice) for advice in advise_levers(levers)],
        "wall_s": levers.wall_s,
    }


def save_tuning(tuning: Tuning, folder: Path) -> Path:
    """Write `tune.json` into *folder*, and return its path."""
    return _saved(tuning_as_dict(tuning), folder / TUNE)


def save_levers(levers: Levers, folder: Path) -> Path:
    """Write `levers.json` into *folder*, and return its path."""
    return _saved(levers_as_dict(levers), folder / LEVERS)


def report_of(found: Tuning | Levers, path: Path, command: str | None = None) -> Path:
    """Write the HTML report of *found* to *path*, and return it."""
    writer = "write_tuning" if isinstance(found, Tuning) else "write_levers"
    return write_page(writer, found, path, command)


def _saved(values: dict[str, Any], path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_json(path, {name: value for name, value in values.items() if name != "wall_s"})
    return path


def _head(found: Tuning | Levers) -> dict[str, Any]:
    scenario = found.scenario
    return {
        "schema_version": SCHEMA_VERSION,
        "name": scenario.name,
        "gpus": scenario.cluster.gpus,
        "horizon_s": scenario.end_s,
        "replications": found.replications,
        "seed": scenario.simulation.seed,
        "currency": scenario.costs.currency if scenario.costs else None,
        "scenario_hash": found.given.hash,
    }


def _estimate(estimate: Estimate | None, *, share: bool = False) -> dict[str, float | None] | None:
    """Return an estimate with both ends of its interval, those of a *share* held between 0 and 1."""
    if estimate is None:
        return None
    low, high = estimate.clipped(0.0, 1.0) if share else (estimate.low, estimate.high)
    return {"mean": estimate.mean, "low": low, "high": high}


def _point(estimate: Estimate) -> dict[str, float | None]:
    low, high = estimate.clipped(0.0, 1.0)
    return {"ettr": estimate.mean, "low": low, "high": high}


def _worth(worth: Worth, ettr: str, cards: str) -> dict[str, Any]:
    return {
        ettr: _estimate(worth.ettr),
        cards: _estimate(worth.effective_gpus),
        "money_per_year": _estimate(worth.money_per_year),
    }


def _gain(gain: Gain) -> dict[str, Any]:
    return {
        "over": gain.over,
        "interval_s": gain.interval_s,
        **_worth(gain.worth, "ettr", "effective_gpus"),
        "distinguishable": gain.distinguishable,
    }


def _what_if(one: WhatIf) -> dict[str, Any]:
    return {
        "path": one.path,
        "value": one.value,
        "gpus": one.gpus,
        "now_s": one.now_s,
        "best_s": one.best_s,
        "range_s": None if one.range_s is None else list(one.range_s),
        "ettr": _estimate(one.ettr, share=True),
        "effective_gpus": _estimate(one.effective_gpus),
    }


def _lever(lever: Lever) -> dict[str, Any]:
    price = lever.change.price
    return {
        "name": lever.name,
        "change": lever.change.text,
        **_worth(lever.worth, "ettr_gain", "effective_gpus_gain"),
        "distinguishable": lever.distinguishable,
        "price": None if price is None else {"amount": price.amount, "currency": price.currency},
        "pays_back_s": lever.pays_back_s,
    }
