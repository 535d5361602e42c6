"""The scenario language: one YAML file is one cluster, one job, one question."""

from clustersim.scenario.json_schema import schema
from clustersim.scenario.loading import load, loads
from clustersim.scenario.model import Scenario
from clustersim.scenario.text.document import Place, Problem, ScenarioError
from clustersim.scenario.writing import dump

__all__ = ["Place", "Problem", "Scenario", "ScenarioError", "dump", "load", "loads", "schema"]
