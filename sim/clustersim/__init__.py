"""clustersim: a discrete-event simulator of GPU training clusters.

`load` reads a scenario, `run` simulates it, `compare` simulates several on the same failures, `tune` finds
the checkpoint interval, `levers` ranks what could be improved, `validate` compares with what was published.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from clustersim.api import compare, levers, run, tune, validate
    from clustersim.results import Comparison, Results
    from clustersim.scenario import Scenario, ScenarioError, load
    from clustersim.store import RunError
    from clustersim.tuning import Levers, Tuning
    from clustersim.validation import Validation

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
    "Comparison": "clustersim.results",
    "Levers": "clustersim.tuning",
    "Results": "clustersim.results",
    "RunError": "clustersim.store",
    "Scenario": "clustersim.scenario",
    "ScenarioError": "clustersim.scenario",
    "Tuning": "clustersim.tuning",
    "Validation": "clustersim.validation",
    "compare": "clustersim.api",
    "levers": "clustersim.api",
    "load": "clustersim.scenario",
    "run": "clustersim.api",
    "tune": "clustersim.api",
    "validate": "clustersim.api",
}


def __getattr__(name: str) -> Any:
    """Load what is asked for when it is asked for: `import clustersim` costs nothing."""
    if name == "__version__":
        return import_module("clustersim.version").VERSION
    if name not in _HOMES:
        raise AttributeError(f"module 'clustersim' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
