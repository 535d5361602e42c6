"""The scenario language: one YAML file is one cluster, one job, one question."""

from sim.scenario.json_schema import schema
from sim.scenario.loading import load, loads
from sim.scenario.model import Scenario
from sim.scenario.text.errors import Fault, Place, ScenarioError
from sim.scenario.writing import dump

__all__ = ["Fault", "Place", "Scenario", "ScenarioError", "dump", "load", "loads", "schema"]
