"""Published clusters and exact results, simulated and compared with what was published."""

from clustersim.validation.results import ClaimResult, Trial, Validation
from clustersim.validation.verdict import Interval

__all__ = ["ClaimResult", "Interval", "Trial", "Validation"]
