"""Key figures of every shipped scenario at small scale: a change of semantics cannot pass unnoticed.

After a change that is meant, `make golden` writes them anew; say in the changelog why they moved.
They hold for the pinned versions of the libraries: numpy promises equal streams only for the same build.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

SCENARIOS = Path(__file__).resolve().parents[2] / "scenarios"
GOLDEN = Path(__file__).with_name("figures.json")
REPLICATIONS = 3
WITH_DRAWS = 4
"""Replications where inputs are uncertain: two draws of two."""
HORIZONS = {
    "chen-10k": "20 d",
    "chen-100k": "2 d",
    "chen-1m": "1 d",
    "chen-1m-cold": "1 d",
    "chen-1m-hot-spare": "1 d",
    "chen-1m-replicas": "1 d",
    "llama3-16k": "20 d",
    "frontier-100k": "4 d",
    "stepfun-400": "60 d",
    "airesim-default": "4 d",
    "chatgpt-10k-a100": "2 d",
    "video-10k-h100": "8 d",
    "video-100k-h100": "2 d",
    "video-follower": "20 d",
    "lab-4090": "30 d",
    "lab-3090": "30 d",
    "lab-2080ti": "30 d",
    "bagualu": "20 d",
    "tokens-10t": "4 d",
    "supercomputers": "20 d",
    "spot-fleet": "4 d",
    "nvl72-16-of-18": "66 d",
    "published/fthsdp-replica": "234 min",
}
SHORTER = 10
"""A published case is simulated for so much less than it says, unless its horizon stands above."""
KEYS = (
    "ettr",
    "ledger",
    "waste_by_cause",
    "recovery_stages",
    "incidents_by_mode",
    "interruptions_total",
    "checkpoint_interval_s",
    "mtbf_s",
)


def names() -> list[str]:
    """Return the shipped files that are scenarios by themselves: those with a name."""
    files = sorted(SCENARIOS.rglob("*.yaml"))
    return [
        file.relative_to(SCENARIOS).with_suffix("").as_posix()
        for file in files
        if re.search("^name:", file.read_text("utf-8"), re.MULTILINE)
    ]


def figures(name: str) -> dict[str, Any]:
    """Simulate a few short replications of a shipped scenario and return their key figures."""
    from clustersim.engine.replication import simulate
    from clustersim.results import summarise
    from clustersim.scenario import load

    scenario = load(name, {"simulation.horizon": HORIZONS[name]} if name in HORIZONS else shorter(name))
    count = WITH_DRAWS if scenario.uncertain else REPLICATIONS
    summary = summarise(scenario, [simulate(scenario, number) for number in range(count)])
    return {key: _without_zeros(summary[key]) for key in KEYS if summary[key] is not None}


def shorter(name: str) -> dict[str, str]:
    """Return a horizon, and a warm-up, of a tenth of what a published case says."""
    from clustersim.scenario import load

    simulation = load(name).simulation
    assert simulation.horizon is not None
    times = {"simulation.horizon": simulation.horizon, "simulation.warm_up": simulation.warm_up}
    return {path: f"{seconds / SHORTER} s" for path, seconds in times.items()}


def _without_zeros(value: Any) -> Any:
    """Return the plain figures of a block that are not zero; the block itself where it is none."""
    if not isinstance(value, dict):
        return value
    return {key: part for key, part in value.items() if part != 0 and not isinstance(part, dict)}


def test_every_shipped_scenario_has_golden_figures() -> None:
    assert list(json.loads(GOLDEN.read_text("utf-8"))) == names()
    assert set(HORIZONS) <= set(names())
    assert all(name in HORIZONS or name.startswith("published/") for name in names())


@pytest.mark.parametrize("name", names())
def test_figures_are_what_they_were(name: str) -> None:
    golden = json.loads(GOLDEN.read_text("utf-8"))[name]
    now = figures(name)
    assert list(now) == list(golden)
    for key in now:
        assert now[key] == pytest.approx(golden[key], rel=1e-9, abs=1e-12), key


if __name__ == "__main__":
    text = json.dumps({name: figures(name) for name in names()}, indent=1)
    GOLDEN.write_text(text + "\n", "utf-8")
