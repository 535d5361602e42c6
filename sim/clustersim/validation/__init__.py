"""Published clusters and exact results, simulated and compared with what was published."""

from clustersim.validation.results import Outcome, Tried, Validation
from clustersim.validation.verdict import Interval

__all__ = ["Interval", "Outcome", "Tried", "Validation"]
