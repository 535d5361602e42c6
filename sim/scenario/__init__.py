"""The scenario language: one YAML file is one cluster, one job, one question."""

from sim.scenario.errors import Fault, Place, ScenarioError
from sim.scenario.loading import load, loads
from sim.scenario.model import Scenario

__all__ = ["Fault", "Place", "Scenario", "ScenarioError", "load", "loads"]
