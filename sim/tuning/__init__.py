"""How often to save, and what to improve first."""

from sim.tuning.changes import Change
from sim.tuning.intervals import tune
from sim.tuning.ranking import levers
from sim.tuning.results import Candidate, Gain, Lever, Levers, Tuning, WhatIf, Worth
from sim.tuning.what_if import what_ifs

__all__ = [
    "Candidate",
    "Change",
    "Gain",
    "Lever",
    "Levers",
    "Tuning",
    "WhatIf",
    "Worth",
    "levers",
    "tune",
    "what_ifs",
]
