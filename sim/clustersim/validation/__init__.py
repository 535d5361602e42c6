"""Published clusters and exact results, simulated and compared with what was published."""

from clustersim.validation.outcomes import ClaimResult, Trial, Validation

__all__ = ["ClaimResult", "Trial", "Validation"]
