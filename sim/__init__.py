"""clustersim: a discrete-event simulator of GPU training clusters.

`load` reads a scenario, `run` simulates it, `compare` simulates several on the same failures, `tune` finds
the checkpoint interval, `levers` ranks what could be improved, `validate` compares with what was published.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sim.api import compare, levers, run, tune, validate
    from sim.results import Comparison, Results
    from sim.scenario import Scenario, ScenarioError, load
    from sim.store import RunError
    from sim.tuning import Levers, Tuning
    from sim.validation import Validation

    __version__: str

__all__ = [
    "Comparison",
    "Levers",
    "Results",
    "RunError",
    "Scenario",
    "ScenarioError",
    "Tuning",
    "Validation",
    "__version__",
    "compare",
    "levers",
    "load",
    "run",
    "tune",
    "validate",
]

_HOMES = {
    "Comparison": "sim.results",
    "Levers": "sim.tuning",
    "Results": "sim.results",
    "RunError": "sim.store",
    "Scenario": "sim.scenario",
    "ScenarioError": "sim.scenario",
    "Tuning": "sim.tuning",
    "Validation": "sim.validation",
    "compare": "sim.api",
    "levers": "sim.api",
    "load": "sim.scenario",
    "run": "sim.api",
    "tune": "sim.api",
    "validate": "sim.api",
}


def __getattr__(name: str) -> Any:
    """Load what is asked for when it is asked for: `import sim` costs nothing."""
    if name == "__version__":
        return import_module("sim.version").VERSION
    if name not in _HOMES:
        raise AttributeError(f"module 'sim' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
