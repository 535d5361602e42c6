"""Published clusters and exact results, simulated and compared with what was published."""

from clustersim.validation.results import ClaimResult, Trial, Validation
from clustersim.validation.verdict import ConfidenceInterval

__all__ = ["ClaimResult", "ConfidenceInterval", "Trial", "Validation"]
