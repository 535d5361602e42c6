"""Published clusters and exact results, simulated and compared with what was published."""

from sim.validation.results import Outcome, Tried, Validation
from sim.validation.verdict import Interval

__all__ = ["Interval", "Outcome", "Tried", "Validation"]
