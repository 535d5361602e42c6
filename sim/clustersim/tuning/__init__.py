"""How often to save, and what to improve first."""

from clustersim.tuning.changes import Change
from clustersim.tuning.intervals import tune
from clustersim.tuning.ranking import levers
from clustersim.tuning.results import Candidate, Gain, Lever, Levers, Tuning, WhatIf, Worth
from clustersim.tuning.what_if import what_ifs

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
