"""clustersim: a discrete-event simulator of GPU training clusters.

`load` reads a scenario, `run` simulates it, `compare` simulates several on the same failures, `tune` finds
the checkpoint interval, `levers` ranks what could be improved, `validate` compares with what was published.
All but `load` take `Settings`, or its fields as keywords.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from clustersim.api import compare, run
    from clustersim.results import Comparison, Results
    from clustersim.scenario import Scenario, ScenarioError, load
    from clustersim.settings import Settings
    from clustersim.store import RunError
    from clustersim.studies.levers import Levers, levers
    from clustersim.studies.tune import tune
    from clustersim.studies.tuning import Tuning
    from clustersim.validation import Validation
    from clustersim.validation.running import validate

    __version__: str

__all__ = [
    "Comparison",
    "Levers",
    "Results",
    "RunError",
    "Scenario",
    "ScenarioError",
    "Settings",
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
    "Levers": "clustersim.studies.levers",
    "Results": "clustersim.results",
    "RunError": "clustersim.store",
    "Scenario": "clustersim.scenario",
    "ScenarioError": "clustersim.scenario",
    "Settings": "clustersim.settings",
    "Tuning": "clustersim.studies.tuning",
    "Validation": "clustersim.validation",
    "compare": "clustersim.api",
    "levers": "clustersim.studies.levers",
    "load": "clustersim.scenario",
    "run": "clustersim.api",
    "tune": "clustersim.studies.tune",
    "validate": "clustersim.validation.running",
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
