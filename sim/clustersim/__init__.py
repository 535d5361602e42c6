"""clustersim: a discrete-event simulator of GPU training clusters.

`load` reads a scenario, `run` simulates it, `compare` simulates several on the same failures, `tune` finds
the checkpoint interval, `levers` ranks what could be improved, `sweep` tries all combinations of values in
some places, `solve` finds the value with which a condition is met, `sensitivity` ranks the uncertain inputs,
`fit` makes a scenario of logs, `validate` compares with what was published.  All but `load` take `Settings`,
or its fields as keywords.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from clustersim.experiment import run as run
    from clustersim.fitting.answer import Fit as Fit
    from clustersim.fitting.fit import fit as fit
    from clustersim.results import Results as Results
    from clustersim.scenario import Scenario as Scenario
    from clustersim.scenario import ScenarioError as ScenarioError
    from clustersim.scenario import load as load
    from clustersim.settings import Settings as Settings
    from clustersim.shards import Merged as Merged
    from clustersim.shards import Shard as Shard
    from clustersim.shards import merge as merge
    from clustersim.shards import shard as shard
    from clustersim.store import RunError as RunError
    from clustersim.studies.compare import Comparison as Comparison
    from clustersim.studies.compare import compare as compare
    from clustersim.studies.indices import sensitivity_of as sensitivity_of
    from clustersim.studies.levers import Levers as Levers
    from clustersim.studies.levers import levers as levers
    from clustersim.studies.sensitivity import SensitivityStudy as SensitivityStudy
    from clustersim.studies.sensitivity import sensitivity as sensitivity
    from clustersim.studies.solve import Solution as Solution
    from clustersim.studies.solve import solve as solve
    from clustersim.studies.sweep import Sweep as Sweep
    from clustersim.studies.sweep import sweep as sweep
    from clustersim.studies.tune import Tuning as Tuning
    from clustersim.studies.tune import tune as tune
    from clustersim.validation import Validation as Validation
    from clustersim.validation.validate import validate as validate

    __version__: str

_HOMES = {
    "Comparison": "studies.compare",
    "Fit": "fitting.answer",
    "Levers": "studies.levers",
    "Merged": "shards",
    "Results": "results",
    "RunError": "store",
    "Scenario": "scenario",
    "ScenarioError": "scenario",
    "Settings": "settings",
    "Shard": "shards",
    "Solution": "studies.solve",
    "SensitivityStudy": "studies.sensitivity",
    "Sweep": "studies.sweep",
    "Tuning": "studies.tune",
    "Validation": "validation",
    "compare": "studies.compare",
    "fit": "fitting.fit",
    "levers": "studies.levers",
    "load": "scenario",
    "merge": "shards",
    "run": "experiment",
    "shard": "shards",
    "solve": "studies.solve",
    "sensitivity": "studies.sensitivity",
    "sensitivity_of": "studies.indices",
    "sweep": "studies.sweep",
    "tune": "studies.tune",
    "validate": "validation.validate",
}
"""In which module each name of the package is at home: `import clustersim` loads none of them."""

__all__ = [*_HOMES, "__version__"]


def __getattr__(name: str) -> Any:
    """Load what is asked for when it is asked for."""
    if name == "__version__":
        return import_module("clustersim.version").VERSION
    if name not in _HOMES:
        raise AttributeError(f"module 'clustersim' has no attribute {name!r}")
    return getattr(import_module(f"clustersim.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
